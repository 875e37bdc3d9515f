import { decode } from 'jpeg-js';
import { readJpeg } from '../domain/jpeg.ts';

/** True where the file is a JPEG from its first byte to its last: the widget appends nothing. */
export function isWholeJpeg(bytes: Uint8Array): boolean {
  return readJpeg(bytes)?.end === bytes.length;
}

/**
 * True where the whole picture can be decoded: a truncated or damaged file fails. About 0.25 s of processor time
 * for a megapixel of detail, so only the sandbox does it, and the size must have been checked before.
 */
export function decodes(bytes: Uint8Array): boolean {
  try {
    decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, maxMemoryUsageInMB: 256 });
    return true;
  } catch {
    return false;
  }
}
