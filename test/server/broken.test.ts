import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureError, type Step } from '../../src/domain/result.ts';
import { profileOf, wantedOf } from '../../src/providers/profiles.ts';
import { createIdentifaiClient } from '../../src/server/index.ts';
import { submit, type SubmitRequest } from '../../src/session/submit.ts';
import type { Transport } from '../../src/session/transport.ts';
import { bodies, GIVES, GOOD, mayVerify, SEED, statuses, tolerantJson } from '../fixtures/broken.ts';
import { CONTRACT_SAMPLES, IDENTIFAI_SAMPLES } from '../fixtures/providers.ts';

/* A whole submission against servers that answer anything. */

const PAGE = 'https://page.example';
const REF = 'SPECIMEN000001';
const SMALL = new Blob([new Uint8Array([0xff, 0xd8, 0xff])], { type: 'image/jpeg' });

interface Said {
  readonly status: number;
  readonly body: string;
}

const relayToken = CONTRACT_SAMPLES.token.body;
const resultOf = (verified: boolean): string =>
  JSON.stringify({
    provider: 'identifai',
    verified,
    liveness: { live: true, score: 0.9, threshold: 0.6 },
    match: { matched: verified, similarity: 0.9, threshold: 0.7 },
    document: null,
    transactionId: '10877',
    refNumber: REF,
    raw: null,
  });
const RELAY = [resultOf(true), resultOf(true), resultOf(false), '{"result_url":"/kyc/submissions/1"}'];

/** Mostly what is right, so that a submission comes through to its end. */
const tokens = (good: string): fc.Arbitrary<Said> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant({ status: 200, body: good }) },
    { weight: 1, arbitrary: fc.record({ status: statuses, body: bodies([good]) }) },
  );
const answers = (good: readonly string[]): fc.Arbitrary<Said> =>
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({ status: fc.constantFrom(200, 202), body: fc.constantFrom(...good) }),
    },
    { weight: 3, arbitrary: fc.record({ status: statuses, body: bodies(good) }) },
  );

interface Ended {
  readonly verified: boolean;
  /** What the relay or the provider answered, in its order. */
  readonly heard: readonly Said[];
}

/** One submission; nothing else may come of it than a result or an error of ours. */
async function run(
  analytics: readonly string[],
  isDirect: boolean,
  tokenSays: readonly Said[],
  providerSays: readonly Said[],
): Promise<Ended> {
  const heard: Said[] = [];
  let [asked, told] = [0, 0];
  const transport: Transport = ({ url, headers }) => {
    // As a browser would refuse to send what is no header.
    new Headers({ ...headers });
    const isToken = url.pathname === '/kyc/token';
    const next = isToken
      ? tokenSays[asked++ % tokenSays.length]
      : providerSays[Math.min(told++, providerSays.length - 1)];
    const said = next ?? { status: 500, body: '' };
    if (!isToken) heard.push(said);
    return Promise.resolve({ ...said, header: () => null });
  };
  const { steps } = wantedOf(profileOf('identifai'), analytics);
  const request: SubmitRequest = {
    provider: 'identifai',
    analytics,
    tokenEndpoint: new URL('/kyc/token', PAGE),
    tokenHeaders: {},
    providerBase: isDirect ? new URL('https://provider.example/') : null,
    refNumber: REF,
    faceId: '1001',
    steps,
    photos: new Map(steps.map((step: Step) => [step, SMALL])),
    context: {},
    submissionKey: crypto.randomUUID(),
    captureContext: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    pageOrigin: PAGE,
    transport,
    sleep: () => Promise.resolve(),
    online: () => true,
    timings: { retries: 1, retryDelay: 0, pollAttempts: 3 },
  };
  try {
    const { verified, refNumber, provider } = await submit(request);
    expect([provider, refNumber]).toEqual(['identifai', REF]);
    return { verified, heard };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    expect(error.code).toMatch(/^(token|upload|selfie|ktp|sim|npwp|provider|answer|configuration)-/);
    return { verified: false, heard };
  }
}

const MATCH_LIVENESS = 'face-match-liveness-v2';

/** Whether a relay's own answer is a whole yes to this submission, by the contract. */
function relayMayVerify({ status, body }: Said): boolean {
  const said = (tolerantJson(body) ?? {}) as Record<string, unknown>;
  const { liveness, match } = said as Record<string, Record<string, unknown> | null | undefined>;
  return (
    status === 200 &&
    said['verified'] === true &&
    said['provider'] === 'identifai' &&
    said['refNumber'] === REF &&
    liveness?.['live'] === true &&
    match?.['matched'] === true
  );
}

test('through a relay that answers anything', async () => {
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(tokens(relayToken), { minLength: 1, maxLength: 2 }),
      fc.array(answers(RELAY), { minLength: 1, maxLength: 4 }),
      async (tokenSays, relaySays) => {
        const ended = await run([MATCH_LIVENESS], false, tokenSays, relaySays);
        const last = ended.heard.at(-1);
        if (ended.verified) expect(last && relayMayVerify(last)).toBe(true);
        verified += Number(ended.verified);
      },
    ),
    { seed: SEED, numRuns: 2500 },
  );
  expect(verified).toBeGreaterThan(100);
});

test.each(
  Object.keys(GIVES.identifai)
    .filter((name) => name !== 'delete-enrollment')
    .map((name, place) => [name, place] as const),
)('%s, from a provider that answers anything', async (name, place) => {
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(tokens(IDENTIFAI_SAMPLES.submissionToken.body), { minLength: 1, maxLength: 2 }),
      fc.array(answers(GOOD.identifai), { minLength: 1, maxLength: 4 }),
      async (tokenSays, providerSays) => {
        const ended = await run([name], true, tokenSays, providerSays);
        const { status, body } = ended.heard.at(-1) ?? { status: 0, body: '' };
        if (ended.verified) expect(mayVerify('identifai', name, status, body)).toBe(true);
        verified += Number(ended.verified);
      },
    ),
    { seed: SEED + place, numRuns: 800 },
  );
  if (GIVES.identifai[name]?.length === 0) expect(verified).toBe(0);
  else expect(verified).toBeGreaterThan(50);
});

/** A yes to all of them, at once and by a job. */
const EVERYTHING = [
  ...GOOD.identifai.filter((body) => body.includes('"face_match"') && body.includes('"NIK"')),
  ...GOOD.identifai.filter((body) => body.includes('job_id') || body.includes('on going')),
];

test('several analytics, from a provider that answers anything', async () => {
  const names = ['face-liveness-v4', 'face-match', 'ocr-ktp'];
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(answers(EVERYTHING), { minLength: 1, maxLength: 6 }), async (providerSays) => {
      const token = { status: 200, body: IDENTIFAI_SAMPLES.submissionToken.body };
      const ended = await run(names, true, [token], providerSays);
      // Each needs a yes of its own; a body may say it to more than one of them.
      if (ended.verified)
        for (const name of names.slice(0, 2))
          expect(ended.heard.some(({ status, body }) => mayVerify('identifai', name, status, body))).toBe(
            true,
          );
      verified += Number(ended.verified);
    }),
    { seed: SEED, numRuns: 3000 },
  );
  expect(verified).toBeGreaterThan(50);
});

describe.each(['synchronous', 'asynchronous'] as const)("a server's own client, %s", (mode) => {
  const keys = { accessKey: 'SPECIMEN-access-key', secretKey: 'SPECIMEN-secret-key' };
  const photos = new Map(
    (['selfie', 'ktp'] as const).map((step) => [step, new Uint8Array([0xff, 0xd8, 0xff])]),
  );
  /** Statuses that a response can be made with. */
  const answersOf = (good: readonly string[], weight: number): fc.Arbitrary<Said> =>
    fc.oneof(
      { weight, arbitrary: fc.record({ status: fc.constant(200), body: fc.constantFrom(...good) }) },
      {
        weight: 1,
        arbitrary: fc.record({ status: fc.constantFrom(200, 202, 401, 500), body: bodies(good) }),
      },
    );
  const NAMES = ['face-match-liveness-v2', 'face-match', 'face-liveness-v1', 'ocr-ktp', 'delete-enrollment'];

  test('from a provider that answers anything', async () => {
    let verified = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...NAMES),
        answersOf([IDENTIFAI_SAMPLES.signature.body], 20),
        answersOf([IDENTIFAI_SAMPLES.submissionToken.body], 20),
        fc.array(answersOf(GOOD.identifai, 1), { minLength: 1, maxLength: 4 }),
        async (name, signature, token, says) => {
          let told = 0;
          let last: Said = { status: 0, body: '' };
          const fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
            const { pathname } = new URL(new Request(input, init).url);
            if (pathname.endsWith('/signatures')) return respond(signature);
            if (pathname.endsWith('/submission_tokens')) return respond(token);
            last = says[Math.min(told++, says.length - 1)] ?? last;
            return respond(last);
          };
          const sleep = (): Promise<void> => Promise.resolve();
          const client = createIdentifaiClient({ ...keys, mode }, { fetch, sleep });
          const outcome: unknown = await client
            .run(name, { refNumber: REF, photos, faceId: '1001' })
            .catch((error: unknown) => error);
          if (outcome instanceof CaptureError) {
            // Our own words: nothing of what was sent or answered.
            expect(outcome.message).not.toContain('SPECIMEN');
            return;
          }
          expect(outcome).toMatchObject({ provider: 'identifai', refNumber: REF });
          const isVerified = (outcome as { verified: unknown }).verified === true;
          if (isVerified) expect(mayVerify('identifai', name, last.status, last.body)).toBe(true);
          verified += Number(isVerified);
        },
      ),
      { seed: SEED, numRuns: 1500 },
    );
    expect(verified).toBeGreaterThan(50);
  });
});

const respond = ({ status, body }: Said): Promise<Response> =>
  Promise.resolve(new Response(body, { status }));
