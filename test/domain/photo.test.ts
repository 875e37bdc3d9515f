import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guideInPicture, type Size } from '../../src/domain/geometry.ts';
import {
  cropOf,
  MOST_ENCODES,
  nextEncode,
  photoSize,
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
        expect(tries.length).toBeLessThanOrEqual(MOST_ENCODES);
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
    expect(tries).toHaveLength(MOST_ENCODES);
  });
});
