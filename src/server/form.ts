import * as v from 'valibot';
import { isJpeg, readJpegSize } from '../domain/jpeg.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import { withinLimits, type PhotoLimits } from '../domain/limits.ts';
import { analyticOf, profileOf, wantedOf } from '../providers/profiles.ts';
import { isWholeJpeg } from './jpeg.ts';
import type { TokenClaims } from './tokens.ts';

/** Bytes of a multipart request beside the photos: boundaries, names and metadata. */
const FORM_BYTES = 64_000;
/** Longest metadata value, characters. */
const CONTEXT_LENGTH = 256;
const CAPTURE_CONTEXT_BYTES = 8_000;

const CaptureContext = v.pipe(
  v.string(),
  v.parseJson(),
  v.check((value) => !Array.isArray(value)),
  v.looseObject({}),
);

/** Bytes of the largest request that can be right. */
export function largestBody({ provider, analytics }: TokenClaims): number {
  const profile = profileOf(provider);
  const { steps } = wantedOf(profile, analytics);
  return steps.reduce((sum, step) => sum + profile.limits[step].maxBytes, FORM_BYTES);
}

/**
 * The photos that the provider is sent for these analytics.
 * @throws CaptureError `upload-refused` with the rule that one of them breaks
 */
export async function readPhotos(
  form: FormData,
  { provider, analytics }: TokenClaims,
): Promise<ReadonlyMap<Step, Uint8Array<ArrayBuffer>>> {
  const photos = new Map<Step, Uint8Array<ArrayBuffer>>();
  const profile = profileOf(provider);
  const { names, steps } = wantedOf(profile, analytics);
  for (const step of steps) {
    const takers = names
      .map((name) => analyticOf(profile, name))
      .filter(({ photos }) => photos.includes(step));
    const limits = profile.limits[step];
    const maxBytes = Math.min(limits.maxBytes, ...takers.map((analytic) => analytic.maxBytes));
    photos.set(step, await readPhoto(form, step, { ...limits, maxBytes }));
  }
  return photos;
}

/**
 * One photo that is worth a paid call.
 * @throws CaptureError `upload-refused` with the rule that it breaks
 */
async function readPhoto(form: FormData, step: Step, limits: PhotoLimits): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (why: string): CaptureError => new CaptureError('upload-refused', `${step}: ${why}`);
  const [file, second] = form.getAll(step);
  if (file === undefined || typeof file === 'string' || second !== undefined)
    throw refuse('exactly one file is needed');
  if (file.type !== 'image/jpeg') throw refuse('the file is not declared as image/jpeg');
  if (file.size > limits.maxBytes) throw refuse(`${file.size} bytes are more than ${limits.maxBytes}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!isJpeg(bytes)) throw refuse('the file is no JPEG');
  const size = readJpegSize(bytes);
  if (!size) throw refuse('the JPEG has no size');
  if (!withinLimits(size, limits)) throw refuse(`${size.width}x${size.height} px are outside the limits`);
  if (!isWholeJpeg(bytes)) throw refuse('the JPEG is damaged');
  return bytes;
}

/** The metadata that the provider takes. */
export function readContext(form: FormData, fields: readonly string[]): Record<string, string> {
  const context: Record<string, string> = {};
  for (const field of fields) {
    const value = form.get(field);
    if (value === null) continue;
    if (typeof value !== 'string' || value.length > CONTEXT_LENGTH) {
      throw new CaptureError('upload-refused', `the field ${field} is too long or no text`);
    }
    context[field] = value;
  }
  return context;
}

/**
 * How the photos came about, or null where the widget does not say. It is for the customer's server and no provider.
 * @throws CaptureError `upload-refused` where it is too long or no JSON object
 */
export function readCaptureContext(form: FormData): Readonly<Record<string, unknown>> | null {
  const text = form.get('captureContext');
  if (text === null) return null;
  const isShort = typeof text === 'string' && new TextEncoder().encode(text).length <= CAPTURE_CONTEXT_BYTES;
  const parsed = v.safeParse(CaptureContext, isShort ? text : '');
  if (!parsed.success) {
    throw new CaptureError('upload-refused', 'the field captureContext is too long or no JSON object');
  }
  return parsed.output;
}
