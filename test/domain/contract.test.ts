import { describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/domain/result.ts';
import { readError, readResult, readToken, toWireError } from '../../src/providers/contract.ts';

const REF = 'SPECIMEN000001';

describe('the contract', () => {
  test.each([
    ["IdentifAI's own answer", { ok: true, submission_token: 'aaaa-bbbb' }, true],
    ['everything', { submission_token: 'a', expires_in: 300, upload_url: '/u', result_url: '/r' }, true],
    ['no token', { ok: true }, false],
    ['an empty token', { submission_token: '' }, false],
    ['a token that breaks a header', { submission_token: 'a\nb' }, false],
    ['a number', { submission_token: 7 }, false],
    ['an upload_url that is no text', { submission_token: 'a', upload_url: 7 }, false],
    ['nothing', undefined, false],
  ])('token answer: %s', (_, body, good) => {
    expect(readToken(body) !== null).toBe(good);
  });

  const good = {
    provider: 'identifai',
    verified: true,
    liveness: { live: true, score: 0.9, threshold: 0.6 },
    match: { matched: true, similarity: 0.9, threshold: null },
    document: null,
    transactionId: null,
    refNumber: REF,
    raw: null,
  };
  test.each([
    ['a good one', good, true],
    ['verified, but not live', { ...good, liveness: { ...good.liveness, live: false } }, false],
    ['verified, but no match', { ...good, match: { ...good.match, matched: false } }, false],
    ['verified as a word', { ...good, verified: 'true' }, false],
    ['a provider that is no word', { ...good, provider: 7 }, false],
    ['verified without a verdict', { ...good, liveness: null, match: null }, false],
    ['a document', { ...good, document: { type: 'ktp', fields: { nik: '1' } } }, true],
    ['a document of an unknown kind', { ...good, document: { type: 'selfie', fields: {} } }, false],
    ['no reference number', { ...good, refNumber: undefined }, false],
  ])('result: %s', (_, body, accepted) => {
    expect(readResult(body) !== null).toBe(accepted);
  });

  test('an error survives the wire, and unknown guidance is dropped', () => {
    const error = new CaptureError('selfie-refused', 'words', { guidance: ['too-dark'] });
    expect(readError(JSON.parse(JSON.stringify(toWireError(error))))).toMatchObject({
      code: 'selfie-refused',
      guidance: ['too-dark'],
    });
    const odd = { error: { code: 'selfie-refused', message: '', guidance: ['smile', 'toString', 'moving'] } };
    expect(readError(odd)?.guidance).toEqual(['moving']);
  });

  test.each(['camera-denied', 'toString', 'nonsense', 7])('an error of code %s is none', (code) => {
    expect(readError({ error: { code, message: '' } })).toBeNull();
  });
});
