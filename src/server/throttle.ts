import type { MiddlewareHandler } from 'hono';
import { MemoryStore, rateLimiter, type Store } from 'hono-rate-limiter';
import pLimit from 'p-limit';
import { CaptureError, type ErrorCode } from '../domain/result.ts';

/** How much the relay takes on. */
export interface RelayLimits {
  /** Tokens that one client may ask for in a minute. 120. */
  readonly tokensPerMinute: number;
  /** Submissions that one client may send in a minute. 60. */
  readonly submissionsPerMinute: number;
  /** Questions of one client in a minute whether a submission has ended. 1,200. */
  readonly pollsPerMinute: number;
  /** Submissions whose photos are in memory at one time, of all clients. 16. */
  readonly submissionsAtOnce: number;
  /** How long a submission waits, unread, until it is its turn, ms. 20,000, below the 30 s that the widget waits. */
  readonly longestWait: number;
}

/** Generous, because a mobile network puts hundreds of people behind one address. All five are ours. */
export const RELAY_LIMITS: RelayLimits = {
  tokensPerMinute: 120,
  submissionsPerMinute: 60,
  pollsPerMinute: 1200,
  submissionsAtOnce: 16,
  longestWait: 20_000,
};

/** Where the requests of each client are counted; instances that share it share the limits. */
export type RateStore = Store;

/** Refused before anything was spent, for a reason that passes: the same request may be sent again. */
export class Refusal extends CaptureError {
  readonly status: 409 | 429 | 503;
  /** Seconds; left out where nobody knows. */
  readonly retryAfter: number | null;

  constructor(code: ErrorCode, message: string, status: 409 | 429 | 503, retryAfter: number | null) {
    super(code, message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const MINUTE = 60_000;
/** What a client is asked to wait where the relay is busy or its store is away, s. */
const RETRY_AFTER = 5;

/** What answers nothing is told with the code of the path: nobody may have a token, or nobody may upload. */
export function unavailable(code: ErrorCode): Refusal {
  return new Refusal(code, "the relay's store does not answer", 503, RETRY_AFTER);
}

/**
 * Counts the requests of each client.
 * @param code of the error for a client that asks too often
 * @param clientOf null for a request that is not counted
 */
export function limitRate({
  perMinute,
  code,
  clientOf,
  store = () => new MemoryStore(),
}: {
  readonly perMinute: number;
  readonly code: ErrorCode;
  readonly clientOf: (request: Request) => string | null;
  readonly store?: (() => RateStore) | undefined;
}): MiddlewareHandler {
  let limiter: MiddlewareHandler | null = null;
  return async (c, next) => {
    // Not before the first request: some runtimes allow neither timers nor connections outside of one.
    limiter ??= rateLimiter({
      windowMs: MINUTE,
      limit: perMinute,
      skip: (asked) => clientOf(asked.req.raw) === null,
      keyGenerator: (asked) => clientOf(asked.req.raw) ?? '',
      store: store(),
      handler: () => {
        // The library has set Retry-After itself.
        throw new Refusal(code, 'this client asks too often', 429, null);
      },
    });
    try {
      return await limiter(c, next);
    } catch (error) {
      throw error instanceof CaptureError ? error : unavailable(code);
    }
  };
}

/**
 * Lets so many requests through at one time. The others wait; nothing has read their bodies, so that their senders
 * wait as well. Those that waited too long are refused, those whose sender has gone are forgotten.
 */
export function limitWork({ submissionsAtOnce, longestWait }: RelayLimits): MiddlewareHandler {
  const inTurn = pLimit(submissionsAtOnce);
  return (c, next) =>
    new Promise<void>((resolve, reject) => {
      const { signal } = c.req.raw;
      const leave = (error: Refusal): void => {
        settle();
        reject(error);
      };
      const gone = (): void => leave(new Refusal('upload-failed', 'the sender has gone', 503, null));
      const timer = setTimeout(
        () => leave(new Refusal('upload-failed', 'the relay is busy', 503, RETRY_AFTER)),
        longestWait,
      );
      let waiting = true;
      const settle = (): void => {
        waiting = false;
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
      };
      signal.addEventListener('abort', gone);
      inTurn(async () => {
        if (!waiting) return;
        settle();
        await next();
      }).then(resolve, reject);
    });
}
