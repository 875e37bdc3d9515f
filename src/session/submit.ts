import { createPart } from '../analysis/part.ts';
import type { SendingPhase } from '../domain/journey.ts';
import { CaptureError, STEPS, type ErrorCode, type Result, type Step } from '../domain/result.ts';
import { readError, readPending, readResult, type TokenAnswer } from '../providers/contract.ts';
import { profileOf, wantedOf, type Wanted } from '../providers/profiles.ts';
import { parseBody, saysYes, type ProviderAnswer } from '../providers/provider.ts';
import { Line, type SubmitTimings } from './line.ts';
import type { Transport } from './transport.ts';

const loadDirectPart = createPart('direct', () => import('./direct.ts'));

/** What the person is shown while photos are on their way. */
export interface SubmitProgress {
  readonly phase: SendingPhase;
  /** 0..1 within the phase. */
  readonly fraction: number;
}

/** Everything a submission needs. */
export interface SubmitRequest {
  readonly provider: string;
  /** What the provider is asked for, by its own names. */
  readonly analytics: readonly string[];
  readonly tokenEndpoint: URL;
  /** Headers the page wants on its own token endpoint; they go nowhere else. */
  readonly tokenHeaders: Readonly<Record<string, string>>;
  /** Where the provider is, for direct mode; null where the page named none. */
  readonly providerBase: URL | null;
  readonly refNumber: string;
  /** The number under which the provider knows the face, for analytics of enrolled faces in direct mode. */
  readonly faceId: string | null;
  readonly steps: readonly Step[];
  /** JPEG photos, one for each step; only those that the analytics take are sent. */
  readonly photos: ReadonlyMap<Step, Blob>;
  /** Metadata fields of the multipart request. */
  readonly context: Readonly<Record<string, string>>;
  /** Random; the same until the relay has settled the submission, so that it is sent to the provider once. */
  readonly submissionKey: string;
  /** How the photos came about, for the customer's server behind the relay; null where nobody wants to know. */
  readonly captureContext: Readonly<Record<string, unknown>> | null;
  readonly signal: AbortSignal;
  onProgress(progress: SubmitProgress): void;
  /** The page's origin; `location.origin` where it is left out. */
  readonly pageOrigin?: string;
  /** Sends requests; `XMLHttpRequest` and `fetch` where it is left out. */
  readonly transport?: Transport;
  /** Waits between two polls. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Whether there is a network; `navigator.onLine` where it is left out. */
  readonly online?: () => boolean;
  /** Resolves when the network is back; the window's `online` event where it is left out. */
  readonly whenOnline?: (signal: AbortSignal) => Promise<void>;
  readonly timings?: Partial<SubmitTimings>;
}

/** Names that the multipart request, or the relay's towards a provider, needs itself. */
const RESERVED_FIELDS: readonly string[] = [
  ...STEPS,
  'refNumber',
  'captureContext',
  'key',
  'tenant_code',
  'img1',
  'img2',
];

/**
 * Asks for a token, sends the photos to the relay or, in direct mode, to the provider, and waits for the result.
 * A submission that may have been received is sent again only to a relay that knows it by its key, because the
 * provider bills it.
 * @throws CaptureError of the codes `offline` and those after it, or `configuration-invalid`
 * @throws the signal's reason where it aborts
 */
export async function submit(request: SubmitRequest): Promise<Result> {
  request.signal.throwIfAborted();
  const reserved = Object.keys(request.context).find((name) => RESERVED_FIELDS.includes(name));
  if (reserved !== undefined) {
    throw new CaptureError(
      'configuration-invalid',
      `the context field ${reserved} is a name of the upload's own`,
    );
  }
  const wanted = wantedOf(profileOf(request.provider), request.analytics);
  const photos = new Map<Step, Blob>();
  for (const step of request.steps) {
    const photo = request.photos.get(step);
    if (!photo) throw new CaptureError('configuration-invalid', `the ${step} photo is missing`);
    if (wanted.steps.includes(step)) photos.set(step, photo);
  }
  const missing = wanted.steps.find((step) => !photos.has(step));
  if (missing !== undefined) {
    throw new CaptureError(
      'configuration-invalid',
      `what is asked for takes the ${missing} photo; a page that wants photos for itself prevents kyc-submit`,
    );
  }
  const line = new Line({ ...request, steps: [...photos.keys()], photos });
  const token = await line.askToken();
  // Pages with a relay never load what only direct mode needs.
  const send = token.upload_url == null ? await loadDirect() : submitToRelay;
  const result = await send(line, wanted, token);
  // Whoever cancelled while the last answer came in is told of no result.
  request.signal.throwIfAborted();
  return result;
}

async function loadDirect(): Promise<typeof submitToRelay> {
  const { submitDirect } = await loadDirectPart().catch(() => {
    throw new CaptureError('assets-failed', 'what direct mode needs could not be loaded');
  });
  return submitDirect;
}

/** The ways an answer of the relay can go on. */
type RelayAnswer =
  { readonly kind: 'result'; readonly result: Result } | { readonly kind: 'pending'; readonly url: URL };

async function submitToRelay(line: Line, wanted: Wanted, first: TokenAnswer): Promise<Result> {
  const { refNumber, context, photos, tokenEndpoint, submissionKey, captureContext } = line.request;
  const form = new FormData();
  for (const [step, photo] of photos) form.append(step, photo, `${step}.jpg`);
  form.append('refNumber', refNumber);
  for (const [name, value] of Object.entries(context)) form.append(name, value);
  if (captureContext !== null) form.append('captureContext', JSON.stringify(captureContext));

  let token = first;
  const accepted = await line.withToken(first, async (offered) => {
    const url = line.namedUrl(offered.upload_url ?? '', tokenEndpoint);
    const mayRepeat = offered.idempotent === true;
    // Whatever became of the request before, its token may be used up.
    let unused: TokenAnswer | null = offered;
    const headers = async (): Promise<Record<string, string>> => {
      token = unused ?? (await line.askToken());
      unused = null;
      if (mayRepeat && token.idempotent !== true) {
        throw new CaptureError('upload-failed', 'the relay no longer takes a submission again');
      }
      const authorization = `Bearer ${token.submission_token}`;
      return mayRepeat ? { authorization, 'idempotency-key': submissionKey } : { authorization };
    };
    const answer = await line.upload(url, headers, form, mayRepeat);
    return readRelayAnswer(line, wanted, answer, url, token);
  });
  if (accepted.kind === 'result') return accepted.result;

  let { url } = accepted;
  return line.pollUntil(async () => {
    const answer = await line.withToken(token, async (offered) => {
      token = offered;
      const answer = await line.poll(url, () => ({ authorization: `Bearer ${offered.submission_token}` }));
      return readRelayAnswer(line, wanted, answer, url, offered);
    });
    if (answer.kind === 'result') return answer.result;
    url = answer.url;
    return null;
  });
}

/** Null where the relay refused the token. */
function readRelayAnswer(
  line: Line,
  wanted: Wanted,
  answer: ProviderAnswer,
  url: URL,
  token: TokenAnswer,
): RelayAnswer | null {
  if (answer.status === 401) return null;
  const body = parseBody(answer.body);
  const error = readError(body);
  if (error) throw error;
  if (answer.status === 202) {
    const pending = readPending(body);
    if (pending !== null) return { kind: 'pending', url: line.namedUrl(pending, url) };
    if (token.result_url != null) {
      return { kind: 'pending', url: line.namedUrl(token.result_url, line.request.tokenEndpoint) };
    }
  }
  const result = answer.status === 200 ? readResult(body) : null;
  // An answer about another person's submission, or a yes to less than was asked, must never pass for this one's.
  const isOurs = result?.provider === line.request.provider && result.refNumber === line.request.refNumber;
  const isWhole =
    wanted.checks.length > 0 && wanted.checks.every((check) => result && saysYes(result, check));
  if (result && isOurs && (isWhole || !result.verified)) return { kind: 'result', result };
  const code: ErrorCode =
    answer.status >= 500 ? 'upload-failed' : answer.status >= 400 ? 'upload-refused' : 'answer-unreadable';
  throw new CaptureError(
    code,
    `the relay answered HTTP ${answer.status} with a body the contract does not know`,
    {
      raw: body ?? answer.body,
    },
  );
}
