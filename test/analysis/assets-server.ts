import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserCommand } from 'vitest/node';
import { integrityOf, manifestOf, readAssets } from '../../scripts/manifest.ts';
import { asOtherMachine, KEPT_FUNCTIONS, keepFunctions, parseKept } from '../../scripts/wasm.ts';
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
  /** Both runtimes calculate as on the other kind of machine: on x86, as phones do. */
  readonly otherMachine?: boolean;
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

/** The assets of this build, with runtimes of the options' kind. */
function assetsFor({ slimLacks, otherMachine = false }: FolderOptions): Record<string, Buffer> {
  const files = readAssets();
  const { [RUNTIME_FILE.slim]: built = Buffer.alloc(0), [RUNTIME_FILE.full]: full = Buffer.alloc(0) } = files;
  const slim = slimLacks === undefined ? built : slimLacking(full, slimLacks);
  if (otherMachine)
    return withRuntimes(files, {
      [RUNTIME_FILE.slim]: asOtherMachine(slim),
      [RUNTIME_FILE.full]: asOtherMachine(full),
    });
  return slim === built ? files : withRuntimes(files, { [RUNTIME_FILE.slim]: slim });
}

/** Of the full one, because what is left out of the slim one has no number there any more. */
function slimLacking(full: Buffer, [first, end]: readonly [number, number]): Uint8Array {
  const kept = [...parseKept(readFileSync(KEPT_FUNCTIONS, 'utf8'))];
  return keepFunctions(full, new Set(kept.filter((index) => index < first || index >= end)));
}

/** With others in place of some runtimes, which are there as they are alone. */
function withRuntimes(
  files: Readonly<Record<string, Buffer>>,
  runtimes: Readonly<Record<string, Uint8Array>>,
): Record<string, Buffer> {
  const packed = Object.keys(runtimes).map(packedName);
  const others = Object.entries(files).filter(([name]) => !packed.includes(name));
  const changed = Object.entries(runtimes).map(([name, bytes]) => [name, Buffer.from(bytes)] as const);
  return Object.fromEntries([...others, ...changed]);
}

const servers: Server[] = [];
let counts = new Map<string, number>();

export const serveFolder: BrowserCommand<[options: FolderOptions]> = async (_, options) => {
  const { cors, beforeWorker = '', stalled, missing = [], cutOnce } = options;
  const files = assetsFor(options);
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
