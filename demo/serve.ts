import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { createApp, readRelayOptions, type AppOptions } from '../src/server/index.ts';

/**
 * `tsx demo/serve.ts [--port 8787]`: the built demo pages, the relay and the sandbox, at one address.
 */

/**
 * What a careful page would send. `wasm-unsafe-eval` is for the analysis; nothing inline, nothing
 * from elsewhere, no string that becomes a script.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob: mediastream:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types kyc-capture lit-html',
].join('; ');

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
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

/**
 * Starts the server.
 * @param port 0 for any that is free
 * @throws Error where the pages are not built, or the port is taken
 */
export function serveDemo({ port }: { readonly port: number }): Promise<DemoServer> {
  const root = fileURLToPath(new URL('../dist-demo', import.meta.url));
  if (!existsSync(root)) throw new Error('The demo is not built: run `npm run build:demo` first.');
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  });
  app.use(serveStatic({ root }));
  app.route('/', createApp(chosenSecrets()));
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

/** Secrets of the environment, so that a test may look for them; without any, the app makes up its own. */
function chosenSecrets(): AppOptions {
  const { secret, identifai, eendigo } = readRelayOptions(process.env);
  return {
    ...(secret ? { relay: { secret } } : {}),
    sandbox: { ...(identifai ? { identifai } : {}), ...(eendigo ? { eendigo } : {}) },
  };
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
