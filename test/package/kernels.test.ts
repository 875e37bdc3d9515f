import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelsCode } from '../../scripts/build-kernels.ts';
import { createKernels } from '../../src/analysis/kernels.ts';
import { alignBy, EYE_DISTANCE, EYES_AT, type EyeLine } from '../../src/analysis/patch.ts';
import { lumaPlane, type Pixels, type Plane, samplePatch } from '../../src/analysis/pixels.ts';
import { leastSteepness } from '../../src/analysis/sharpness.ts';
import type { Box } from '../../src/domain/geometry.ts';
import { randomFrom } from '../accuracy/score.ts';

/*
 * What is calculated with vectors is what plain loops calculate; that of networks is held against them in
 * `../accuracy/network.test.ts`.
 */

const SEED = 20261124;

test('the compiled kernels are those of the source', async () => {
  const kept = await readFile(new URL('../../src/analysis/kernels-code.ts', import.meta.url), 'utf8');
  // `npm run kernels` writes them anew.
  expect(await kernelsCode()).toBe(kept);
});

/** From 0 to below 1, evenly: doubles at random are mostly tiny or whole. */
const fractions = fc.integer({ min: 0, max: 9999 }).map((part) => part / 10_000);

/** Noise, which has an edge at every pixel. */
function noise(width: number, height: number, seed: number): Pixels {
  const random = randomFrom(seed);
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : 256 * random(),
  );
  return { data, width, height };
}

test('a picture that is shrunk has the means of its squares', () => {
  fc.assert(
    fc.property(
      fc.record({
        factor: fc.integer({ min: 1, max: 16 }),
        columns: fc.integer({ min: 1, max: 9 }),
        rows: fc.integer({ min: 1, max: 5 }),
        // What is left over at the right and below belongs to no square.
        rest: fc.integer({ min: 0, max: 3 }),
        seed: fc.integer({ min: 1, max: 1e6 }),
        isWhite: fc.boolean(),
      }),
      ({ factor, columns, rows, rest, seed, isWhite }) => {
        const { data, width } = noise(factor * columns + rest, factor * rows + rest, seed);
        if (isWhite) data.fill(255);
        const { memory, shrink } = createKernels(data.length + 4 * columns * rows);
        new Uint8Array(memory).set(data);
        shrink(0, width, factor, columns, rows, data.length);
        const small = new Uint8Array(memory, data.length, 4 * columns * rows);
        small.forEach((value, i) => {
          const [x, y] = [Math.floor(i / 4) % columns, Math.floor(i / 4 / columns)];
          let sum = 0;
          for (let row = factor * y; row < factor * (y + 1); row++)
            for (let column = factor * x; column < factor * (x + 1); column++)
              sum += data[4 * (row * width + column) + (i % 4)] ?? NaN;
          expect(Math.abs(value - sum / factor ** 2)).toBeLessThanOrEqual(0.5 + 1e-3);
        });
      },
    ),
    { seed: SEED },
  );
});

describe('a patch', () => {
  const PICTURES = [noise(640, 480, SEED), noise(97, 61, SEED), noise(2, 2, SEED), noise(1, 5, SEED)];
  /** Far and near, turned either way, inside the picture and beyond each border. */
  const eyes = fc
    .record({
      distance: fractions.map((fraction) => 4 + 300 * fraction),
      turn: fractions.map((fraction) => 2 * Math.PI * fraction),
      x: fractions.map((fraction) => 2 * fraction - 0.5),
      y: fractions.map((fraction) => 2 * fraction - 0.5),
    })
    .map(({ distance, turn, x, y }) => (picture: Pixels): EyeLine => ({
      centre: { x: x * picture.width, y: y * picture.height },
      across: { x: distance * Math.cos(turn), y: distance * Math.sin(turn) },
    }));

  test('is what plain sampling gives, within a level', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PICTURES), eyes, (picture, eyesIn) => {
        const { centre, across } = eyesIn(picture);
        const [x, y] = [across.x, across.y].map((each) => each / EYE_DISTANCE);
        const right = { x: x ?? NaN, y: y ?? NaN };
        const down = { x: -right.y, y: right.x };
        const origin = {
          x: centre.x - (EYES_AT.x * right.x + EYES_AT.y * down.x),
          y: centre.y - (EYES_AT.x * right.y + EYES_AT.y * down.y),
        };
        const { patch, luma } = alignBy({ centre, across }, picture);
        const plain = samplePatch(picture, { origin, right, down }, patch.width, patch.height);
        let farthest = 0;
        plain.data.forEach((value, i) => {
          farthest = Math.max(farthest, Math.abs(value - (patch.data[i] ?? NaN)));
        });
        expect(farthest).toBeLessThanOrEqual(1);
        lumaPlane(patch).data.forEach((value, i) => {
          farthest = Math.max(farthest, Math.abs(value - (luma.data[i] ?? NaN)));
        });
        expect(farthest).toBeLessThanOrEqual(1);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  test('of a plain picture is as plain, to the last level', () => {
    const data = new Uint8ClampedArray(4 * 64 * 64).map((_, i) => [200, 3, 255, 255][i % 4] ?? 0);
    const plain = { data, width: 64, height: 64 };
    for (const across of [9, 70, 150]) {
      const { patch } = alignBy({ centre: { x: 30.3, y: 31.7 }, across: { x: across, y: 2.1 } }, plain);
      expect(patch.data.every((value, i) => value === data[i % 4])).toBe(true);
    }
  });

  test('does not change with the next one', () => {
    const line = { centre: { x: 300, y: 200 }, across: { x: 80, y: 5 } };
    const [large = noise(1, 1, 0), small = large] = PICTURES;
    const { patch, luma } = alignBy(line, large);
    const copies = [patch.data.slice(), luma.data.slice()];
    alignBy(line, small);
    alignBy(line, noise(1280, 960, SEED));
    expect([patch.data, luma.data]).toEqual(copies);
  });
});

describe('steepness', () => {
  /** Place by place, over all its surroundings. */
  function plainly(
    { data, width }: Plane,
    box: Box,
    { reach, minSpan, quantile }: { reach: number; minSpan: number; quantile: number },
  ): number | null {
    const at = (x: number, y: number): number => Math.round(32 * (data[y * width + x] ?? NaN));
    const least = [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, -1],
    ].map(([dx = 0, dy = 0]) => {
      const length = Math.hypot(dx, dy);
      const steps = Math.round(reach / length);
      const found: number[] = [];
      for (let y = box.y; y < box.y + box.height; y++)
        for (let x = box.x; x < box.x + box.width; x++) {
          const along = Array.from({ length: 2 * steps + 1 }, (_, i) =>
            at(x + (i - steps) * dx, y + (i - steps) * dy),
          );
          const span = Math.max(...along) - Math.min(...along);
          const change = Math.abs(at(x + dx, y + dy) - at(x - dx, y - dy));
          if (span >= 32 * minSpan) found.push(change / (2 * length) / span);
        }
      if (found.length < 30) return null;
      return found.sort((a, b) => a - b)[Math.floor(quantile * found.length)] ?? null;
    });
    return least.includes(null) ? null : Math.min(...least.map((each) => each ?? NaN));
  }

  const planes = fc.record({
    seed: fc.integer({ min: 1, max: 1000 }),
    contrast: fc.constantFrom(0, 10, 60, 255),
    width: fc.integer({ min: 30, max: 90 }),
    height: fc.integer({ min: 30, max: 60 }),
    left: fc.integer({ min: 7, max: 12 }),
    top: fc.integer({ min: 7, max: 12 }),
    reach: fc.integer({ min: 1, max: 6 }),
    minSpan: fractions.map((fraction) => 1 + 119 * fraction),
    quantile: fractions,
  });

  test('is what plain loops give, within half a bin', () => {
    let measured = 0;
    fc.assert(
      fc.property(planes, ({ seed, contrast, width, height, left, top, ...edges }) => {
        const random = randomFrom(seed);
        const data = Float32Array.from({ length: width * height }, () => contrast * random());
        const plane = { data, width, height };
        const box = { x: left, y: top, width: width - left - 8, height: height - top - 8 };
        const expected = plainly(plane, box, edges);
        const told = leastSteepness(plane, box, edges);
        if (expected === null) expect(told).toBeNull();
        else {
          measured++;
          expect(told).not.toBeNull();
          expect(Math.abs((told ?? NaN) - expected)).toBeLessThanOrEqual(0.0005 + 1e-9);
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
    expect(measured).toBeGreaterThan(50);
  });
});
