import { describe, expect, test } from 'vitest';
import { guideInPicture, type Size } from '../../src/domain/geometry.ts';
import { MOST_ENCODES } from '../../src/domain/photo.ts';
import { CaptureError, type ProviderId, type Step } from '../../src/domain/result.ts';
import { PHOTO_LIMITS, withinLimits } from '../../src/domain/limits.ts';
import { takePhoto, type TakenPhoto } from '../../src/session/capture.ts';

const PROVIDERS: readonly ProviderId[] = ['identifai', 'eendigo'];
const STEPS: readonly Step[] = ['selfie', 'ktp'];
const CAMERAS: readonly Size[] = [
  { width: 1280, height: 720 },
  { width: 1080, height: 1920 },
  { width: 3840, height: 2160 },
];
const CASES = PROVIDERS.flatMap((provider) =>
  STEPS.flatMap((step) =>
    CAMERAS.flatMap((camera) => ([0, 255] as const).map((noise) => ({ provider, step, camera, noise }))),
  ),
);

/** Red on the left, blue on the right, with seeded noise: JPEG's easiest and hardest pictures. */
function picture({ width, height }: Size, noise: number): Promise<ImageBitmap> {
  const data = new ImageData(width, height);
  let seed = 20261122;
  for (let index = 0; index < data.data.length; index += 4) {
    const left = (index / 4) % width < width / 2;
    for (let channel = 0; channel < 3; channel++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const colour = (left && channel === 0) || (!left && channel === 2) ? 255 : 0;
      data.data[index + channel] = colour + ((seed >>> 24) / 255 - 0.5) * noise;
    }
    data.data[index + 3] = 255;
  }
  return createImageBitmap(data);
}

async function take(provider: ProviderId, step: Step, camera: Size, noise: number): Promise<TakenPhoto> {
  const frame = await picture(camera, noise);
  const guide = guideInPicture(step, camera);
  return takePhoto({ step, frame, guide, limits: PHOTO_LIMITS[provider][step] });
}

/** The markers of a JPEG up to its picture data. */
function markers(bytes: Uint8Array): number[] {
  const found: number[] = [];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    found.push(marker);
    if (marker === 0xda) break;
    at += 2 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0);
  }
  return found;
}

describe.each(CASES)(
  '$provider $step from $camera.width x $camera.height, noise $noise',
  ({ provider, step, camera, noise }) => {
    test('is a JPEG within the limits, without EXIF, not mirrored, in at most four encodes', async () => {
      const limits = PHOTO_LIMITS[provider][step];
      const { blob, photo } = await take(provider, step, camera, noise);
      expect(photo.encodes).toBeLessThanOrEqual(MOST_ENCODES);
      expect(blob.size).toBeLessThanOrEqual(limits.maxBytes);
      expect(photo.bytes).toBe(blob.size);

      const bytes = new Uint8Array(await blob.arrayBuffer());
      expect([bytes[0], bytes[1]]).toEqual([0xff, 0xd8]);
      // APP1 holds EXIF and XMP.
      expect(markers(bytes)).not.toContain(0xe1);

      const decoded = await createImageBitmap(blob);
      expect({ width: decoded.width, height: decoded.height }).toEqual({
        width: photo.width,
        height: photo.height,
      });
      expect(withinLimits(decoded, limits)).toBe(true);
      const canvas = new OffscreenCanvas(8, 1);
      const context = canvas.getContext('2d');
      context?.drawImage(decoded, 0, 0, 8, 1);
      const [red = 0, , blue = 0] = context?.getImageData(0, 0, 1, 1).data ?? [];
      expect(red).toBeGreaterThan(blue);
    });
  },
);

test('a camera that is too small is an error that names both sizes', async () => {
  const error: unknown = await take('eendigo', 'ktp', { width: 640, height: 480 }, 0).catch(
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(CaptureError);
  expect(error).toMatchObject({ code: 'camera-too-small' });
  expect(String(error)).toMatch(/640x480.*960x720/);
});
