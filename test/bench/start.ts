import type { BenchBrowser, BenchPage } from './browser.ts';
import { modelsOn } from './frames.ts';
import type { BareStart } from './page/page.ts';
import type { Fetched } from './probe.ts';
import type { Site } from './site.ts';
import { type Ratio, ratioOf, type Spread, spreadOf } from './statistics.ts';
import { elapsed, MOMENTS, openTag } from './tag.ts';

/** Times from the tag's upgrade, with the start button pressed at once, ms. */
export interface StartTimes {
  readonly camera: Spread;
  /** Until camera and models are there. */
  readonly ready: Spread;
  readonly hint: Spread;
  /** Of a person who is good from the start. */
  readonly capture: Spread;
}

/** MediaPipe alone: from its worker's construction, ms. */
interface BareTimes {
  /** Landmarker and detector are created. */
  readonly created: Spread;
  /** Both have run once. */
  readonly inferred: Spread;
}

/** How long it takes until something happens. */
export interface StartFigures {
  /** Nothing in the browser's cache. */
  readonly cold: StartTimes;
  /** Everything in it. */
  readonly warm: StartTimes;
  /** With `preload`, from the press of the start button some seconds later; everything in the cache. */
  readonly preloaded: StartTimes;
  /** With everything in the cache, by the runtime's file. */
  readonly bare: Readonly<Record<string, BareTimes>>;
  /** First hint with everything in the cache over MediaPipe alone, by the runtime's file. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

/** What was fetched until the first hint with nothing in the cache. */
export type ByteFigures = Fetched;

type Times = Record<keyof StartTimes, number>;

/** How long somebody reads the start screen, ms. */
const READS = 3000;

/**
 * Measures the start and, on its first cold one, the bytes.
 * @param runtimes names of the runtime's files
 */
export async function measureStart(
  browser: BenchBrowser,
  site: Site,
  { runtimes, quick }: { runtimes: readonly string[]; quick: boolean },
): Promise<{ start: StartFigures; bytes: ByteFigures }> {
  site.setFrames('selfie', await browser.frames('selfie'));
  const cold: Times[] = [];
  const warm: Times[] = [];
  const preloaded: Times[] = [];
  const bare = new Map<string, BareStart[]>(runtimes.map((runtime) => [runtime, []]));
  let bytes: ByteFigures | null = null;
  for (let run = 0; run < (quick ? 3 : 7); run++) {
    const context = await browser.newProfile();
    try {
      const first = await openTag(browser, site, { context });
      cold.push(await timesOf(first));
      bytes ??= await first.bytes.upTo(await momentOfHint(first));
      await first.page.close();
      const second = await openTag(browser, site, { context });
      warm.push(await timesOf(second));
      await second.page.close();
      const third = await openTag(browser, site, { context, preload: READS });
      preloaded.push(await timesOf(third, 'pressed'));
      await third.page.close();
      for (const [runtime, times] of bare) {
        // The first fills the cache.
        await startBare(browser, site, context, runtime);
        times.push(await startBare(browser, site, context, runtime));
      }
    } finally {
      await context.close();
    }
  }
  if (bytes === null) throw new Error('Nothing was counted.');
  const warmTimes = spreadsOf(warm);
  const bareTimes = [...bare].map(
    ([runtime, times]) =>
      [
        runtime,
        {
          created: spreadOf(times.map(({ created }) => created)),
          inferred: spreadOf(times.map(({ took }) => took)),
        },
      ] as const,
  );
  const start: StartFigures = {
    cold: spreadsOf(cold),
    warm: warmTimes,
    preloaded: spreadsOf(preloaded),
    bare: Object.fromEntries(bareTimes),
    ratios: Object.fromEntries(
      bareTimes.map(([runtime, { inferred }]) => [runtime, ratioOf(warmTimes.hint, inferred)]),
    ),
  };
  return { start, bytes };
}

async function timesOf(opened: BenchPage, from: 'upgrade' | 'pressed' = 'upgrade'): Promise<Times> {
  // The last one first, so that nothing is asked of the page while it is measured.
  const capture = await elapsed(opened, from, 'capture');
  return {
    camera: await elapsed(opened, from, 'camera'),
    ready: await elapsed(opened, from, 'ready'),
    hint: await elapsed(opened, from, 'hint'),
    capture,
  };
}

const spreadsOf = (times: readonly Times[]): StartTimes => ({
  camera: spreadOf(times.map(({ camera }) => camera)),
  ready: spreadOf(times.map(({ ready }) => ready)),
  hint: spreadOf(times.map(({ hint }) => hint)),
  capture: spreadOf(times.map(({ capture }) => capture)),
});

/** ms since 1970. */
const momentOfHint = ({ page }: BenchPage): Promise<number> =>
  page.evaluate((name) => performance.timeOrigin + (window.benchProbe.marks[name] ?? Infinity), MOMENTS.hint);

async function startBare(
  browser: BenchBrowser,
  site: Site,
  context: Parameters<BenchBrowser['newPage']>[0],
  runtime: string,
): Promise<BareStart> {
  const { page } = await browser.newPage(context);
  try {
    await page.goto(site.benchPage);
    await page.waitForFunction(() => 'bench' in window);
    const models = { ...modelsOn(site, runtime), detects: true };
    return await page.evaluate(([wanted, picture]) => window.bench.startBare(wanted, picture), [
      models,
      '/frames/selfie/0',
    ] as const);
  } finally {
    await page.close();
  }
}
