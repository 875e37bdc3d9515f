import type { Layer, Scene } from '../../src/playwright/index.ts';
import { expect, person, test } from './support.ts';

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
    scenes: clip(RESTLESS),
    camera: 'canvas',
  });
  await capture.press('start');
  await capture.waitForStep('selfie', 'live');
  await capture.page.waitForTimeout(12_000);
  expect(await capture.events('kyc-capture')).toEqual([]);
  const told = new Set((await capture.events('kyc-feedback')).map(({ detail }) => detail['code']));
  expect(told.size).toBeGreaterThan(2);
});

test('a moving head is photographed only in a frame that passes every rule alone', async ({ open }) => {
  const moving = { scenes: clip(COMING_TO_REST), camera: 'canvas' } as const;
  const capture = await open('/?provider=identifai&mode=relay', moving);
  await capture.press('start');
  await capture.waitForStep('selfie', 'review');
  const [photo] = await capture.photos();
  if (!photo) throw new Error('no photo was taken');

  // Shown by itself, as a still picture, the photo has to bring the shutter about without a single complaint.
  const alone: Layer = { source: { bytes: photo.jpeg, type: 'image/jpeg' } };
  const judge = await open('/?provider=identifai&mode=relay', {
    scenes: { layers: [alone], sway: 0, frames: 2 },
    camera: 'canvas',
  });
  await judge.press('start');
  await judge.waitForStep('selfie', 'review');
  const complaints = (await judge.events('kyc-feedback')).filter(({ detail }) => detail['code'] !== null);
  expect(complaints).toEqual([]);
});
