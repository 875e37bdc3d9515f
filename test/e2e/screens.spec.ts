import { CARD_SCENE, faceScene } from '../../demo/people.ts';
import { EVENING_CAMERA, expect, person, PHONE, test } from './support.ts';

/** Every screen in every setting, for the eye: `test-results/screens/`. */
test('screens: phone, upright camera', async ({ open }) => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let denied = true;
  const capture = await open('/?provider=identifai&mode=relay', {
    ...PHONE,
    scenes: {
      selfie: { ...faceScene(person(1)), brightness: 0.16 },
      ktp: { layers: [], background: '#6f5a45' },
    },
    prepare: async (page) => {
      await page.route('**/kyc/token', async (route) => {
        if (denied) {
          await route.abort('connectionrefused');
        } else {
          await held;
          await route.fallback();
        }
      });
    },
  });
  let number = 0;
  const shoot = async (name: string): Promise<void> => {
    const file = `${String(++number).padStart(2, '0')}-${name}.png`;
    // The page hides the element once it has the result.
    if (await capture.element.isVisible()) await capture.element.scrollIntoViewIfNeeded();
    await capture.screenshot(`test-results/screens/phone-upright-camera/${file}`);
    const overflow = await capture.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `${name} is not wider than the page`).toBe(0);
  };

  await shoot('start');
  await capture.press('start');
  await capture.waitForStep('selfie', 'opening');
  await shoot('opening');
  await capture.waitForHint('too-dark');
  await shoot('selfie-too-dark');
  await capture.show({ selfie: faceScene(person(1)), ktp: { layers: [], background: '#6f5a45' } });
  await capture.waitForHint('hold-still');
  await shoot('selfie-hold-still');
  await capture.waitForStep('selfie', 'review');
  await shoot('selfie-review');
  await capture.press('use');
  await capture.waitForHint('no-card');
  await shoot('ktp-no-card');
  await capture.show({ ktp: CARD_SCENE });
  await capture.waitForStep('ktp', 'review');
  await shoot('ktp-review');
  await capture.press('use');
  await capture.waitForState('failed');
  await shoot('failed');
  denied = false;
  await capture.press('retry');
  await capture.waitForState('sending');
  await shoot('sending');
  release();
  await capture.waitForState('done');
  await shoot('done');

  const again = await open('/?provider=identifai&mode=relay', PHONE);
  await again.press('start');
  await again.press('cancel');
  await again.waitForState('cancelled');
  await again.screenshot(`test-results/screens/phone-upright-camera/cancelled.png`);
});

/** The kiosk leaves the widget's own last screen in view. */
for (const [name, { answer, verified, viewport }] of Object.entries({
  verified: { answer: 'verified', verified: true, viewport: { width: 1280, height: 800 } },
  'not-verified': { answer: 'NOTLIVE', verified: false, viewport: { width: 390, height: 844 } },
})) {
  test(`screens: ${name} in the kiosk`, async ({ open }) => {
    const capture = await open(`/kiosk/?ref=${answer}${Date.now()}`, {
      ...EVENING_CAMERA,
      viewport,
      scenes: { selfie: faceScene(person(2)), ktp: CARD_SCENE },
    });
    expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified } });
    await capture.screenshot(`test-results/screens/kiosk/${name}.png`);
  });
}
