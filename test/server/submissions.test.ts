import { describe, expect, test, vi } from 'vitest';
import type { ProviderId } from '../../src/domain/result.ts';
import {
  createApp,
  createRelay,
  createSubmissionMemory,
  type RelayOptions,
  type SubmissionMemory,
} from '../../src/server/index.ts';
import { askToken, codeOf } from './processes.ts';
import { blob, KTP, listen, QUICK, received, SECRETS, SELFIE } from './support.ts';

/* What the relay remembers of submissions, so that one which is sent again happens once. */

vi.setConfig({ testTimeout: 30_000 });

const KEY = 'SPECIMEN-KEY-0001';
let clock = Date.parse('2026-01-01T00:00:00Z');

/** A relay and a sandbox, the memory between them, and everything that was written into it. */
function stage(relay: Partial<RelayOptions> = {}) {
  const memory = createSubmissionMemory(() => clock);
  const written: string[][] = [];
  const watched: SubmissionMemory = {
    ...memory,
    take: (name, value, lifetime) => (written.push([name, value]), memory.take(name, value, lifetime)),
    write: (name, value, lifetime) => (written.push([name, value]), memory.write(name, value, lifetime)),
  };
  const app = createApp({
    ...QUICK,
    relay: { ...QUICK.relay, submissions: watched, ...relay },
    now: () => clock,
  });
  return { app, memory, written };
}
type Stage = ReturnType<typeof stage>;

interface Upload {
  readonly provider?: ProviderId;
  readonly key?: string | null;
  readonly parts?: Record<string, Blob | string>;
  readonly signal?: AbortSignal;
}

/** One upload, with a token of its own. */
async function upload(
  { request }: Pick<Stage['app'], 'request'>,
  refNumber: string,
  { provider = 'eendigo', key = KEY, parts = {}, signal = new AbortController().signal }: Upload = {},
): Promise<Response> {
  const { token } = await askToken((path, init) => request(path, init), refNumber, { provider });
  const body = new FormData();
  const all = { selfie: blob(SELFIE), ktp: blob(KTP), refNumber, ...parts };
  for (const [name, part] of Object.entries(all)) {
    if (typeof part === 'string') body.append(name, part);
    else body.append(name, part, `${name}.jpg`);
  }
  const headers = { authorization: `Bearer ${token}`, ...(key === null ? {} : { 'idempotency-key': key }) };
  return request('/kyc/submissions', { method: 'POST', headers, body, signal });
}
const told = async (response: Response): Promise<unknown> => [response.status, await response.json()];

describe('the same key', () => {
  test.each<[string, ProviderId, number]>([
    ['SPECIMEN01', 'eendigo', 200],
    ['SPECIMEN02', 'identifai', 202],
    ['COVERED01', 'eendigo', 422],
    ['BALANCE01', 'identifai', 502],
  ])(
    'gives %s at %s the same answer, and the provider is asked once',
    async (refNumber, provider, status) => {
      const { app } = stage();
      const first = await told(await upload(app, refNumber, { provider }));
      expect(first).toMatchObject([status, status >= 400 ? { error: { settled: true } } : {}]);
      for (let time = 0; time < 3; time++) {
        expect(await told(await upload(app, refNumber, { provider }))).toEqual(first);
      }
      expect(await received(app, refNumber)).toHaveLength(1);
    },
  );

  test('is another one for another person and another provider', async () => {
    const { app } = stage();
    expect((await upload(app, 'SPECIMEN01')).status).toBe(200);
    expect(await (await upload(app, 'SPECIMEN02')).json()).toMatchObject({ refNumber: 'SPECIMEN02' });
    expect((await upload(app, 'SPECIMEN01', { provider: 'identifai' })).status).toBe(202);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(2);
  });

  test('sent many times at once happens once, and all have its answer', async () => {
    const { app } = stage();
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => told(await upload(app, 'SPECIMEN01'))),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject([200, { verified: true }]);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
  });

  test('is remembered for longer than any page may keep photos, and forgotten after 75 minutes', async () => {
    const { app } = stage();
    await upload(app, 'SPECIMEN01');
    // The longest that `persist` may be.
    clock += 60 * 60_000;
    await upload(app, 'SPECIMEN01');
    clock += 15 * 60_000 - 1;
    await upload(app, 'SPECIMEN01');
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
    clock += 1;
    await upload(app, 'SPECIMEN01');
    expect(await received(app, 'SPECIMEN01')).toHaveLength(2);
  });

  test('without a key every upload is one of its own', async () => {
    const { app, written } = stage();
    for (let time = 0; time < 2; time++) await upload(app, 'SPECIMEN01', { key: null });
    expect(await received(app, 'SPECIMEN01')).toHaveLength(2);
    expect(written).toEqual([]);
  });

  test.each(['short', 'x'.repeat(129), 'with a blank in it', 'SPECIMEN/KEY/0001', ''])(
    'that is none is refused: %j',
    async (key) => {
      const { app } = stage();
      const response = await upload(app, 'SPECIMEN01', { key });
      expect([response.status, await codeOf(response)]).toEqual([422, 'upload-refused']);
    },
  );
});

describe('what fails', () => {
  test('before the provider is asked leaves the key free', async () => {
    const { app } = stage();
    const torn = blob(KTP.slice(0, KTP.length / 2));
    for (const parts of [{ ktp: torn }, { refNumber: 'SPECIMEN99' }, { captureContext: '[]' }]) {
      const response = await upload(app, 'SPECIMEN01', { parts });
      expect([response.status, (await response.json()) as unknown]).toEqual([
        422,
        { error: expect.not.objectContaining({ settled: true }) as unknown },
      ]);
    }
    expect((await upload(app, 'SPECIMEN01')).status).toBe(200);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
  });

  const refusedConnection = Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  });
  /** A relay whose way to the sandbox is blocked while `fails` says so. */
  function blocked(error: Error) {
    const { app } = stage();
    const state = { asked: 0, fails: (path: string) => path !== '' };
    const keys = { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey };
    const relay = createRelay({
      secret: SECRETS.relay,
      identifai: { ...keys, base: 'http://sandbox.invalid/sandbox/identifai' },
      eendigo: {
        key: SECRETS.key,
        tenantCode: SECRETS.tenantCode,
        base: 'http://sandbox.invalid/sandbox/eendigo',
      },
      fetch: (input, init) => {
        const request = new Request(input, init);
        state.asked++;
        return state.fails(request.url) ? Promise.reject(error) : Promise.resolve(app.fetch(request));
      },
    });
    app.route('/blocked', relay);
    const request = (path: string, init?: RequestInit) =>
      app.request(path.replace('/kyc/', '/blocked/'), init);
    return { app, request: { request } as Pick<Stage['app'], 'request'>, state };
  }

  test.each<[string, ProviderId, Error, string]>([
    ['a provider that is not there', 'eendigo', refusedConnection, '/sandbox/'],
    ['no signature', 'identifai', new TypeError('fetch failed'), '/signatures'],
    ['no submission token', 'identifai', new TypeError('fetch failed'), '/submission_tokens'],
  ])('%s leaves the key free, and says nothing for good', async (_, provider, error, path) => {
    const { app, request, state } = blocked(error);
    state.fails = (url) => url.includes(path);
    const failed = await upload(request, 'SPECIMEN01', { provider });
    expect(await failed.json()).toMatchObject({ error: { code: 'provider-failed' } });
    expect(await received(app, 'SPECIMEN01')).toHaveLength(0);
    state.fails = () => false;
    expect((await upload(request, 'SPECIMEN01', { provider })).ok).toBe(true);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
  });

  test.each<ProviderId>(['eendigo', 'identifai'])(
    'a connection to %s that breaks is an answer for good: nobody knows what arrived',
    async (provider) => {
      const { request, state } = blocked(new TypeError('fetch failed'));
      state.fails = (url) => /facecompare|analytics/.test(url);
      const first = await told(await upload(request, 'SPECIMEN01', { provider }));
      expect(first).toMatchObject([502, { error: { code: 'provider-failed', settled: true } }]);
      const { asked } = state;
      state.fails = () => false;
      expect(await told(await upload(request, 'SPECIMEN01', { provider }))).toEqual(first);
      expect(state.asked).toBe(asked);
      // The person's own retry has a key of its own.
      const again = await upload(request, 'SPECIMEN01', { provider, key: 'SPECIMEN-KEY-0002' });
      expect(again.ok).toBe(true);
    },
  );

  test('an instance that dies with the provider leaves an answer for good', async () => {
    const { app, memory, written } = stage();
    // It never hears of the end, and does not say any more that it is alive.
    void upload(app, 'JOBNEVERENDS1');
    await vi.waitFor(() => expect(written).toHaveLength(2));
    const [[turn = '', owner = ''] = []] = written;
    expect(turn).toMatch(/:turn$/);
    await memory.drop(turn, owner);
    expect(await told(await upload(app, 'JOBNEVERENDS1'))).toMatchObject([
      502,
      { error: { code: 'upload-failed', settled: true } },
    ]);
    expect(await received(app, 'JOBNEVERENDS1')).toHaveLength(1);
  });

  test('one that dies before it asks the provider leaves the key free', async () => {
    const { app, memory, written } = stage({
      onCaptureContext: () => (written.length === 1 ? new Promise(() => undefined) : undefined),
    });
    const parts = { captureContext: '{}' };
    void upload(app, 'SPECIMEN01', { parts });
    await vi.waitFor(() => expect(written).toHaveLength(1));
    const [[turn = '', owner = ''] = []] = written;
    await memory.drop(turn, owner);
    expect((await upload(app, 'SPECIMEN01', { parts })).status).toBe(200);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
  });

  test('one that stalls for longer than its lease neither renews nor drops the turn of another', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stalled: ((error?: Error) => void)[] = [];
    const { app, memory, written } = stage({
      onCaptureContext: () =>
        new Promise((resolve, reject) =>
          stalled.push((error) => (error === undefined ? resolve() : reject(error))),
        ),
    });
    const parts = { captureContext: '{}' };
    const first = upload(app, 'SPECIMEN01', { parts });
    await vi.waitFor(() => expect(stalled).toHaveLength(1));
    clock += 15_001;
    const second = upload(app, 'SPECIMEN01', { parts });
    await vi.waitFor(() => expect(stalled).toHaveLength(2));
    const [[turn = '', one = ''] = [], [, other = ''] = []] = written;
    expect(one).not.toBe(other);
    expect(await memory.read(turn)).toBe(other);
    // Both say that they are alive.
    await vi.advanceTimersByTimeAsync(5000);
    expect(await memory.read(turn)).toBe(other);
    stalled[0]?.(new Error('late'));
    expect((await first).status).toBe(502);
    expect(await memory.read(turn)).toBe(other);
    stalled[1]?.();
    expect((await second).status).toBe(200);
    expect(await memory.read(turn)).toBeNull();
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
    vi.useRealTimers();
  });

  test('one that stalls is found alive where nobody has taken its turn', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { app, memory, written } = stage();
    void upload(app, 'JOBNEVERENDS1');
    await vi.waitFor(() => expect(written).toHaveLength(2));
    const [[turn = '', owner = ''] = []] = written;
    for (const wait of [10_000, 10_000, 20_000]) {
      clock += wait;
      await vi.advanceTimersByTimeAsync(5000);
      expect(await memory.read(turn)).toBe(owner);
    }
    vi.useRealTimers();
  });

  test('while it is under way for long, others are asked to come again', async () => {
    const { app, written } = stage();
    void upload(app, 'JOBNEVERENDS1');
    await vi.waitFor(() => expect(written).toHaveLength(2));
    const gone = new AbortController();
    const asking = upload(app, 'JOBNEVERENDS1', { signal: gone.signal });
    setTimeout(() => gone.abort(), 100);
    const response = await asking;
    expect([response.status, await codeOf(response)]).toEqual([409, 'upload-failed']);
    expect(response.headers.get('retry-after')).toBe('1');
  });

  test.each(['take', 'read'] as const)('a memory that fails at %s lets nothing happen', async (method) => {
    const fails = () => Promise.reject(new Error('away'));
    const { app } = stage({ submissions: { ...createSubmissionMemory(() => clock), [method]: fails } });
    const response = await upload(app, 'SPECIMEN01');
    expect([response.status, await codeOf(response)]).toEqual([503, 'upload-failed']);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await received(app, 'SPECIMEN01')).toHaveLength(0);
  });

  test('a memory that fails at the end costs no answer', async () => {
    const { app } = stage({
      submissions: { ...createSubmissionMemory(() => clock), write: () => Promise.reject(new Error('away')) },
    });
    expect((await upload(app, 'SPECIMEN01')).status).toBe(200);
    // This memory knows of no answer, so nothing is sent again.
    expect(await codeOf(await upload(app, 'SPECIMEN01'))).toBe('upload-failed');
    expect(await received(app, 'SPECIMEN01')).toHaveLength(1);
  });
});

test('nothing in the memory can be read: names are hashes, answers are sealed with the relay’s secret and the key', async () => {
  const { app, written } = stage();
  await upload(app, 'SPECIMEN01');
  const everything = JSON.stringify(written);
  for (const trace of ['SPECIMEN', KEY, 'verified', 'eendigo', 'similarity']) {
    expect([trace, everything.includes(trace)]).toEqual([trace, false]);
  }
  const sealed = written.at(-1)?.[1] ?? '';
  expect(sealed.split('.')).toHaveLength(5);
  // As long as the answer: it is there.
  expect(sealed.length).toBeGreaterThan(300);
});

describe('the capture context', () => {
  const context = { camera: { label: 'SPECIMEN camera' }, automated: false };
  const parts = { captureContext: JSON.stringify(context) };

  test('is handed over once, with the number it belongs to, and goes to no provider', async () => {
    const handed: unknown[] = [];
    const { app } = stage({ onCaptureContext: (...what) => void handed.push(what) });
    const arrived = listen(app);
    for (let time = 0; time < 2; time++) {
      expect((await upload(app, 'SPECIMEN01', { parts })).status).toBe(200);
    }
    expect(handed).toEqual([[context, { refNumber: 'SPECIMEN01', provider: 'eendigo' }]]);
    expect(arrived).toHaveLength(1);
    expect(Object.keys(arrived[0]?.body as object)).not.toContain('captureContext');
    await upload(app, 'SPECIMEN02');
    expect(handed).toHaveLength(1);
  });

  test.each([
    ['too long', JSON.stringify({ text: 'x'.repeat(8000) })],
    ['a list', '[]'],
    ['a word', '"SPECIMEN"'],
    ['nothing', 'null'],
    ['no JSON', '{'],
    ['a file', blob(SELFIE)],
  ])('that is %s is refused', async (_, captureContext) => {
    const handed = vi.fn();
    const { app } = stage({ onCaptureContext: handed });
    const response = await upload(app, 'SPECIMEN01', { parts: { captureContext } });
    expect([response.status, await codeOf(response)]).toEqual([422, 'upload-refused']);
    expect(handed).not.toHaveBeenCalled();
    expect(await received(app, 'SPECIMEN01')).toHaveLength(0);
  });

  test('that cannot be taken stops the submission before it costs anything, and may be sent again', async () => {
    const take = vi.fn().mockRejectedValueOnce(new Error('SPECIMEN camera'));
    const { app } = stage({ onCaptureContext: take });
    const response = await upload(app, 'SPECIMEN01', { parts });
    const text = await response.text();
    expect([response.status, text.includes('upload-failed'), text.includes('SPECIMEN')]).toEqual([
      502,
      true,
      false,
    ]);
    expect(await received(app, 'SPECIMEN01')).toHaveLength(0);
    expect((await upload(app, 'SPECIMEN01', { parts })).status).toBe(200);
  });
});
