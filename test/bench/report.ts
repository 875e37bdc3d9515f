import { type Bar, barsOf, shown } from './bars.ts';
import type { Figures } from './figures.ts';
import { type FrameFigures, GOOGLE, TWO_FACES } from './frames.ts';
import type { Slowed } from './live.ts';
import type { Sizes } from './probe.ts';
import type { StartTimes } from './start.ts';
import type { Spread } from './statistics.ts';

/*
 * The figures of a run as Markdown.
 */

const MILLION = 1_000_000;

/** A table; cells of a row in the order of the head. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const ms = (value: number): string => shown(value, value < 100 ? 1 : 0);
const megabytes = (bytes: number): string => shown(bytes / MILLION, 2);
const spread = ({ median, mean, p95 }: Spread): readonly string[] => [median, mean, p95].map(ms);
const SPREAD = ['median', 'mean', 'p95'];

/** What must hold, and whether it does. */
function barTable(bars: readonly Bar[]): string {
  const met = (bar: Bar): string => (bar.met === null ? 'not measured' : bar.met ? 'yes' : '**no**');
  return table(
    ['what must hold', 'measured', 'bar', 'met'],
    bars.map((bar) => [bar.what, bar.figure ?? '–', bar.bar, met(bar)]),
  );
}

/** All sections that were measured, each under a heading of its own. */
export function reportOf(figures: Figures): string {
  const { machine, quick } = figures;
  const sections = [
    `${machine.date}, ${machine.processor}, ${machine.cores} cores (load ${shown(machine.load, 1)} at the beginning), ` +
      `headless Chromium ${machine.chromium}${quick ? ', quick run' : ''}. ` +
      'The camera is a file of uncompressed frames, as a phone delivers them.',
    '## What must hold',
    barTable(barsOf(figures)),
    ...peersSection(figures),
    ...framesSection(figures),
    ...liveSection(figures),
    ...startSection(figures),
    ...bytesSection(figures),
    ...photoSection(figures),
    ...memorySection(figures),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The picture beside the report. */
export const PICTURE = 'RESULTS.svg';

function peersSection(figures: Figures): readonly string[] {
  const { peers, start, live, bytes, memory } = figures;
  if (!peers) return [];
  const or = (value: number | null | undefined, show: (value: number) => string): string =>
    value === null || value === undefined ? '–' : show(value);
  const sizes = (each: Sizes | null): readonly string[] =>
    [each?.raw, each?.gzip, each?.brotli].map((size) => or(size, megabytes));
  const rows = peers.map((peer) => [
    `${peer.name} ${peer.version}`,
    or(peer.firstFeedback?.cold, ms),
    or(peer.firstFeedback?.warm, ms),
    or(peer.longTasks?.total, ms),
    or(peer.longTasks?.worst, ms),
    or(peer.worstFrameGap, ms),
    ...sizes(peer.bytes),
    or(peer.heap, megabytes),
    peer.skipped === null ? String(peer.workers) : '–',
  ]);
  const widget = [
    '**the widget**',
    or(start?.cold.hint.median, ms),
    or(start?.warm.hint.median, ms),
    or(live?.fullSpeed.longTasks.total, ms),
    or(live?.fullSpeed.longTasks.worst, ms),
    or(live?.fullSpeed.worstFrameGap, ms),
    ...sizes(bytes),
    or(memory?.pageHeap, megabytes),
    or(live?.workers, String),
  ];
  const head = [
    '',
    'first hint, cold, ms',
    'warm, ms',
    'long tasks, ms in all',
    'worst',
    'worst frame gap, ms',
    'MB before it, raw',
    'gzip',
    'brotli',
    'heap, MB',
    'workers',
  ];
  const told = peers.map(
    ({ name, skipped, note, feedback, race, watched, bytes: fetched }) =>
      `- ${name}: ${skipped === null ? `first hint: ${feedback}` : `not measured: ${skipped.replace(/[.…:]+$/, '')}`}` +
      (race === null
        ? ''
        : `; started in turn, ${race.starts} times each, it took ${ms(race.peer)} ms and the widget ${ms(race.widget)}`) +
      (watched === null ? '' : `; watched for ${shown(watched / 1000)} s`) +
      (fetched === null ? '' : `; from ${new Set(fetched.files.map(({ origin }) => origin)).size} origins`) +
      (note === null ? '.' : `; ${note}.`),
  );
  return [
    '## Beside its peers',
    `![First hint, main thread and bytes of the widget and its peers](${PICTURE})`,
    table(head, [widget, ...rows]),
    told.join('\n'),
  ];
}

function framesSection({ frames }: Figures): readonly string[] {
  if (!frames) return [];
  const rows = frames.contenders.map(({ name, worker, page, found }) => {
    const ratio = frames.ratios[name];
    return [
      name,
      ...spread(worker),
      ...spread(page),
      ratio ? `${shown(ratio.median, 2)} / ${shown(ratio.mean, 2)}` : '–',
      `${shown(100 * found)} %`,
    ];
  });
  const head = [
    '',
    ...SPREAD.map((word) => `worker ${word}`),
    ...SPREAD.map((word) => `page ${word}`),
    'widget over it, by rounds (median / mean)',
    'face found',
  ];
  return ['## A frame, ms', table(head, rows), ...withoutGoogle(frames)];
}

/**
 * Google's bundle over our model, with two faces wanted: medians of 46 and 21.5 ms, measured once on 100 frames in
 * Chromium 156 on two cores.
 */
const GOOGLE_OVER_OURS = 46 / 21.5;

/** What is to be expected of Google's bundle where it could not be measured. */
function withoutGoogle({ contenders, ratios }: FrameFigures): readonly string[] {
  const twoFaces = ratios[TWO_FACES];
  if (twoFaces === undefined || contenders.some(({ name }) => name === GOOGLE)) return [];
  const expected = (ratio: number): string => shown(ratio / GOOGLE_OVER_OURS, 2);
  return [
    `Google’s bundle was not there. It once took ${shown(GOOGLE_OVER_OURS, 1)} × as long as the model here with two ` +
      `faces wanted, by which the widget would take ${expected(twoFaces.median)} × as long as it in the median and ` +
      `${expected(twoFaces.mean)} × in the mean.`,
  ];
}

function liveSection({ live }: Figures): readonly string[] {
  if (!live) return [];
  const { fullSpeed, emulated, stopped } = live;
  const by = ({ slowedBy }: Slowed): string =>
    `arithmetic ${shown(slowedBy.page, 1)} × on the page, ${shown(slowedBy.worker, 1)} × in the worker`;
  const rows = [
    ['full speed', fullSpeed] as const,
    [`4 × slower, emulated (${by(emulated)})`, emulated] as const,
    [`4 × slower, stopped and continued (${by(stopped)})`, stopped] as const,
  ].map(([name, { duration, longTasks, worstFrameGap, framesPerSecond }]) => [
    name,
    shown(duration / 1000),
    shown(longTasks.count),
    ms(longTasks.total),
    ms(longTasks.worst),
    worstFrameGap === null ? '–' : ms(worstFrameGap),
    shown(framesPerSecond, 1),
  ]);
  const head = [
    '',
    's',
    'long tasks',
    'ms in all',
    'worst',
    'worst frame gap, ms',
    'frames analysed a second',
  ];
  return ['## Live guidance', table(head, rows)];
}

function startSection({ start }: Figures): readonly string[] {
  if (!start) return [];
  const row = (name: string, times: StartTimes): readonly string[] => [
    name,
    ...[times.camera, times.ready, times.hint, times.capture].map(({ median }) => ms(median)),
  ];
  const bare = Object.entries(start.bare).map(([runtime, { created, inferred }]) => {
    const ratio = start.ratios[runtime];
    const over = ratio ? `${shown(ratio.median, 2)} / ${shown(ratio.mean, 2)}` : '–';
    return [runtime, ms(created.median), ms(inferred.median), over];
  });
  return [
    '## From the tag’s upgrade, ms, medians',
    table(
      ['widget', 'camera live', 'camera and models ready', 'first hint', 'photo of a good face'],
      [row('cold', start.cold), row('warm', start.warm), row('preloaded, from the press', start.preloaded)],
    ),
    table(
      ['bare, warm', 'tasks created', 'and run once', 'widget’s first hint over it (median / mean)'],
      bare,
    ),
  ];
}

function bytesSection({ bytes, element }: Figures): readonly string[] {
  if (!bytes) return [];
  const rows = [...bytes.files, { url: 'in all', ...bytes }].map(({ url, raw, gzip, brotli }) => [
    url.replace(/^https?:\/\/[^/]+/, '').replace(/\?.*/, ''),
    String(raw),
    String(gzip),
    String(brotli),
  ]);
  const origins = new Set(bytes.files.map(({ origin }) => origin)).size;
  return [
    '## Fetched before the first hint, bytes',
    table(['file', 'raw', 'gzip -9', 'brotli -11'], rows),
    `From ${origins} origin${origins === 1 ? ', the page’s own' : 's'}. The element alone is ${element.raw} bytes, ` +
      `${element.gzip} with gzip, ${element.brotli} with brotli.`,
  ];
}

function photoSection({ photo }: Figures): readonly string[] {
  if (!photo) return [];
  const rows = photo.map((each) => [
    each.straightened ? `${each.step}, straightened` : each.step,
    each.provider,
    `${each.camera.width}×${each.camera.height}${each.noisy ? ', noisy' : ''}`,
    `${each.photo.width}×${each.photo.height}`,
    ...spread(each.took),
    String(each.encodes),
    `${shown(each.bytes / 1000)} of ${shown(each.limit / 1000)}`,
  ]);
  const head = [
    'photo',
    'provider',
    'camera',
    'px',
    ...SPREAD,
    'whole encodes, most',
    'kB, largest of limit',
  ];
  return ['## From the shutter to the Blob, ms', table(head, rows)];
}

function memorySection({ memory }: Figures): readonly string[] {
  if (!memory) return [];
  const { sessions, before, after, growth, bufferGrowth, pageHeap, workerHeap, wasm, wasmInstances } = memory;
  return [
    '## Memory, MB',
    table(
      ['what', 'MB'],
      [
        ['the page’s heap in a live session', megabytes(pageHeap)],
        ['its worker’s heap', megabytes(workerHeap)],
        [`WASM memory in its worker, ${wasmInstances} instances`, megabytes(wasm)],
        ['the page’s heap after 2 sessions', megabytes(before)],
        [`after ${sessions} more`, megabytes(after)],
        ['growth', megabytes(growth)],
        ['growth of buffers outside the heap', megabytes(bufferGrowth)],
      ],
    ),
  ];
}
