import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { call, callSafely } from '../../src/server/call.ts';
import { createRelay, createSandbox } from '../../src/server/index.ts';
import { submit } from '../../src/session/submit.ts';
import { freePort } from './processes.ts';
import { QUICK, received, request, SECRETS } from './support.ts';

const REFUSED = new TypeError('fetch failed', {
  cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
});
const RESET = new TypeError('fetch failed', {
  cause: Object.assign(new Error('read SPECIMEN-secret'), { code: 'ECONNRESET' }),
});

/** A fetch that answers one after the other, the last one from then on. */
function fetchOf(...answers: (number | Error | 'never')[]) {
  let calls = 0;
  const fetch = (): Promise<Response> => {
    const answer = answers[Math.min(calls++, answers.length - 1)];
    if (answer === 'never') return new Promise(() => undefined);
    return typeof answer === 'number'
      ? Promise.resolve(new Response(`answer ${calls}`, { status: answer }))
      : Promise.reject(answer ?? new Error('none'));
  };
  return { tools: { fetch, timeout: 200 }, calls: () => calls };
}

const URL_OF_NOBODY = new URL('http://provider.invalid/');

describe('a call that is safe to repeat', () => {
  test.each<[string, (number | Error | 'never')[], number | 'provider-failed', number]>([
    ['an answer', [200], 200, 1],
    ['a refusal', [401], 401, 1],
    ['a broken connection', [RESET, 200], 200, 2],
    ['no connection', [REFUSED, 200], 200, 2],
    ['HTTP 500', [500, 200], 200, 2],
    ['HTTP 429', [429, 202], 202, 2],
    ['HTTP 503 twice', [503, 503, 200], 503, 2],
    ['a connection that breaks twice', [RESET, RESET, 200], 'provider-failed', 2],
    ['a time-out', ['never', 200], 'provider-failed', 1],
  ])('%s', async (_, answers, expected, times) => {
    const { tools, calls } = fetchOf(...answers);
    const outcome = callSafely(tools, URL_OF_NOBODY, { method: 'GET' });
    if (typeof expected === 'number') expect((await outcome).status).toBe(expected);
    else await expect(outcome).rejects.toMatchObject({ code: expected });
    expect(calls()).toBe(times);
  });
});

describe('a call that the provider may bill', () => {
  test.each<[string, (number | Error | 'never')[], number | 'provider-failed', number]>([
    ['an answer', [200], 200, 1],
    ['a broken connection', [RESET, 200], 'provider-failed', 1],
    ['no connection', [REFUSED, 200], 200, 2],
    ['no connection twice', [REFUSED, REFUSED, 200], 'provider-failed', 2],
    ['no connection, then a broken one', [REFUSED, RESET, 200], 'provider-failed', 2],
    ['HTTP 500', [500, 200], 500, 1],
    ['HTTP 429', [429, 200], 429, 1],
    ['a time-out', ['never', 200], 'provider-failed', 1],
  ])('%s', async (_, answers, expected, times) => {
    const { tools, calls } = fetchOf(...answers);
    const outcome = call(tools, URL_OF_NOBODY, { method: 'POST' });
    if (typeof expected === 'number') expect((await outcome).status).toBe(expected);
    else await expect(outcome).rejects.toMatchObject({ code: expected });
    expect(calls()).toBe(times);
  });
});

test('an error quotes nothing of the one behind it', async () => {
  const error = await call(fetchOf(RESET).tools, URL_OF_NOBODY, {}).catch((reason: unknown) => reason);
  expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain(
    'SPECIMEN',
  );
});

test('a refused connection on the wire is known as one', async () => {
  let calls = 0;
  const counted: typeof fetch = (input, init) => (calls++, fetch(input, init));
  const tools = { fetch: counted, timeout: 5000 };
  await expect(
    call(tools, new URL(`http://127.0.0.1:${await freePort()}/`), { method: 'POST' }),
  ).rejects.toMatchObject({
    code: 'provider-failed',
  });
  expect(calls).toBe(2);
});

describe('a provider that stumbles once at every path', () => {
  /** A relay to a sandbox in front of which every path fails the first time. */
  function stumbling(fail: (path: string) => Response) {
    const sandbox = createSandbox(QUICK.sandbox);
    const calls: string[] = [];
    const relay = createRelay({
      secret: SECRETS.relay,
      identifai: { ...QUICK.sandbox.identifai, base: 'http://sandbox.invalid/' },
      eendigo: { ...QUICK.sandbox.eendigo, base: 'http://sandbox.invalid/' },
      fetch: async (input, init) => {
        const asked = new Request(input, init);
        const path = new URL(asked.url).pathname.replace(/jobs\/.*/, 'jobs');
        const first = !calls.includes(path);
        calls.push(path);
        return first ? fail(path) : sandbox.fetch(asked);
      },
    });
    const app = new Hono();
    app.route('/kyc', relay);
    app.route('/sandbox', sandbox);
    const times = (path: string) => calls.filter((called) => called === path).length;
    return { app, times };
  }
  const ill = () => Response.json({ ok: false, message: 'try later' }, { status: 503 });

  test('IdentifAI: the signature, the token and the job are asked for again, the photos are not', async () => {
    const { app, times } = stumbling(ill);
    const error = await submit(request(app, { refNumber: 'STUMBLES01' })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'provider-failed' });
    expect(times('/public/auth/v1/signatures')).toBe(2);
    expect(times('/v1/analytics/face-match-liveness-v2')).toBe(1);
    expect(await received(app, 'STUMBLES01')).toEqual([]);

    // The person sends again; only the job's path has not stumbled yet.
    expect((await submit(request(app, { refNumber: 'STUMBLES01' }))).verified).toBe(true);
    expect(times('/v1/analytics/face-match-liveness-v2')).toBe(2);
    expect(await received(app, 'STUMBLES01')).toHaveLength(1);
  });

  test('Eendigo: the photos are sent once', async () => {
    const { app, times } = stumbling(ill);
    const submission = request(app, { refNumber: 'STUMBLES02', provider: 'eendigo' });
    await expect(submit(submission)).rejects.toMatchObject({ code: 'provider-failed' });
    expect(times('/biometric/facecompareliveness')).toBe(1);
  });
});
