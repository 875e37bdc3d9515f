import { Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import type { EendigoCredentials } from '../providers/eendigo.ts';
import { findCase } from './sandbox-cases.ts';
import { playEendigo } from './sandbox-eendigo.ts';
import { playIdentifai } from './sandbox-identifai.ts';
import { PAGE, wait, type Received } from './sandbox-stage.ts';

/** Options of the sandbox. */
export interface SandboxOptions {
  /** The keys that the sandbox knows; made up for the occasion, never real ones. */
  readonly identifai: { readonly accessKey: string; readonly secretKey: string };
  readonly eendigo: EendigoCredentials;
  /** ms since the epoch */
  readonly now?: () => number;
  /** Polls that find an ordinary job still going on. 2. */
  readonly pollsBeforeEnd?: number;
  /** How late a slow answer without a job comes, ms. 2,500. */
  readonly slow?: number;
  /** How long an answer that never comes is held open, ms. 60,000. */
  readonly hang?: number;
}

/** Submissions remembered for tests and demo. */
const REMEMBERED = 200;

/**
 * Plays both providers on their real paths, as documented, so that another base URL is the only difference.
 * `refNumber` steers the outcome (`SANDBOX_CASES`); `GET /received/:refNumber` tells what arrived.
 */
export function createSandbox(options: SandboxOptions): Hono {
  const now = options.now ?? Date.now;
  const { slow = 2500, hang = 60_000, pollsBeforeEnd = 2 } = options;
  const received = new Map<string, Received[]>();
  const remember = (refNumber: string, entry: Received): void => {
    received.set(refNumber, [...(received.get(refNumber) ?? []), entry]);
    const [oldest] = received.keys();
    if (received.size > REMEMBERED && oldest !== undefined) received.delete(oldest);
  };

  const app = new Hono();
  app.use(sandboxMark);
  playIdentifai(app, { keys: options.identifai, now, pollsBeforeEnd, remember });
  playEendigo(app, { keys: options.eendigo, now, slow, hang, remember });
  app.get('/received/:refNumber', (c) => {
    const refNumber = c.req.param('refNumber');
    return c.json({ refNumber, requests: received.get(refNumber) ?? [] });
  });
  return app;
}

/** Plays the faults of a customer's token endpoint, in front of the real one. */
export function playTokenFaults(options: Pick<SandboxOptions, 'hang'>): MiddlewareHandler {
  const Body = v.object({ refNumber: v.string() });
  return async (c, next) => {
    const body = v.safeParse(
      Body,
      await c.req.raw
        .clone()
        .json()
        .catch(() => null),
    );
    const fault = body.success ? findCase(body.output.refNumber).tokenEndpoint : undefined;
    if (fault === undefined) return next();
    return sandboxMark(c, async () => {
      if (fault === 'nothing') await wait(options.hang ?? 60_000, c.req.raw.signal);
      c.res = fault === 'html' ? c.html(PAGE) : c.text('SPECIMEN fault', fault === 'nothing' ? 504 : fault);
    });
  };
}

/** Nobody shall take a sandbox's answer for a provider's. */
const sandboxMark: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('x-kyc-sandbox', '1');
};
