import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { BrowserContext, Page, Request } from '@playwright/test';
import { inPage } from '../../src/playwright/in-page.ts';

/*
 * What is measured in any page, of the widget or of a peer: how long the main thread is kept busy, and what is fetched.
 */

/** How a page's main thread fared between two moments. */
export interface MainThread {
  /** From the one moment to the other, ms. */
  readonly duration: number;
  /** Tasks of more than 50 ms. */
  readonly longTasks: {
    readonly count: number;
    /** Of all of them together, from their beginnings, ms. */
    readonly total: number;
    /** ms */
    readonly worst: number;
  };
  /** The longest time between two animation frames, ms; null where there were fewer than two. */
  readonly worstFrameGap: number | null;
  /** Pictures that the page handed to its workers. */
  readonly framesPosted: number;
}

/** What the probe keeps in the page, at `window.benchProbe`. */
interface Probe {
  /** Remembers the present moment, the first time that the name is given. */
  mark(name: string): void;
  /** Resolves once the name was given. Nobody asks meanwhile: a question for every frame would have the page draw them all. */
  reached(name: string): Promise<void>;
  /** Moments by name, ms since the page began. */
  readonly marks: Record<string, number>;
  /** Begins a window of observation. */
  begin(): void;
  /** Ends it. */
  end(): Promise<MainThread>;
  /** Workers that were made so far, those that have ended among them. */
  workersMade(): number;
}

declare global {
  interface Window {
    /** Installed by `installProbe`. */
    benchProbe: Probe;
  }
}

/** Has the probe run in every page of the context before any script of the page. */
export async function installProbe(target: BrowserContext | Page): Promise<void> {
  await target.addInitScript(inPage(probe, 'benchProbe'));
}

/** Self-contained, because only its text travels into the page. */
function probe(name: string): void {
  if (name in window) return;
  const tasks: { from: number; duration: number }[] = [];
  const keep = (entries: PerformanceEntryList): void => {
    for (const { startTime, duration } of entries) tasks.push({ from: startTime, duration });
  };
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ type: 'longtask', buffered: true });

  let began = 0;
  let last: number | null = null;
  let worstFrameGap: number | null = null;
  let watching = 0;
  const tick = (now: number): void => {
    if (last !== null) worstFrameGap = Math.max(worstFrameGap ?? 0, now - last);
    last = now;
    watching = requestAnimationFrame(tick);
  };

  let framesPosted = 0;
  let made = 0;
  const isPicture = (value: unknown): boolean =>
    value instanceof ImageBitmap || (typeof VideoFrame !== 'undefined' && value instanceof VideoFrame);
  if (typeof Worker !== 'undefined') {
    window.Worker = new Proxy(Worker, {
      construct(target, parameters: ConstructorParameters<typeof Worker>) {
        made++;
        return new target(...parameters);
      },
    });
    // Taken off its prototype only to be called on the worker again.
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (this: Worker, message: unknown, options?: unknown) {
      const moved = Array.isArray(options) ? (options as unknown[]) : [];
      if (moved.some(isPicture)) framesPosted++;
      Reflect.apply(post, this, options === undefined ? [message] : [message, options]);
    };
  }

  const waiting: { readonly moment: string; readonly resolve: () => void }[] = [];
  const kept: Probe = {
    marks: {},
    mark(moment) {
      kept.marks[moment] ??= performance.now();
      for (const one of waiting) if (one.moment === moment) one.resolve();
    },
    reached: (moment) =>
      new Promise((resolve) => {
        if (moment in kept.marks) resolve();
        else waiting.push({ moment, resolve });
      }),
    begin() {
      cancelAnimationFrame(watching);
      began = performance.now();
      [last, worstFrameGap, framesPosted] = [null, null, 0];
      watching = requestAnimationFrame(tick);
    },
    async end() {
      const ended = performance.now();
      cancelAnimationFrame(watching);
      const [gap, posted] = [worstFrameGap, framesPosted];
      // A long task is told of some time after its end.
      await new Promise((resolve) => setTimeout(resolve, 200));
      keep(observer.takeRecords());
      const within = tasks.filter(({ from, duration }) => from + duration > began && from < ended);
      return {
        duration: ended - began,
        longTasks: {
          count: within.length,
          total: within.reduce((sum, { duration }) => sum + duration, 0),
          worst: Math.max(0, ...within.map(({ duration }) => duration)),
        },
        worstFrameGap: gap,
        framesPosted: posted,
      };
    },
    workersMade: () => made,
  };
  Object.defineProperty(window, name, { value: kept });
}

/** The sizes of a body, bytes. */
export interface Sizes {
  readonly raw: number;
  /** With gzip -9. */
  readonly gzip: number;
  /** With brotli -11. */
  readonly brotli: number;
}

/** A file that was fetched. */
export interface FetchedFile extends Sizes {
  readonly url: string;
  readonly origin: string;
}

/** Everything that was fetched up to a moment. */
export interface Fetched extends Sizes {
  readonly files: readonly FetchedFile[];
}

const measured = new Map<string, Sizes>();

/** Measures a body. The same bytes are packed once only: brotli -11 takes half a minute for a large runtime. */
export function sizesOf(body: Buffer): Sizes {
  const hash = createHash('sha256').update(body).digest('hex');
  const known = measured.get(hash);
  if (known) return known;
  const sizes = {
    raw: body.length,
    gzip: gzipSync(body, { level: 9 }).length,
    brotli: brotliCompressSync(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }).length,
  };
  measured.set(hash, sizes);
  return sizes;
}

/** Sums sizes. */
export function sumOfSizes(all: readonly Sizes[]): Sizes {
  const sum = (of: keyof Sizes): number => all.reduce((total, sizes) => total + sizes[of], 0);
  return { raw: sum('raw'), gzip: sum('gzip'), brotli: sum('brotli') };
}

interface Asked {
  readonly request: Request;
  /** ms since 1970 */
  readonly at: number;
}

/** Counts what a page and its workers fetch. */
export class ByteCounter {
  readonly #requests: Asked[] = [];

  /** Must be made before the page is loaded. */
  constructor(page: Page) {
    page.on('request', (request) => this.#requests.push({ request, at: Date.now() }));
  }

  /** Every request so far that went to a server, by its URL. */
  urls(): string[] {
    return this.#asked(Infinity).map(({ request }) => request.url());
  }

  /**
   * What was asked for by a moment, whether or not it had arrived by then: all of it shares the connection. Each file
   * is got once more from its server, because a browser does not keep large bodies, nor those that it streams.
   * @param moment ms since 1970, as `performance.timeOrigin + performance.now()` tells; without it, up to now
   */
  async upTo(moment = Infinity): Promise<Fetched> {
    const urls = new Set(this.#asked(moment).map(({ request }) => request.url()));
    const files: FetchedFile[] = [];
    for (const url of urls) {
      const response = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
      if (!response.ok) continue;
      const body = Buffer.from(await response.arrayBuffer());
      files.push({ url, origin: new URL(url).origin, ...sizesOf(body) });
    }
    return { ...sumOfSizes(files), files };
  }

  #asked(moment: number): readonly Asked[] {
    return this.#requests.filter(
      ({ request, at }) => at <= moment && request.method() === 'GET' && /^https?:/.test(request.url()),
    );
  }
}
