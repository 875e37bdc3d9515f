/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Point } from '../domain/geometry.ts';
import type { Quad } from '../domain/homography.ts';
import { EDGE } from './lines.ts';
import type { Pixels } from './pixels.ts';

/*
 * Sets a quadrilateral on the edges of a picture beside it.
 */

/** Part of each side, at both ends, where rounded corners leave no edge. */
export const ROUNDED = 0.05;
/** Places along each side that are looked at, and how far to either side of it, px. */
const PLACES = 36;
const REACHES = [5, 2.5] as const;

/** Sets the sides of an outline on the edges beside them, to a fraction of a px. */
export function refine(pixels: Pixels, corners: Quad): { readonly corners: Quad; readonly support: number } {
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
