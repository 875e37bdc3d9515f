import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { createApp, type AppOptions } from '../src/server/index.ts';
import { CONTENT_SECURITY_POLICY, SERVER_ANSWERS } from './hosting.ts';

/**
 * `tsx demo/serve.ts [--port 8787]`: the built demo pages, the relay and the sandbox, at one address.
 */

const HEADERS = {
  'content-security-policy': `${CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`,
  'permissions-policy': 'camera=(self), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A demo server that runs. */
export interface DemoServer {
  /** Ends with a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** How the demo is served. */
interface DemoOptions {
  /** 0 for any that is free */
  readonly port: number;
  /** Changes to relay and sandbox; secrets that are left out are made at random. */
  readonly app?: AppOptions;
}

/**
 * Starts the server.
 * @throws Error where the pages are not built, or the port is taken
 */
export function serveDemo({ port, app: appOptions }: DemoOptions): Promise<DemoServer> {
  const root = fileURLToPath(new URL('../dist-demo', import.meta.url));
  if (!existsSync(root)) throw new Error('The demo is not built: run `npm run build:demo` first.');
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  });
  for (const folder of ['/', '/kiosk/']) {
    app.on('GET', [folder, `${folder}index.html`], async (context) => {
      const page = await readFile(join(root, folder, 'index.html'), 'utf8');
      return context.html(page.replace('<head>', `<head><meta name="${SERVER_ANSWERS}" content="yes" />`));
    });
  }
  app.use(serveStatic({ root }));
  app.route('/', createApp(appOptions));
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (address: AddressInfo) => {
      resolve({
        url: `http://localhost:${address.port}/`,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
    server.on('error', reject);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.indexOf('--port');
  const port = named < 0 ? 8787 : Number(process.argv[named + 1]);
  if (!Number.isInteger(port)) {
    console.error('Usage: tsx demo/serve.ts [--port 8787]');
    process.exit(2);
  }
  const { url } = await serveDemo({ port });
  console.log(`Demo: ${url}   Kiosk: ${url}kiosk/   (sandbox: nothing leaves this computer)`);
}
