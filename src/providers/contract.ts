import * as v from 'valibot';
import {
  CaptureError,
  GUIDANCE_CODES,
  STEPS,
  type DocumentType,
  type ErrorCode,
  type GuidanceCode,
  type Result,
} from '../domain/result.ts';

/** The answer of the token endpoint; IdentifAI's own answer is one of these. */
const Token = v.object({
  // What an HTTP header can carry; anything else would break the request that carries it.
  submission_token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/)),
  expires_in: v.nullish(v.number()),
  upload_url: v.nullish(v.string()),
  result_url: v.nullish(v.string()),
  /** The relay answers an upload of the same `Idempotency-Key` with the same answer, so that it may be repeated. */
  idempotent: v.nullish(v.boolean()),
});
export type TokenAnswer = v.InferOutput<typeof Token>;

/** The codes that may come over the wire; a camera error from a server would be nonsense. */
const WIRE_CODES: Partial<Record<ErrorCode, true>> = {
  'configuration-invalid': true,
  'token-refused': true,
  'token-failed': true,
  'token-invalid': true,
  'token-expired': true,
  'upload-refused': true,
  'upload-failed': true,
  'selfie-refused': true,
  'ktp-refused': true,
  'sim-refused': true,
  'npwp-refused': true,
  'provider-balance': true,
  'provider-credentials': true,
  'provider-parameter': true,
  'provider-failed': true,
  'provider-timeout': true,
  'answer-unreadable': true,
};

const Score = v.nullable(v.number());

/** Our normalised result, as the relay answers it. */
const ResultBody = v.pipe(
  v.object({
    provider: v.string(),
    verified: v.boolean(),
    liveness: v.nullable(v.object({ live: v.boolean(), score: Score, threshold: Score })),
    match: v.nullable(v.object({ matched: v.boolean(), similarity: Score, threshold: Score })),
    document: v.nullish(
      v.object({
        type: v.picklist(STEPS.filter((step): step is DocumentType => step !== 'selfie')),
        fields: v.record(v.string(), v.string()),
      }),
      null,
    ),
    transactionId: v.nullable(v.string()),
    refNumber: v.string(),
    raw: v.unknown(),
  }),
  v.check(
    ({ verified, liveness, match }) =>
      !verified || ((liveness ?? match) !== null && liveness?.live !== false && match?.matched !== false),
    'verified contradicts a verdict',
  ),
);

const ErrorBody = v.object({
  error: v.object({
    code: v.pipe(
      v.string(),
      v.check((code) => Object.hasOwn(WIRE_CODES, code)),
    ),
    message: v.string(),
    guidance: v.optional(v.array(v.string()), []),
    raw: v.optional(v.unknown()),
    settled: v.optional(v.boolean()),
  }),
});

const PendingBody = v.object({ result_url: v.string() });

/** The body of an error on the wire. */
export interface WireError {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly guidance: readonly GuidanceCode[];
    readonly raw?: unknown;
    /** As in `CaptureErrorDetails`. */
    readonly settled?: true;
  };
}

/** Reads the token endpoint's answer, or null where it breaks the contract. */
export function readToken(body: unknown): TokenAnswer | null {
  const parsed = v.safeParse(Token, body);
  return parsed.success ? parsed.output : null;
}

/** Reads a result of the relay, or null where it breaks the contract. */
export function readResult(body: unknown): Result | null {
  const parsed = v.safeParse(ResultBody, body);
  return parsed.success ? parsed.output : null;
}

/** Reads where to poll, or null where the body does not say. */
export function readPending(body: unknown): string | null {
  const parsed = v.safeParse(PendingBody, body);
  return parsed.success ? parsed.output.result_url : null;
}

/** Reads an error of the relay, or null where the body is none. Guidance that is not known is dropped. */
export function readError(body: unknown): CaptureError | null {
  const parsed = v.safeParse(ErrorBody, body);
  if (!parsed.success) return null;
  const { code, message, guidance, raw, settled = false } = parsed.output.error;
  return new CaptureError(code as ErrorCode, message, {
    guidance: guidance.flatMap((word) => GUIDANCE_CODES.find((known) => known === word) ?? []),
    raw,
    settled,
  });
}

/** An error as the relay sends it. */
export function toWireError(error: CaptureError): WireError {
  const { code, message, guidance, raw, settled } = error;
  return {
    error: {
      code,
      message,
      guidance,
      ...(raw === undefined ? {} : { raw }),
      ...(settled ? { settled } : {}),
    },
  };
}
