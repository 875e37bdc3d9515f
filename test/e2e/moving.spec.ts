import { decode } from 'jpeg-js';
import { CARD_SCENE } from '../../demo/people.ts';
import type { CapturePage, Layer, OpenOptions, Scene, TakenPhoto } from '../../src/playwright/index.ts';
import { barePage, EVENING_CAMERA, expect, person, test } from './support.ts';

/** Never still for as long as the shutter waits. */
const RESTLESS: Layer['path'] = [
  { at: 0, x: -0.16, rotate: -24 },
  { at: 0.2, x: 0.02, rotate: 2, zoom: 1.05 },
  { at: 0.35, x: 0.18, rotate: 26 },
  { at: 0.5, zoom: 0.45 },
  { at: 0.65, y: -0.22, rotate: -8 },
  { at: 0.8, zoom: 1.5 },
  { at: 1, x: -0.16, rotate: -24 },
];

/** The same, with two rests: one too short and askew, one in which a photo can be taken. */
const COMING_TO_REST: Layer['path'] = [
  { at: 0, x: -0.16, rotate: -24 },
  { at: 0.1, x: 0.18, rotate: 24 },
  { at: 0.25, x: 0.18, rotate: 24 },
  { at: 0.35, zoom: 0.45 },
  { at: 0.45 },
  { at: 0.9 },
  { at: 1, x: -0.16, rotate: -24 },
];

/** Six seconds of a head that moves. */
function clip(path: NonNullable<Layer['path']>): Scene {
  const { face } = person(0);
  return { layers: [{ ...face, path }], frames: 180, background: '#8a8a86' };
}

test('a head that never rests is never photographed', async ({ open }) => {
  const capture = await open('/?provider=identifai&mode=relay', {
    ...EVENING_CAMERA,
    scenes: clip(RESTLESS),
  });
  await capture.press('start');
  await capture.waitForStep('selfie', 'live');
  await capture.page.waitForTimeout(12_000);
  expect(await capture.events('kyc-capture')).toEqual([]);
  const told = new Set((await capture.events('kyc-feedback')).map(({ detail }) => detail['code']));
  expect(told.size).toBeGreaterThan(2);
});

test('a moving head is photographed only in a frame that passes every rule alone', async ({ open }) => {
  const capture = await open('/?provider=identifai&mode=relay', {
    ...EVENING_CAMERA,
    scenes: clip(COMING_TO_REST),
  });
  await capture.press('start');
  await capture.waitForStep('selfie', 'review');
  const [photo] = await capture.photos();
  if (!photo) throw new Error('no photo was taken');

  // Shown by itself, as a still picture, the photo has to bring the shutter about without a single complaint.
  const alone: Layer = { source: { bytes: photo.jpeg, type: 'image/jpeg' } };
  const judge = await open('/?provider=identifai&mode=relay', {
    ...EVENING_CAMERA,
    scenes: { layers: [alone], sway: 0, frames: 2 },
  });
  await judge.press('start');
  await judge.waitForStep('selfie', 'review');
  const complaints = (await judge.events('kyc-feedback')).filter(({ detail }) => detail['code'] !== null);
  expect(complaints).toEqual([]);
});

/** Three times round in two seconds, well placed all the time but for the movement. */
const ROUND_AND_ROUND: NonNullable<Layer['path']> = Array.from({ length: 25 }, (_, i) => ({
  at: (0.7 * i) / 24,
  x: 0.05 * Math.cos((i * Math.PI) / 4),
  y: 0.08 * Math.sin((i * Math.PI) / 4),
  zoom: 0.85,
}));

/** A card that is never still, and then turned, too far away and half out of the picture as well. */
const NEVER_RESTING: NonNullable<Layer['path']> = [
  ...ROUND_AND_ROUND,
  { at: 0.78, rotate: 22 },
  { at: 0.86, zoom: 0.5 },
  { at: 0.93, x: 0.45 },
  { at: 1, x: 0.05, zoom: 0.85 },
];

/** Where the card comes to rest: not straight, so that straightening has something to do. */
const REST = { x: 0.02, y: -0.01, rotate: 5, zoom: 0.9 };

/** Half out of the picture, turned, too far away, each for a moment, and then the rest. */
const RESTING_AT_LAST: NonNullable<Layer['path']> = [
  { at: 0, x: -0.45 },
  { at: 0.08, x: -0.45 },
  { at: 0.12, rotate: 24 },
  { at: 0.2, rotate: 24 },
  { at: 0.25, zoom: 0.45 },
  { at: 0.33, zoom: 0.45 },
  { at: 0.4, ...REST },
  { at: 1, ...REST },
];

/** What the card lies on. It is redder than blue, the card is not. */
const TABLE = '#6f5a45';
/** A photo that fills the guide but for this share is a card in the frame. */
const FILLS = 0.94;

/** A camera's view of the specimen, for the step of the card alone. */
function cardPage(scene: Scene, straighten: 'on' | 'off'): OpenOptions {
  const attributes = { provider: 'identifai', 'token-endpoint': '/kyc/token', steps: 'ktp', straighten };
  return { ...barePage(attributes), ...EVENING_CAMERA, scenes: { ktp: scene } };
}

const cardClip = (path: NonNullable<Layer['path']>, frames: number): Scene => ({
  layers: CARD_SCENE.layers.map((card) => ({ ...card, path })),
  background: TABLE,
  frames,
});

/** A rest may be too short for a machine that is busy; there is one every five seconds. */
const PATIENCE_MS = 60_000;

/** Waits for the photo that nobody has pressed the shutter for. */
async function photographed(capture: CapturePage): Promise<TakenPhoto> {
  await capture.press('start');
  await capture.waitForStep('ktp', 'review', PATIENCE_MS);
  const [photo] = await capture.photos();
  if (!photo) throw new Error('no photo was taken');
  return photo;
}

/** Shows a photo as a still picture, which has to bring the shutter about without a single complaint. */
async function expectToPassAlone(
  open: (path: string, options?: OpenOptions) => Promise<CapturePage>,
  photo: TakenPhoto,
  place: Omit<Layer, 'source'>,
): Promise<void> {
  const alone: Layer = { source: { bytes: photo.jpeg, type: 'image/jpeg' }, ...place };
  const still = { layers: [alone], background: TABLE, sway: 0, frames: 2 };
  const judge = await open('/bare', cardPage(still, 'on'));
  await photographed(judge);
  const complaints = (await judge.events('kyc-feedback')).filter(({ detail }) => detail['code'] !== null);
  expect(complaints).toEqual([]);
}

test('a card that never rests is never photographed', async ({ open }) => {
  const capture = await open('/bare', cardPage(cardClip(NEVER_RESTING, 90), 'on'));
  await capture.press('start');
  await capture.waitForStep('ktp', 'live');
  await capture.page.waitForTimeout(9_000);
  expect(await capture.events('kyc-capture')).toEqual([]);
  const complaints = (await capture.events('kyc-feedback')).filter(({ detail }) => detail['code'] !== null);
  expect(complaints).not.toEqual([]);
});

test('a moving card is photographed only in a frame that passes every rule alone', async ({ open }) => {
  const capture = await open('/bare', cardPage(cardClip(RESTING_AT_LAST, 150), 'off'));
  const photo = await photographed(capture);
  // Put back where it was cut out of the frame: round the guide, which lies in the middle of the plain table.
  await expectToPassAlone(open, photo, { height: photo.height / EVENING_CAMERA.frame.height });
});

test('the photo of a card that came to rest askew is straight, and passes every rule alone', async ({
  open,
}) => {
  const capture = await open('/bare', cardPage(cardClip(RESTING_AT_LAST, 150), 'on'));
  const photo = await photographed(capture);
  expect(photo.width / photo.height).toBeGreaterThan(1.45);
  expect(photo.width / photo.height).toBeLessThan(1.7);
  for (const [side, ends] of Object.entries(edgesIn(photo))) {
    expect(Math.abs(ends.near - ends.far), `${side} is straight`).toBeLessThan(0.01);
    expect(ends.near, `${side} is in the photo`).toBeGreaterThan(0.005);
    expect(ends.near, `${side} is near the edge of the photo`).toBeLessThan(0.06);
  }
  await expectToPassAlone(open, photo, { fills: FILLS });
});

/** How much table is seen beside the card, at a quarter and at three quarters of each side, in widths of the photo. */
function edgesIn({ jpeg, width, height }: TakenPhoto): Record<string, { near: number; far: number }> {
  const { data } = decode(jpeg, { useTArray: true });
  const isTable = (x: number, y: number): boolean => {
    const at = 4 * (Math.round(y) * width + Math.round(x));
    return (data[at] ?? 0) > (data[at + 2] ?? 0);
  };
  const run = (length: number, place: (i: number) => readonly [number, number]): number => {
    let i = 0;
    while (i < length && isTable(...place(i))) i++;
    return i / width;
  };
  const [right, bottom] = [width - 1, height - 1];
  const ends = (measure: (share: number) => number): { near: number; far: number } => ({
    near: measure(0.25),
    far: measure(0.75),
  });
  return {
    left: ends((share) => run(width, (i) => [i, share * bottom])),
    right: ends((share) => run(width, (i) => [right - i, share * bottom])),
    top: ends((share) => run(height, (i) => [share * right, i])),
    bottom: ends((share) => run(height, (i) => [share * right, bottom - i])),
  };
}
