import { Hono } from 'hono';
import { APP_PATHS, createApp } from '../../src/server/index.ts';

/**
 * Relay and sandbox in a service worker, for a demo without a server. What they know (secrets, tokens, jobs) is made
 * up when the worker starts and lives in its memory only. The browser may end the worker at any time; the next request
 * starts another, which knows nothing of what went before: a token is then renewed by the widget, and a job that is
 * lost ends in an error after which the photos can be sent again.
 */

declare const self: ServiceWorkerGlobalScope;

const { scope } = self.registration;
/** The path below the scope, whatever folder the demo lies in. */
const pathBelowScope = ({ url }: Request): string =>
  new URL(url).pathname.slice(new URL(scope).pathname.length - 1);

// Routed by that path, while the request keeps its URL, from which the relay tells where to send the photos.
const app = new Hono({ getPath: pathBelowScope }).route('/', createApp());

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const ours =
    request.url.startsWith(scope) &&
    Object.values(APP_PATHS).some((path) => pathBelowScope(request).startsWith(path));
  if (ours) event.respondWith(app.fetch(request));
});

self.addEventListener('install', () => void self.skipWaiting());
// The page waits for this, so that a first visit needs no reload.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => event.waitUntil(self.clients.claim()));
