import { chromium } from '@playwright/test';
import { PHOTO_LIMITS, withinLimits } from '../../src/domain/limits.ts';
import { STEPS, type ProviderId } from '../../src/domain/result.ts';
import type { SubmitDetail } from '../../src/index.ts';
import { launchCapture, type CapturePage, type TakenPhoto } from '../../src/playwright/index.ts';
import { ORIGIN } from './server.ts';
import { barePage, expect, goodScenes, PHONE, SMALL, test } from './support.ts';

for (const [index, { mode, setting, options }] of [
  { mode: 'direct', setting: 'device', options: {} },
  { mode: 'relay', setting: 'phone, upright camera', options: PHONE },
].entries()) {
  test(`identifai ${mode}, ${setting}: from start to result without a touch on the shutter`, async ({
    open,
  }) => {
    const capture = await open(`/?provider=identifai&mode=${mode}`, {
      ...options,
      scenes: goodScenes(index),
    });
    const outcome = await capture.run();
    expect(outcome).toMatchObject({ ended: 'done', result: { provider: 'identifai', verified: true } });

    expect(outcome.photos.map((photo) => photo.step)).toEqual(['selfie', 'ktp']);
    expectWithin('identifai', outcome.photos);
    const reference = String((await capture.waitForEvent('kyc-complete')).detail['refNumber']);
    const received: unknown = await (await fetch(`${ORIGIN}/sandbox/received/${reference}`)).json();
    const arrived = (received as { requests: { images: { bytes: number }[] }[] }).requests;
    expect(arrived, 'one submission, sent once').toHaveLength(1);
    expect(arrived[0]?.images.toSorted((a, b) => a.bytes - b.bytes)).toMatchObject(
      outcome.photos
        .map(({ width, height, jpeg }) => ({ width, height, bytes: jpeg.length, decoded: true }))
        .toSorted((a, b) => a.bytes - b.bytes),
    );

    await expectPrivate(capture);
    expect(capture.console).toEqual([]);
    expect(await capture.remove()).toEqual({ tracks: 0, workers: 0 });
    console.log(
      `  ${Math.round(outcome.milliseconds / 100) / 10} s in all; photos after ${JSON.stringify(outcome.photoMilliseconds)} ms;`,
      outcome.photos
        .map(({ step, width, height, jpeg }) => `${step} ${width}x${height} ${jpeg.length} B`)
        .join(', '),
    );
  });
}

for (const mode of ['relay', 'direct'] as const) {
  test(`${mode}: a verification and the card's fields come of one capture`, async ({ open }) => {
    const analytics = 'face-match-liveness-v2,ocr-ktp';
    const capture = await open(`/?provider=identifai&mode=${mode}&analytics=${analytics}`, {
      ...SMALL,
      scenes: goodScenes(),
    });
    expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });
    const { detail } = await capture.waitForEvent('kyc-complete');
    expect(detail).toMatchObject({ document: { type: 'ktp', fields: { nik: '3171011501900001' } } });
    await expect(capture.page.locator('#result')).toContainText('3171011501900001');
    const received: unknown = await (
      await fetch(`${ORIGIN}/sandbox/received/${String(detail['refNumber'])}x2`)
    ).json();
    expect(received).toMatchObject({ requests: [{ analytic: 'ocr-ktp' }] });
    expect(capture.console).toEqual([]);
  });
}

test('without any camera: the sample camera of the demo leads to a result', async () => {
  const browser = await launchCapture({ chromium, camera: 'none' });
  const capture = await browser.open(`${ORIGIN}/?provider=eendigo&camera=sample`, {
    viewport: { width: 390, height: 844 },
  });
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });
  await expect(capture.page.locator('#result')).toBeVisible();
  expect(capture.console).toEqual([]);
  expect(await capture.remove()).toEqual({ tracks: 0, workers: 0 });
  await browser.close();
});

test('a page that prevents kyc-submit keeps the photo, and nothing is sent', async ({ open }) => {
  const bare = barePage({ provider: 'identifai', 'token-endpoint': '/kyc/token', steps: 'selfie' });
  const capture = await open('/bare', {
    ...SMALL,
    scenes: goodScenes(),
    prepare: async (page, context) => {
      await bare.prepare(page, context);
      await page.addInitScript(() => {
        document.addEventListener('kyc-submit', (event) => event.preventDefault());
      });
    },
  });
  await capture.press('start');
  await capture.waitForState('review');
  await capture.press('use');
  await capture.waitForEvent('kyc-submit');
  await capture.waitForState('review');
  expect((await capture.photos()).map(({ step }) => step)).toEqual(['selfie']);
  expect((await capture.exchanges()).filter(({ url }) => url.includes('/kyc/token'))).toEqual([]);
});

test('further cards: the page gets all four photos, the provider its two', async ({ open }) => {
  // Twice as many photos as in the other journeys.
  test.slow();
  const capture = await open('/?provider=eendigo&steps=selfie,ktp,sim,npwp', {
    ...PHONE,
    scenes: goodScenes(),
    prepare: async (page) => {
      await page.addInitScript(() => {
        document.addEventListener('kyc-submit', (event) => {
          const { photos } = (event as CustomEvent<SubmitDetail>).detail;
          const told = [...photos].map(([step, { size }]) => `${step} ${size}`);
          document.documentElement.dataset['submitted'] = told.join();
        });
      });
    },
  });
  const outcome = await capture.run(240_000);
  expect(outcome).toMatchObject({ ended: 'done', result: { provider: 'eendigo', verified: true } });

  expect(outcome.photos.map(({ step }) => step)).toEqual(STEPS);
  expectWithin('eendigo', outcome.photos);
  await expect(capture.page.locator('html')).toHaveAttribute(
    'data-submitted',
    outcome.photos.map(({ step, jpeg }) => `${step} ${jpeg.length}`).join(),
  );
  const uploads = (await capture.bodies()).filter(({ url }) => url.endsWith('/kyc/submissions'));
  expect(uploads.map(({ parts }) => parts.map(({ name }) => name))).toEqual([
    ['selfie', 'ktp', 'refNumber', 'captureContext'],
  ]);
  await expect(capture.page.locator('#result figure')).toHaveCount(4);
  await expectPrivate(capture);
  expect(capture.console).toEqual([]);
});

/** The photos are as the provider takes them, and tell nothing but the picture. */
function expectWithin(provider: ProviderId, photos: readonly TakenPhoto[]): void {
  for (const photo of photos) {
    const limits = PHOTO_LIMITS[provider][photo.step];
    expect(withinLimits(photo, limits), `${photo.step} is ${photo.width}x${photo.height}`).toBe(true);
    expect(photo.jpeg.length).toBeLessThanOrEqual(limits.maxBytes);
    expect(markers(photo.jpeg), `${photo.step} carries no EXIF`).not.toContain(0xe1);
  }
}

/** Every request went to the page's own origin. What is in them is looked through in secrets.spec.ts. */
async function expectPrivate(capture: CapturePage): Promise<void> {
  const urls = (await capture.exchanges()).map(({ url }) => url).filter((url) => /^(https?|wss?):/.test(url));
  expect(urls.filter((url) => new URL(url).origin !== ORIGIN)).toEqual([]);
  expect(urls.filter((url) => url.includes('/kyc/token'))).not.toEqual([]);
}

/** Marker bytes of a JPEG's segments up to the picture itself. */
function markers(jpeg: Buffer): number[] {
  const found: number[] = [];
  for (let at = 2; at + 3 < jpeg.length && jpeg[at] === 0xff; at += 2 + jpeg.readUInt16BE(at + 2)) {
    const marker = jpeg.readUInt8(at + 1);
    found.push(marker);
    if (marker === 0xda) break;
  }
  return found;
}
