import { Hono } from 'hono';
import { describe, expect, test, vi } from 'vitest';
import { CaptureError, type ErrorCode } from '../../src/domain/result.ts';
import { createApp, SANDBOX_CASES, type Expectation } from '../../src/server/index.ts';
import { submit, type SubmitProgress, type SubmitRequest } from '../../src/session/submit.ts';
import {
  blob,
  DIRECT,
  drawJpeg,
  KTP,
  PAGE,
  photos,
  QUICK,
  received,
  request,
  RESULT,
  SECRETS,
  SELFIE,
  TOKEN,
} from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const app = createApp(QUICK);

/** Every way a submission can take. */
const WAYS: { way: 'identifai' | 'direct' | 'eendigo'; changes: Partial<SubmitRequest> }[] = [
  { way: 'identifai', changes: { provider: 'identifai' } },
  { way: 'direct', changes: { provider: 'identifai', ...DIRECT } },
  { way: 'eendigo', changes: { provider: 'eendigo' } },
];

async function outcome(submission: SubmitRequest): Promise<Expectation> {
  try {
    return (await submit(submission)).verified ? 'verified' : 'not-verified';
  } catch (error) {
    if (error instanceof CaptureError) return error.code;
    throw error;
  }
}

const rejects = (submission: SubmitRequest): Promise<CaptureError> =>
  submit(submission).then(
    () => Promise.reject(new Error('expected a rejection')),
    (error: unknown) => error as CaptureError,
  );

describe.each(WAYS)('$way', ({ way, changes }) => {
  test.each(SANDBOX_CASES)('$prefix', async ({ prefix, expected }) => {
    const submission = request(app, { ...changes, refNumber: `${prefix}000001` });
    const wanted =
      (way === 'direct' ? expected.direct : undefined) ??
      expected[way === 'eendigo' ? 'eendigo' : 'identifai'];
    expect(await outcome(submission)).toBe(wanted);

    // Whatever happened: no secret of the customer's on the browser's side.
    const traffic = JSON.stringify(submission.exchanges);
    for (const secret of Object.values(SECRETS)) expect(traffic).not.toContain(secret);
    expect(traffic).not.toContain('NODEFLUX-HMAC-SHA256');
    // And never a paid call twice, but for a token that was refused before it.
    const uploads = submission.exchanges.filter(({ method, url, status }) => {
      return method === 'POST' && !url.includes('/token') && status !== 401;
    });
    expect(uploads.length).toBeLessThanOrEqual(1);
  });

  test('the provider receives both photos as they were, in its order', async () => {
    const refNumber = `RECEIVED${way}`;
    const result = await submit(request(app, { ...changes, refNumber }));
    expect(result).toMatchObject({
      verified: true,
      refNumber,
      liveness: { live: true, score: way === 'eendigo' ? 0.9852 : 0.84 },
      match: { matched: true, similarity: way === 'eendigo' ? 0.8395 : 0.94 },
    });
    expect(result.transactionId).toMatch(way === 'eendigo' ? /^\d{5}$/ : /^[0-9a-f]{32}$/);

    const selfie = { type: 'image/jpeg', bytes: SELFIE.length, width: 600, height: 640, decoded: true };
    const ktp = { type: 'image/jpeg', bytes: KTP.length, width: 1142, height: 720, decoded: true };
    expect(await received(app, refNumber)).toEqual([
      way === 'eendigo'
        ? {
            provider: 'eendigo',
            analytic: 'facecompareliveness',
            fields: ['key', 'tenant_code', 'refNumber'],
            images: [
              { name: 'img1', ...selfie },
              { name: 'img2', ...ktp },
            ],
            order: ['selfie', 'ktp'],
          }
        : {
            provider: 'identifai',
            analytic: 'face-match-liveness-v2',
            fields: ['client_ref', 'similarity_threshold', 'liveness_threshold', 'auto_orientation'],
            images: [
              { name: 'images[0]', ...ktp },
              { name: 'images[1]', ...selfie },
            ],
            order: ['ktp', 'selfie'],
          },
    ]);
  });

  test('photos of further cards stay in the page, whatever their order', async () => {
    const refNumber = `FURTHER${way}`;
    const card = blob(new Uint8Array(790_000));
    const submission = request(app, {
      ...changes,
      refNumber,
      steps: ['npwp', 'selfie', 'sim', 'ktp'],
      photos: new Map([['npwp', card], ['sim', card], ...photos()]),
    });
    expect((await submit(submission)).verified).toBe(true);
    const [arrived] = await received(app, refNumber);
    expect(arrived?.images.map(({ bytes }) => bytes).sort()).toEqual([SELFIE.length, KTP.length].sort());
    expect(submission.exchanges[0]?.sent).toContain('"steps":["selfie","ktp"]');
    if (way !== 'direct') expect(submission.exchanges[1]?.sent).toMatch(/\}selfie,ktp,refNumber$/);
  });

  test('progress runs from token through upload to waiting, and never back', async () => {
    const told: SubmitProgress[] = [];
    const onProgress = (progress: SubmitProgress): void => void told.push(progress);
    await submit(request(app, { ...changes, refNumber: 'EXPIREDONCE777', onProgress }));
    const phases = told.map(({ phase }) => phase).filter((phase, place, all) => phase !== all[place - 1]);
    expect(phases).toEqual(['token', 'uploading', 'waiting']);
    expect(told.every(({ fraction }) => fraction >= 0 && fraction <= 1)).toBe(true);
    expect(told.filter(({ phase }) => phase === 'uploading').map(({ fraction }) => fraction)).toContain(0.5);
  });

  test.each(['token', 'uploading'] as const)('aborting while %s rejects with the reason', async (phase) => {
    const controller = new AbortController();
    const reason = new Error('the element left the page');
    const onProgress = (progress: SubmitProgress): void => {
      if (progress.phase === phase) controller.abort(reason);
    };
    await expect(submit(request(app, { ...changes, signal: controller.signal, onProgress }))).rejects.toBe(
      reason,
    );
  });

  test('nothing is sent once it was aborted', async () => {
    const submission = request(app, { ...changes, signal: AbortSignal.abort(new Error('gone')) });
    await expect(submit(submission)).rejects.toThrow('gone');
    expect(submission.exchanges).toEqual([]);
  });
});

test('the reasons of the provider arrive as our own guidance', async () => {
  for (const { changes } of WAYS) {
    const error = await rejects(request(app, { ...changes, refNumber: 'DIM000009' }));
    expect(error.guidance).toEqual(['too-dark', 'moving']);
  }
});

test('metadata goes to Eendigo as far as it documents it', async () => {
  const context = { officeCode: '0042', campaign: 'spring' };
  await submit(request(app, { provider: 'eendigo', refNumber: 'CONTEXT1', context }));
  const [entry] = await received(app, 'CONTEXT1');
  expect(entry?.fields).toEqual(['officeCode', 'key', 'tenant_code', 'refNumber']);
});

describe('tokens of direct mode', () => {
  test('every request has one of its own', async () => {
    const submission = request(app, { ...DIRECT, refNumber: 'OWNTOKEN01' });
    await submit(submission);
    const used = submission.exchanges
      .filter(({ url }) => url.includes('/sandbox/'))
      .map(({ sent }) => /"authorization":"([^"]+)"/.exec(sent)?.[1]);
    expect(used).toHaveLength(4);
    expect(new Set(used).size).toBe(4);
    expect(used.every((token) => /^[0-9a-f-]{36}-[0-9A-V]{16}$/.test(token ?? ''))).toBe(true);
  });

  test('a refused one is renewed once for each request', async () => {
    const submission = request(app, { ...DIRECT, refNumber: 'EXPIREDONCE42' });
    await submit(submission);
    const refused = submission.exchanges.filter(({ status }) => status === 401).map(({ method }) => method);
    expect(refused).toEqual(['POST', 'GET']);
  });

  test('a poll whose connection broke is sent again, with a fresh token', async () => {
    const submission = request(app, { ...DIRECT, refNumber: 'BROKENPOLL1' });
    const seen: string[] = [];
    let broken = 0;
    const result = await submit({
      ...submission,
      transport: async (sent) => {
        if (sent.method === 'GET') {
          seen.push(sent.headers['authorization'] ?? '');
          if (broken++ === 0) throw new TypeError('Failed to fetch');
        }
        return (submission.transport ?? (() => Promise.reject(new Error('none'))))(sent);
      },
    });
    expect(result.verified).toBe(true);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

test('a relay token that ran out while polling is renewed', async () => {
  let clock = Date.parse('2026-01-01T00:00:00Z');
  const slowApp = createApp({ ...QUICK, now: () => clock });
  let polls = 0;
  const sleep = (): Promise<void> => {
    if (++polls === 2) clock += 6 * 60_000;
    return Promise.resolve();
  };
  const submission = request(slowApp, { refNumber: 'SLOWPOLLING1', sleep });
  expect((await submit(submission)).verified).toBe(true);
  expect(submission.exchanges.filter(({ status }) => status === 401)).toHaveLength(1);
});

test('polls are a second apart, ten at most, and can be aborted', async () => {
  const waits: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => Promise.resolve(void waits.push(milliseconds));
  expect(await outcome(request(app, { refNumber: 'JOBNEVERENDS9', sleep }))).toBe('provider-timeout');
  expect(waits).toEqual(Array.from({ length: 10 }, () => 1000));

  const controller = new AbortController();
  const { sleep: _instant, ...real } = request(app, {
    refNumber: 'JOBNEVERENDS8',
    signal: controller.signal,
  });
  const reason = new Error('closed');
  const onProgress = ({ phase }: SubmitProgress): void => {
    if (phase === 'waiting') setTimeout(() => controller.abort(reason), 5);
  };
  await expect(submit({ ...real, onProgress })).rejects.toBe(reason);
});

/** A token endpoint or relay of one's own making. */
function serverOf(answers: Record<string, () => Response | Promise<Response>>): Hono {
  const server = new Hono();
  for (const [path, answer] of Object.entries(answers)) server.all(path, answer);
  return server;
}
const json = (body: unknown, status = 200): Response => Response.json(body, { status });

describe('the token endpoint', () => {
  const FAULTS: [string, () => Response | Promise<Response>, ErrorCode, number][] = [
    ['HTTP 401', () => json({}, 401), 'token-refused', 1],
    ['HTTP 403', () => json({}, 403), 'token-refused', 1],
    ['HTTP 404', () => json({}, 404), 'token-failed', 1],
    ['HTTP 500', () => json({}, 500), 'token-failed', 3],
    ['HTTP 503 with HTML', () => new Response('<html>', { status: 503 }), 'token-failed', 3],
    [
      'an error of the contract',
      () => json({ error: { code: 'provider-credentials', message: '' } }, 502),
      'provider-credentials',
      1,
    ],
    ['HTML', () => new Response('<html>'), 'token-invalid', 1],
    ['nothing', () => new Response(''), 'token-invalid', 1],
    ['another shape', () => json({ token: 'a' }), 'token-invalid', 1],
    ['a time-out', () => new Promise(() => undefined), 'token-failed', 1],
    [
      'an upload on a third origin',
      () => json({ ...TOKEN, upload_url: 'https://evil.example/kyc' }),
      'token-invalid',
      1,
    ],
    ['an upload by another scheme', () => json({ ...TOKEN, upload_url: 'data:,x' }), 'token-invalid', 1],
    ['an upload that is no URL', () => json({ ...TOKEN, upload_url: 'https://' }), 'token-invalid', 1],
    [
      'no upload_url, and no provider named',
      () => json({ submission_token: 'SPECIMEN-TOKEN' }),
      'configuration-invalid',
      1,
    ],
  ];
  test.each(FAULTS)('%s', async (_, answer, code, requests) => {
    const submission = request(serverOf({ '/kyc/token': answer }));
    const error = await rejects(submission);
    expect(error.code).toBe(code);
    expect(`${error.message} ${String(error.stack)} ${JSON.stringify(error)}`).not.toContain(
      'SPECIMEN-TOKEN',
    );
    // A time-out leaves its exchange open, so it was not recorded.
    expect(submission.exchanges.length).toBe(
      code === 'token-failed' && requests === 1 && _ === 'a time-out' ? 0 : requests,
    );
  });

  test('recovers from a passing fault', async () => {
    let calls = 0;
    const server = serverOf({
      '/kyc/token': () => (++calls < 3 ? json({}, 503) : json(TOKEN)),
      '/kyc/submissions': () => json(RESULT),
    });
    expect(await outcome(request(server))).toBe('verified');
  });

  test("gets the contract and the page's headers; the relay gets the token and not those headers", async () => {
    const submission = request(
      serverOf({ '/kyc/token': () => json(TOKEN), '/kyc/submissions': () => json(RESULT) }),
    );
    await submit(submission);
    const [token, upload] = submission.exchanges;
    expect(token?.sent).toContain('"x-csrf":"SPECIMEN"');
    expect(token?.sent).toContain(
      '{"refNumber":"SPECIMEN000001","steps":["selfie","ktp"],"provider":"identifai"}',
    );
    expect(upload?.sent).toBe('{"authorization":"Bearer SPECIMEN-TOKEN"}selfie,ktp,refNumber');
  });

  test('may lie on an origin of its own, and the relay beside it', async () => {
    const server = serverOf({ '/kyc/token': () => json(TOKEN), '/kyc/submissions': () => json(RESULT) });
    const submission = request(server, { tokenEndpoint: new URL('https://api.example/kyc/token') });
    await submit(submission);
    expect(submission.exchanges[1]?.url).toBe('https://api.example/kyc/submissions');
  });
});

describe('the relay', () => {
  const pending = (result_url: string) => () => json({ result_url }, 202);
  const FAULTS: [string, () => Response | Promise<Response>, ErrorCode][] = [
    [
      'an error of the contract',
      () => json({ error: { code: 'ktp-refused', message: 'm', guidance: [] } }, 422),
      'ktp-refused',
    ],
    ['HTTP 401 twice', () => json({}, 401), 'token-expired'],
    ['HTTP 413 of a proxy', () => new Response('<html>', { status: 413 }), 'upload-refused'],
    ['HTTP 502 of a proxy', () => new Response('<html>', { status: 502 }), 'upload-failed'],
    ['HTML', () => new Response('<html>'), 'answer-unreadable'],
    ['a result of another shape', () => json({ verified: true }), 'answer-unreadable'],
    ["another person's result", () => json({ ...RESULT, refNumber: 'SOMEBODY01' }), 'answer-unreadable'],
    ["another provider's result", () => json({ ...RESULT, provider: 'eendigo' }), 'answer-unreadable'],
    [
      'a result that contradicts itself',
      () => json({ ...RESULT, match: { ...RESULT.match, matched: false } }),
      'answer-unreadable',
    ],
    ['polls on a third origin', pending('https://evil.example/1'), 'token-invalid'],
    ['202 without a place to poll', () => json({}, 202), 'answer-unreadable'],
    ['polls that end in a fault', pending('/kyc/broken'), 'upload-failed'],
    ['a time-out', () => new Promise(() => undefined), 'upload-failed'],
  ];
  test.each(FAULTS)('%s', async (_, answer, code) => {
    let uploads = 0;
    const server = serverOf({
      '/kyc/token': () => json(TOKEN),
      '/kyc/submissions': () => (uploads++, answer()),
      '/kyc/broken': () => new Response('', { status: 500 }),
    });
    const submission = request(server, { timings: { idleTimeout: 500, retryDelay: 1 } });
    expect(await outcome(submission)).toBe(code);
    expect(uploads).toBe(code === 'token-expired' ? 2 : 1);
    expect(submission.exchanges.every(({ url }) => url.startsWith(PAGE))).toBe(true);
  });

  test('upload progress winds the time-out up again', async () => {
    const submission = request(
      serverOf({ '/kyc/token': () => json(TOKEN), '/kyc/submissions': () => json(RESULT) }),
    );
    const slowly: SubmitRequest['transport'] = async (sent) => {
      for (let part = 0; part < 6 && sent.onUploadProgress; part++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        sent.onUploadProgress(part / 6);
      }
      return (submission.transport ?? (() => Promise.reject(new Error('none'))))(sent);
    };
    expect(await outcome({ ...submission, transport: slowly, timings: { idleTimeout: 400 } })).toBe(
      'verified',
    );
  });

  test('polls where the token endpoint says, if the 202 does not', async () => {
    const server = serverOf({
      '/kyc/token': () => json({ ...TOKEN, result_url: '/kyc/results/1' }),
      '/kyc/submissions': () => json({}, 202),
      '/kyc/results/1': () => json(RESULT),
    });
    expect(await outcome(request(server))).toBe('verified');
  });
});

describe('before anything is sent', () => {
  const one = new Map([['selfie', blob(drawJpeg(16, 16))]] as const);
  const further = new Map([['sim', blob(drawJpeg(16, 16))]] as const);
  test.each<[string, Partial<SubmitRequest>, ErrorCode, number]>([
    ['offline', { online: () => false, timings: { patience: 20 } }, 'offline', 0],
    ['a photo is missing', { photos: one }, 'configuration-invalid', 0],
    ['steps of which none is sent', { steps: ['sim'], photos: further }, 'configuration-invalid', 0],
    ['a context field named sim', { context: { sim: 'x' } }, 'configuration-invalid', 0],
    ['a context field named key', { context: { key: 'x' } }, 'configuration-invalid', 0],
    [
      'direct mode to a retired host',
      { ...DIRECT, providerBase: new URL('https://api.cloud.nodeflux.io') },
      'configuration-invalid',
      1,
    ],
    ['a reference number that IdentifAI does not take', { refNumber: 'a-b-c-d' }, 'configuration-invalid', 1],
    ['Eendigo in direct mode', { ...DIRECT, provider: 'eendigo' }, 'configuration-invalid', 1],
  ])('%s', async (_, changes, code, requests) => {
    const submission = request(app, changes);
    expect(await outcome(submission)).toBe(code);
    expect(submission.exchanges).toHaveLength(requests);
  });
});

test('a network that goes while the photos are on their way is told as offline, and a broken one as that', async () => {
  for (const [online, code] of [
    [false, 'offline'],
    [true, 'upload-failed'],
  ] as const) {
    let up = true;
    const submission = request(app, {
      photos: photos(),
      online: () => up,
      timings: { retryDelay: 1, patience: 20 },
    });
    const failing: SubmitRequest['transport'] = async (sent) => {
      if (sent.onUploadProgress) {
        up = online;
        throw new TypeError(`Failed to fetch ${sent.headers['authorization']}`);
      }
      return (submission.transport ?? (() => Promise.reject(new Error('none'))))(sent);
    };
    const error = await rejects({ ...submission, transport: failing });
    expect(error.code).toBe(code);
    expect(`${error.message} ${String(error.cause)}`).not.toContain('Bearer');
  }
});
