import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boxRound,
  fitInside,
  fitLongSide,
  guideInPicture,
  guideInViewport,
  ID1_RATIO,
  pictureInViewport,
  pointInPicture,
  type Size,
} from '../../src/domain/geometry.ts';
import { STEPS, type Step } from '../../src/domain/result.ts';

const SEED = 20261122;
const side = fc.integer({ min: 200, max: 4000 });
const size = fc.record({ width: side, height: side });

describe('guideInPicture', () => {
  test.each([
    ['selfie', 3 / 4],
    ['ktp', ID1_RATIO],
    ['sim', ID1_RATIO],
    ['npwp', ID1_RATIO],
  ] as const)('%s keeps its shape and lies in the middle of any picture', (step, ratio) => {
    fc.assert(
      fc.property(size, (picture) => {
        const guide = guideInPicture(step, picture);
        expect(guide.width / guide.height).toBeCloseTo(ratio, 6);
        expect(guide.x).toBeGreaterThan(0);
        expect(guide.y).toBeGreaterThan(0);
        expect(guide.x + guide.width / 2).toBeCloseTo(picture.width / 2, 6);
        expect(guide.y + guide.height / 2).toBeCloseTo(picture.height / 2, 6);
      }),
      { seed: SEED },
    );
  });

  // The oval is at most 0.72 of the height and 0.62 of the width, the card 0.86 and 0.92.
  const table: readonly [string, Step, Size, Size][] = [
    ['webcam', 'selfie', { width: 1280, height: 720 }, { width: 388.8, height: 518.4 }],
    ['phone', 'selfie', { width: 1080, height: 1920 }, { width: 669.6, height: 892.8 }],
    ['webcam', 'ktp', { width: 1280, height: 720 }, { width: 981.9, height: 619.2 }],
    ['phone', 'ktp', { width: 1080, height: 1920 }, { width: 993.6, height: 626.6 }],
  ];
  test.each(table)('%s, %s', (_name, step, picture, expected) => {
    const { width, height } = guideInPicture(step, picture);
    expect(width).toBeCloseTo(expected.width, 0);
    expect(height).toBeCloseTo(expected.height, 0);
  });
});

describe('in the viewport', () => {
  const anything = [fc.constantFrom(...STEPS), size, size] as const;

  test('the picture keeps its shape, is centred, and covers or touches two sides', () => {
    fc.assert(
      fc.property(...anything, (step, viewport, picture) => {
        const shown = pictureInViewport(step, viewport, picture);
        expect(shown.width / shown.height).toBeCloseTo(picture.width / picture.height, 6);
        expect(shown.x + shown.width / 2).toBeCloseTo(viewport.width / 2, 6);
        expect(shown.y + shown.height / 2).toBeCloseTo(viewport.height / 2, 6);
        const covers = Math.max(shown.width / viewport.width, shown.height / viewport.height);
        expect(covers).toBeGreaterThanOrEqual(1 - 1e-9);
      }),
      { seed: SEED },
    );
  });

  test('the whole guide is on the screen', () => {
    fc.assert(
      fc.property(...anything, (step, viewport, picture) => {
        const guide = guideInViewport(step, viewport, picture);
        expect(guide.x).toBeGreaterThanOrEqual(0);
        expect(guide.y).toBeGreaterThanOrEqual(0);
        expect(guide.x + guide.width).toBeLessThanOrEqual(viewport.width);
        expect(guide.y + guide.height).toBeLessThanOrEqual(viewport.height);
      }),
      { seed: SEED },
    );
  });

  test.each<[Step, Size]>([
    ['selfie', { width: 720, height: 1280 }],
    ['selfie', { width: 1280, height: 720 }],
    ['ktp', { width: 1080, height: 1920 }],
    ['ktp', { width: 1280, height: 720 }],
  ])('%s of %o leaves room above and below on a phone', (step, picture) => {
    const viewport = { width: 390, height: 700 };
    const guide = guideInViewport(step, viewport, picture);
    expect(guide.y).toBeGreaterThan(0.18 * viewport.height);
    expect(guide.y + guide.height).toBeLessThan(0.82 * viewport.height);
    expect(guide.width).toBeGreaterThan(0.6 * viewport.width);
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

describe('a point of the viewport', () => {
  const picture = { width: 1280, height: 720 };
  // The card's guide is 982 px wide, so the picture is scaled until that takes 0.94 of the viewport's 390 px.
  const viewport = { width: 390, height: 700 };
  const scale = (390 * 0.94) / (picture.height * 0.86 * ID1_RATIO);
  const top = (700 - picture.height * scale) / 2;

  test('is found in the picture that lies across the screen, and not beside it', () => {
    const at = (x: number, y: number) => pointInPicture('ktp', viewport, picture, false, { x, y });
    expect(at(195, 350)).toEqual({ x: 0.5, y: 0.5 });
    const found = at(195 + 100, top + 36 * scale);
    expect(found?.x).toBeCloseTo(0.5 + 100 / (1280 * scale), 6);
    expect(found?.y).toBeCloseTo(0.05, 6);
    expect(at(195, top - 1)).toBeNull();
    expect(at(195, 700 - top + 1)).toBeNull();
  });

  test('is where the picture shows it, on any screen, mirrored or not', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...STEPS),
        size,
        size,
        fc.boolean(),
        share,
        share,
        (step, viewport, picture, mirrored, x, y) => {
          const shown = pictureInViewport(step, viewport, picture);
          const across = mirrored ? 1 - x : x;
          const at = { x: shown.x + across * shown.width, y: shown.y + y * shown.height };
          const found = pointInPicture(step, viewport, picture, mirrored, at);
          // Rounding may put the very edge outside.
          if (found === null) expect(Math.min(x, 1 - x, y, 1 - y)).toBeLessThan(1e-9);
          else {
            expect(found.x).toBeCloseTo(x, 6);
            expect(found.y).toBeCloseTo(y, 6);
          }
        },
      ),
      { seed: SEED },
    );
  });
});

test('the box round points touches the outermost of them', () => {
  const points = [
    { x: 4, y: -2 },
    { x: -3, y: 5 },
    { x: 1, y: 9 },
  ];
  expect(boxRound(points)).toEqual({ x: -3, y: -2, width: 7, height: 11 });
});
