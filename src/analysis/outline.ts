/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { type Box, ID1_RATIO, type Point, scaleBox, type Size } from '../domain/geometry.ts';
import { farCorners, mapQuad, poseOf, type Quad, strangeness } from '../domain/homography.ts';
import type { CardOutline } from '../domain/observation.ts';
import type { Pixels } from './pixels.ts';

/*
 * Finds the outline of a card: straight edges of the picture vote for lines, and of the quadrilaterals between two
 * lines that lie and two that stand the one is taken whose sides are edges from corner to corner, end there, and are
 * what a camera sees of an ID-1 card. Fingers may hide parts of a side.
 */

/** Long side of the picture in which lines are looked for, px; corners are then set in the whole picture. */
const COARSE = 320;
/** Steps of brightness that count, of 255: the least, and as part of the steepest ones in the picture. */
const EDGE = { least: 5, ofSteepest: 0.12 };
/** Lines may slope by this against the picture's sides, degrees. */
const SLOPE = 34;
const SLOPE_STEP = 1.5;
/** An edge votes for lines whose direction differs from its own by this, degrees. */
const LOOSE = 5;
/** Lines are voted for by edges in the guide and round it, so far away over its width: a hand holds no better. */
const AROUND_GUIDE = 0.3;
/** Lines that lie, and lines that stand, that are tried. */
const LINES = 24;
/** Part of each side, at both ends, where rounded corners leave no edge. */
const ROUNDED = 0.05;
/** Shortest side that is looked for, as part of the picture's short side. */
const SHORTEST = 0.16;
/** A side that is an edge on less of its length than this is none. */
const LEAST_SIDE = 0.3;
/** A card that reaches farther out of the picture than this part of its width is not looked for. */
const FARTHEST_OUTSIDE = 0.25;
/** Farther from the middle of the guide, over its width, is no card that somebody holds into it. */
const FARTHEST_ASIDE = 0.4;
/** An outline with less is none. */
const LEAST_SUPPORT = 0.55;
/** Stranger outlines are no card's. Of 90 outlines of hand-held cards none is over 0.05. */
const STRANGEST = 0.16;

/** Edges of one picture: direction and strength in every pixel. */
interface Edges extends Size {
  /** Steps per px along x and y, of the channel that steps most. */
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  /** Strength 0..1, on ridges only. */
  readonly ridge: Float32Array;
  /** Strength 0..1, everywhere. */
  readonly strength: Float32Array;
}

/** A line in the picture: across = at + slope * along, where a lying line has x along and y across, a standing one y and x. */
interface Line {
  readonly at: number;
  readonly slope: number;
  readonly votes: number;
  /** Sum of edge strength along the line up to each px. */
  readonly sums: Float32Array;
}

/** Half the size, twice over where need be, as three planes: red, green, blue. */
function coarse({ data, width, height }: Pixels, factor: number): { planes: readonly Float32Array[] } & Size {
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
  const planes = [0, 1, 2].map(() => new Float32Array(w * h));
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array];
  const share = 1 / (factor * factor);
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0; x < w; x++, to++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let v = 0; v < factor; v++) {
        let from = 4 * ((y * factor + v) * width + x * factor);
        for (let u = 0; u < factor; u++, from += 4) {
          r += data[from]!;
          g += data[from + 1]!;
          b += data[from + 2]!;
        }
      }
      red[to] = r * share;
      green[to] = g * share;
      blue[to] = b * share;
    }
  }
  return { planes, width: w, height: h };
}

function edgesOf({ planes, width, height }: { planes: readonly Float32Array[] } & Size): Edges {
  const count = width * height;
  const dx = new Float32Array(count);
  const dy = new Float32Array(count);
  const size = new Float32Array(count);
  for (const plane of planes) {
    for (let y = 1; y < height - 1; y++) {
      for (let i = y * width + 1, end = i + width - 2; i < end; i++) {
        const above = i - width;
        const below = i + width;
        const falling = plane[below + 1]! - plane[above - 1]!;
        const rising = plane[above + 1]! - plane[below - 1]!;
        const right = (falling + rising + 2 * (plane[i + 1]! - plane[i - 1]!)) / 8;
        const down = (falling - rising + 2 * (plane[below]! - plane[above]!)) / 8;
        const steep = right * right + down * down;
        if (steep > size[i]!) {
          size[i] = steep;
          dx[i] = right;
          dy[i] = down;
        }
      }
    }
  }
  // The steepest hundredth, by a histogram of whole steps.
  const histogram = new Uint32Array(256);
  for (let i = 0; i < count; i++) {
    size[i] = Math.sqrt(size[i]!);
    histogram[Math.min(255, Math.round(size[i]!))]!++;
  }
  let steepest = 255;
  for (let rest = count / 100; steepest > 0 && rest > histogram[steepest]!; steepest--)
    rest -= histogram[steepest]!;
  const least = Math.max(EDGE.least, EDGE.ofSteepest * steepest);
  const strength = new Float32Array(count);
  const ridge = new Float32Array(count);
  for (let i = 0; i < count; i++) strength[i] = Math.min(1, Math.max(0, size[i]! / least - 0.5));
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = i + width - 2; i < end; i++) {
      if (strength[i]! === 0) continue;
      const step = Math.abs(dx[i]!) > Math.abs(dy[i]!) ? 1 : width;
      if (size[i]! >= size[i - step]! && size[i]! > size[i + step]!) ridge[i] = strength[i]!;
    }
  }
  return { width, height, dx, dy, ridge, strength };
}

/** Lines of one kind: `lying` ones run along x, the others along y. */
function linesOf(
  { width, height, dx, dy, ridge, strength }: Edges,
  lying: boolean,
  guide: Box,
): readonly Line[] {
  const [length, breadth] = lying ? [width, height] : [height, width];
  const slopes = Array.from({ length: Math.floor((2 * SLOPE) / SLOPE_STEP) + 1 }, (_, i) =>
    Math.tan(((i * SLOPE_STEP - SLOPE) * Math.PI) / 180),
  );
  // A line is known by where it crosses the middle; a steep one may do that outside of the picture.
  const margin = Math.ceil((length / 2) * Math.tan((SLOPE * Math.PI) / 180));
  const rows = breadth + 2 * margin;
  const votes = new Float32Array(slopes.length * rows);
  const loose = Math.ceil(LOOSE / SLOPE_STEP);
  const room = AROUND_GUIDE * guide.width;
  const bottom = Math.min(height - 1, guide.y + guide.height + room);
  const right = Math.min(width - 1, guide.x + guide.width + room);
  for (let y = Math.max(1, Math.floor(guide.y - room)); y < bottom; y++) {
    for (let x = Math.max(1, Math.floor(guide.x - room)); x < right; x++) {
      const i = y * width + x;
      const weight = ridge[i]!;
      if (weight === 0) continue;
      const along = lying ? x : y;
      const across = lying ? y : x;
      // The edge runs at a right angle to its steepest direction.
      const rise = lying ? -dx[i]! : -dy[i]!;
      const run = lying ? dy[i]! : dx[i]!;
      if (Math.abs(rise) > Math.abs(run)) continue;
      const own = (Math.atan(rise / run) * 180) / Math.PI;
      const nearest = Math.round((own + SLOPE) / SLOPE_STEP);
      const last = Math.min(slopes.length - 1, nearest + loose);
      for (let k = Math.max(0, nearest - loose); k <= last; k++) {
        const at = across - slopes[k]! * (along - length / 2) + margin;
        const row = Math.floor(at);
        if (row < 0 || row + 1 >= rows) continue;
        const rest = at - row;
        votes[k * rows + row]! += weight * (1 - rest);
        votes[k * rows + row + 1]! += weight * rest;
      }
    }
  }
  return peaksOf(votes, slopes, rows, LINES).map(({ slope, row, count }): Line => {
    const at = row - margin - slope * (length / 2);
    const sums = new Float32Array(length + 1);
    // Of an edge only what runs along the line counts.
    const norm = Math.hypot(1, slope);
    for (let along = 0; along < length; along++) {
      const across = at + slope * along;
      let best = 0;
      for (let offset = -1; offset <= 1; offset++) {
        const place = Math.round(across + offset);
        if (place < 0 || place >= breadth) continue;
        const i = lying ? place * width + along : along * width + place;
        const u = lying ? dx[i]! : dy[i]!;
        const v = lying ? dy[i]! : dx[i]!;
        const aligned = Math.abs(v - slope * u) / (norm * Math.hypot(u, v) + 1e-6);
        if (aligned > 0.92 && strength[i]! > best) best = strength[i]!;
      }
      sums[along + 1] = sums[along]! + best;
    }
    return { at, slope, votes: count, sums };
  });
}

/** The most voted lines, none of which is nearly another. */
function peaksOf(
  votes: Float32Array,
  slopes: readonly number[],
  rows: number,
  most: number,
): readonly { readonly slope: number; readonly row: number; readonly count: number }[] {
  const peaks: { slope: number; row: number; count: number; k: number }[] = [];
  const candidates: { k: number; row: number; count: number }[] = [];
  for (let k = 0; k < slopes.length; k++) {
    for (let row = 1; row < rows - 1; row++) {
      const i = k * rows + row;
      const count = votes[i]!;
      if (count < 12 || count < votes[i - 1]! || count < votes[i + 1]!) continue;
      if (k > 0 && votes[i - rows]! > count) continue;
      if (k + 1 < slopes.length && votes[i + rows]! > count) continue;
      const [before, after] = [votes[i - 1]!, votes[i + 1]!];
      const bend = before - 2 * count + after;
      candidates.push({ k, row: row + (bend < 0 ? (before - after) / (2 * bend) : 0), count });
    }
  }
  candidates.sort((a, b) => b.count - a.count);
  for (const { k, row, count } of candidates) {
    if (peaks.some((peak) => Math.abs(peak.row - row) < 2.5 && Math.abs(peak.k - k) <= 3)) continue;
    peaks.push({ slope: slopes[k]!, row, count, k });
    if (peaks.length === most) break;
  }
  return peaks;
}

const crossing = (lying: Line, standing: Line): Point => {
  const y = (lying.at + lying.slope * standing.at) / (1 - lying.slope * standing.slope);
  return { x: standing.at + standing.slope * y, y };
};

/** The point of a line at a place along it; x along and y across, as for a lying one. */
const pointOf = ({ at, slope }: Line, along: number): Point => ({ x: along, y: at + slope * along });

/** Mean strength along a line from one place to another, as far as they lie in the picture; null where nothing of it does. */
function strengthAlong({ sums }: Line, from: number, to: number): number | null {
  const last = sums.length - 1;
  const [a, b] = [Math.max(0, Math.ceil(Math.min(from, to))), Math.min(last, Math.floor(Math.max(from, to)))];
  return b - a < 4 ? null : (sums[b]! - sums[a]!) / (b - a);
}

/** How well a side of a quadrilateral is an edge: on its length, and not beyond its ends. */
function sideOf(
  line: Line,
  from: number,
  to: number,
): { readonly on: number; readonly beyond: number } | null {
  const cut = ROUNDED * (to - from);
  const on = strengthAlong(line, from + cut, to - cut);
  if (on === null) return null;
  const reach = 0.12 * (to - from);
  const before = strengthAlong(line, from - reach, from - 2);
  const after = strengthAlong(line, to + 2, to + reach);
  // What cannot be seen says as little against as for it.
  return { on, beyond: ((before ?? UNSEEN) + (after ?? UNSEEN)) / 2 };
}

/** Stands for edges beyond the picture. */
const UNSEEN = 0.3;

interface Candidate {
  readonly corners: Quad;
  readonly support: number;
  readonly score: number;
}

/** A side that lies outside of the picture, so that the others tell where. */
type Sides = readonly [top: Line | null, right: Line | null, bottom: Line | null, left: Line | null];

/** How good an outline is; null where it is none. */
function judged(corners: Quad, [top, right, bottom, left]: Sides, frame: Size, guide: Box): Candidate | null {
  const [p, q, r, s] = corners;
  const width = Math.min(Math.hypot(q.x - p.x, q.y - p.y), Math.hypot(r.x - s.x, r.y - s.y));
  const height = Math.min(Math.hypot(s.x - p.x, s.y - p.y), Math.hypot(r.x - q.x, r.y - q.y));
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  if (height < shortest || width < 1.1 * height || width > 2.3 * height) return null;
  const aside = Math.hypot(
    (p.x + q.x + r.x + s.x) / 4 - guide.x - guide.width / 2,
    (p.y + q.y + r.y + s.y) / 4 - guide.y - guide.height / 2,
  );
  if (aside > FARTHEST_ASIDE * guide.width) return null;
  let support = 0;
  let beyond = 0;
  let seen = 0;
  const sides = [
    top && sideOf(top, p.x, q.x),
    right && sideOf(right, q.y, r.y),
    bottom && sideOf(bottom, s.x, r.x),
    left && sideOf(left, p.y, s.y),
  ];
  for (const side of sides) {
    if (side === null) continue;
    if (side.on < LEAST_SIDE) return null;
    seen++;
    support += side.on;
    beyond += side.beyond;
  }
  if (seen < 3 || support < LEAST_SUPPORT * seen) return null;
  const pose = poseOf(corners, frame);
  if (pose === null) return null;
  const strange = strangeness(pose);
  if (strange > STRANGEST) return null;
  const size = Math.min(1, Math.sqrt((width * height) / (guide.width * guide.height)));
  const missing = 4 - seen;
  return {
    corners,
    support: support / seen,
    score: (support - 0.35 * beyond) / seen - 2 * strange + 0.3 * size - 0.25 * missing,
  };
}

/** The best quadrilaterals between lying and standing lines. */
function candidates(
  lying: readonly Line[],
  standing: readonly Line[],
  frame: Size,
  guide: Box,
): readonly Candidate[] {
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  const pairsOf = (lines: readonly Line[], at: number): readonly (readonly [Line, Line])[] =>
    lines.flatMap((a) =>
      lines.flatMap((b): readonly (readonly [Line, Line])[] => {
        const gap = b.at + b.slope * at - a.at - a.slope * at;
        return gap < shortest || Math.abs(a.slope - b.slope) > 0.4 ? [] : [[a, b]];
      }),
    );
  const found: Candidate[] = [];
  const keep = (candidate: Candidate | null): void => {
    if (candidate !== null) found.push(candidate);
  };
  const isOutside = (far: readonly Point[]): boolean =>
    far.every(({ x, y }) => x < 1 || y < 1 || x > frame.width - 2 || y > frame.height - 2) &&
    far.every(
      ({ x, y }) =>
        Math.max(-x, x - frame.width) < FARTHEST_OUTSIDE * frame.width &&
        Math.max(-y, y - frame.height) < FARTHEST_OUTSIDE * frame.width,
    );
  const rows = pairsOf(lying, frame.width / 2);
  const columns = pairsOf(standing, frame.height / 2);
  for (const [top, bottom] of rows) {
    for (const [left, right] of columns) {
      const corners: Quad = [
        crossing(top, left),
        crossing(top, right),
        crossing(bottom, right),
        crossing(bottom, left),
      ];
      keep(judged(corners, [top, right, bottom, left], frame, guide));
    }
    // A side that lies outside of the picture is where the shape of the card has it.
    for (const side of standing) {
      const [a, b] = [crossing(top, side), crossing(bottom, side)];
      if ((strengthAlong(side, a.y, b.y) ?? 0) < LEAST_SUPPORT) continue;
      for (const reach of [-frame.width, frame.width]) {
        const onward = (line: Line, { x }: Point): Point => pointOf(line, x + reach);
        const far = farCorners([a, b], [onward(top, a), onward(bottom, b)], ID1_RATIO, frame);
        if (far === null || !isOutside(far)) continue;
        keep(
          reach > 0
            ? judged([a, far[0], far[1], b], [top, null, bottom, side], frame, guide)
            : judged([far[0], a, b, far[1]], [top, side, bottom, null], frame, guide),
        );
      }
    }
  }
  for (const [left, right] of columns) {
    for (const side of lying) {
      const [a, b] = [crossing(side, left), crossing(side, right)];
      if ((strengthAlong(side, a.x, b.x) ?? 0) < LEAST_SUPPORT) continue;
      for (const reach of [-frame.height, frame.height]) {
        const onward = (line: Line, { y }: Point): Point => {
          const { x, y: along } = pointOf(line, y + reach);
          return { x: along, y: x };
        };
        const far = farCorners([a, b], [onward(left, a), onward(right, b)], 1 / ID1_RATIO, frame);
        if (far === null || !isOutside(far)) continue;
        keep(
          reach > 0
            ? judged([a, b, far[1], far[0]], [side, right, null, left], frame, guide)
            : judged([far[0], far[1], b, a], [null, right, side, left], frame, guide),
        );
      }
    }
  }
  return found.sort((a, b) => b.score - a.score).slice(0, MOST_REFINED);
}

/** Outlines that are set on their edges before the best is chosen. */
const MOST_REFINED = 3;

/** Places along each side that are looked at, and how far to either side of it, px. */
const PLACES = 36;
const REACHES = [5, 2.5] as const;

/** Sets the sides of an outline on the edges beside them, to a fraction of a px. */
function refine(pixels: Pixels, corners: Quad): { readonly corners: Quad; readonly support: number } {
  let quad = corners;
  let support = 0;
  for (const reach of REACHES) {
    const sides = quad.map((from, i) => fitSide(pixels, from, quad[(i + 1) % 4]!, reach));
    const seen = sides.flatMap((side) => side.support ?? []);
    support = seen.reduce((sum, share) => sum + share, 0) / Math.max(1, seen.length);
    const [top, right, bottom, left] = sides as [Side, Side, Side, Side];
    quad = [meet(left, top), meet(top, right), meet(right, bottom), meet(bottom, left)];
  }
  return { corners: quad, support };
}

/** A straight line through a point, and how much of the side it was fitted to lies on it. */
interface Side {
  readonly at: Point;
  readonly along: Point;
  /** null where it lies outside of the picture. */
  readonly support: number | null;
}

function meet(a: Side, b: Side): Point {
  const area = a.along.x * b.along.y - a.along.y * b.along.x;
  const t = ((b.at.x - a.at.x) * b.along.y - (b.at.y - a.at.y) * b.along.x) / area;
  return { x: a.at.x + t * a.along.x, y: a.at.y + t * a.along.y };
}

/** The steepest step across each place of a side, and the straight line that most of them lie on. */
function fitSide(pixels: Pixels, from: Point, to: Point, reach: number): Side {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  const across = { x: -along.y, y: along.x };
  const steps: { readonly t: number; readonly offset: number; readonly size: number }[] = [];
  let inside = 0;
  for (let k = 0; k < PLACES; k++) {
    const t = (ROUNDED + ((1 - 2 * ROUNDED) * (k + 0.5)) / PLACES) * length;
    const at = { x: from.x + t * along.x, y: from.y + t * along.y };
    if (at.x < 1 || at.y < 1 || at.x > pixels.width - 2 || at.y > pixels.height - 2) continue;
    inside++;
    const step = steepest(pixels, at, across, reach);
    if (step !== null) steps.push({ t: t - length / 2, ...step });
  }
  const centre = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const asItWas = { at: centre, along, support: inside < PLACES / 4 ? null : 0 };
  if (steps.length < 6) return asItWas;
  // Every pair of places far apart proposes a line; the one with the most others on it is taken.
  const near = 0.9;
  let best = { count: 0, slope: 0, offset: 0 };
  for (let i = 0; i < steps.length; i++) {
    for (let j = i + 4; j < steps.length; j += 3) {
      const [a, b] = [steps[i]!, steps[j]!];
      const slope = (b.offset - a.offset) / (b.t - a.t);
      if (Math.abs(slope) > 0.12) continue;
      const offset = a.offset - slope * a.t;
      let count = 0;
      for (const step of steps)
        if (Math.abs(step.offset - offset - slope * step.t) < near) count += step.size;
      if (count > best.count) best = { count, slope, offset };
    }
  }
  const on = steps.filter(({ t, offset }) => Math.abs(offset - best.offset - best.slope * t) < near);
  if (on.length < 5) return asItWas;
  const mean = (of: (step: (typeof on)[number]) => number): number =>
    on.reduce((sum, s) => sum + of(s), 0) / on.length;
  const [t0, o0] = [mean(({ t }) => t), mean(({ offset }) => offset)];
  const spread = mean(({ t }) => (t - t0) ** 2);
  const slope = spread > 0 ? mean(({ t, offset }) => (t - t0) * (offset - o0)) / spread : 0;
  return {
    at: {
      x: centre.x + t0 * along.x + o0 * across.x,
      y: centre.y + t0 * along.y + o0 * across.y,
    },
    along: { x: along.x + slope * across.x, y: along.y + slope * across.y },
    support: inside < PLACES / 4 ? null : on.length / inside,
  };
}

/** Where the picture steps most across a place, px from it, to a fraction; null where it hardly does. */
function steepest(
  { data, width, height }: Pixels,
  at: Point,
  across: Point,
  reach: number,
): { readonly offset: number; readonly size: number } | null {
  const half = Math.ceil(reach);
  // One px apart, and one beyond either end.
  const count = 2 * half + 3;
  for (let k = 0; k < count; k++) {
    const x = Math.min(width - 1.001, Math.max(0, at.x + (k - half - 1) * across.x));
    const y = Math.min(height - 1.001, Math.max(0, at.y + (k - half - 1) * across.y));
    const left = Math.floor(x);
    const top = Math.floor(y);
    const u = x - left;
    const v = y - top;
    const i = 4 * (top * width + left);
    const below = i + 4 * width;
    for (let c = 0; c < 3; c++) {
      PROFILE[3 * k + c] =
        (1 - v) * ((1 - u) * data[i + c]! + u * data[i + 4 + c]!) +
        v * ((1 - u) * data[below + c]! + u * data[below + 4 + c]!);
    }
  }
  let best = -1;
  let size: number = EDGE.least;
  for (let k = 1; k + 1 < count; k++) {
    const step = stepIn(k);
    if (step > size) {
      best = k;
      size = step;
    }
  }
  if (best < 0) return null;
  // The vertex of the parabola through the step and its neighbours.
  const before = best > 1 ? stepIn(best - 1) : 0;
  const after = best + 2 < count ? stepIn(best + 1) : 0;
  const bend = before - 2 * size + after;
  const shift = bend < 0 ? (before - after) / (2 * bend) : 0;
  return { offset: best - half - 1 + shift, size: Math.min(1, size / 24) };
}

/** Red, green and blue across one place of a side. */
const PROFILE = new Float32Array(3 * 32);

/** How much the profile steps at one of its places, of the channel that does so most. */
function stepIn(k: number): number {
  let size = 0;
  for (let c = 0; c < 3; c++)
    size = Math.max(size, Math.abs(PROFILE[3 * k + 3 + c]! - PROFILE[3 * k - 3 + c]!));
  return size;
}

/**
 * The outline of the card in a picture, or null where there is none.
 * @param guide where the person was asked to hold it, px: only there is it looked for, and one as large is preferred
 */
export function findOutline(pixels: Pixels, guide: Box): CardOutline | null {
  const factor = Math.max(1, Math.round(Math.max(pixels.width, pixels.height) / COARSE));
  const edges = edgesOf(coarse(pixels, factor));
  const held = scaleBox(guide, 1 / factor);
  const found = candidates(linesOf(edges, true, held), linesOf(edges, false, held), edges, held);
  const refined = found.map(({ corners, score, support }) => {
    const whole = (place: number): number => (place + 0.5) * factor - 0.5;
    const scaled = mapQuad(corners, ({ x, y }) => ({ x: whole(x), y: whole(y) }));
    const fitted = refine(pixels, scaled);
    const pose = poseOf(fitted.corners, pixels);
    const strange = pose === null ? 1 : strangeness(pose);
    return { ...fitted, score: score - support + fitted.support - 2 * strange, strange };
  });
  const best = refined.sort((a, b) => b.score - a.score)[0];
  return best === undefined || best.strange > STRANGEST
    ? null
    : { corners: best.corners, support: best.support };
}
