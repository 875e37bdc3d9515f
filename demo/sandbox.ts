import { SERVER_ANSWERS } from './hosting.ts';

/**
 * Sees to it that somebody answers before the person may start: the server that sent the page, or else the same relay
 * and sandbox in a service worker.
 */

/** Longest wait for the service worker to take the page over, ms. */
const PATIENCE_MS = 10_000;
const WORKER_FILE = 'sandbox-worker.js';

/** True where no server answers, so that relay and sandbox are played in this browser. */
export const playedHere = document.querySelector(`meta[name="${SERVER_ANSWERS}"]`) === null;

/**
 * Resolves once requests below `root` are answered. May be called again, to bring back a worker that was removed.
 * @param root the demo's folder
 * @throws anything where service workers are missing, forbidden or broken
 */
export async function openSandbox(root: URL): Promise<void> {
  if (!playedHere) return;
  // Missing on pages that are not secure, and in some browsers' private windows.
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) throw new Error('There are no service workers here.');
  const script = new URL(WORKER_FILE, root);
  await container.register(trusted(script), { scope: root.href, updateViaCache: 'none' });
  const patience = AbortSignal.timeout(PATIENCE_MS);
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      // Another worker, of a wider scope, may have had the page before.
      if (container.controller?.scriptURL === script.href) resolve();
    };
    patience.addEventListener('abort', () =>
      reject(new Error('The service worker did not take the page over.')),
    );
    container.addEventListener('controllerchange', look, { signal: patience });
    look();
    // A worker that was active already claims nobody by itself: a page that was reloaded by force stays without it.
    void container.ready.then(({ active }) => active?.postMessage('claim'));
  });
}

/** The part of the Trusted Types API that is used here; TypeScript's libraries do not have it. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** To register a service worker is to run a script, so a page that demands Trusted Types takes no plain string. */
function trusted(url: URL): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url.href;
  // Kept, because the page forbids a second policy of the same name.
  policy ??= trustedTypes.createPolicy('kyc-demo', {
    createScriptURL: (candidate) => {
      if (!new URL(candidate).pathname.endsWith(`/${WORKER_FILE}`))
        throw new TypeError('Only the service worker.');
      return candidate;
    },
  });
  return policy.createScriptURL(url.href);
}
