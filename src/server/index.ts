import { Hono } from 'hono';
import { createRelay, type RelayOptions } from './relay.ts';
import { createSandbox, playTokenFaults, type SandboxOptions } from './sandbox.ts';

export { readRelayOptions, type Environment } from './environment.ts';
export { createRelay, type RelayOptions } from './relay.ts';
export { createSandbox, playTokenFaults, type SandboxOptions } from './sandbox.ts';
export type { Received, ReceivedImage } from './sandbox-stage.ts';
export { SANDBOX_CASES, findCase, type Expectation, type SandboxCase } from './sandbox-cases.ts';
export { registerProvider, type Analytic, type ProviderProfile } from '../providers/profiles.ts';
export {
  parseBody,
  type Asked,
  type Outcome,
  type Provider,
  type ProviderAnswer,
} from '../providers/provider.ts';
export {
  failure,
  photoRefused,
  readBoolean,
  readNumber,
  readRefusal,
  toResult,
  unreadable,
} from '../providers/reading.ts';
export {
  createIdentifaiClient,
  type EendigoOptions,
  type IdentifaiClient,
  type IdentifaiOptions,
  type Sender,
} from './senders.ts';
export { type RateStore, type RelayLimits } from './throttle.ts';
export { createSubmissionMemory, type SubmissionMemory } from './submissions.ts';
export { createMemoryOneUse, type OneUse } from './tokens.ts';

/** Where everything of `createApp` is mounted. */
export const APP_PATHS = {
  token: '/kyc/token',
  directToken: '/kyc/token/direct',
  submissions: '/kyc/submissions',
  identifai: '/sandbox/identifai',
  eendigo: '/sandbox/eendigo',
  received: '/sandbox/received/',
} as const;

/** Options of `createApp`; every one may be left out. */
export interface AppOptions {
  /** Changes to the relay, such as a shorter time-out. */
  readonly relay?: Partial<Omit<RelayOptions, 'identifai' | 'eendigo' | 'fetch' | 'now'>>;
  /** Changes to the sandbox; keys that are left out are made at random. */
  readonly sandbox?: Partial<SandboxOptions>;
  /** ms since the epoch */
  readonly now?: () => number;
}

/**
 * Relay and sandbox in one app, for demo and tests: the relay speaks to the sandbox in process, with secrets that
 * are made up at the start, so that no account and no network is needed.
 */
export function createApp(options: AppOptions = {}): Hono {
  const now = options.now ?? Date.now;
  const sandbox: SandboxOptions = {
    identifai: { accessKey: random(), secretKey: random() },
    eendigo: { key: random(), tenantCode: random() },
    now,
    ...options.sandbox,
  };
  const app = new Hono();
  // The host is never looked up: every request to it stays in this process.
  const origin = 'http://sandbox.invalid';
  const relay = createRelay({
    secret: random(),
    direct: true,
    ...options.relay,
    identifai: { ...sandbox.identifai, base: origin + APP_PATHS.identifai },
    eendigo: { ...sandbox.eendigo, base: origin + APP_PATHS.eendigo },
    fetch: async (input, init) => app.fetch(new Request(input, init)),
    now,
  });

  app.use(`${APP_PATHS.token}/*`, playTokenFaults(sandbox));
  app.route('/kyc', relay);
  const stage = createSandbox(sandbox);
  app.route(APP_PATHS.identifai, stage);
  app.route(APP_PATHS.eendigo, stage);
  app.route('/sandbox', stage);
  return app;
}

function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return `throwaway-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
