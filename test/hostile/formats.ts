/*
 * Picture files put together from their parts.
 */

export type Bytes = Uint8Array<ArrayBuffer>;
export type Part = string | readonly number[] | Uint8Array;

/** Text stands for its characters' low bytes. */
export function join(...parts: readonly Part[]): Bytes {
  const bytes = parts.map((part) =>
    typeof part === 'string' ? Uint8Array.from(part, (letter) => letter.charCodeAt(0)) : new Uint8Array(part),
  );
  const whole = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const long = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const short = (value: number): number[] => [(value >>> 8) & 255, value & 255];
export const turned = (bytes: readonly number[]): number[] => bytes.toReversed();

/** So many times the same. */
export function repeated(pattern: Part, times: number): Bytes {
  const once = join(pattern);
  const whole = new Uint8Array(once.length * times);
  whole.set(once);
  // Twice as much with each copy.
  for (let filled = once.length; filled < whole.length; filled *= 2) whole.copyWithin(filled, 0, filled);
  return whole;
}

export function insert(bytes: Uint8Array, at: number, ...parts: readonly Part[]): Bytes {
  return join(bytes.subarray(0, at), ...parts, bytes.subarray(at));
}

export function changed(bytes: Uint8Array, at: number, ...values: readonly number[]): Bytes {
  const copy = new Uint8Array(bytes);
  copy.set(values, at);
  return copy;
}

/** Of a repeated byte, which is how a little becomes a lot. */
export async function deflated(length: number, value = 0): Promise<Bytes> {
  const piece = new Uint8Array(Math.min(length, 1 << 20)).fill(value);
  let left = length;
  const source = new ReadableStream<Bytes>({
    pull(controller) {
      controller.enqueue(piece.slice(0, Math.min(left, piece.length)));
      left -= piece.length;
      if (left <= 0) controller.close();
    },
  });
  const packed = source.pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/* JPEG */

export const segment = (marker: number, ...parts: readonly Part[]): Bytes => {
  const data = join(...parts);
  return join([0xff, marker], short(data.length + 2), data);
};

/** Where a marker of the first picture stands; EXIF could hold others, but no canvas writes any. */
export function markerIn(jpeg: Uint8Array, marker: number): number {
  for (let at = 0; at < jpeg.length; at++) if (jpeg[at] === 0xff && jpeg[at + 1] === marker) return at;
  throw new Error('no such marker');
}

export const frameIn = (jpeg: Uint8Array): number => markerIn(jpeg, 0xc0);

export function jpegOf(jpeg: Uint8Array, width: number, height: number): Bytes {
  return changed(jpeg, frameIn(jpeg) + 5, ...short(height), ...short(width));
}

/* PNG */

let table: Uint32Array | null = null;

function checksum(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
    return rest;
  });
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (table[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8);
  return ~sum >>> 0;
}

export const SIGNATURE = '\x89PNG\r\n\x1a\n';

export const chunk = (type: string, ...parts: readonly Part[]): Bytes => {
  const data = join(type, ...parts);
  return join(long(data.length - 4), data, long(checksum(data)));
};

/** Of one bit a pixel. */
export const header = (width: number, height: number): Bytes =>
  chunk('IHDR', long(width), long(height), [1, 0, 0, 0, 0]);

/** All black, and whole: what a decoder has to make of it is thousands of times its size. */
export async function blackPng(width: number, height: number): Promise<Bytes> {
  const picture = await deflated(height * (1 + Math.ceil(width / 8)));
  return join(SIGNATURE, header(width, height), chunk('IDAT', picture), chunk('IEND'));
}

/** Where the first chunk after the header begins. */
export const AFTER_HEADER = 33;

/* WebP and HEIF */

export const riff = (...parts: readonly Part[]): Bytes => {
  const data = join('WEBP', ...parts);
  return join('RIFF', turned(long(data.length)), data);
};

export const riffChunk = (type: string, ...parts: readonly Part[]): Bytes => {
  const data = join(...parts);
  return join(type, turned(long(data.length)), data, data.length % 2 ? [0] : []);
};

export const announced = (flags: number, width: number, height: number): Bytes =>
  riffChunk('VP8X', [flags, 0, 0, 0], ...[width, height].map((side) => turned(long(side - 1)).slice(0, 3)));

export const box = (type: string, ...parts: readonly Part[]): Bytes => {
  const data = join(...parts);
  return join(long(data.length + 8), type, data);
};

/** Of structure alone: no browser that the tests run in decodes HEIC. */
export function heif(width: number, height: number, brand = 'heic'): Bytes {
  const sizes = [
    [512, 512],
    [width, height],
  ].map(([across = 0, down = 0]) => box('ispe', [0, 0, 0, 0], long(across), long(down)));
  const meta = box('meta', [0, 0, 0, 0], box('hdlr', 'SPECIMEN'), box('iprp', box('ipco', ...sizes)));
  return join(box('ftyp', brand, [0, 0, 0, 0], 'mif1heic'), meta, box('mdat', 'SPECIMEN'));
}
