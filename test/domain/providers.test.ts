import { describe, expect, test } from 'vitest';
import type { ErrorCode, GuidanceCode } from '../../src/domain/result.ts';
import { readResult } from '../../src/providers/contract.ts';
import { buildEendigoForm, eendigo } from '../../src/providers/eendigo.ts';
import { buildIdentifaiRequest, identifai, toDataUrl } from '../../src/providers/identifai.ts';
import { parseBody, type Provider, type ProviderAnswer } from '../../src/providers/provider.ts';
import { readBoolean, readNumber } from '../../src/providers/reading.ts';
import { EENDIGO_ANALYTICS, IDENTIFAI_ANALYTICS, type Analytic } from '../../src/providers/profiles.ts';
import { EENDIGO_SUCCESS_WITH_COMMA } from '../fixtures/providers.ts';

const REF = 'SPECIMEN000001';

function answer(body: string | object, status = 200, headers: Record<string, string> = {}): ProviderAnswer {
  return {
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    header: (name) => headers[name] ?? null,
  };
}

interface Verdict {
  verified: boolean;
  live: boolean | null;
  score?: number | null;
  matched: boolean | null;
  similarity?: number | null;
  transactionId?: string | null;
}

interface Row {
  what: string;
  answer: ProviderAnswer;
  result?: Verdict;
  pending?: string;
  error?: ErrorCode;
  guidance?: GuidanceCode[];
}

/** A job of IdentifAI in the documented shape. */
function job(
  result: unknown,
  extra: { status?: string; message?: string; ok?: unknown; http?: number } = {},
) {
  const { status = 'success', message = 'Job successfully submitted!', ok = true, http = 200 } = extra;
  return answer(
    { job: { id: 'job-1', result: { status, analytic_type: 'FACE_MATCH_LIVENESS', result } }, message, ok },
    http,
  );
}

const LIVE = { face_liveness: { live: true, live_score: 0.84 } };
const MATCH = { face_match: { match: true, smimilarity: 0.94 } };

const IDENTIFAI: Row[] = [
  { what: 'accepted', answer: answer('{"job_id":"job-1","ok":true}', 202), pending: 'job-1' },
  {
    what: 'accepted with an empty job',
    answer: answer({ job: { id: 'j', result: null }, ok: true }, 201),
    pending: 'j',
  },
  { what: 'on going', answer: job([], { status: 'on going' }), pending: 'job-1' },
  { what: 'on going, in another spelling', answer: job(null, { status: 'On_Going' }), pending: 'job-1' },
  {
    what: 'the documented success, with the misspelt similarity',
    answer: job([LIVE, MATCH]),
    result: {
      verified: true,
      live: true,
      score: 0.84,
      matched: true,
      similarity: 0.94,
      transactionId: 'job-1',
    },
  },
  {
    what: 'the other spellings',
    answer: job([
      { face_liveness: { live: true, liveness: 0.9 } },
      { face_match: { match: true, similarity: 0.8 } },
    ]),
    result: { verified: true, live: true, score: 0.9, matched: true, similarity: 0.8 },
  },
  {
    what: 'a result that is an object',
    answer: job({ ...LIVE, ...MATCH }),
    result: { verified: true, live: true, matched: true },
  },
  {
    what: 'ok and success, but not live',
    answer: job([{ face_liveness: { live: false, live_score: 0.1 } }, MATCH]),
    result: { verified: false, live: false, score: 0.1, matched: true },
  },
  {
    what: 'ok and success, but no match',
    answer: job([LIVE, { face_match: { match: false, smimilarity: 0.2 } }]),
    result: { verified: false, live: true, matched: false, similarity: 0.2 },
  },
  {
    what: 'underqualified, with the first entry only',
    answer: job([{ face_liveness: { live: false, liveness: 0.92 } }], {
      message: 'Face Liveness Underqualified',
    }),
    result: { verified: false, live: false, score: 0.92, matched: null },
  },
  {
    what: 'live, but the match is missing',
    answer: job([LIVE]),
    result: { verified: false, live: true, matched: null },
  },
  {
    what: 'two entries that contradict each other',
    answer: job([LIVE, { face_liveness: { live: false } }, MATCH]),
    result: { verified: false, live: false, score: null, matched: true },
  },
  {
    what: 'a live that is no boolean',
    answer: job([{ face_liveness: { live: 1, live_score: 0.99 } }, MATCH]),
    result: { verified: false, live: null, matched: true },
  },
  { what: 'success with an empty result', answer: job([]), error: 'provider-failed' },
  { what: 'success without a result', answer: job(undefined), error: 'provider-failed' },
  { what: 'success, but ok is false', answer: job([LIVE, MATCH], { ok: false }), error: 'provider-failed' },
  {
    what: 'success under an HTTP error',
    answer: job([LIVE, MATCH], { http: 500 }),
    error: 'provider-failed',
  },
  {
    what: 'failed because the face is covered',
    answer: job([], { status: 'failed', message: 'the face is covered' }),
    error: 'selfie-refused',
    guidance: ['face-covered'],
  },
  {
    what: 'the flat shape of syncv2',
    answer: answer({ ok: true, message: '', status: 'success', result: [LIVE, MATCH] }),
    result: { verified: true, live: true, matched: true, transactionId: null },
  },
  {
    what: 'an expired token, as documented',
    answer: answer(
      '{"code":"not-authenticate","errors":[],"message":"Submission token is expired","ok":false}',
    ),
    error: 'token-expired',
  },
  { what: 'HTTP 401 with a web page', answer: answer('<html></html>', 401), error: 'token-expired' },
  { what: 'HTTP 413 in JSON', answer: answer({ ok: false, message: '' }, 413), error: 'upload-refused' },
  {
    what: 'no balance',
    answer: answer({ ok: false, message: 'Insufficient balance' }),
    error: 'provider-balance',
  },
  {
    what: 'a parameter',
    answer: answer({ ok: false, message: 'Parameter invalid' }, 400),
    error: 'provider-parameter',
  },
  { what: 'an unknown refusal', answer: answer({ ok: false, message: 'no' }, 400), error: 'provider-failed' },
  { what: 'a web page', answer: answer('<html></html>'), error: 'answer-unreadable' },
  { what: 'nothing', answer: answer(''), error: 'answer-unreadable' },
  { what: 'JSON of another kind', answer: answer('[1,2]'), error: 'answer-unreadable' },
  { what: 'an object of another kind', answer: answer({ hello: 1 }), error: 'answer-unreadable' },
  { what: 'a gateway error', answer: answer('<html>Bad gateway</html>', 502), error: 'provider-failed' },
];

const BLANK = {
  face_compare: { compare: '', similarity: '', threshold: '0.8' },
  face_liveness: { live: '', score: '' },
};

function verdicts(compare: unknown, live: unknown, status = 'Success', rest: object = {}): ProviderAnswer {
  return answer({
    status,
    message: '',
    result: {
      face_compare: { compare, similarity: '0.5', threshold: '0.8' },
      face_liveness: { live, score: '0.4' },
    },
    ...rest,
  });
}

const selfieError = (error: string): ProviderAnswer =>
  answer({ datetime: 'Thu, 14 Apr 2022 03:56:41 GMT', error, result: BLANK, status: 'FAILED' });

const EENDIGO: Row[] = [
  {
    what: 'the documented success, with its trailing comma and its transaction number',
    answer: answer(EENDIGO_SUCCESS_WITH_COMMA, 200, { 'x-trx-no': '10877' }),
    result: {
      verified: true,
      live: true,
      score: 0.9852,
      matched: true,
      similarity: 0.8395,
      transactionId: '10877',
    },
  },
  {
    what: 'a result that is an array',
    answer: answer({
      status: 'success',
      result: [{ face_compare: { compare: 'true' } }, { face_liveness: { live: 'TRUE' } }],
    }),
    result: { verified: true, live: true, score: null, matched: true, similarity: null, transactionId: null },
  },
  {
    what: 'not live',
    answer: verdicts('True', 'False'),
    result: { verified: false, live: false, matched: true },
  },
  {
    what: 'no match',
    answer: verdicts('False', 'True'),
    result: { verified: false, live: true, matched: false },
  },
  {
    what: 'no match in a FAILED without a reason',
    answer: verdicts('False', 'True', 'Failed'),
    result: { verified: false, live: true, matched: false },
  },
  {
    what: 'a blank match under Success',
    answer: verdicts('', 'True'),
    result: { verified: false, live: true, matched: null },
  },
  { what: 'words that are no booleans', answer: verdicts('yes', '1'), error: 'provider-failed' },
  { what: 'two yes under FAILED', answer: verdicts('True', 'True', 'FAILED'), error: 'provider-failed' },
  {
    what: 'two yes under HTTP 500',
    answer: { ...verdicts('True', 'True'), status: 500 },
    error: 'provider-failed',
  },
  { what: 'success without a result', answer: answer({ status: 'Success' }), error: 'provider-failed' },
  {
    what: 'a liveness error of unknown words',
    answer: selfieError('hmm'),
    error: 'selfie-refused',
    guidance: [],
  },
  {
    what: 'face not detected',
    answer: answer({ status: 'failed', message: 'Face not detected' }),
    error: 'selfie-refused',
    guidance: ['no-face'],
  },
  {
    what: 'image too large',
    answer: answer({ status: 'FAILED', message: 'Image too large' }),
    error: 'upload-refused',
  },
  ...(['FAILED', 'Failed', 'failed'] as const).flatMap((status): Row[] =>
    (
      [
        ['Input Image Invalid', 'ktp-refused'],
        ['Insufficient balance', 'provider-balance'],
        ['Parameter invalid, please check your request', 'provider-parameter'],
        ['Invalid API key or tenant code', 'provider-credentials'],
        ['something new', 'provider-failed'],
      ] as const
    ).flatMap(([sentence, error]) =>
      ['message', 'error'].map((field) => ({
        what: `${status} with ${field} "${sentence}"`,
        answer: answer({ status, [field]: sentence }),
        error,
      })),
    ),
  ),
  {
    what: 'a business error under HTTP 400',
    answer: answer({ status: 'FAILED', message: 'Insufficient balance' }, 400),
    error: 'provider-balance',
  },
  { what: 'HTTP 413 with a web page', answer: answer('<html></html>', 413), error: 'upload-refused' },
  { what: 'a web page', answer: answer('<html></html>'), error: 'answer-unreadable' },
  { what: 'nothing', answer: answer(''), error: 'answer-unreadable' },
  { what: 'an unknown status', answer: verdicts('True', 'True', 'Maybe'), error: 'answer-unreadable' },
  { what: 'a gateway error', answer: answer('', 504), error: 'provider-failed' },
];

const TABLES: [Provider, Analytic, Row[]][] = [
  [identifai, IDENTIFAI_ANALYTICS['face-match-liveness-v2'], IDENTIFAI],
  [eendigo, EENDIGO_ANALYTICS.facecompareliveness, EENDIGO],
];

describe.each(TABLES)('$id reads', (provider, analytic, rows) => {
  test.each(rows)('$what', (row) => {
    const outcome = provider.read(row.answer, { analytic, refNumber: REF });
    if (row.pending !== undefined) {
      expect(outcome).toEqual({ kind: 'pending', job: row.pending });
    } else if (row.error !== undefined) {
      if (outcome.kind !== 'error') throw new Error(`expected ${row.error}, got ${JSON.stringify(outcome)}`);
      expect(outcome.error.code).toBe(row.error);
      expect(outcome.error.guidance).toEqual(row.guidance ?? []);
      if (row.error === 'answer-unreadable') {
        expect(outcome.error.raw).toEqual(parseBody(row.answer.body) ?? row.answer.body);
      }
    } else {
      if (outcome.kind !== 'result') throw new Error(`expected a result, got ${outcome.kind}`);
      const { result } = outcome;
      const found: Verdict = {
        verified: result.verified,
        live: result.liveness?.live ?? null,
        score: result.liveness?.score ?? null,
        matched: result.match?.matched ?? null,
        similarity: result.match?.similarity ?? null,
        transactionId: result.transactionId,
      };
      expect(found).toMatchObject(row.result ?? {});
      expect(result.provider).toBe(provider.id);
      expect(result.refNumber).toBe(REF);
      expect(result.raw).toEqual(parseBody(row.answer.body));
      // What a relay sends must arrive as what it was.
      expect(readResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
    }
  });
});

test.each([
  ['{"a":[1,2,],}', { a: [1, 2] }],
  ['{"a":"x,}","b":"\\",]"}', { a: 'x,}', b: '",]' }],
  ['{"a":"x,}",}', { a: 'x,}' }],
  ['{"a":1}', { a: 1 }],
  ['null', null],
  ['{"a"', undefined],
  ['', undefined],
  ['<html>', undefined],
])('parseBody(%s)', (text, expected) => {
  expect(parseBody(text)).toEqual(expected);
});

test.each([
  [true, true],
  ['True', true],
  [' false ', false],
  ['', null],
  ['0', null],
  [1, null],
  [null, null],
  [undefined, null],
  [{}, null],
])('readBoolean(%j) is %j', (value, expected) => {
  expect(readBoolean(value)).toBe(expected);
});

test.each([
  [0.5, 0.5],
  ['0.83950', 0.8395],
  ['', null],
  [' ', null],
  ['high', null],
  [NaN, null],
  [Infinity, null],
  [true, null],
])('readNumber(%j) is %j', (value, expected) => {
  expect(readNumber(value)).toBe(expected);
});

test('IdentifAI takes KTP, then selfie', () => {
  const photos = new Map([
    ['selfie', 'data:image/jpeg;base64,U0VMRklF'],
    ['ktp', 'data:image/jpeg;base64,S1RQ'],
  ] as const);
  const analytic = IDENTIFAI_ANALYTICS['face-match-liveness-v2'];
  expect(buildIdentifaiRequest(analytic, photos, REF)).toEqual({
    images: ['data:image/jpeg;base64,S1RQ', 'data:image/jpeg;base64,U0VMRklF'],
    additional_params: { similarity_threshold: 0.7, liveness_threshold: 0.6, auto_orientation: false },
    client_ref: REF,
  });
  expect(() => buildIdentifaiRequest(analytic, new Map(), REF)).toThrow(/ktp/);
});

test('Eendigo takes img1 as selfie, img2 as KTP, and only the metadata that it documents', async () => {
  const photos = new Map([
    ['ktp', new Blob(['KTP'], { type: 'image/jpeg' })],
    ['selfie', new Blob(['SELFIE'], { type: 'image/jpeg' })],
  ] as const);
  const context = { officeCode: '0042', campaign: 'spring' };
  const analytic = EENDIGO_ANALYTICS.facecompareliveness;
  const form = buildEendigoForm(analytic, photos, REF, context, { key: 'KEY', tenantCode: 'TENANT' });
  expect([...form.keys()]).toEqual(['img1', 'img2', 'officeCode', 'key', 'tenant_code', 'refNumber']);
  expect(await (form.get('img1') as File).text()).toBe('SELFIE');
  expect(await (form.get('img2') as File).text()).toBe('KTP');
  expect(() => buildEendigoForm(analytic, new Map(), REF, {}, { key: 'KEY', tenantCode: 'TENANT' })).toThrow(
    /selfie/,
  );
});

test.each([0, 1, 2, 3, 24_575, 24_576, 24_577, 100_001])('toDataUrl carries %i bytes', (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
  expect(toDataUrl(bytes)).toBe(`data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`);
});
