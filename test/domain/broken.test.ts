import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureError, type Result } from '../../src/domain/result.ts';
import { readError, readPending, readResult, readToken, toWireError } from '../../src/providers/contract.ts';
import { readDocument } from '../../src/providers/documents.ts';
import { eendigo } from '../../src/providers/eendigo.ts';
import { identifai } from '../../src/providers/identifai.ts';
import { EENDIGO_ANALYTICS, IDENTIFAI_ANALYTICS, type Analytic } from '../../src/providers/profiles.ts';
import { combined, type Answered } from '../../src/providers/reading.ts';
import { parseBody, type Provider } from '../../src/providers/provider.ts';
import { bodies, GIVES, GOOD, mayVerify, SEED, statuses, tolerantJson } from '../fixtures/broken.ts';
import { CONTRACT_SAMPLES } from '../fixtures/providers.ts';

/* No answer, however broken, verifies anybody or breaks the reader. */

const REF = 'SPECIMEN000001';
const headers = fc.constantFrom(null, '', '10877', 'x'.repeat(500), '\u0000');

interface Reader {
  readonly id: 'identifai' | 'eendigo';
  readonly provider: Provider;
  readonly name: string;
  readonly analytic: Analytic;
}
const readersOf = (
  provider: Provider & Pick<Reader, 'id'>,
  analytics: Readonly<Record<string, Analytic>>,
): readonly Reader[] =>
  Object.entries(analytics).map(([name, analytic]) => ({ id: provider.id, provider, name, analytic }));
const READERS = [...readersOf(identifai, IDENTIFAI_ANALYTICS), ...readersOf(eendigo, EENDIGO_ANALYTICS)];

/** The same again after the wire. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

test('what the documents say that analytics give is what our tables say', () => {
  for (const { id, name, analytic } of READERS) expect([...analytic.checks].sort()).toEqual(GIVES[id][name]);
});

describe.each(READERS.map((reader, place) => ({ ...reader, seed: SEED + place })))('$id $name', (reader) => {
  const { id, provider, name, analytic, seed } = reader;

  test('reads any body without an error, and verifies by the documents alone', () => {
    let verified = 0;
    fc.assert(
      fc.property(bodies(GOOD[id]), statuses, headers, (body, status, header) => {
        const answer = { status, body, header: () => header };
        const outcome = provider.read(answer, { analytic, refNumber: REF });
        if (outcome.kind === 'result') {
          const { result } = outcome;
          const may = mayVerify(id, name, status, body);
          if (result.verified) expect(may).toBe(true);
          verified += Number(result.verified);
          expect(result.refNumber).toBe(REF);
          // What the relay passes on, the browser takes as it was.
          expect(readResult(sent(result))?.verified).toBe(result.verified);
        } else if (outcome.kind === 'error') {
          expect(outcome.error).toBeInstanceOf(CaptureError);
          expect(readError(sent(toWireError(outcome.error)))?.code).toBe(outcome.error.code);
        } else {
          const url = new URL(`v1/jobs/${encodeURIComponent(outcome.job)}`, 'https://provider.example/base/');
          expect(url.pathname).toMatch(/^\/base\/v1\/jobs\/[^/]+$/);
        }
      }),
      { seed, numRuns: 3000 },
    );
    // Or the property would hold for a reader that never verifies.
    if (analytic.checks.length > 0) expect(verified).toBeGreaterThan(100);
    else expect(verified).toBe(0);
  });
});

test('several results are a yes only where each that has to say yes does', () => {
  let verified = 0;
  const ofIdentifai = READERS.filter(({ id }) => id === 'identifai');
  const parts = fc.array(
    fc.record({ reader: fc.constantFrom(...ofIdentifai), body: bodies(GOOD.identifai) }),
    { minLength: 2, maxLength: 3 },
  );
  fc.assert(
    fc.property(parts, (list) => {
      const answered: Answered[] = [];
      const may: boolean[] = [];
      for (const { reader, body } of list) {
        const { name, analytic } = reader;
        const answer = { status: 200, body, header: () => null };
        const outcome = identifai.read(answer, { analytic, refNumber: REF });
        if (outcome.kind !== 'result') continue;
        answered.push({ name, analytic, result: outcome.result });
        if ((GIVES.identifai[name] ?? []).length > 0) may.push(mayVerify('identifai', name, 200, body));
      }
      if (answered.length === 0) return;
      const whole = combined(answered);
      if (whole.verified) expect(may.length > 0 && may.every(Boolean)).toBe(true);
      expect(readResult(sent(whole))?.verified).toBe(whole.verified);
      verified += Number(whole.verified);
    }),
    { seed: SEED, numRuns: 5000 },
  );
  expect(verified).toBeGreaterThan(100);
});

test('a result without the verdict that its analytic owes is a no beside others', () => {
  const result = (changes: Partial<Result>): Result => ({
    provider: 'specimen',
    verified: true,
    liveness: { live: true, score: null, threshold: null },
    match: null,
    document: null,
    transactionId: null,
    refNumber: REF,
    raw: null,
    ...changes,
  });
  const analytic = IDENTIFAI_ANALYTICS['face-liveness-v4'];
  const owed = { name: 'b', analytic: IDENTIFAI_ANALYTICS['face-match'] };
  const empty = result({ verified: false, liveness: null });
  const yes = { name: 'a', analytic, result: result({}) };
  expect(combined([yes, { ...owed, result: empty }]).verified).toBe(false);
  expect(combined([yes, { ...owed, analytic: IDENTIFAI_ANALYTICS['ocr-ktp'], result: empty }]).verified).toBe(
    true,
  );
});

const RESULT = JSON.stringify({
  provider: 'identifai',
  verified: true,
  liveness: { live: true, score: 0.9, threshold: 0.6 },
  match: { matched: true, similarity: 0.9, threshold: 0.7 },
  document: { type: 'ktp', fields: { nik: '3171011501900001' } },
  transactionId: '10877',
  refNumber: REF,
  raw: null,
});
const ERROR = JSON.stringify(
  toWireError(new CaptureError('selfie-refused', 'w', { guidance: ['too-dark'] })),
);
const CONTRACT = [RESULT, RESULT, RESULT, ERROR, CONTRACT_SAMPLES.token.body, '{"result_url":"/kyc/1"}'];

test('whatever the relay or the token endpoint says is read or refused, never an error of ours', () => {
  const seen = { result: 0, error: 0, token: 0, pending: 0 };
  fc.assert(
    fc.property(bodies(CONTRACT), (text) => {
      const body = parseBody(text);
      const result = readResult(body);
      if (result?.verified) {
        const said = tolerantJson(text) as Record<string, Record<string, unknown> | null>;
        expect(said['verified']).toBe(true);
        const verdicts = [said['liveness']?.['live'], said['match']?.['matched']].filter(
          (word) => word !== undefined,
        );
        expect(verdicts.length).toBeGreaterThan(0);
        expect(verdicts.every((word) => word === true)).toBe(true);
      }
      const error = readError(body);
      if (error) expect(error.code).toMatch(/^[a-z-]+$/);
      const token = readToken(body);
      // Or the browser could not send the header.
      if (token) expect(() => new Headers({ authorization: token.submission_token })).not.toThrow();
      const pending = readPending(body);
      if (pending !== null) expect(typeof pending).toBe('string');
      seen.result += Number(result?.verified === true);
      seen.error += Number(error !== null);
      seen.token += Number(token !== null);
      seen.pending += Number(pending !== null);
    }),
    { seed: SEED, numRuns: 5000 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
});

test('fields of any card are words under plain names', () => {
  let read = 0;
  fc.assert(
    fc.property(bodies(GOOD.identifai), fc.constantFrom('ktp', 'sim', 'npwp' as const), (text, type) => {
      const body = parseBody(text) as { job?: { result?: { result?: unknown } } } | null | undefined;
      for (const found of [body, body?.job?.result?.result]) {
        const document = readDocument(found, type);
        if (document === null) continue;
        read++;
        expect(document.type).toBe(type);
        for (const [name, value] of Object.entries(document.fields)) {
          expect(name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
          expect(value.trim()).not.toBe('');
        }
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(100);
});

test('JSON with and without a comma too many is read as a scanner reads it', () => {
  fc.assert(
    fc.property(bodies([...GOOD.identifai, ...GOOD.eendigo]), (text) => {
      let plain: unknown;
      try {
        plain = JSON.parse(text);
      } catch {
        plain = tolerantJson(text);
      }
      expect(parseBody(text)).toEqual(plain);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});
