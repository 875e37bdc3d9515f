import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
};

/** A static host that runs. */
export interface StaticHost {
  readonly port: number;
  /** Where the folder lies; ends with a slash. */
  readonly url: string;
  /** Everything it was asked for, in order: method, path and status. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * The plainest host there is: files of one folder under one path, with no header but their type.
 * @param under begins and ends with a slash
 */
export function hostFolder(folder: string, under: string): Promise<StaticHost> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://static.invalid');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const answer = (status: number, body: Buffer | string): void => {
      asked.push(`${request.method} ${pathname} ${status}`);
      const type = status === 200 ? TYPES[extname(path)] : undefined;
      response.writeHead(status, type ? { 'content-type': type } : {}).end(body);
    };
    // What is no file here is not answered for, nor what wants to change something.
    const file =
      request.method === 'GET' && path.startsWith(under) ? join(folder, path.slice(under.length)) : null;
    if (file === null) answer(405, '');
    else
      readFile(file).then(
        (body) => answer(200, body),
        () => answer(404, ''),
      );
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        port,
        url: `http://localhost:${port}${under}`,
        asked,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
