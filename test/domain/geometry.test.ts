import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fitInside,
  fitLongSide,
  guideInPicture,
  guideInViewport,
  ID1_RATIO,
  type Size,
} from '../../src/domain/geometry.ts';
import type { Step } from '../../src/domain/result.ts';

const SEED = 20261122;
const STEPS: readonly Step[] = ['selfie', 'ktp'];
const side = fc.integer({ min: 200, max: 4000 });
const size = fc.record({ width: side, height: side });

describe('guideInViewport', () => {
  test.each([
    ['selfie', 3 / 4],
    ['ktp', ID1_RATIO],
  ] as const)('%s keeps its shape and stays inside any viewport', (step, ratio) => {
    fc.assert(
      fc.property(size, (viewport) => {
        const guide = guideInViewport(step, viewport);
        expect(guide.width / guide.height).toBeCloseTo(ratio, 6);
        expect(guide.x).toBeGreaterThan(0);
        expect(guide.y).toBeGreaterThan(0);
        expect(guide.x + guide.width).toBeLessThan(viewport.width);
        expect(guide.y + guide.height).toBeLessThan(viewport.height);
      }),
      { seed: SEED },
    );
  });
});

describe('guideInPicture', () => {
  const table: readonly [string, Step, Size, Size, { centreX: number; width: number }][] = [
    // A 390x700 viewport shows the middle 401 px of a 1280x720 picture's width: 0.74 of that.
    [
      'landscape camera on a phone',
      'selfie',
      { width: 390, height: 700 },
      { width: 1280, height: 720 },
      { centreX: 640, width: 296.8 },
    ],
    // A 390x700 viewport shows 1080x1920 cut at the sides to 1069.7 px.
    [
      'portrait camera on a phone',
      'ktp',
      { width: 390, height: 700 },
      { width: 1080, height: 1920 },
      { centreX: 540, width: 962.7 },
    ],
    // 1000x500 shows the full width of 1280x720 and 640 px of its height.
    [
      'landscape camera on a desktop',
      'ktp',
      { width: 1000, height: 500 },
      { width: 1280, height: 720 },
      { centreX: 640, width: 669.8 },
    ],
  ];
  test.each(table)('%s', (_name, step, viewport, picture, expected) => {
    const guide = guideInPicture(step, viewport, picture);
    expect(guide.x + guide.width / 2).toBeCloseTo(expected.centreX, 1);
    expect(guide.width).toBeCloseTo(expected.width, 0);
  });

  test('lies inside the picture whatever the shapes of both', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STEPS), size, size, (step, viewport, picture) => {
        const guide = guideInPicture(step, viewport, picture);
        expect(guide.x).toBeGreaterThanOrEqual(-1e-6);
        expect(guide.y).toBeGreaterThanOrEqual(-1e-6);
        expect(guide.x + guide.width).toBeLessThanOrEqual(picture.width + 1e-6);
        expect(guide.y + guide.height).toBeLessThanOrEqual(picture.height + 1e-6);
      }),
      { seed: SEED },
    );
  });
});

test('fitInside gives whole px inside the picture, at least as large as asked', () => {
  const boxes = fc.record({
    x: fc.double({ min: -500, max: 4000, noNaN: true }),
    y: fc.double({ min: -500, max: 4000, noNaN: true }),
    width: fc.double({ min: 1, max: 5000, noNaN: true }),
    height: fc.double({ min: 1, max: 5000, noNaN: true }),
  });
  fc.assert(
    fc.property(boxes, size, fc.double({ min: 0.05, max: 1, noNaN: true }), (box, picture, share) => {
      const smallest = {
        width: Math.floor(picture.width * share),
        height: Math.floor(picture.height * share),
      };
      const fitted = fitInside(box, smallest, picture);
      expect(Object.values(fitted).every(Number.isInteger)).toBe(true);
      expect(fitted.x).toBeGreaterThanOrEqual(0);
      expect(fitted.y).toBeGreaterThanOrEqual(0);
      expect(fitted.x + fitted.width).toBeLessThanOrEqual(picture.width);
      expect(fitted.y + fitted.height).toBeLessThanOrEqual(picture.height);
      expect(fitted.width).toBeGreaterThanOrEqual(smallest.width);
      expect(fitted.height).toBeGreaterThanOrEqual(smallest.height);
    }),
    { seed: SEED },
  );
});

test.each([
  [
    { width: 1920, height: 1080 },
    { width: 640, height: 360 },
  ],
  [
    { width: 720, height: 1280 },
    { width: 360, height: 640 },
  ],
  [
    { width: 320, height: 240 },
    { width: 320, height: 240 },
  ],
])('fitLongSide of %o', (given, expected) => {
  expect(fitLongSide(given, 640)).toEqual(expected);
});
