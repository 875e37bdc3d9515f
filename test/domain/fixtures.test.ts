import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readToken } from '../../src/providers/contract.ts';
import { buildIdentifaiRequest, identifai } from '../../src/providers/identifai.ts';
import { eendigo } from '../../src/providers/eendigo.ts';
import { parseBody, type Provider, type ProviderAnswer } from '../../src/providers/provider.ts';
import { EENDIGO_ANALYTICS, IDENTIFAI_ANALYTICS, type Analytic } from '../../src/providers/profiles.ts';
import {
  CONTRACT_SAMPLES,
  EENDIGO_OCR,
  EENDIGO_SAMPLES,
  EENDIGO_SUCCESS_WITH_COMMA,
  IDENTIFAI_SAMPLES,
} from '../fixtures/providers.ts';

const REF = 'SPECIMEN000001';
const ALL = Object.entries({ ...IDENTIFAI_SAMPLES, ...EENDIGO_SAMPLES, ...CONTRACT_SAMPLES });

test.each(ALL)('%s is JSON', (_, { body }) => {
  expect(() => JSON.parse(body) as unknown).not.toThrow();
});

/** It lies beside the repository where that is developed. */
const document = new URL('../../../shared/providers.md', import.meta.url);

describe.skipIf(!existsSync(document))('providers.md', () => {
  const text = existsSync(document) ? readFileSync(document, 'utf8') : '';

  test.each(ALL)('has the lines of %s', (_, { line }) => {
    expect(line.split('\n').filter((one) => !text.includes(one))).toEqual([]);
  });

  test('has the outline of the OCR and both of its sentences', () => {
    const words = [EENDIGO_OCR.line, EENDIGO_OCR.notFound, EENDIGO_OCR.unreadable];
    expect(words.filter((one) => !text.includes(one))).toEqual([]);
  });

  test('has no sample body without a fixture', () => {
    const held = ALL.flatMap(([, { line }]) => line.split('\n'));
    const samples = text.match(/\{"[^`\n]*[}\],]/g) ?? [];
    expect(samples.length).toBeGreaterThan(12);
    const loose = samples.filter(
      (found) =>
        !held.some((line) => line.includes(found) || found.includes(line)) && !/^\{"\w+","/.test(found),
    );
    expect(loose).toEqual([]);
  });
});

/** What a fixture is read as: in one word, or the verdicts. */
interface Row {
  readonly fixture: string;
  readonly body: string;
  readonly status?: number;
  readonly header?: string;
  readonly provider: Provider;
  readonly analytic: Analytic;
  readonly means: object;
}

const BOTH = IDENTIFAI_ANALYTICS['face-match-liveness-v2'];
const COMPARE = EENDIGO_ANALYTICS.facecompareliveness;
const { job, flat, accepted, tokenExpired } = IDENTIFAI_SAMPLES;
const { success, livenessError, faceCompareError, balance, parameter, credentials } = EENDIGO_SAMPLES;
const error = (code: string, guidance: readonly string[] = []): object => ({
  kind: 'error',
  error: { code, guidance },
});
const yes = (transactionId: string | null, liveness: object, match: object): object => ({
  kind: 'result',
  result: { verified: true, liveness, match, document: null, transactionId, refNumber: REF },
});
const IDENTIFAI_YES = [
  { live: true, score: 0.84, threshold: 0.6 },
  { matched: true, similarity: 0.94, threshold: 0.7 },
] as const;
const EENDIGO_YES = [
  { live: true, score: 0.9852, threshold: null },
  { matched: true, similarity: 0.8395, threshold: 0.8 },
] as const;
const ofIdentifai = { provider: identifai, analytic: BOTH } as const;
const ofEendigo = { provider: eendigo, analytic: COMPARE } as const;
const ofCard = (type: 'ktp' | 'npwp') =>
  ({ provider: eendigo, analytic: EENDIGO_ANALYTICS[`ocr-${type}`] }) as const;
const { notFound, unreadable } = EENDIGO_OCR;

const ROWS: readonly Row[] = [
  ...[202, 201, 200].flatMap((status): Row[] => [
    {
      ...ofIdentifai,
      fixture: `accepted, HTTP ${status}`,
      body: accepted.body,
      status,
      means: { kind: 'pending', job: 'SPECIMENJOB' },
    },
    {
      ...ofIdentifai,
      fixture: `job, HTTP ${status}`,
      body: job.body,
      status,
      means: yes('SPECIMENJOB', ...IDENTIFAI_YES),
    },
  ]),
  { ...ofIdentifai, fixture: 'flat', body: flat.body, means: yes(null, ...IDENTIFAI_YES) },
  { ...ofIdentifai, fixture: 'tokenExpired', body: tokenExpired.body, means: error('token-expired') },
  {
    ...ofIdentifai,
    fixture: 'tokenExpired, HTTP 401',
    body: tokenExpired.body,
    status: 401,
    means: error('token-expired'),
  },
  // Business errors probably come with HTTP 200; the body counts whatever the status says.
  ...[200, 400, 500].flatMap((status): Row[] =>
    (
      [
        ['livenessError', livenessError, error('selfie-refused', ['too-dark', 'face-covered', 'moving'])],
        ['faceCompareError', faceCompareError, error('ktp-refused')],
        ['balance', balance, error('provider-balance')],
        ['parameter', parameter, error('provider-parameter')],
        ['credentials', credentials, error('provider-credentials')],
      ] as const
    ).map(([name, { body }, means]) => ({
      ...ofEendigo,
      fixture: `${name}, HTTP ${status}`,
      body,
      status,
      means,
    })),
  ),
  {
    ...ofEendigo,
    fixture: 'success',
    body: success.body,
    header: '10877',
    means: yes('10877', ...EENDIGO_YES),
  },
  {
    ...ofEendigo,
    fixture: 'success with its comma',
    body: EENDIGO_SUCCESS_WITH_COMMA,
    means: yes(null, ...EENDIGO_YES),
  },
  ...(['ktp', 'npwp'] as const).flatMap((type): Row[] => [
    {
      ...ofCard(type),
      fixture: `OCR of ${type}: not found`,
      body: EENDIGO_OCR.body('FAILED', notFound),
      means: error(`${type}-refused`, ['no-card']),
    },
    {
      ...ofCard(type),
      fixture: `OCR of ${type}: unreadable`,
      body: EENDIGO_OCR.body('FAILED', unreadable),
      means: error(`${type}-refused`, ['card-blurred', 'card-glare']),
    },
    {
      ...ofCard(type),
      fixture: `OCR of ${type}: unreadable, though a success`,
      body: EENDIGO_OCR.body('SUCCESS', unreadable),
      means: error(`${type}-refused`, ['card-blurred', 'card-glare']),
    },
    {
      ...ofCard(type),
      fixture: `OCR of ${type}`,
      body: EENDIGO_OCR.body('SUCCESS', '', { nik: '3171011501900001', nama: 'SPECIMEN', is_ektp: true }),
      header: '10878',
      means: {
        kind: 'result',
        result: {
          verified: false,
          liveness: null,
          match: null,
          document: { type, fields: { nik: '3171011501900001', nama: 'SPECIMEN' } },
          transactionId: '10878',
        },
      },
    },
  ]),
];

test.each(ROWS)('$fixture', ({ body, status = 200, header = null, provider, analytic, means }) => {
  const answer: ProviderAnswer = { status, body, header: (name) => (name === 'x-trx-no' ? header : null) };
  const outcome = provider.read(answer, { analytic, refNumber: REF });
  expect(outcome).toMatchObject(means);
  if (outcome.kind === 'result') expect(outcome.result.raw).toEqual(parseBody(body));
});

test('every fixture that a provider answers to photos is read', () => {
  const read = ROWS.map(({ fixture }) => fixture.replace(/,.*/, ''));
  const asked = ['signatureRequest', 'signature', 'submissionToken', 'request'];
  for (const name of Object.keys({ ...IDENTIFAI_SAMPLES, ...EENDIGO_SAMPLES }))
    if (!asked.includes(name)) expect(read).toContain(name);
});

test('a request has the fields of the sample', () => {
  const photos = new Map([['selfie', 'data:image/jpeg;base64,U1BFQ0lNRU4=']] as const);
  const built = buildIdentifaiRequest(IDENTIFAI_ANALYTICS['face-liveness-v4'], photos, REF);
  expect(built).toEqual({ ...(JSON.parse(IDENTIFAI_SAMPLES.request.body) as object), client_ref: REF });
});

test('the token endpoint may pass on what IdentifAI answers, or answer as the contract says', () => {
  for (const { body } of [IDENTIFAI_SAMPLES.submissionToken, CONTRACT_SAMPLES.token])
    expect(readToken(JSON.parse(body))).not.toBeNull();
  expect(readToken(JSON.parse(CONTRACT_SAMPLES.token.body))).toEqual({
    submission_token: 'SPECIMEN-TOKEN',
    expires_in: 300,
    upload_url: '/kyc/submissions',
    result_url: '/kyc/submissions/SPECIMEN',
  });
});
