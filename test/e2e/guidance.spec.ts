import { sharedPhoto, studioFace } from '../../demo/people.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import type { CapturePage, Layer, Scene } from '../../src/playwright/index.ts';
import { expect, person, SMALL, test } from './support.ts';

/** How long nothing may be photographed, ms. The manual shutter comes later. */
const WATCHED_MS = 10_000;
/** How often a canvas may be read in that time; once a second it would be nine or ten times. */
const MOST_READINGS = 3;

const { face } = person(0);

/** A cloth drawn over mouth and nose; shares of the guide, like the face's own place. */
const DRAWN_MASK: Layer = {
  source: {
    bytes: Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="190" viewBox="0 0 300 190"><path d="M10 30 Q150 -12 290 30 L272 120 Q150 214 28 120 Z" fill="#6fb3d8"/><path d="M18 60 Q150 36 282 60 M22 92 Q150 76 278 92" stroke="#548fb0" stroke-width="5" fill="none"/></svg>',
    ),
    type: 'image/svg+xml',
  },
  fills: 0.5,
  y: 0.58,
};

function masked(): Scene {
  const photo = sharedPhoto('mask/synth_surgical_blue_002.jpg');
  return { layers: photo ? [studioFace(photo)] : [face, DRAWN_MASK] };
}

const SCENES: readonly { readonly what: string; readonly scene: Scene; readonly hint: GuidanceCode }[] = [
  { what: 'a mask over mouth and nose', scene: masked(), hint: 'face-covered' },
  { what: 'a dark room', scene: { layers: [face], brightness: 0.16 }, hint: 'too-dark' },
  {
    what: 'a second face beside the first',
    scene: { layers: [face, { ...person(1).face, fills: 0.45, x: -0.3, y: 0.4 }] },
    hint: 'multiple-faces',
  },
];

/** Counts how often the page, not its worker, reads the pixels of a canvas. */
function countReadings(): void {
  const { prototype } = CanvasRenderingContext2D;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the context it is asked of
  const { getImageData } = prototype;
  let readings = 0;
  prototype.getImageData = function (...area: Parameters<typeof getImageData>) {
    readings++;
    return getImageData.apply(this, area);
  };
  Object.assign(window, { readings: () => readings });
}

const readingsOf = ({ page }: CapturePage): Promise<number> =>
  page.evaluate(() => (window as unknown as { readings(): number }).readings());

for (const { what, scene, hint } of SCENES) {
  test(`${what}: no photo is taken, and the person is told why`, async ({ open }) => {
    const capture = await open('/?provider=identifai&mode=relay', {
      ...SMALL,
      scenes: { selfie: scene },
      prepare: async (page) => {
        await page.addInitScript(countReadings);
      },
    });
    await capture.press('start');
    await capture.waitForStep('selfie', 'live');
    const end = Date.now() + WATCHED_MS;
    await capture.waitForHint(hint, WATCHED_MS);
    expect(await capture.hintText()).not.toBe('');
    const readings = await readingsOf(capture);
    await capture.page.waitForTimeout(Math.max(0, end - Date.now()));
    // Whether the camera is black is known of what is seen; a slow phone would stop for it once a second. On a busy
    // machine, or in the dark, a second may pass in which no face is seen.
    expect((await readingsOf(capture)) - readings).toBeLessThanOrEqual(MOST_READINGS);
    expect(await capture.events('kyc-capture')).toEqual([]);
    expect(await capture.state()).toBe('live');
    const feedback = (await capture.events('kyc-feedback')).filter(({ detail }) => detail['code'] === hint);
    expect(feedback[0]?.detail).toMatchObject({
      step: 'selfie',
      value: expect.any(Number),
      threshold: expect.any(Number),
      unit: expect.any(String),
    });
  });
}

test('the hint follows what the person does, and the photo comes once nothing is wrong', async ({ open }) => {
  const capture = await open('/?provider=identifai&mode=relay', {
    ...SMALL,
    scenes: { layers: [], background: '#8a8a86' },
  });
  await capture.press('start');
  await capture.waitForHint('no-face');
  await capture.show({ layers: [{ ...face, zoom: 0.4 }], background: '#8a8a86' });
  await capture.waitForHint('face-too-far');
  await capture.show(masked());
  await capture.waitForHint('face-covered');
  expect(await capture.events('kyc-capture')).toEqual([]);
  await capture.show({ layers: [face] });
  await capture.waitForStep('selfie', 'review');
  expect(await capture.events('kyc-capture')).toHaveLength(1);
});
