import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { createServer } from 'vite';
import { builtAssets } from '../../scripts/manifest.ts';
// For their declarations of `window.accuracy` and `window.cards`.
import type {} from './card-page.ts';
import type {} from './page.ts';
import { UsageError } from './score.ts';

/*
 * The page with the worker, in a browser, for scripts that want photos judged or painted.
 */

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** npm changes into the package; paths that were typed mean the caller's folder. */
export const typedPath = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

/**
 * Reads a manifest whose files all exist.
 * @throws UsageError
 */
export function readManifest<Label extends { readonly file: string }>(
  path: string,
  parse: (text: string) => readonly Label[],
): readonly Label[] {
  if (!existsSync(path)) throw new UsageError(`There is no manifest ${path}.`);
  const labels = parse(readFileSync(path, 'utf8'));
  for (const { file } of labels)
    if (!existsSync(join(dirname(path), file)))
      throw new UsageError(`The manifest names ${file}, which does not exist.`);
  return labels;
}

/** What a page's failure on a file means: a mistake of the caller's where the file is no picture. */
export function faultOf(file: string, error: unknown): unknown {
  // The browser's words for a file that is no picture.
  const undecodable = error instanceof Error && error.message.includes('could not be decoded');
  return undecodable ? new UsageError(`${file} is no picture that a browser can show.`) : error;
}

/** The pages that can be opened, and what each is reached by. */
const PAGES = { accuracy: 'index.html', cards: 'card.html' } as const;
type PageName = keyof typeof PAGES;

/** Serves a page with its sources, and photo number n of the list under `/photo/n`. */
async function serve(
  photos: readonly string[],
  name: PageName,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = await createServer({
    root: REPOSITORY,
    configFile: false,
    logLevel: 'error',
    define: builtAssets(),
    // Known from the start, so that no dependency is found, and bundled anew, while the page loads.
    optimizeDeps: {
      include: ['comlink', '@mediapipe/tasks-vision', 'wasm-feature-detect'],
      noDiscovery: true,
    },
    cacheDir: `${REPOSITORY}/node_modules/.cache/accuracy`,
    // The sources may be edited while a run is under way; a page that reloads would lose it.
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
    plugins: [
      {
        name: 'photos',
        configureServer({ middlewares }) {
          middlewares.use('/photo', (request, response) => {
            const photo = photos[Number(request.url?.slice(1))];
            if (photo === undefined) response.writeHead(404).end();
            else createReadStream(photo).pipe(response);
          });
        },
      },
    ],
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (address === null || typeof address !== 'object') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}/test/accuracy/${PAGES[name]}`,
    close: () => server.close(),
  };
}

/** The page in a browser. */
interface Opened {
  readonly page: Page;
  /** Opens the page once more, in a process of its own. */
  readonly another: () => Promise<Page>;
  readonly close: () => Promise<void>;
}

/**
 * Opens a page and starts its worker.
 * @param photos files that the page finds under `/photo/n`
 */
export async function openPage(photos: readonly string[], name: PageName = 'accuracy'): Promise<Opened> {
  const server = await serve(photos, name);
  const executablePath = process.env['CHROMIUM_PATH'];
  const browser = await chromium.launch({
    ...(executablePath ? { executablePath } : {}),
    args: [
      '--no-sandbox',
      '--enable-unsafe-swiftshader',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  });
  const another = async (): Promise<Page> => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    await page.goto(server.url);
    await page.waitForFunction((property) => property in window, name);
    await page.evaluate((property) => window[property].open(), name);
    return page;
  };
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  return { page: await another(), another, close };
}
