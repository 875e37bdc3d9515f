import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { personForTasks, roundWeights, withRoundWeights } from '../../scripts/tflite.ts';
import { bundleWith } from '../../src/analysis/assets.ts';

/** A float16 by its bits. */
function valueOf(half: number): number {
  const [exponent, fraction] = [(half >> 10) & 0x1f, half & 0x3ff];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -size : size;
}

const rounded = (halves: readonly number[]): readonly number[] => {
  const weights = new DataView(Uint16Array.from(halves).buffer);
  roundWeights(
    weights,
    halves.map((_, i) => i),
  );
  return halves.map((_, i) => weights.getUint16(2 * i, true));
};

const path = createRequire(import.meta.url).resolve('@mediapipe/selfie_segmentation');
const model = Uint8Array.from(readFileSync(join(dirname(path), 'selfie_segmentation.tflite')));

/** All that are finite, but for those that would be rounded to infinity. */
const half = fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7fff) < 0x7bc0);

describe('weights', () => {
  test('are rounded to multiples of one power of two, by a 256th of the largest at most', () => {
    fc.assert(
      fc.property(fc.array(half, { minLength: 1, maxLength: 40 }), (halves) => {
        const after = rounded(halves);
        const sizes = halves.map((bits) => Math.abs(valueOf(bits)));
        const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.max(...sizes, 2 ** -24)))) - 7);
        halves.forEach((bits, i) => {
          const [before, now] = [valueOf(bits), valueOf(after[i] ?? 0)];
          expect(Math.abs(now - before)).toBeLessThanOrEqual(step / 2);
          expect(Number.isInteger(now / step)).toBe(true);
          expect(now * before).toBeGreaterThanOrEqual(0);
        });
      }),
      { seed: 20261123, numRuns: 500 },
    );
  });

  test.each([
    // Sixteen bits: sign, exponent, fraction. The largest here is 1.
    ['keeps the eight first places of the largest', [0x3c07, 0x3c00], [0x3c08, 0x3c00]],
    ['carries into the exponent', [0x3bff, 0x3c00], [0x3c00, 0x3c00]],
    ['keeps a sign', [0xbbff, 0x3c00], [0xbc00, 0x3c00]],
    ['drops what is under half a step', [0x1bff, 0x3c00], [0, 0x3c00]],
    ['takes up what is half a step', [0x1c00, 0x3c00], [0x2000, 0x3c00]],
    ['leaves zeros', [0, 0x8000], [0, 0]],
    ['works below the smallest exponent', [0x0007, 0x0003], [0x0008, 0]],
  ])('%s', (_, before, after) => {
    expect(rounded(before)).toEqual(after);
  });

  test('of a model are, at their places', () => {
    const after = withRoundWeights(model);
    expect(after.length).toBe(model.length);
    const changed = [...model].filter((byte, i) => byte !== after[i]).length / model.length;
    // Four of five of its bytes are weights, of which half say next to nothing.
    expect(changed).toBeGreaterThan(0.3);
    expect(changed).toBeLessThan(0.8);
  });

  test('stand untouched behind the new root', () => {
    expect(personForTasks(model).slice(-model.length)).toEqual(model);
  });
});

describe('a bundle without its detector', () => {
  const detector = Uint8Array.from({ length: 700 }, (_, i) => i % 251);
  const members = {
    'face_detector.tflite': detector,
    'face_landmarks_detector.tflite': Uint8Array.of(4, 5, 6),
  };
  const whole = zipSync(members, { level: 0 });

  test('is whole with it', () => {
    const at = Buffer.from(whole).indexOf(Buffer.from(detector));
    const left = new Uint8Array([...whole.subarray(0, at), ...whole.subarray(at + detector.length)]);
    expect(bundleWith(detector, left)).toEqual(whole);
    // As a part of more bytes.
    const padded = new Uint8Array([9, 9, 9, ...left]).subarray(3);
    expect(unzipSync(bundleWith(detector, padded))).toEqual(members);
  });

  test('is left as it is where it has one, as Google’s has', () => {
    expect(bundleWith(Uint8Array.of(1), whole)).toBe(whole);
  });
});
