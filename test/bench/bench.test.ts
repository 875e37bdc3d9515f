import { encode } from 'jpeg-js';
import { expect, test } from 'vitest';
import { UsageError } from '../accuracy/score.ts';
import { barsOf } from './bars.ts';
import { chartOf } from './chart.ts';
import type { Figures } from './figures.ts';
import { parseOptions, SECTIONS } from './options.ts';
import { notMeasured } from './peers.ts';
import { PEERS } from './peers/field.ts';
import type { Race } from './peers/race.ts';
import { sizesOf } from './probe.ts';
import { reportOf } from './report.ts';
import { ratioByRounds, ratioOf, spreadOf } from './statistics.ts';
import { y4mOf } from './y4m.ts';

/** A run that measured the frames alone. */
function figuresOf(widget: readonly number[], bare: readonly number[]): Figures {
  const cost = (name: string, times: readonly number[]) => {
    const spread = spreadOf(times);
    return { name, page: spread, worker: spread, found: 1 };
  };
  const contenders = [cost('widget, guiding', widget), cost('bare loop', bare)];
  const ratios = { 'bare loop': ratioOf(spreadOf(widget), spreadOf(bare)) };
  return {
    machine: { date: '2026-11-23', processor: 'A & B', cores: 2, load: 0, chromium: '156' },
    quick: true,
    frames: { contenders, ratios, inPlace: ratios, pageRatios: ratios, googleFault: null },
    live: null,
    start: null,
    bytes: null,
    element: { raw: 100_000, gzip: 40_001, brotli: 30_000 },
    photo: null,
    memory: null,
    peers: [],
  };
}

test('a series is summed up whatever its order', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ count: 3, median: 2, mean: 2, p95: 2.9 });
  expect(spreadOf([1, 2, 3, 10]).median).toBe(2.5);
  expect(() => spreadOf([])).toThrow(RangeError);
});

test('a machine that is slower for some rounds leaves the ratio as it is, also where these are every other one', () => {
  const rounds = (one: number) => [1, 1.4, 1, 1.4, 1.4, 1].map((slow) => spreadOf([slow * one, slow * one]));
  const { median, mean } = ratioByRounds(rounds(9), rounds(8));
  expect(median).toBeCloseTo(9 / 8);
  expect(mean).toBeCloseTo(9 / 8);
  expect(() => ratioByRounds(rounds(9), rounds(8).slice(1))).toThrow(RangeError);
  expect(() => ratioByRounds([], [])).toThrow(RangeError);
});

test('a bar is met up to its limit, and not known where nothing was measured', () => {
  const bars = barsOf(figuresOf([12, 12, 12, 13], [10, 10, 10, 10]));
  const met = (what: string) => bars.find((bar) => bar.what.includes(what))?.met;
  expect(met('bare loop, medians')).toBe(true);
  expect(met('the same, means')).toBe(false);
  expect(met('the element, gzip')).toBe(false);
  expect(met('frames analysed a second')).toBeNull();
  expect(met('heap growth')).toBeNull();
});

test('the first hint is held against the peer that comes nearest to it, by starts in turn', () => {
  const bar = (...races: readonly (Race | null)[]) => {
    const peers = PEERS.map((peer, i) => ({ ...notMeasured(peer, 'not there'), race: races[i] ?? null }));
    return barsOf({ ...figuresOf([10], [10]), peers }).find(({ what }) => what.includes('quickest peer'));
  };
  const far = { widget: 390, peer: 4000, starts: 9 };
  expect(bar(far, null, { widget: 360, peer: 400, starts: 9 })).toMatchObject({
    figure: '0.90 ×',
    met: true,
  });
  expect(bar(far, null, { widget: 410, peer: 400, starts: 9 })).toMatchObject({ met: false });
  expect(bar()).toMatchObject({ figure: null, met: null });
});

test('the report holds every bar, and the picture says what was not measured', () => {
  const figures = figuresOf([12], [10]);
  const text = reportOf(figures);
  for (const { what } of barsOf(figures)) expect(text).toContain(what);
  expect(chartOf(figures)).toContain('not measured');
});

test('the same bytes have the same sizes, and packed ones are smaller', () => {
  const sizes = sizesOf(Buffer.alloc(10_000, 'abc'));
  expect(sizes.raw).toBe(10_000);
  expect(sizes.gzip).toBeLessThan(100);
  expect(sizesOf(Buffer.alloc(10_000, 'abc'))).toEqual(sizes);
});

test('options in any order; a quick run leaves the peers out', () => {
  const typed = (path: string) => `/typed/${path}`;
  expect(parseOptions([], typed)).toEqual({ json: null, quick: false, model: null, sections: SECTIONS });
  expect(parseOptions(['--quick', '--json', 'a b.json'], typed)).toMatchObject({
    json: '/typed/a b.json',
    quick: true,
    sections: SECTIONS.filter((section) => section !== 'peers'),
  });
  expect(parseOptions(['--only', 'live,peers', '--quick'], typed).sections).toEqual(['live', 'peers']);
});

test.each([[['--jsn', 'x']], [['--json']], [['--only', 'nothing']], [['x']]])('%j is a mistake', (words) => {
  expect(() => parseOptions(words, (path) => path)).toThrow(UsageError);
});

test('the camera file has the planes of each picture one after the other', () => {
  const [width, height] = [16, 8];
  const jpegOf = (...rgb: readonly number[]): Buffer => {
    const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => [...rgb, 255][i % 4] ?? 0);
    return encode({ width, height, data }, 95).data;
  };
  const file = y4mOf([jpegOf(128, 128, 128), jpegOf(255, 0, 0)]);
  const header = 'YUV4MPEG2 W16 H8 F30:1 Ip A1:1 C420\n';
  expect(file.subarray(0, header.length).toString()).toBe(header);
  const frames = [0, 1].map((n) => file.subarray(header.length + n * (6 + 192)).subarray(0, 6 + 192));
  expect(file.length).toBe(header.length + 2 * (6 + 192));
  expect(frames.map((frame) => frame.subarray(0, 6).toString())).toEqual(['FRAME\n', 'FRAME\n']);
  // Full-range BT.601, as JFIF has it.
  const means = frames.map((frame) =>
    [frame.subarray(6, 134), frame.subarray(134, 166), frame.subarray(166)].map((plane) =>
      Math.round(plane.reduce((sum, value) => sum + value, 0) / plane.length),
    ),
  );
  expect(means[0]).toEqual([128, 128, 128]);
  for (const [i, expected] of [76, 85, 255].entries())
    expect(Math.abs((means[1]?.[i] ?? 0) - expected)).toBeLessThanOrEqual(2);
  expect(() => y4mOf([])).toThrow(RangeError);
});
