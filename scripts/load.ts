import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { encode } from 'jpeg-js';
import type { ProviderId, Step } from '../src/domain/result.ts';
import { createSandbox, type Received } from '../src/server/index.ts';
import { profileOf } from '../src/providers/profiles.ts';
import { submit } from '../src/session/submit.ts';

/**
 * `npm run load -- [--at-once 200] [--rounds 1]`: one relay and one sandbox, each a process of its own, and so many
 * submissions at a time. Tells what was lost or mixed up, and how much memory the relay took.
 */

const { values } = parseArgs({
  options: {
    'at-once': { type: 'string', default: '200' },
    rounds: { type: 'string', default: '1' },
    sandbox: { type: 'boolean', default: false },
  },
});

const KEYS = {
  identifai: { accessKey: 'SPECIMEN-access-key', secretKey: 'SPECIMEN-secret-key' },
  eendigo: { key: 'SPECIMEN-eendigo-key', tenantCode: 'SPECIMEN-tenant-code' },
} as const;

/**
 * Noise, which JPEG cannot make small, of the smallest size that both providers take: the sandbox decodes every photo,
 * and is not what is measured here. Metadata makes up the rest of the megabyte.
 */
const SELFIE = { jpeg: noiseJpeg(600, 640, 20), bytes: 480_000 };
const KTP = { jpeg: noiseJpeg(960, 720, 10), bytes: 520_000 };

if (values.sandbox) await runSandbox();
else await run(Number(values['at-once']), Number(values.rounds));

async function runSandbox(): Promise<void> {
  // A process that decodes for seconds would else end connections whose next request it has not had time to read.
  const serverOptions = { keepAliveTimeout: 75_000 };
  const { fetch } = createSandbox(KEYS);
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1', serverOptions });
  if (!server.listening) await once(server, 'listening');
  console.log(`The sandbox listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function run(atOnce: number, rounds: number): Promise<void> {
  // More than 200 submissions the sandbox does not remember.
  if (!(atOnce > 0 && atOnce <= 200 && rounds > 0)) {
    console.error('Usage: npm run load -- [--at-once 200] [--rounds 1], at most 200 at once');
    process.exit(2);
  }
  const rows: Row[] = [];
  for (const provider of ['identifai', 'eendigo'] as const) rows.push(await load(provider, atOnce, rounds));
  console.table(Object.fromEntries(rows.map(({ provider, ...row }) => [provider, row])));
  process.exit(
    rows.every((row) => row.lost === 0 && row['mixed up'] === 0 && row['sent twice'] === 0) ? 0 : 1,
  );
}

/** One line of the table. */
interface Row {
  readonly provider: ProviderId;
  readonly submissions: number;
  readonly lost: number;
  readonly 'mixed up': number;
  readonly 'sent twice': number;
  readonly seconds: number;
  /** Of the relay, MB. */
  readonly 'RSS before': number;
  readonly 'peak RSS': number;
}

async function load(provider: ProviderId, atOnce: number, rounds: number): Promise<Row> {
  const script = fileURLToPath(import.meta.url);
  const relayMain = fileURLToPath(new URL('../dist/relay.js', import.meta.url));
  const sandbox = await start(['--import', 'tsx', script, '--sandbox'], {});
  const relay = await start([relayMain], {
    PORT: '0',
    KYC_RELAY_SECRET: 'SPECIMEN-relay-secret-SPECIMEN-relay-secret',
    IDENTIFAI_ACCESS_KEY: KEYS.identifai.accessKey,
    IDENTIFAI_SECRET_KEY: KEYS.identifai.secretKey,
    IDENTIFAI_BASE: sandbox.origin,
    EENDIGO_KEY: KEYS.eendigo.key,
    EENDIGO_TENANT_CODE: KEYS.eendigo.tenantCode,
    EENDIGO_BASE: sandbox.origin,
    // All come from one address, and wait for a sandbox that decodes every photo on one processor.
    KYC_RELAY_TOKENS_PER_MINUTE: '1000000',
    KYC_RELAY_SUBMISSIONS_PER_MINUTE: '1000000',
    KYC_RELAY_POLLS_PER_MINUTE: '1000000',
    KYC_RELAY_LONGEST_WAIT_SECONDS: '600',
    KYC_RELAY_PROVIDER_TIMEOUT_SECONDS: '300',
  });
  const before = residentMegabytes(relay.child);
  let peak = before;
  const sampling = setInterval(() => (peak = Math.max(peak, residentMegabytes(relay.child))), 100);
  const sum = { lost: 0, mixed: 0, twice: 0 };
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    const outcomes = await Promise.all(
      Array.from({ length: atOnce }, (_, place) => submitOne(relay.origin, provider, round, place)),
    );
    for (const { refNumber, sizes, answered, strange } of outcomes) {
      const seen = await fetch(`${sandbox.origin}/received/${refNumber}`);
      const { requests } = (await seen.json()) as { requests: Received[] };
      const own = requests.every(({ images }) =>
        images.every(({ bytes }, image) => bytes === sizes[provider === 'identifai' ? 1 - image : image]),
      );
      if (!answered || requests.length === 0) sum.lost++;
      if (strange || !own) sum.mixed++;
      if (requests.length > 1) sum.twice++;
    }
  }
  const seconds = (performance.now() - began) / 1000;
  clearInterval(sampling);
  for (const { child } of [relay, sandbox]) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  return {
    provider,
    submissions: atOnce * rounds,
    lost: sum.lost,
    'mixed up': sum.mixed,
    'sent twice': sum.twice,
    seconds: Math.round(seconds),
    'RSS before': Math.round(before),
    'peak RSS': Math.round(peak),
  };
}

/** What came of one submission. */
interface Outcome {
  readonly refNumber: string;
  /** Bytes of selfie and card. */
  readonly sizes: readonly number[];
  readonly answered: boolean;
  /** An answer bore another one's number. */
  readonly strange: boolean;
}

/** Sends as the widget does, with photos whose size nobody else's have. */
async function submitOne(
  origin: string,
  provider: ProviderId,
  round: number,
  place: number,
): Promise<Outcome> {
  const refNumber = `LOAD${round}N${String(place).padStart(5, '0')}`;
  const selfie = withMetadata(SELFIE.jpeg, SELFIE.bytes + place);
  const ktp = withMetadata(KTP.jpeg, KTP.bytes + place);
  let strange = false;
  const answered = await submit({
    provider,
    analytics: profileOf(provider).defaultAnalytics,
    faceId: null,
    tokenEndpoint: new URL('/kyc/token', origin),
    tokenHeaders: {},
    providerBase: null,
    refNumber,
    steps: ['selfie', 'ktp'],
    photos: new Map<Step, Blob>([
      ['selfie', new Blob([selfie], { type: 'image/jpeg' })],
      ['ktp', new Blob([ktp], { type: 'image/jpeg' })],
    ]),
    context: {},
    submissionKey: crypto.randomUUID(),
    captureContext: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    pageOrigin: origin,
    online: () => true,
    // This transport cannot tell of progress, and the last one waits for all the others.
    timings: { tokenTimeout: 600_000, idleTimeout: 600_000 },
    transport: async ({ url, method, headers, body, signal }) => {
      const response = await fetch(url, { method, headers, body, signal });
      const text = await response.text();
      const named = /"refNumber":"(\w+)"/.exec(text)?.[1];
      if (named !== undefined && named !== refNumber) strange = true;
      return { status: response.status, body: text, header: (name) => response.headers.get(name) };
    },
  }).then(
    (result) => result.verified,
    (error: unknown) => {
      console.error(String(error));
      return false;
    },
  );
  return { refNumber, sizes: [selfie.length, ktp.length], answered, strange };
}

async function start(
  parameters: readonly string[],
  environment: Record<string, string>,
): Promise<{ readonly child: ChildProcess; readonly origin: string }> {
  const child = spawn(process.execPath, parameters, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const origin = await new Promise<string>((resolve, reject) => {
    child.on('exit', () => reject(new Error(`${parameters.join(' ')} ended`)));
    createInterface(child.stdout).on('line', (line) => {
      const url = /listens on (http:\S+?:\d+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  return { child, origin };
}

/** Memory that a process holds at this moment, MB of 1,000,000 bytes; Linux tells it. */
function residentMegabytes({ pid }: ChildProcess): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kibibytes) * 1024) / 1e6;
}

/** Bytes that nothing can make small, the same for the same seed. */
function noise(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0) >>> 24;
}

/** A picture of grey noise. */
function noiseJpeg(width: number, height: number, quality: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(width * height * 4);
  const next = noise(width);
  for (let at = 0; at < data.length; at += 4) data.fill(next(), at, at + 3);
  return Uint8Array.from(encode({ width, height, data }, quality).data);
}

/** The same picture in so many bytes, by comments of at most 65,533 bytes each. */
function withMetadata(jpeg: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const next = noise(length);
  const rest = length - (jpeg.length - 2);
  bytes.set(jpeg.subarray(0, 2));
  bytes.set(jpeg.subarray(2), rest);
  for (let at = 2; at < rest;) {
    // What is left over must hold a marker and a length of its own.
    const size = rest - at <= 65_535 ? rest - at : Math.min(65_535, rest - at - 4);
    bytes.set([0xff, 0xfe, (size - 2) >> 8, (size - 2) & 0xff], at);
    for (let inside = at + 4; inside < at + size; inside++) bytes[inside] = next();
    at += size;
  }
  return bytes;
}
