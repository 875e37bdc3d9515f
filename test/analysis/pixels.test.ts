import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCardMeter } from '../../src/analysis/card.ts';
import type { Detection } from '../../src/analysis/crowd.ts';
import {
  blockExtremes,
  discColour,
  fractionWithin,
  histogramOf,
  lumaPlane,
  meanOf,
  percentile,
  type Pixels,
  type Plane,
  samplePatch,
  upperMedianOf,
} from '../../src/analysis/pixels.ts';
import { noise } from './support.ts';

/** A grey picture by a function of the place. */
function grey(width: number, height: number, luma: (x: number, y: number) => number): Pixels {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) {
    data.fill(Math.round(luma(i % width, Math.floor(i / width))), 4 * i, 4 * i + 3);
    data[4 * i + 3] = 255;
  }
  return { data, width, height };
}
const planeOf = (width: number, height: number, luma: (x: number, y: number) => number): Plane =>
  lumaPlane(grey(width, height, luma));

/** An edge at `at`, blurred by a Gaussian of `sigma` px (logistic approximation of its integral). */
const softEdge = (x: number, at: number, sigma: number): number =>
  1 / (1 + Math.exp((-1.702 * (x - at)) / sigma));

describe('luma statistics', () => {
  const ramp = planeOf(256, 4, (x) => x);
  test.each([
    [0, 0],
    [0.25, 64],
    [0.5, 128],
    [0.98, 250],
  ])('the %d percentile of a ramp is %d', (fraction, luma) => {
    expect(percentile(histogramOf(ramp), fraction)).toBe(luma);
  });
  test('mean and fractions of a ramp', () => {
    const histogram = histogramOf(ramp);
    expect(meanOf(histogram)).toBeCloseTo(127.5);
    expect(fractionWithin(histogram, 0, 25)).toBeCloseTo(26 / 256);
    expect(fractionWithin(histogram, 247, 255)).toBeCloseTo(9 / 256);
  });
  test('a polygon leaves the rest out, also of a bay', () => {
    const bay = [
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 3 },
      { x: 20, y: 3 },
      { x: 20, y: 0 },
      { x: 30, y: 0 },
      { x: 30, y: 3.5 },
      { x: 0, y: 3.5 },
    ];
    const counts = histogramOf(ramp, bay);
    expect([counts[5], counts[15], counts[25], counts[35]]).toEqual([4, 1, 4, 0]);
  });
  test('luma is Rec. 601', () => {
    const pixel: Pixels = { data: new Uint8ClampedArray([100, 50, 200, 255]), width: 1, height: 1 };
    expect(lumaPlane(pixel).data[0]).toBeCloseTo(0.299 * 100 + 0.587 * 50 + 0.114 * 200);
  });
});

describe('the middle value', () => {
  const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 200,
  });
  // As many as in a picture that is mostly black.
  const alike = fc.array(fc.constantFrom(0, 1, 2), { minLength: 1, maxLength: 200 });
  test('is that of the sorted values, which stay as they are', () => {
    fc.assert(
      fc.property(fc.oneof(floats, alike), (numbers) => {
        const values = Float32Array.from(numbers);
        const sorted = values.toSorted();
        // -0 sorts below 0, and is as much the middle.
        expect(upperMedianOf(values) - (sorted[values.length >> 1] ?? NaN)).toBe(0);
        expect([...values]).toEqual([...Float32Array.from(numbers)]);
      }),
      { seed: 20_261_123 },
    );
  });
  test('of none is none', () => expect(upperMedianOf(new Float32Array())).toBeNaN());
});

describe('shapes', () => {
  test.each([
    ['a square', [4, 4, 12, 4, 12, 12, 4, 12], 64],
    ['a triangle', [0, 0, 20, 0, 0, 20], 200],
    ['a square that leaves the picture', [-8, -8, 8, -8, 8, 8, -8, 8], 64],
  ])('%s has its area', (_, flat, area) => {
    const polygon = Array.from({ length: flat.length / 2 }, (__, i) => ({
      x: flat[2 * i] ?? 0,
      y: flat[2 * i + 1] ?? 0,
    }));
    const counts = histogramOf(
      planeOf(32, 32, () => 100),
      polygon,
    );
    const inside = counts.reduce((sum, count) => sum + count, 0);
    expect(Math.abs(inside - area)).toBeLessThanOrEqual(0.3 * area);
  });
  test('a disc has the mean colour of its place, and none outside of the picture', () => {
    const halves = grey(40, 40, (x) => (x < 20 ? 50 : 150));
    expect(discColour(halves, { x: 8, y: 20 }, 5)).toEqual({ r: 50, g: 50, b: 50 });
    expect(discColour(halves, { x: -20, y: 20 }, 5)).toBeNull();
  });
});

describe('samplePatch', () => {
  const field = grey(80, 60, (x, y) => 2 * x + y);
  test.each([
    ['as it is', { x: 0, y: 0 }, { x: 1, y: 0 }, (x: number, y: number) => 2 * x + y],
    [
      'shifted by half a px',
      { x: 10.5, y: 5 },
      { x: 1, y: 0 },
      (x: number, y: number) => 2 * (x + 10.5) + y + 5,
    ],
    [
      'half the size',
      { x: 0.5, y: 0.5 },
      { x: 2, y: 0 },
      (x: number, y: number) => 2 * (2 * x + 0.5) + 2 * y + 0.5,
    ],
    ['a quarter turn', { x: 40, y: 5 }, { x: 0, y: 1 }, (x: number, y: number) => 2 * (40 - y) + 5 + x],
  ])('%s', (_, origin, right, expected) => {
    const patch = samplePatch(field, { origin, right, down: { x: -right.y, y: right.x } }, 20, 20);
    for (const [x, y] of [
      [3, 4],
      [10, 10],
      [17, 2],
    ] as const) {
      expect(Math.abs((patch.data[4 * (20 * y + x)] ?? NaN) - expected(x, y))).toBeLessThanOrEqual(1);
    }
  });
  test('repeats the border outside of the picture', () => {
    const patch = samplePatch(
      field,
      { origin: { x: -50, y: -50 }, right: { x: 1, y: 0 }, down: { x: 0, y: 1 } },
      4,
      4,
    );
    expect(patch.data[0]).toBe(0);
  });
});

describe('blocks', () => {
  const ramp = planeOf(8, 4, (x, y) => 10 * y + x);
  test('extremes', () => {
    const { low, high } = blockExtremes(ramp, 4);
    expect([...low.data]).toEqual([0, 4]);
    expect([...high.data]).toEqual([33, 37]);
  });
});

describe('a card', () => {
  const guide = { x: 40, y: 63, width: 560, height: 353 };
  const random = noise(11);
  const speckle = Array.from({ length: 4096 }, () => random());
  /** Light ground within the guide, rows of letter-sized strokes on it, a dark table round it. */
  const lumaAt = (x: number, y: number): number => {
    const onCard = x > 44 && x < 596 && y > 67 && y < 412;
    if (!onCard) return 60;
    const row = Math.floor((y - 90) / 24);
    const inRow = row >= 0 && row < 12 && (y - 90) % 24 < 12 && x > 60 && x < 400;
    return inRow && (speckle[(row * 131 + Math.floor(x / 3)) % 4096] ?? 0) > 0.5 ? 30 : 200;
  };
  const spot = (x: number, y: number, softness: number): number =>
    255 * (1 - softEdge(Math.hypot(x - 480, y - 240), 40, softness));
  const observe = (
    luma: (x: number, y: number) => number,
  ): ReturnType<ReturnType<typeof createCardMeter>['observe']> =>
    createCardMeter().observe(grey(640, 480, luma), guide, 0, nobody);

  const nobody = (): readonly Detection[] => [];

  test('has its portrait upright or turned, at either end', () => {
    const sizes: unknown[] = [];
    const portraitIn = (run: number, x: number): unknown => {
      let runs = 0;
      return createCardMeter().observe(grey(640, 480, lumaAt), guide, 0, ({ width, height }) => {
        sizes.push([width, height]);
        const found = { x: x * width, y: 0.3 * height, width: 0.1 * width, height: 0.1 * height, score: 0.8 };
        return runs++ === run ? [found] : [];
      }).portrait;
    };
    expect(portraitIn(0, 0.2)).toEqual({ upright: 0.8, turned: 0 });
    expect(portraitIn(0, 0.7)).toEqual({ upright: 0.8, turned: 0 });
    expect(portraitIn(1, 0.2)).toEqual({ upright: 0, turned: 0.8 });
    expect(sizes[0]).toEqual([326, 212]);
  });
  test('has an outline, print and light', () => {
    const seen = observe(lumaAt);
    expect(seen.outline?.support).toBeGreaterThan(0.9);
    expect(seen.print).toBeGreaterThan(0.3);
    expect(seen.highlight).toBe(200);
    expect(seen.glare).toBe(0);
    expect(seen.motion).toBe(0);
  });
  test('is missing on a plain table', () => {
    expect(observe(() => 60)).toMatchObject({ outline: null, print: 0, sharpness: 0 });
  });
  test('has glare where a clipped spot fades out, not where a white print ends', () => {
    // The spot is far brighter than white, so that a disc of it clips.
    const lamp = observe((x, y) => Math.min(255, lumaAt(x, y) + 3 * spot(x, y, 8)));
    const label = observe((x, y) => (Math.hypot(x - 480, y - 240) < 40 ? 255 : lumaAt(x, y)));
    expect(lamp.glare).toBeGreaterThan(0.01);
    expect(label.bright).toBeGreaterThan(0.02);
    expect(label.glare).toBe(0);
  });
  test('moves as far as it moved', () => {
    const meter = createCardMeter();
    meter.observe(grey(640, 480, lumaAt), guide, 0, nobody);
    const { motion } = meter.observe(
      grey(640, 480, (x, y) => lumaAt(x - 14, y)),
      guide,
      100,
      nobody,
    );
    // 14 of 560 px in a tenth of a second.
    expect(motion).toBeGreaterThan(0.12);
    expect(motion).toBeLessThan(0.5);
  });
  test('after a pause is another one, that has not moved', () => {
    const meter = createCardMeter();
    const motionAt = (now: number, shift: number): number =>
      meter.observe(
        grey(640, 480, (x, y) => lumaAt(x - shift, y)),
        guide,
        now,
        nobody,
      ).motion;
    expect([motionAt(0, 0), motionAt(2000, 28) > 0, motionAt(7000, 0)]).toEqual([0, true, 0]);
  });
  test('is found far from the guide in every frame', () => {
    const corner = { x: 340, y: 280, width: 280, height: 177 };
    const aside = grey(640, 480, (x, y) => lumaAt(2 * (x - 10), 2 * (y - 20)));
    const portrait = { x: 60, y: 60, width: 40, height: 40, score: 0.9 };
    const meter = createCardMeter();
    for (const now of [0, 100, 200, 300])
      expect(meter.observe(aside, corner, now, () => [portrait]).outline?.support).toBeGreaterThan(0.9);
  });
});
