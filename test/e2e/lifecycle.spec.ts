import type { CDPSession } from '@playwright/test';
import type { CapturePage, OpenOptions } from '../../src/playwright/index.ts';
import { barePage, expect, goodScenes, SMALL, test } from './support.ts';

/** An element comes and goes, and nothing of it stays. */

const ATTRIBUTES = {
  provider: 'identifai',
  'token-endpoint': '/kyc/token',
  steps: 'ktp',
  analytics: 'ocr-ktp',
};
const CANVAS: OpenOptions = { ...SMALL, scenes: goodScenes() };

/** What a page owns. */
interface Belongings {
  readonly timers: number;
  readonly urls: number;
  /** On window and document. */
  readonly listeners: number;
  readonly tracks: number;
  readonly workers: number;
}

/** Counts timers and object URLs from before any script of the page runs. */
function keepCount(): void {
  const timers = new Set<unknown>();
  const urls = new Set<string>();
  /* eslint-disable @typescript-eslint/unbound-method */
  const { setTimeout, setInterval, clearTimeout, clearInterval } = window;
  const { createObjectURL, revokeObjectURL } = URL;
  /* eslint-enable @typescript-eslint/unbound-method */
  Object.assign(window, {
    setTimeout: (work: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) => {
      const id = setTimeout(
        (...given: unknown[]) => {
          timers.delete(id);
          work(...given);
        },
        ms,
        ...values,
      );
      timers.add(id);
      return id;
    },
    setInterval: (...parameters: Parameters<typeof setInterval>) => {
      const id = setInterval(...parameters);
      timers.add(id);
      return id;
    },
    clearTimeout: (id: number) => {
      timers.delete(id);
      clearTimeout(id);
    },
    clearInterval: (id: number) => {
      timers.delete(id);
      clearInterval(id);
    },
    belongings: () => ({ timers: timers.size, urls: urls.size }),
  });
  URL.createObjectURL = (object) => {
    const url = createObjectURL(object);
    urls.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    urls.delete(url);
    revokeObjectURL(url);
  };
}

async function listenersOf(devTools: CDPSession, expression: string): Promise<number> {
  const { result } = await devTools.send('Runtime.evaluate', { expression });
  const { listeners } = await devTools.send('DOMDebugger.getEventListeners', {
    objectId: result.objectId ?? '',
  });
  return listeners.length;
}

async function belongingsOf(capture: CapturePage, devTools: CDPSession): Promise<Belongings> {
  const counted = await capture.page.evaluate(() =>
    (window as unknown as { belongings: () => { timers: number; urls: number } }).belongings(),
  );
  return {
    ...counted,
    listeners: (await listenersOf(devTools, 'window')) + (await listenersOf(devTools, 'document')),
    tracks: await capture.liveTracks(),
    workers: capture.workers(),
  };
}

/** Bytes of the JS heap that are still in use after a collection. */
async function heapOf(devTools: CDPSession): Promise<number> {
  await devTools.send('HeapProfiler.collectGarbage');
  return (await devTools.send('Runtime.getHeapUsage')).usedSize;
}

/** How far a mount gets before it is removed, in turn. */
const STAGES = [
  'appended',
  'opening',
  'appended',
  'live',
  'appended',
  'opening',
  'appended',
  'review',
  'appended',
  'appended',
] as const;

/** Puts an element on the page, follows it as far as a stage, and takes it away. */
async function mountOnce(capture: CapturePage, stage: (typeof STAGES)[number]): Promise<void> {
  await capture.page.evaluate((attributes) => {
    const element = document.createElement('kyc-capture');
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.body.append(element);
  }, ATTRIBUTES);
  if (stage !== 'appended') {
    await capture.press('start');
    await capture.waitForState(stage);
  }
  await capture.page.evaluate(() => document.querySelector('kyc-capture')?.remove());
}

const open50: OpenOptions = {
  ...CANVAS,
  ...barePage(ATTRIBUTES, {}, async (page) => {
    await page.addInitScript(keepCount);
  }),
};

test('fifty mounts, removed at every stage: no track, worker, timer, listener, object URL or heap is left', async ({
  open,
}) => {
  test.slow();
  const capture = await open('/bare', open50);
  const devTools = await capture.context.newCDPSession(capture.page);
  await capture.element.evaluate((element) => element.remove());
  const none = { timers: 0, urls: 0, tracks: 0, workers: 0 };

  // What is loaded once and kept for good is there after these.
  for (const stage of STAGES) await mountOnce(capture, stage);
  await expect.poll(() => belongingsOf(capture, devTools), { timeout: 15_000 }).toMatchObject(none);
  const before = await belongingsOf(capture, devTools);
  const heapBefore = await heapOf(devTools);
  for (let mount = 0; mount < 50; mount++) await mountOnce(capture, STAGES[mount % STAGES.length] ?? 'live');
  await expect
    .poll(() => belongingsOf(capture, devTools), { timeout: 15_000 })
    .toEqual({ ...before, ...none });
  const growth = (await heapOf(devTools)) - heapBefore;
  console.log(
    `  heap ${(heapBefore / 1e6).toFixed(2)} MB, after 50 mounts ${(growth / 1e6).toFixed(2)} MB more;`,
    before,
  );
  expect(growth).toBeLessThan(2e6);
});

test('mounted twice, as React does in its strict mode: one journey, and nothing of the first', async ({
  open,
}) => {
  const capture = await open('/bare', open50);
  await capture.page.evaluate(async () => {
    const element = document.querySelector('kyc-capture');
    if (!element) throw new Error('no element');
    // In one task, and over several.
    element.remove();
    document.body.append(element);
    await new Promise((resolve) => setTimeout(resolve, 50));
    element.remove();
    await new Promise((resolve) => setTimeout(resolve, 50));
    document.body.append(element);
  });
  expect(await capture.run()).toMatchObject({ ended: 'done' });
  expect(await capture.events('kyc-complete')).toHaveLength(1);
  expect(await capture.remove()).toEqual({ tracks: 0, workers: 0 });
});

test('two elements on one page: each has a camera, a worker and a result of its own', async ({ open }) => {
  const capture = await open('/bare', open50);
  await capture.page.evaluate((attributes) => {
    const second = document.createElement('kyc-capture');
    for (const [name, value] of Object.entries(attributes)) second.setAttribute(name, value);
    document.body.append(second);
  }, ATTRIBUTES);
  const elements = capture.page.locator('kyc-capture');
  for (const place of [0, 1]) {
    const element = elements.nth(place);
    await element.locator('[data-action="start"]').click();
    await element.locator('[data-action="use"]').click({ timeout: 60_000 });
    await expect(element).toHaveAttribute('state', 'done', { timeout: 60_000 });
  }
  const results = await capture.events('kyc-complete');
  expect(new Set(results.map(({ detail }) => detail['refNumber'])).size).toBe(2);
  await capture.page.evaluate(() => {
    for (const element of document.querySelectorAll('kyc-capture')) element.remove();
  });
  await expect.poll(async () => (await capture.liveTracks()) + capture.workers()).toBe(0);
});

for (const [place, build] of [
  [
    'a shadow root',
    () => {
      const host = document.createElement('div');
      host.attachShadow({ mode: 'open' });
      document.body.append(host);
      return host.shadowRoot;
    },
  ],
  [
    'a dialog',
    () => {
      const dialog = document.createElement('dialog');
      document.body.append(dialog);
      dialog.showModal();
      return dialog;
    },
  ],
] as const) {
  test(`inside ${place}: the whole journey`, async ({ open }) => {
    const capture = await open('/bare', open50);
    await capture.page.evaluate(`(${build.toString()})().append(document.querySelector('kyc-capture'))`);
    const element = capture.page.locator('kyc-capture');
    await element.locator('[data-action="start"]').click();
    await element.locator('[data-action="use"]').click({ timeout: 60_000 });
    await expect(element).toHaveAttribute('state', 'done', { timeout: 60_000 });
    await element.evaluate((found) => found.remove());
    await expect.poll(async () => (await capture.liveTracks()) + capture.workers()).toBe(0);
  });
}

test('inside an iframe that allows the camera: the whole journey', async ({ open }) => {
  const bare = barePage(ATTRIBUTES);
  const capture = await open('/framed', {
    ...CANVAS,
    prepare: async (page, context) => {
      await bare.prepare(page, context);
      const body =
        '<!doctype html><html lang="id"><title>e2e</title><link rel="icon" href="data:,"><iframe src="/bare" allow="camera" width="400" height="700"></iframe></html>';
      await page.route('**/framed', (route) => route.fulfill({ contentType: 'text/html', body }));
    },
  });
  const element = capture.page.frameLocator('iframe').locator('kyc-capture');
  await element.locator('[data-action="start"]').click();
  await element.locator('[data-action="use"]').click({ timeout: 60_000 });
  await expect(element).toHaveAttribute('state', 'done', { timeout: 60_000 });
  await capture.page.locator('iframe').evaluate((frame) => frame.remove());
  await expect.poll(() => capture.workers()).toBe(0);
});

test('attributes changed in mid-flow count from the next use, and break nothing', async ({ open }) => {
  const capture = await open('/bare', { ...open50, scenes: { layers: [], background: '#9a958c' } });
  await capture.press('start');
  await capture.waitForStep('ktp', 'live');
  await capture.element.evaluate((element) => {
    element.setAttribute('lang', 'en');
    element.setAttribute('ref-number', 'SPECIMEN000077');
    element.setAttribute('persist', 'none');
    element.setAttribute('allow', 'card-glare');
  });
  await expect(capture.button('cancel')).toHaveText('Cancel');
  await capture.show(goodScenes());
  expect(await capture.run()).toMatchObject({ ended: 'done', result: { refNumber: 'SPECIMEN000077' } });
});
