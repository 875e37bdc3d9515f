import type { BenchBrowser } from './browser.ts';
import type { MainThread } from './probe.ts';
import type { Site } from './site.ts';
import { NEVER_SHARP, openTag, reach } from './tag.ts';

/** Live guidance for a while. */
export interface LiveFigures {
  readonly fullSpeed: Watched;
  /** With Chromium's own emulation of a processor of a quarter of the speed, which slows the page's main thread alone. */
  readonly emulated: Slowed;
  /** With every process of the pages and the drawing stopped for so much of the time that arithmetic takes four times as long. */
  readonly stopped: Slowed;
  /** Workers that the page made. */
  readonly workers: number;
}

/** The main thread, and how many frames were analysed a second. */
interface Watched extends MainThread {
  readonly framesPerSecond: number;
}

/** The same with a slower processor. */
export interface Slowed extends Watched {
  /** How many times longer arithmetic really took then, on the main thread and in the worker beside the guidance. */
  readonly slowedBy: Work;
}

/** How many times slower the processor of a cheap phone is taken to be. */
const SLOW_DOWN = 4;
/** Guidance has come to rest after so long, ms: the person's mask has started. */
const SETTLED_AFTER = 2000;

/** Watches the guidance of a person whom it never finds sharp enough. */
export async function measureLive(browser: BenchBrowser, site: Site, quick: boolean): Promise<LiveFigures> {
  const opened = await openTag(browser, site, { thresholds: NEVER_SHARP });
  const { page, cdp } = opened;
  const watch = async (milliseconds: number): Promise<Watched> => {
    await page.evaluate(() => window.benchProbe.begin());
    await page.waitForTimeout(milliseconds);
    const watched = await page.evaluate(() => window.benchProbe.end());
    return { ...watched, framesPerSecond: (1000 * watched.framesPosted) / watched.duration };
  };
  const timeBoth = async (): Promise<Work> => {
    const [worker] = page.workers();
    if (!worker) throw new Error('The tag has no worker.');
    return { page: await page.evaluate(timeWork), worker: await worker.evaluate(timeWork) };
  };
  try {
    await reach(opened, 'hint');
    await page.waitForTimeout(SETTLED_AFTER);
    const work = await timeBoth();
    const fullSpeed = await watch(quick ? 6_000 : 25_000);
    const watchSlowed = async (slowDown: () => Promise<() => Promise<unknown>>): Promise<Slowed> => {
      const end = await slowDown();
      try {
        // Before and after, because other work on the machine comes and goes.
        const slow = [await timeBoth()];
        const watched = await watch(quick ? 5_000 : 15_000);
        slow.push(await timeBoth());
        const state = await page.locator('kyc-capture').getAttribute('state');
        if (state !== 'live') throw new Error(`The guidance ended: the tag is ${state}.`);
        const times = (of: keyof Work): number =>
          slow.reduce((sum, one) => sum + one[of] / work[of], 0) / slow.length;
        return { ...watched, slowedBy: { page: times('page'), worker: times('worker') } };
      } finally {
        await end();
      }
    };
    const emulated = await watchSlowed(async () => {
      await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOW_DOWN });
      return () => cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
    });
    const stopped = await watchSlowed(await slowedTo(SLOW_DOWN, browser, work, timeBoth));
    const workers = await page.evaluate(() => window.benchProbe.workersMade());
    return { fullSpeed, emulated, stopped, workers };
  } finally {
    await page.context().close();
  }
}

/** Times of the page's and of the worker's arithmetic, ms. */
interface Work {
  readonly page: number;
  readonly worker: number;
}

/** Attempts to hit a factor, and how far beside it is a hit. */
const ATTEMPTS = 4;
const NEAR = 0.1;

/**
 * What slows the browser down so far that arithmetic takes `factor` times as long, of page and worker in the mean: the
 * machine's other work, and two threads that wait for the same moment, make it more than the part of time that is lost.
 */
async function slowedTo(
  factor: number,
  browser: BenchBrowser,
  before: Work,
  timeBoth: () => Promise<Work>,
): Promise<() => Promise<() => Promise<void>>> {
  let asked = factor;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const end = await browser.slowDown(asked);
    const slow = await timeBoth().finally(end);
    const got = (slow.page / before.page + slow.worker / before.worker) / 2;
    if (Math.abs(got / factor - 1) <= NEAR) break;
    asked = Math.max(1.5, asked * (factor / got));
  }
  return () => browser.slowDown(asked);
}

/** Runs in the page and in the worker, beside the guidance: ms that arithmetic takes, the median of several. */
async function timeWork(): Promise<number> {
  const times: number[] = [];
  let sum = 0;
  for (let round = 0; round < 9; round++) {
    const began = performance.now();
    for (let step = 0; step < 1e7; step++) sum = (sum + step * 7) | 0;
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, sum === 0 ? 21 : 20));
  }
  return times.sort((a, b) => a - b)[4] ?? NaN;
}
