import { CaptureError, PROVIDER_IDS, STEPS, type Step } from '../domain/result.ts';
import type { CameraSource } from '../session/camera.ts';
import type { Configuration } from '../session/session.ts';

/** The element's attributes and properties as they stand. */
export interface RawConfiguration {
  readonly provider: string | null;
  readonly tokenEndpoint: string | null;
  readonly providerBase: string | null;
  readonly steps: string | null;
  readonly refNumber: string | null;
  readonly assetsBase: string | null;
  readonly tokenHeaders: Readonly<Record<string, string>>;
  readonly cameraSource: CameraSource | null;
}

/** IdentifAI takes 6 to 128 letters and digits as `client_ref`; the stricter rule serves both providers. */
const REF_NUMBER = /^[A-Za-z0-9]{6,128}$/;

/**
 * Checks what the page has written.
 * @param base URL that relative ones are resolved against
 * @param defaultAssets where the assets lie when the page names no place
 * @param generatedRef the reference number where the page gives none
 * @throws CaptureError `configuration-invalid`, naming the attribute
 */
export function readConfiguration(
  raw: RawConfiguration,
  base: string,
  defaultAssets: URL,
  generatedRef: string,
): Configuration {
  const tokenEndpoint = url('token-endpoint', raw.tokenEndpoint, base);
  if (!tokenEndpoint) throw invalid('token-endpoint', 'is missing');
  const assetsBase = url('assets-base', raw.assetsBase, base);
  const refNumber = raw.refNumber ?? generatedRef;
  if (!REF_NUMBER.test(refNumber)) throw invalid('ref-number', 'must be 6 to 128 letters and digits');
  return {
    provider: oneOf('provider', raw.provider?.trim() ?? '', PROVIDER_IDS),
    steps: readSteps(raw.steps),
    tokenEndpoint,
    tokenHeaders: raw.tokenHeaders,
    providerBase: withSlash(url('provider-base', raw.providerBase, base)),
    refNumber,
    assetsBase: withSlash(assetsBase) ?? defaultAssets,
    cameraSource: raw.cameraSource,
  };
}

/**
 * The steps of a `steps` attribute, in its order; all of them where there is none.
 * @throws CaptureError `configuration-invalid`
 */
export function readSteps(value: string | null): readonly Step[] {
  if (value === null) return STEPS;
  const steps = value.split(',').map((name) => oneOf('steps', name.trim(), STEPS));
  if (new Set(steps).size < steps.length) throw invalid('steps', 'names a step twice');
  return steps;
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
