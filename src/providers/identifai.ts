import * as v from 'valibot';
import { CaptureError, type Step } from '../domain/result.ts';
import { readDocument } from './documents.ts';
import { FACE_ID, POLLING, type Analytic, type AnalyticParameter, type Check } from './profiles.ts';
import { parseBody, type Asked, type Outcome, type Provider, type ProviderAnswer } from './provider.ts';
import {
  failure,
  photoRefused,
  readBoolean,
  readChecks,
  readRefusal,
  toResult,
  unreadable,
  type CheckFields,
} from './reading.ts';
import { IDENTIFAI_PRODUCTION } from './retired.ts';

const THRESHOLDS = { liveness: 0.6, similarity: 0.7 };

/** IdentifAI (was Nodeflux Cloud): an answer at once, or a submission and then a job to ask for. */
export const identifai = {
  id: 'identifai',
  bases: { production: IDENTIFAI_PRODUCTION, test: null },
  paths: {
    signatures: 'public/auth/v1/signatures',
    submissionTokens: 'auth/v1/submission_tokens',
    asynchronous: 'v1/analytics/',
    synchronous: 'syncv2/analytics/',
    job: 'v1/jobs/',
  },
  thresholds: THRESHOLDS,
  refNumber: /^[A-Za-z0-9]{6,128}$/,
  contextFields: [],
  polling: POLLING,
  read,
} as const satisfies Provider;

/** A submission token expires after this time (documented). */
export const SUBMISSION_TOKEN_SECONDS = 300;

/** The body of a submission. */
export interface IdentifaiRequest {
  readonly images: readonly string[];
  readonly additional_params: Readonly<Record<string, number | boolean | string>>;
  readonly client_ref: string;
}

/** What analytics are told where nobody says otherwise; the documented defaults. */
const PARAMETERS: Readonly<Partial<Record<AnalyticParameter, number | boolean>>> = {
  similarity_threshold: THRESHOLDS.similarity,
  liveness_threshold: THRESHOLDS.liveness,
  auto_orientation: false,
};

/**
 * Builds the body of a submission.
 * @param photos each photo as a `data:image/jpeg;base64,` URL
 * @param faceId for analytics of enrolled faces
 * @throws CaptureError `configuration-invalid` where a photo or the face's number is missing
 */
export function buildIdentifaiRequest(
  { photos: wanted, parameters }: Analytic,
  photos: ReadonlyMap<Step, string>,
  refNumber: string,
  faceId: string | null = null,
): IdentifaiRequest {
  const images = wanted.map((step) => {
    const photo = photos.get(step);
    if (photo === undefined)
      throw new CaptureError('configuration-invalid', `IdentifAI needs the ${step} photo`);
    return photo;
  });
  const told = parameters.map((name) => [name, name === 'face_id' ? faceId : PARAMETERS[name]] as const);
  if (parameters.includes('face_id') && !FACE_ID.test(faceId ?? ''))
    throw new CaptureError(
      'configuration-invalid',
      'IdentifAI needs the number of the enrolled face, in digits',
    );
  return {
    images,
    additional_params: Object.fromEntries(
      told.filter(([, value]) => value != null),
    ) as IdentifaiRequest['additional_params'],
    client_ref: refNumber,
  };
}

/** The reference of one of several requests of a submission, as each has to be its own. */
export const clientRefOf = (refNumber: string, place: number): string =>
  place === 0 ? refNumber : `${refNumber.slice(0, 125)}x${place + 1}`;

/** A JPEG as the data URL that IdentifAI takes. */
export function toDataUrl(jpeg: Uint8Array): string {
  // In slices, because a call takes only so many arguments; a multiple of 3 keeps base64 free of padding.
  const slice = 3 * 8192;
  let base64 = '';
  for (let start = 0; start < jpeg.length; start += slice) {
    base64 += btoa(String.fromCharCode(...jpeg.subarray(start, start + slice)));
  }
  return `data:image/jpeg;base64,${base64}`;
}

const Ended = v.object({ status: v.string(), result: v.optional(v.unknown()) });

/** The number of a job becomes a part of a URL; one that could lead elsewhere is none. */
const JobId = v.pipe(v.string(), v.regex(/^(?=.*\w)[\w.:-]{1,256}$/));

/** All shapes that the endpoints answer: accepted, job, flat (syncv2) and refused; each field is optional. */
const Body = v.object({
  ok: v.optional(v.unknown()),
  code: v.optional(v.unknown()),
  message: v.optional(v.unknown()),
  job_id: v.nullish(JobId),
  job: v.nullish(v.object({ id: JobId, result: v.nullish(Ended) })),
  status: v.nullish(v.string()),
  result: v.optional(v.unknown()),
});

const CHECKS: Record<Check, CheckFields> = {
  liveness: {
    check: 'face_liveness',
    verdict: 'live',
    score: ['live_score', 'liveness'],
    threshold: THRESHOLDS.liveness,
  },
  match: {
    check: 'face_match',
    verdict: 'match',
    // The document misspells the field in match with liveness.
    score: ['similarity', 'smimilarity'],
    threshold: THRESHOLDS.similarity,
  },
};

function read(answer: ProviderAnswer, asked: Asked): Outcome {
  const { analytic } = asked;
  const raw = parseBody(answer.body);
  const parsed = v.safeParse(Body, raw);
  if (!parsed.success) {
    return answer.status === 401 ? tokenRefused() : unreadable('identifai', answer);
  }
  const body = parsed.output;
  const message = typeof body.message === 'string' ? body.message : '';
  const accepted = answer.status < 400 && readBoolean(body.ok) !== false;

  if (!accepted) {
    if (body.code === 'not-authenticate' || answer.status === 401) return tokenRefused();
    const refusal = readRefusal(message, analytic);
    if (refusal) return { kind: 'error', error: refusal };
    if (answer.status === 413) return failure('upload-refused', 'IdentifAI finds the request too large');
    return failure('provider-failed', `IdentifAI refused the request with HTTP ${answer.status}`, raw);
  }

  const job = body.job?.id ?? body.job_id ?? null;
  const flat = body.status == null ? null : { status: body.status, result: body.result };
  // Two ends in one answer may contradict each other, and a contradiction must not verify anybody.
  if (flat && body.job?.result) return unreadable('identifai', answer);
  const ended = body.job?.result ?? flat;
  if (ended === null) return job === null ? unreadable('identifai', answer) : { kind: 'pending', job };

  const status = ended.status.trim().toLowerCase();
  if (/^on[\s_-]?going$/.test(status) && job !== null) return { kind: 'pending', job };
  if (status !== 'success') {
    const refusal = readRefusal(message, analytic);
    return refusal
      ? { kind: 'error', error: refusal }
      : failure('provider-failed', 'the job of IdentifAI ended without success', raw);
  }
  // An end that does not say `ok` is none that is documented.
  if (readBoolean(body.ok) !== true) return unreadable('identifai', answer);

  const rest = { transactionId: job, raw };
  if (analytic.document !== null) {
    const document = readDocument(ended.result, analytic.document);
    return document === null
      ? { kind: 'error', error: photoRefused(analytic.document, []) }
      : toResult('identifai', asked, { liveness: null, match: null, document }, rest);
  }
  const checks = readChecks(ended.result, CHECKS);
  // Enrolments give no verdict: that they ended with success is all there is to know.
  if (analytic.checks.length > 0 && checks.liveness === null && checks.match === null) {
    return failure('provider-failed', 'IdentifAI ended with success and no result', raw);
  }
  return toResult('identifai', asked, { ...checks, document: null }, rest);
}

function tokenRefused(): Outcome {
  return failure('token-expired', 'IdentifAI refused the submission token');
}
