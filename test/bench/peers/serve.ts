import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import type { CDPSession } from '@playwright/test';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** As long as hosts let such files be kept; it is what makes the second load warm. */
const CACHE = 'max-age=3600';

/** One file that a page was given. */
export interface ServedFile {
  /** The address the page asked for, which may be a foreign one. */
  readonly url: string;
  readonly body: Uint8Array;
}

/** What the address of a foreign file begins with, and the bytes that stand in for it: a folder, or one file. */
export interface StandIn {
  readonly prefix: string;
  readonly content: { readonly folder: string } | { readonly bytes: Uint8Array };
}

/** A server of one peer's page. */
export interface PeerServer {
  /** Address of the page. */
  readonly url: string;
  /** Every file given out so far, in order. */
  readonly served: readonly ServedFile[];
  /** Foreign addresses that were asked for and have no stand-in: they were refused. */
  readonly refused: ReadonlySet<string>;
  /** Sends the requests of a page for foreign files here. */
  redirect(session: CDPSession): Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves a page, the installed packages and the stand-ins over HTTP from 127.0.0.1, without compression.
 * @param page the file of the page
 * @param modules the `node_modules` that `/packages/` shows, unchanged
 */
export async function servePeer(
  page: string,
  modules: string,
  standIns: readonly StandIn[],
): Promise<PeerServer> {
  const served: ServedFile[] = [];
  const refused = new Set<string>();

  const find = async (path: string): Promise<{ url: string; name: string; body: Uint8Array } | null> => {
    if (path === '/') return { url: path, name: page, body: await readFile(page) };
    if (path.startsWith('/packages/')) {
      const name = normalize(path.slice('/packages/'.length));
      if (name.startsWith('..')) return null;
      return { url: path, name, body: await readFile(join(modules, name)) };
    }
    const url = decodeURIComponent(path.slice('/foreign/'.length));
    const standIn = standIns.find(({ prefix }) => url.startsWith(prefix));
    if (!standIn) return null;
    const name = url.slice(standIn.prefix.length);
    const { content } = standIn;
    const body = 'bytes' in content ? content.bytes : await readFile(join(content.folder, name));
    return { url, name, body };
  };

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://peer.invalid').pathname;
    find(path).then(
      (found) => {
        if (!found) return response.writeHead(404).end();
        served.push({ url: found.url, body: found.body });
        const type = TYPES[extname(found.name)] ?? 'application/octet-stream';
        response.writeHead(200, {
          'content-type': type,
          'content-length': found.body.length,
          'cache-control': CACHE,
          // The hosts that it stands in for are asked across origins.
          'access-control-allow-origin': '*',
        });
        return response.end(found.body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;

  return {
    url,
    served,
    refused,
    redirect: async (session) => {
      session.on('Fetch.requestPaused', ({ requestId, request }) => {
        const standIn = standIns.some(({ prefix }) => request.url.startsWith(prefix));
        if (!standIn) refused.add(request.url);
        const answer = standIn
          ? session.send('Fetch.continueRequest', {
              requestId,
              url: `${url}foreign/${encodeURIComponent(request.url)}`,
            })
          : session.send('Fetch.failRequest', { requestId, errorReason: 'AddressUnreachable' });
        // A page that is closed meanwhile needs no answer.
        answer.catch(() => undefined);
      });
      // Not through the page's routes: those switch its HTTP cache off, and no load would be warm.
      await session.send('Fetch.enable', { patterns: [{ urlPattern: 'https://*' }] });
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
