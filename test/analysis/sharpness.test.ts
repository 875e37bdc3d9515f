import { describe, expect, test } from 'vitest';
import { type Upright, EYE_DISTANCE } from '../../src/analysis/patch.ts';
import type { Plane } from '../../src/analysis/pixels.ts';
import { eyeSharpness, leastSteepness } from '../../src/analysis/sharpness.ts';

const WIDTH = 192;
const HEIGHT = 240;
const RANGE = 120;

/** Light and dark discs, the same ones every time. */
function discs(): Plane {
  let state = 20_261_122;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const data = new Float32Array(WIDTH * HEIGHT).fill(60);
  for (let k = 0; k < 90; k++) {
    const [x0, y0, radius] = [random() * WIDTH, random() * HEIGHT, 7 + 6 * random()];
    const luma = k % 2 === 0 ? 60 + RANGE : 60;
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) if (Math.hypot(x - x0, y - y0) < radius) data[y * WIDTH + x] = luma;
  }
  return { data, width: WIDTH, height: HEIGHT };
}

/** The mean of the plane moved by `offset` px along `direction`, by weight. */
function smeared(
  plane: Plane,
  direction: { x: number; y: number },
  weights: ReadonlyMap<number, number>,
): Plane {
  const data = new Float32Array(plane.data.length);
  const clamp = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value));
  for (const [offset, weight] of weights)
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        const from = clamp(y + offset * direction.y, HEIGHT) * WIDTH + clamp(x + offset * direction.x, WIDTH);
        data[y * WIDTH + x] = (data[y * WIDTH + x] ?? 0) + weight * (plane.data[from] ?? 0);
      }
  return { ...plane, data };
}

function gaussian(sigma: number): ReadonlyMap<number, number> {
  const reach = Math.ceil(4 * sigma);
  const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / 2 / sigma ** 2));
  const sum = raw.reduce((a, b) => a + b, 0);
  return new Map(raw.map((weight, i) => [i - reach, weight / sum]));
}

const ACROSS = { x: 1, y: 0 };
const DOWN = { x: 0, y: 1 };
const blurred = (sigma: number): Plane =>
  smeared(smeared(discs(), ACROSS, gaussian(sigma)), DOWN, gaussian(sigma));
const face = (luma: Plane, enlarged = 1): Pick<Upright, 'luma' | 'enlarged'> => ({ luma, enlarged });

describe('eyeSharpness', () => {
  test.each([1.3, 1.6, 1.9])('is about 0.4 eye distances over a sigma of %f px', (sigma) => {
    const whole = (0.4 * EYE_DISTANCE) / sigma;
    // A difference over two pixels and the slack of the quantile take a fifth off the sharpest.
    expect(eyeSharpness(face(blurred(sigma)), RANGE) / whole).toBeGreaterThan(0.75);
    expect(eyeSharpness(face(blurred(sigma)), RANGE) / whole).toBeLessThan(1.05);
  });

  test.each([
    ['across', ACROSS, 1],
    ['down', DOWN, 1],
    ['one slope', { x: 1, y: 1 }, Math.SQRT2],
    ['the other slope', { x: 1, y: -1 }, Math.SQRT2],
  ] as const)('falls by a quarter and more for motion %s', (_, direction, step) => {
    const reach = Math.round(3 / step);
    const box = new Map(Array.from({ length: 2 * reach + 1 }, (_, i) => [i - reach, 1 / (2 * reach + 1)]));
    const sharp = eyeSharpness(face(blurred(1)), RANGE);
    const moved = eyeSharpness(face(smeared(blurred(1), direction, box)), RANGE);
    expect(moved / sharp).toBeLessThan(0.75);
  });

  test('does not change with light and contrast', () => {
    const plane = blurred(1.5);
    const dim = { ...plane, data: plane.data.map((luma) => 0.4 * luma) };
    expect(eyeSharpness(face(dim), 0.4 * RANGE)).toBeCloseTo(eyeSharpness(face(plane), RANGE), 0);
  });

  test('is 0 where nothing has contrast', () => {
    const plain = { ...discs(), data: new Float32Array(WIDTH * HEIGHT).fill(120) };
    expect(eyeSharpness(face(plain), RANGE)).toBe(0);
  });

  test('gives a small face half of its enlargement, as a logarithm', () => {
    expect(eyeSharpness(face(blurred(1.5), 2), RANGE) / eyeSharpness(face(blurred(1.5)), RANGE)).toBeCloseTo(
      Math.SQRT2,
    );
  });
});

describe('leastSteepness', () => {
  const box = { x: 20, y: 20, width: 150, height: 190 };
  const edges = { reach: 6, minSpan: 30, quantile: 0.97 };

  test('tells blur that eyes would not, of whatever is in the box', () => {
    const values = [0.8, 1.2, 1.8, 2.6].map((sigma) => leastSteepness(blurred(sigma), box, edges) ?? NaN);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect((values[0] ?? NaN) / (values[3] ?? NaN)).toBeGreaterThan(2);
  });

  test('is no measure where there is no contrast', () => {
    const plain = { ...discs(), data: new Float32Array(WIDTH * HEIGHT).fill(120) };
    expect(leastSteepness(plain, box, edges)).toBeNull();
  });
});
