import {
  CaptureError,
  type ErrorCode,
  type GuidanceCode,
  type ProviderId,
  type Result,
  type Step,
} from '../domain/result.ts';

/**
 * The photos that a verification takes, of every provider: face match with liveness. Those of other steps are not sent.
 * Named here, because the browser's bundle leaves Eendigo's own data out.
 */
export const VERIFICATION_STEPS: readonly Step[] = ['selfie', 'ktp'];

/** What every provider is: data, and one function that reads its answers. Its request builder stands beside it. */
export interface Provider {
  readonly id: ProviderId;
  /** Base URLs, without a trailing slash. Any other base may be configured, for a sandbox or a proxy. */
  readonly bases: { readonly production: string; readonly test: string | null };
  /** Paths below the base, without a leading slash. */
  readonly paths: Readonly<Record<string, string>>;
  /** The photos in the order the provider wants them, each with its name in the request. */
  readonly photos: readonly { readonly step: Step; readonly name: string }[];
  /** The thresholds the provider is asked to use; null where it uses its own and says so in its answer. */
  readonly thresholds: { readonly liveness: number | null; readonly similarity: number | null };
  /** What it takes as reference number. */
  readonly refNumber: RegExp;
  /** Metadata that it takes; everything else is dropped by the relay. */
  readonly contextFields: readonly string[];
  /** How often and how far apart a job is asked for; null for a provider that answers at once. */
  readonly polling: Polling | null;
  /** Reads any answer, of a submission or of a job. Never throws. */
  read(answer: ProviderAnswer, refNumber: string): Outcome;
}

/** How a job is asked for. */
interface Polling {
  readonly attempts: number;
  readonly intervalMs: number;
}

/** An HTTP answer, whoever received it. */
export interface ProviderAnswer {
  readonly status: number;
  readonly body: string;
  /** Value of a header by its lower-case name, or null. */
  header(name: string): string | null;
}

/** What an answer means. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'pending'; readonly job: string }
  | { readonly kind: 'error'; readonly error: CaptureError };

/** An outcome that ends in an error of this package. */
export function failure(code: ErrorCode, message: string, raw?: unknown): Outcome {
  return { kind: 'error', error: new CaptureError(code, message, raw === undefined ? {} : { raw }) };
}

/** The outcome of an answer that nobody can make sense of. */
export function unreadable(provider: ProviderId, answer: ProviderAnswer): Outcome {
  const raw = parseBody(answer.body) ?? answer.body;
  return answer.status >= 500
    ? failure('provider-failed', `${provider} answered HTTP ${answer.status}`, raw)
    : failure('answer-unreadable', `${provider} answered HTTP ${answer.status} with an unknown body`, raw);
}

/**
 * Parses JSON and tolerates a comma before a closing bracket, as Eendigo's own sample has one.
 * @returns undefined where the text is not JSON even so
 */
export function parseBody(text: string): unknown {
  // The first alternative swallows whole strings, so that a comma inside a string stays.
  const repaired = text.replace(
    /("(?:[^"\\]|\\.)*")|,(\s*[}\]])/g,
    (_match, literal?: string, end?: string) => literal ?? end ?? '',
  );
  for (const candidate of [text, repaired]) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      // The repaired text gets its turn; if that fails as well, undefined says so.
    }
  }
  return undefined;
}

/** Reads a boolean or its English word in any case; null for everything else, so that `""` is never a yes. */
export function readBoolean(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return word === 'true' ? true : word === 'false' ? false : null;
}

/** Reads a finite number or its decimal spelling; null for everything else. */
export function readNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A JSON object, or null. */
function readRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/**
 * Finds one check in a `result` that may be an object or an array of objects.
 * @param verdict the field that holds yes or no: of several entries one that says no comes first, so that a
 * yes is only ever unanimous
 */
export function findCheck(
  result: unknown,
  name: string,
  verdict: string,
): Readonly<Record<string, unknown>> | null {
  const entries = (Array.isArray(result) ? result : [result])
    .map((entry: unknown) => readRecord(readRecord(entry)?.[name]))
    .filter((entry) => entry !== null);
  return entries.find((entry) => readBoolean(entry[verdict]) === false) ?? entries[0] ?? null;
}

/** A provider's words for a refusal, and what they mean to us. */
interface Refusal {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Refusals that are about the request as a whole. The first five wordings are Eendigo's; IdentifAI documents
 * none, so its messages are read with the same table.
 */
const REFUSALS: readonly Refusal[] = [
  {
    pattern: /insufficient\s+(balance|quota|credit)/i,
    code: 'provider-balance',
    message: 'the account has no balance left',
  },
  {
    pattern: /api\s*key|tenant|access\s*key|credential|signature/i,
    code: 'provider-credentials',
    message: 'the provider does not know these credentials',
  },
  { pattern: /parameter/i, code: 'provider-parameter', message: 'the provider refused a parameter' },
  {
    pattern: /input\s+image\s+invalid/i,
    code: 'ktp-refused',
    message: 'the provider found no readable face on the card',
  },
  {
    pattern: /too\s+large|size\s+exceed|exceeds?\s+.*size/i,
    code: 'upload-refused',
    message: 'the provider finds a photo too large',
  },
];

/** What a provider says of a selfie it could not use, in our own codes. */
const SELFIE_REASONS: readonly { readonly pattern: RegExp; readonly guidance: GuidanceCode }[] = [
  { pattern: /too\s+dim|too\s+dark|low\s+light|underexpos/i, guidance: 'too-dark' },
  { pattern: /too\s+bright|overexpos|too\s+strong/i, guidance: 'too-bright' },
  { pattern: /(face|mouth|nose)\s+is\s+covered|mask|occlu/i, guidance: 'face-covered' },
  { pattern: /glasses|eyes?\s+(is|are)\s+(covered|closed)/i, guidance: 'eyes-covered' },
  { pattern: /shak(e|ing)|keep\s+still/i, guidance: 'moving' },
  { pattern: /blur|out\s+of\s+focus/i, guidance: 'blurred' },
  { pattern: /face\s+(is\s+)?not\s+(detected|found)|no\s+face/i, guidance: 'no-face' },
  { pattern: /multiple\s+face|more\s+than\s+one/i, guidance: 'multiple-faces' },
  { pattern: /too\s+(far|small)/i, guidance: 'face-too-far' },
  { pattern: /too\s+(close|near)/i, guidance: 'face-too-close' },
];

/** Reads a provider's sentence of refusal, or null where it says nothing that is known. */
export function readRefusal(text: string): CaptureError | null {
  const refusal = REFUSALS.find(({ pattern }) => pattern.test(text));
  if (refusal) return new CaptureError(refusal.code, refusal.message);
  const guidance = SELFIE_REASONS.filter(({ pattern }) => pattern.test(text)).map(
    (reason) => reason.guidance,
  );
  return guidance.length > 0 ? selfieRefused(guidance) : null;
}

/** The provider could not use the selfie; `guidance` may be empty where it gave no known reason. */
export function selfieRefused(guidance: readonly GuidanceCode[]): CaptureError {
  return new CaptureError('selfie-refused', 'the provider could not use the selfie', { guidance });
}

/** An answer of the provider's that was understood, before it becomes a `Result`. */
export interface Checks {
  readonly liveness: Result['liveness'];
  readonly match: Result['match'];
}

/** Where a provider's result holds the fields of one check. */
export interface CheckFields {
  /** Name of the check's object. */
  readonly check: string;
  /** Field with yes or no. */
  readonly verdict: string;
  /** Fields that may hold the score; the first that is there counts. */
  readonly score: readonly string[];
  /** Field with the threshold, or the threshold itself where the answer does not repeat it. */
  readonly threshold: string | number;
}

/** Reads both checks of a `result`; null where it gives no verdict. */
export function readChecks(result: unknown, fields: Readonly<Record<keyof Checks, CheckFields>>): Checks {
  const liveness = readCheck(result, fields.liveness);
  const match = readCheck(result, fields.match);
  return {
    liveness: liveness && {
      live: liveness.verdict,
      score: liveness.score,
      threshold: liveness.threshold,
    },
    match: match && { matched: match.verdict, similarity: match.score, threshold: match.threshold },
  };
}

function readCheck(
  result: unknown,
  { check, verdict, score, threshold }: CheckFields,
): { verdict: boolean; score: number | null; threshold: number | null } | null {
  const found = findCheck(result, check, verdict);
  const said = readBoolean(found?.[verdict]);
  if (!found || said === null) return null;
  const scored = score.find((name) => found[name] != null);
  return {
    verdict: said,
    score: scored === undefined ? null : readNumber(found[scored]),
    threshold: typeof threshold === 'number' ? threshold : readNumber(found[threshold]),
  };
}

/** Turns understood checks into a result; the only place where `verified` becomes true. */
export function toResult(
  provider: ProviderId,
  checks: Checks,
  rest: { readonly transactionId: string | null; readonly refNumber: string; readonly raw: unknown },
): Outcome {
  const verified = checks.liveness?.live === true && checks.match?.matched === true;
  return { kind: 'result', result: { provider, verified, ...checks, ...rest } };
}
