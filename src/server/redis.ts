import { RedisStore } from 'hono-rate-limiter';
import { CaptureError } from '../domain/result.ts';
import type { SubmissionMemory } from './submissions.ts';
import type { RateStore } from './throttle.ts';
import type { OneUse } from './tokens.ts';

/** What is asked of a Redis client: node-redis has it as it is, ioredis as `(args) => client.call(...args)`. */
export interface RedisCommands {
  /** @throws anything where the server refuses or is not there */
  sendCommand(args: string[]): Promise<unknown>;
}

/** What the instances of a relay share; spread it into the options of `createRelay`. */
export interface RedisMemory {
  readonly oneUse: OneUse;
  readonly submissions: SubmissionMemory;
  readonly rateStore: (name: string) => RateStore;
  /** Whether the server answers at this moment. */
  readonly reachable: () => Promise<boolean>;
  /** Ends a connection that was made here. */
  close(): void;
}

/** For one command, ms; a server in the same data centre needs less than 1. */
const TIMEOUT = 1000;
/** A token is remembered so much longer than it lives, for instances whose clocks are behind, ms. */
const CLOCK_MARGIN = 60_000;
/** Commands that may wait for a server that is silent. */
const LONGEST_QUEUE = 10_000;
const PREFIX = 'kyc-capture:';
/** Redis runs a script in one step. */
const HOLD = `local held = redis.call('GET', KEYS[1])
if not held or held == ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 0`;
const DROP = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`;
const keyOf = (name: string): string => `${PREFIX}submission:${name}`;

/**
 * Remembers used tokens and answers, and counts requests in Redis. A server that is away fails every use, and is connected to anew
 * as soon as it is back. Redis must not evict keys (`maxmemory-policy noeviction`), and a server that forgets at a
 * restart makes the tokens of the last 5 minutes good once more.
 * @param server `redis://` or `rediss://`, or a client of one's own that is connected
 * @throws CaptureError `configuration-invalid` where it is no such URL
 */
export async function connectRedis(server: string | RedisCommands): Promise<RedisMemory> {
  const own = typeof server === 'string' ? await connect(server) : null;
  const client = own ?? (server as RedisCommands);
  const send = (...args: string[]): Promise<unknown> => within(TIMEOUT, client.sendCommand(args));
  const scripts = {
    scriptLoad: async (script: string) => String(await send('SCRIPT', 'LOAD', script)),
    // Whatever the library awaits; it checks the answer itself.
    evalsha: async (sha: string, keys: string[], args: unknown[]) =>
      (await send('EVALSHA', sha, String(keys.length), ...keys, ...args.map(String))) as never,
    decr: async (key: string) => Number(await send('DECR', key)),
    del: async (key: string) => Number(await send('DEL', key)),
  };
  return {
    oneUse: {
      claim: async (id, expiresAt) => {
        const milliseconds = Math.max(1, expiresAt - Date.now()) + CLOCK_MARGIN;
        return (await send('SET', `${PREFIX}used:${id}`, '1', 'NX', 'PX', String(milliseconds))) === 'OK';
      },
    },
    submissions: {
      take: async (name, value, lifetime) =>
        (await send('SET', keyOf(name), value, 'NX', 'PX', String(lifetime))) === 'OK',
      hold: async (name, value, lifetime) => {
        await send('EVAL', HOLD, '1', keyOf(name), value, String(lifetime));
      },
      read: async (name) => {
        const value = await send('GET', keyOf(name));
        return typeof value === 'string' ? value : null;
      },
      write: async (name, value, lifetime) => {
        await send('SET', keyOf(name), value, 'PX', String(lifetime));
      },
      drop: async (name, value) => {
        await send('EVAL', DROP, '1', keyOf(name), value);
      },
    },
    rateStore: (name) => new RedisStore({ client: scripts, prefix: `${PREFIX}rate:${name}:` }),
    reachable: () =>
      send('PING').then(
        (answer) => answer === 'PONG',
        () => false,
      ),
    close: () => own?.destroy(),
  };
}

async function connect(url: string): Promise<RedisCommands & { destroy(): void }> {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new CaptureError('configuration-invalid', 'REDIS_URL must be a redis:// or rediss:// URL');
  }
  // Only here, so that a runtime without sockets can load the rest.
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    // The oldest protocol is the one that every server and proxy speaks.
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: LONGEST_QUEUE,
    socket: { connectTimeout: TIMEOUT },
  });
  // It connects anew by itself, and whoever asks in between is told; without a listener the process would end.
  client.on('error', () => undefined);
  const connected = client.connect().catch(() => undefined);
  await within(TIMEOUT, connected).catch(() => undefined);
  return client;
}

/** @throws Error where the promise takes longer, ms */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
