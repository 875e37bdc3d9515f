import { setTimeout as later } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { CaptureError, type Step } from '../../src/domain/result.ts';
import { createApp, createRelay, type RelayOptions } from '../../src/server/index.ts';
import { submit, type SubmitRequest } from '../../src/session/submit.ts';
import { EENDIGO_OCR, EENDIGO_SAMPLES, EENDIGO_SUCCESS_WITH_COMMA } from '../fixtures/providers.ts';
import { blob, listen, PAGE, PICTURES, picturesOf, QUICK, request, SECRETS } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

/* Eendigo through the relay: every field, path, response and trap that `providers.md` has. */

const keys = { key: SECRETS.key, tenantCode: SECRETS.tenantCode };
const OPTIONAL = {
  source: 'WEB',
  loginId: 'SPECIMEN-login',
  nik: '3171011501900001',
  officeCode: '0042',
  officeName: 'SPECIMEN, cabang "satu"',
  question: 'é?',
};

/** A relay before an answer of one's own making, beside the sandbox. */
function relayOf(changes: Partial<RelayOptions>) {
  const app = createApp(QUICK);
  const arrived = listen(app);
  const relay = createRelay({
    secret: SECRETS.relay,
    eendigo: { ...keys, base: 'http://sandbox.invalid/sandbox/eendigo' },
    fetch: async (input, init) => app.fetch(new Request(input, init)),
    ...changes,
  });
  app.route('/bank', relay);
  const asking = (more: Partial<SubmitRequest> = {}): SubmitRequest =>
    request(app, {
      provider: 'eendigo',
      tokenEndpoint: new URL('/bank/token', PAGE),
      refNumber: 'SPECIMEN000001',
      photos: picturesOf(more.steps ?? ['selfie', 'ktp']),
      ...more,
    });
  return { asking, arrived };
}

describe('the request', () => {
  test.each([
    ['production', 'http://sandbox.invalid/sandbox/eendigo', ''],
    ['UAT', 'http://sandbox.invalid/sandbox/eendigo/demo', '/demo'],
    ['a base that ends in a slash', 'http://sandbox.invalid/sandbox/eendigo/demo/', '/demo'],
  ])('has all eleven fields, and the path of %s', async (_, base, folder) => {
    const { asking, arrived } = relayOf({ eendigo: { ...keys, base } });
    const submission = asking({ context: OPTIONAL });
    expect((await submit(submission)).verified).toBe(true);
    expect(arrived.map(({ method, path }) => [method, path])).toEqual([
      ['POST', `${folder}/biometric/facecompareliveness`],
    ]);
    const { img1, img2, ...fields } = arrived[0]?.body as Record<string, unknown>;
    expect(fields).toEqual({
      key: SECRETS.key,
      tenant_code: SECRETS.tenantCode,
      refNumber: 'SPECIMEN000001',
      ...OPTIONAL,
    });
    for (const [file, step] of [
      [img1, 'selfie'],
      [img2, 'ktp'],
    ] as const) {
      expect(file).toMatchObject({ type: 'image/jpeg', name: `${step}.jpg` });
      expect(new Uint8Array(await (file as File).arrayBuffer())).toEqual(PICTURES[step]);
    }
    expect(arrived[0]?.headers.get('authorization')).toBeNull();
  });

  test.each(['ktp', 'npwp'] as const)('for the fields of the %s has its picture alone', async (step) => {
    const { asking, arrived } = relayOf({});
    const result = await submit(asking({ analytics: [`ocr-${step}`], steps: [step], context: OPTIONAL }));
    expect(arrived[0]?.path).toBe(`/ocr/${step}`);
    expect(Object.keys(arrived[0]?.body as object).sort()).toEqual([
      'img',
      'key',
      'refNumber',
      'tenant_code',
    ]);
    expect(result).toMatchObject({
      verified: false,
      liveness: null,
      match: null,
      document: { type: step, fields: { nik: '3171011501900001', nama: 'SPECIMEN PERTAMA' } },
      transactionId: expect.stringMatching(/^\d+$/) as string,
    });
  });

  test('names production where nobody says otherwise', async () => {
    const urls: string[] = [];
    const { asking } = relayOf({
      eendigo: keys,
      fetch: (input) => {
        urls.push(new Request(input).url);
        return Promise.resolve(new Response(EENDIGO_SAMPLES.success.body));
      },
    });
    await submit(asking());
    expect(urls).toEqual(['https://api.eendigo.app/biometric/facecompareliveness']);
  });
});

/** What the person's widget makes of an answer. */
async function outcomeOf(
  body: string,
  init: ResponseInit = {},
  more: Partial<SubmitRequest> = {},
): Promise<unknown> {
  const { asking } = relayOf({ fetch: () => Promise.resolve(new Response(body, init)) });
  try {
    return await submit(asking(more));
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const { code, guidance } = error;
    return { code, guidance };
  }
}

const VERIFIED = {
  verified: true,
  liveness: { live: true, score: 0.9852, threshold: null },
  match: { matched: true, similarity: 0.8395, threshold: 0.8 },
};

describe('the response', () => {
  const failed = (message: string): string => JSON.stringify({ status: 'FAILED', message });
  test.each<[string, string, object]>([
    ['success', EENDIGO_SAMPLES.success.body, VERIFIED],
    ['success with a comma too many', EENDIGO_SUCCESS_WITH_COMMA, VERIFIED],
    [
      'liveness error',
      EENDIGO_SAMPLES.livenessError.body,
      { code: 'selfie-refused', guidance: ['too-dark', 'face-covered', 'moving'] },
    ],
    ['face compare error', EENDIGO_SAMPLES.faceCompareError.body, { code: 'ktp-refused', guidance: [] }],
    ['balance', EENDIGO_SAMPLES.balance.body, { code: 'provider-balance' }],
    ['parameter', EENDIGO_SAMPLES.parameter.body, { code: 'provider-parameter' }],
    ['key or tenant', EENDIGO_SAMPLES.credentials.body, { code: 'provider-credentials' }],
    ['image too large', failed('Image too large'), { code: 'upload-refused' }],
    ['face not detected', failed('Face not detected'), { code: 'selfie-refused', guidance: ['no-face'] }],
    ['anything else that failed', failed('SPECIMEN'), { code: 'provider-failed' }],
  ])('%s reaches the page, whatever the HTTP status', async (name, body, expected) => {
    expect(await outcomeOf(body)).toMatchObject(expected);
    // But a yes under an HTTP error is no yes.
    const under = name.startsWith('success') ? { code: 'answer-unreadable' } : expected;
    expect(await outcomeOf(body, { status: 400 })).toMatchObject(under);
  });

  test('X-Trx-No is in the result, whatever the case of its name', async () => {
    for (const name of ['X-Trx-No', 'x-trx-no', 'X-TRX-NO'])
      expect(await outcomeOf(EENDIGO_SAMPLES.success.body, { headers: { [name]: '10877' } })).toMatchObject({
        transactionId: '10877',
      });
    for (const headers of [{}, { 'x-trx-no': '' }])
      expect(await outcomeOf(EENDIGO_SAMPLES.success.body, { headers })).toMatchObject({
        transactionId: null,
      });
  });

  test.each(['ktp', 'npwp'] as const)('both sentences about the print of the %s', async (step: Step) => {
    const asked = { analytics: [`ocr-${step}`], steps: [step] };
    const { notFound, unreadable, body } = EENDIGO_OCR;
    for (const status of ['FAILED', 'Failed', 'Success']) {
      expect(await outcomeOf(body(status, notFound), {}, asked)).toEqual({
        code: `${step}-refused`,
        guidance: ['no-card'],
      });
      expect(await outcomeOf(body(status, unreadable), {}, asked)).toEqual({
        code: `${step}-refused`,
        guidance: ['card-blurred', 'card-glare'],
      });
    }
  });

  test('none within the time is told as that, and asked for once', async () => {
    let asked = 0;
    const { asking } = relayOf({
      providerTimeout: 30,
      fetch: () => {
        asked++;
        return new Promise(() => undefined);
      },
    });
    await expect(submit(asking())).rejects.toMatchObject({
      code: 'provider-failed',
      message: 'the provider gave no answer within 30 ms',
    });
    expect(asked).toBe(1);
  });

  test('none within the 30 s of the widget is asked for again, at the relay only, until there is one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let asked = 0;
      const { asking } = relayOf({
        providerTimeout: 60_000,
        fetch: () => {
          asked++;
          return new Promise(() => undefined);
        },
      });
      const { timings: _, ...patient } = asking();
      let end: unknown = null;
      void submit(patient).catch((error: unknown) => (end = error));
      for (let second = 0; second < 59; second++) await pass(1000);
      expect(end).toBeNull();
      // More than a minute: what is computed beside the faked clock takes its own time.
      for (let second = 0; second < 600 && end === null; second++) await pass(1000);
      expect(end).toMatchObject({
        code: 'provider-failed',
        message: 'the provider gave no answer within 60000 ms',
        settled: true,
      });
      expect(asked).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** Lets faked time pass, once what is under way has had real time to come to rest: keys are signed on other threads. */
async function pass(milliseconds: number): Promise<void> {
  await later(20);
  await vi.advanceTimersByTimeAsync(milliseconds);
}

test('a card that the provider finds too large for its bytes never leaves the relay', async () => {
  const { asking, arrived } = relayOf({});
  const large = new Uint8Array(800_001);
  large.set(PICTURES.ktp);
  const photos = new Map([['ktp', blob(large)]] as const);
  await expect(submit(asking({ analytics: ['ocr-ktp'], steps: ['ktp'], photos }))).rejects.toMatchObject({
    code: 'upload-refused',
  });
  expect(arrived).toEqual([]);
});
