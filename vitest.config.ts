import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BrowserContext, Route } from '@playwright/test';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import type { BrowserCommand } from 'vitest/node';
import { ASSETS_FOLDER, builtAssets, readAssets } from './scripts/manifest.ts';
import { packedName } from './src/analysis/download.ts';
import { runUnderPolicy } from './test/analysis/policy-server.ts';
import { closeFolders, requestsOf, serveFolder } from './test/analysis/assets-server.ts';

/** `scripts/with-browser.ts` sets them; without them Playwright's own Chromium is taken. */
const executablePath = process.env['HEADLESS_SHELL_PATH'] ?? process.env['CHROMIUM_PATH'];

type Answer = Parameters<Route['fulfill']>[0];

/** What is answered in place of which file, in each context. */
const broken = new WeakMap<BrowserContext, Map<string, Answer>>();

async function brokenIn(context: BrowserContext): Promise<Map<string, Answer>> {
  const known = broken.get(context);
  if (known !== undefined) return known;
  const answers = new Map<string, Answer>();
  broken.set(context, answers);
  // Kept for good: on a busy machine what a page asks for in the moments after a route was made goes past it.
  await context.route(
    (url) => url.pathname.includes('/assets/'),
    (route) => {
      const answer = answers.get(basename(new URL(route.request().url()).pathname));
      return answer === undefined ? route.fallback() : route.fulfill(answer);
    },
  );
  return answers;
}

/** What tests ask of the browser from outside: answers that the server would never give, to the page and its workers. */
const breakFile: BrowserCommand<[file: string, how: 'tampered' | 'page' | 'rubbish']> = async (
  { context },
  file,
  how,
) => {
  const bytes =
    file === 'manifest.json'
      ? readFileSync(join(ASSETS_FOLDER, file))
      : Buffer.from(readAssets()[file] ?? '');
  const last = bytes.length - 1;
  bytes.writeUInt8((bytes[last] ?? 0) ^ 1, last);
  const answers = {
    tampered: { status: 200, body: bytes, contentType: contentTypeOf(file) },
    page: { status: 200, body: '<!doctype html><title>Shop</title>', contentType: 'text/html' },
    rubbish: { status: 200, body: 'broken' },
  };
  const instead = await brokenIn(context);
  // Both ways: a compressed file that is wrong is made good by the plain one.
  for (const name of [file, packedName(file)]) instead.set(name, answers[how]);
};
const contentTypeOf = (file: string): string =>
  file.endsWith('.js') ? 'text/javascript' : 'application/octet-stream';
const mendFiles: BrowserCommand = ({ context }) => broken.get(context)?.clear();

declare module 'vitest/browser' {
  interface BrowserCommands {
    /** The file of the assets folder arrives with one bit changed, as a page of the site, or as rubbish from here on. */
    breakFile(file: string, how: 'tampered' | 'page' | 'rubbish'): Promise<void>;
    mendFiles(): Promise<void>;
  }
}

/** A project whose tests run in Chromium, one file after another; each project has a browser and a process of its own. */
const inBrowser = (name: string, folders: string): TestProjectInlineConfiguration => ({
  define: builtAssets(),
  server: { fs: { allow: ['.', '../shared'] } },
  test: {
    name,
    include: [`test/${folders}/**/*.test.ts`],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      // Nobody sees it, and it is drawn all the same.
      ui: false,
      provider: playwright({
        launchOptions: {
          ...(executablePath ? { executablePath } : {}),
          args: [
            '--no-sandbox',
            '--enable-unsafe-swiftshader',
            '--use-fake-device-for-media-stream',
            '--use-fake-ui-for-media-stream',
            '--disable-background-networking',
            '--disable-component-update',
          ],
        },
      }),
      commands: { breakFile, mendFiles, serveFolder, requestsOf, closeFolders, runUnderPolicy },
      instances: [{ browser: 'chromium' }],
      screenshotFailures: false,
    },
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          // Properties run hundreds of times, on machines that others use too.
          testTimeout: 60_000,
          include: ['test/{domain,server,package,accuracy,bench}/**/*.test.ts'],
        },
      },
      inBrowser('analysis', 'analysis'),
      inBrowser('element', '{element,runtime}'),
    ],
  },
});
