import { CaptureError } from '../domain/result.ts';
import type { RelayOptions } from './relay.ts';
import type { RelayLimits } from './throttle.ts';
import { SMALLEST_SECRET } from './tokens.ts';

/** Variables by their names, such as `process.env` or the bindings of a worker. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that the command `kyc-capture-relay` reads from its environment. */
export interface RelaySettings {
  readonly relay: RelayOptions;
  readonly host: string;
  readonly port: number;
  /** Where the relay's paths begin, such as `/kyc`; empty for the root. */
  readonly path: string;
  readonly redisUrl: string | null;
  /** Proxies in front of the relay that add to `X-Forwarded-For`; its other entries anybody could have written. */
  readonly trustedProxies: number;
}

/** Each limit's variable, and how many of the limit's units one of the variable's is. */
const LIMITS: Record<keyof RelayLimits, readonly [variable: string, units: number]> = {
  tokensPerMinute: ['KYC_RELAY_TOKENS_PER_MINUTE', 1],
  submissionsPerMinute: ['KYC_RELAY_SUBMISSIONS_PER_MINUTE', 1],
  pollsPerMinute: ['KYC_RELAY_POLLS_PER_MINUTE', 1],
  submissionsAtOnce: ['KYC_RELAY_SUBMISSIONS_AT_ONCE', 1],
  longestWait: ['KYC_RELAY_LONGEST_WAIT_SECONDS', 1000],
};

/** Keys of which none is worth anything without the other. */
const PAIRS = [
  ['IDENTIFAI_ACCESS_KEY', 'IDENTIFAI_SECRET_KEY'],
  ['EENDIGO_KEY', 'EENDIGO_TENANT_CODE'],
] as const;

const refuse = (sentence: string): CaptureError => new CaptureError('configuration-invalid', sentence);

/**
 * Reads the relay's options from environment variables: `KYC_RELAY_SECRET`, `IDENTIFAI_ACCESS_KEY`,
 * `IDENTIFAI_SECRET_KEY`, `IDENTIFAI_BASE`, `IDENTIFAI_MODE`, `EENDIGO_KEY`, `EENDIGO_TENANT_CODE`, `EENDIGO_BASE`,
 * `KYC_RELAY_ANALYTICS`, `KYC_RELAY_DIRECT` (`yes`), and those of limits and time-out that the README lists. A provider
 * without keys is left out.
 * @throws CaptureError `configuration-invalid` for a limit that is no whole number from 1, and for an unknown mode
 */
export function readRelayOptions(environment: Environment): RelayOptions {
  const {
    KYC_RELAY_SECRET: secret = '',
    IDENTIFAI_ACCESS_KEY: accessKey,
    IDENTIFAI_SECRET_KEY: secretKey,
    IDENTIFAI_BASE: identifaiBase,
    IDENTIFAI_MODE: mode = 'asynchronous',
    KYC_RELAY_ANALYTICS: analytics,
    KYC_RELAY_DIRECT: direct,
    EENDIGO_KEY: key,
    EENDIGO_TENANT_CODE: tenantCode,
    EENDIGO_BASE: eendigoBase,
  } = environment;
  const timeout = readNumber(environment, 'KYC_RELAY_PROVIDER_TIMEOUT_SECONDS', 1);
  const limits: { -readonly [name in keyof RelayLimits]?: RelayLimits[name] } = {};
  for (const [name, [variable, units]] of Object.entries(LIMITS)) {
    const value = readNumber(environment, variable, 1);
    if (value !== null) limits[name as keyof RelayLimits] = value * units;
  }
  if (mode !== 'synchronous' && mode !== 'asynchronous') {
    throw refuse('IDENTIFAI_MODE must be synchronous or asynchronous.');
  }
  return {
    secret,
    ...(direct === 'yes' ? { direct: true } : {}),
    ...(analytics ? { analytics: analytics.split(',').map((name) => name.trim()) } : {}),
    ...(accessKey && secretKey
      ? { identifai: { accessKey, secretKey, mode, ...(identifaiBase ? { base: identifaiBase } : {}) } }
      : {}),
    ...(key && tenantCode
      ? { eendigo: { key, tenantCode, ...(eendigoBase ? { base: eendigoBase } : {}) } }
      : {}),
    ...(timeout === null ? {} : { providerTimeout: timeout * 1000 }),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  };
}

/**
 * Reads the settings of `kyc-capture-relay`; the README lists the variables.
 * @throws CaptureError `configuration-invalid` with a sentence that names the variable
 */
export function readRelaySettings(environment: Environment): RelaySettings {
  const relay = readRelayOptions(environment);
  if (new TextEncoder().encode(relay.secret).length < SMALLEST_SECRET) {
    throw refuse(`KYC_RELAY_SECRET needs ${SMALLEST_SECRET} characters or more, the same on every instance.`);
  }
  for (const [one, other] of PAIRS) {
    if (!environment[one] !== !environment[other]) throw refuse(`${one} and ${other} go together.`);
  }
  if (!relay.identifai && !relay.eendigo) {
    throw refuse(`No provider is configured: set ${PAIRS.map((pair) => pair.join(' and ')).join(', or ')}.`);
  }
  const { HOST: host, KYC_RELAY_PATH: path = '/kyc', REDIS_URL: redisUrl } = environment;
  if (!/^(\/[\w.~-]+)*\/?$/.test(path)) throw refuse('KYC_RELAY_PATH must be a path, such as /kyc.');
  return {
    relay,
    host: host || '127.0.0.1',
    port: readNumber(environment, 'PORT', 0) ?? 8080,
    path: path.replace(/\/$/, ''),
    redisUrl: redisUrl || null,
    trustedProxies: readNumber(environment, 'KYC_RELAY_TRUSTED_PROXIES', 0) ?? 0,
  };
}

/** A whole number of the environment, or null where the variable is not set. */
function readNumber(environment: Environment, name: string, least: number): number | null {
  const text = environment[name];
  if (!text) return null;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < least) throw refuse(`${name} must be a whole number from ${least}.`);
  return value;
}
