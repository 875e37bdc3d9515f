import type { Worker } from '@playwright/test';
import type { BenchBrowser } from './browser.ts';
import type { BareModels } from './page/bare-worker.ts';
import type { FrameTime } from './page/page.ts';
import type { Site } from './site.ts';
import { type Ratio, ratioByRounds, type Spread, spreadOf } from './statistics.ts';

/** What one frame costs one contender, ms. */
interface FrameCost {
  readonly name: string;
  /** From the page's question to its answer. */
  readonly page: Spread;
  /** Inside the worker, from the message to what is posted in answer. */
  readonly worker: Spread;
  /** Share of the frames on which a face was found. */
  readonly found: number;
}

/** What a frame costs: the widget against MediaPipe alone, one runtime after the other, and against Google's bundle. */
export interface FrameFigures {
  readonly contenders: readonly FrameCost[];
  /** The widget over each other, by its name, inside the worker, while it guides a person into place. */
  readonly ratios: Readonly<Record<string, Ratio>>;
  /** The same while a person is in place, and one frame in five may be the photo: a second or two of a journey. */
  readonly inPlace: Readonly<Record<string, Ratio>>;
  /** The same as the page sees it. */
  readonly pageRatios: Readonly<Record<string, Ratio>>;
  /** Why Google's bundle is not among them although it was given, or null. */
  readonly googleFault: string | null;
}

/** The widget's names among them. */
const WIDGETS = { guiding: 'widget, guiding', inPlace: 'widget, person in place' } as const;
/** MediaPipe alone with the runtime that the widget begins with. */
export const BARE = 'bare loop';
/** The same with two faces wanted, which runs its detector on every frame that shows one. */
export const TWO_FACES = 'bare loop, two faces';
/** Google's bundle, with two faces wanted. */
export const GOOGLE = 'Google’s bundle, two faces';

/**
 * Frames of a round, and those at its beginning that are not counted: memory is another's then. A machine that others
 * share is slower by a third for some seconds, so that rounds are short; no multiple of the frames between two close looks.
 */
const ROUND = 25;
const SETTLING = 4;
/** Rounds before any is counted: everybody has started all that they start, and their code is compiled. */
const WARM_UP_ROUNDS = 5;

/** A frame, timed on the page and inside the worker. */
interface Timed extends FrameTime {
  /** ms */
  readonly worker: number;
}

/** URLs of what MediaPipe alone is started with. */
export const modelsOn = (site: Site, runtime: string): BareModels => ({
  runtime: `${site.url}dist/assets/${runtime}`,
  landmarker: `${site.url}dist/assets/face.task`,
  detector: `${site.url}dist/assets/face_detector.tflite`,
  detects: false,
  faces: 1,
});

/**
 * Measures frames.
 * @param runtimes names of the runtime's files, that which the widget begins with first
 * @param google true where the site has Google's bundle
 */
export async function measureFrames(
  browser: BenchBrowser,
  site: Site,
  { runtimes, google, quick }: { runtimes: readonly string[]; google: boolean; quick: boolean },
): Promise<FrameFigures> {
  const shown = await browser.frames('selfie');
  site.setFrames('selfie', shown);
  const { page } = await browser.newPage();
  try {
    await page.goto(site.benchPage);
    await page.waitForFunction(() => 'bench' in window);
    await page.evaluate((count) => window.bench.loadFrames('selfie', count), shown.length);
    const within = new Map<string, () => Promise<readonly number[]>>();
    const openTimed = async (opened: readonly string[], opening: Promise<void>): Promise<void> => {
      const [worker] = await Promise.all([page.waitForEvent('worker'), opening]);
      await takeTimes(worker);
      for (const name of opened) within.set(name, () => takeTimes(worker));
    };
    await openTimed(
      Object.values(WIDGETS),
      page.evaluate((given) => window.bench.openWidget(...given), [WIDGETS, site.timed] as const),
    );
    const open = (name: string, models: BareModels): Promise<void> =>
      openTimed(
        [name],
        page.evaluate((given) => window.bench.openBare(...given), [name, models, site.timed] as const),
      );
    for (const [index, runtime] of runtimes.entries())
      await open(index === 0 ? BARE : `${BARE}, ${runtime}`, modelsOn(site, runtime));
    const [slim = '', full = slim] = runtimes;
    await open(TWO_FACES, { ...modelsOn(site, slim), faces: 2 });
    const googleModels = { ...modelsOn(site, full), landmarker: `${site.url}model`, faces: 2 };
    const googleFault = google ? await open(GOOGLE, googleModels).then(() => null, firstLineOf) : null;

    const names = [...within.keys()];
    const rounds = new Map<string, Timed[][]>(names.map((name) => [name, []]));
    for (let round = 0; round < WARM_UP_ROUNDS + (quick ? 10 : 20); round++) {
      // There and back, so that whoever comes first has no advantage.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const told = await page.evaluate(([given, count]) => window.bench.run(given, count), [
          name,
          ROUND,
        ] as const);
        const inside = (await within.get(name)?.()) ?? [];
        if (inside.length !== told.length)
          throw new Error(`${name}: not every frame was timed in the worker.`);
        const complete = told.map((time, index) => ({ ...time, worker: inside[index] ?? NaN }));
        if (round >= WARM_UP_ROUNDS) rounds.get(name)?.push(complete.slice(SETTLING));
      }
    }
    return {
      contenders: [...rounds].map(([name, each]) => costOf(name, each.flat())),
      ratios: ratios(rounds, WIDGETS.guiding, 'worker'),
      inPlace: ratios(rounds, WIDGETS.inPlace, 'worker'),
      pageRatios: ratios(rounds, WIDGETS.guiding, 'page'),
      googleFault,
    };
  } finally {
    await page.context().close();
  }
}

/** What went wrong, without the stack of the runtime. */
export const firstLineOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

function costOf(name: string, times: readonly Timed[]): FrameCost {
  return {
    name,
    page: spreadOf(times.map(({ page }) => page)),
    worker: spreadOf(times.map(({ worker }) => worker)),
    found: times.filter(({ faces }) => faces > 0).length / times.length,
  };
}

function ratios(
  rounds: ReadonlyMap<string, readonly (readonly Timed[])[]>,
  name: string,
  place: 'page' | 'worker',
): Record<string, Ratio> {
  const spreadsOf = (of: string): Spread[] =>
    (rounds.get(of) ?? []).map((round) => spreadOf(round.map((time) => time[place])));
  const widget = spreadsOf(name);
  const others = [...rounds.keys()].filter((other) => !Object.values<string>(WIDGETS).includes(other));
  return Object.fromEntries(others.map((other) => [other, ratioByRounds(widget, spreadsOf(other))]));
}

/** What it has noted since it was asked last: `timing.ts`. */
const takeTimes = (worker: Worker): Promise<readonly number[]> =>
  worker.evaluate(() => (globalThis as unknown as { benchTimes: number[] }).benchTimes.splice(0));
