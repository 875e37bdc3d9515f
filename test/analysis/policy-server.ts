import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { BrowserCommand } from 'vitest/node';
import { builtAssets, manifestOf, readAssets } from '../../scripts/manifest.ts';
import { WORKER_FILE } from '../../src/analysis/host.ts';
import type { PolicyOutcome } from './policy-page.ts';

/*
 * A page under a Content-Security-Policy that opens the analysis; in Node, for `policy.test.ts`.
 */

/** What is tried under which policy. */
export interface PolicyRun {
  readonly policy: string;
  /** Of worker.js; absent: the same. */
  readonly workerPolicy?: string;
  readonly rung: 'worker' | 'main-thread' | 'face-box';
  /** Absent: the page's own origin, with the assets of the build. */
  readonly folder?: { readonly base: string; readonly integrity: string };
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    runUnderPolicy(run: PolicyRun): Promise<PolicyOutcome>;
  }
}

/** The page's script, bundled. */
let script: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    define: builtAssets(),
    build: {
      write: false,
      rolldownOptions: { output: { codeSplitting: false } },
      lib: {
        entry: fileURLToPath(new URL('policy-page.ts', import.meta.url)),
        formats: ['es'],
        fileName: 'page',
      },
    },
  });
  const [chunk] = (Array.isArray(output) ? output : [output]).flatMap((one) =>
    'output' in one ? one.output : [],
  );
  if (chunk?.type !== 'chunk') throw new Error('The page was not bundled.');
  return chunk.code;
}

export const runUnderPolicy: BrowserCommand<[run: PolicyRun]> = async (
  { context },
  { policy, workerPolicy = policy, rung, folder },
) => {
  const files: Record<string, string | Buffer> = {
    ...readAssets(),
    'manifest.json': manifestOf(readAssets()),
    'page.js': await (script ??= bundle()),
    '': '<!doctype html><script type="module" src="/page.js"></script>',
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? '';
    const type =
      name === '' ? 'text/html' : name.endsWith('.js') ? 'text/javascript' : 'application/octet-stream';
    const body = files[name];
    if (body === undefined) return response.writeHead(404).end();
    const allowed = name === WORKER_FILE ? workerPolicy : policy;
    return response.writeHead(200, { 'content-type': type, 'content-security-policy': allowed }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const page = await context.newPage();
  try {
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction(() => 'runAnalysis' in window);
    const options = { rung, assetsBase: folder?.base ?? '/assets/', integrity: folder?.integrity ?? null };
    return await page.evaluate((run) => window.runAnalysis(run), options);
  } finally {
    await page.close();
    server.closeAllConnections();
    server.close();
  }
};
