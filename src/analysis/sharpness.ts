/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box } from '../domain/geometry.ts';
import { EYE_DISTANCE, EYES_AT, type Upright } from './patch.ts';
import type { Plane } from './pixels.ts';

/** Along, across, and both diagonals: a moved camera blurs one of them and leaves the edges of the others sharp. */
const DIRECTIONS = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: 1, y: 1 },
  { x: 1, y: -1 },
] as const;
/** Fewer places with contrast than this are no measure. */
const MIN_PLACES = 30;
/** Bins of steepness, which is 0 to about 0.7: fine enough for three digits, and far cheaper than sorting. */
const BINS = 1000;

/** What counts as an edge, and which of them. */
export interface EdgeChoice {
  /** An edge's contrast is taken this far to both sides, px; wider blur looks as steep as blur that fills it. */
  readonly reach: number;
  /** Luma; places with less contrast say nothing. */
  readonly minSpan: number;
  /** Of the places with contrast, the one that this part is less steep than. */
  readonly quantile: number;
}

/** Luma is counted in whole parts this small: their lower and higher ones are told without a branch. */
const PARTS = 32;

/** Luma of a box and of a margin round it, in `PARTS`. */
interface Band {
  readonly data: Int32Array;
  readonly width: number;
  readonly margin: number;
}

/**
 * How steep edges are over their own contrast, in the direction in which they are least so: about 0.4 over the sigma of
 * a Gaussian blur in px, 0.5 for a hard edge.
 * @param box farther from the border of the plane than the reach
 * @returns null where some direction has no contrast
 */
export function leastSteepness(luma: Plane, box: Box, edges: EdgeChoice): number | null {
  const band = bandOf(luma, box, edges.reach);
  const low = new Int32Array(band.data.length);
  const high = new Int32Array(band.data.length);
  let least = Infinity;
  for (const direction of DIRECTIONS) {
    const steepness = steepnessAlong(band, { low, high }, direction, edges);
    if (steepness === null) return null;
    least = Math.min(least, steepness);
  }
  return least;
}

function bandOf({ data, width }: Plane, box: Box, margin: number): Band {
  const columns = box.width + 2 * margin;
  const rows = box.height + 2 * margin;
  const band = new Int32Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    let from = (box.y - margin + row) * width + box.x - margin;
    // Within: the box keeps more than the reach from every border.
    for (let column = 0; column < columns; column++) band[to++] = Math.round(PARTS * data[from++]!);
  }
  return { data: band, width: columns, margin };
}

/** @param extremes room for the lowest and the highest of each place's surroundings */
function steepnessAlong(
  { data, width, margin }: Band,
  { low, high }: { readonly low: Int32Array; readonly high: Int32Array },
  { x, y }: { x: number; y: number },
  { reach, minSpan, quantile }: EdgeChoice,
): number | null {
  const step = Math.abs(y * width + x);
  const steps = Math.round(reach / Math.hypot(x, y));
  low.set(data);
  high.set(data);
  // What a place and those after it span, of ever more of them: the next is put together of two that are there.
  for (let covered = 1, added = 0; covered <= 2 * steps; covered += added) {
    added = Math.min(covered, 2 * steps + 1 - covered);
    for (let i = 0, other = added * step; other < data.length; i++, other++) {
      // The lesser and the greater without a branch, which pixels would have the processor guess wrong half of the time.
      const below = low[i]! - low[other]!;
      const above = high[other]! - high[i]!;
      low[i]! -= below & ~(below >> 31);
      high[i]! += above & ~(above >> 31);
    }
  }
  const scale = 1 / (2 * Math.hypot(x, y));
  const counts = new Uint32Array(BINS + 1);
  let total = 0;
  for (let row = margin * width; row < data.length - margin * width; row += width) {
    for (let i = row + margin; i < row + width - margin; i++) {
      const first = i - steps * step;
      const span = high[first]! - low[first]!;
      if (span < PARTS * minSpan) continue;
      const steepness = (scale * Math.abs(data[i + step]! - data[i - step]!)) / span;
      counts[Math.min(BINS, Math.floor(steepness * BINS))]!++; // the last bin takes the rest
      total++;
    }
  }
  if (total < MIN_PLACES) return null;
  let seen = 0;
  for (let bin = 0; bin <= BINS; bin++) {
    seen += counts[bin]!; // within
    if (seen > quantile * total) return (bin + 0.5) / BINS;
  }
  return null;
}

/** Where the detail round the eyes is: brows, lids and lashes, which every face has, and no beard or scarf. Patch px. */
const EYE_BAND: Box = {
  x: Math.round(EYES_AT.x - 1.05 * EYE_DISTANCE),
  y: Math.round(EYES_AT.y - 0.5 * EYE_DISTANCE),
  width: Math.round(EYES_AT.x + 1.05 * EYE_DISTANCE) - Math.round(EYES_AT.x - 1.05 * EYE_DISTANCE),
  height: Math.round(EYES_AT.y + 0.35 * EYE_DISTANCE) - Math.round(EYES_AT.y - 0.5 * EYE_DISTANCE),
};
/** What blur of 3 % of the eye distance fills, px. */
const EYE_REACH = 5;
/**
 * Only places with a good part of the face's own range count, so that neither pores nor, on dark skin, the want of
 * contrast decide.
 */
const EDGE_RANGE = 0.3;
const MIN_SPAN = 16;

/**
 * How steep the edges round the eyes are in the direction in which they are least so, over their own contrast.
 * @param range luma between the darkest and the brightest of the face
 * @returns steepness per eye distance; 0 where nothing has contrast: a face without edges is blurred
 */
export function eyeSharpness({ enlarged }: Upright, luma: Plane, range: number): number {
  const minSpan = Math.max(MIN_SPAN, EDGE_RANGE * range);
  const least = leastSteepness(luma, EYE_BAND, { reach: EYE_REACH, minSpan, quantile: 0.97 }) ?? 0;
  // Pixels that are larger than the patch's soften an edge by themselves, which the root takes back in part: in full,
  // it would let a blurred small face pass.
  return EYE_DISTANCE * Math.sqrt(enlarged) * least;
}
