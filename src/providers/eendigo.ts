import * as v from 'valibot';
import { CaptureError, type Step } from '../domain/result.ts';
import { readDocument } from './documents.ts';
import type { Analytic, Check } from './profiles.ts';
import { parseBody, type Asked, type Outcome, type Provider, type ProviderAnswer } from './provider.ts';
import {
  failure,
  findCheck,
  photoRefused,
  readChecks,
  readRefusal,
  toResult,
  unreadable,
  type CheckFields,
} from './reading.ts';

/** Eendigo: liveness and face compare in one call, and OCR of cards. Its key is a secret, so only the relay speaks to it. */
export const eendigo = {
  id: 'eendigo',
  bases: { production: 'https://api.eendigo.app', test: 'https://api.eendigo.app/demo' },
  paths: {
    facecompareliveness: 'biometric/facecompareliveness',
    'ocr-ktp': 'ocr/ktp',
    'ocr-npwp': 'ocr/npwp',
  },
  thresholds: { liveness: null, similarity: null },
  // Not documented; what is safe in a form field and long enough for a UUID with a prefix.
  refNumber: /^[A-Za-z0-9._-]{1,128}$/,
  contextFields: ['source', 'loginId', 'nik', 'officeCode', 'officeName', 'question'],
  polling: null,
  read,
} as const satisfies Provider;

/** What identifies the customer. Never leaves the relay. */
export interface EendigoCredentials {
  readonly key: string;
  readonly tenantCode: string;
}

/** The names of the photos in a form: in their order, or the only one's. */
export const eendigoPhotoNames = ({ photos }: Analytic): readonly string[] =>
  photos.length === 1 ? ['img'] : photos.map((_, place) => `img${place + 1}`);

/**
 * Builds the form of a submission.
 * @param context metadata; only the fields that Eendigo documents are passed on
 * @throws CaptureError `configuration-invalid` where a photo is missing
 */
export function buildEendigoForm(
  analytic: Analytic,
  photos: ReadonlyMap<Step, Blob>,
  refNumber: string,
  context: Readonly<Record<string, string>>,
  credentials: EendigoCredentials,
): FormData {
  const form = new FormData();
  const names = eendigoPhotoNames(analytic);
  for (const [place, step] of analytic.photos.entries()) {
    const photo = photos.get(step);
    if (!photo) throw new CaptureError('configuration-invalid', `Eendigo needs the ${step} photo`);
    form.append(names[place] ?? step, photo, `${step}.jpg`);
  }
  // OCR was seen with its picture and the keys only; that it passes over a reference number is assumed.
  for (const field of analytic.document === null ? eendigo.contextFields : []) {
    const value = context[field];
    if (value !== undefined) form.append(field, value);
  }
  form.append('key', credentials.key);
  form.append('tenant_code', credentials.tenantCode);
  form.append('refNumber', refNumber);
  return form;
}

const Body = v.object({
  status: v.string(),
  message: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  read: v.optional(v.unknown()),
});

const CHECKS: Record<Check, CheckFields> = {
  liveness: { check: 'face_liveness', verdict: 'live', score: ['score'], threshold: 'threshold' },
  match: { check: 'face_compare', verdict: 'compare', score: ['similarity'], threshold: 'threshold' },
};

function read(answer: ProviderAnswer, asked: Asked): Outcome {
  const { analytic } = asked;
  const raw = parseBody(answer.body);
  const parsed = v.safeParse(Body, raw);
  if (!parsed.success) {
    return answer.status === 413
      ? failure('upload-refused', 'Eendigo finds the request too large')
      : unreadable('eendigo', answer);
  }
  const { status, message, error, result, read: fields } = parsed.output;
  const checks = { ...readChecks(result, CHECKS), document: null };
  const rest = { transactionId: answer.header('x-trx-no') || null, raw };
  const text = [message, error].filter((part) => typeof part === 'string').join('; ');

  switch (status.trim().toLowerCase()) {
    case 'success':
      // A yes under an HTTP error contradicts itself, and a contradiction must not verify anybody.
      if (answer.status >= 400) return unreadable('eendigo', answer);
      if (analytic.document !== null) {
        const document = readDocument(fields, analytic.document);
        return document === null
          ? { kind: 'error', error: readRefusal(text, analytic) ?? photoRefused(analytic.document, []) }
          : toResult('eendigo', asked, { liveness: null, match: null, document }, rest);
      }
      return checks.liveness === null && checks.match === null
        ? failure('provider-failed', 'Eendigo answered success without a verdict', raw)
        : toResult('eendigo', asked, checks, rest);
    case 'failed': {
      const refusal = readRefusal(text, analytic);
      if (refusal) return { kind: 'error', error: refusal };
      if (checks.liveness?.live === false || checks.match?.matched === false) {
        return toResult('eendigo', asked, checks, rest);
      }
      // `error` beside blank verdicts is how Eendigo reports a selfie without a usable face.
      if (typeof error === 'string' && error.trim() !== '' && findCheck(result, 'face_liveness', 'live')) {
        return { kind: 'error', error: photoRefused('selfie', []) };
      }
      return failure('provider-failed', 'Eendigo answered FAILED without a known reason', raw);
    }
    default:
      return unreadable('eendigo', answer);
  }
}
