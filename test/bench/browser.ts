import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type CDPSession,
  type LaunchOptions,
  type Page,
} from '@playwright/test';
import { CARD_SCENE, faceScene, people } from '../../demo/people.ts';
import type { Size } from '../../src/domain/geometry.ts';
import type { Step } from '../../src/domain/result.ts';
import { chromiumArguments, findChromium } from '../../src/playwright/chromium.ts';
import { Darkroom, fitToGuide, type Scene } from '../../src/playwright/scene.ts';
import { ByteCounter, installProbe } from './probe.ts';
import { slowDown } from './slow-down.ts';
import { y4mOf } from './y4m.ts';

/** A camera that most laptops and phones offer, px. */
const CAMERA_SIZE: Size = { width: 1280, height: 720 };

/** What can be shown to the camera: a person who is good from the start, or a KTP on a table. */
export type Shown = Extract<Step, 'selfie' | 'ktp'>;

/** A page that is measured. */
export interface BenchPage {
  readonly page: Page;
  /** What it has fetched. */
  readonly bytes: ByteCounter;
  /** Speaks to the page's own target. */
  readonly cdp: CDPSession;
  /** What the page said of errors, uncaught ones among them. */
  readonly errors: readonly string[];
}

/** One browser for a whole run, with a camera device that is a file. */
export class BenchBrowser {
  readonly browser: Browser;
  readonly #folder: string;
  readonly #darkroom: Darkroom;
  #profiles = 0;

  private constructor(browser: Browser, folder: string, darkroom: Darkroom) {
    this.browser = browser;
    this.#folder = folder;
    this.#darkroom = darkroom;
  }

  /** Launches it; the camera shows the person. */
  static async launch(): Promise<BenchBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'kyc-bench-'));
    const browser = await chromium.launch(launchOptions(folder));
    const made = new BenchBrowser(browser, folder, new Darkroom(await browser.newPage()));
    await made.show('selfie');
    return made;
  }

  /** Version of Chromium. */
  get version(): string {
    return this.browser.version();
  }

  /** Changes what the camera shows the next time that it is opened. */
  async show(shown: Shown): Promise<void> {
    const file = fileIn(this.#folder);
    await writeFile(`${file}.next`, y4mOf(await this.#develop(shown, CAMERA_SIZE, 'video')));
    // Renaming is atomic, and a device that is open keeps the file that it has.
    await rename(`${file}.next`, file);
  }

  /** The JPEGs of the loop that the camera shows, as a page should see them. */
  frames(shown: Shown, size: Size = CAMERA_SIZE): Promise<Buffer[]> {
    return this.#develop(shown, size, 'full');
  }

  #develop(shown: Shown, size: Size, range: 'full' | 'video'): Promise<Buffer[]> {
    // Figures were always taken with a picture of its own for every frame.
    const scene = { ...fitToGuide(sceneOf(shown), shown, size), hold: 1 };
    return this.#darkroom.develop(scene, size, range);
  }

  /**
   * A context of its own, with nothing in its cache, that may use the camera; pages in it have the probe. Its cache is
   * in memory and does not hold files of 8 MB and more: use a profile where a second load has to be warm.
   */
  async newContext(): Promise<BrowserContext> {
    const context = await this.browser.newContext(CONTEXT);
    await installProbe(context);
    return context;
  }

  /** The same with a cache on disk, as people's browsers have it, in a browser process of its own. */
  async newProfile(): Promise<BrowserContext> {
    const profile = join(this.#folder, `profile-${this.#profiles++}`);
    await mkdir(profile);
    const context = await chromium.launchPersistentContext(profile, {
      ...launchOptions(this.#folder),
      ...CONTEXT,
    });
    await installProbe(context);
    // What a browser does at its very beginning is no part of any figure.
    const [page] = context.pages();
    await page?.waitForTimeout(SETTLED_AFTER_MS);
    return context;
  }

  /** An empty page with the probe, in the context given or a fresh one. Close its context after use. */
  async newPage(context?: BrowserContext): Promise<BenchPage> {
    const page = await (context ?? (await this.newContext())).newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    const bytes = new ByteCounter(page);
    return { page, bytes, errors, cdp: await page.context().newCDPSession(page) };
  }

  /**
   * Slows every thread of the browser's pages and its drawing down, workers as well, until the function that it
   * returns is called. Pages that are opened afterwards may have processes of their own, which stay as fast as before.
   * @param factor 4 for a quarter of the time
   */
  async slowDown(factor: number): Promise<() => Promise<void>> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    const slowed = processInfo.filter(({ type }) => /renderer|gpu/i.test(type));
    return slowDown(
      slowed.map(({ id }) => id),
      factor,
    );
  }

  async close(): Promise<void> {
    await this.browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A fresh browser process has come to rest after so long, ms. */
const SETTLED_AFTER_MS = 1000;

const CONTEXT = { locale: 'id-ID', viewport: { width: 1280, height: 800 }, permissions: ['camera'] };

function launchOptions(folder: string): LaunchOptions {
  const executablePath = findChromium();
  return {
    ...(executablePath ? { executablePath } : {}),
    // Without precise numbers of memory, growth would be told in steps of a tenth.
    args: [...chromiumArguments({ file: fileIn(folder) }), '--enable-precise-memory-info'],
  };
}

const fileIn = (folder: string): string => join(folder, 'camera.y4m');

function sceneOf(shown: Shown): Scene {
  if (shown === 'ktp') return CARD_SCENE;
  const [person] = people();
  if (!person) throw new Error('There is nobody to show.');
  return faceScene(person);
}
