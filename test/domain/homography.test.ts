import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cornersOf, ID1_RATIO, type Point, type Size } from '../../src/domain/geometry.ts';
import {
  farCorners,
  homographyTo,
  poseOf,
  project,
  type Quad,
  shareInside,
  sidesOf,
  strangeness,
} from '../../src/domain/homography.ts';

const FRAME: Size = { width: 1080, height: 1920 };
const SEED = { seed: 4, numRuns: 300 };

interface Held {
  /** Degrees about the card's own upper side, about its left side, and in its plane. */
  readonly pitch: number;
  readonly yaw: number;
  readonly roll: number;
  /** Card widths between lens and card, and of its middle beside the line that the lens looks along. */
  readonly distance: number;
  readonly aside: Point;
  readonly ratio: number;
}

/** What a lens of the assumed focal length sees of a card. */
function seen({ pitch, yaw, roll, distance, aside, ratio }: Held, { width, height } = FRAME): Quad {
  const focal = 0.85 * Math.max(width, height);
  const [p, q, r] = [pitch, yaw, roll].map((angle) => (angle * Math.PI) / 180) as [number, number, number];
  return cornersOf({ x: -0.5, y: -0.5 / ratio, width: 1, height: 1 / ratio }).map(({ x, y }) => {
    const [x1, y1] = [x * Math.cos(r) - y * Math.sin(r), x * Math.sin(r) + y * Math.cos(r)];
    const [y2, z2] = [y1 * Math.cos(p), y1 * Math.sin(p)];
    const [x3, z3] = [x1 * Math.cos(q) + z2 * Math.sin(q), z2 * Math.cos(q) - x1 * Math.sin(q)];
    const z = distance + z3;
    return { x: width / 2 + (focal * (x3 + aside.x)) / z, y: height / 2 + (focal * (y2 + aside.y)) / z };
  }) as unknown as Quad; // four in, four out
}

const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const held: fc.Arbitrary<Held> = fc.record({
  pitch: between(-40, 40),
  yaw: between(-40, 40),
  roll: between(-25, 25),
  distance: between(1.5, 4),
  aside: fc.record({ x: between(-0.3, 0.3), y: between(-0.3, 0.3) }),
  ratio: between(1.2, 2.2),
});

describe('a card before a lens', () => {
  test('the homography takes the corners of the unit square to the corners', () => {
    fc.assert(
      fc.property(held, (card) => {
        const corners = seen(card);
        const map = homographyTo(corners);
        expect(map).not.toBeNull();
        cornersOf({ x: 0, y: 0, width: 1, height: 1 }).forEach((corner, i) => {
          const { x, y } = map === null ? { x: NaN, y: NaN } : project(map, corner);
          expect(x).toBeCloseTo(corners[i]?.x ?? NaN, 6);
          expect(y).toBeCloseTo(corners[i]?.y ?? NaN, 6);
        });
      }),
      SEED,
    );
  });

  test('its shape is known however it is held', () => {
    fc.assert(
      fc.property(held, (card) => {
        const pose = poseOf(seen(card), FRAME);
        expect(pose?.ratio).toBeCloseTo(card.ratio, 6);
        expect(pose?.skew).toBeCloseTo(0, 6);
      }),
      SEED,
    );
  });

  test.each([0, 10, 25, 40])(
    'leaning back by %d degrees is a tilt of that, in the middle of the picture',
    (pitch) => {
      const card = { pitch, yaw: 0, roll: 0, distance: 2, aside: { x: 0, y: 0 }, ratio: ID1_RATIO };
      // The middle of the corners in the picture is not quite the middle of the card.
      expect(Math.abs((poseOf(seen(card), FRAME)?.tilt ?? NaN) - pitch)).toBeLessThan(1.5);
    },
  );

  test.each([-20, 0, 7, 170])('rolled by %d degrees', (roll) => {
    const card = { pitch: 0, yaw: 0, roll, distance: 2, aside: { x: 0, y: 0 }, ratio: ID1_RATIO };
    expect(poseOf(seen(card), FRAME)?.roll).toBeCloseTo(roll, 6);
  });

  test('three sides tell the fourth', () => {
    fc.assert(
      fc.property(held, (card) => {
        const [p, q, r, s] = seen({ ...card, ratio: ID1_RATIO });
        const left = farCorners([q, r], [p, s], ID1_RATIO, FRAME);
        const top = farCorners([s, r], [p, q], 1 / ID1_RATIO, FRAME);
        [...(left ?? []), ...(top ?? [])].forEach(({ x, y }, i) => {
          const expected = [p, s, p, q][i];
          expect(Math.hypot(x - (expected?.x ?? NaN), y - (expected?.y ?? NaN))).toBeLessThan(0.01);
        });
        expect([left, top]).not.toContain(null);
      }),
      SEED,
    );
  });

  test('what has no area has no homography', () => {
    const point = { x: 3, y: 4 };
    expect(homographyTo([point, point, point, point])).toBeNull();
    expect(poseOf([point, point, point, point], FRAME)).toBeNull();
  });
});

describe('a card in a picture', () => {
  const box = { x: 100, y: 200, width: 400, height: 250 };
  test.each([
    ['all of it', box, 1],
    ['half of it, at the right', { ...box, x: 880 }, 0.5],
    ['a quarter, in a corner', { ...box, x: -200, y: -125 }, 0.25],
    ['nothing', { ...box, x: 2000 }, 0],
  ])('%s is inside', (_, at, share) => {
    expect(shareInside(cornersOf(at), FRAME)).toBeCloseTo(share, 9);
  });
  test('its sides', () => {
    expect(sidesOf(cornersOf(box))).toEqual({ width: 400, height: 250 });
  });
});

const QUADS = new URL('../../../shared/cards/quads.json', import.meta.url);
if (!existsSync(QUADS))
  console.log('skipped: no ../shared/cards/quads.json, so real outlines are not tested');

describe.skipIf(!existsSync(QUADS))('90 outlines of real hand-held cards', () => {
  const quads = existsSync(QUADS)
    ? (JSON.parse(readFileSync(QUADS, 'utf8')) as Record<string, readonly (readonly [number, number])[]>)
    : {};
  const outlines = Object.entries(quads).map(
    ([name, corners]) => [name, corners.map(([x, y]) => ({ x, y })) as unknown as Quad] as const, // four each
  );
  test.each(outlines)('%s has the shape of a card', (_, corners) => {
    const pose = poseOf(corners, FRAME);
    expect(pose === null ? NaN : strangeness(pose)).toBeLessThan(0.07);
  });
});
