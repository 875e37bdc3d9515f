import type { Size } from './geometry.ts';
import { isJpeg, readJpeg } from './jpeg.ts';
import { CaptureError } from './result.ts';

/*
 * What the bytes of a chosen file say of their picture, read before anything decodes them: a decoder of a phone that is
 * given more pixels than it has memory for takes the page with it, and half a picture would be judged as a whole one.
 */

/** What a file says of itself. */
export interface PhotoFile {
  readonly kind: 'jpeg' | 'png' | 'webp' | 'heif';
  /** px, as stored: what the browser decodes may be turned, and of a HEIF cut. */
  readonly size: Size;
  /** Of a PNG, because some browsers show half of one as if it were whole. */
  readonly packed?: Packed;
}

/** A picture that is packed with zlib. */
interface Packed {
  /** Where its parts lie in the file, bytes. */
  readonly parts: readonly { readonly start: number; readonly end: number }[];
  /** Bytes that it unpacks to. */
  readonly unpacked: number;
}

/** Largest file, bytes: a photo of 64 megapixels has about 30 MB. Assumed. */
export const LARGEST_FILE = 40_000_000;

/** Most pixels: phones that people have here make up to 64 megapixels, which take 256 MB once decoded. Assumed. */
const MOST_PIXELS = 70_000_000;
/** Longest side, px: above it canvases of common phones stay empty. */
const LONGEST_SIDE = 16_384;
/** Scans of a progressive JPEG. Encoders make about ten; each costs a decoder a walk over the whole picture. */
const MOST_SCANS = 64;
/** Bytes of a PNG's compressed extras; they inflate to a thousand times as much. A colour profile has about 3,000. */
const MOST_COMPRESSED_EXTRAS = 100_000;

/** Parts of a PNG's picture. Encoders make one for every 8 kB or more. */
const MOST_PARTS = 20_000;

/** With one of these somewhere a file is also a page, a script, a document or an archive to those who look for one. */
const FOREIGN =
  /<(?:!doctype|html|body|script|iframe|svg|\?php)|%pdf-|__halt_compiler|rar!\x1a\x07|7z\xbc\xaf\x27\x1c/i;
/** A ZIP is read from its end: the start of its last record, which a comment of at most 65,535 bytes may follow. */
const ZIP_END = /PK\x05\x06/;
const ZIP_TAIL = 65_557;
/** Bytes that are searched at a time, and those that two such pieces share, so that nothing is hidden between them. */
const PIECE = 16_384;
const OVERLAP = 32;

/** Kinds of HEIF and AVIF that are single pictures. */
const HEIF_BRANDS = ['heic', 'heix', 'heim', 'heis', 'mif1', 'avif'];
/** Boxes in one box of a HEIF. A phone makes a few dozen. */
const MOST_BOXES = 1000;

/**
 * Reads what a file is, and refuses what no camera makes: files that are cut off, that are also something else, that
 * move, or that would be too much to decode. What it lets pass, a decoder may still refuse.
 * @param type as the browser tells it, from the file's name
 * @throws CaptureError `photo-unreadable`, `photo-too-large`
 */
export function readPhotoFile(bytes: Uint8Array, type: string): PhotoFile {
  // The name of a photo may say another kind of photo; honest phones do that.
  const isNamedOtherwise = !/^image\/(?!svg)|^application\/octet-stream$|^$/.test(type);
  if (isNamedOtherwise) throw unreadable('By its name the file is no photo.');
  const file = readBytes(bytes);
  const { width, height } = file.size;
  if (width < 1 || height < 1) throw unreadable('The picture has no size.');
  if (Math.max(width, height) > LONGEST_SIDE || width * height > MOST_PIXELS)
    throw new CaptureError(
      'photo-too-large',
      `The file has ${width}x${height} px; at most ${LONGEST_SIDE} px a side and ${MOST_PIXELS} in all are decoded.`,
    );
  if (isAlsoForeign(bytes)) throw unreadable('The file is also something else than a picture.');
  return file;
}

function readBytes(bytes: Uint8Array): PhotoFile {
  const reader = new Reader(bytes);
  try {
    if (isJpeg(bytes)) return { kind: 'jpeg', size: sizeOfJpeg(bytes) };
    if (reader.text(0, 8) === '\x89PNG\r\n\x1a\n') return readPng(reader);
    if (reader.text(0, 4) === 'RIFF' && reader.text(8, 4) === 'WEBP')
      return { kind: 'webp', size: sizeOfWebp(reader) };
    if (reader.text(4, 4) === 'ftyp') return { kind: 'heif', size: sizeOfHeif(reader) };
  } catch (error) {
    // What a DataView says of a place behind its end.
    if (error instanceof RangeError) throw unreadable('The file is cut off.');
    throw error;
  }
  throw unreadable('The file is no JPEG, PNG, WebP, HEIF or AVIF.');
}

const unreadable = (why: string): CaptureError => new CaptureError('photo-unreadable', why);

/** Numbers and letters at places in a file. Throws RangeError for those behind its end. */
class Reader {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(at: number): number {
    return this.#view.getUint8(at);
  }

  short(at: number, littleEndian = false): number {
    return this.#view.getUint16(at, littleEndian);
  }

  long(at: number, littleEndian = false): number {
    return this.#view.getUint32(at, littleEndian);
  }

  text(at: number, length: number): string {
    if (at + length > this.length) throw new RangeError();
    return latin(this.#bytes.subarray(at, at + length));
  }
}

function sizeOfJpeg(bytes: Uint8Array): Size {
  const jpeg = readJpeg(bytes);
  if (!jpeg) throw unreadable('The JPEG is cut off or damaged.');
  if (jpeg.scans > MOST_SCANS) throw unreadable(`The JPEG has ${jpeg.scans} scans.`);
  return jpeg.size;
}

/** Channels of a pixel by the colour type of a PNG (third edition, 11.2.1). */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Chunks without which there is no picture; a decoder that does not know one must not go on, yet some do. */
const CRITICAL = ['IHDR', 'PLTE', 'IDAT', 'IEND'];
/** First column, first row and distances of the pixels in the passes of an interlaced PNG (8.2). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** PNG specification (third edition), 5: length, type, data and CRC of every chunk. */
function readPng(reader: Reader): PhotoFile {
  if (reader.long(8) !== 13 || reader.text(12, 4) !== 'IHDR') throw unreadable('The PNG has no header.');
  const parts: { start: number; end: number }[] = [];
  let extras = 0;
  for (let at = 8; ; at += 12 + reader.long(at)) {
    const length = reader.long(at);
    const type = reader.text(at + 4, 4);
    if (at + 12 + length > reader.length) throw unreadable('The PNG is cut off.');
    if (type === 'acTL') throw unreadable('The PNG moves.');
    if (/^[A-Z]/.test(type) && !CRITICAL.includes(type)) throw unreadable('The PNG has an unknown chunk.');
    if (['iCCP', 'iTXt', 'zTXt'].includes(type)) extras += length;
    if (type === 'IDAT') parts.push({ start: at + 8, end: at + 8 + length });
    if (type === 'IEND') break;
  }
  if (parts.length === 0) throw unreadable('The PNG holds no picture.');
  if (parts.length > MOST_PARTS) throw unreadable(`The PNG has ${parts.length} parts.`);
  if (extras > MOST_COMPRESSED_EXTRAS) throw unreadable(`The PNG has ${extras} bytes of compressed extras.`);
  const size = { width: reader.long(16), height: reader.long(20) };
  const bits = reader.byte(24) * (CHANNELS[reader.byte(25)] ?? 0);
  const passes = reader.byte(28) ? ADAM7 : ([[0, 0, 1, 1]] as const);
  const unpacked = passes.reduce((sum, [left, top, across, down]) => {
    const columns = Math.ceil(Math.max(0, size.width - left) / across);
    const rows = Math.ceil(Math.max(0, size.height - top) / down);
    return sum + (columns > 0 ? rows * (1 + Math.ceil((columns * bits) / 8)) : 0);
  }, 0);
  return { kind: 'png', size, packed: { parts, unpacked } };
}

/** RFC 9649, 2.5 to 2.7: a RIFF file with the picture in one chunk, after one that announces extras if there are any. */
function sizeOfWebp(reader: Reader): Size {
  const end = 8 + reader.long(4, true);
  if (end !== reader.length) throw unreadable('The WebP is cut off or longer than it says.');
  let announced: Size | null = null;
  for (let at = 12; at < end;) {
    const type = reader.text(at, 4);
    const length = reader.long(at + 4, true);
    const data = at + 8;
    at = data + length + (length % 2);
    if (at > end) throw unreadable('The WebP is cut off.');
    if (type === 'VP8X') {
      if (reader.byte(data) & 0x02) throw unreadable('The WebP moves.');
      const side = (place: number): number => 1 + reader.short(place, true) + (reader.byte(place + 2) << 16);
      announced = { width: side(data + 4), height: side(data + 7) };
    }
    const size = type === 'VP8 ' || type === 'VP8L' ? sizeOfVp8(reader, type, data) : null;
    if (!size) continue;
    if (announced && (announced.width !== size.width || announced.height !== size.height))
      throw unreadable('The WebP says two sizes.');
    return size;
  }
  throw unreadable('The WebP holds no picture.');
}

function sizeOfVp8(reader: Reader, type: 'VP8 ' | 'VP8L', data: number): Size {
  if (type === 'VP8 ')
    return { width: reader.short(data + 6, true) & 0x3fff, height: reader.short(data + 8, true) & 0x3fff };
  const sides = reader.long(data + 1, true);
  return { width: 1 + (sides & 0x3fff), height: 1 + ((sides >>> 14) & 0x3fff) };
}

/** A box of a HEIF (ISO/IEC 14496-12, 4.2), with the place of what it holds. */
interface Container {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** HEIF (ISO/IEC 23008-12, 6.5.3): every picture's size is among the item properties; a grid's is the largest. */
function sizeOfHeif(reader: Reader): Size {
  const top = [...boxesIn(reader, 0, reader.length)];
  if (!HEIF_BRANDS.includes(reader.text(8, 4)))
    throw unreadable('The file is no HEIF or AVIF of one picture.');
  if (!top.some(({ type }) => type === 'mdat')) throw unreadable('The HEIF holds no picture.');
  const within = (outer: readonly Container[], type: string, skipped: number): Container[] =>
    outer.flatMap(({ start, end }) =>
      [...boxesIn(reader, start + skipped, end)].filter((box) => box.type === type),
    );
  const meta = top.filter(({ type }) => type === 'meta');
  const sizes = within(within(within(meta, 'iprp', 4), 'ipco', 0), 'ispe', 0);
  if (sizes.length === 0) throw unreadable('The HEIF does not say its size.');
  return {
    width: Math.max(...sizes.map(({ start }) => reader.long(start + 4))),
    height: Math.max(...sizes.map(({ start }) => reader.long(start + 8))),
  };
}

function* boxesIn(reader: Reader, from: number, to: number): Generator<Container> {
  let count = 0;
  for (let at = from; at < to;) {
    if (++count > MOST_BOXES) throw unreadable('The HEIF has too many boxes.');
    const length = reader.long(at);
    const type = reader.text(at + 4, 4);
    // 1: a longer length follows; 0: up to the end.
    const isLong = length === 1;
    const size = isLong ? reader.long(at + 8) * 2 ** 32 + reader.long(at + 12) : length || to - at;
    const start = at + (isLong ? 16 : 8);
    if (at + size < start || at + size > to) throw unreadable('The HEIF is cut off or damaged.');
    yield { type, start, end: at + size };
    at += size;
  }
}

/** True where another reader than one of pictures would find something in it. */
function isAlsoForeign(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += PIECE)
    if (FOREIGN.test(latin(bytes.subarray(at, at + PIECE + OVERLAP)))) return true;
  for (let at = Math.max(0, bytes.length - ZIP_TAIL); at < bytes.length; at += PIECE)
    if (ZIP_END.test(latin(bytes.subarray(at, at + PIECE + OVERLAP)))) return true;
  return false;
}

/** Spreading the bytes would be three times as slow. */
const latin = (bytes: Uint8Array): string => Reflect.apply(String.fromCharCode, undefined, bytes) as string;
