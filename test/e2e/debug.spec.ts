import { CARD_SCENE } from '../../demo/people.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';
import { expect, person, PHONE, test } from './support.ts';

/** Why the shutter waits, for the eye as well: `test-results/debug/`. */
test(`debug, phone, upright camera: every measure beside its threshold, on the picture's own marks`, async ({
  open,
}) => {
  const { face } = person(1);
  const capture = await open('/?provider=identifai&mode=relay&debug', {
    ...PHONE,
    scenes: { selfie: { layers: [face], brightness: 0.16 }, ktp: CARD_SCENE },
  });
  const shoot = (name: string): Promise<void> =>
    capture.screenshot(`test-results/debug/phone-upright-camera/${name}.png`);
  const rows = capture.element.locator('.debug li');
  const broken = capture.element.locator('.debug .broken');

  await capture.press('start');
  await capture.waitForHint('too-dark');
  await expect(rows).toHaveCount(GUIDANCE_RULES.face.length);
  await expect(broken.filter({ hasText: 'too-dark' }).first()).toHaveText(/[\d.]+≥\d+\/255/);
  await expect(capture.element.locator('.debug p')).toHaveText(/^\d+\.\d frames\/s, \d+ ms a frame$/);
  await shoot('selfie-too-dark');

  await capture.show({ selfie: { layers: [{ ...face, zoom: 0.4 }] }, ktp: CARD_SCENE });
  await capture.waitForHint('face-too-far');
  await expect(broken.first()).toContainText('face-too-far');
  await shoot('selfie-too-far');

  await capture.show({ selfie: { layers: [], background: '#8a8a86' }, ktp: CARD_SCENE });
  await capture.waitForHint('no-face');
  await expect(broken).toHaveCount(1);
  await shoot('selfie-no-face');

  await capture.show({ selfie: { layers: [face] }, ktp: CARD_SCENE });
  await capture.waitForHint('hold-still');
  await expect(broken).toHaveCount(0);
  await shoot('selfie-hold-still');

  await capture.waitForStep('selfie', 'review');
  await expect(rows).toHaveCount(0);
  await capture.show({ ktp: { ...CARD_SCENE, brightness: 0.3 } });
  await capture.press('use');
  await capture.waitForStep('ktp', 'live');
  await expect(rows).toHaveCount(GUIDANCE_RULES.card.length);
  await shoot('ktp');

  expect(capture.console).toEqual([]);
  expect(await capture.remove()).toEqual({ tracks: 0, workers: 0 });
});
