import fc from 'fast-check';
import { decode, encode } from 'jpeg-js';
import { describe, expect, test } from 'vitest';
import { readJpegSize } from '../../src/domain/jpeg.ts';
import { decodes, isWholeJpeg } from '../../src/server/jpeg.ts';
import { drawJpeg, KTP, SELFIE } from './support.ts';

const find = (bytes: Uint8Array, marker: number): number =>
  bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === marker);

/** Every byte before, then the inserted ones, then every byte from there on. */
const insert = (bytes: Uint8Array, at: number, inserted: readonly number[]): Uint8Array =>
  Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at)]);

/** Without the segments of this marker. */
function without(bytes: Uint8Array, marker: number): Uint8Array {
  const at = find(bytes, marker);
  if (at < 0) return bytes;
  const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return without(Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 2 + length)]), marker);
}

const changed = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

const small = drawJpeg(64, 48, 80);
const frame = find(small, 0xc0);
const scan = find(small, 0xda);
/** The frame header with its marker. */
const frameSegment = [...small.subarray(frame, frame + 2 + 17)];

/** A picture of one luma component, in two scans, as progressive files have them; of structure alone. */
const progressive = Uint8Array.from([
  ...[0xff, 0xd8, 0xff, 0xdb, 0, 3, 0, 0xff, 0xc4, 0, 3, 0],
  ...[0xff, 0xc2, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0],
  ...[0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4],
  ...[0xff, 0xc4, 0, 3, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, 9, 9, 0xff, 0xff, 0xd9],
]);

describe('a whole JPEG', () => {
  test.each<[string, Uint8Array]>([
    ['a selfie', SELFIE],
    ['a card', KTP],
    ['one of several scans, with restarts, stuffed and filled bytes', progressive],
    ['one with a comment', insert(small, 2, [0xff, 0xfe, 0, 4, 0x41, 0x42])],
    [
      'one with a picture inside its metadata',
      insert(small, 2, [0xff, 0xe1, 0, 8, 0xff, 0xd8, 0xff, 0xd9, 0, 0]),
    ],
  ])('%s', (_, bytes) => {
    expect(isWholeJpeg(bytes)).toBe(true);
    expect(readJpegSize(bytes)).not.toBeNull();
  });

  test('of any size that jpeg-js can write and read', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer(),
        (width, height, quality, seed) => {
          let state = seed;
          const noise = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0) >>> 24;
          const data = Uint8Array.from({ length: width * height * 4 }, noise);
          const bytes = Uint8Array.from(encode({ width, height, data }, quality).data);
          expect(isWholeJpeg(bytes)).toBe(true);
          expect(readJpegSize(bytes)).toEqual({ width, height });
          expect(decode(bytes)).toMatchObject({ width, height });
        },
      ),
      { seed: 7, numRuns: 50 },
    );
  });
});

describe('not a whole JPEG', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('SPECIMEN')],
    ['no end', small.subarray(0, -2)],
    ['half a marker at the end', small.subarray(0, -1)],
    ['an end in the middle of the picture', changed(small, small.length - 20, 0xff, 0xd9)],
    ['bytes after the end', insert(small, small.length, [0])],
    ['a second picture after the end', Uint8Array.from([...small, ...small])],
    ['no picture', Uint8Array.from([...small.subarray(0, scan), 0xff, 0xd9])],
    ['no frame', without(small, 0xc0)],
    ['two frames', insert(small, scan, frameSegment)],
    ['no Huffman tables', without(small, 0xc4)],
    ['no quantisation tables', without(small, 0xdb)],
    ['a lossless frame', changed(small, frame + 1, 0xc3)],
    ['arithmetic coding', changed(small, frame + 1, 0xc9)],
    ['12 bits', changed(small, frame + 4, 12)],
    ['four components', changed(small, frame + 9, 4)],
    ['a frame that is too short', changed(small, frame + 3, 14)],
    ['a component that is never scanned', changed(small, frame + 10, 77)],
    ['a segment that ends behind the file', changed(small, 4, 0xff, 0xff)],
    ['a segment without length', changed(small, 4, 0, 1)],
  ])('%s', (_, bytes) => {
    expect(isWholeJpeg(bytes)).toBe(false);
  });

  test('one that is cut off anywhere', () => {
    for (let length = 0; length < small.length; length++) {
      expect(isWholeJpeg(small.subarray(0, length)), `${length} bytes`).toBe(false);
    }
  });

  test('never throws, and takes nothing that has no size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(small.length), (noise, at) => {
        const bytes = changed(insert(small, small.length, Array<number>(80).fill(0)), at, ...noise);
        if (isWholeJpeg(bytes)) expect(readJpegSize(bytes)).not.toBeNull();
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  test('is what the sandbox, which decodes, refuses as well where it is cut off', () => {
    for (const part of [0.1, 0.5, 0.9]) {
      const cut = SELFIE.subarray(0, Math.floor(SELFIE.length * part));
      expect([isWholeJpeg(cut), decodes(cut)]).toEqual([false, false]);
    }
  });
});
