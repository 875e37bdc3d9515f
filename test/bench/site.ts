import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { build } from 'vite';
import { builtAssets, integrityOf, manifestOf, readAssets } from '../../scripts/manifest.ts';
import { inPage } from '../../src/playwright/in-page.ts';
import { createApp } from '../../src/server/index.ts';
import { timeMessages } from './timing.ts';

/** Workers that time themselves. */
export interface TimedWorkers {
  /** Ends with a slash. */
  readonly assets: string;
  /** Of its manifest. */
  readonly integrity: string;
  readonly bare: string;
}

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** Long enough for a run, so that a second load is served from the browser's cache. */
const CACHED = 'max-age=3600';

/** The built widget, pages to measure it in, relay and sandbox, at one address without compression. */
export interface Site {
  /** Ends with a slash. */
  readonly url: string;
  /** URL of a page with the tag. */
  tagPage(attributes: Readonly<Record<string, string>>): string;
  /** The page with the bench's own code: `page/page.ts`. */
  readonly benchPage: string;
  /** The widget's assets and the bare worker, where the workers time what they answer: `timing.ts`. */
  readonly timed: TimedWorkers;
  /** Gives pictures under `/frames/NAME/INDEX`. */
  setFrames(name: string, frames: readonly Buffer[]): void;
  close(): Promise<void>;
}

/**
 * Bundles the bench's page and serves everything.
 * @param model a file that is given under `/model`, or null
 * @throws Error where the widget is not built
 */
export async function serveSite(model: string | null): Promise<Site> {
  if (!existsSync(join(REPOSITORY, 'dist/kyc-capture.js')))
    throw new Error('The widget is not built: run `npm run build` first.');
  const bundled = await mkdtemp(join(tmpdir(), 'kyc-bench-site-'));
  await bundle(bundled);
  const frames = new Map<string, readonly Buffer[]>();
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', CACHED);
  });
  app.get('/blank', (context) => context.html(pageOf('')));
  app.get('/bench', (context) =>
    context.html(pageOf('<script type="module" src="/bundled/page.js"></script>')),
  );
  app.get('/tag', (context) => context.html(tagPage(new URL(context.req.url).searchParams)));
  app.get('/frames/:name/:index', (context) => {
    const { name, index } = context.req.param();
    const frame = frames.get(name)?.[Number(index)];
    return frame
      ? context.body(new Uint8Array(frame), 200, { 'content-type': 'image/jpeg' })
      : context.notFound();
  });
  app.get('/model', async (context) =>
    model === null ? context.notFound() : context.body(new Uint8Array(await readFile(model))),
  );
  const assets = readAssets();
  const timing = Buffer.from(`${inPage(timeMessages, 'benchTimes')};\n`);
  const timed = { ...assets, 'worker.js': Buffer.concat([timing, assets['worker.js'] ?? Buffer.alloc(0)]) };
  const manifest = Buffer.from(manifestOf(timed));
  const files: Readonly<Record<string, Buffer>> = {
    ...timed,
    'manifest.json': manifest,
    'bare.js': Buffer.concat([timing, await readFile(join(bundled, 'bare.js'))]),
  };
  app.get('/timed/:name', async (context, next) => {
    const name = context.req.param('name');
    const type = name.endsWith('.js') ? 'text/javascript' : 'application/octet-stream';
    const file = files[name];
    if (!file) return next();
    return context.body(new Uint8Array(file), 200, { 'content-type': type });
  });
  // What the bare worker imports.
  app.use(
    '/timed/*',
    serveStatic({ root: bundled, rewriteRequestPath: (path) => path.slice('/timed'.length) }),
  );
  app.use(
    '/bundled/*',
    serveStatic({ root: bundled, rewriteRequestPath: (path) => path.slice('/bundled'.length) }),
  );
  app.use('/dist/*', serveStatic({ root: REPOSITORY }));
  app.route('/', createApp());
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) => {
      const url = `http://127.0.0.1:${port}/`;
      resolve({
        url,
        benchPage: `${url}bench`,
        tagPage: (attributes) => `${url}tag?${new URLSearchParams(attributes).toString()}`,
        timed: { assets: `${url}timed/`, integrity: integrityOf(manifest), bare: `${url}timed/bare.js` },
        setFrames: (name, given) => void frames.set(name, given),
        close: async () => {
          server.close();
          await rm(bundled, { recursive: true, force: true });
        },
      });
    });
    server.on('error', reject);
  });
}

/** As the widget is built, but that it reaches into its parts. */
async function bundle(folder: string): Promise<void> {
  await build({
    root: REPOSITORY,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    base: '/bundled/',
    define: builtAssets(),
    build: {
      outDir: folder,
      emptyOutDir: true,
      rolldownOptions: {
        input: {
          page: join(REPOSITORY, 'test/bench/page/page.ts'),
          bare: join(REPOSITORY, 'test/bench/page/bare-worker.ts'),
        },
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js', minify: true },
      },
    },
  });
}

const pageOf = (body: string): string =>
  `<!doctype html><html lang="id"><meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,"><body>${body}</body></html>`;

/** A page with nothing but the tag; `window.benchTag` is set by `tag-page.ts`, before any script runs. */
function tagPage(attributes: URLSearchParams): string {
  const written = [...attributes].map(([name, value]) => `${name}="${value.replaceAll('"', '&quot;')}"`);
  return pageOf(
    `<kyc-capture ${written.join(' ')}></kyc-capture><script type="module" src="/dist/kyc-capture.js"></script>`,
  );
}
