import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Names under which systems install Chromium, the plainest first. */
const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** Where an application bundle keeps its executable, which no PATH names. */
const BUNDLES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Playwright keeps its browsers here, one folder a build. */
const PLAYWRIGHT_EXECUTABLES = [
  'chrome-linux64/chrome',
  'chrome-linux/chrome',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
  'chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
];

/**
 * A Chromium that can be started, or null: what CHROMIUM_PATH names, else the system's own, else
 * one that Playwright has downloaded.
 * @throws Error where CHROMIUM_PATH names something that cannot be run: a wrong setting that is
 *   passed over in silence would test another browser than the one asked for.
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | null {
  const named = environment['CHROMIUM_PATH'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`CHROMIUM_PATH names ${named}, which cannot be run.`);
    return named;
  }
  const folders = (environment['PATH'] ?? '').split(delimiter).filter(Boolean);
  const installed = SYSTEM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...installed, ...BUNDLES, ...downloaded(environment)].find(isExecutable) ?? null;
}

function downloaded(environment: NodeJS.ProcessEnv): string[] {
  const home = homedir();
  const caches = [
    environment['PLAYWRIGHT_BROWSERS_PATH'],
    join(home, '.cache', 'ms-playwright'),
    join(home, 'Library', 'Caches', 'ms-playwright'),
  ];
  return caches
    .filter((cache) => cache !== undefined)
    .flatMap((cache) => builds(cache).map((build) => join(cache, build)))
    .flatMap((build) => PLAYWRIGHT_EXECUTABLES.map((path) => join(build, path)));
}

function builds(cache: string): string[] {
  try {
    return readdirSync(cache)
      .filter((name) => /^chromium-\d+$/.test(name))
      .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)));
  } catch {
    return [];
  }
}

/** True where this process may run the file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the fake camera of a browser is: a file of frames, or no device at all. */
export type Device = { readonly file: string } | 'none';

/** What is switched off. A list given here takes the place of Playwright's own, so that all of that is said again. */
const DISABLED_FEATURES = [
  // The address bar's menus are pages: every window would load two of them, while its own page starts.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  // Requests of the browser's own.
  'AimEnabled',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PreconnectToSearch',
  // What Playwright cannot drive, or does not want.
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'LensOverlay',
  'PaintHolding',
  'TcpPortRandomizationWin',
  'ThirdPartyStoragePartitioning',
  'msEdgeUpdateLaunchServicesPreferredVersion',
  'msForceBrowserSignIn',
];

/**
 * Arguments for a Chromium with a fake camera. The permission is left to the browser context, so
 * that a page can be refused the camera as a person would refuse it.
 */
export function chromiumArguments(device: Device): string[] {
  return [
    ...(device === 'none'
      ? ['--use-fake-device-for-media-stream=device-count=0']
      : ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${device.file}`]),
    // Machines without a GPU have WebGL only through SwiftShader.
    '--enable-unsafe-swiftshader',
    // The browser itself must ask nobody for anything while the page's requests are counted.
    '--disable-background-networking',
    '--disable-component-update',
    `--disable-features=${DISABLED_FEATURES.join(',')}`,
    // A name that is not localhost, for the page outside a secure context.
    '--host-resolver-rules=MAP insecure.test 127.0.0.1',
    // Chromium refuses to run its sandbox as root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}
