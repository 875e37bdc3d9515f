/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Point } from '../domain/geometry.ts';
import { type Quad, sidesOf } from '../domain/homography.ts';
import { EDGE } from './lines.ts';
import { type Pixels, tintOf } from './pixels.ts';

/*
 * Sets a quadrilateral on the edges of a picture beside it.
 */

/** Part of each side, at both ends, where rounded corners leave no edge. */
export const ROUNDED = 0.05;
/** Places along each side that are looked at, and how far to either side of it, px. */
const PLACES = 36;
const REACHES = [5, 2.5] as const;
/** Cards less high than this, px, are looked at less far from their sides, but no less than that. */
const FULL_REACH_FROM = 120;
const LEAST_REACH = 1.8;

/** Sets the sides of an outline on the edges beside them, to a fraction of a px. */
export function refine(pixels: Pixels, corners: Quad): { readonly corners: Quad; readonly support: number } {
  let quad = corners;
  let support = 0;
  // The print of a small card is near its edge.
  const scale = Math.min(1, sidesOf(corners).height / FULL_REACH_FROM);
  for (const reach of REACHES.map((full) => Math.max(LEAST_REACH, full * scale))) {
    const sides = quad.map((from, i) => fitSide(pixels, from, quad[(i + 1) % 4]!, reach));
    const seen = sides.flatMap((side) => side.support ?? []);
    support = seen.reduce((sum, share) => sum + share, 0) / Math.max(1, seen.length);
    const [top, right, bottom, left] = sides as [Side, Side, Side, Side];
    quad = [meet(left, top), meet(top, right), meet(right, bottom), meet(bottom, left)];
  }
  return { corners: quad, support };
}

/** Places along each side whose colours are compared, and how far from it, px of the picture. */
const COLOURS = { places: 16, inside: 4, outside: 5 };
/** Colours nearer to each other than this are of one ground. */
const ONE_GROUND = 0.1;
/** Farther than this is another ground. */
const OTHER_GROUND = 0.05;
/** Tints within and beyond all places of four sides. */
const WITHIN = new Float32Array(3 * 4 * COLOURS.places);
const BEYOND = new Float32Array(3 * 4 * COLOURS.places);

/**
 * Part of the outline along which its inside has one ground, and its outside another: what lies on a table has that,
 * lines that happen to cross have not. The side with the least counts as much as all.
 */
export function groundWithin(pixels: Pixels, corners: Quad): number {
  const counts = [0, 0, 0, 0];
  let total = 0;
  for (let i = 0; i < 4; i++) {
    const [from, to] = [corners[i]!, corners[(i + 1) % 4]!];
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    // Corners run clockwise, so that the inside is to the right of each side.
    const inward = { x: -(to.y - from.y) / length, y: (to.x - from.x) / length };
    for (let k = 0; k < COLOURS.places; k++) {
      const t = ROUNDED + ((1 - 2 * ROUNDED) * (k + 0.5)) / COLOURS.places;
      const x = from.x + t * (to.x - from.x);
      const y = from.y + t * (to.y - from.y);
      const { inside, outside } = COLOURS;
      if (!putTint(WITHIN, total, pixels, x + inside * inward.x, y + inside * inward.y)) continue;
      // Beyond the picture is another ground.
      if (!putTint(BEYOND, total, pixels, x - outside * inward.x, y - outside * inward.y))
        BEYOND[3 * total] = Infinity;
      total++;
      counts[i]!++;
    }
  }
  if (total < COLOURS.places) return 0;
  let sum = 0;
  let least = 1;
  let sides = 0;
  let place = 0;
  for (const count of counts) {
    let set = 0;
    for (const end = place + count; place < end; place++) if (isEdgeOfGround(place, total)) set++;
    if (count < COLOURS.places / 4) continue;
    sum += set / count;
    least = Math.min(least, set / count);
    sides++;
  }
  return (sum / sides + least) / 2;
}

/** Print and shadow change the ground along the edge, but little by little: it is what is in the middle of five places. */
function isEdgeOfGround(place: number, total: number): boolean {
  let within = 0;
  let beyond = 0;
  const at = 3 * place;
  const end = 3 * total;
  const [a, b, d, e] = [(at - 6 + end) % end, (at - 3 + end) % end, (at + 3) % end, (at + 6) % end];
  for (let c = 0; c < 3; c++) {
    const own = WITHIN[at + c]!;
    const ground = middleOf(WITHIN[a + c]!, WITHIN[b + c]!, own, WITHIN[d + c]!, WITHIN[e + c]!);
    within += (own - ground) ** 2;
    beyond += (BEYOND[at + c]! - ground) ** 2;
  }
  return within < ONE_GROUND ** 2 && beyond > OTHER_GROUND ** 2;
}

/** The median of five. */
function middleOf(a: number, b: number, c: number, d: number, e: number): number {
  const [low, high] = [Math.max(Math.min(a, b), Math.min(c, d)), Math.min(Math.max(a, b), Math.max(c, d))];
  return Math.max(Math.min(low, high), Math.min(Math.max(low, high), e));
}

/** Writes the tint of a place; false where the picture does not show it. */
function putTint(
  to: Float32Array,
  place: number,
  { data, width, height }: Pixels,
  x: number,
  y: number,
): boolean {
  const column = Math.round(x);
  const row = Math.round(y);
  if (column < 1 || row < 1 || column > width - 2 || row > height - 2) return false;
  let [r, g, b] = [0, 0, 0];
  // A cross of five, because of noise.
  for (const step of CROSS) {
    const i = 4 * ((row + step.y) * width + column + step.x);
    r += data[i]!;
    g += data[i + 1]!;
    b += data[i + 2]!;
  }
  to.set(tintOf(r / 5, g / 5, b / 5), 3 * place);
  return true;
}

const CROSS: readonly Point[] = [
  { x: 0, y: 0 },
  { x: -1, y: 0 },
  { x: 1, y: 0 },
  { x: 0, y: -1 },
  { x: 0, y: 1 },
];

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
