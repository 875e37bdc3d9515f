import { chromium, expect, test as base } from '@playwright/test';
import {
  CARD_SCENE,
  describePeople,
  faceScene,
  NPWP_SCENE,
  people,
  SIM_SCENE,
  type Person,
} from '../../demo/people.ts';
import type { Step } from '../../src/domain/result.ts';
import {
  launchCapture,
  type CaptureBrowser,
  type CapturePage,
  type OpenOptions,
  type Scene,
} from '../../src/playwright/index.ts';
import { ORIGIN } from './server.ts';

export { expect };

/** Opens a page of the server; it is closed after the test. */
type Open = (path: string, options?: OpenOptions) => Promise<CapturePage>;

/**
 * One browser for all tests of a worker; every page has a context of its own. Tests whose camera is a canvas are served
 * by Chromium's headless shell where `scripts/with-browser.ts` has found one.
 */
export const test = base.extend<{ open: Open }, { captureBrowser: CaptureBrowser; shell: CaptureBrowser }>({
  captureBrowser: [
    async ({}, use) => {
      const browser = await launchCapture({ chromium });
      console.log(describePeople());
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  shell: [
    async ({}, use) => {
      const executablePath = process.env['HEADLESS_SHELL_PATH'];
      const browser = await launchCapture({ chromium, ...(executablePath ? { executablePath } : {}) });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  open: async ({ captureBrowser, shell }, use) => {
    const opened: CapturePage[] = [];
    await use(async (path, options) => {
      const browser = options?.camera === 'canvas' ? shell : captureBrowser;
      const capture = await browser.open(new URL(path, ORIGIN).href, options);
      opened.push(capture);
      return capture;
    });
    for (const capture of opened) await capture.close();
  },
});

/** The person at a place of the list; there are always three. */
export function person(index: number): Person {
  const found = people()[index];
  if (!found) throw new Error(`There is no person ${index}.`);
  return found;
}

/** Somebody who does everything right. */
export function goodScenes(index = 0): Readonly<Record<Step, Scene>> {
  return { selfie: faceScene(person(index)), ktp: CARD_SCENE, sim: SIM_SCENE, npwp: NPWP_SCENE };
}

/** How much the browser keeps of journeys, beside the choice of a camera. */
export function keptIn(capture: CapturePage): Promise<{ records: number; salts: number }> {
  return capture.page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error('database'));
      });
    let records = 0;
    // Opened only where it is, because opening makes it.
    if ((await indexedDB.databases()).some(({ name }) => name === 'kyc-capture')) {
      const database = await done(indexedDB.open('kyc-capture'));
      for (const store of database.objectStoreNames)
        records += await done(database.transaction(store).objectStore(store).count());
      database.close();
    }
    const salts = Object.keys(sessionStorage).filter((name) => name.startsWith('kyc-capture')).length;
    return { records, salts };
  });
}

/** A phone's camera in the evening: of few pictures. */
export const EVENING_CAMERA = {
  camera: 'canvas',
  frame: { width: 1280, height: 720 },
  frameRate: 15,
} as const satisfies OpenOptions;

/** An upright phone. */
export const PHONE: OpenOptions = {
  ...EVENING_CAMERA,
  viewport: { width: 390, height: 844 },
  frame: { width: 720, height: 1280 },
};

/** A camera that can be troubled, in a window that costs little to draw. */
export const SMALL: OpenOptions = { ...EVENING_CAMERA, viewport: { width: 360, height: 640 } };

/**
 * A page with nothing but the tag, at `/bare`.
 * @param headers of the page
 * @param prepare what else is done before the page is loaded
 */
export function barePage(
  attributes: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
  prepare?: OpenOptions['prepare'],
): Required<Pick<OpenOptions, 'prepare'>> {
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  const body = `<!doctype html><html lang="id"><title>e2e</title><link rel="icon" href="data:,"><script type="module" src="/kyc/kyc-capture.js"></script><kyc-capture ${written.join(' ')}></kyc-capture></html>`;
  return {
    prepare: async (page, context) => {
      await page.route('**/bare', (route) => route.fulfill({ contentType: 'text/html', headers, body }));
      await prepare?.(page, context);
    },
  };
}

/** What every failure must look like to the person, and to the page. */
export async function expectFailure(capture: CapturePage, code: string): Promise<void> {
  await capture.waitForState('failed');
  const errors = await capture.events('kyc-error');
  expect(errors.at(-1)?.detail['code']).toBe(code);
  await expect(capture.element.locator('[part="message"]')).toHaveText(/\S+ \S+ \S+.*\./);
  await expect(capture.button('retry')).toBeVisible();
  expect(await capture.liveTracks(), 'the camera is off').toBe(0);
}
