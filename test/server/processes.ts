import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { serve } from '@hono/node-server';
import type { ProviderId } from '../../src/domain/result.ts';
import { createSandbox, type SandboxOptions } from '../../src/server/index.ts';
import { blob, KTP, SECRETS, SELFIE } from './support.ts';

/** A process that has said that it is ready, and everything it has written. */
export interface Running {
  readonly child: ChildProcess;
  /** Lines of both streams. */
  readonly lines: readonly string[];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts a command. */
export function start(command: string, parameters: readonly string[], env = process.env): Running {
  const child = spawn(command, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => lines.push(line));
  }
  const ended = once(child, 'close').then(
    ([code, signal]) => (signal ?? code) as number | NodeJS.Signals | null,
  );
  return { child, lines, ended };
}

/** Waits until something holds; a process that has ended cannot make it hold any more. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { child, lines }: Partial<Running> = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    const over = child ? child.exitCode !== null || child.signalCode !== null : false;
    if (over || Date.now() > deadline) throw new Error(`${what} did not happen: ${lines?.join('\n') ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A sandbox that listens, for relays in processes of their own. */
export async function serveSandbox(
  options: Partial<SandboxOptions> = {},
): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const sandbox = createSandbox({
    identifai: { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey },
    eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode },
    ...options,
  });
  const server = serve({ fetch: sandbox.fetch, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The environment of a relay that speaks to this sandbox. */
export function relayEnvironment(sandbox: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    KYC_RELAY_SECRET: SECRETS.relay,
    IDENTIFAI_ACCESS_KEY: SECRETS.accessKey,
    IDENTIFAI_SECRET_KEY: SECRETS.secretKey,
    IDENTIFAI_BASE: sandbox,
    EENDIGO_KEY: SECRETS.key,
    EENDIGO_TENANT_CODE: SECRETS.tenantCode,
    EENDIGO_BASE: sandbox,
    PORT: '0',
    ...more,
  };
}

/** Runs `kyc-capture-relay` from its source. */
export function runRelay(environment: Record<string, string>): Running {
  const main = fileURLToPath(new URL('../../src/server/relay-main.ts', import.meta.url));
  return start(process.execPath, ['--import', 'tsx', main], environment);
}

/** The same, once it listens. */
export async function startRelay(environment: Record<string, string>): Promise<Running & { origin: string }> {
  const relay = runRelay(environment);
  const listens = () =>
    relay.lines.map((line) => /listens on (http:\S+?:\d+)/.exec(line)?.[1]).find((url) => url !== undefined);
  return { ...relay, origin: await until('the relay listens', listens, relay) };
}

/** How a test reaches a relay: over the wire, or in this process. */
export type Ask = (path: string, init?: RequestInit) => Response | Promise<Response>;

/** Over the wire. */
export const over =
  (origin: string): Ask =>
  (path, init) =>
    fetch(new URL(path, origin), init);

interface SendOptions {
  readonly headers?: Record<string, string>;
  /** Where the relay's paths begin. */
  readonly base?: string;
}

/** Asks for a token. */
export async function askToken(
  ask: Ask,
  refNumber: string,
  { provider = 'eendigo', headers = {}, base = '/kyc' }: SendOptions & { provider?: ProviderId } = {},
): Promise<{ readonly response: Response; readonly token: string }> {
  const response = await ask(`${base}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ refNumber, provider, steps: ['selfie', 'ktp'] }),
  });
  const { submission_token: token = '' } = (await response.clone().json()) as { submission_token?: string };
  return { response, token };
}

/** Sends both photos. */
export async function send(
  ask: Ask,
  token: string,
  refNumber: string,
  { headers = {}, base = '/kyc' }: SendOptions = {},
): Promise<Response> {
  const form = new FormData();
  form.append('selfie', blob(SELFIE), 'selfie.jpg');
  form.append('ktp', blob(KTP), 'ktp.jpg');
  form.append('refNumber', refNumber);
  return ask(`${base}/submissions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: form,
  });
}

/** The code of an error on the wire. */
export const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code;
