import { proxy, releaseProxy, transfer, wrap } from 'comlink';
import { simd } from 'wasm-feature-detect';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { WorkerApi } from './worker.ts';

/*
 * Where the analysis runs: in a module worker, or on the page's own main thread. Either gets the one file worker.js.
 */

/** The file, in the assets folder. */
export const WORKER_FILE = 'worker.js';

/** A thread that the analysis can run on. */
export type Place = 'worker' | 'main-thread';

/** The threads that a rung runs on, the better one first. */
export const PLACES: Record<AnalysisRung, readonly Place[]> = {
  worker: ['worker'],
  'main-thread': ['main-thread'],
  'face-box': ['worker', 'main-thread'],
};

/**
 * Why the analysis cannot run in this browser and page, as far as a cheap look can tell; null where it may.
 * @returns English, for developers
 */
export async function obstacleTo(place: Place): Promise<string | null> {
  if (typeof WebAssembly === 'undefined' || !(await simd())) return 'no WebAssembly with SIMD';
  if (place === 'worker') {
    if (typeof Worker === 'undefined') return 'no workers';
    return typeof OffscreenCanvas === 'undefined' || new OffscreenCanvas(1, 1).getContext('2d') === null
      ? 'no OffscreenCanvas for 2D'
      : null;
  }
  return mayCompile() ? null : "the page's Content-Security-Policy has no 'wasm-unsafe-eval'";
}

/** The shortest module there is: its magic number and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

function mayCompile(): boolean {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

/** The analysis on a thread. */
export interface Host {
  readonly api: Omit<WorkerApi, 'close'>;
  /** Ends it and frees everything. */
  stop(): void;
}

/** What a host is started with. */
export interface HostOptions {
  /** Where worker.js is. */
  readonly url: URL;
  /** What it holds, checked. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The longest that a frame may keep the main thread busy, ms: nothing can end it in the midst. */
  readonly frameLimit: () => number;
  /** Called where nothing more is to be expected. */
  readonly onBroken: (why: string) => void;
}

/**
 * Starts worker.js on a thread.
 * @throws Error where the browser or the page's policy forbids it
 */
export function startHost(place: Place, options: HostOptions): Promise<Host> | Host {
  return place === 'worker' ? startWorker(options) : importHere(options);
}

/** URLs whose bytes were checked: of worker.js on the page's own origin, or of a blob of ours. */
const checked = new Set<string>();

/**
 * Where the checked bytes are run from. On the page's own origin that is their URL, which `'self'` in a policy allows;
 * no page may start a worker of another origin, so from there it is a blob.
 */
function runnable({ url, bytes }: HostOptions): { readonly url: string; readonly release: () => void } {
  const isOwn = url.origin === location.origin;
  const runs = isOwn ? url.href : URL.createObjectURL(new Blob([bytes], { type: 'text/javascript' }));
  checked.add(runs);
  const release = (): void => {
    if (isOwn) return;
    checked.delete(runs);
    URL.revokeObjectURL(runs);
  };
  return { url: runs, release };
}

/** The part of the Trusted Types API that is used here; TypeScript's libraries do not have it. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

let policy: { createScriptURL(url: string): string } | undefined;

/** The Worker constructor is a Trusted Types sink; a page that demands them allows the policy `kyc-capture`. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  // Kept, because a page may forbid a second policy of the same name.
  policy ??= trustedTypes.createPolicy('kyc-capture', {
    createScriptURL: (candidate) => {
      if (!checked.has(candidate)) throw new TypeError(`Only a checked ${WORKER_FILE}.`);
      return candidate;
    },
  });
  return policy.createScriptURL(url);
}

function startWorker(options: HostOptions): Host {
  const { url, release } = runnable(options);
  const worker = new Worker(trusted(url), { type: 'module', name: 'kyc-capture' });
  const broken = (event: Event): void => {
    // Ours to report, so the browser need not write it into the page's console as well.
    event.preventDefault();
    options.onBroken('The analysis crashed in its worker.');
  };
  worker.addEventListener('error', broken);
  worker.addEventListener('messageerror', broken);
  const remote = wrap<WorkerApi>(worker);
  return {
    api: {
      open: (request, tell) => remote.open(request, proxy(tell)),
      analyse: (frame, ...rest) => remote.analyse(transfer(frame, [frame]), ...rest),
    },
    stop() {
      remote[releaseProxy]();
      worker.terminate();
      release();
    },
  };
}

/** The longest rest after a frame, ms: a longer pause between two frames breaks a hold. */
const LONGEST_REST = 500;

/** Modules stay in memory for the life of a page, so a blob is imported once for the file that it holds. */
const imported = new Map<string, Promise<{ createAnalysis: () => WorkerApi }>>();

async function importHere(options: HostOptions): Promise<Host> {
  const key = options.url.href;
  const { url, release } = runnable(options);
  const importing =
    imported.get(key) ??
    (import(/* @vite-ignore */ /* webpackIgnore: true */ url) as Promise<{
      createAnalysis: () => WorkerApi;
    }>);
  imported.set(key, importing);
  const { createAnalysis } = await importing
    .catch((cause: unknown) => {
      imported.delete(key);
      throw cause;
    })
    .finally(release);
  const analysis = createAnalysis();
  let rested: Promise<unknown> = Promise.resolve();
  return {
    api: {
      open: analysis.open,
      async analyse(...frame) {
        await rested;
        const began = performance.now();
        const reply = await analysis.analyse(...frame);
        const took = performance.now() - began;
        // As long as the page has worked for us, it is the page's again.
        rested = new Promise((resolve) => setTimeout(resolve, Math.min(took, LONGEST_REST)));
        if (took > options.frameLimit())
          options.onBroken(`A frame kept the page busy for ${Math.round(took)} ms.`);
        return reply;
      },
    },
    stop: analysis.close,
  };
}
