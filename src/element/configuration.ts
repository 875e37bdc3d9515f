import { CaptureError, GUIDANCE_CODES, STEPS, type GuidanceCode, type Step } from '../domain/result.ts';
import { RUNGS, type Rung } from '../domain/ladder.ts';
import { changedRules, GUIDANCE_RULES, type GuidanceRules, type RuleChanges } from '../domain/rules.ts';
import { DEFAULT_STEPS } from '../domain/steps.ts';
import { FACE_ID, profileOf, providerIds, wantedOf } from '../providers/profiles.ts';
import { checkRetired } from '../providers/retired.ts';
import type { CameraSource } from '../session/camera.ts';
import type { Configuration } from '../session/options.ts';

/** Thresholds in place of the built-in ones, by kind of frame and measure, in the unit of the measure's rule. */
export type Thresholds = NonNullable<RuleChanges['thresholds']>;

/** The element's attributes and properties as they stand. */
export interface RawConfiguration {
  readonly provider: string | null;
  readonly analytics: string | null;
  readonly faceId: string | null;
  readonly context: Readonly<Record<string, string>>;
  readonly tokenEndpoint: string | null;
  readonly providerBase: string | null;
  readonly steps: string | null;
  readonly refNumber: string | null;
  readonly assetsBase: string | null;
  readonly assetsIntegrity: string | null;
  readonly tokenHeaders: Readonly<Record<string, string>>;
  readonly cameraSource: CameraSource | null;
  readonly allow: string | null;
  readonly thresholds: Thresholds | null;
  readonly straighten: string | null;
  readonly fallback: string | null;
  readonly persist: string | null;
  readonly kiosk: boolean;
  readonly debug: boolean;
}

/** IdentifAI takes 6 to 128 letters and digits as `client_ref`; the stricter rule serves both providers. */
const REF_NUMBER = /^[A-Za-z0-9]{6,128}$/;

/**
 * Checks what the page has written.
 * @param base URL that relative ones are resolved against
 * @param defaultAssets where the assets lie when the page names no place
 * @throws CaptureError `configuration-invalid`, naming the attribute or property
 */
export function readConfiguration(raw: RawConfiguration, base: string, defaultAssets: URL): Configuration {
  const tokenEndpoint = url('token-endpoint', raw.tokenEndpoint, base);
  if (!tokenEndpoint) throw invalid('token-endpoint', 'is missing');
  const assetsBase = url('assets-base', raw.assetsBase, base);
  const { refNumber } = raw;
  if (refNumber !== null && !REF_NUMBER.test(refNumber))
    throw invalid('ref-number', 'must be 6 to 128 letters and digits');
  const provider = oneOf('provider', raw.provider?.trim() ?? '', providerIds());
  const providerBase = url('provider-base', raw.providerBase, base);
  for (const named of [tokenEndpoint, providerBase]) if (named) checkRetired(named);
  const steps = readSteps(raw.steps);
  if (raw.faceId !== null && !FACE_ID.test(raw.faceId)) throw invalid('face-id', 'must be digits');
  return {
    provider,
    analytics: readAnalytics(raw.analytics, provider, steps),
    steps,
    tokenEndpoint,
    tokenHeaders: raw.tokenHeaders,
    providerBase: withSlash(providerBase),
    refNumber,
    faceId: raw.faceId,
    context: readContext(raw.context),
    assetsBase: withSlash(assetsBase) ?? defaultAssets,
    assetsIntegrity: readIntegrity(raw.assetsIntegrity),
    cameraSource: raw.cameraSource,
    rules: changedRules(GUIDANCE_RULES, {
      allow: readAllow(raw.allow),
      thresholds: readThresholds(raw.thresholds ?? {}),
    }),
    straighten: oneOf('straighten', raw.straighten ?? 'on', ['on', 'off']) === 'on',
    fallback: oneOf<Rung>('fallback', raw.fallback ?? 'upload', RUNGS),
    persist: readPersist(raw.persist, raw.kiosk),
    debug: raw.debug,
  };
}

/** As in the `integrity` of a script. */
const INTEGRITY = /^sha256-[A-Za-z0-9+/]{43}=$/;

function readIntegrity(value: string | null): string | null {
  if (value !== null && !INTEGRITY.test(value))
    throw invalid('assets-integrity', 'must be sha256- and the hash of manifest.json in base64');
  return value;
}

/** Minutes that accepted photos outlive a reload, where the page does not say. */
const PERSIST_MINUTES = 15;
const LONGEST_PERSIST_MINUTES = 60;

/** ms; null where nothing is to be kept: everybody who comes to a kiosk is another person. */
function readPersist(value: string | null, kiosk: boolean): number | null {
  if (value === 'none' || (value === null && kiosk)) return null;
  const minutes = value === null ? PERSIST_MINUTES : Number(value);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_PERSIST_MINUTES)
    throw invalid('persist', `must be none, or 1 to ${LONGEST_PERSIST_MINUTES} minutes`);
  return minutes * 60_000;
}

/**
 * The steps of a `steps` attribute, in its order; selfie and KTP where there is none.
 * @throws CaptureError `configuration-invalid`
 */
export function readSteps(value: string | null): readonly Step[] {
  if (value === null) return DEFAULT_STEPS;
  const steps = value.split(',').map((name) => oneOf('steps', name.trim(), STEPS));
  if (new Set(steps).size < steps.length) throw invalid('steps', 'names a step twice');
  return steps;
}

/** What the provider is asked for, and that the journey takes the photos for it; the usual where the page does not say. */
function readAnalytics(value: string | null, provider: string, steps: readonly Step[]): readonly string[] {
  const profile = profileOf(provider);
  if (value === null) return profile.defaultAnalytics;
  const names = value.split(',').map((name) => name.trim());
  for (const name of names) oneOf('analytics', name, Object.keys(profile.analytics));
  const wanted = wantedOf(profile, names);
  const missing = wanted.steps.find((step) => !steps.includes(step));
  if (missing) throw invalid('steps', `lacks ${missing}, which the analytics take`);
  return names;
}

function readContext(value: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, text] of named('context', value))
    if (typeof text !== 'string') throw invalid(`context.${name}`, 'must be a string');
  return value;
}

/** Without these rules the shutter would photograph an empty room, so no page can change them. */
const NEEDED: readonly GuidanceCode[] = ['no-face', 'no-card'];

function readAllow(value: string | null): readonly GuidanceCode[] {
  if (!value?.trim()) return [];
  const choices = GUIDANCE_CODES.filter((code) => !NEEDED.includes(code));
  return value.split(',').map((name) => oneOf('allow', name.trim(), choices));
}

/** Pages without a compiler may put anything here. */
function readThresholds(value: Thresholds): Thresholds {
  for (const [kind, measures] of named('thresholds', value)) {
    const rules = GUIDANCE_RULES[oneOf(`thresholds.${kind}`, kind, KINDS)];
    for (const [measure, threshold] of named(`thresholds.${kind}`, measures)) {
      const property = `thresholds.${kind}.${measure}`;
      if (!rules.some((rule) => rule.measure === measure && !NEEDED.includes(rule.code)))
        throw invalid(property, 'is not a measure that has a threshold to set');
      if (!Number.isFinite(threshold)) throw invalid(property, 'must be a finite number');
    }
  }
  return value;
}

const KINDS = Object.keys(GUIDANCE_RULES) as readonly (keyof GuidanceRules)[];

function named(property: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) throw invalid(property, 'must be an object');
  return Object.entries(value);
}

function oneOf<Choice extends string>(attribute: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === value);
  if (!choice) throw invalid(attribute, `must be one of ${choices.join(', ')}`);
  return choice;
}

function url(attribute: string, value: string | null, base: string): URL | null {
  if (!value) return null;
  if (!URL.canParse(value, base)) throw invalid(attribute, 'is not a URL');
  const parsed = new URL(value, base);
  if (!/^https?:$/.test(parsed.protocol)) throw invalid(attribute, 'must be an http or https URL');
  return parsed;
}

function withSlash(base: URL | null): URL | null {
  if (!base || base.pathname.endsWith('/')) return base;
  const extended = new URL(base);
  extended.pathname += '/';
  return extended;
}

function invalid(attribute: string, what: string): CaptureError {
  return new CaptureError('configuration-invalid', `<kyc-capture>: ${attribute} ${what}.`);
}
