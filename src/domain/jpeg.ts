import type { Size } from './geometry.ts';

/** True where the bytes begin as every JPEG does, whatever the sender calls them. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** One marker of a JPEG, with the place of what it says. */
interface Segment {
  readonly marker: number;
  /** First byte after the marker and its length. */
  readonly start: number;
  /** First byte after the segment. */
  readonly end: number;
}

const HUFFMAN_TABLES = 0xc4;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const QUANTISATION_TABLES = 0xdb;
const JFIF = 0xe0;

/** Frame headers: 0xC0 to 0xCF without the three that are tables. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== HUFFMAN_TABLES && marker !== 0xc8 && marker !== 0xcc;

/** Baseline, extended and progressive, all with Huffman coding: what every decoder reads. */
const isCommonFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xc2;

/** The markers in their order, as far as they follow one another; the coded picture between them is stepped over. */
function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  if (!isJpeg(bytes)) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (bytes[at] === 0xff) {
    // Any number of 0xFF may stand before a marker.
    while (bytes[at] === 0xff) at += 1;
    const marker = bytes[at];
    at += 1;
    if (marker === END_OF_IMAGE) yield { marker, start: at, end: at };
    if (marker === undefined || marker === END_OF_IMAGE || at + 2 > bytes.length) return;
    const length = view.getUint16(at);
    const end = at + length;
    if (length < 2 || end > bytes.length) return;
    yield { marker, start: at + 2, end };
    at = marker === START_OF_SCAN ? endOfScan(bytes, end) : end;
  }
}

/** Where the next marker stands that is no part of a coded picture. */
function endOfScan(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(0xff, from);
  while (at >= 0) {
    const next = bytes[at + 1] ?? 0;
    // 0xFF00 is a byte of the picture, 0xFFD0 to 0xFFD7 restart the decoder in its midst.
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
    at = bytes.indexOf(0xff, at + (next === 0xff ? 1 : 2));
  }
  return bytes.length;
}

/**
 * Reads the size from the frame header without decoding, so that a picture that claims to be huge is refused
 * before it costs memory.
 * @returns null where there is no frame header
 */
export function readJpegSize(bytes: Uint8Array): Size | null {
  for (const { marker, start, end } of segmentsOf(bytes))
    if (isFrame(marker)) return end - start < 6 ? null : sizeIn(bytes.subarray(start, end));
  return null;
}

/** What the walk through a whole JPEG finds. */
export interface Jpeg {
  /** px, as stored: EXIF may turn it. */
  readonly size: Size;
  /** Scans in which the picture is coded. */
  readonly scans: number;
  /** Bytes to the end of the picture; phones append more, as a short clip. */
  readonly end: number;
}

/**
 * Walks through a file that is built as a JPEG is and goes on to the end of its picture: one frame, its tables, a scan
 * of each of its components. Sees files that are cut off or patched; what is wrong inside the coded picture only a
 * decoder can tell.
 * @returns null where it is none
 */
export function readJpeg(bytes: Uint8Array): Jpeg | null {
  const seen = new Set<number>();
  let size: Size | null = null;
  let missing = new Set<number>();
  let scans = 0;
  for (const { marker, start, end } of segmentsOf(bytes)) {
    const segment = bytes.subarray(start, end);
    if (marker === JFIF && !isHonestJfif(segment)) return null;
    if (marker === END_OF_IMAGE) return size && missing.size === 0 ? { size, scans, end } : null;
    if (isFrame(marker)) {
      const count = segment[5] ?? 0;
      const readable = isCommonFrame(marker) && segment[0] === 8 && (count === 1 || count === 3);
      // A second frame could give a size that nobody has checked.
      if (size || !readable || segment.length !== 6 + 3 * count) return null;
      size = sizeIn(segment);
      missing = new Set(Array.from({ length: count }, (_, place) => segment[6 + 3 * place] ?? 0));
    } else if (marker === START_OF_SCAN) {
      const count = segment[0] ?? 0;
      const tables = seen.has(HUFFMAN_TABLES) && seen.has(QUANTISATION_TABLES);
      if (!size || !tables || count === 0 || segment.length !== 4 + 2 * count) return null;
      for (let place = 0; place < count; place++) missing.delete(segment[1 + 2 * place] ?? 0);
      scans++;
    }
    seen.add(marker);
  }
  return null;
}

/** A header that is longer than its thumbnail makes it hides something: `/*` as its length opens a comment of a script. */
function isHonestJfif(segment: Uint8Array): boolean {
  const isJfif = String.fromCharCode(...segment.subarray(0, 5)) === 'JFIF\0';
  return !isJfif || segment.length === 14 + 3 * (segment[12] ?? 0) * (segment[13] ?? 0);
}

function sizeIn(frame: Uint8Array): Size {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return { height: view.getUint16(1), width: view.getUint16(3) };
}
