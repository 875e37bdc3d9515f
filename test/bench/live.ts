import type { BenchBrowser } from './browser.ts';
import type { MainThread } from './probe.ts';
import type { Site } from './site.ts';
import { NEVER_SHARP, openTag, reach } from './tag.ts';

/** Live guidance for a while. */
export interface LiveFigures {
  readonly fullSpeed: Watched;
  /** With a processor of a quarter of the speed. */
  readonly slowedDown: Watched;
  /** How many times longer the same work really took then. */
  readonly slowedDownBy: number;
}

/** The main thread, and how many frames were analysed a second. */
export interface Watched extends MainThread {
  readonly framesPerSecond: number;
}

/** How many times slower the processor of a cheap phone is taken to be. */
const SLOW_DOWN = 4;
/** Guidance has come to rest after so long, ms: the person's mask has started. */
const SETTLED_AFTER = 2000;

/** Watches the guidance of a person whom it never finds sharp enough. */
export async function measureLive(browser: BenchBrowser, site: Site, quick: boolean): Promise<LiveFigures> {
  const opened = await openTag(browser, site, { thresholds: NEVER_SHARP });
  const { page } = opened;
  const watch = async (milliseconds: number): Promise<Watched> => {
    await page.evaluate(() => window.benchProbe.begin());
    await page.waitForTimeout(milliseconds);
    const watched = await page.evaluate(() => window.benchProbe.end());
    return { ...watched, framesPerSecond: (1000 * watched.framesPosted) / watched.duration };
  };
  try {
    await reach(opened, 'hint');
    await page.waitForTimeout(SETTLED_AFTER);
    const work = await page.evaluate(timeWork);
    const fullSpeed = await watch(quick ? 6_000 : 25_000);
    const endSlowDown = await browser.slowDown(SLOW_DOWN);
    try {
      await page.waitForTimeout(SETTLED_AFTER);
      const slowedDownBy = (await page.evaluate(timeWork)) / work;
      const slowedDown = await watch(quick ? 5_000 : 15_000);
      const state = await page.locator('kyc-capture').getAttribute('state');
      if (state !== 'live') throw new Error(`The guidance ended: the tag is ${state}.`);
      return { fullSpeed, slowedDown, slowedDownBy };
    } finally {
      await endSlowDown();
    }
  } finally {
    await page.context().close();
  }
}

/** Runs in the page, beside the guidance: ms that arithmetic takes, the median of several. */
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
