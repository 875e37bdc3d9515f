import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Received } from '../../src/server/index.ts';
import type { CapturePage } from '../../src/playwright/index.ts';
import { hostFolder, type StaticHost } from './static-host.ts';
import { expect, expectFailure, goodScenes, PHONE, SMALL, test as base } from './support.ts';

/** The built demo on a host that knows files and nothing else, somewhere below its root. */
const FOLDER = fileURLToPath(new URL('../../dist-demo', import.meta.url));
const UNDER = '/some/where/kyc/';

const test = base.extend<{ host: StaticHost }>({
  host: async ({}, use) => {
    const host = await hostFolder(FOLDER, UNDER);
    await use(host);
    await host.close();
  },
});

/** Nothing was asked of anybody but files of the host, and each was there. */
async function expectNothingSent(capture: CapturePage, host: StaticHost): Promise<void> {
  const asked = (await capture.exchanges())
    .map(({ url }) => url)
    .filter((url) => /^(https?|wss?):/.test(url));
  expect(asked.filter((url) => !url.startsWith(host.url))).toEqual([]);
  expect(host.asked.filter((line) => !line.startsWith(`GET ${UNDER}`) || !line.endsWith(' 200'))).toEqual([]);
  expect(host.asked, 'the models come from the host').toContain(`GET ${UNDER}kyc/assets/face.task.gz 200`);
}

test('a first visit leads to a result, and nothing is sent to the host', async ({ open, host }) => {
  const capture = await open(`${host.url}?provider=identifai&mode=direct`, {
    ...PHONE,
    scenes: goodScenes(),
  });
  await expect(capture.button('start')).toBeVisible();
  await capture.screenshot('test-results/screens/hosted/start.png');
  const outcome = await capture.run();
  expect(outcome).toMatchObject({ ended: 'done', result: { provider: 'identifai', verified: true } });
  await capture.screenshot('test-results/screens/hosted/end.png');

  const reference = String((await capture.waitForEvent('kyc-complete')).detail['refNumber']);
  const received = await capture.page.evaluate(
    async (path) => (await fetch(path)).json() as Promise<{ requests: Received[] }>,
    `sandbox/received/${reference}`,
  );
  expect(received.requests, 'one submission, sent once').toHaveLength(1);
  expect(received.requests[0]?.images.toSorted((a, b) => a.bytes - b.bytes)).toMatchObject(
    outcome.photos
      .map(({ width, height, jpeg }) => ({ width, height, bytes: jpeg.length, decoded: true }))
      .toSorted((a, b) => a.bytes - b.bytes),
  );
  const phases = (await capture.events('kyc-progress')).map(({ detail }) => detail['phase']);
  expect([...new Set(phases)]).toEqual(['loading', 'token', 'uploading', 'waiting']);
  await expectNothingSent(capture, host);
  expect(capture.console).toEqual([]);
});

test('a refusal is told, and a retry goes through', async ({ open, host }) => {
  const capture = await open(`${host.url}?provider=eendigo&answer=COVERED`, {
    ...SMALL,
    scenes: goodScenes(),
  });
  expect(await capture.run()).toMatchObject({
    ended: 'failed',
    code: 'selfie-refused',
    guidance: ['face-covered'],
  });
  await capture.element.evaluate((element) => element.setAttribute('ref-number', 'NOTLIVE000001'));
  await capture.press('retry');
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: false } });
  await expectNothingSent(capture, host);
});

test('a reload in mid-journey, a later visit and a reload by force find the sandbox again', async ({
  open,
  host,
}) => {
  const capture = await open(`${host.url}?provider=eendigo`, {
    ...SMALL,
    scenes: goodScenes(),
    prepare: async (page) => {
      await page.addInitScript(() => {
        if (location.protocol !== 'http:') return;
        document.addEventListener('readystatechange', () => {
          document.documentElement.dataset['controlled'] ??= String(
            navigator.serviceWorker.controller !== null,
          );
        });
      });
    },
  });
  /** The person may start, and the page had a worker from its beginning, or had not. */
  const expectReady = async (controlled: boolean): Promise<void> => {
    await expect(capture.button('start')).toBeVisible();
    await expect(capture.page.locator('html')).toHaveAttribute('data-controlled', String(controlled));
  };
  await expectReady(false);
  await capture.press('start');
  await capture.waitForStep('selfie', 'review');
  await capture.page.reload();
  await expectReady(true);
  await capture.page.goto('about:blank');
  await capture.page.goto(`${host.url}?provider=eendigo`);
  await expectReady(true);
  const devTools = await capture.context.newCDPSession(capture.page);
  const loaded = capture.page.waitForEvent('load');
  await devTools.send('Page.reload', { ignoreCache: true });
  await loaded;
  await expectReady(false);
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });
  await expectNothingSent(capture, host);
  expect(capture.console).toEqual([]);
});

test('a sandbox that the browser ends in mid-journey: told, and the same photos go through again', async ({
  open,
  host,
}) => {
  const capture = await open(`${host.url}?provider=identifai&answer=SLOW`, {
    ...SMALL,
    scenes: goodScenes(),
  });
  const devTools = await capture.context.newCDPSession(capture.page);
  await devTools.send('ServiceWorker.enable');
  await capture.press('start');
  for (const step of ['selfie', 'ktp'] as const) {
    await capture.waitForStep(step, 'review');
    // Between two requests: what was said to the widget is known to no worker any more.
    if (step === 'ktp') await devTools.send('ServiceWorker.stopAllWorkers');
    await capture.press('use');
  }
  await expect
    .poll(async () => (await capture.events('kyc-progress')).at(-1)?.detail, {
      timeout: 30_000,
      intervals: [100],
    })
    .toMatchObject({ phase: 'waiting', fraction: 0.1 });
  await devTools.send('ServiceWorker.stopAllWorkers');
  await expectFailure(capture, 'upload-refused');
  await capture.press('retry');
  expect((await capture.result()).verified).toBe(true);
  expect(await capture.events('kyc-capture'), 'no photo was taken twice').toHaveLength(2);
});

test('a sandbox that is removed in mid-journey: told, and the retry brings it back', async ({
  open,
  host,
}) => {
  const capture = await open(`${host.url}?provider=eendigo`, { ...SMALL, scenes: goodScenes() });
  await capture.press('start');
  await capture.waitForStep('selfie', 'review');
  await capture.press('use');
  await capture.waitForStep('ktp', 'review');
  const devTools = await capture.context.newCDPSession(capture.page);
  await devTools.send('Storage.clearDataForOrigin', {
    origin: new URL(host.url).origin,
    storageTypes: 'service_workers',
  });
  await capture.press('use');
  await expectFailure(capture, 'token-failed');
  await capture.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await capture.press('retry');
  expect((await capture.result()).verified).toBe(true);
});

test('the kiosk page works there too', async ({ open, host }) => {
  const capture = await open(`${host.url}kiosk/?provider=eendigo`, { ...SMALL, scenes: goodScenes() });
  await capture.waitForState('review');
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { verified: true } });
  await expectNothingSent(capture, host);
});

test('where there are no service workers, one sentence says so, and nobody can start', async ({
  open,
  host,
}) => {
  const insecure = await open(`http://insecure.test:${host.port}${UNDER}`);
  await expect(insecure.page.locator('#preparing')).toBeVisible();
  await expect(insecure.page.locator('#preparing')).toHaveText(/service worker.+https:\/\//);
  await expect(insecure.button('start')).toBeHidden();
  await insecure.screenshot('test-results/screens/hosted/no-service-worker.png');

  const file = await open(pathToFileURL(`${FOLDER}/index.html`).href);
  await expect(file.page.locator('#preparing')).toBeInViewport();
  await expect(file.page.locator('#preparing')).toHaveText(/https:\/\//);
  await expect(file.button('start')).toBeHidden();
  await file.screenshot('test-results/screens/hosted/opened-as-file.png');
});

test('with a server behind it, the page leaves the answers to the server', async ({ open }) => {
  const capture = await open('/');
  await expect(capture.button('start')).toBeVisible();
  await expect(capture.page.locator('.notice')).toHaveText(/server uji/);
  expect(
    await capture.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length),
  ).toBe(0);
});
