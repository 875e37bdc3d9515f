import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANYWHERE, findOutlines, NEAR_GUIDE, type RatedOutline } from '../../src/analysis/outline.ts';
import { eachRowWithin, type Pixels } from '../../src/analysis/pixels.ts';
import { cornersOf, guideInPicture, ID1_RATIO, type Point, type Size } from '../../src/domain/geometry.ts';
import { homographyTo, project, type Quad, sidesOf } from '../../src/domain/homography.ts';

const FRAME: Size = { width: 640, height: 480 };
const GUIDE = guideInPicture('ktp', FRAME);

type Rgb = readonly [number, number, number];
const TABLE: Rgb = [120, 92, 66];
const PAPER: Rgb = [205, 222, 232];
const INK: Rgb = [40, 44, 60];

/** A picture of polygons, one over the other, four samples a px. */
function painted(layers: readonly (readonly [Rgb, readonly Point[]])[], { width, height } = FRAME): Pixels {
  const finely = { width: 2 * width, height: 2 * height };
  const fine = layers.map(([colour, polygon]) => {
    const mask = new Uint8Array(finely.width * finely.height);
    const corners = polygon.map(({ x, y }) => ({ x: 2 * x + 0.5, y: 2 * y + 0.5 }));
    eachRowWithin(corners, finely, (from, end) => mask.fill(1, from, end));
    return { colour, mask };
  });
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (const sample of [0, 1, 2 * width, 2 * width + 1]) {
        const colour =
          fine.findLast(({ mask }) => mask[4 * y * width + 2 * x + sample] === 1)?.colour ?? TABLE;
        colour.forEach((value, channel) => (sum[channel] = (sum[channel] ?? 0) + value / 4));
      }
      data.set([...sum, 255], 4 * (y * width + x));
    }
  }
  return { data, width, height };
}

/** A card with rows of print. */
function card(corners: Quad): readonly (readonly [Rgb, readonly Point[]])[] {
  const map = homographyTo(corners);
  if (map === null) throw new Error('no card');
  const bar = (row: number): readonly Point[] =>
    cornersOf({ x: 0.08, y: 0.16 + 0.09 * row, width: 0.3 + 0.05 * (row % 3), height: 0.03 }).map((corner) =>
      project(map, corner),
    );
  return [[PAPER, corners], ...Array.from({ length: 8 }, (_, row) => [INK, bar(row)] as const)];
}

/** Mean distance of the corners, percent of the card's width. */
function errorOf(found: Quad | undefined, corners: Quad): number {
  if (found === undefined) return Infinity;
  const apart = corners.map(({ x, y }, i) => Math.hypot(x - (found[i]?.x ?? NaN), y - (found[i]?.y ?? NaN)));
  return (100 * apart.reduce((sum, distance) => sum + distance, 0)) / 4 / sidesOf(corners).width;
}

/** What a lens of the assumed focal length sees of a card in the middle of the picture. */
function held(width: number, pitch: number, yaw: number, roll: number, ratio = ID1_RATIO, aside = 0): Quad {
  const focal = 0.85 * FRAME.width;
  const [p, q, r] = [pitch, yaw, roll].map((angle) => (angle * Math.PI) / 180) as [number, number, number];
  return cornersOf({ x: -0.5, y: -0.5 / ratio, width: 1, height: 1 / ratio }).map(({ x, y }) => {
    const [x1, y1] = [x * Math.cos(r) - y * Math.sin(r), x * Math.sin(r) + y * Math.cos(r)];
    const [y2, z2] = [y1 * Math.cos(p), y1 * Math.sin(p)];
    const [x3, z3] = [x1 * Math.cos(q) + z2 * Math.sin(q), z2 * Math.cos(q) - x1 * Math.sin(q)];
    const z = focal / width + z3;
    return { x: FRAME.width / 2 + (focal * (x3 + aside)) / z, y: FRAME.height / 2 + (focal * y2) / z };
  }) as unknown as Quad; // four in, four out
}

/** As frame after frame does where it finds no card, in every way. */
const allOf = (pixels: Pixels): readonly RatedOutline[] =>
  [NEAR_GUIDE, ANYWHERE].flatMap((search) => findOutlines(pixels, GUIDE, search));
const find = (pixels: Pixels): Quad | undefined => allOf(pixels)[0]?.corners;
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

describe('the outline of a card', () => {
  test('is found to half a percent of its width, however it is held', () => {
    fc.assert(
      fc.property(
        between(250, 560),
        between(-25, 25),
        between(-25, 25),
        between(-15, 15),
        (width, pitch, yaw, roll) => {
          const corners = held(width, pitch, yaw, roll);
          expect(errorOf(find(painted(card(corners))), corners)).toBeLessThan(0.5);
        },
      ),
      { seed: 7, numRuns: 12, endOnFailure: true },
    );
  });

  test('is found under fingers', () => {
    const corners = held(460, 5, -5, 3);
    const fingers: readonly Point[] = cornersOf({ x: 60, y: 200, width: 80, height: 90 });
    const thumb: readonly Point[] = cornersOf({ x: 300, y: 340, width: 110, height: 140 });
    const skin: Rgb = [176, 120, 92];
    const pixels = painted([...card(corners), [skin, fingers], [skin, thumb]]);
    expect(errorOf(find(pixels), corners)).toBeLessThan(1);
  });

  test('is told to be doubtful where a finger hides the end of a side that leaves the picture', () => {
    const corners = held(560, 0, 0, 2, ID1_RATIO, 0.12);
    const thumb: readonly Point[] = cornersOf({ x: 560, y: 340, width: 80, height: 140 });
    const pixels = painted([...card(corners), [[176, 120, 92], thumb]]);
    const likely = allOf(pixels).filter((one) => errorOf(one.corners, corners) < 3);
    expect(likely.map(({ isDoubtful }) => isDoubtful)).toContain(true);
    expect(likely.map(({ isDoubtful }) => isDoubtful)).not.toContain(false);
  });

  test('is found where one side is outside of the picture', () => {
    const corners = held(560, 0, 0, 2, ID1_RATIO, 0.12);
    expect(Math.max(...corners.map(({ x }) => x))).toBeGreaterThan(FRAME.width + 20);
    expect(errorOf(find(painted(card(corners))), corners)).toBeLessThan(2);
  });

  test.each([
    ['a sheet of paper', Math.SQRT2 * 0.9],
    ['a banknote', 2.2],
  ])('is not seen in %s', (_, ratio) => {
    expect(find(painted([[PAPER, held(420, 10, -10, 5, ratio)]]))).toBeUndefined();
  });

  test('is not seen on a table', () => {
    expect(find(painted([]))).toBeUndefined();
    expect(find(painted([[INK, cornersOf({ x: 0, y: 0, width: 640, height: 240 })]]))).toBeUndefined();
  });

  test('is found where both ends are outside of the picture', () => {
    const corners = held(700, 0, 0, 1);
    expect(Math.min(...corners.map(({ x }) => x))).toBeLessThan(-25);
    expect(errorOf(find(painted(card(corners))), corners)).toBeLessThan(3);
  });

  test('is found away from the guide', () => {
    const corners = held(300, 0, 0, 0, ID1_RATIO, -0.9);
    expect(corners[0].x).toBeLessThan(-90);
    // A third of it is completed from the rest.
    expect(errorOf(find(painted(card(corners))), corners)).toBeLessThan(8);
  });

  test('is not seen in lines that cross on one ground', () => {
    const [p, q, r, s] = held(420, 0, 0, 0);
    const line = (from: Point, to: Point): readonly Point[] =>
      from.y === to.y
        ? cornersOf({ x: 0, y: from.y, width: FRAME.width, height: 3 })
        : cornersOf({ x: from.x, y: 0, width: 3, height: FRAME.height });
    const lines = [line(p, q), line(q, r), line(s, r), line(p, s)].map((bar) => [INK, bar] as const);
    expect(find(painted(lines))).toBeUndefined();
  });

  test('may be the second where a larger thing of its shape lies under it', () => {
    const corners = held(300, 0, 0, 0);
    const under = held(560, 0, 0, 2);
    const all = allOf(painted([[[150, 150, 150], under], ...card(corners)]));
    expect(Math.min(...all.map((outline) => errorOf(outline.corners, corners)))).toBeLessThan(1);
  });
});
