import { expect, goodScenes, SMALL, barePage, test } from './support.ts';

/** What is fetched when: nobody pays for what they do not use, and nobody waits for what could be there. */

const ATTRIBUTES = { provider: 'identifai', 'token-endpoint': '/kyc/token', persist: 'none' };

/** Notes the assets that a page and its workers ask for. */
function noteAssets(): { asked: string[]; prepare: NonNullable<Parameters<typeof barePage>[2]> } {
  const asked: string[] = [];
  return {
    asked,
    prepare: (page) => {
      page.on('request', (request) => {
        const [, name] = /\/assets\/([^/?]+)$/.exec(request.url()) ?? [];
        if (name !== undefined) asked.push(name);
      });
      return Promise.resolve();
    },
  };
}

const FIRST = ['worker.js', 'vision_wasm_slim.wasm.gz', 'face_detector.tflite.gz'];

test('with preload the analysis is there before anybody starts, and is not started again', async ({
  open,
}) => {
  const { asked, prepare } = noteAssets();
  const attributes = { ...ATTRIBUTES, steps: 'selfie', preload: '' };
  const capture = await open('/bare', {
    ...SMALL,
    scenes: goodScenes(),
    ...barePage(attributes, {}, prepare),
  });
  // The landmarks as well, once there is nothing else to do.
  await expect.poll(() => asked).toEqual(expect.arrayContaining([...FIRST, 'face.task.gz']));
  expect(await capture.state()).toBe('start');
  expect(await capture.liveTracks()).toBe(0);
  expect(capture.workers()).toBe(1);
  await capture.press('start');
  await capture.waitForState('review');
  expect(capture.workers()).toBe(1);
  expect(asked.filter((name) => name === 'vision_wasm_slim.wasm.gz')).toHaveLength(1);
});

test('in a kiosk the analysis is there for the next person as well', async ({ open }) => {
  const attributes = { ...ATTRIBUTES, steps: 'ktp', analytics: 'ocr-ktp', preload: '', kiosk: '' };
  const capture = await open('/bare', { ...SMALL, scenes: goodScenes(), ...barePage(attributes) });
  await capture.run();
  expect(await capture.state()).toBe('done');
  await expect.poll(() => capture.workers()).toBe(1);
  expect(await capture.liveTracks()).toBe(0);
  expect(await capture.remove()).toEqual({ tracks: 0, workers: 0 });
});

test('whoever saves data has nothing preloaded, nor has a page that does not ask for it', async ({
  open,
}) => {
  for (const preload of [true, false]) {
    const { asked, prepare } = noteAssets();
    const attributes = {
      ...ATTRIBUTES,
      steps: 'ktp',
      analytics: 'ocr-ktp',
      ...(preload ? { preload: '' } : {}),
    };
    const capture = await open('/bare', {
      ...SMALL,
      scenes: goodScenes(),
      ...barePage(attributes, {}, async (page, context) => {
        await prepare(page, context);
        if (preload)
          await page.addInitScript(() =>
            Object.defineProperty(navigator, 'connection', { value: { saveData: true } }),
          );
      }),
    });
    await capture.waitForState('start');
    await capture.page.waitForTimeout(500);
    expect(asked).toEqual([]);
    await capture.press('start');
    await capture.waitForState('review');
    // Neither the landmarks nor the person's mask are for cards.
    expect(new Set(asked)).toEqual(new Set(FIRST));
  }
});

test('what is preloaded in vain is told once the person starts', async ({ open }) => {
  const attributes = { ...ATTRIBUTES, steps: 'selfie', preload: '', fallback: 'worker' };
  const capture = await open('/bare', {
    ...SMALL,
    scenes: goodScenes(),
    ...barePage(attributes, {}, (page) =>
      page.route('**/worker.js', (route) => route.fulfill({ status: 404 })).then(() => undefined),
    ),
  });
  await capture.page.waitForTimeout(500);
  expect(await capture.state()).toBe('start');
  expect(await capture.events('kyc-error')).toEqual([]);
  await capture.press('start');
  await capture.waitForState('failed');
  expect((await capture.events('kyc-error')).map(({ detail }) => detail['code'])).toEqual(['assets-failed']);
});
