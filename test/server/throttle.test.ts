import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp, createRelay, type RelayLimits } from '../../src/server/index.ts';
import type { RelayOptions } from '../../src/server/relay.ts';
import { askToken, codeOf, send, type Ask } from './processes.ts';
import { QUICK, SECRETS } from './support.ts';

const clientOf = (request: Request): string | null => request.headers.get('x-client');

function appWith(limits: Partial<RelayLimits>, more: Partial<RelayOptions> = {}): Ask {
  const app = createApp({ ...QUICK, relay: { ...QUICK.relay, clientOf, limits, ...more } });
  return (path, init) => app.request(path, init);
}

const from = (client: string) => ({ headers: { 'x-client': client } });

describe('requests of one client', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  test('for tokens are counted for a minute, apart from those of others', async () => {
    const ask = appWith({ tokensPerMinute: 2 });
    const status = async (client: string) =>
      (await askToken(ask, 'SPECIMEN01', from(client))).response.status;
    expect([await status('a'), await status('a'), await status('a')]).toEqual([200, 200, 429]);
    expect(await status('b')).toBe(200);
    const { response } = await askToken(ask, 'SPECIMEN01', from('a'));
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await codeOf(response)).toBe('token-failed');
    vi.advanceTimersByTime(60_000);
    expect(await status('a')).toBe(200);
  });

  test('are counted for the tokens of direct mode as well', async () => {
    const ask = appWith({ tokensPerMinute: 1 });
    expect((await askToken(ask, 'SPECIMEN01', from('a'))).response.status).toBe(200);
    const direct = await ask('/kyc/token/direct', { method: 'POST', headers: { 'x-client': 'a' } });
    expect(direct.status).toBe(429);
  });

  test('for submissions are counted, with a token or without, and cost the token nothing', async () => {
    const ask = appWith({ submissionsPerMinute: 2 });
    const { token } = await askToken(ask, 'SPECIMEN02', from('a'));
    expect((await send(ask, 'none', 'SPECIMEN02', from('a'))).status).toBe(401);
    expect((await send(ask, 'none', 'SPECIMEN02', from('a'))).status).toBe(401);
    const refused = await send(ask, token, 'SPECIMEN02', from('a'));
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'upload-failed']);
    vi.advanceTimersByTime(60_000);
    expect((await send(ask, token, 'SPECIMEN02', from('a'))).status).toBe(200);
  });

  test('for results are counted', async () => {
    const ask = appWith({ pollsPerMinute: 1 });
    const poll = async () => (await ask('/kyc/submissions/x', from('a'))).status;
    expect([await poll(), await poll()]).toEqual([401, 429]);
  });

  test('that cannot be told apart are not counted', async () => {
    const ask = appWith({ tokensPerMinute: 1 });
    const status = async () => (await askToken(ask, 'SPECIMEN01')).response.status;
    expect([await status(), await status(), await status()]).toEqual([200, 200, 200]);
  });

  test('are refused where they cannot be counted', async () => {
    const broken = () => Promise.reject(new Error('SPECIMEN: store down'));
    const rateStore = () => ({ increment: broken, decrement: broken, resetKey: broken });
    const ask = appWith({}, { rateStore });
    const { response } = await askToken(ask, 'SPECIMEN01', from('a'));
    expect([response.status, await codeOf(response)]).toEqual([503, 'token-failed']);
    expect(response.headers.get('retry-after')).toBe('5');
    const sent = await send(ask, 'none', 'SPECIMEN01', from('a'));
    expect([sent.status, await codeOf(sent)]).toEqual([503, 'upload-failed']);
  });
});

describe('submissions at one time', () => {
  /** A relay whose provider answers when it is told to. */
  function held(limits: Partial<RelayLimits>) {
    const waiting: (() => void)[] = [];
    const relay = createRelay({
      secret: SECRETS.relay,
      eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode, base: 'http://provider.invalid' },
      limits,
      fetch: () =>
        new Promise((resolve) =>
          waiting.push(() => resolve(Response.json({ status: 'FAILED', message: 'Insufficient balance' }))),
        ),
    });
    const ask: Ask = (path, init) => relay.request(path, init);
    const submission = async (refNumber: string) =>
      send(ask, (await askToken(ask, refNumber, { base: '' })).token, refNumber, { base: '' });
    /** Lets the oldest call to the provider have its answer. */
    const release = async () => {
      await vi.waitFor(() => expect(waiting.length).toBeGreaterThan(0));
      waiting.shift()?.();
    };
    return { ask, relay, submission, release, waiting };
  }

  /** A form that tells whether anybody has begun to read it. */
  async function watched(ask: Ask, refNumber: string) {
    const { token } = await askToken(ask, refNumber, { base: '' });
    let read = false;
    const body = new ReadableStream(
      {
        pull: (controller) => {
          read = true;
          controller.enqueue(new TextEncoder().encode('--x--\r\n'));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const controller = new AbortController();
    const request = new Request('http://relay.invalid/submissions', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
      body,
      signal: controller.signal,
      duplex: 'half',
    } as RequestInit);
    return { request, controller, isRead: () => read };
  }

  test('beyond the limit wait, and are not read', async () => {
    const { ask, relay, submission, release, waiting } = held({ submissionsAtOnce: 2 });
    const first = [submission('SPECIMEN01'), submission('SPECIMEN02')];
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    const third = await watched(ask, 'SPECIMEN03');
    const answer = relay.request(third.request);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(third.isRead()).toBe(false);
    await release();
    expect((await answer).status).toBe(422);
    expect(third.isRead()).toBe(true);
    await release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([502, 502]);
  });

  test('that wait too long are told when to come back, with a token that is still good', async () => {
    const { ask, submission, release, waiting } = held({ submissionsAtOnce: 1, longestWait: 50 });
    const first = submission('SPECIMEN01');
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    const { token } = await askToken(ask, 'SPECIMEN02', { base: '' });
    const refused = await send(ask, token, 'SPECIMEN02', { base: '' });
    expect([refused.status, refused.headers.get('retry-after'), await codeOf(refused)]).toEqual([
      503,
      '5',
      'upload-failed',
    ]);
    expect(waiting).toHaveLength(1);
    await release();
    await first;
    const again = send(ask, token, 'SPECIMEN02', { base: '' });
    await release();
    expect(await codeOf(await again)).toBe('provider-balance');
  });

  test('whose sender goes while they wait are forgotten, and give their turn to the next', async () => {
    const { ask, relay, submission, release, waiting } = held({ submissionsAtOnce: 1 });
    const first = submission('SPECIMEN01');
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    const gone = await watched(ask, 'SPECIMEN02');
    const answer = relay.request(gone.request);
    const third = submission('SPECIMEN03');
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.controller.abort();
    expect((await answer).status).toBe(503);
    await release();
    await release();
    expect((await Promise.all([first, third])).map(({ status }) => status)).toEqual([502, 502]);
    expect(gone.isRead()).toBe(false);
  });

  test('give their turn back however they end', async () => {
    const { ask, submission, release } = held({ submissionsAtOnce: 1, longestWait: 2000 });
    const bad = async (body: BodyInit, headers: Record<string, string> = {}) => {
      const { token } = await askToken(ask, 'SPECIMEN01', { base: '' });
      const authorization = `Bearer ${token}`;
      return (await ask('/submissions', { method: 'POST', headers: { authorization, ...headers }, body }))
        .status;
    };
    const used = (await askToken(ask, 'SPECIMEN01', { base: '' })).token;
    const form = new FormData();
    form.append('selfie', new Blob([new Uint8Array(5_000_000)]), 'selfie.jpg');
    expect(await bad(new FormData())).toBe(422);
    expect(await bad('x', { 'content-type': 'multipart/form-data' })).toBe(422);
    expect(await bad(form)).toBe(413);
    const once = send(ask, used, 'SPECIMEN01', { base: '' });
    await release();
    expect((await once).status).toBe(502);
    expect((await send(ask, used, 'SPECIMEN01', { base: '' })).status).toBe(401);
    const last = submission('SPECIMEN01');
    await release();
    expect((await last).status).toBe(502);
  });

  test('give their turn back where the provider does not answer in time', async () => {
    const relay = createRelay({
      secret: SECRETS.relay,
      eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode, base: 'http://provider.invalid' },
      limits: { submissionsAtOnce: 1 },
      providerTimeout: 50,
      fetch: () => new Promise(() => undefined),
    });
    const ask: Ask = (path, init) => relay.request(path, init);
    const codes = ['SPECIMEN01', 'SPECIMEN02', 'SPECIMEN03'].map(async (refNumber) =>
      codeOf(await send(ask, (await askToken(ask, refNumber, { base: '' })).token, refNumber, { base: '' })),
    );
    expect(await Promise.all(codes)).toEqual(['provider-failed', 'provider-failed', 'provider-failed']);
  });
});

describe('/health', () => {
  const get = async (options: Partial<RelayOptions>) => {
    const response = await createRelay({ secret: SECRETS.relay, ...options }).request('/health');
    return [response.status, await response.json()] as const;
  };
  const eendigo = { key: SECRETS.key, tenantCode: SECRETS.tenantCode };
  const identifai = { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey };

  test.each<[string, Partial<RelayOptions>, number, object]>([
    ['both providers', { eendigo, identifai }, 200, { ok: true, providers: ['identifai', 'eendigo'] }],
    ['one provider', { eendigo }, 200, { ok: true, providers: ['eendigo'] }],
    [
      'a store that answers',
      { eendigo, reachable: () => Promise.resolve(true) },
      200,
      { ok: true, providers: ['eendigo'] },
    ],
    [
      'a store that is away',
      { eendigo, reachable: () => Promise.resolve(false) },
      503,
      { ok: false, providers: ['eendigo'] },
    ],
  ])('%s', async (_, options, status, body) => {
    expect(await get(options)).toEqual([status, body]);
  });
});
