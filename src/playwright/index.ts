import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserType } from '@playwright/test';
import type { Size } from '../domain/geometry.ts';
import { CapturePage } from './capture-page.ts';
import { chromiumArguments, findChromium } from './chromium.ts';
import { Darkroom, type Scene } from './scene.ts';
import type { CameraSource, OpenOptions } from './vocabulary.ts';

export { CapturePage } from './capture-page.ts';
export type {
  Action,
  CameraKind,
  CaptureState,
  Exchange,
  OpenOptions,
  Outcome,
  Scenes,
  SentBody,
  TakenPhoto,
} from './vocabulary.ts';
export { findChromium } from './chromium.ts';
export type { CapturedEvent, CapturedState } from './in-page.ts';
export type { Layer, PathKey, Scene } from './scene.ts';

/** How the browser is launched. */
export interface LaunchOptions {
  /** Playwright's `chromium`, from `playwright-core` or `@playwright/test`. */
  readonly chromium: BrowserType;
  /** The executable. Default: what `findChromium` finds, else Playwright's own. */
  readonly executablePath?: string;
  /** Size of the camera's picture, px, or `none` for a machine without a camera. Default 1280x720. */
  readonly camera?: Size | 'none';
  readonly headless?: boolean;
  /** Further arguments for the browser: `--kiosk`, say. */
  readonly args?: readonly string[];
}

/**
 * Launches a Chromium with a fake camera.
 *
 * ```ts
 * const browser = await launchCapture({ chromium });
 * const capture = await browser.open('http://localhost:8787/', {
 *   scenes: { selfie: { layers: [{ source: 'face.jpg' }] }, ktp: { layers: [{ source: 'card.svg', height: 0.6 }] } },
 * });
 * const outcome = await capture.run();
 * await browser.close();
 * ```
 */
export async function launchCapture(options: LaunchOptions): Promise<CaptureBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'kyc-capture-'));
  const camera = options.camera ?? { width: 1280, height: 720 };
  const file = join(folder, 'camera.mjpeg');
  const executablePath = options.executablePath ?? findChromium();
  try {
    const browser = await options.chromium.launch({
      headless: options.headless ?? true,
      ...(executablePath ? { executablePath } : {}),
      args: [...chromiumArguments(camera === 'none' ? 'none' : { file }), ...(options.args ?? [])],
    });
    const darkroom = new Darkroom(await browser.newPage());
    const frame = camera === 'none' ? { width: 1280, height: 720 } : camera;
    const source = new CameraFile(file, darkroom);
    // The device does not exist without its file.
    if (camera !== 'none') await source.load(EMPTY_ROOM, frame);
    return new CaptureBrowser(browser, folder, source, frame);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What the camera sees before a scene is set. */
const EMPTY_ROOM: Scene = { layers: [], background: '#9a958c', frames: 2 };

/** A launched browser and its camera. */
export class CaptureBrowser {
  readonly browser: Browser;
  readonly #folder: string;
  readonly #source: CameraSource;
  readonly #frame: Size;

  constructor(browser: Browser, folder: string, source: CameraSource, frame: Size) {
    this.browser = browser;
    this.#folder = folder;
    this.#source = source;
    this.#frame = frame;
  }

  /** Opens a page that has the tag, in a context of its own: no storage or permission is shared. */
  async open(url: string, options: OpenOptions = {}): Promise<CapturePage> {
    const context = await this.browser.newContext({
      locale: options.locale ?? 'id-ID',
      viewport: options.viewport ?? { width: 1280, height: 800 },
      permissions: options.permission === false ? [] : ['camera'],
    });
    return CapturePage.open(context, this.#source, options.frame ?? this.#frame, url, options);
  }

  /** Ends the browser and deletes the camera's file. */
  async close(): Promise<void> {
    await this.browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * The file behind Chromium's fake device: JPEGs, one after another. Chromium reads it anew whenever
 * the device is opened, so another file under the same name is another scene; renaming is atomic,
 * and a device that is open keeps the file it has.
 */
class CameraFile implements CameraSource {
  readonly #file: string;
  readonly #darkroom: Darkroom;

  constructor(file: string, darkroom: Darkroom) {
    this.#file = file;
    this.#darkroom = darkroom;
  }

  frames(scene: Scene, frame: Size, rate: number): Promise<Buffer[]> {
    return this.#darkroom.develop(scene, frame, 'full', rate);
  }

  async load(scene: Scene, frame: Size): Promise<void> {
    const fresh = `${this.#file}.next`;
    await writeFile(fresh, Buffer.concat(await this.#darkroom.develop(scene, frame, 'video')));
    await rename(fresh, this.#file);
  }
}
