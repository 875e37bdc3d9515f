/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { type Aligned, EYE_DISTANCE, EYES_AT } from './patch.ts';
import type { Plane } from './pixels.ts';

/** Where the detail round the eyes is: brows, lids and lashes, which every face has, and no beard or scarf. Patch px. */
const EYE_BAND = {
  left: Math.round(EYES_AT.x - 1.05 * EYE_DISTANCE),
  top: Math.round(EYES_AT.y - 0.5 * EYE_DISTANCE),
  right: Math.round(EYES_AT.x + 1.05 * EYE_DISTANCE),
  bottom: Math.round(EYES_AT.y + 0.35 * EYE_DISTANCE),
};
/** Along, across, and both diagonals: a moved camera blurs one of them and leaves the edges of the others sharp. */
const DIRECTIONS = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: 1, y: 1 },
  { x: 1, y: -1 },
] as const;
/** An edge's contrast is taken this far to both sides, px: what blur of 3 % of the eye distance fills. */
const REACH = 5;
/**
 * Only places with a good part of the face's own range count, so that neither pores nor, on dark skin, the want of
 * contrast decide.
 */
const EDGE_RANGE = 0.3;
const MIN_SPAN = 16;
/** Of the places with contrast, the steepest but these. */
const QUANTILE = 0.97;
/** Fewer places with contrast than this are no measure: a face without edges is blurred. */
const MIN_PLACES = 30;
/** Bins of steepness, which is 0 to about 0.7: fine enough for three digits, and far cheaper than sorting. */
const BINS = 1000;

/**
 * How steep the edges round the eyes are in the direction in which they are least so, over their own contrast.
 * @param range luma between the darkest and the brightest of the face
 * @returns steepness per eye distance; 0 where nothing has contrast
 */
export function eyeSharpness({ enlarged }: Aligned, luma: Plane, range: number): number {
  const minSpan = Math.max(MIN_SPAN, EDGE_RANGE * range);
  const least = Math.min(...DIRECTIONS.map((direction) => steepnessAlong(luma, direction, minSpan)));
  // Pixels that are larger than the patch's soften an edge by themselves, which the root takes back in part: in full,
  // it would let a blurred small face pass.
  return EYE_DISTANCE * Math.sqrt(enlarged) * least;
}

function steepnessAlong({ data, width }: Plane, { x, y }: { x: number; y: number }, minSpan: number): number {
  const step = y * width + x;
  const reach = Math.round(REACH / Math.hypot(x, y));
  const perPixel = 2 * Math.hypot(x, y);
  const counts = new Uint32Array(BINS + 1);
  let total = 0;
  for (let row = EYE_BAND.top; row < EYE_BAND.bottom; row++) {
    for (let column = EYE_BAND.left; column < EYE_BAND.right; column++) {
      const i = row * width + column;
      let least = Infinity;
      let most = -Infinity;
      // Within: the band keeps more than the reach from every border of the patch.
      for (let k = -reach; k <= reach; k++) {
        const value = data[i + k * step]!;
        if (value < least) least = value;
        if (value > most) most = value;
      }
      if (most - least < minSpan) continue;
      const steepness = Math.abs(data[i + step]! - data[i - step]!) / perPixel / (most - least);
      counts[Math.min(BINS, Math.floor(steepness * BINS))]!++; // the last bin takes the rest
      total++;
    }
  }
  if (total < MIN_PLACES) return 0;
  let seen = 0;
  for (let bin = 0; bin <= BINS; bin++) {
    seen += counts[bin]!; // within
    if (seen > QUANTILE * total) return (bin + 0.5) / BINS;
  }
  return 0;
}
