import { decode } from 'jpeg-js';
import type { Size } from '../domain/geometry.ts';

/** True where the bytes begin as every JPEG does, whatever the sender calls them. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/**
 * Reads the size from the frame header without decoding, so that a picture that claims to be huge is refused
 * before it costs memory.
 * @returns null where there is no frame header
 */
export function readJpegSize(bytes: Uint8Array): Size | null {
  if (!isJpeg(bytes)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
  return null;
}

/**
 * True where the whole picture can be decoded: a truncated or damaged file fails. About 0.25 s of processor time
 * for a megapixel of detail, so the size must have been checked before.
 */
export function decodes(bytes: Uint8Array): boolean {
  try {
    decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false, maxMemoryUsageInMB: 256 });
    return true;
  } catch {
    return false;
  }
}
