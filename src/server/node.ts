import { serve } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AddressInfo, Socket } from 'node:net';
import { CaptureError } from '../domain/result.ts';
import type { RelaySettings } from './environment.ts';
import { createRelay } from './relay.ts';

/** A relay that listens. */
export interface RunningRelay {
  readonly port: number;
  /** Takes no more requests, and ends when those in flight have their answers. */
  close(): Promise<void>;
}

/** Until a request has arrived as a whole, its wait included, ms: a megabyte at 100 kbit/s takes 80 s. */
const REQUEST_TIMEOUT = 120_000;
/**
 * For a connection without a request, ms: longer than proxies (60 s) keep theirs, so that none sends photos into a
 * connection that is about to end. Node's own 5 s lost uploads under load.
 */
const KEEP_ALIVE_TIMEOUT = 75_000;

/**
 * Starts the relay on Node's own server.
 * @param log gets one line for each request, and nothing personal
 * @throws CaptureError `configuration-invalid` for settings that cannot work; Error where the port is taken
 */
export async function serveRelay(
  { relay, host, port, path, redisUrl, trustedProxies }: RelaySettings,
  log: (line: string) => void,
): Promise<RunningRelay> {
  const redis = redisUrl === null ? null : await (await import('./redis.ts')).connectRedis(redisUrl);
  const clients = new WeakMap<Request, string>();
  const app = createRelay({ clientOf: (request) => clients.get(request) ?? null, ...relay, ...redis });
  const all = new Hono();
  all.use(logRequests(log));
  all.get('/health', () => app.request('/health'));
  all.route(path === '' ? '/' : path, app);

  let closing = false;
  /** Connections that have asked for nothing yet: browsers and balancers open some in advance. */
  const silent = new Set<Socket>();
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: async (request, { incoming }) => {
          silent.delete(incoming.socket);
          const address = incoming.socket.remoteAddress ?? '';
          const forwarded = request.headers.get('x-forwarded-for');
          clients.set(request, clientAddress(address, forwarded, trustedProxies));
          const response = await all.fetch(request);
          // A connection that is kept would hold the server open, and could bring another request.
          if (closing) response.headers.set('connection', 'close');
          return response;
        },
        hostname: host,
        port,
        serverOptions: { requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: KEEP_ALIVE_TIMEOUT },
      },
      (address: AddressInfo) => {
        resolve({
          port: address.port,
          close: async () => {
            closing = true;
            const closed = new Promise((resolve) => server.close(resolve));
            for (const socket of silent) socket.destroy();
            await closed;
            redis?.close();
          },
        });
      },
    );
    server.on('connection', (socket: Socket) => {
      silent.add(socket);
      socket.once('close', () => silent.delete(socket));
    });
    server.on('error', (error: Error) => {
      redis?.close();
      reject(error);
    });
  });
}

/**
 * Who sends a request: an IPv4 address, or the 64 bits of an IPv6 address that a customer of a network has for
 * himself.
 * @param forwarded the header `X-Forwarded-For`
 * @param trustedProxies so many of its last entries, and the connection itself, are proxies of one's own
 */
export function clientAddress(socket: string, forwarded: string | null, trustedProxies: number): string {
  const hops = [...(forwarded ?? '').split(',').map((hop) => hop.trim()), socket].filter((hop) => hop !== '');
  const address = hops.at(Math.max(-hops.length, -1 - trustedProxies)) ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':') || !URL.canParse(`http://[${address}]`)) return address;
  // The URL parser writes every address in one way, with at most one gap.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const gap = tail === undefined ? 0 : 8 - groups.length - after.length;
  return [...groups, ...Array<string>(gap).fill('0'), ...after].slice(0, 4).join(':');
}

/** One line for each request: method, path without ids, status, time, and the code of an error. */
function logRequests(log: (line: string) => void): MiddlewareHandler {
  return async (c, next) => {
    const start = performance.now();
    await next();
    const time = `${Math.round(performance.now() - start)} ms`;
    // The path as it was declared: what was asked for may hold anything.
    const words = [c.req.method, routePath(c, -1), String(c.res.status), time];
    // What is no CaptureError is told by its name; its message may quote a request.
    if (c.error) words.push(c.error instanceof CaptureError ? c.error.code : c.error.name);
    log(words.join(' '));
  };
}
