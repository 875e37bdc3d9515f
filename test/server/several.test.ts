import { afterEach, describe, expect, test, vi } from 'vitest';
import { CaptureError, type Step } from '../../src/domain/result.ts';
import { createApp, createRelay } from '../../src/server/index.ts';
import { submit, type SubmitProgress, type SubmitRequest } from '../../src/session/submit.ts';
import { DIRECT, listen, PAGE, picturesOf, QUICK, request, SECRETS } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

/* Several analytics on one capture: one result, though each is a request of its own. */

const FIRST = 'face-match-liveness-v2';
let clock = Date.parse('2026-01-01T00:00:00Z');
const app = createApp({ ...QUICK, now: () => clock });
const arrived = listen(app);
const keys = { accessKey: SECRETS.accessKey, secretKey: SECRETS.secretKey };
const base = 'http://sandbox.invalid/sandbox/identifai';
/** Takes the place of the sandbox, for what that does not play. */
let provider: ((asked: Request) => Promise<Response> | null) | null = null;
for (const mode of ['synchronous', 'asynchronous'] as const) {
  const relay = createRelay({
    secret: SECRETS.relay,
    identifai: { ...keys, base, mode },
    now: () => clock,
    fetch: async (input, init) => {
      const asked = new Request(input, init);
      return provider?.(asked.clone()) ?? app.fetch(asked);
    },
  });
  app.route(`/${mode}`, relay);
}

const WAYS = ['synchronous', 'asynchronous', 'direct'] as const;

function asking(
  way: (typeof WAYS)[number],
  refNumber: string,
  analytics: readonly string[],
  steps: readonly Step[],
  changes: Partial<SubmitRequest> = {},
) {
  const where = way === 'direct' ? DIRECT : { tokenEndpoint: new URL(`/${way}/token`, PAGE) };
  return request(app, { ...where, analytics, refNumber, steps, photos: picturesOf(steps), ...changes });
}

const submissions = () => arrived.filter(({ path }) => path.includes('/analytics/'));
const polls = () => arrived.filter(({ path }) => path.includes('/jobs/'));
const clientRef = (body: unknown): unknown => (body as { client_ref?: unknown } | null)?.client_ref;

afterEach(() => {
  arrived.length = 0;
  provider = null;
});

describe.each(WAYS)('%s', (way) => {
  test.each([
    ['ocr-ktp', ['selfie', 'ktp'], 'nik'],
    ['ocr-sim', ['selfie', 'ktp', 'sim'], 'nomor_sim'],
    ['ocr-npwp', ['selfie', 'npwp', 'ktp'], 'npwp'],
  ] as const)('match with liveness and %s give one result', async (ocr, steps, field) => {
    const refNumber = `SPECIMEN${ocr.slice(4)}1`;
    const submission = asking(way, refNumber, [FIRST, ocr], steps);
    const result = await submit(submission);
    expect(result).toMatchObject({
      verified: true,
      liveness: { live: true },
      match: { matched: true },
      document: { type: ocr.slice(4), fields: { [field]: expect.any(String) as string } },
      refNumber,
    });
    const raw = result.raw as Record<string, unknown>;
    expect(Object.keys(raw)).toEqual([FIRST, ocr]);
    const end = { status: 'success', analytic_type: ocr.toUpperCase().replace('-', '_') };
    expect(raw[ocr]).toMatchObject(way === 'synchronous' ? end : { job: { result: end } });

    // The page says what is unusual, and photos come in the journey's order.
    expect(submission.exchanges[0]?.sent).toContain(`"analytics":["${FIRST}","${ocr}"]`);
    expect(submissions().map(({ path, body }) => [path.split('/').at(-1), clientRef(body)])).toEqual([
      [FIRST, refNumber],
      [ocr, `${refNumber}x2`],
    ]);
    const used = [...submissions(), ...polls()].map(({ headers }) => headers.get('authorization'));
    if (way !== 'synchronous') expect(new Set(used).size).toBe(used.length);
  });

  test('three at once', async () => {
    const names = ['face-liveness-v4', 'face-match', 'ocr-ktp'];
    const result = await submit(asking(way, 'SPECIMENTHREE', names, ['selfie', 'ktp']));
    expect(result).toMatchObject({ verified: true, liveness: { live: true }, match: { matched: true } });
    expect(result.document?.type).toBe('ktp');
    expect(submissions().map(({ body }) => clientRef(body))).toEqual([
      'SPECIMENTHREE',
      'SPECIMENTHREEx2',
      'SPECIMENTHREEx3',
    ]);
  });

  test('the longest reference number leaves room for the others', async () => {
    const refNumber = 'L'.repeat(128);
    expect((await submit(asking(way, refNumber, [FIRST, 'ocr-ktp'], ['selfie', 'ktp']))).refNumber).toBe(
      refNumber,
    );
    expect(clientRef(submissions()[1]?.body)).toBe(`${'L'.repeat(125)}x2`);
  });

  test('an error in the second is the error of all', async () => {
    const error: unknown = await submit(
      asking(way, 'CARDBLURRED01', [FIRST, 'ocr-ktp'], ['selfie', 'ktp']),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ktp-refused', guidance: ['card-blurred', 'card-glare'] });
  });

  test('after an error in the first, no second is paid for', async () => {
    await expect(
      submit(asking(way, 'BALANCE0001', [FIRST, 'ocr-ktp'], ['selfie', 'ktp'])),
    ).rejects.toMatchObject({ code: 'provider-balance' });
    expect(submissions()).toHaveLength(1);
  });

  test.each([
    ['NOTLIVE', { liveness: { live: false }, match: { matched: true } }],
    ['NOMATCH', { liveness: { live: true }, match: { matched: false } }],
    ['UNDERQUALIFIED', { liveness: { live: false }, match: null }],
  ])('%s: a definite no in the first stays one beside the card', async (prefix, verdicts) => {
    const result = await submit(asking(way, `${prefix}01`, [FIRST, 'ocr-ktp'], ['selfie', 'ktp']));
    expect(result).toMatchObject({ verified: false, ...verdicts, document: { type: 'ktp' } });
  });

  test('a no of one hides behind no yes of another', async () => {
    const names = ['face-match', 'face-liveness-v4'];
    const result = await submit(asking(way, 'NOTLIVE02', names, ['selfie', 'ktp']));
    expect(result).toMatchObject({ verified: false, liveness: { live: false }, match: { matched: true } });
  });

  test('tokens that expire in the middle are renewed, and nothing is paid for twice', async () => {
    const refNumber = `EXPIREDONCE${way}`;
    const submission = asking(way, refNumber, [FIRST, 'ocr-ktp'], ['selfie', 'ktp']);
    expect((await submit(submission)).verified).toBe(true);
    // A signature is not a token; of tokens each request and each job has one refused.
    const refs = submissions().map(({ body }) => clientRef(body));
    expect(refs.filter((ref) => ref === refNumber)).toHaveLength(way === 'synchronous' ? 1 : 2);
    expect(refs.filter((ref) => ref === `${refNumber}x2`)).toHaveLength(way === 'synchronous' ? 1 : 2);
  });

  test.each(['token', 'uploading', 'waiting'] as const)('cancelling while %s ends all', async (phase) => {
    const controller = new AbortController();
    const reason = new Error('the person has gone');
    const onProgress = (progress: SubmitProgress): void => {
      if (progress.phase === phase) controller.abort(reason);
    };
    const submission = asking(way, 'CANCELLED01', [FIRST, 'ocr-ktp'], ['selfie', 'ktp'], {
      signal: controller.signal,
      onProgress,
    });
    await expect(submit(submission)).rejects.toBe(reason);
    const sent = submission.exchanges.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(submission.exchanges).toHaveLength(sent);
    if (phase === 'token') expect(submissions()).toEqual([]);
  });
});

test.each(['asynchronous', 'direct'] as const)('%s: polls end, however many jobs there are', async (way) => {
  const waits: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => Promise.resolve(void waits.push(milliseconds));
  const submission = asking(way, 'JOBNEVERENDS5', [FIRST, 'ocr-ktp'], ['selfie', 'ktp'], { sleep });
  await expect(submit(submission)).rejects.toMatchObject({ code: 'provider-timeout' });
  expect(waits).toHaveLength(10);
  expect(polls()).toHaveLength(20);
});

test('a relay token that runs out between two polls is renewed', async () => {
  const sleep = (): Promise<void> => {
    clock += 200_000;
    return Promise.resolve();
  };
  const submission = asking('asynchronous', 'SLOWSEVERAL1', [FIRST, 'ocr-ktp'], ['selfie', 'ktp'], { sleep });
  expect((await submit(submission)).verified).toBe(true);
  expect(submissions()).toHaveLength(2);
});

describe('one that ended and one that goes on', () => {
  const YES = [{ face_liveness: { live: true } }, { face_match: { match: true } }];
  const ended = (result: unknown, id = 'EARLY'): object => ({
    job: { id, result: { status: 'success', result } },
    ok: true,
  });
  /** Answers the submission of one analytic at once, and its job as often as it is asked for. */
  const atOnce =
    (name: string, answer: object) =>
    (asked: Request): Promise<Response> | null =>
      asked.url.endsWith(`/${name}`) || asked.url.endsWith('/jobs/EARLY')
        ? Promise.resolve(Response.json(answer))
        : null;
  const WANTED = { verified: true, document: { type: 'ktp' }, liveness: { live: true } };

  test.each([
    [FIRST, ended(YES)],
    ['ocr-ktp', ended([{ NIK: '3171011501900001' }])],
  ])('through the relay: %s at once', async (name, answer) => {
    provider = atOnce(name, answer);
    const submission = asking('asynchronous', 'MIXED00001', [FIRST, 'ocr-ktp'], ['selfie', 'ktp']);
    expect(await submit(submission)).toMatchObject(WANTED);
    expect(submissions()).toHaveLength(1);
  });

  test('through the relay, which forgets: without a number to ask for it again there is an error', async () => {
    provider = atOnce(FIRST, { ok: true, status: 'success', result: YES });
    const submission = asking('asynchronous', 'MIXED00002', [FIRST, 'ocr-ktp'], ['selfie', 'ktp']);
    await expect(submit(submission)).rejects.toMatchObject({ code: 'provider-failed' });
    expect(polls()).toEqual([]);
  });

  test.each([
    [FIRST, { ok: true, status: 'success', result: YES }],
    ['ocr-ktp', ended([{ NIK: '3171011501900001' }])],
  ])('in direct mode, which remembers: %s at once', async (name, answer) => {
    const submission = asking('direct', 'MIXED00003', [FIRST, 'ocr-ktp'], ['selfie', 'ktp']);
    const { transport } = submission;
    const result = await submit({
      ...submission,
      transport: async (sent) => {
        const early = atOnce(name, answer)(new Request(sent.url));
        if (!early) return transport?.(sent) ?? Promise.reject(new CaptureError('upload-failed', ''));
        return { status: 200, body: await (await early).text(), header: () => null };
      },
    });
    expect(result).toMatchObject(WANTED);
  });
});

test.each<[names: readonly string[], words: string]>([
  [[], 'each once'],
  [[FIRST, FIRST], 'each once'],
  [['ocr-ktp', 'ocr-sim'], 'fields of one card'],
  [[FIRST, 'smile'], 'no such analytic'],
  [[FIRST, 'toString'], 'no such analytic'],
  [[FIRST, 'ocr-sim'], 'takes the sim photo'],
])('%j cannot be asked for on selfie and KTP', async (names, words) => {
  const submission = asking('asynchronous', 'SPECIMEN0001', names, ['selfie', 'ktp']);
  const error: unknown = await submit(submission).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'configuration-invalid' });
  expect((error as CaptureError).message).toContain(words);
  expect(submission.exchanges).toEqual([]);
});
