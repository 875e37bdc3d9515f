import { zlibSync } from 'fflate';
import { encode } from 'jpeg-js';
import type { Bases } from './files.ts';
import { chunk, join, long, riff, riffChunk, SIGNATURE } from './formats.ts';

/** px */
export const NOISE_SIZE = { width: 1600, height: 1200 };

/** Pictures of noise for tests without a browser; the WebP is one in structure alone. */
export function noisyBases(): Bases {
  const { width, height } = NOISE_SIZE;
  let state = 1;
  const noise = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0) >>> 24;
  const data = Uint8Array.from({ length: width * height * 4 }, noise);
  const rows = new Uint8Array(height * (1 + width)).map((_, at) => (at % (1 + width) ? noise() : 0));
  return {
    jpeg: Uint8Array.from(encode({ width, height, data }, 60).data),
    png: join(
      SIGNATURE,
      chunk('IHDR', long(width), long(height), [8, 0, 0, 0, 0]),
      chunk('IDAT', zlibSync(rows)),
      chunk('IEND'),
    ),
    webp: riff(riffChunk('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0x40, 6, 0xb0, 4], data.subarray(0, 60_000))),
  };
}
