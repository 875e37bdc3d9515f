import type { Page, Worker } from '@playwright/test';
import type { BenchBrowser } from './browser.ts';
import type { BareModels } from './page/bare-worker.ts';
import type { FrameTime } from './page/page.ts';
import type { Site } from './site.ts';
import { type Ratio, ratioOf, type Spread, spreadOf } from './statistics.ts';

/** What one frame costs one contender, ms. */
interface FrameCost {
  readonly name: string;
  /** From the page's question to its answer. */
  readonly page: Spread;
  /** Inside the worker. */
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
/** Google's bundle, with two faces wanted. */
export const GOOGLE = 'Google’s bundle, two faces';

/** Frames of a round, and those at its beginning that are not counted: a face is found anew. */
const ROUND = 60;
const SETTLING = 12;

/** URLs of what MediaPipe alone is started with. */
export const modelsOn = (site: Site, runtime: string): BareModels => ({
  runtime: `${site.url}dist/assets/${runtime}`,
  landmarker: `${site.url}dist/assets/face.task`,
  detector: null,
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
    for (const name of Object.values(WIDGETS)) within.set(name, await openWidget(page, name));
    const names: string[] = [...within.keys()];
    const open = async (name: string, models: BareModels): Promise<void> => {
      await page.evaluate(([given, wanted]) => window.bench.openBare(given, wanted), [name, models] as const);
      names.push(name);
    };
    for (const [index, runtime] of runtimes.entries())
      await open(index === 0 ? BARE : `${BARE}, ${runtime}`, modelsOn(site, runtime));
    const full = runtimes.at(-1);
    const googleModels = { ...modelsOn(site, full ?? ''), landmarker: `${site.url}model`, faces: 2 };
    const googleFault = google ? await open(GOOGLE, googleModels).then(() => null, firstLineOf) : null;

    const times = new Map<string, FrameTime[]>(names.map((name) => [name, []]));
    for (let round = 0; round < (quick ? 4 : 8); round++) {
      // There and back, so that whoever comes first has no advantage.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const told = await page.evaluate(([given, count]) => window.bench.run(given, count), [
          name,
          ROUND,
        ] as const);
        const inside = (await within.get(name)?.()) ?? [];
        const complete = told.map((time, index) => ({
          ...time,
          worker: time.worker ?? inside[index] ?? null,
        }));
        times.get(name)?.push(...complete.slice(SETTLING));
      }
    }
    const contenders = [...times].map(([name, each]) => costOf(name, each));
    return {
      contenders,
      ratios: ratios(contenders, WIDGETS.guiding, 'worker'),
      inPlace: ratios(contenders, WIDGETS.inPlace, 'worker'),
      pageRatios: ratios(contenders, WIDGETS.guiding, 'page'),
      googleFault,
    };
  } finally {
    await page.context().close();
  }
}

/** What went wrong, without the stack of the runtime. */
export const firstLineOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

function costOf(name: string, times: readonly FrameTime[]): FrameCost {
  const worker = times.flatMap(({ worker: inside }) => inside ?? []);
  if (worker.length < times.length) throw new Error(`${name}: not every frame was timed inside the worker.`);
  return {
    name,
    page: spreadOf(times.map((time) => time.page)),
    worker: spreadOf(worker),
    found: times.filter(({ faces }) => faces > 0).length / times.length,
  };
}

function ratios(
  contenders: readonly FrameCost[],
  name: string,
  place: 'page' | 'worker',
): Record<string, Ratio> {
  const widget = contenders.find((one) => one.name === name);
  if (!widget) return {};
  const others = contenders.filter((one) => !Object.values<string>(WIDGETS).includes(one.name));
  return Object.fromEntries(others.map((other) => [other.name, ratioOf(widget[place], other[place])]));
}

/**
 * Opens the widget's analysis.
 * @returns tells what the frames since it was asked last took inside the worker, ms
 */
async function openWidget(page: Page, name: string): Promise<() => Promise<readonly number[]>> {
  const started = page.waitForEvent('worker');
  const opening = page.evaluate(([given, outOfPlace]) => window.bench.openWidget(given, outOfPlace), [
    name,
    name === WIDGETS.guiding,
  ] as const);
  const [worker] = await Promise.all([started, opening]);
  await worker.evaluate(timeMessages);
  return () => takeTimes(worker);
}

/** Runs in the worker: the time from a message to what is posted in answer to it. */
function timeMessages(): void {
  const scope = globalThis as unknown as {
    benchTimes: number[];
    postMessage: (...message: unknown[]) => void;
    addEventListener: (type: string, listener: () => void, capture: boolean) => void;
  };
  scope.benchTimes = [];
  let began = 0;
  // Called before the worker's own listener, which is none that captures.
  scope.addEventListener('message', () => (began = performance.now()), true);
  const post = scope.postMessage.bind(scope);
  scope.postMessage = (...message) => {
    scope.benchTimes.push(performance.now() - began);
    post(...message);
  };
}

const takeTimes = (worker: Worker): Promise<readonly number[]> =>
  worker.evaluate(() => (globalThis as unknown as { benchTimes: number[] }).benchTimes.splice(0));
