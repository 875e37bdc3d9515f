import { chromium } from '@playwright/test';
import { specimenSvg } from '../../demo/specimen.ts';
import { launchCapture, type CapturePage, type OpenOptions, type Scene } from '../../src/playwright/index.ts';
import { ORIGIN } from './server.ts';
import { barePage, expect, expectFailure, goodScenes, SMALL, test } from './support.ts';

/** What gives way under camera and analysis, row by row as in the README's table of faults. */

const CARD = { provider: 'identifai', 'token-endpoint': '/kyc/token', steps: 'ktp', analytics: 'ocr-ktp' };
const SELFIE = { ...CARD, steps: 'selfie', analytics: 'face-liveness-v4' };

/** Nobody stands before the camera, so that it stays open. */
const NOBODY: Scene = { layers: [], background: '#9a958c' };

/** A page with one step, whose camera can be troubled. */
function onePhoto(
  attributes: Readonly<Record<string, string>>,
  options: OpenOptions = {},
  headers: Readonly<Record<string, string>> = {},
): OpenOptions {
  return {
    ...SMALL,
    scenes: goodScenes(),
    ...options,
    ...barePage(attributes, headers, options.prepare),
  };
}

const details = async (capture: CapturePage, type: string): Promise<Readonly<Record<string, unknown>>[]> =>
  (await capture.events(type)).map(({ detail }) => detail);

/** Every rung that the page was told of, with the reason. */
const rungs = async (capture: CapturePage): Promise<unknown[]> =>
  (await details(capture, 'kyc-rung')).map(({ rung, because }) => [rung, because]);

/** The trouble that the page was told of last. */
const expectTrouble = (capture: CapturePage, trouble: string | null): Promise<void> =>
  expect
    .poll(async () => (await details(capture, 'kyc-trouble')).at(-1), { timeout: 15_000 })
    .toEqual({ trouble });

test.describe('the camera', () => {
  for (const trouble of ['muted', 'frozen', 'black'] as const) {
    const ends = trouble === 'black' ? 'camera-black' : 'camera-lost';
    test(`camera ${trouble}: told at once, over when it ends, ${ends} when it does not`, async ({ open }) => {
      const capture = await open('/bare', onePhoto(SELFIE, { scenes: NOBODY }));
      await capture.press('start');
      await capture.waitForHint('no-face');
      await capture.troubleCamera(trouble);
      await expectTrouble(capture, trouble);
      await expect(capture.element.locator('[part="hint"]')).toHaveText(/\S+ \S+/);
      await capture.troubleCamera(null);
      await expectTrouble(capture, null);
      expect(await capture.state()).toBe('live');
      await capture.troubleCamera(trouble);
      await capture.waitForState('failed', 45_000);
      await expectFailure(capture, ends);
      expect(await details(capture, 'kyc-error')).toHaveLength(1);
    });
  }

  test('page hidden and shown: the camera is off meanwhile, and the journey goes on', async ({ open }) => {
    const capture = await open('/bare', onePhoto(CARD, { scenes: NOBODY }));
    await capture.press('start');
    await capture.waitForStep('ktp', 'live');
    await capture.hide(true);
    await capture.waitForStep('ktp', 'opening');
    expect(await capture.liveTracks()).toBe(0);
    await capture.hide(false);
    await capture.waitForStep('ktp', 'live');
    await capture.show(goodScenes());
    expect(await capture.run()).toMatchObject({ ended: 'done' });
  });

  test('phone turned: guide and photo follow the picture', async ({ open }) => {
    const capture = await open('/bare', onePhoto(CARD, { scenes: NOBODY }));
    await capture.press('start');
    await capture.waitForStep('ktp', 'live');
    await capture.turnCamera({ width: 720, height: 1280 });
    await capture.show(goodScenes());
    expect(await capture.run()).toMatchObject({ ended: 'done', photos: [{ step: 'ktp' }] });
  });

  test('camera forbidden by the page around: camera-blocked', async ({ open }) => {
    const headers = { 'permissions-policy': 'camera=()' };
    const capture = await open('/bare', onePhoto(SELFIE, { camera: 'device' }, headers));
    await capture.press('start');
    await expectFailure(capture, 'camera-blocked');
  });

  test('camera refused inside an app: in-app-browser, with the way out', async ({ open }) => {
    const capture = await open(
      '/bare',
      onePhoto(SELFIE, {
        camera: 'NotAllowedError',
        prepare: async (page) => {
          await page.addInitScript(() => {
            Object.defineProperty(navigator, 'userAgent', {
              value:
                'Mozilla/5.0 (Linux; Android 13; SM-A145F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 Instagram 340.0.0.22.109 Android',
            });
          });
        },
      }),
    );
    await capture.press('start');
    await expectFailure(capture, 'in-app-browser');
    await expect(capture.element.locator('[part="advice"]')).toHaveText(/\S+ \S+/);
  });
});

test.describe('the analysis', () => {
  test('no canvas in workers: the same guidance on the main thread', async ({ open }) => {
    const capture = await open(
      '/bare',
      onePhoto(SELFIE, {
        prepare: async (page) => {
          await page.addInitScript(() => {
            Reflect.deleteProperty(window, 'OffscreenCanvas');
          });
        },
      }),
    );
    const outcome = await capture.run();
    expect(outcome).toMatchObject({ ended: 'done', photos: [{ step: 'selfie' }] });
    expect(await rungs(capture)).toEqual([['main-thread', 'analysis-failed']]);
    expect((await details(capture, 'kyc-capture')).at(-1)).toMatchObject({ rung: 'main-thread', issues: [] });
    expect(capture.workers()).toBe(0);
  });

  for (const [fault, disturb] of [
    [
      'crashes',
      () =>
        setTimeout(() => {
          throw new Error('SPECIMEN');
        }, 0),
    ],
    [
      'hangs',
      () =>
        setTimeout(() => {
          for (;;);
        }, 0),
    ],
  ] as const) {
    test(`worker ${fault} in mid-session: the next rung takes over, and the journey goes on`, async ({
      open,
    }) => {
      const capture = await open('/bare', onePhoto(SELFIE, { scenes: NOBODY }));
      await capture.press('start');
      await capture.waitForHint('no-face');
      await capture.page.workers()[0]?.evaluate(disturb);
      await expect
        .poll(() => rungs(capture), { timeout: 30_000 })
        .toEqual([['main-thread', 'analysis-failed']]);
      await capture.show(goodScenes());
      expect(await capture.run()).toMatchObject({ ended: 'done' });
    });
  }

  for (const [fault, body] of [
    ['are missing', null],
    ['are not those of this build', 'tampered'],
  ] as const) {
    test(`models ${fault}: a photo by hand`, async ({ open }) => {
      const capture = await open(
        '/bare',
        onePhoto(CARD, {
          prepare: async (page) => {
            await page.route('**/assets/face_detector.tflite*', (route) =>
              body === null ? route.fulfill({ status: 404 }) : route.fulfill({ status: 200, body }),
            );
          },
        }),
      );
      await capture.press('start');
      await capture.press('shutter');
      await capture.waitForState('review');
      expect(await rungs(capture)).toEqual([['manual', 'assets-failed']]);
      expect((await details(capture, 'kyc-capture')).at(-1)).toMatchObject({ rung: 'manual' });
      expect(await capture.run()).toMatchObject({ ended: 'done' });
    });
  }
});

test('no camera: a file instead, judged by the same rules, leads to a result', async () => {
  const browser = await launchCapture({ chromium, camera: 'none' });
  const capture = await browser.open(`${ORIGIN}/bare`, barePage(CARD));
  await capture.press('start');
  await expectFailure(capture, 'camera-missing');
  await capture.press('choose');
  await capture.waitForStep('ktp', 'choosing');
  const text = { name: 'SPECIMEN.heic', mimeType: 'image/heic', buffer: Buffer.from('none') };
  // What reads files is a part of its own.
  await capture.page.route('**/kyc-capture-upload.js*', (route) => route.abort());
  await capture.chooseFile(text);
  await expectFailure(capture, 'assets-failed');
  await capture.page.unrouteAll();
  await capture.press('choose');
  await capture.chooseFile(text);
  await expectFailure(capture, 'photo-unreadable');
  await capture.press('choose');
  await capture.chooseFile({
    name: 'SPECIMEN.jpg',
    mimeType: 'image/jpeg',
    buffer: await cardPicture(capture),
  });
  await capture.waitForStep('ktp', 'review');
  expect((await details(capture, 'kyc-capture')).at(-1)).toMatchObject({ rung: 'upload', issues: [] });
  expect(await capture.run()).toMatchObject({ ended: 'done' });
  await browser.close();
});

/** The specimen on a table, as a camera app makes it. */
async function cardPicture(capture: CapturePage): Promise<Buffer> {
  const picture = await capture.page.evaluate(async (svg) => {
    const card = new Image();
    card.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    await card.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [2000, 1500];
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = '#7b5b40';
    context.fillRect(0, 0, 2000, 1500);
    context.drawImage(card, 300, 310, 1400, 883);
    return canvas.toDataURL('image/jpeg', 0.9);
  }, specimenSvg());
  return Buffer.from(picture.split(',')[1] ?? '', 'base64');
}
