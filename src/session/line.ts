import pRetry from 'p-retry';
import { CaptureError, type ErrorCode, type Result } from '../domain/result.ts';
import { readError, readToken, type TokenAnswer } from '../providers/contract.ts';
import { POLLING, profileOf } from '../providers/profiles.ts';
import { parseBody, type ProviderAnswer } from '../providers/provider.ts';
import type { SubmitRequest } from './submit.ts';

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
  /** Before the first repetition; doubles with each. */
  readonly retryDelay: number;
}

const TIMINGS: SubmitTimings = {
  tokenTimeout: 15_000,
  idleTimeout: 30_000,
  pollInterval: POLLING.intervalMs,
  pollAttempts: POLLING.attempts,
  retries: 2,
  retryDelay: 500,
};

/** One HTTP request. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | null;
  readonly signal: AbortSignal;
  /** Called while the body is sent, 0..1; its presence asks for a transport that can tell. */
  readonly onUploadProgress?: (fraction: number) => void;
}

/**
 * Sends one request and reads the whole body, whatever the status.
 * @throws anything where there was no answer
 */
export type Transport = (request: TransportRequest) => Promise<ProviderAnswer>;

/** The connection broke, or a gateway answered in the server's place: worth repeating where that is safe. */
class BrokenExchange extends CaptureError {}

/** One submission's line to the outside: named origins, time-outs, retries and progress. */
export class Line {
  readonly request: SubmitRequest;
  readonly #timings: SubmitTimings;
  readonly #transport: Transport;
  readonly #online: () => boolean;
  /** Renewing a token later must not throw the person's progress back to its beginning. */
  #uploading = false;

  constructor(request: SubmitRequest) {
    this.request = request;
    this.#timings = { ...TIMINGS, ...request.timings };
    this.#transport = request.transport ?? browserTransport;
    this.#online = request.online ?? (() => navigator.onLine);
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

  /** Sends the photos, once. */
  async upload(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: string | FormData,
  ): Promise<ProviderAnswer> {
    this.#uploading = true;
    // Once the last byte is out, what the person waits for is the provider.
    const tell = (fraction: number): void =>
      this.request.onProgress(
        fraction < 1 ? { phase: 'uploading', fraction } : { phase: 'waiting', fraction: 0 },
      );
    tell(0);
    const answer = await this.#exchange('upload-failed', this.#timings.idleTimeout, {
      method: 'POST',
      url,
      headers,
      body,
      onUploadProgress: tell,
    });
    tell(1);
    return answer;
  }

  /**
   * Asks for a job, again where the connection breaks.
   * @param headers asked for before every attempt
   */
  poll(
    url: URL,
    headers: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>,
  ): Promise<ProviderAnswer> {
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
      this.request.onProgress({ phase: 'waiting', fraction: attempt / pollAttempts });
      await sleep(pollInterval, signal);
      signal.throwIfAborted();
      const result = await ask();
      if (result) return result;
    }
    throw new CaptureError('provider-timeout', `the provider had no result after ${pollAttempts} polls`);
  }

  #tellToken(fraction: number): void {
    if (!this.#uploading) this.request.onProgress({ phase: 'token', fraction });
  }

  /** Repeats after a broken connection or a 5xx without a word of the contract; a time-out is final. */
  async #repeat(code: ErrorCode, exchange: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
    const last: { unexplained: ProviderAnswer | null } = { unexplained: null };
    const attempt = async (): Promise<ProviderAnswer> => {
      last.unexplained = null;
      const answer = await exchange();
      if (answer.status < 500 || readError(parseBody(answer.body))) return answer;
      last.unexplained = answer;
      throw new BrokenExchange(code, `HTTP ${answer.status}`);
    };
    try {
      return await pRetry(attempt, {
        retries: this.#timings.retries,
        minTimeout: this.#timings.retryDelay,
        signal: this.request.signal,
        shouldRetry: ({ error }) => error instanceof BrokenExchange,
      });
    } catch (error) {
      this.request.signal.throwIfAborted();
      // The caller knows better than this line what the last 5xx says.
      if (last.unexplained) return last.unexplained;
      throw error;
    }
  }

  /** One request under a time-out that every upload progress winds up again. */
  async #exchange(
    code: ErrorCode,
    timeout: number,
    request: Omit<TransportRequest, 'signal'>,
  ): Promise<ProviderAnswer> {
    const { signal } = this.request;
    signal.throwIfAborted();
    if (!this.#online()) throw new CaptureError('offline', 'the browser is offline');

    const stop = new AbortController();
    const late = new CaptureError(code, `no answer within ${timeout} ms`);
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
      if (!this.#online()) throw new CaptureError('offline', 'the browser went offline');
      // Without its cause: a browser may quote a header, and with it the token, in its message.
      throw new BrokenExchange(code, 'the connection broke');
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', follow);
    }
  }
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

/** `fetch`, but `XMLHttpRequest` where upload progress is asked for, which `fetch` cannot tell. */
const browserTransport: Transport = (request) =>
  request.onUploadProgress ? sendByXhr(request) : sendByFetch(request);

async function sendByFetch({
  url,
  method,
  headers,
  body,
  signal,
}: TransportRequest): Promise<ProviderAnswer> {
  const response = await fetch(url, {
    method,
    headers,
    body,
    signal,
    credentials: 'same-origin',
    // A redirect could lead to an origin that the page did not name; it arrives as status 0 with no body.
    redirect: 'manual',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  });
  return {
    status: response.status,
    body: await response.text(),
    header: (name) => response.headers.get(name),
  };
}

function sendByXhr({
  url,
  method,
  headers,
  body,
  signal,
  onUploadProgress,
}: TransportRequest): Promise<ProviderAnswer> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = (): void => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      onUploadProgress?.(lengthComputable && total > 0 ? loaded / total : 0);
    };
    xhr.onload = () =>
      resolve({ status: xhr.status, body: xhr.responseText, header: (name) => xhr.getResponseHeader(name) });
    xhr.onerror = () => reject(new Error('network'));
    xhr.onabort = () => reject(signal.reason as Error);
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    xhr.send(body);
  });
}
