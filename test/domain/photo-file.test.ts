import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPhotoFile } from '../../src/domain/photo-file.ts';
import { CaptureError } from '../../src/domain/result.ts';
import { hostileFiles, type HostileFile } from '../hostile/files.ts';
import {
  announced,
  chunk,
  heif,
  insert,
  join,
  long,
  riff,
  riffChunk,
  segment,
  SIGNATURE,
} from '../hostile/formats.ts';
import { NOISE_SIZE, noisyBases } from '../hostile/noise.ts';

const bases = noisyBases();
let hostile: HostileFile[] = [];
beforeAll(async () => {
  hostile = await hostileFiles(bases);
}, 60_000);

function codeOf(bytes: Uint8Array, type: string): string | null {
  try {
    readPhotoFile(bytes, type);
    return null;
  } catch (error) {
    return error instanceof CaptureError ? error.code : String(error);
  }
}

const clip = join(long(16), 'ftypmp42', long(0), long(8), 'mdat', new Uint8Array(5000).fill(7));
const words = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description/></rdf:RDF></x:xmpmeta>';
const { jpeg, png, webp } = bases;

describe('what phones and programs make', () => {
  test.each<[string, string, Uint8Array]>([
    ['a JPEG', 'image/jpeg', jpeg],
    ['a JPEG with EXIF', 'image/jpeg', insert(jpeg, 2, segment(0xe1, 'Exif\0\0SPECIMEN'))],
    [
      'a JPEG with a picture in its EXIF',
      'image/jpeg',
      insert(jpeg, 2, segment(0xe1, 'Exif\0\0', jpeg.subarray(0, 9000))),
    ],
    [
      'a JPEG with XMP',
      'image/jpeg',
      insert(jpeg, 2, segment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', words)),
    ],
    ['a JPEG with a clip behind it', 'image/jpeg', join(jpeg, clip)],
    ['a JPEG with a second picture behind it', 'image/jpeg', join(jpeg, jpeg)],
    ['a JPEG without a type', '', jpeg],
    ['a JPEG that is called HEIC', 'image/heic', jpeg],
    ['a JPEG of an unknown type', 'application/octet-stream', jpeg],
    ['a PNG', 'image/png', png],
    [
      'a PNG with a colour profile',
      'image/png',
      insert(png, 33, chunk('iCCP', 'sRGB\0\0', new Uint8Array(2600))),
    ],
    ['a WebP', 'image/webp', webp],
    [
      'a WebP with EXIF',
      'image/webp',
      riff(announced(8, 1600, 1200), webp.subarray(12), riffChunk('EXIF', 'SPECIMEN')),
    ],
    ['a HEIC', 'image/heic', heif(1600, 1200)],
    ['an AVIF', 'image/avif', heif(1600, 1200, 'avif')],
  ])('%s', (_, type, bytes) => {
    expect(readPhotoFile(bytes, type).size).toEqual(NOISE_SIZE);
  });

  test('up to 64 megapixels', () => {
    expect(readPhotoFile(heif(9280, 6944), 'image/heic').size).toEqual({ width: 9280, height: 6944 });
  });
});

describe('what the picture of a PNG unpacks to', () => {
  /** Depth, colour type and interlacing; the bytes are those of the specification's own arithmetic. */
  test.each([
    ['grey', [8, 0, 0], 20, 10, 10 * 21],
    ['one bit', [1, 0, 0], 20, 10, 10 * 4],
    ['a palette of 4 bits', [4, 3, 0], 21, 10, 10 * 12],
    ['colour', [8, 2, 0], 20, 10, 10 * 61],
    ['colour and alpha of 16 bits', [16, 6, 0], 20, 10, 10 * 161],
    ['grey and alpha', [8, 4, 0], 20, 10, 10 * 41],
    ['grey, interlaced', [8, 0, 1], 8, 8, 2 + 2 + 3 + 6 + 10 + 20 + 36],
    ['one pixel, interlaced', [8, 0, 1], 1, 1, 2],
    ['one column, interlaced', [8, 2, 1], 1, 8, 4 + 4 + 8 + 16],
  ] as const)('%s', (_, [depth, colours, interlaced], width, height, unpacked) => {
    const bytes = join(
      SIGNATURE,
      chunk('IHDR', long(width), long(height), [depth, colours, 0, 0, interlaced]),
      chunk('IDAT', 'SPECI'),
      chunk('IDAT', 'MEN'),
      chunk('IEND'),
    );
    const { packed } = readPhotoFile(bytes, 'image/png');
    expect(packed?.unpacked).toBe(unpacked);
    const parts = packed?.parts.map(({ start, end }) => String.fromCharCode(...bytes.subarray(start, end)));
    expect(parts).toEqual(['SPECI', 'MEN']);
  });
});

describe('what nobody should take', () => {
  test('two hundred files, each with a code of its own kind, told apart before anything decodes them', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(200);
    expect(new Set(hostile.map(({ told }) => told)).size).toBe(hostile.length);
    const found = hostile.map(({ told, type, bytes, code, needsDecoder }) => ({
      told,
      code,
      // The size of a file is known before it is read.
      found: bytes.length > 40_000_000 ? 'photo-too-large' : codeOf(bytes, type),
      needsDecoder,
    }));
    expect(found.filter(({ code, found, needsDecoder }) => found !== (needsDecoder ? null : code))).toEqual(
      [],
    );
  });

  test('what only a decoder finds is the small part of it', () => {
    expect(hostile.filter(({ needsDecoder }) => needsDecoder).length).toBeLessThan(hostile.length / 20);
  });
});

describe('any bytes at all', () => {
  const whole = fc.constantFrom<Uint8Array>(jpeg, png, webp, heif(1600, 1200));

  test('end in a size or a code', () => {
    const wrong = (code: string | null): boolean =>
      code !== null && code !== 'photo-unreadable' && code !== 'photo-too-large';
    fc.assert(
      fc.property(whole, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }), (bytes, changes) => {
        const copy = Uint8Array.from(bytes.subarray(0, 4000));
        for (const [at, value] of changes) copy[at] = value;
        expect(wrong(codeOf(copy, ''))).toBe(false);
        expect(wrong(codeOf(Uint8Array.from([...copy.subarray(0, 12), ...changes.flat()]), ''))).toBe(false);
      }),
      { seed: 23, numRuns: 2000 },
    );
  });

  test('no part of a picture is a picture', () => {
    fc.assert(
      fc.property(whole, fc.double({ min: 0, max: 0.999, noNaN: true }), (bytes, part) => {
        expect(codeOf(bytes.subarray(0, Math.floor(bytes.length * part)), '')).toBe('photo-unreadable');
      }),
      { seed: 29, numRuns: 300 },
    );
  });
});
