import { describe, expect, test } from 'vitest';
import { boxRound, cornersOf, guideInPicture, ID1_RATIO, type Size } from '../../src/domain/geometry.ts';
import { homographyTo, mapQuad, project, type Quad } from '../../src/domain/homography.ts';
import { cropOf, MOST_ENCODES } from '../../src/domain/photo.ts';
import { CaptureError, type ProviderId, type Step } from '../../src/domain/result.ts';
import { PHOTO_LIMITS, withinLimits } from '../../src/domain/limits.ts';
import { takePhoto, type TakenPhoto } from '../../src/session/capture.ts';
import type { Still } from '../../src/session/sharpest.ts';

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
  return takeOf(await picture(camera, noise), provider, step, camera);
}

function takeOf(frame: Still, provider: ProviderId, step: Step, camera: Size): Promise<TakenPhoto> {
  const guide = guideInPicture(step, camera);
  return takePhoto({
    step,
    frame,
    guide,
    card: null,
    straighten: true,
    limits: PHOTO_LIMITS[provider][step],
  });
}

/** By which pictures are compared, because to compare their bytes one by one takes seconds. */
async function digestOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
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

test.each([60, 90, 120])(
  'a full-HD selfie with noise %i is encoded once, and no smaller than it need be',
  async (noise) => {
    const { blob, photo } = await take('identifai', 'selfie', { width: 1920, height: 1080 }, noise);
    const { maxBytes } = PHOTO_LIMITS.identifai.selfie;
    console.log(`noise ${noise}: ${blob.size} bytes of ${maxBytes}`);
    expect(photo.encodes).toBe(1);
    expect(blob.size).toBeLessThanOrEqual(maxBytes);
    expect(blob.size).toBeGreaterThan(maxBytes / 2);
  },
);

test('a selfie of the whole frame is made of a canvas as of a bitmap, and the canvas stays as it was', async () => {
  const camera = { width: 1920, height: 1080 };
  const bitmap = await picture(camera, 90);
  const canvas = Object.assign(document.createElement('canvas'), camera);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  const photos = [];
  for (const frame of [bitmap, canvas, canvas]) {
    const { blob, photo } = await takeOf(frame, 'identifai', 'selfie', camera);
    photos.push({ photo, digest: await digestOf(blob) });
  }
  const [first, ...others] = photos;
  expect(first?.photo).toMatchObject(camera);
  for (const other of others) expect(other).toEqual(first);
});

test('a camera that is too small is an error that names both sizes', async () => {
  const error: unknown = await take('eendigo', 'ktp', { width: 640, height: 480 }, 0).catch(
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(CaptureError);
  expect(error).toMatchObject({ code: 'camera-too-small' });
  expect(String(error)).toMatch(/640x480.*960x720/);
});

describe('a card that is held aslant', () => {
  const camera = { width: 1920, height: 1080 };
  /** Four quarters of a card, and the table. */
  const QUARTERS = [
    { x: 0, y: 0, colour: [200, 40, 40] },
    { x: 0.5, y: 0, colour: [40, 160, 40] },
    { x: 0, y: 0.5, colour: [40, 40, 200] },
    { x: 0.5, y: 0.5, colour: [200, 200, 60] },
  ] as const;

  function pictureOf(corners: Quad): HTMLCanvasElement {
    const map = homographyTo(corners);
    const canvas = Object.assign(document.createElement('canvas'), camera);
    const context = canvas.getContext('2d');
    if (map === null || context === null) throw new Error('nothing to draw');
    context.fillStyle = '#555';
    context.fillRect(0, 0, camera.width, camera.height);
    for (const { x, y, colour } of QUARTERS) {
      context.fillStyle = `rgb(${colour.join(' ')})`;
      context.beginPath();
      for (const corner of cornersOf({ x, y, width: 0.5, height: 0.5 })) {
        const place = project(map, corner);
        context.lineTo(place.x, place.y);
      }
      context.fill();
    }
    return canvas;
  }

  /** @param corners of the card, from its own top left */
  const takeCard = async (
    corners: Quad,
    provider: ProviderId,
    straighten = true,
    frame: Still = pictureOf(corners),
  ): Promise<TakenPhoto> =>
    takePhoto({
      step: 'ktp',
      frame,
      guide: guideInPicture('ktp', camera),
      card: corners,
      straighten,
      limits: PHOTO_LIMITS[provider].ktp,
    });

  const ASLANT: Quad = [
    { x: 420, y: 180 },
    { x: 1560, y: 240 },
    { x: 1500, y: 930 },
    { x: 360, y: 850 },
  ];

  const turned = ([p, q, r, s]: Quad): Quad => [r, s, p, q];

  test.each(
    PROVIDERS.flatMap((provider) => [
      { provider, way: 'as it lies', corners: ASLANT },
      { provider, way: 'upside-down', corners: turned(ASLANT) },
    ]),
  )(
    '$provider, $way: the photo shows it straight and upright, as large as it was seen',
    async ({ provider, corners }) => {
      const { blob, photo } = await takeCard(corners, provider);
      expect(withinLimits(photo, PHOTO_LIMITS[provider].ktp)).toBe(true);
      // 1141 px and a margin of 3 % on either side.
      expect(photo.width).toBeGreaterThan(1200);
      expect(photo.width).toBeLessThan(1220);
      expect(Math.abs(photo.width / photo.height - 1.06 / (1 / ID1_RATIO + 0.06))).toBeLessThan(0.01);
      const canvas = new OffscreenCanvas(photo.width, photo.height);
      const context = canvas.getContext('2d');
      context?.drawImage(await createImageBitmap(blob), 0, 0);
      const colourAt = (x: number, y: number): readonly number[] => {
        const at = (place: number, whole: number, card: number): number => (whole - card) / 2 + place * card;
        const width = photo.width / 1.06;
        const left = Math.round(at(x, photo.width, width));
        const top = Math.round(at(y, photo.height, width / ID1_RATIO));
        return [...(context?.getImageData(left, top, 1, 1).data ?? [])].slice(0, 3);
      };
      for (const { x, y, colour } of QUARTERS) {
        for (const place of [0.03, 0.47]) {
          colourAt(x + place, y + place).forEach((value, channel) => {
            expect(Math.abs(value - (colour[channel] ?? NaN))).toBeLessThan(12);
          });
        }
      }
    },
  );

  test.each([
    { way: 'as it lies', straighten: false, corners: ASLANT },
    { way: 'upside-down', straighten: false, corners: turned(ASLANT) },
    {
      way: 'upside-down and cut off',
      straighten: true,
      corners: turned(mapQuad(ASLANT, ({ x, y }) => ({ x: x - 380, y }))),
    },
  ])('$way, along the guide: upright as well', async ({ straighten, corners }) => {
    const { blob } = await takeCard(corners, 'eendigo', straighten);
    const bitmap = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context?.drawImage(bitmap, 0, 0);
    const guide = guideInPicture('ktp', camera);
    const lies = corners === ASLANT;
    for (const { x, y, colour } of QUARTERS) {
      // Where the camera saw the middle of the quarter, in parts of what was cut out round the guide.
      const map = homographyTo(corners);
      if (map === null) throw new Error('no card');
      const seen = project(map, { x: x + 0.25, y: y + 0.25 });
      const [across, down] = [
        (seen.x - guide.x + 0.04 * guide.width) / (1.08 * guide.width),
        (seen.y - guide.y + 0.06 * guide.height) / (1.12 * guide.height),
      ];
      if (across < 0) continue;
      const left = Math.round((lies ? across : 1 - across) * bitmap.width);
      const top = Math.round((lies ? down : 1 - down) * bitmap.height);
      const found = context?.getImageData(left, top, 1, 1).data ?? [];
      colour.forEach((value, channel) => {
        expect(Math.abs((found[channel] ?? NaN) - value), `${x} ${y}`).toBeLessThan(12);
      });
    }
  });

  test.each([true, false])(
    'of a canvas and of a bitmap the same photo comes, straighten %s',
    async (straighten) => {
      const canvas = pictureOf(ASLANT);
      const [of, ofBitmap, again] = [
        await takeCard(ASLANT, 'identifai', straighten, canvas),
        await takeCard(ASLANT, 'identifai', straighten, await createImageBitmap(canvas)),
        await takeCard(ASLANT, 'identifai', straighten, canvas),
      ];
      expect(await digestOf(ofBitmap.blob)).toEqual(await digestOf(of.blob));
      expect(again.blob.size).toBe(of.blob.size);
    },
  );

  test('one at the edge of the picture keeps what the camera saw round it', async () => {
    const atEdge: Quad = [
      { x: 2, y: 180 },
      { x: 1300, y: 200 },
      { x: 1290, y: 1010 },
      { x: 5, y: 1000 },
    ];
    const { photo } = await takeCard(atEdge, 'identifai');
    expect(photo.width).toBeGreaterThan(1280);
    expect(photo.width).toBeLessThan(1300);
  });

  test('one that is cut off is not straightened, and keeps the guide and all that is seen of it', async () => {
    const beyond: Quad = [
      { x: -60, y: 180 },
      { x: 1300, y: 200 },
      { x: 1290, y: 1010 },
      { x: -70, y: 1000 },
    ];
    const wanted = boxRound([...cornersOf(guideInPicture('ktp', camera)), ...beyond]);
    const crop = cropOf('ktp', camera, wanted, PHOTO_LIMITS.eendigo.ktp);
    if (!crop) throw new Error('no crop');
    expect(crop.x).toBe(0);
    const { photo } = await takeCard(beyond, 'eendigo');
    expect(photo.width / photo.height).toBeCloseTo(crop.width / crop.height, 2);
  });
});
