import { getEventListeners } from 'node:events';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CaptureError } from '../../src/domain/result.ts';
import { submit, type SubmitProgress, type SubmitRequest } from '../../src/session/submit.ts';
import type { TransportRequest } from '../../src/session/transport.ts';
import { request, RESULT, TOKEN } from './support.ts';

/* What the widget repeats, when, and that nothing of it goes on once it is cancelled. */

const KEY = 'SPECIMEN-KEY-0001';

type Said = { status: number; body?: unknown; headers?: Record<string, string> } | 'broken' | 'silent';
const token = (idempotent: boolean | null = true): Said => ({ status: 200, body: { ...TOKEN, idempotent } });
const done: Said = { status: 200, body: RESULT };
const pending: Said = { status: 202, body: { result_url: '/kyc/submissions/1' } };
const ill: Said = { status: 502 };
const busy = (status: number, seconds: string): Said => ({
  status,
  body: { error: { code: 'upload-failed', message: 'busy' } },
  headers: { 'retry-after': seconds },
});

/** A submission to servers that say this, one after the other, and what they were asked. */
function against(said: readonly Said[], changes: Partial<SubmitRequest> = {}) {
  const asked: TransportRequest[] = [];
  const phases: string[] = [];
  const transport: SubmitRequest['transport'] = (sent) => {
    const next = said[asked.push(sent) - 1] ?? 'broken';
    if (next === 'silent') return new Promise(() => undefined);
    if (next === 'broken') return Promise.reject(new TypeError('Failed to fetch'));
    const { status, body, headers = {} } = next;
    const header = (name: string): string | null => headers[name] ?? null;
    return Promise.resolve({ status, body: body === undefined ? '<html>' : JSON.stringify(body), header });
  };
  const onProgress = ({ phase }: SubmitProgress): void => {
    if (phases.at(-1) !== phase) phases.push(phase);
  };
  const submission = {
    ...request(new Hono()),
    submissionKey: KEY,
    transport,
    onProgress,
    timings: {},
    ...changes,
  };
  const paths = (): string[] => asked.map(({ url }) => url.pathname.replace('/kyc/', ''));
  return { submission, asked, phases, paths };
}

/** What becomes of it. */
const end = (submission: SubmitRequest): Promise<unknown> =>
  submit(submission).then(
    () => 'done',
    (error: unknown) => (error instanceof CaptureError ? error.code : error),
  );

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets so much time pass that every repetition and every time-out comes. */
const settle = async (submission: SubmitRequest): Promise<unknown> => {
  const ended = end(submission);
  await vi.advanceTimersByTimeAsync(20 * 60_000);
  return ended;
};

describe('an upload', () => {
  test.each<[string, Said]>([
    ['the connection broke', 'broken'],
    ['nothing was answered', 'silent'],
    ['a gateway answered', ill],
  ])('is repeated with its key and a fresh token where %s', async (_, fault) => {
    const { submission, asked, paths } = against([token(), fault, token(), fault, token(), done]);
    expect(await settle(submission)).toBe('done');
    expect(paths()).toEqual(['token', 'submissions', 'token', 'submissions', 'token', 'submissions']);
    const keys = asked.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([undefined, KEY, undefined, KEY, undefined, KEY]);
  });

  test.each([false, null])(
    'is sent once, and without a key, where the relay says idempotent: %s',
    async (says) => {
      for (const fault of ['broken', 'silent', ill, busy(503, '1')] as const) {
        const { submission, asked } = against([token(says), fault]);
        expect(await settle(submission)).toBe('upload-failed');
        expect(asked).toHaveLength(2);
        expect(asked[1]?.headers).not.toHaveProperty('idempotency-key');
      }
    },
  );

  test('is not repeated where the relay says why', async () => {
    const error = { code: 'provider-failed', message: '', settled: true };
    const { submission, asked } = against([token(), { status: 502, body: { error } }]);
    await expect(submit(submission)).rejects.toMatchObject({ code: 'provider-failed', settled: true });
    expect(asked).toHaveLength(2);
  });

  test('is repeated no further where a fresh token no longer allows it', async () => {
    const { submission, asked } = against([token(), 'broken', token(false)]);
    expect(await settle(submission)).toBe('upload-failed');
    expect(asked).toHaveLength(3);
  });

  test('ends after three, with an error that settles nothing', async () => {
    const { submission, asked } = against([token(), ill, token(), ill, token(), 'broken']);
    const ended = submit(submission).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ended).toMatchObject({ code: 'upload-failed', settled: false });
    expect(asked).toHaveLength(6);
  });

  test.each([409, 429, 503])(
    'waits as long as a busy relay (HTTP %i) says, as often as it says so',
    async (status) => {
      const rounds = Array.from({ length: 6 }, () => [token(), busy(status, '3')]).flat();
      const { submission, asked } = against([...rounds, token(), done]);
      const ended = end(submission);
      await vi.advanceTimersByTimeAsync(2990);
      expect(asked).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(600);
      expect(asked).toHaveLength(4);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await ended).toBe('done');
    },
  );

  test.each(['31', '99999'])('does not wait for %s s', async (seconds) => {
    const { submission, asked } = against([token(), busy(503, seconds)]);
    expect(await settle(submission)).toBe('upload-failed');
    expect(asked).toHaveLength(2);
  });

  test('does not wait for ever', async () => {
    const rounds = Array.from({ length: 200 }, () => [token(), busy(409, '20')]).flat();
    const { submission, asked } = against(rounds);
    expect(await settle(submission)).toBe('upload-failed');
    expect(asked.length).toBeLessThan(20);
  });
});

test('token requests and polls are repeated after a time-out as well', async () => {
  const { submission, paths } = against(['silent', token(), pending, 'silent', 'broken', done]);
  expect(await settle(submission)).toBe('done');
  expect(paths().map((path) => path.split('/')[0])).toEqual([
    'token',
    'token',
    ...Array<string>(4).fill('submissions'),
  ]);
});

test('repetitions come at random moments, each later than the one before', async () => {
  const waits = new Set<number>();
  for (let run = 0; run < 20; run++) {
    const at: number[] = [];
    const { submission } = against([]);
    const transport: SubmitRequest['transport'] = () => {
      at.push(Date.now());
      return Promise.reject(new TypeError('Failed to fetch'));
    };
    expect(await settle({ ...submission, transport })).toBe('token-failed');
    const [first = 0, second = 0, third = 0] = at;
    expect(at).toHaveLength(3);
    expect(second - first).toBeGreaterThanOrEqual(500);
    expect(second - first).toBeLessThanOrEqual(1000);
    expect(third - second).toBeGreaterThanOrEqual(1000);
    expect(third - second).toBeLessThanOrEqual(2000);
    waits.add(second - first);
  }
  expect(waits.size).toBeGreaterThan(10);
});

describe('without a network', () => {
  /** A window whose network comes and goes. */
  function network(online: boolean) {
    const window = new EventTarget();
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    let up = online;
    return {
      online: () => up,
      go: () => (up = false),
      back: () => {
        up = true;
        window.dispatchEvent(new Event('online'));
      },
      listeners: () => getEventListeners(window, 'online').length,
    };
  }
  const changesOf = ({ online }: ReturnType<typeof network>): Partial<SubmitRequest> => ({ online });
  /** The window's own event, not the test's stand-in. */
  const real = ({ whenOnline: _, ...submission }: SubmitRequest): SubmitRequest => submission;

  test('it waits, says so, and goes on when it is back', async () => {
    const net = network(false);
    const { submission, asked, phases } = against([token(), done], changesOf(net));
    const ended = end(real(submission));
    await vi.advanceTimersByTimeAsync(100_000);
    expect([asked.length, phases, net.listeners()]).toEqual([0, ['token', 'offline'], 1]);
    net.back();
    expect(await ended).toBe('done');
    expect(phases).toEqual(['token', 'offline', 'token', 'uploading', 'waiting']);
    expect(net.listeners()).toBe(0);
  });

  test('that goes while photos are sent: the same submission again when it is back', async () => {
    const net = network(true);
    const said: Said[] = [token(), 'broken', token(), done];
    const { submission, asked, phases } = against(said, changesOf(net));
    const transport: SubmitRequest['transport'] = (sent) => {
      if (asked.length === 1) net.go();
      return submission.transport(sent);
    };
    const ended = end(real({ ...submission, transport }));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(phases.at(-1)).toBe('offline');
    expect(asked).toHaveLength(2);
    net.back();
    expect(await ended).toBe('done');
    expect(asked[3]?.headers['idempotency-key']).toBe(KEY);
  });

  test('for two minutes, it is told as offline', async () => {
    const net = network(false);
    const { submission, asked } = against([], changesOf(net));
    const ended = end(real(submission));
    await vi.advanceTimersByTimeAsync(119_000);
    expect(net.listeners()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await ended).toBe('offline');
    expect([asked.length, net.listeners()]).toEqual([0, 0]);
  });

  test('cancelling leaves no listener', async () => {
    const net = network(false);
    const controller = new AbortController();
    const { submission } = against([], { ...changesOf(net), signal: controller.signal });
    const ended = end(real(submission));
    await vi.advanceTimersByTimeAsync(1000);
    const reason = new Error('SPECIMEN closed');
    controller.abort(reason);
    expect(await ended).toBe(reason);
    expect(net.listeners()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

test.each<[string, readonly Said[], number]>([
  ['the token is asked for', ['silent'], 100],
  ['it waits to ask again', ['broken'], 100],
  ['photos are sent', [token(), 'silent'], 100],
  ['it waits to send again', [token(), 'broken'], 100],
  ['a busy relay is waited for', [token(), busy(409, '20')], 5000],
  ['it waits to poll', [token(), pending], 100],
  ['it polls', [token(), pending, 'silent'], 1500],
])(
  'cancelled while %s: nothing is asked any more, no timer and no listener is left',
  async (_, said, after) => {
    const controller = new AbortController();
    const { submission, asked } = against(said, { signal: controller.signal });
    const { sleep: _instant, ...patient } = submission;
    const ended = end(patient);
    await vi.advanceTimersByTimeAsync(after);
    const before = asked.length;
    const reason = new Error('SPECIMEN closed');
    controller.abort(reason);
    expect(await ended).toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(before);
  },
);

test('the capture context goes along as JSON, under a name that the page cannot take', async () => {
  const captureContext = { camera: 'SPECIMEN', frames: [1, 2] };
  const { submission, asked } = against([token(), done], { captureContext });
  expect(await settle(submission)).toBe('done');
  const body = asked[1]?.body;
  expect(body instanceof FormData && JSON.parse(body.get('captureContext') as string)).toEqual(
    captureContext,
  );
  const taken = against([], { context: { captureContext: 'x' } });
  expect(await settle(taken.submission)).toBe('configuration-invalid');
});
