import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CaptureError, type Result } from '../../src/domain/result.ts';
import { createApp, type Received } from '../../src/server/index.ts';
import { submit, type SubmitRequest } from '../../src/session/submit.ts';
import { FAULTS, FaultyProxy, type Fault } from '../faulty-proxy.ts';
import { overHttp, QUICK } from './support.ts';

/*
 * Every request of a submission over real HTTP, through a proxy that spoils one of them or two. The widget's time-outs
 * are a thirtieth of the real ones, and so is the delay of 30 s.
 */

vi.setConfig({ testTimeout: 120_000 });

// Decoding photos is what nearly all of the time would go into; whether a photo is whole, other tests tell.
vi.mock(import('../../src/server/jpeg.ts'), async (original) => ({
  ...(await original()),
  isWholeJpeg: () => true,
  decodes: () => true,
}));

const SCALE = 30;
/** Submissions at one time. */
const AT_ONCE = 8;
/** Which request is spoilt, by its number in the submission from 0, and how. */
type Plan = ReadonlyMap<number, Fault>;

// What the relay and the sandbox decode and wait for is not what is tested here.
const app = createApp({ ...QUICK, sandbox: { ...QUICK.sandbox, pollsBeforeEnd: 1 } });
let upstream: ReturnType<typeof serve>;

beforeAll(async () => {
  upstream = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  if (!upstream.listening) await once(upstream, 'listening');
});
afterAll(() => {
  upstream.close();
});

const WAYS = {
  'relay to IdentifAI': { provider: 'identifai' },
  'relay to Eendigo': { provider: 'eendigo' },
} as const;
type Way = keyof typeof WAYS | 'direct';

let made = 0;
const requestFor = (way: Way, origin: string): SubmitRequest =>
  overHttp(origin, {
    refNumber: `SPECIMEN${String(++made).padStart(6, '0')}`,
    timings: { tokenTimeout: 15_000 / SCALE, idleTimeout: 30_000 / SCALE, pollInterval: 20, retryDelay: 5 },
    ...(way === 'direct'
      ? {
          tokenEndpoint: new URL('/kyc/token/direct', origin),
          providerBase: new URL('/sandbox/identifai', origin),
        }
      : WAYS[way]),
  });

async function arrivals(refNumber: string): Promise<number> {
  const response = await app.request(`/sandbox/received/${refNumber}`);
  return ((await response.json()) as { requests: readonly Received[] }).requests.length;
}

/** Sends as a person does: once, and again after an error, with the same photos. */
async function send(request: SubmitRequest): Promise<{ errors: CaptureError[]; result: Result | null }> {
  const errors: CaptureError[] = [];
  let { submissionKey } = request;
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      return { errors, result: await submit({ ...request, submissionKey }) };
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      errors.push(error);
      if (error.settled) submissionKey = crypto.randomUUID();
    }
  }
  return { errors, result: null };
}

/** Every fault of every request, alone. */
const singles = (requests: number): Plan[] => every(requests).map((one) => new Map([one]));

/** The same, with every fault of every later request. */
const pairs = (requests: number): Plan[] =>
  every(requests).flatMap((one) =>
    every(requests)
      .filter(([at]) => at > one[0])
      .map((other) => new Map([one, other])),
  );

const every = (requests: number): (readonly [number, Fault])[] =>
  Array.from({ length: requests }, (_, at) => FAULTS.map((fault) => [at, fault] as const)).flat();

/** One fault for so many requests on end, from each on. */
const outages = (requests: number): Plan[] =>
  every(requests).map(
    ([first, fault]) => new Map(Array.from({ length: 8 }, (_, place) => [first + place, fault] as const)),
  );

interface Counts {
  plans: number;
  faults: number;
  atOnce: number;
  afterRetry: number;
  codes: Record<string, number>;
  twice: string[];
}

/** One submission through a proxy of its own. */
async function through(way: Way, plan: Plan) {
  const proxy = new FaultyProxy({
    upstream: (upstream.address() as AddressInfo).port,
    faultOf: (_request, place) => plan.get(place),
    delay: 30_000 / SCALE,
  });
  const request = requestFor(way, `http://127.0.0.1:${await proxy.listen()}`);
  try {
    const { errors, result } = await send(request);
    return { errors, result, proxy, arrived: await arrivals(request.refNumber) };
  } finally {
    proxy.close();
  }
}

async function run(way: Way, plansFor: (requests: number) => Plan[]): Promise<Counts> {
  // The first one of all is slow, and could be repeated.
  await through(way, new Map());
  const { proxy, result } = await through(way, new Map());
  expect(result?.verified).toBe(true);
  const counts: Counts = { plans: 0, faults: 0, atOnce: 0, afterRetry: 0, codes: {}, twice: [] };
  const inTurn = pLimit(AT_ONCE);
  const attempt = async (plan: Plan): Promise<void> => {
    const told = `${way}: ${[...plan].map(([at, fault]) => `${at} ${fault}`).join(', ')}`;
    const { errors, result, proxy, arrived } = await through(way, plan);
    const codes = errors.map(({ code }) => code);
    expect([told, result?.verified ?? codes]).toEqual([told, true]);
    // One of every fault that the submission met.
    expect([told, proxy.spoilt]).toEqual([told, Math.min(plan.size, proxy.seen - Math.min(...plan.keys()))]);
    expect([told, arrived]).not.toEqual([told, 0]);
    if (arrived > 1) counts.twice.push(told);
    counts.plans++;
    counts.faults += proxy.spoilt;
    counts[errors.length > 0 ? 'afterRetry' : 'atOnce']++;
    for (const code of codes) counts.codes[code] = (counts.codes[code] ?? 0) + 1;
  };
  await Promise.all(plansFor(proxy.seen).map((plan) => inTurn(() => attempt(plan))));
  console.log(`${way}, ${proxy.seen} requests: ${JSON.stringify(counts)}`);
  return counts;
}

test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
  '%s: every request spoilt in every way, alone and in pairs: a result, and the provider is asked once',
  async (way) => {
    const counts = await run(way, (requests) => [...singles(requests), ...pairs(requests)]);
    expect(counts.twice).toEqual([]);
  },
);

test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
  '%s: one fault that stays for eight requests: an error, and the person’s own retry gets the result of the first',
  async (way) => {
    const counts = await run(way, outages);
    expect(counts.twice).toEqual([]);
    expect(counts.afterRetry).toBeGreaterThan(0);
    for (const code of Object.keys(counts.codes)) expect(['token-failed', 'upload-failed']).toContain(code);
  },
);

test('direct: every request spoilt in every way: a result, after the person’s own retry where it was the upload', async () => {
  const counts = await run('direct', singles);
  // Nobody there knows a submission again, so a retry after a lost answer is another one.
  expect(counts.twice.every((told) => /: 1 (answer-lost|delayed|half-answered)$/.test(told))).toBe(true);
});
