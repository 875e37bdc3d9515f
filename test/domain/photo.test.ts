import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cornersOf, guideInPicture, type Size } from '../../src/domain/geometry.ts';
import { mapQuad, type Quad } from '../../src/domain/homography.ts';
import type { CardObservation } from '../../src/domain/observation.ts';
import {
  BAND_HEIGHT,
  bandTops,
  cardCorners,
  cropOf,
  isUpsideDown,
  MOST_ENCODES,
  nextEncode,
  photoSize,
  wholeEncodes,
  type Encode,
  type EncodeResult,
} from '../../src/domain/photo.ts';
import { PROVIDER_IDS, STEPS } from '../../src/domain/result.ts';
import { PHOTO_LIMITS, withinLimits } from '../../src/domain/limits.ts';

const SEED = 20261122;
const CASES = PROVIDER_IDS.flatMap((provider) => STEPS.map((step) => ({ provider, step })));
const CAMERAS: readonly Size[] = [
  { width: 1280, height: 720 },
  { width: 720, height: 1280 },
  { width: 1920, height: 1080 },
  { width: 1080, height: 1920 },
  { width: 1280, height: 960 },
  { width: 1920, height: 1440 },
  { width: 3840, height: 2160 },
];
describe.each(CASES)('$provider $step', ({ provider, step }) => {
  const limits = PHOTO_LIMITS[provider][step];

  test('every usual camera gives a photo within the sizes, cut from inside its frame', () => {
    for (const camera of CAMERAS) {
      const crop = cropOf(step, camera, guideInPicture(step, camera), limits);
      if (!crop) throw new Error(`${camera.width}x${camera.height} was refused`);
      expect(crop.x + crop.width).toBeLessThanOrEqual(camera.width);
      expect(crop.y + crop.height).toBeLessThanOrEqual(camera.height);
      const size = photoSize(crop, limits);
      expect(
        withinLimits(size, limits),
        `${camera.width}x${camera.height} -> ${size.width}x${size.height}`,
      ).toBe(true);
      expect(size.width).toBeLessThanOrEqual(crop.width);
    }
  });

  test('the guide is inside the crop', () => {
    for (const camera of CAMERAS) {
      const guide = guideInPicture(step, camera);
      const crop = cropOf(step, camera, guide, limits);
      if (!crop) throw new Error('refused');
      expect(crop.x).toBeLessThanOrEqual(guide.x + 0.5);
      expect(crop.y).toBeLessThanOrEqual(guide.y + 0.5);
      expect(crop.x + crop.width).toBeGreaterThanOrEqual(guide.x + guide.width - 0.5);
      expect(crop.y + crop.height).toBeGreaterThanOrEqual(guide.y + guide.height - 0.5);
    }
  });

  test.each([
    { width: 320, height: 240 },
    { width: 640, height: 480 },
    { width: 959, height: 719 },
  ])('a camera of %o is refused where it is under the smallest size', (camera) => {
    const { long, short } = limits.smallest;
    const reaches =
      Math.max(camera.width, camera.height) >= long && Math.min(camera.width, camera.height) >= short;
    const crop = cropOf(step, camera, { x: 10, y: 10, width: 100, height: 60 }, limits);
    expect(crop !== null).toBe(reaches);
  });

  test('any picture that JPEG can hold in the limits is under them after at most four encodes', () => {
    // Bytes of a JPEG grow with the area and, on a logarithmic scale, about linearly with quality;
    // how steeply differs from picture to picture.
    const pictures = fc.record({
      bitsPerPixel: fc.double({ min: 0.1, max: 5.5, noNaN: true }),
      steepness: fc.double({ min: 2.5, max: 6, noNaN: true }),
      camera: fc.constantFrom(...CAMERAS),
    });
    fc.assert(
      fc.property(pictures, ({ bitsPerPixel, steepness, camera }) => {
        const crop = cropOf(step, camera, guideInPicture(step, camera), limits);
        if (!crop) throw new Error('refused');
        const bytes = ({ width, height, quality }: Encode): number =>
          Math.round(((width * height * bitsPerPixel) / 8) * Math.exp(steepness * (quality - 0.92)));
        const tries: EncodeResult[] = [];
        for (;;) {
          const next = nextEncode(crop, limits, tries);
          if (next === 'impossible') throw new Error(JSON.stringify(tries));
          if (next === 'done') break;
          expect(withinLimits(next, limits)).toBe(true);
          expect(next.quality).toBeGreaterThanOrEqual(0.5);
          tries.push({ ...next, bytes: bytes(next) });
        }
        expect(wholeEncodes(tries)).toBeLessThanOrEqual(MOST_ENCODES);
        expect(tries.at(-1)?.bytes).toBeLessThanOrEqual(limits.maxBytes);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('a picture that never gets small ends as impossible, not in a loop', () => {
    const tries: EncodeResult[] = [];
    const crop = { width: limits.largest.long, height: limits.largest.short };
    for (;;) {
      const next = nextEncode(crop, limits, tries);
      if (next === 'impossible') break;
      if (next === 'done') throw new Error('done');
      tries.push({ ...next, bytes: limits.maxBytes * 50 });
    }
    expect(wholeEncodes(tries)).toBe(MOST_ENCODES);
  });
});

describe('a sample', () => {
  const limits = PHOTO_LIMITS.identifai.selfie;
  const [small, large] = [
    { width: 1280, height: 720 },
    { width: 1920, height: 1080 },
  ];
  const first = { ...large, quality: 0.92, sampled: true };

  test('comes first where grain could be too much for the limit, and only there', () => {
    expect(nextEncode(large, limits, [])).toEqual(first);
    expect(nextEncode(small, limits, [])).toEqual({ ...small, quality: 0.92, sampled: false });
  });

  test.each([
    ['well below the limit: the whole as it is', 0.5, 0.92],
    ['just below the limit: the whole a little lower, because a sample may be wrong', 0.94, 0.901],
    ['above the limit: the whole at the quality that fits', 1.3, 0.804],
    ['far above the limit: the whole at the lowest quality', 9, 0.5],
  ])('that is %s', (_, share, quality) => {
    const next = nextEncode(large, limits, [{ ...first, bytes: share * limits.maxBytes }]);
    expect(next).toMatchObject({ ...large, sampled: false });
    expect((next as Encode).quality).toBeCloseTo(quality, 2);
  });

  test('consists of bands inside the picture, apart from each other, an eighth of it where it is high', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 * BAND_HEIGHT, max: 4000 }), (height) => {
        const tops = bandTops(height);
        tops.forEach((top, band) => {
          expect(Number.isInteger(top)).toBe(true);
          expect(top).toBeGreaterThanOrEqual(band === 0 ? 0 : (tops[band - 1] ?? 0) + BAND_HEIGHT);
          expect(top + BAND_HEIGHT).toBeLessThanOrEqual(height);
        });
        if (height >= 1000) expect((tops.length * BAND_HEIGHT) / height).toBeCloseTo(1 / 8, 1);
      }),
      { seed: SEED },
    );
  });
});

describe('the corners of a card', () => {
  const [TOP_LEFT, TOP_RIGHT, BOTTOM_RIGHT, BOTTOM_LEFT] = cornersOf({
    x: 100,
    y: 80,
    width: 400,
    height: 252,
  });
  const corners: Quad = [TOP_LEFT, TOP_RIGHT, BOTTOM_RIGHT, BOTTOM_LEFT];
  const seen = (
    portrait: CardObservation['portrait'],
    outline: CardObservation['outline'],
  ): CardObservation => ({
    kind: 'card',
    frame: { width: 640, height: 480 },
    outline,
    portrait,
    covered: 0,
    print: 0.4,
    luma: 180,
    highlight: 230,
    dark: 0,
    bright: 0,
    glare: 0,
    sharpness: 0.2,
    motion: 0,
  });
  const own = (upright: number, turned: number): Quad | null =>
    cardCorners(seen({ upright, turned }, { corners, support: 1 }));

  test.each([
    ['a portrait the right way up', 0.9, 0],
    ['no portrait', 0, 0],
    ['a turned one that is not sure enough', 0, 0.69],
    ['an upright one that is surer than a turned one', 0.8, 0.7],
    ['both alike', 0.8, 0.8],
  ])('%s: as they lie in the picture', (_name, upright, turned) => {
    expect(own(upright, turned)).toEqual(corners);
  });

  test.each([
    ['a turned portrait', 0, 0.7],
    ['a turned one that is surer than an upright one', 0.7, 0.8],
  ])('%s: from the opposite corner on, still clockwise', (_name, upright, turned) => {
    expect(own(upright, turned)).toEqual([BOTTOM_RIGHT, BOTTOM_LEFT, TOP_LEFT, TOP_RIGHT]);
  });

  test('are not there without a card', () => {
    expect(cardCorners(seen({ upright: 0, turned: 0.9 }, null))).toBeNull();
    expect(
      cardCorners({ kind: 'face', frame: { width: 640, height: 480 }, faces: [], face: null }),
    ).toBeNull();
  });

  test.each([-45, -12, 0, 12, 45])('tell which way up it lies, rolled by %i degrees', (degrees) => {
    const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    const rolled = mapQuad(corners, ({ x, y }) => ({
      x: 300 + x * cos - y * sin,
      y: 200 + x * sin + y * cos,
    }));
    const [p, q, r, s] = rolled;
    expect(isUpsideDown(rolled)).toBe(false);
    expect(isUpsideDown([r, s, p, q])).toBe(true);
  });
});
