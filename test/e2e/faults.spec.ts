import { chromium } from '@playwright/test';
import { launchCapture, type OpenOptions } from '../../src/playwright/index.ts';
import { ORIGIN, PORT } from './server.ts';
import { barePage, expect, expectFailure, goodScenes, SMALL, test } from './support.ts';

const DEMO = '/?provider=identifai&mode=relay';

const CAMERA_FAULTS: readonly {
  readonly what: string;
  readonly code: string;
  readonly options: OpenOptions;
}[] = [
  { what: 'refused', code: 'camera-denied', options: { permission: false } },
  { what: 'busy', code: 'camera-busy', options: { camera: 'NotReadableError' } },
  { what: 'too small', code: 'camera-too-small', options: { frame: { width: 320, height: 240 } } },
];

for (const { what, code, options } of CAMERA_FAULTS) {
  test(`camera ${what}: ${code}, and it works once the cause is gone`, async ({ open }) => {
    const capture = await open(DEMO, { scenes: goodScenes(), ...options });
    await capture.press('start');
    await expectFailure(capture, code);
    expect(await capture.events('kyc-error')).toHaveLength(1);

    await capture.context.grantPermissions(['camera']);
    capture.setCamera('device', { width: 1280, height: 720 });
    await capture.press('retry');
    await capture.waitForStep('selfie', 'live');
  });
}

test('no camera: camera-missing', async () => {
  const browser = await launchCapture({ chromium, camera: 'none' });
  const capture = await browser.open(ORIGIN + DEMO);
  await capture.press('start');
  await expectFailure(capture, 'camera-missing');
  expect(await capture.events('kyc-error')).toHaveLength(1);
  await browser.close();
});

test('camera lost in mid-session: camera-lost, and the selfie is kept', async ({ open }) => {
  const capture = await open(DEMO, { scenes: { selfie: goodScenes().selfie } });
  await capture.press('start');
  await capture.waitForState('review');
  await capture.press('use');
  await capture.waitForStep('ktp', 'live');
  await capture.loseCamera();
  await expectFailure(capture, 'camera-lost');
  expect(await capture.events('kyc-error')).toHaveLength(1);
  await capture.show(goodScenes());
  await capture.press('retry');
  await capture.waitForStep('ktp', 'review');
  expect((await capture.events('kyc-capture')).map(({ detail }) => detail['step'])).toEqual([
    'selfie',
    'ktp',
  ]);
});

test('page without https: insecure-page', async ({ open }) => {
  const capture = await open(`http://insecure.test:${PORT}${DEMO}`);
  await capture.press('start');
  await expectFailure(capture, 'insecure-page');
  expect(await capture.events('kyc-error')).toHaveLength(1);
});

const GOOD_ATTRIBUTES = { provider: 'identifai', 'token-endpoint': '/kyc/token' };
const ATTRIBUTES: readonly { readonly what: string; readonly attributes: Record<string, string> }[] = [
  { what: 'no provider', attributes: { 'token-endpoint': '/kyc/token' } },
  { what: 'an unknown provider', attributes: { ...GOOD_ATTRIBUTES, provider: 'nobody' } },
  { what: 'no token endpoint', attributes: { provider: 'eendigo' } },
  {
    what: 'a token endpoint that is no URL',
    attributes: { ...GOOD_ATTRIBUTES, 'token-endpoint': 'https://' },
  },
  { what: 'an unknown step', attributes: { ...GOOD_ATTRIBUTES, steps: 'selfie,passport' } },
  { what: 'a bad reference number', attributes: { ...GOOD_ATTRIBUTES, 'ref-number': 'a b' } },
];

for (const { what, attributes } of ATTRIBUTES) {
  test(`${what}: configuration-invalid`, async ({ open }) => {
    const capture = await open('/bare', barePage(attributes));
    await capture.press('start');
    await expectFailure(capture, 'configuration-invalid');
    expect(await capture.events('kyc-error')).toHaveLength(1);
  });
}

test('models that cannot be loaded, where the page accepts no photo without guidance: assets-failed', async ({
  open,
}) => {
  const capture = await open('/bare', {
    ...barePage({ ...GOOD_ATTRIBUTES, 'assets-base': '/nowhere/', fallback: 'face-box' }),
    scenes: goodScenes(),
  });
  await capture.press('start');
  await expectFailure(capture, 'assets-failed');
});

/** What the token endpoint may do wrong. `null`: nobody answers. */
const TOKEN_FAULTS: readonly {
  readonly what: string;
  readonly code: string;
  readonly answer: { readonly status: number; readonly contentType: string; readonly body: string } | null;
}[] = [
  {
    what: '401',
    code: 'token-refused',
    answer: { status: 401, contentType: 'application/json', body: '{}' },
  },
  { what: '500', code: 'token-failed', answer: { status: 500, contentType: 'text/plain', body: 'down' } },
  {
    what: 'a page',
    code: 'token-invalid',
    answer: { status: 200, contentType: 'text/html', body: '<h1>Login</h1>' },
  },
  {
    what: 'an empty object',
    code: 'token-invalid',
    answer: { status: 200, contentType: 'application/json', body: '{}' },
  },
  { what: 'nothing', code: 'token-failed', answer: null },
];

test('token endpoint answers wrongly: each fault is told, and the photos are kept for the next try', async ({
  open,
}) => {
  let fault = TOKEN_FAULTS[0];
  const capture = await open(DEMO, {
    ...SMALL,
    scenes: goodScenes(),
    prepare: async (page) => {
      await page.route('**/kyc/token', (route) => {
        if (!fault) return route.fallback();
        return fault.answer ? route.fulfill(fault.answer) : route.abort('connectionrefused');
      });
    },
  });
  await capture.run();
  for (const [index, next] of TOKEN_FAULTS.entries()) {
    fault = next;
    if (index > 0) await capture.press('retry');
    await expect.poll(async () => (await capture.events('kyc-error')).length).toBe(index + 1);
    await test.step(next.what, () => expectFailure(capture, next.code));
  }
  fault = undefined;
  await capture.press('retry');
  expect((await capture.result()).verified).toBe(true);
  expect(await capture.events('kyc-capture'), 'no photo was taken twice').toHaveLength(2);
  expect((await capture.events('kyc-error')).map(({ detail }) => detail['code'])).toEqual(
    TOKEN_FAULTS.map(({ code }) => code),
  );
});
