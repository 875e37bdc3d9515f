import { CaptureError, type ErrorCode, type GuidanceCode, type Result, type Step } from '../domain/result.ts';
import type { Analytic, Check } from './profiles.ts';
import {
  parseBody,
  saysYes,
  type Asked,
  type Checks,
  type Outcome,
  type ProviderAnswer,
} from './provider.ts';

/*
 * How providers' answers are read: words, numbers, verdicts and refusals. Apart from `provider.ts`, because a browser
 * needs none of it unless it speaks to a provider itself.
 */

/** An outcome that ends in an error of this package. */
export function failure(code: ErrorCode, message: string, raw?: unknown): Outcome {
  return { kind: 'error', error: new CaptureError(code, message, raw === undefined ? {} : { raw }) };
}

/** The outcome of an answer that nobody can make sense of. */
export function unreadable(provider: string, answer: ProviderAnswer): Outcome {
  const raw = parseBody(answer.body) ?? answer.body;
  return answer.status >= 500
    ? failure('provider-failed', `${provider} answered HTTP ${answer.status}`, raw)
    : failure('answer-unreadable', `${provider} answered HTTP ${answer.status} with an unknown body`, raw);
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
 * @param verdict the field that holds yes or no: of several entries one that says no comes first, then one that says
 * nothing, so that a yes is only ever unanimous
 */
export function findCheck(
  result: unknown,
  name: string,
  verdict: string,
): Readonly<Record<string, unknown>> | null {
  const entries = (Array.isArray(result) ? result : [result])
    .map((entry: unknown) => readRecord(readRecord(entry)?.[name]))
    .filter((entry) => entry !== null);
  const saying = (said: boolean | null): Readonly<Record<string, unknown>> | undefined =>
    entries.find((entry) => readBoolean(entry[verdict]) === said);
  return saying(false) ?? saying(null) ?? entries[0] ?? null;
}

/** A provider's words for a refusal, and what they mean to us. */
interface Refusal {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Refusals that are about the request as a whole. The wordings are Eendigo's; IdentifAI documents none, so its messages
 * are read with the same table.
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
    pattern: /too\s+large|size\s+exceed|exceeds?\s+.*size/i,
    code: 'upload-refused',
    message: 'the provider finds a photo too large',
  },
];

/** A provider's word for what is wrong with a photo, in our own. */
interface Reason {
  readonly pattern: RegExp;
  readonly guidance: GuidanceCode;
}

/** What a provider says of a selfie it could not use. */
const SELFIE_REASONS: readonly Reason[] = [
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

/** What a provider says of a card it could not read. */
const CARD_REASONS: readonly Reason[] = [
  { pattern: /not\s+(detected|found)|no\s+(card|document)/i, guidance: 'no-card' },
  { pattern: /blur|out\s+of\s+focus/i, guidance: 'card-blurred' },
  { pattern: /reflect|glare/i, guidance: 'card-glare' },
  { pattern: /too\s+dim|dark|low\s+light|underexpos/i, guidance: 'too-dark' },
  { pattern: /too\s+bright|overexpos/i, guidance: 'too-bright' },
  { pattern: /cropped|cut\s*off|incomplete/i, guidance: 'card-cut-off' },
  { pattern: /rotat|upside/i, guidance: 'card-upside-down' },
  { pattern: /too\s+(far|small)/i, guidance: 'card-too-far' },
];

/** Neither the number nor the fields of a card could be read, without a reason that says more. */
const UNREADABLE_CARD = /input\s+image\s+invalid|unreadable|nois[ey]/i;

/** Reads a provider's sentence of refusal, or null where it says nothing that is known. */
export function readRefusal(text: string, { document, photos }: Analytic): CaptureError | null {
  const refusal = REFUSALS.find(({ pattern }) => pattern.test(text));
  if (refusal) return new CaptureError(refusal.code, refusal.message);
  const reasons = (known: readonly Reason[]): readonly GuidanceCode[] =>
    known.filter(({ pattern }) => pattern.test(text)).map(({ guidance }) => guidance);
  if (document !== null) {
    const guidance = reasons(CARD_REASONS);
    return guidance.length > 0 || UNREADABLE_CARD.test(text) ? photoRefused(document, guidance) : null;
  }
  if (UNREADABLE_CARD.test(text) && photos.includes('ktp')) return photoRefused('ktp', []);
  const guidance = reasons(SELFIE_REASONS);
  return guidance.length > 0 ? photoRefused('selfie', guidance) : null;
}

/** The provider could not use a photo; `guidance` may be empty where it gave no known reason. */
export function photoRefused(step: Step, guidance: readonly GuidanceCode[]): CaptureError {
  return new CaptureError(`${step}-refused`, `the provider could not use the ${step} photo`, { guidance });
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
export function readChecks(result: unknown, fields: Readonly<Record<Check, CheckFields>>): Checks {
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

/**
 * Turns what was understood into a result. `verified` where every check that the analytic gives said yes, it gives any,
 * and no other check said no: only here and in `combined` does that become true.
 */
export function toResult(
  provider: string,
  { analytic, refNumber }: Asked,
  understood: Checks & Pick<Result, 'document'>,
  rest: Pick<Result, 'transactionId' | 'raw'>,
): Outcome {
  const { liveness, match } = understood;
  const isRefused = liveness?.live === false || match?.matched === false;
  const isWhole = analytic.checks.length > 0 && analytic.checks.every((check) => saysYes(understood, check));
  const verified = isWhole && !isRefused;
  return { kind: 'result', result: { provider, verified, ...understood, refNumber, ...rest } };
}

/** What one of several analytics came to. */
export interface Answered {
  /** By the provider's name. */
  readonly name: string;
  readonly analytic: Analytic;
  readonly result: Result;
}

/**
 * The results of several analytics of one submission as one: a yes only where all that have to give a verdict say yes.
 * @param results at least one, in the order in which they were asked for
 */
export function combined(results: readonly Answered[]): Result {
  const [first] = results;
  if (!first) throw new RangeError('nothing to combine');
  if (results.length === 1) return first.result;
  const all = results.map(({ result }) => result);
  const judged = results
    .filter(
      ({ analytic, result }) =>
        analytic.checks.length > 0 || result.liveness !== null || result.match !== null,
    )
    .map(({ result }) => result);
  const no = judged.filter(({ verified }) => !verified);
  // A no hides behind no yes: the verdicts told are those of the analytic that says no.
  const told = [...no, ...judged];
  return {
    provider: first.result.provider,
    verified: judged.length > 0 && no.length === 0,
    liveness:
      told.find(({ liveness }) => liveness?.live === false)?.liveness ??
      told.find(({ liveness }) => liveness)?.liveness ??
      null,
    match:
      told.find(({ match }) => match?.matched === false)?.match ??
      told.find(({ match }) => match)?.match ??
      null,
    document: all.find(({ document }) => document)?.document ?? null,
    transactionId: all.find(({ transactionId }) => transactionId !== null)?.transactionId ?? null,
    refNumber: first.result.refNumber,
    raw: Object.fromEntries(results.map(({ name, result }) => [name, result.raw])),
  };
}
