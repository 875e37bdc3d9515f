import pRetry from 'p-retry';
import { CaptureError } from '../domain/result.ts';
import type { ProviderAnswer } from '../providers/provider.ts';

/** What a call to a provider needs of the world. */
export interface CallTools {
  readonly fetch: typeof fetch;
  /** ms for one call */
  readonly timeout: number;
}

/** Before the one repetition, ms. */
const PAUSE = 300;

/** The connection broke: nobody knows what the provider has received. */
class BrokenConnection extends CaptureError {}

/** The provider has received nothing that it could bill. */
export class NotSent extends CaptureError {}

/** The provider answered that it is ill or busy. */
class Unwell extends Error {
  readonly answer: ProviderAnswer;
  constructor(answer: ProviderAnswer) {
    super('the provider is ill or busy');
    this.answer = answer;
  }
}

/** What Node's fetch says of a connection that never was. Other runtimes do not say, and nothing is repeated there. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * One call that the provider may bill: sent a second time only where the first did not even reach the provider.
 * @throws CaptureError `provider-failed` where there is no answer; NotSent where it was not reached
 */
export function call(tools: CallTools, url: URL, init: RequestInit): Promise<ProviderAnswer> {
  return pRetry(() => exchange(tools, url, init), {
    retries: 1,
    minTimeout: PAUSE,
    shouldRetry: ({ error }) => error instanceof NotSent,
  });
}

/**
 * One call that may be repeated without harm, and is, once, where the connection broke or the provider was ill or
 * busy. A time-out is final: whoever waits for the answer would not wait twice as long.
 * @throws CaptureError `provider-failed` where there is no answer
 */
export async function callSafely(tools: CallTools, url: URL, init: RequestInit): Promise<ProviderAnswer> {
  const attempt = async (): Promise<ProviderAnswer> => {
    const answer = await exchange(tools, url, init);
    if (answer.status === 429 || answer.status >= 500) throw new Unwell(answer);
    return answer;
  };
  try {
    return await pRetry(attempt, {
      retries: 1,
      minTimeout: PAUSE,
      shouldRetry: ({ error }) =>
        [BrokenConnection, NotSent, Unwell].some((passing) => error instanceof passing),
    });
  } catch (error) {
    // The body may hold the reason, whatever the status.
    if (error instanceof Unwell) return error.answer;
    throw error;
  }
}

/** One exchange under a time-out, with the whole body read whatever the status. */
async function exchange(tools: CallTools, url: URL, init: RequestInit): Promise<ProviderAnswer> {
  const stop = new AbortController();
  const late = new CaptureError('provider-failed', `the provider gave no answer within ${tools.timeout} ms`);
  const timer = setTimeout(() => stop.abort(late), tools.timeout);
  try {
    return await new Promise<ProviderAnswer>((resolve, reject) => {
      // A fetch that was injected may not heed the signal.
      stop.signal.addEventListener('abort', () => reject(late));
      tools
        .fetch(url, { ...init, signal: stop.signal, redirect: 'error' })
        .then(async (response) => ({
          status: response.status,
          body: await response.text(),
          header: (name: string) => response.headers.get(name),
        }))
        .then(resolve, reject);
    });
  } catch (error) {
    if (error === late) throw late;
    // Without its cause: a fetch may quote a header, and with it a secret, in its message.
    if (neverConnected(error)) throw new NotSent('provider-failed', 'the provider cannot be reached');
    throw new BrokenConnection('provider-failed', 'the connection to the provider broke');
  } finally {
    clearTimeout(timer);
  }
}

function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    cause instanceof Error &&
    'code' in cause &&
    typeof cause.code === 'string' &&
    NEVER_CONNECTED.has(cause.code)
  );
}
