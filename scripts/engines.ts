import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findChromium, isExecutable } from '../src/playwright/chromium.ts';

/** The browser engines that the tests run on: where they are, and how a system comes by them. */
export interface Engine {
  readonly name: 'Chromium' | 'Firefox' | 'WebKitGTK';
  /** Debian's packages. */
  readonly packages: readonly string[];
  readonly found: () => boolean;
}

/** WebKitGTK's driver, and the browser that it drives. */
export interface WebKit {
  readonly driver: string;
  readonly browser: string;
}

export const CHROMIUM: Engine = {
  name: 'Chromium',
  packages: ['chromium'],
  found: () => findChromium() !== null,
};
export const FIREFOX: Engine = {
  name: 'Firefox',
  packages: ['firefox-esr', 'xvfb'],
  found: () => findFirefox() !== null && hasDisplay(),
};
export const WEBKIT: Engine = {
  name: 'WebKitGTK',
  packages: ['webkit2gtk-driver', 'xvfb'],
  found: () => findWebKit() !== null && hasDisplay(),
};
export const ENGINES = [CHROMIUM, FIREFOX, WEBKIT] as const;

/** What somebody reads whose machine lacks an engine. */
export function howToInstall({ name, packages }: Engine): string {
  return `${name} is missing (\`apt-get install ${packages.join(' ')}\`).`;
}

/** A program by its name, or null. */
export function findProgram(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/**
 * Chromium's headless shell as the system has it, or null. It draws no window of its own, which is a fifth to a third of
 * what a page costs on a machine without a GPU, and it has no camera device.
 */
export const findHeadlessShell = (): string | null => findProgram('chromium-headless-shell');

/** A Firefox that can be started, or null: what FIREFOX_PATH names, else the system's own. */
export function findFirefox(): string | null {
  const named = process.env['FIREFOX_PATH'];
  return named ? named : (findProgram('firefox-esr') ?? findProgram('firefox'));
}

/** WebKitGTK with its driver, or null. */
export function findWebKit(): WebKit | null {
  const driver = findProgram('WebKitWebDriver');
  const browser = miniBrowsers().find(isExecutable);
  return driver && browser ? { driver, browser } : null;
}

/** Browsers that show themselves need a screen, or Xvfb to stand in for one. */
function hasDisplay(): boolean {
  return Boolean(process.env['DISPLAY']) || findProgram('Xvfb') !== null;
}

/** The browser is no program of the PATH; each system has its own folder for it. */
function miniBrowsers(): string[] {
  const folders = ['/usr/libexec', '/usr/lib', '/usr/lib64', ...subfolders('/usr/lib')];
  return folders.flatMap((folder) =>
    ['webkit2gtk-4.1', 'webkit2gtk-4.0', 'webkitgtk-6.0'].map((version) =>
      join(folder, version, 'MiniBrowser'),
    ),
  );
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
