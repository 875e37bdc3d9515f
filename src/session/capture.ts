import type { Box, Size } from '../domain/geometry.ts';
import { cropOf, nextEncode, type Encode, type EncodeResult } from '../domain/photo.ts';
import type { Photo } from '../domain/flow.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import type { PhotoLimits } from '../domain/limits.ts';

/** A photo and its picture: a JPEG without EXIF, upright and never mirrored. */
export interface TakenPhoto {
  readonly photo: Photo;
  readonly blob: Blob;
}

/** What `takePhoto` needs to know. */
export interface TakeOptions {
  readonly step: Step;
  /** The camera's full frame. */
  readonly frame: ImageBitmap;
  /** The guide, px of `frame`. */
  readonly guide: Box;
  readonly limits: PhotoLimits;
}

/**
 * Cuts the photo out of a full frame and encodes it within the provider's limits.
 * @throws CaptureError `camera-too-small` where the frame cannot reach the smallest size,
 *   `photo-failed` where four encodes do not get under the byte limit
 */
export async function takePhoto({ step, frame, guide, limits }: TakeOptions): Promise<TakenPhoto> {
  const crop = cropOf(step, frame, guide, limits);
  if (!crop) throw cameraTooSmall(frame, limits);
  const tries: EncodeResult[] = [];
  let blob: Blob | null = null;
  for (;;) {
    const next = nextEncode(crop, limits, tries);
    if (next === 'impossible') {
      throw new CaptureError(
        'photo-failed',
        `${tries.length} encodes did not get under ${limits.maxBytes} bytes.`,
      );
    }
    if (next === 'done' && blob) {
      const { width, height } = tries.at(-1) ?? crop;
      return { blob, photo: { step, width, height, bytes: blob.size, encodes: tries.length } };
    }
    if (next === 'done') throw new CaptureError('photo-failed', 'The encoder gave no picture.');
    blob = await encode(frame, crop, next);
    tries.push({ ...next, bytes: blob.size });
  }
}

/** The error for a camera whose frames cannot reach a provider's smallest photo. */
export function cameraTooSmall(frame: Size, limits: PhotoLimits): CaptureError {
  const { long, short } = limits.smallest;
  return new CaptureError(
    'camera-too-small',
    `The camera gives ${frame.width}x${frame.height}; the provider takes photos from ${long}x${short} px.`,
  );
}

async function encode(frame: ImageBitmap, crop: Box, { width, height, quality }: Encode): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new CaptureError('photo-failed', 'No 2D canvas for the photo.');
  context.imageSmoothingQuality = 'high';
  context.drawImage(frame, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality });
  // A browser that cannot write JPEG answers with PNG, without an error.
  if (blob.type !== 'image/jpeg') throw new CaptureError('photo-failed', 'This browser cannot write JPEG.');
  return blob;
}
