import {
  FIREFOX,
  findFirefox,
  findWebKit,
  howToInstall,
  WEBKIT,
  type Engine,
} from '../../scripts/engines.ts';
import type { Step } from '../../src/domain/result.ts';
import type { CameraAnswer } from '../../src/playwright/in-page.ts';
import { Darkroom, filmOf, fitToGuide, LOOP_RATE } from '../../src/playwright/scene.ts';
import { ORIGIN } from '../e2e/server.ts';
import { goodScenes, test as base } from '../e2e/support.ts';
import { openDisplay, type Display } from './display.ts';
import { openChromium, openFirefox, openWebKit, type EnginePage } from './drivers.ts';
import { openHost, type Host } from './host.ts';

/** Size of the camera's picture, px. */
const FRAME = { width: 1280, height: 720 };

const SCENES = goodScenes();

/** Opens the host's page in an engine; it is closed after the test. */
type OpenIn = (engine: Engine['name'], path: string) => Promise<EnginePage>;

interface WorkerFixtures {
  /** What a person shows to the camera at a step, made in Chromium. */
  scene: (step: Step) => Promise<CameraAnswer>;
  /** Opened when it is first asked for. */
  display: () => Promise<Display>;
}

export const test = base.extend<{ host: Host; openIn: OpenIn }, WorkerFixtures>({
  scene: [
    async ({ captureBrowser }, use) => {
      const darkroom = new Darkroom(await captureBrowser.browser.newPage());
      await use(async (step) => {
        const frames = await darkroom.develop(fitToGuide(SCENES[step], step, FRAME), FRAME, 'full');
        return { kind: 'canvas', ...FRAME, rate: LOOP_RATE, film: filmOf(frames) };
      });
    },
    { scope: 'worker' },
  ],
  display: [
    async ({}, use) => {
      let opened: Promise<Display> | undefined;
      await use(() => (opened ??= openDisplay()));
      (await opened)?.close();
    },
    { scope: 'worker' },
  ],
  host: async ({ scene }, use) => {
    const host = await openHost(ORIGIN, scene);
    await use(host);
    await host.close();
  },
  openIn: async ({ captureBrowser, display, host }, use) => {
    const opened: EnginePage[] = [];
    await use(async (engine, path) => {
      const url = new URL(path, host.url).href;
      const open = {
        Chromium: () => openChromium(captureBrowser, url, { frame: FRAME, scenes: SCENES }),
        Firefox: async () => openFirefox(there(FIREFOX, findFirefox()), (await display()).name, url),
        WebKitGTK: async () => openWebKit(there(WEBKIT, findWebKit()), (await display()).name, url),
      }[engine];
      const page = await open();
      opened.push(page);
      return page;
    });
    for (const page of opened) await page.close();
  },
});

/** A test asks for an engine only where it has been found. */
function there<Found>({ name }: Engine, found: Found | null): Found {
  if (found === null) throw new Error(`${name} has gone.`);
  return found;
}

/** Leaves the test out where the machine lacks the engine, and says so. */
export function needs(engine: Engine): void {
  if (engine.found()) return;
  const missing = howToInstall(engine);
  console.log(`  ${missing}`);
  test.skip(true, missing);
}
