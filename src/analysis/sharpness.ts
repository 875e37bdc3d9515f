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

/**
 * How steep edges are over their own contrast, in the direction in which they are least so: about 0.4 over the sigma of
 * a Gaussian blur in px, 0.5 for a hard edge.
 * @param box farther from the border of the plane than the reach
 * @returns null where some direction has no contrast
 */
export function leastSteepness(luma: Plane, box: Box, edges: EdgeChoice): number | null {
  let least = Infinity;
  for (const direction of DIRECTIONS) {
    const steepness = steepnessAlong(luma, box, direction, edges);
    if (steepness === null) return null;
    least = Math.min(least, steepness);
  }
  return least;
}

function steepnessAlong(
  { data, width }: Plane,
  box: Box,
  { x, y }: { x: number; y: number },
  { reach, minSpan, quantile }: EdgeChoice,
): number | null {
  const step = y * width + x;
  const steps = Math.round(reach / Math.hypot(x, y));
  const perPixel = 2 * Math.hypot(x, y);
  const counts = new Uint32Array(BINS + 1);
  let total = 0;
  for (let row = box.y; row < box.y + box.height; row++) {
    for (let column = box.x; column < box.x + box.width; column++) {
      const i = row * width + column;
      let least = Infinity;
      let most = -Infinity;
      for (let k = -steps; k <= steps; k++) {
        const value = data[i + k * step]!; // within: the box keeps more than the reach from every border
        if (value < least) least = value;
        if (value > most) most = value;
      }
      if (most - least < minSpan) continue;
      const steepness = Math.abs(data[i + step]! - data[i - step]!) / perPixel / (most - least);
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
