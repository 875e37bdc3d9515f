import fc from 'fast-check';
import { zlibSync } from 'fflate';
import { encode } from 'jpeg-js';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPhotoFile } from '../../src/domain/photo-file.ts';
import { CaptureError } from '../../src/domain/result.ts';
import { hostileFiles, type Bases, type HostileFile } from '../hostile/files.ts';
import { announced, chunk, heif, insert, join, long, riff, riffChunk, segment } from '../hostile/formats.ts';

const SIZE = { width: 1600, height: 1200 };

/** Pictures of noise, of which the WebP is one in structure alone. */
function noisy(): Bases {
  let state = 1;
  const noise = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0) >>> 24;
  const data = Uint8Array.from({ length: SIZE.width * SIZE.height * 4 }, noise);
  const rows = new Uint8Array(SIZE.height * (1 + SIZE.width));
  return {
    jpeg: Uint8Array.from(encode({ ...SIZE, data }, 60).data),
    png: join(
      '\x89PNG\r\n\x1a\n',
      chunk('IHDR', long(SIZE.width), long(SIZE.height), [8, 0, 0, 0, 0]),
      chunk('IDAT', zlibSync(rows.map((_, at) => (at % (1 + SIZE.width) ? noise() : 0)))),
      chunk('IEND'),
    ),
    webp: riff(riffChunk('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0x40, 6, 0xb0, 4], data.subarray(0, 60_000))),
  };
}

const bases = noisy();
let hostile: HostileFile[] = [];
beforeAll(async () => {
  hostile = await hostileFiles(bases);
});

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
    expect(readPhotoFile(bytes, type).size).toEqual(SIZE);
  });

  test('up to 64 megapixels', () => {
    expect(readPhotoFile(heif(9280, 6944), 'image/heic').size).toEqual({ width: 9280, height: 6944 });
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
