import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectRedis, type RedisMemory } from '../../src/server/redis.ts';
import {
  askToken,
  codeOf,
  freePort,
  over,
  relayEnvironment,
  send,
  serveSandbox,
  start,
  startRelay,
  until,
  type Ask,
  type Running,
} from './processes.ts';

// Every photo is decoded, in this very process.
vi.setConfig({ testTimeout: 120_000 });

const present = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
if (!present) console.log('SKIPPED: no redis-server on PATH; `apt-get install redis-server` has it.');

describe.skipIf(!present)('a real Redis', () => {
  let folder: string;
  let port: number;
  let redis: Running;
  const url = () => `redis://127.0.0.1:${port}`;

  async function startRedis(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    redis = start('redis-server', ['--port', String(port), ...options]);
    await until('Redis listens', () => redis.lines.some((line) => line.includes('Ready to accept')), redis);
  }
  async function stopRedis(): Promise<void> {
    redis.child.kill('SIGKILL');
    await redis.ended;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kyc-redis-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    port = await freePort();
    await startRedis();
  });
  afterEach(stopRedis);

  describe('as the memory', () => {
    let memories: RedisMemory[] = [];
    const connected = async (): Promise<RedisMemory> => {
      const memory = await connectRedis(url());
      memories.push(memory);
      return memory;
    };
    afterEach(() => {
      for (const memory of memories) memory.close();
      memories = [];
    });

    test('gives each id away once, whoever asks, as often as they ask', async () => {
      const both = [await connected(), await connected()];
      const ids = Array.from({ length: 200 }, (_, place) => `id-${place}`);
      const expiresAt = Date.now() + 300_000;
      const claims = ids.map((id) =>
        Promise.all([...both, ...both].map(({ oneUse }) => oneUse.claim(id, expiresAt))),
      );
      for (const claim of await Promise.all(claims)) expect(claim.filter(Boolean)).toHaveLength(1);
    });

    test('of submissions is one for all, takes a name once, and forgets in time', async () => {
      const [{ submissions: one }, { submissions: other }] = [await connected(), await connected()];
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, place) =>
          (place % 2 ? one : other).take('name', `value-${place}`, 60_000),
        ),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await other.read('name')).toBe(`value-${taken.indexOf(true)}`);
      await one.write('name', 'answer', 60_000);
      expect(await other.read('name')).toBe('answer');
      await other.drop('name', 'another');
      await other.hold('name', 'another', 60_000);
      expect(await one.read('name')).toBe('answer');
      await one.hold('name', 'answer', 120_000);
      const client = await createClient({ url: url() }).connect();
      expect(await client.pTTL('kyc-capture:submission:name')).toBeGreaterThan(60_000);
      client.destroy();
      await other.drop('name', 'answer');
      await other.hold('name', 'held', 60_000);
      expect(await one.read('name')).toBe('held');
      await other.drop('name', 'held');
      expect([await one.read('name'), await one.take('name', 'again', 30)]).toEqual([null, true]);
      await until('it is forgotten', async () => (await other.read('name')) === null);
    });

    test('forgets an id after its token has ended, a minute later', async () => {
      const { oneUse } = await connected();
      await oneUse.claim('one', Date.now() + 300_000);
      const client = await createClient({ url: url() }).connect();
      const left = await client.pTTL('kyc-capture:used:one');
      client.destroy();
      expect(left).toBeGreaterThan(350_000);
      expect(left).toBeLessThanOrEqual(360_000);
    });

    test('takes a client of one’s own, and leaves it open', async () => {
      const sent: string[][] = [];
      const sendCommand = (args: string[]) => (sent.push(args), Promise.resolve('OK'));
      const memory = await connectRedis({ sendCommand });
      expect(await memory.oneUse.claim('one', Date.now())).toBe(true);
      memory.close();
      expect(sent[0]?.slice(0, 4)).toEqual(['SET', 'kyc-capture:used:one', '1', 'NX']);
    });

    test('that is away fails each use, and is found again', async () => {
      const memory = await connected();
      const { oneUse, reachable } = memory;
      expect(await reachable()).toBe(true);
      await stopRedis();
      expect(await reachable()).toBe(false);
      await expect(oneUse.claim('one', Date.now() + 1000)).rejects.toThrow();
      await startRedis();
      await until('Redis is found again', reachable);
      expect(await oneUse.claim('one', Date.now() + 1000)).toBe(true);
    });

    test('that hangs is as good as away', async () => {
      const { oneUse, reachable } = await connected();
      redis.child.kill('SIGSTOP');
      expect(await reachable()).toBe(false);
      await expect(oneUse.claim('one', Date.now() + 1000)).rejects.toThrow();
      redis.child.kill('SIGCONT');
      await until('Redis answers again', reachable);
    });

    test('that is not there yet is waited for', async () => {
      await stopRedis();
      const { reachable } = await connected();
      expect(await reachable()).toBe(false);
      await startRedis();
      await until('Redis is found', reachable);
    });
  });

  describe('with two relays side by side', () => {
    let sandbox: Awaited<ReturnType<typeof serveSandbox>>;
    let relays: Awaited<ReturnType<typeof startRelay>>[] = [];
    beforeAll(async () => {
      sandbox = await serveSandbox();
    });
    afterAll(() => sandbox.close());
    afterEach(async () => {
      for (const { child } of relays) child.kill('SIGKILL');
      await Promise.all(relays.map(({ ended }) => ended));
      relays = [];
    });

    async function two(more: Record<string, string> = {}): Promise<[Ask, Ask]> {
      const environment = relayEnvironment(sandbox.origin, { REDIS_URL: url(), ...more });
      relays = await Promise.all([startRelay(environment), startRelay(environment)]);
      const [one, other] = relays.map(({ origin }) => over(origin));
      if (!one || !other) throw new Error('two relays were started');
      return [one, other];
    }
    /** Submissions that the provider has received, and would bill. */
    async function billed(refNumber: string): Promise<number> {
      const answer = await fetch(`${sandbox.origin}/received/${refNumber}`);
      return ((await answer.json()) as { requests: unknown[] }).requests.length;
    }

    test('a token of one is good at the other, and once in all', async () => {
      const [one, other] = await two();
      const statuses = await Promise.all(
        Array.from({ length: 10 }, async (_, place) => {
          const refNumber = `SHARED${String(place).padStart(4, '0')}`;
          const { token } = await askToken(place % 2 ? one : other, refNumber);
          const answers = await Promise.all([one, other].map((ask) => send(ask, token, refNumber)));
          return { refNumber, statuses: answers.map(({ status }) => status).sort() };
        }),
      );
      for (const { refNumber, statuses: pair } of statuses) {
        expect(pair).toEqual([200, 401]);
        expect(await billed(refNumber)).toBe(1);
      }
    });

    test('the limits of a client hold for both together', async () => {
      const [one, other] = await two({ KYC_RELAY_TOKENS_PER_MINUTE: '3' });
      const status = async (ask: Ask) => (await askToken(ask, 'SPECIMEN01')).response.status;
      const statuses = [await status(one), await status(other), await status(one), await status(other)];
      expect(statuses).toEqual([200, 200, 200, 429]);
      const { response } = await askToken(one, 'SPECIMEN01');
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    });

    test('when one is killed, no token is good twice, no answer is lost, and the other serves on', async () => {
      const [one, other] = await two({
        KYC_RELAY_TOKENS_PER_MINUTE: '1000',
        KYC_RELAY_SUBMISSIONS_PER_MINUTE: '1000',
        KYC_RELAY_SUBMISSIONS_AT_ONCE: '4',
        KYC_RELAY_LONGEST_WAIT_SECONDS: '100',
      });
      const doomed = relays[0];
      let answered = 0;
      const outcomes = await Promise.all(
        Array.from({ length: 32 }, async (_, place) => {
          const refNumber = `KILLED${String(place).padStart(4, '0')}`;
          const { token } = await askToken(other, refNumber);
          const toDoomed = place % 2 === 0;
          const first = await send(toDoomed ? one : other, token, refNumber).then(
            ({ status }) => status,
            () => null,
          );
          // In the middle: some have their answers, some are with the provider, some wait.
          if (first !== null && toDoomed && ++answered === 5) doomed?.child.kill('SIGKILL');
          const second = (await send(other, token, refNumber)).status;
          return { refNumber, toDoomed, first, second };
        }),
      );
      expect(await doomed?.ended).toBe('SIGKILL');

      const cut = outcomes.filter(({ first }) => first === null);
      expect(cut.length).toBeGreaterThan(0);
      expect(cut.every(({ toDoomed }) => toDoomed)).toBe(true);
      for (const { refNumber, first, second } of outcomes) {
        const times = await billed(refNumber);
        if (first === null) {
          // Nobody knows how far it got; the same token tells: it is good where the first use was not begun.
          expect([200, 401]).toContain(second);
          expect(times).toBeLessThanOrEqual(1);
          if (second === 200) expect(times).toBe(1);
        } else {
          expect([first, second, times]).toEqual([200, 401, 1]);
        }
      }

      // Whoever lost his token gets another one from the survivor.
      for (const { refNumber, second } of cut) {
        if (second === 200) continue;
        const fresh = `${refNumber}AGAIN`;
        const { token } = await askToken(other, fresh);
        expect((await send(other, token, fresh)).status).toBe(200);
        expect(await billed(fresh)).toBe(1);
      }
    });

    test('a submission with a key happens once, whichever of both it is sent to, and nothing of it can be read', async () => {
      const [one, other] = await two();
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async (_, place) => {
          const refNumber = `TWICE${String(place).padStart(4, '0')}`;
          const headers = { 'idempotency-key': `SPECIMEN-KEY-${refNumber}` };
          const answers = await Promise.all(
            [one, other, one, other].map(async (ask) => {
              const { token } = await askToken(ask, refNumber);
              const answer = await send(ask, token, refNumber, { headers });
              return `${answer.status} ${await answer.text()}`;
            }),
          );
          return { refNumber, answers: [...new Set(answers)] };
        }),
      );
      for (const { refNumber, answers } of outcomes) {
        expect(answers).toHaveLength(1);
        expect(answers[0]).toMatch(/^200 .*"verified":true/);
        expect(await billed(refNumber)).toBe(1);
      }
      const client = await createClient({ url: url() }).connect();
      const names = await client.keys('kyc-capture:submission:*');
      const values = await Promise.all(names.map((name) => client.get(name)));
      const lives = await Promise.all(names.map((name) => client.pTTL(name)));
      client.destroy();
      // Nobody's turn is left.
      expect(names).toHaveLength(outcomes.length);
      expect(/TWICE|SPECIMEN|verified|eendigo/.test(JSON.stringify([names, values]))).toBe(false);
      expect(lives.every((life) => life > 73 * 60_000 && life <= 75 * 60_000)).toBe(true);
    });

    test('one killed between the provider’s call and its answer: the other says so for good, and bills nobody', async () => {
      const [one, other] = await two();
      // The sandbox holds the answer back for longer than this test lasts.
      const refNumber = 'JOBNEVERENDS7';
      const headers = { 'idempotency-key': 'SPECIMEN-KEY-KILLED' };
      const { token } = await askToken(one, refNumber);
      const lost = send(one, token, refNumber, { headers }).then(
        ({ status }) => status,
        () => null,
      );
      await until('the provider has it', async () => (await billed(refNumber)) === 1);
      // While it lives, others are asked to come again.
      const { token: early } = await askToken(other, refNumber);
      const busy = await send(other, early, refNumber, { headers });
      expect([busy.status, busy.headers.get('retry-after')]).toEqual([409, '1']);
      relays[0]?.child.kill('SIGKILL');
      expect(await lost).toBeNull();
      const last = await until('it is taken for dead', async () => {
        const { token: late } = await askToken(other, refNumber);
        const answer = await send(other, late, refNumber, { headers });
        return answer.status === 409 ? null : answer;
      });
      expect([last.status, await last.json()]).toMatchObject([
        502,
        { error: { code: 'upload-failed', settled: true } },
      ]);
      expect(await billed(refNumber)).toBe(1);
    });

    test('one killed before it called the provider: the other does it', async () => {
      const [one, other] = await two();
      const refNumber = 'HALFSENT01';
      const headers = { 'idempotency-key': 'SPECIMEN-KEY-HALFSENT' };
      const { token } = await askToken(one, refNumber);
      // The headers promise more than is sent.
      const half = httpRequest(new URL('/kyc/submissions', relays[0]?.origin), {
        method: 'POST',
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          'content-type': 'multipart/form-data; boundary=SPECIMEN',
          'content-length': 100_000,
        },
      });
      const lost = once(half, 'error');
      half.write('--SPECIMEN\r\n');
      const client = await createClient({ url: url() }).connect();
      await until('it has its turn', async () => (await client.keys('kyc-capture:submission:*')).length);
      client.destroy();
      relays[0]?.child.kill('SIGKILL');
      await lost;
      const answer = await until('its turn is over', async () => {
        const { token: late } = await askToken(other, refNumber);
        const answer = await send(other, late, refNumber, { headers });
        return answer.status === 409 ? null : answer;
      });
      expect(answer.status).toBe(200);
      expect(await billed(refNumber)).toBe(1);
    });

    test('without Redis nothing is served and nothing is spent; with it again, all is', async () => {
      const [one] = await two();
      const { token } = await askToken(one, 'NOREDIS001');
      await stopRedis();
      const health = await one('/health');
      expect([health.status, await health.json()]).toEqual([
        503,
        { ok: false, providers: ['identifai', 'eendigo'] },
      ]);
      const refused = await send(one, token, 'NOREDIS001');
      expect([refused.status, await codeOf(refused)]).toEqual([503, 'upload-failed']);
      const { response } = await askToken(one, 'NOREDIS001');
      expect([response.status, await codeOf(response)]).toEqual([503, 'token-failed']);
      expect(await billed('NOREDIS001')).toBe(0);
      await startRedis();
      await until('the relay is well', async () => (await one('/health')).ok);
      expect((await send(one, token, 'NOREDIS001')).status).toBe(200);
      expect(await billed('NOREDIS001')).toBe(1);
    });
  });
});
