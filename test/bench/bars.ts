import type { Figures } from './figures.ts';
import { BARE, GOOGLE, TWO_FACES } from './frames.ts';
import type { PhotoFigures } from './photo.ts';

/*
 * What must hold. Ratios are of figures of one run, so that the machine cancels out.
 */

/** One thing that must hold, and whether it does. */
export interface Bar {
  readonly what: string;
  /** What was measured, in words; null where it was not. */
  readonly figure: string | null;
  readonly bar: string;
  /** null where it was not measured. */
  readonly met: boolean | null;
}

/** The most or the least that is allowed. */
interface Limit {
  readonly what: string;
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Digits behind the point. */
  readonly digits: number;
}

/** Numbers as the report shows them. */
export const shown = (value: number, digits = 0): string => value.toFixed(digits);

function barOf(limit: Limit, value: number | null | undefined): Bar {
  const { what, unit, atMost = Infinity, atLeast = -Infinity, digits } = limit;
  const bar = atMost < Infinity ? `at most ${shown(atMost, digits)}` : `at least ${shown(atLeast, digits)}`;
  if (value === null || value === undefined) return { what, figure: null, bar: `${bar} ${unit}`, met: null };
  return {
    what,
    figure: `${shown(value, digits)} ${unit}`.trim(),
    bar: `${bar} ${unit}`.trim(),
    met: value <= atMost && value >= atLeast,
  };
}

const KILOBYTE = 1000;
const MEGABYTE = 1_000_000;

/** Every bar, in the order of the sections. */
export function barsOf(figures: Figures): readonly Bar[] {
  return [
    ...frameBars(figures),
    ...liveBars(figures),
    ...startBars(figures),
    ...photoBars(figures),
    memoryBar(figures),
  ];
}

function frameBars({ frames }: Figures): readonly Bar[] {
  const bare = frames?.ratios[BARE];
  const google = frames?.ratios[GOOGLE];
  const inPlace = frames?.inPlace[BARE];
  const toBare = { unit: '×', atMost: 1.2, digits: 2 };
  const toGoogle = { unit: '×', atMost: 0.65, digits: 2 };
  return [
    barOf({ what: 'a frame in the worker, over the bare loop, medians', ...toBare }, bare?.median),
    barOf({ what: 'the same, means', ...toBare }, bare?.mean),
    barOf({ what: 'the same of a person who is in place, medians', ...toBare }, inPlace?.median),
    barOf({ what: 'the same of a person who is in place, means', ...toBare }, inPlace?.mean),
    barOf(
      { what: 'a frame in the worker, over Google’s bundle with two faces, medians', ...toGoogle },
      google?.median,
    ),
    barOf({ what: 'the same, means', ...toGoogle }, google?.mean),
    // Of a quicker stand-in it is the stricter bar, and there is one wherever the bench runs.
    barOf(
      { what: 'the same over the smaller model here with two faces, medians', ...toGoogle },
      frames?.ratios[TWO_FACES]?.median,
    ),
  ];
}

function liveBars({ live }: Figures): readonly Bar[] {
  const { longTasks, duration, framesPerSecond } = live?.fullSpeed ?? {};
  const seconds = duration === undefined ? '25' : shown(duration / 1000);
  return [
    barOf(
      {
        what: `main-thread long tasks over ${seconds} s of live guidance`,
        unit: 'ms',
        atMost: 149,
        digits: 0,
      },
      longTasks?.total,
    ),
    barOf({ what: 'the longest of them', unit: 'ms', atMost: 60, digits: 0 }, longTasks?.worst),
    barOf({ what: 'frames analysed a second', unit: '/s', atLeast: 20, digits: 1 }, framesPerSecond),
    barOf(
      { what: 'the same with a processor 4 times slower', unit: '/s', atLeast: 8, digits: 1 },
      live?.stopped.framesPerSecond,
    ),
  ];
}

function startBars({ start, bytes, element, peers }: Figures): readonly Bar[] {
  // The worst of them, which is that of the quickest peer.
  const races = (peers ?? []).flatMap(({ race }) => (race ? [race.widget / race.peer] : []));
  const toPeers = races.length > 0 ? Math.max(...races) : null;
  const [bare] = Object.values(start?.ratios ?? {});
  return [
    barOf(
      {
        what: 'first hint, warm, over creating the bare tasks and one inference',
        unit: '×',
        atMost: 1.3,
        digits: 2,
      },
      bare?.median,
    ),
    barOf(
      {
        what: 'first hint, warm, over the quickest peer’s first feedback, in turn',
        unit: '×',
        atMost: 1,
        digits: 2,
      },
      toPeers,
    ),
    barOf(
      { what: 'fetched before the first hint, gzip', unit: 'MB', atMost: 3, digits: 2 },
      bytes && bytes.gzip / MEGABYTE,
    ),
    barOf({ what: 'the element, gzip', unit: 'kB', atMost: 40, digits: 1 }, element.gzip / KILOBYTE),
  ];
}

function photoBars({ photo }: Figures): readonly Bar[] {
  const most = (of: (each: PhotoFigures) => boolean, value: (each: PhotoFigures) => number): number | null =>
    photo && Math.max(...photo.filter(of).map(value));
  return [
    barOf(
      { what: 'shutter to Blob, selfie, the slowest kind’s median', unit: 'ms', atMost: 150, digits: 0 },
      most(
        ({ step }) => step === 'selfie',
        ({ took }) => took.median,
      ),
    ),
    barOf(
      {
        what: 'shutter to Blob, straightened card, the slowest kind’s median',
        unit: 'ms',
        atMost: 300,
        digits: 0,
      },
      most(
        ({ straightened }) => straightened,
        ({ took }) => took.median,
      ),
    ),
    barOf(
      { what: 'encodes of a whole photo', unit: '', atMost: 3, digits: 0 },
      most(
        () => true,
        ({ encodes }) => encodes,
      ),
    ),
    barOf(
      { what: 'bytes of a photo over the provider’s limit, the largest', unit: '×', atMost: 1, digits: 2 },
      most(
        () => true,
        ({ bytes, limit }) => bytes / limit,
      ),
    ),
  ];
}

function memoryBar({ memory }: Figures): Bar {
  const sessions = memory?.sessions ?? 20;
  return barOf(
    { what: `heap growth over ${sessions} sessions`, unit: 'MB', atMost: 2, digits: 2 },
    memory && memory.growth / MEGABYTE,
  );
}
