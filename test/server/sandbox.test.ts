import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createApp, createSandbox, findCase, SANDBOX_CASES } from '../../src/server/index.ts';
import { isJpeg, readJpegSize } from '../../src/domain/jpeg.ts';
import { decodes } from '../../src/server/jpeg.ts';
import { toDataUrl } from '../../src/providers/identifai.ts';
import { blob, drawJpeg, KTP, QUICK, SECRETS, SELFIE } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const START = Date.parse('2021-12-13T06:25:02Z');
let clock = START;
const sandbox = createSandbox({ ...QUICK.sandbox, now: () => clock });

afterEach(() => {
  clock = START;
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  sandbox.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

async function signature(): Promise<Record<string, string>> {
  const answer = await post('/public/auth/v1/signatures', {
    access_key: SECRETS.accessKey,
    secret_key: SECRETS.secretKey,
  });
  const { token, headers } = (await answer.json()) as { token: string; headers: Record<string, string> };
  const timestamp = headers['x-nodeflux-timestamp'] ?? '';
  return {
    authorization: `NODEFLUX-HMAC-SHA256 Credential=${SECRETS.accessKey}/${timestamp.slice(0, 8)}/nodeflux.api.v1beta1.ImageAnalytic/StreamImageAnalytic, SignedHeaders=x-nodeflux-timestamp, Signature=${token}`,
    'x-nodeflux-timestamp': timestamp,
  };
}

async function submissionToken(): Promise<string> {
  const answer = await post('/auth/v1/submission_tokens', null, await signature());
  return ((await answer.json()) as { submission_token: string }).submission_token;
}

describe('IdentifAI', () => {
  const analyse = async (images: string[], token?: string, more: object = {}) =>
    post(
      '/v1/analytics/face-match-liveness-v2',
      { images, client_ref: 'SPECIMEN000001', ...more },
      { authorization: token ?? (await submissionToken()) },
    );
  const ktp = toDataUrl(KTP);
  const selfie = toDataUrl(SELFIE);

  test('signs as documented', async () => {
    const headers = await signature();
    expect(headers['x-nodeflux-timestamp']).toBe('20211213T062502Z');
    expect(headers['authorization']).toMatch(/Signature=[0-9a-f]{64}$/);
  });

  test.each<[string, (headers: Record<string, string>) => Record<string, string>]>([
    ['no signature', () => ({})],
    ['another timestamp', (headers) => ({ ...headers, 'x-nodeflux-timestamp': '20211213T062503Z' })],
    [
      'another key',
      (headers) => ({
        ...headers,
        authorization: headers['authorization']?.replace('access', 'other') ?? '',
      }),
    ],
    [
      'another signature',
      (headers) => ({ ...headers, authorization: headers['authorization']?.replace(/.$/, 'x') ?? '' }),
    ],
    ['Bearer', (headers) => ({ ...headers, authorization: `Bearer ${headers['authorization']}` })],
  ])('gives no token to %s', async (_, change) => {
    const answer = await post('/auth/v1/submission_tokens', null, change(await signature()));
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'not-authenticate', ok: false });
  });

  test('a token is for one use and for five minutes', async () => {
    const token = await submissionToken();
    expect(await (await analyse([ktp, selfie], token)).json()).toEqual({
      job_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      ok: true,
    });
    const again = await analyse([ktp, selfie], token);
    expect([again.status, await again.json()]).toEqual([
      401,
      { code: 'not-authenticate', errors: [], message: 'Submission token has been used', ok: false },
    ]);
    const old = await submissionToken();
    clock += 300_000;
    expect(await (await analyse([ktp, selfie], old)).json()).toEqual({
      code: 'not-authenticate',
      errors: [],
      message: 'Submission token is expired',
      ok: false,
    });
    expect(await (await analyse([ktp, selfie], 'made-up')).json()).toMatchObject({
      code: 'not-authenticate',
    });
  });

  test.each<[string, string[], object, RegExp]>([
    ['one image', [ktp], {}, /Parameter invalid/],
    ['three images', [ktp, selfie, selfie], {}, /Parameter invalid/],
    ['the wrong order', [selfie, ktp], {}, /order/],
    ['bare base64', [ktp.slice(23), selfie.slice(23)], {}, /Parameter invalid/],
    ['a truncated image', [ktp, toDataUrl(SELFIE.slice(0, 4000))], {}, /decoded/],
    ['broken base64', [ktp, 'data:image/jpeg;base64,%%%'], {}, /decoded/],
    ['a long client_ref', [ktp, selfie], { client_ref: 'A'.repeat(129) }, /Parameter invalid/],
    ['a client_ref with a dash', [ktp, selfie], { client_ref: 'SPECIMEN-1' }, /Parameter invalid/],
  ])('refuses %s', async (_, images, more, message) => {
    const answer = await analyse(images, undefined, more);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      ok: false,
      message: expect.stringMatching(message) as string,
    });
  });

  test('finds an image above 2 MB too large', async () => {
    const padded = new Uint8Array(2_000_001);
    padded.set(SELFIE);
    expect(await (await analyse([ktp, toDataUrl(padded)])).json()).toMatchObject({
      message: 'Image too large',
    });
  });

  test('a job goes on before it ends, and is asked for with a token each time', async () => {
    const { job_id: id } = (await (await analyse([ktp, selfie])).json()) as { job_id: string };
    const statuses: string[] = [];
    for (let poll = 0; poll < 4; poll++) {
      const answer = await sandbox.request(`/v1/jobs/${id}`, {
        headers: { authorization: await submissionToken() },
      });
      statuses.push(((await answer.json()) as { job: { result: { status: string } } }).job.result.status);
    }
    expect(statuses).toEqual(['on going', 'on going', 'success', 'success']);
    expect((await sandbox.request(`/v1/jobs/${id}`)).status).toBe(401);
    const unknown = await sandbox.request('/v1/jobs/other', {
      headers: { authorization: await submissionToken() },
    });
    expect(unknown.status).toBe(404);
  });
});

describe('Eendigo', () => {
  const ask = async (
    changes: Record<string, Blob | string | null> = {},
    path = '/biometric/facecompareliveness',
  ) => {
    const parts: Record<string, Blob | string | null> = {
      img1: blob(SELFIE),
      img2: blob(KTP),
      key: SECRETS.key,
      tenant_code: SECRETS.tenantCode,
      refNumber: 'SPECIMEN000001',
      ...changes,
    };
    const form = new FormData();
    for (const [name, part] of Object.entries(parts)) if (part !== null) form.append(name, part);
    return sandbox.request(path, { method: 'POST', body: form });
  };

  test.each(['/biometric/facecompareliveness', '/demo/biometric/facecompareliveness'])(
    'answers at %s',
    async (path) => {
      const answer = await ask({}, path);
      const text = await answer.text();
      expect(() => JSON.parse(text) as unknown).toThrow();
      expect(text).toMatch(/"compare":"True".*"live":"True".*"status":"Success",}$/);
      expect(answer.headers.get('x-trx-no')).toMatch(/^\d+$/);
    },
  );

  const INVALID = 'Parameter invalid, please check your request';
  test.each<[string, Record<string, Blob | string | null>, string]>([
    ['no selfie', { img1: null }, INVALID],
    ['a selfie that is text', { img1: 'text' }, INVALID],
    ['no reference number', { refNumber: null }, INVALID],
    ['another key', { key: 'other' }, 'Invalid API key or tenant code'],
    ['no tenant', { tenant_code: null }, 'Invalid API key or tenant code'],
    ['a truncated selfie', { img1: blob(SELFIE.slice(0, 4000)) }, INVALID],
    ['a truncated card', { img2: blob(KTP.slice(0, 4000)) }, 'Input Image Invalid'],
    ['a small selfie', { img1: blob(drawJpeg(599, 640)) }, 'Parameter invalid, image too small'],
    ['a small card', { img2: blob(drawJpeg(959, 720)) }, 'Parameter invalid, image too small'],
    ['a long selfie', { img1: blob(drawJpeg(600, 1921)) }, 'Image size too large'],
    [
      'selfie and card in the wrong order',
      { img1: blob(KTP), img2: blob(drawJpeg(720, 960)) },
      'Input Image Invalid',
    ],
  ])('refuses %s, under HTTP 200', async (_, changes, message) => {
    const answer = await ask(changes);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'FAILED', message }]);
  });
});

test('every answer of the sandbox says that it is one, and none of the relay does', async () => {
  const app = createApp(QUICK);
  const token = (refNumber: string) =>
    app.request('/kyc/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refNumber, provider: 'identifai', steps: ['selfie', 'ktp'] }),
    });
  const marked = [
    await app.request('/sandbox/received/NOBODY0001'),
    await app.request('/sandbox/identifai/public/auth/v1/signatures', { method: 'POST' }),
    await app.request('/sandbox/eendigo/biometric/facecompareliveness', { method: 'POST' }),
    await token('TOKEN401000'),
    await token('TOKENHTML00'),
  ];
  expect(marked.map(({ headers }) => headers.get('x-kyc-sandbox'))).toEqual(['1', '1', '1', '1', '1']);
  expect((await token('SPECIMEN01')).headers.get('x-kyc-sandbox')).toBeNull();
});

test('two apps have two sets of keys', async () => {
  const [one, other] = [createApp(), createApp()];
  const issued = await one.request('/kyc/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refNumber: 'SPECIMEN01', provider: 'eendigo', steps: ['selfie', 'ktp'] }),
  });
  const { submission_token: token } = (await issued.json()) as { submission_token: string };
  const sent = await other.request('/kyc/submissions', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: new FormData(),
  });
  expect(sent.status).toBe(401);
});

test('the longest prefix counts, and every case can be sent to IdentifAI', () => {
  for (const { prefix } of SANDBOX_CASES) {
    expect(findCase(`${prefix}000001`).prefix).toBe(prefix);
    expect(prefix).toMatch(/^[A-Z0-9]+$/);
  }
  expect(findCase('SPECIMEN01').prefix).toBe('');
});

describe('JPEG', () => {
  test('sizes are read from the header for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }), (width, height) => {
        const jpeg = drawJpeg(width, height);
        expect(isJpeg(jpeg)).toBe(true);
        expect(readJpegSize(jpeg)).toEqual({ width, height });
        expect(decodes(jpeg)).toBe(true);
      }),
      { seed: 20220414, numRuns: 40 },
    );
  });

  test('no prefix of a JPEG decodes, and no bytes make the reader throw', () => {
    const jpeg = drawJpeg(64, 48);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: jpeg.length - 3 }), (length) => {
        expect(decodes(jpeg.slice(0, length))).toBe(false);
        readJpegSize(jpeg.slice(0, length));
      }),
      { seed: 20220414 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const bytes = Uint8Array.from([0xff, 0xd8, 0xff, ...noise]);
        readJpegSize(bytes);
        decodes(bytes);
      }),
      { seed: 20220414 },
    );
  });
});
