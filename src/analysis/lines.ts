/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Size } from '../domain/geometry.ts';
import type { Pixels } from './pixels.ts';

/*
 * Straight edges of a picture: each edge votes for the lines that it may be a part of (Hough 1962, with the direction
 * of the edge).
 */

/** Steps of brightness that count, of 255: the least, and as part of the steepest ones in the picture. */
export const EDGE = { least: 5, ofSteepest: 0.12 };
/** Lines may slope by this against the picture's sides, degrees. */
const SLOPE = 34;
const SLOPE_STEP = 1.5;
/** An edge votes for lines whose direction differs from its own by this, degrees. */
const LOOSE = 5;
/** Edges of one picture: direction and strength in every pixel. */
export interface Edges extends Size {
  /** Steps per px along x and y, of the channel that steps most. */
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  /** Strength 0..1, on ridges only, and only in the rows round the guide. */
  readonly ridge: Float32Array;
  /** Strength 0..1, in the rows round the guide. */
  readonly strength: Float32Array;
}

/** A line in the picture: across = at + slope * along, where a lying line has x along and y across, a standing one y and x. */
export interface Line {
  readonly at: number;
  readonly slope: number;
  /** Sum of edge strength along the line up to each px. */
  readonly sums: Float32Array;
}

/** A smaller picture, of which only some rows are there. */
interface Coarse extends Size {
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  /** The rows, from and up to. */
  readonly band: readonly [number, number];
}

/** The rows round the guide, `factor` times as small. `guide`, and the room round it, in px of the smaller picture. */
export function coarse({ data, width, height }: Pixels, factor: number, guide: Box, around: number): Coarse {
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
  const [red, green, blue] = [new Float32Array(w * h), new Float32Array(w * h), new Float32Array(w * h)];
  const room = around + 1;
  const band = [
    Math.max(0, Math.floor(guide.y - room)),
    Math.min(h, Math.ceil(guide.y + guide.height + room)),
  ] as const;
  const share = 1 / (factor * factor);
  for (let y = band[0], to = y * w; y < band[1]; y++) {
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
  return { red, green, blue, band, width: w, height: h };
}

export function edgesOf({ red, green, blue, band, width, height }: Coarse): Edges {
  const [top, bottom] = [band[0] + 1, band[1] - 1];
  const count = width * height;
  const dx = new Float32Array(count);
  const dy = new Float32Array(count);
  const size = new Float32Array(count);
  for (const plane of [red, green, blue]) {
    for (let y = top; y < bottom; y++) {
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
  for (let i = top * width; i < bottom * width; i++) {
    size[i] = Math.sqrt(size[i]!);
    histogram[Math.min(255, Math.round(size[i]!))]!++;
  }
  let steepest = 255;
  for (let rest = ((bottom - top) * width) / 100; steepest > 0 && rest > histogram[steepest]!; steepest--)
    rest -= histogram[steepest]!;
  const least = Math.max(EDGE.least, EDGE.ofSteepest * steepest);
  const strength = new Float32Array(count);
  const ridge = new Float32Array(count);
  for (let i = top * width; i < bottom * width; i++)
    strength[i] = Math.min(1, Math.max(0, size[i]! / least - 0.5));
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + 1, end = i + width - 2; i < end; i++) {
      if (strength[i]! === 0) continue;
      const step = Math.abs(dx[i]!) > Math.abs(dy[i]!) ? 1 : width;
      if (size[i]! >= size[i - step]! && size[i]! > size[i + step]!) ridge[i] = strength[i]!;
    }
  }
  return { width, height, dx, dy, ridge, strength };
}

/** The most voted lines of one kind, by edges in the guide and `room` px round it: `lying` ones run along x, the others along y. */
export function linesOf(
  { width, height, dx, dy, ridge, strength }: Edges,
  lying: boolean,
  guide: Box,
  room: number,
  most: number,
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
  return peaksOf(votes, slopes, rows, most).map(({ slope, row }): Line => {
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
    return { at, slope, sums };
  });
}

/** The most voted lines, none of which is nearly another. */
function peaksOf(
  votes: Float32Array,
  slopes: readonly number[],
  rows: number,
  most: number,
): readonly { readonly slope: number; readonly row: number }[] {
  const peaks: { slope: number; row: number; k: number }[] = [];
  const candidates: { k: number; row: number; count: number }[] = [];
  for (let k = 0; k < slopes.length; k++) {
    for (let row = 1; row < rows - 1; row++) {
      const i = k * rows + row;
      const count = votes[i]!;
      if (count < 7 || count < votes[i - 1]! || count < votes[i + 1]!) continue;
      if (k > 0 && votes[i - rows]! > count) continue;
      if (k + 1 < slopes.length && votes[i + rows]! > count) continue;
      const [before, after] = [votes[i - 1]!, votes[i + 1]!];
      const bend = before - 2 * count + after;
      candidates.push({ k, row: row + (bend < 0 ? (before - after) / (2 * bend) : 0), count });
    }
  }
  candidates.sort((a, b) => b.count - a.count);
  for (const { k, row } of candidates) {
    if (peaks.some((peak) => Math.abs(peak.row - row) < 2.5 && Math.abs(peak.k - k) <= 3)) continue;
    peaks.push({ slope: slopes[k]!, row, k });
    if (peaks.length === most) break;
  }
  return peaks;
}
