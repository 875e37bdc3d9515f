import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ProviderId } from '../../src/domain/result.ts';
import { PHOTO_LIMITS } from '../../src/domain/limits.ts';
import { createApp, createRelay, createSandbox, readRelayOptions } from '../../src/server/index.ts';
import { submit } from '../../src/session/submit.ts';
import {
  blob,
  DIRECT,
  drawJpeg,
  KTP,
  overHttp,
  QUICK,
  received,
  request,
  SECRETS,
  SELFIE,
} from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const START = Date.parse('2026-01-01T00:00:00Z');
let clock = START;
const app = createApp({ ...QUICK, now: () => clock });

afterEach(() => {
  clock = START;
});

async function askToken(refNumber: string, provider: ProviderId = 'eendigo'): Promise<string> {
  const response = await app.request('/kyc/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refNumber, provider, steps: ['selfie', 'ktp'] }),
  });
  return ((await response.json()) as { submission_token: string }).submission_token;
}

function formOf(refNumber: string, parts: Record<string, Blob | string> = {}): FormData {
  const form = new FormData();
  const all = { selfie: blob(SELFIE), ktp: blob(KTP), refNumber, ...parts };
  for (const [name, part] of Object.entries(all)) {
    if (typeof part === 'string') form.append(name, part);
    else form.append(name, part, `${name}.jpg`);
  }
  return form;
}

const send = (token: string | null, body: FormData | string, headers: Record<string, string> = {}) =>
  app.request('/kyc/submissions', {
    method: 'POST',
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body,
  });

const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code;

/** Any token of the relay's shape, signed with any secret. */
function forge(
  secret: string,
  claims: object,
  audience: string,
  expires: number,
  algorithm = 'HS256',
): Promise<string> {
  return new SignJWT({
    ref: 'FORGED0001',
    provider: 'eendigo',
    analytics: ['facecompareliveness'],
    ...claims,
  })
    .setProtectedHeader({ alg: algorithm })
    .setAudience(audience)
    .setJti('forged')
    .setExpirationTime(Math.floor(START / 1000) + expires)
    .sign(new TextEncoder().encode(secret));
}

describe('tokens that the relay refuses', () => {
  const AUDIENCE = 'kyc-capture-submission';
  const OTHER = 'another-secret-another-secret-another';
  test.each<[string, () => Promise<string | null>]>([
    ['none', () => Promise.resolve(null)],
    ['nonsense', () => Promise.resolve('abc')],
    ['another signature', () => forge(OTHER, {}, AUDIENCE, 60)],
    ['another audience', () => forge(SECRETS.relay, {}, 'somebody', 60)],
    ['expired', () => forge(SECRETS.relay, {}, AUDIENCE, -1)],
    ['another algorithm', () => forge(SECRETS.relay.repeat(2), {}, AUDIENCE, 60, 'HS512')],
    ['unknown claims', () => forge(SECRETS.relay, { provider: 'somebody' }, AUDIENCE, 60)],
    ['no signature', async () => (await forge(SECRETS.relay, {}, AUDIENCE, 60)).replace(/[^.]*$/, '')],
  ])('%s', async (_, make) => {
    const response = await send(await make(), formOf('FORGED0001'));
    expect([response.status, await codeOf(response)]).toEqual([401, 'token-expired']);
    expect(await received(app, 'FORGED0001')).toEqual([]);
  });

  test('the same token, forged with the right secret, is taken: the others fail for their reason alone', async () => {
    const response = await send(await forge(SECRETS.relay, {}, AUDIENCE, 60), formOf('FORGED0001'));
    expect(response.status).toBe(200);
  });

  test('one that was used', async () => {
    const token = await askToken('USEDTWICE1');
    expect((await send(token, formOf('USEDTWICE1'))).status).toBe(200);
    expect((await send(token, formOf('USEDTWICE1'))).status).toBe(401);
    expect(await received(app, 'USEDTWICE1')).toHaveLength(1);
  });

  test('one that is used twice at the same time', async () => {
    const token = await askToken('USEDATONCE');
    const answers = await Promise.all([send(token, formOf('USEDATONCE')), send(token, formOf('USEDATONCE'))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test('one that is five minutes old', async () => {
    const token = await askToken('OLDTOKEN01');
    clock += 299_000;
    const young = await askToken('OLDTOKEN01');
    clock += 2000;
    expect((await send(token, formOf('OLDTOKEN01'))).status).toBe(401);
    expect((await send(young, formOf('OLDTOKEN01'))).status).toBe(200);
  });
});

describe('uploads that the relay refuses before it spends a call', () => {
  const truncated = SELFIE.slice(0, SELFIE.length * 0.6);
  const damaged = SELFIE.slice();
  // A marker that must not stand in the middle of the scan.
  damaged.set([0xff, 0xd9], Math.floor(damaged.length / 2));
  const padded = new Uint8Array(PHOTO_LIMITS.eendigo.ktp.maxBytes + 1);
  padded.set(KTP);
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...new Uint8Array(64)]);
  const claimsHuge = SELFIE.slice();
  const frame = claimsHuge.findIndex((byte, at) => byte === 0xff && claimsHuge[at + 1] === 0xc0);
  claimsHuge.set([0xff, 0xff, 0xff, 0xff], frame + 5);

  test.each<[string, string, Record<string, Blob | string>, number]>([
    ['a PNG', 'selfie: the file is no JPEG', { selfie: blob(png) }, 422],
    [
      'a JPEG declared as PNG',
      'selfie: the file is not declared',
      { selfie: blob(SELFIE, 'image/png') },
      422,
    ],
    ['an empty file', 'selfie: the file is no JPEG', { selfie: blob(new Uint8Array()) }, 422],
    ['text in place of a file', 'selfie: exactly one file', { selfie: 'text' }, 422],
    ['a header alone', 'selfie: the JPEG has no size', { selfie: blob(SELFIE.slice(0, 20)) }, 422],
    ['a truncated JPEG', 'selfie: the JPEG is damaged', { selfie: blob(truncated) }, 422],
    ['a damaged JPEG', 'selfie: the JPEG is damaged', { selfie: blob(damaged) }, 422],
    ['a JPEG that claims to be huge', 'selfie: 65535x65535 px', { selfie: blob(claimsHuge) }, 422],
    ['a selfie too small', 'selfie: 640x599 px', { selfie: blob(drawJpeg(640, 599)) }, 422],
    ['a selfie too long', 'selfie: 600x1928 px', { selfie: blob(drawJpeg(600, 1928)) }, 422],
    ['a card too small', 'ktp: 952x720 px', { ktp: blob(drawJpeg(952, 720)) }, 422],
    ['a card of too many bytes', 'ktp: 800001 bytes', { ktp: blob(padded) }, 422],
    ["another's reference number", 'the upload is not for the reference', { refNumber: 'SOMEBODY01' }, 422],
    ['metadata without end', 'the field officeName', { officeName: 'x'.repeat(257) }, 422],
    ['a body too large', 'the request is too large', { selfie: blob(new Uint8Array(4_000_000)) }, 413],
  ])('%s', async (_, words, parts, status) => {
    const refNumber = `REFUSED${status}`;
    const response = await send(await askToken(refNumber), formOf(refNumber, parts));
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect([response.status, error.code]).toEqual([status, 'upload-refused']);
    expect(error.message).toContain(words);
    expect(await received(app, refNumber)).toEqual([]);
  });

  test.each<[string, Blob]>([
    ['selfie', blob(drawJpeg(1080, 1920, 30))],
    ['selfie', blob(drawJpeg(600, 600))],
    ['ktp', blob(drawJpeg(960, 720))],
    ['ktp', blob(drawJpeg(1920, 1080, 30))],
  ])('a %s at the very limit passes', async (name, photo) => {
    const response = await send(await askToken('ATTHELIMIT'), formOf('ATTHELIMIT', { [name]: photo }));
    expect(response.status).toBe(200);
  });

  test('two selfies', async () => {
    const form = formOf('TWOSELFIES');
    form.append('selfie', blob(SELFIE), 'second.jpg');
    expect((await send(await askToken('TWOSELFIES'), form)).status).toBe(422);
  });

  test.each([
    ['JSON', '{}', { 'content-type': 'application/json' }, 415],
    ['a form without a boundary', 'x', { 'content-type': 'multipart/form-data' }, 422],
  ])('%s', async (_, body, headers, status) => {
    expect((await send(await askToken('NOTAFORM01'), body, headers)).status).toBe(status);
  });
});

describe('the token endpoint', () => {
  const ask = (body: unknown, path = '/kyc/token', type = 'application/json') =>
    app.request(path, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) });
  const good = { refNumber: 'SPECIMEN01', provider: 'identifai', steps: ['selfie', 'ktp'] };

  test('keeps the contract', async () => {
    const response = await ask(good);
    expect(await response.json()).toEqual({
      submission_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
      expires_in: 300,
      upload_url: '/kyc/submissions',
      idempotent: true,
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-kyc-sandbox')).toBeNull();
  });

  test('takes the steps of further cards beside those of the verification', async () => {
    expect((await ask({ ...good, steps: ['npwp', 'selfie', 'sim', 'ktp'] })).status).toBe(200);
    expect((await ask({ ...good, steps: ['sim', 'npwp'] })).status).toBe(422);
  });

  test("passes IdentifAI's answer on unchanged in direct mode", async () => {
    expect(await (await ask(good, '/kyc/token/direct')).json()).toEqual({
      ok: true,
      submission_token: expect.stringMatching(/^[0-9a-f-]{36}-[0-9A-V]{16}$/) as string,
    });
  });

  test.each<[string, unknown, string, string, number]>([
    ['no JSON type', good, '/kyc/token', 'text/plain', 422],
    ['another shape', { refNumber: 'SPECIMEN01' }, '/kyc/token', 'application/json', 422],
    ['no steps', { ...good, steps: [] }, '/kyc/token', 'application/json', 422],
    ['a step too few', { ...good, steps: ['selfie'] }, '/kyc/token', 'application/json', 422],
    ['an unknown provider', { ...good, provider: 'somebody' }, '/kyc/token', 'application/json', 422],
    ['a number IdentifAI refuses', { ...good, refNumber: 'a b' }, '/kyc/token', 'application/json', 422],
    [
      'direct mode of Eendigo',
      { ...good, provider: 'eendigo' },
      '/kyc/token/direct',
      'application/json',
      422,
    ],
    ['a long body', { ...good, more: 'x'.repeat(9000) }, '/kyc/token', 'application/json', 413],
  ])('refuses %s', async (_, body, path, type, status) => {
    expect((await ask(body, path, type)).status).toBe(status);
  });

  test('asks the customer whether this person may have one', async () => {
    const guarded = createApp({
      ...QUICK,
      relay: { ...QUICK.relay, authorise: (asked) => asked.headers.get('cookie') === 'session=SPECIMEN' },
    });
    const init = { method: 'POST', body: JSON.stringify(good) };
    const headers = { 'content-type': 'application/json' };
    expect((await guarded.request('/kyc/token', { ...init, headers })).status).toBe(401);
    const withCookie = { ...headers, cookie: 'session=SPECIMEN' };
    expect((await guarded.request('/kyc/token', { ...init, headers: withCookie })).status).toBe(200);
  });
});

describe("IdentifAI's signature", () => {
  const SANDBOX = { ...QUICK.sandbox, now: () => clock };

  /** A relay whose calls to the sandbox are counted by path. */
  function counted(keys: { accessKey: string; secretKey: string } = QUICK.sandbox.identifai) {
    const sandbox = createSandbox(SANDBOX);
    const calls: string[] = [];
    const relay = createRelay({
      secret: SECRETS.relay,
      identifai: { ...keys, base: 'http://sandbox.invalid/' },
      direct: true,
      now: () => clock,
      fetch: async (input, init) => {
        const asked = new Request(input, init);
        calls.push(new URL(asked.url).pathname);
        return sandbox.fetch(asked);
      },
    });
    const ask = () =>
      relay.request('/token/direct', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refNumber: 'SPECIMEN01', provider: 'identifai', steps: ['selfie', 'ktp'] }),
      });
    const signatures = () => calls.filter((path) => path === '/public/auth/v1/signatures').length;
    return { ask, signatures };
  }

  test('is asked for once in five minutes, also by many at once', async () => {
    const { ask, signatures } = counted();
    await Promise.all([ask(), ask(), ask()]);
    expect(signatures()).toBe(1);
    clock += 299_000;
    await ask();
    expect(signatures()).toBe(1);
    clock += 1000;
    expect((await ask()).status).toBe(200);
    expect(signatures()).toBe(2);
  });

  test('that is refused is told as credentials, and is not kept', async () => {
    const { ask, signatures } = counted({ accessKey: 'wrong', secretKey: 'wrong' });
    for (const _ of [1, 2]) {
      const response = await ask();
      expect([response.status, await codeOf(response)]).toEqual([502, 'provider-credentials']);
    }
    expect(signatures()).toBe(2);
  });
});

describe('jobs', () => {
  test('only the reference number that sent it may ask for a job', async () => {
    const token = await askToken('JOBOWNER01', 'identifai');
    const sent = await send(token, formOf('JOBOWNER01'));
    expect(sent.status).toBe(202);
    const { result_url: path } = (await sent.json()) as { result_url: string };
    expect(path).toMatch(/^\/kyc\/submissions\/[\w.-]+$/);
    const poll = async (bearer: string | null, at = path) =>
      (await app.request(at, bearer === null ? {} : { headers: { authorization: `Bearer ${bearer}` } }))
        .status;

    expect(await poll(null)).toBe(401);
    expect(await poll(await askToken('SOMEBODY01', 'identifai'))).toBe(422);
    expect(
      await poll(
        token,
        path.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')).replace(/\.[\w-]{5}/, '.AAAAA'),
      ),
    ).toBe(422);
    expect([await poll(token), await poll(token), await poll(token)]).toEqual([202, 202, 200]);
    expect(await poll(await askToken('JOBOWNER01', 'identifai'))).toBe(200);
    clock += 301_000;
    expect(await poll(token)).toBe(401);
  });
});

test('a provider that quotes a secret does not get it past the relay', async () => {
  const relay = createRelay({
    secret: SECRETS.relay,
    eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode, base: 'http://sandbox.invalid' },
    now: () => clock,
    fetch: () =>
      Promise.resolve(Response.json({ loginId: SECRETS.tenantCode, hint: [`key ${SECRETS.key}`] })),
  });
  const response = await relay.request('/submissions', {
    method: 'POST',
    headers: { authorization: `Bearer ${await askToken('QUOTED0001')}` },
    body: formOf('QUOTED0001'),
  });
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({
    error: { code: 'answer-unreadable', raw: { loginId: '[removed]', hint: ['key [removed]'] } },
  });
});

test('browsers get no tokens of IdentifAI unless the relay is told to give them', async () => {
  const relay = createRelay({ secret: SECRETS.relay, identifai: QUICK.sandbox.identifai });
  const response = await relay.request('/token/direct', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refNumber: 'SPECIMEN01', provider: 'identifai', steps: ['selfie', 'ktp'] }),
  });
  expect([response.status, await codeOf(response)]).toEqual([422, 'configuration-invalid']);
});

test('nothing is logged, whatever happens', async () => {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
    vi.spyOn(console, method),
  );
  await submit(request(app, { refNumber: 'QUIETLY001' }));
  await submit(request(app, { refNumber: 'CUTOFF0001' })).catch(() => undefined);
  const broken = createRelay({
    secret: SECRETS.relay,
    eendigo: { key: 'k', tenantCode: 't' },
    oneUse: { claim: () => Promise.reject(new Error('store down')) },
    now: () => clock,
  });
  const response = await broken.request('/submissions', {
    method: 'POST',
    headers: { authorization: `Bearer ${await askToken('QUIETLY002')}` },
    body: formOf('QUIETLY002'),
  });
  expect([response.status, await codeOf(response)]).toEqual([503, 'upload-failed']);
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});

test.each([
  ['a short secret', () => createRelay({ secret: 'short' })],
  [
    'a retired host',
    () =>
      createRelay({
        secret: SECRETS.relay,
        identifai: { accessKey: 'a', secretKey: 'b', base: 'https://api.cloud.nodeflux.io' },
      }),
  ],
  [
    'a base that is no URL',
    () => createRelay({ secret: SECRETS.relay, eendigo: { key: 'a', tenantCode: 'b', base: 'eendigo' } }),
  ],
])('%s is refused at the start', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error);
});

test('options come from the environment, and a provider without keys is left out', () => {
  expect(
    readRelayOptions({
      KYC_RELAY_SECRET: 's',
      IDENTIFAI_ACCESS_KEY: 'a',
      IDENTIFAI_SECRET_KEY: 'b',
      EENDIGO_KEY: 'k',
    }),
  ).toEqual({ secret: 's', identifai: { accessKey: 'a', secretKey: 'b', mode: 'asynchronous' } });
  expect(readRelayOptions({ KYC_RELAY_ANALYTICS: 'face-match, ocr-ktp' }).analytics).toEqual([
    'face-match',
    'ocr-ktp',
  ]);
  expect(() => readRelayOptions({ IDENTIFAI_MODE: 'later' })).toThrow(/IDENTIFAI_MODE/);
});

test('over real HTTP: relay, direct mode and a connection that breaks', async () => {
  const server = serve({ fetch: createApp(QUICK).fetch, port: 0, hostname: '127.0.0.1' });
  try {
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const send = (refNumber: string, direct: boolean) =>
      submit(
        overHttp(origin, {
          refNumber,
          ...(direct
            ? {
                tokenEndpoint: new URL(DIRECT.tokenEndpoint.pathname, origin),
                providerBase: new URL('/sandbox/identifai', origin),
              }
            : {}),
        }),
      );
    expect((await send('OVERHTTP01', false)).verified).toBe(true);
    expect((await send('OVERHTTP02', true)).verified).toBe(true);
    await expect(send('CUTOFF0002', true)).rejects.toMatchObject({ code: 'upload-failed' });
    await expect(send('CUTOFF0003', false)).rejects.toMatchObject({ code: 'provider-failed' });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
