import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserCommand } from 'vitest/node';
import { integrityOf, manifestOf, readAssets } from '../../scripts/manifest.ts';
import { KEPT_FUNCTIONS, keepFunctions, parseKept } from '../../scripts/wasm.ts';
import { RUNTIME_FILE } from '../../src/analysis/assets.ts';
import { packedName } from '../../src/analysis/download.ts';

/*
 * Assets folders on another origin, each with its own way of being wrong; what tests ask for runs here, in Node.
 */

/** How a folder is served. */
export interface FolderOptions {
  /** True: with the header that lets other origins read it. */
  readonly cors: boolean;
  /** Functions that the slim runtime lacks besides, by their indices: from the first to before the last. */
  readonly slimLacks?: readonly [first: number, end: number];
  /** Put before the code of worker.js, and listed in the folder's own manifest. */
  readonly beforeWorker?: string;
  /** Half of this file comes, and then nothing. */
  readonly stalled?: string;
  /** There are no such files, although the manifest lists them. */
  readonly missing?: readonly string[];
  /** The first request for this file is cut off. */
  readonly cutOnce?: string;
}

/** A folder that is served. */
interface ServedFolder {
  readonly base: string;
  readonly integrity: string;
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    serveFolder(options: FolderOptions): Promise<ServedFolder>;
    /** How often each file was asked for since the folder was served, of the folder that was served last. */
    requestsOf(file: string): Promise<number>;
    closeFolders(): Promise<void>;
  }
}

/** The assets of this build, with a slim runtime that lacks the functions from the first to before the last besides. */
function withSlimLacking(first: number, end: number): Record<string, Buffer> {
  const { [packedName(RUNTIME_FILE.slim)]: _, ...others } = readAssets();
  const kept = [...parseKept(readFileSync(KEPT_FUNCTIONS, 'utf8'))];
  const left = new Set(kept.filter((index) => index < first || index >= end));
  // Of the full one, because what is left out of the slim one has no number there any more.
  const slim = keepFunctions(others[RUNTIME_FILE.full] ?? Buffer.alloc(0), left);
  return { ...others, [RUNTIME_FILE.slim]: Buffer.from(slim) };
}

const servers: Server[] = [];
let counts = new Map<string, number>();

export const serveFolder: BrowserCommand<[options: FolderOptions]> = async (_, options) => {
  const { cors, slimLacks, beforeWorker = '', stalled, missing = [], cutOnce } = options;
  const files = slimLacks === undefined ? readAssets() : withSlimLacking(...slimLacks);
  files['worker.js'] = Buffer.concat([Buffer.from(beforeWorker), files['worker.js'] ?? Buffer.alloc(0)]);
  const manifest = Buffer.from(manifestOf(files));
  files['manifest.json'] = manifest;
  const requests = (counts = new Map<string, number>());
  const server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? '';
    const bytes = files[name];
    requests.set(name, (requests.get(name) ?? 0) + 1);
    if (cors) response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', name.endsWith('.js') ? 'text/javascript' : 'application/octet-stream');
    if (bytes === undefined || missing.includes(name)) return response.writeHead(404).end();
    const half = bytes.subarray(0, bytes.length / 2);
    if (name === stalled) return response.write(half);
    if (name === cutOnce && requests.get(name) === 1) {
      response.setHeader('content-length', bytes.length);
      return response.write(half, () => response.destroy());
    }
    return response.end(bytes);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}/assets/`, integrity: integrityOf(manifest) };
};

export const requestsOf: BrowserCommand<[file: string]> = (_, file) => counts.get(file) ?? 0;

export const closeFolders: BrowserCommand = async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
};
