import pRetry from 'p-retry';
import { CaptureError, type ErrorCode, type Result } from '../domain/result.ts';
import { readError, readToken, type TokenAnswer } from '../providers/contract.ts';
import { POLLING, profileOf } from '../providers/profiles.ts';
import { parseBody, type ProviderAnswer } from '../providers/provider.ts';
import type { SubmitProgress, SubmitRequest } from './submit.ts';
import { browserTransport, type Transport, type TransportRequest } from './transport.ts';

/** Time-outs and retries of a submission, ms and counts. */
export interface SubmitTimings {
  /** Until the token endpoint's answer has arrived as a whole. */
  readonly tokenTimeout: number;
  /** Without upload progress or an answer; Eendigo's observed time-out is the same. */
  readonly idleTimeout: number;
  /** Before each poll. */
  readonly pollInterval: number;
  readonly pollAttempts: number;
  /** Repetitions of a request that may safely be repeated. */
  readonly retries: number;
  /** Before the first repetition, at least; doubles with each, and is up to twice as long by chance. */
  readonly retryDelay: number;
  /** Longest wait that a busy server may ask for. */
  readonly longestRetryAfter: number;
  /** For a server that is busy, and for a network that has gone. */
  readonly patience: number;
}

const TIMINGS: SubmitTimings = {
  tokenTimeout: 15_000,
  idleTimeout: 30_000,
  pollInterval: POLLING.intervalMs,
  pollAttempts: POLLING.attempts,
  retries: 2,
  retryDelay: 500,
  longestRetryAfter: 30_000,
  patience: 120_000,
};

/** Headers of one attempt. */
type HeadersOf = () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/** The connection broke, or a gateway answered in the server's place: worth repeating where that is safe. */
class BrokenExchange extends CaptureError {
  /** What was answered all the same. */
  readonly answer: ProviderAnswer | null;
  /** ms, where the server said that it is busy and for how long; null where it did not. */
  readonly retryAfter: number | null;

  constructor(code: ErrorCode, message: string, answer: ProviderAnswer | null = null) {
    super(code, message);
    this.answer = answer;
    this.retryAfter = answer && readRetryAfter(answer);
  }
}

/** Answers of a server that has done nothing yet and says when to ask again. */
const BUSY: readonly number[] = [409, 429, 503];

/** ms until a busy server wants to be asked again, or null. Our relay says seconds, never a date. */
function readRetryAfter(answer: ProviderAnswer): number | null {
  const text = BUSY.includes(answer.status) ? answer.header('retry-after') : null;
  return text !== null && /^\d{1,5}$/.test(text) ? Number(text) * 1000 : null;
}

/** One submission's line to the outside: named origins, time-outs, retries and progress. */
export class Line {
  readonly request: SubmitRequest;
  readonly #timings: SubmitTimings;
  readonly #transport: Transport;
  readonly #online: () => boolean;
  readonly #whenOnline: (signal: AbortSignal) => Promise<void>;
  /** Renewing a token later must not throw the person's progress back to its beginning. */
  #uploading = false;
  #told: SubmitProgress = { phase: 'token', fraction: 0 };

  constructor(request: SubmitRequest) {
    this.request = request;
    this.#timings = { ...TIMINGS, ...request.timings };
    this.#transport = request.transport ?? browserTransport;
    this.#online = request.online ?? (() => navigator.onLine);
    this.#whenOnline = request.whenOnline ?? onlineEvent;
  }

  /**
   * A URL that a server named, resolved; only the page's and the token endpoint's origin are allowed.
   * @throws CaptureError `token-invalid`
   */
  namedUrl(text: string, base: URL): URL {
    const allowed = [this.request.pageOrigin ?? location.origin, this.request.tokenEndpoint.origin];
    const url = URL.canParse(text, base) ? new URL(text, base) : null;
    if (!url || !allowed.includes(url.origin)) {
      throw new CaptureError(
        'token-invalid',
        'the server names a URL of an origin that the page did not name',
      );
    }
    return url;
  }

  /** Asks the page's token endpoint. Repeating is safe: a token that nobody uses expires. */
  async askToken(): Promise<TokenAnswer> {
    const { provider, analytics, refNumber, steps, tokenEndpoint, tokenHeaders } = this.request;
    // Said only where it is unusual, for token endpoints that know no other.
    const usual = profileOf(provider).defaultAnalytics;
    const unusual = analytics.join() === usual.join() ? {} : { analytics };
    this.#tellToken(0);
    const answer = await this.#repeat('token-failed', () =>
      this.#exchange('token-failed', this.#timings.tokenTimeout, {
        method: 'POST',
        url: tokenEndpoint,
        headers: { ...tokenHeaders, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ refNumber, steps, provider, ...unusual }),
      }),
    );
    if (answer.status === 401 || answer.status === 403) {
      throw new CaptureError('token-refused', `the token endpoint answered HTTP ${answer.status}`);
    }
    const body = parseBody(answer.body);
    if (answer.status >= 400) {
      throw (
        readError(body) ??
        new CaptureError('token-failed', `the token endpoint answered HTTP ${answer.status}`)
      );
    }
    const token = readToken(body);
    if (!token) throw new CaptureError('token-invalid', "the token endpoint's answer breaks the contract");
    this.#tellToken(1);
    return token;
  }

  /**
   * Sends with this token, and once more with a fresh one where it was refused.
   * @param send answers null where the token was refused
   * @throws CaptureError `token-expired` where the fresh one was refused as well
   */
  async withToken<T>(token: TokenAnswer, send: (token: TokenAnswer) => Promise<T | null>): Promise<T> {
    const answer = (await send(token)) ?? (await send(await this.askToken()));
    if (answer === null)
      throw new CaptureError('token-expired', 'a fresh submission token was refused as well');
    return answer;
  }

  /**
   * Sends the photos.
   * @param headers asked for before every attempt
   * @param mayRepeat whether the other side knows a request again; where it does not, it is sent once
   */
  async upload(
    url: URL,
    headers: HeadersOf,
    body: string | FormData,
    mayRepeat: boolean,
  ): Promise<ProviderAnswer> {
    // Once the last byte is out, what the person waits for is the provider.
    const tell = (fraction: number): void => {
      this.#tell(fraction < 1 ? { phase: 'uploading', fraction } : { phase: 'waiting', fraction: 0 });
    };
    const send = async (): Promise<ProviderAnswer> => {
      const named = await headers();
      this.#uploading = true;
      tell(0);
      const exchange = { method: 'POST', url, headers: named, body, onUploadProgress: tell } as const;
      return this.#exchange('upload-failed', this.#timings.idleTimeout, exchange);
    };
    const answer = await (mayRepeat ? this.#repeat('upload-failed', send) : send());
    tell(1);
    return answer;
  }

  /**
   * Asks for a job, again where the connection breaks.
   * @param headers asked for before every attempt
   */
  poll(url: URL, headers: HeadersOf): Promise<ProviderAnswer> {
    return this.#repeat('upload-failed', async () =>
      this.#exchange('upload-failed', this.#timings.idleTimeout, {
        method: 'GET',
        url,
        headers: await headers(),
        body: null,
      }),
    );
  }

  /**
   * Asks until there is a result.
   * @param ask answers null while there is none
   * @throws CaptureError `provider-timeout` after the last poll
   */
  async pollUntil(ask: () => Promise<Result | null>): Promise<Result> {
    const { pollAttempts, pollInterval } = this.#timings;
    const { signal, sleep = pause } = this.request;
    for (let attempt = 0; attempt < pollAttempts; attempt++) {
      this.#tell({ phase: 'waiting', fraction: attempt / pollAttempts });
      await sleep(pollInterval, signal);
      signal.throwIfAborted();
      const result = await ask();
      if (result) return result;
    }
    throw new CaptureError('provider-timeout', `the provider had no result after ${pollAttempts} polls`);
  }

  #tellToken(fraction: number): void {
    if (!this.#uploading) this.#tell({ phase: 'token', fraction });
  }

  #tell(progress: SubmitProgress): void {
    this.#told = progress;
    this.request.onProgress(progress);
  }

  /**
   * Repeats after a broken connection, a time-out, a 5xx without a word of the contract, and as often as a busy server
   * wants to be asked again.
   */
  async #repeat(code: ErrorCode, exchange: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
    const { retries, retryDelay, longestRetryAfter, patience } = this.#timings;
    const { signal } = this.request;
    const deadline = performance.now() + patience;
    const attempt = async (): Promise<ProviderAnswer> => {
      const answer = await exchange();
      const isExplained = answer.status < 500 || readError(parseBody(answer.body)) !== null;
      if (isExplained && readRetryAfter(answer) === null) return answer;
      throw new BrokenExchange(code, `HTTP ${answer.status}`, answer);
    };
    const busyFor = (error: Error): number | null =>
      error instanceof BrokenExchange ? error.retryAfter : null;
    try {
      return await pRetry(attempt, {
        retries,
        minTimeout: retryDelay,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => error instanceof BrokenExchange,
        shouldConsumeRetry: ({ error }) => busyFor(error) === null,
        onFailedAttempt: async ({ error }) => {
          const wait = busyFor(error);
          if (wait === null) return;
          if (wait > longestRetryAfter || performance.now() > deadline) throw error;
          await pause(wait + Math.random() * retryDelay, signal);
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BrokenExchange)) throw error;
      // The caller knows better than this line what the last answer says.
      if (error.answer) return error.answer;
      // No longer one to repeat, should it have been asked for on the way to another request.
      throw new CaptureError(error.code, error.message);
    }
  }

  /**
   * Waits until there is a network.
   * @throws CaptureError `offline` where that takes too long
   */
  async #untilOnline(): Promise<void> {
    if (this.#online()) return;
    const { request } = this;
    const { signal } = request;
    request.onProgress({ phase: 'offline', fraction: 0 });
    const stop = new AbortController();
    const follow = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', follow);
    try {
      const limit = pause(this.#timings.patience, stop.signal).then(() => {
        throw new CaptureError('offline', 'the browser is offline');
      });
      limit.catch(() => undefined);
      while (!this.#online()) await Promise.race([limit, this.#whenOnline(stop.signal)]);
    } finally {
      signal.removeEventListener('abort', follow);
      stop.abort();
    }
    request.onProgress(this.#told);
  }

  /** One request under a time-out that every upload progress winds up again. */
  async #exchange(
    code: ErrorCode,
    timeout: number,
    request: Omit<TransportRequest, 'signal'>,
  ): Promise<ProviderAnswer> {
    const { signal } = this.request;
    signal.throwIfAborted();
    await this.#untilOnline();

    const stop = new AbortController();
    const late = new BrokenExchange(code, `no answer within ${timeout} ms`);
    const follow = (): void => stop.abort(signal.reason);
    let timer = setTimeout(() => stop.abort(late), timeout);
    const windUp = (fraction: number): void => {
      if (stop.signal.aborted) return;
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(late), timeout);
      request.onUploadProgress?.(fraction);
    };
    try {
      return await new Promise<ProviderAnswer>((resolve, reject) => {
        signal.addEventListener('abort', follow);
        // Not left to the transport, so that one which ignores its signal cannot hold the person.
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error));
        const watched = request.onUploadProgress ? { ...request, onUploadProgress: windUp } : request;
        this.#transport({ ...watched, signal: stop.signal }).then(resolve, reject);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error === late) throw late;
      if (!this.#online()) throw new BrokenExchange('offline', 'the browser went offline');
      // Without its cause: a browser may quote a header, and with it the token, in its message.
      throw new BrokenExchange(code, 'the connection broke');
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', follow);
    }
  }
}

/** Ends with the signal, whether or not the network is back. */
function onlineEvent(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    addEventListener('online', () => resolve(), { once: true, signal });
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
