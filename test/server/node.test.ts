import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRelaySettings } from '../../src/server/environment.ts';
import { clientAddress } from '../../src/server/node.ts';
import { submit } from '../../src/session/submit.ts';
import {
  askToken,
  codeOf,
  freePort,
  over,
  relayEnvironment,
  runRelay,
  send,
  serveSandbox,
  startRelay,
  until,
} from './processes.ts';
import { overHttp, SECRETS } from './support.ts';

describe('the settings', () => {
  const good = relayEnvironment('http://sandbox.invalid');

  test('have defaults', () => {
    expect(readRelaySettings({ ...good, PORT: '' })).toEqual({
      relay: {
        secret: SECRETS.relay,
        identifai: {
          accessKey: SECRETS.accessKey,
          secretKey: SECRETS.secretKey,
          mode: 'asynchronous',
          base: 'http://sandbox.invalid',
        },
        eendigo: { key: SECRETS.key, tenantCode: SECRETS.tenantCode, base: 'http://sandbox.invalid' },
      },
      host: '127.0.0.1',
      port: 8080,
      path: '/kyc',
      redisUrl: null,
      trustedProxies: 0,
    });
  });

  test('are read', () => {
    const settings = readRelaySettings({
      ...good,
      HOST: '::',
      PORT: '0',
      KYC_RELAY_PATH: '/a/b/',
      REDIS_URL: 'redis://host',
      KYC_RELAY_TRUSTED_PROXIES: '2',
      KYC_RELAY_TOKENS_PER_MINUTE: '7',
      KYC_RELAY_LONGEST_WAIT_SECONDS: '3',
      KYC_RELAY_PROVIDER_TIMEOUT_SECONDS: '9',
    });
    expect(settings).toMatchObject({
      host: '::',
      port: 0,
      path: '/a/b',
      redisUrl: 'redis://host',
      trustedProxies: 2,
      relay: { providerTimeout: 9000, limits: { tokensPerMinute: 7, longestWait: 3000 } },
    });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['no secret', { KYC_RELAY_SECRET: '' }, /^KYC_RELAY_SECRET needs 32 characters/],
    ['a short secret', { KYC_RELAY_SECRET: 'x'.repeat(31) }, /^KYC_RELAY_SECRET/],
    ['half an account', { EENDIGO_TENANT_CODE: '' }, /^EENDIGO_KEY and EENDIGO_TENANT_CODE go together/],
    ['the other half', { IDENTIFAI_ACCESS_KEY: '' }, /^IDENTIFAI_ACCESS_KEY and IDENTIFAI_SECRET_KEY/],
    [
      'no account',
      { IDENTIFAI_ACCESS_KEY: '', IDENTIFAI_SECRET_KEY: '', EENDIGO_KEY: '', EENDIGO_TENANT_CODE: '' },
      /^No provider is configured/,
    ],
    ['a port that is none', { PORT: '80a' }, /^PORT must be a whole number/],
    ['a limit of 0', { KYC_RELAY_SUBMISSIONS_AT_ONCE: '0' }, /^KYC_RELAY_SUBMISSIONS_AT_ONCE/],
    ['a negative limit', { KYC_RELAY_TOKENS_PER_MINUTE: '-1' }, /^KYC_RELAY_TOKENS_PER_MINUTE/],
    ['a path that is none', { KYC_RELAY_PATH: 'kyc' }, /^KYC_RELAY_PATH/],
  ])('refuse %s with one sentence', (_, changes, sentence) => {
    expect(() => readRelaySettings({ ...good, ...changes })).toThrow(
      expect.objectContaining({
        code: 'configuration-invalid',
        message: expect.stringMatching(sentence) as string,
      }) as Error,
    );
  });
});

test.each<[string, string, string | null, number, string]>([
  ['the connection', '10.0.0.1', null, 0, '10.0.0.1'],
  ['no header that nobody vouches for', '10.0.0.1', '1.2.3.4', 0, '10.0.0.1'],
  ['the last entry behind one proxy', '10.0.0.1', '6.6.6.6, 1.2.3.4', 1, '1.2.3.4'],
  ['the last but one behind two', '10.0.0.1', '6.6.6.6,1.2.3.4 , 10.0.0.2', 2, '1.2.3.4'],
  ['the first where there are fewer', '10.0.0.1', '1.2.3.4', 5, '1.2.3.4'],
  ['the connection where a proxy adds nothing', '10.0.0.1', null, 1, '10.0.0.1'],
  ['IPv4 within IPv6', '::ffff:10.0.0.1', null, 0, '10.0.0.1'],
  ['the network of IPv6', '2001:db8:1:2:3:4:5:6', null, 0, '2001:db8:1:2'],
  ['the same, written in full', '2001:0db8:0001:0002::9', null, 0, '2001:db8:1:2'],
  ['the same, with a gap', '2001:db8::9', null, 0, '2001:db8:0:0'],
  ['the computer itself', '::1', null, 0, '0:0:0:0'],
])('a client is known by %s', (_, socket, forwarded, proxies, expected) => {
  expect(clientAddress(socket, forwarded, proxies)).toBe(expected);
});

describe('kyc-capture-relay', () => {
  let sandbox: Awaited<ReturnType<typeof serveSandbox>>;
  beforeAll(async () => {
    sandbox = await serveSandbox({ slow: 700 });
  });
  afterAll(() => sandbox.close());

  test.each<[string, Record<string, string>, string]>([
    ['a short secret', { KYC_RELAY_SECRET: 'short' }, 'KYC_RELAY_SECRET needs 32 characters'],
    ['a retired host', { IDENTIFAI_BASE: 'https://api.cloud.nodeflux.io' }, 'use https://api.identifai.id'],
    ['a store that is no Redis', { REDIS_URL: 'http://localhost' }, 'REDIS_URL must be a redis://'],
  ])('does not start with %s, and says why in one line', async (_, changes, sentence) => {
    const relay = runRelay(relayEnvironment(sandbox.origin, changes));
    expect(await relay.ended).toBe(2);
    expect(relay.lines).toEqual([expect.stringContaining(sentence)]);
    expect(relay.lines.join()).not.toContain('short');
  });

  test('does not start on a port that is taken', async () => {
    const port = new URL(sandbox.origin).port;
    const relay = runRelay(relayEnvironment(sandbox.origin, { PORT: port }));
    expect(await relay.ended).toBe(1);
    expect(relay.lines).toEqual([expect.stringContaining('EADDRINUSE')]);
  });

  test('serves both providers, answers its health, and logs nothing personal', async () => {
    const port = String(await freePort());
    const relay = await startRelay(
      relayEnvironment(sandbox.origin, { PORT: port, KYC_RELAY_PATH: '/bank/kyc' }),
    );
    expect(relay.origin).toBe(`http://127.0.0.1:${port}`);
    const ask = over(relay.origin);
    for (const path of ['/health', '/bank/kyc/health']) {
      const health = await ask(path);
      expect([health.status, await health.json()]).toEqual([
        200,
        { ok: true, providers: ['identifai', 'eendigo'] },
      ]);
    }
    const numbers = ['PERSONAL01', 'PERSONAL02', 'COVERED003'];
    const submission = (refNumber: string, provider: 'identifai' | 'eendigo') =>
      submit(
        overHttp(relay.origin, {
          refNumber,
          provider,
          tokenEndpoint: new URL('/bank/kyc/token', relay.origin),
        }),
      );
    expect((await submission('PERSONAL01', 'identifai')).verified).toBe(true);
    expect((await submission('PERSONAL02', 'eendigo')).verified).toBe(true);
    await expect(submission('COVERED003', 'eendigo')).rejects.toMatchObject({ code: 'selfie-refused' });
    const { token } = await askToken(ask, 'PERSONAL04', { base: '/bank/kyc' });
    await ask(`/bank/kyc/secret-path?nik=3171234567890123`);
    relay.child.kill('SIGTERM');
    expect(await relay.ended).toBe(0);

    const [first, ...requests] = relay.lines;
    expect(first).toBe(`The relay to IdentifAI and Eendigo listens on http://127.0.0.1:${port}/bank/kyc`);
    const words = requests.map((line) => line.replace(/\d+ ms/, 'N ms'));
    for (const line of words) {
      expect(line).toMatch(/^(GET|POST) \/[a-z/:*]* [1-5]\d\d N ms( [a-z-]+)?$/);
    }
    expect(words.slice(0, 4)).toEqual([
      'GET /health 200 N ms',
      'GET /bank/kyc/health 200 N ms',
      'POST /bank/kyc/token 200 N ms',
      'POST /bank/kyc/submissions 202 N ms',
    ]);
    expect(words).toContain('GET /bank/kyc/submissions/:id 200 N ms');
    expect(words).toContain('POST /bank/kyc/submissions 422 N ms selfie-refused');
    const everything = relay.lines.join('\n');
    for (const personal of [
      ...numbers,
      ...Object.values(SECRETS),
      token,
      'PERSONAL',
      '3171',
      'secret-path',
    ]) {
      expect(everything).not.toContain(personal);
    }
  });

  test('counts the requests of an address, or of the client that its own proxy names', async () => {
    const limits = { KYC_RELAY_TOKENS_PER_MINUTE: '1', KYC_RELAY_TRUSTED_PROXIES: '1' };
    const relay = await startRelay(relayEnvironment(sandbox.origin, limits));
    const ask = over(relay.origin);
    const status = async (forwarded: string) =>
      (await askToken(ask, 'SPECIMEN01', { headers: { 'x-forwarded-for': forwarded } })).response.status;
    expect(await status('1.1.1.1')).toBe(200);
    expect(await status('9.9.9.9, 1.1.1.1')).toBe(429);
    expect(await status('2.2.2.2')).toBe(200);
    relay.child.kill('SIGINT');
    expect(await relay.ended).toBe(0);
  });

  test('finishes what is in flight before it ends, and takes nothing new', async () => {
    const relay = await startRelay(relayEnvironment(sandbox.origin));
    const ask = over(relay.origin);
    const { token } = await askToken(ask, 'SLOWLY0001');
    const answer = send(ask, token, 'SLOWLY0001');
    await until('the sandbox has the photos', async () => {
      const seen = await fetch(`${sandbox.origin}/received/SLOWLY0001`);
      return ((await seen.json()) as { requests: unknown[] }).requests.length > 0;
    });
    const silent = connect(Number(new URL(relay.origin).port), '127.0.0.1');
    await once(silent, 'connect');
    relay.child.kill('SIGTERM');
    await until('the relay is closed', () =>
      fetch(`${relay.origin}/health`).then(
        () => false,
        () => true,
      ),
    );
    const response = await answer;
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    silent.on('error', () => undefined);
    expect(await relay.ended).toBe(0);
  });

  test('refuses a used token over the wire', async () => {
    const relay = await startRelay(relayEnvironment(sandbox.origin));
    const ask = over(relay.origin);
    const { token } = await askToken(ask, 'USEDTWICE1');
    const answers = await Promise.all([send(ask, token, 'USEDTWICE1'), send(ask, token, 'USEDTWICE1')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    const refused = answers.find(({ status }) => status === 401);
    expect(refused && (await codeOf(refused))).toBe('token-expired');
    relay.child.kill('SIGTERM');
    await relay.ended;
  });
});
