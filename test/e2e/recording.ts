import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page, Request, Response } from '@playwright/test';
import type { CapturePage } from '../../src/playwright/index.ts';

/** Bytes that reached a browser, or that it holds, and where. */
export interface Seen {
  readonly where: string;
  readonly bytes: Buffer;
}

const BUILT = fileURLToPath(new URL('../../dist-demo', import.meta.url));

/** Everything that goes over a page's wire, and what it says to its console. */
export class Recording {
  readonly #seen: Promise<readonly Seen[]>[] = [];

  constructor(page: Page) {
    const keep = (seen: Promise<readonly Seen[]>): void => void this.#seen.push(seen);
    page.on('request', (request) => keep(readRequest(request)));
    page.on('response', (response) => keep(readResponse(response)));
    page.on('websocket', (socket) =>
      keep(Promise.resolve([{ where: 'websocket', bytes: text(socket.url()) }])),
    );
    page.on('console', (message) =>
      keep(Promise.resolve([{ where: 'console', bytes: text(message.text()) }])),
    );
    page.on('pageerror', ({ message, stack }) =>
      keep(Promise.resolve([{ where: 'page error', bytes: text(message, stack) }])),
    );
  }

  /** Everything so far, with what the page itself holds at this moment. */
  async seen(capture: CapturePage): Promise<readonly Seen[]> {
    return [...(await Promise.all(this.#seen)).flat(), ...(await readPage(capture))];
  }
}

/** Every string in a value, names included, as it is: what JSON escapes could hide from the search. */
function text(...parts: readonly unknown[]): Buffer {
  return Buffer.from(parts.flatMap(strings).join('\n'));
}

function strings(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([name, content]) => [name, ...strings(content)]);
}

async function readRequest(request: Request): Promise<Seen[]> {
  const where = `request ${request.method()} ${new URL(request.url()).pathname}`;
  const headers = await request.allHeaders().catch(() => request.headers());
  return [
    { where: `${where}: address and headers`, bytes: text(request.url(), headers) },
    { where: `${where}: body`, bytes: request.postDataBuffer() ?? Buffer.alloc(0) },
  ];
}

async function readResponse(response: Response): Promise<Seen[]> {
  const { pathname } = new URL(response.url());
  const where = `response ${response.status()} ${pathname}`;
  const headers = await response.headersArray().catch(() => response.headers());
  return [
    { where: `${where}: headers`, bytes: text(response.statusText(), headers) },
    { where: `${where}: body`, bytes: await readBody(response, pathname) },
  ];
}

/** A browser does not hand out again every large file that a worker has loaded; the file is the same on disk. */
async function readBody(response: Response, pathname: string): Promise<Buffer> {
  try {
    return await response.body();
  } catch (error) {
    if (!pathname.startsWith('/kyc/assets/')) throw error;
    return readFile(BUILT + pathname);
  }
}

/** Bodies with photos, which the browser shows to no protocol; what the page keeps; what stands in it. */
async function readPage(capture: CapturePage): Promise<Seen[]> {
  const bodies = (await capture.bodies()).flatMap(({ url, headers, parts }) => [
    { where: `sent to ${new URL(url).pathname}`, bytes: text(url, headers) },
    ...parts.map(({ name, content }) => ({
      where: `sent to ${new URL(url).pathname}: ${name}`,
      bytes: content,
    })),
  ]);
  const inPage = await capture.page.evaluate(async () => {
    const markup = (root: Document | ShadowRoot): string[] => [
      root instanceof Document ? root.documentElement.outerHTML : root.innerHTML,
      ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) => (shadowRoot ? markup(shadowRoot) : [])),
    ];
    const cached: string[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        cached.push(name, request.url, (await (await cache.match(request))?.text()) ?? '');
      }
    }
    return {
      document: markup(document),
      session: Object.entries(sessionStorage),
      local: Object.entries(localStorage),
      caches: cached,
      title: document.title,
      name: window.name,
      history: JSON.stringify(history.state),
    };
  });
  return [
    ...bodies,
    ...Object.entries(inPage).map(([where, content]) => ({ where: `page: ${where}`, bytes: text(content) })),
    { where: 'events', bytes: text(await capture.events()) },
    {
      where: 'cookies, local storage and databases',
      bytes: text(await capture.context.storageState({ indexedDB: true })),
    },
  ];
}

/**
 * Looks for secrets, in every way of writing in which they may have got out.
 * @param secrets by name
 * @returns the name of each that was found, how it is written, and where; never the secret
 */
export function findSecrets(seen: readonly Seen[], secrets: Readonly<Record<string, string>>): string[] {
  const writings = Object.entries(secrets).flatMap(([name, secret]) =>
    waysOfWriting(secret).map(([way, written]) => ({
      name,
      way,
      written: Buffer.from(written).toString('latin1'),
    })),
  );
  return seen.flatMap(({ where, bytes }) => {
    const exact = bytes.toString('latin1');
    const lower = exact.toLowerCase();
    return writings
      .filter(({ way, written }) => (way.includes('hex') ? lower : exact).includes(written))
      .map(({ name, way }) => `${name}, ${way}, in ${where}`);
  });
}

/** As it is, and as JSON, addresses, forms and markup escape it; each of these also in base64 and in hex. */
function waysOfWriting(secret: string): [way: string, written: string][] {
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const escaped: Record<string, string> = {
    plain: secret,
    'JSON-escaped': JSON.stringify(secret).slice(1, -1),
    'URL-encoded': encodeURIComponent(secret),
    'form-encoded': new URLSearchParams([['', secret]]).toString().slice(1),
    'HTML-escaped': html,
    'HTML-escaped in an attribute': html.replaceAll('"', '&quot;'),
  };
  const all = Object.entries(escaped).flatMap(([way, written]): [string, string][] => {
    const hex = Buffer.from(written).toString('hex');
    return [
      [way, written],
      [`${way}, then hex`, hex],
      [`${way}, then each byte percent-encoded in hex`, hex.replaceAll(/../g, '%$&')],
      ...[0, 1, 2].flatMap((before): [string, string][] => {
        const base64 = base64Behind(before, Buffer.from(written));
        return [
          [`${way}, then base64`, base64],
          [`${way}, then base64url`, base64.replaceAll('+', '-').replaceAll('/', '_')],
        ];
      }),
    ];
  });
  // Where an escape changes nothing, the plain way has it.
  return all.filter(([, written], index) => all.findIndex(([, other]) => other === written) === index);
}

/** The characters of base64 that tell of these bytes alone, with so many other bytes before them. */
function base64Behind(before: number, bytes: Buffer): string {
  const base64 = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
  return base64.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}
