/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box } from '../domain/geometry.ts';
import { createWorkshop } from './kernels.ts';
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

/** Luma is counted in whole parts this small, eight of which fit into a vector. */
const PARTS = 32;
/** Bytes of a place's luma, and of a bin's count. */
const [SHORT, LONG] = [2, 4];
/** What the kernels may write behind a run of places, and what places in memory begin at multiples of, bytes. */
const VECTOR = 16;

const workshop = createWorkshop();

/**
 * How steep edges are over their own contrast, in the direction in which they are least so: about 0.4 over the sigma of
 * a Gaussian blur in px, 0.5 for a hard edge.
 * @param box farther from the border of the plane than the reach
 * @returns null where some direction has no contrast
 */
export function leastSteepness(
  { data, width }: Plane,
  box: Box,
  { reach, minSpan, quantile }: EdgeChoice,
): number | null {
  const columns = box.width + 2 * reach;
  const rows = box.height + 2 * reach;
  const room = VECTOR * (Math.ceil((SHORT * columns * rows) / VECTOR) + 1);
  const [band, low, high, bins] = [0, room, 2 * room, 3 * room];
  const { memory, countSteepness } = workshop(bins + LONG * (BINS + 1));
  const places = new Int16Array(memory, band, columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    let from = (box.y - reach + row) * width + box.x - reach;
    // Within: the box keeps more than the reach from every border. Half a part more makes of cutting off a rounding.
    for (let column = 0; column < columns; column++) places[to++] = PARTS * data[from++]! + 0.5;
  }
  const counts = new Uint32Array(memory, bins, BINS + 1);
  const least = Math.ceil(PARTS * minSpan);
  let steepness = Infinity;
  for (const { x, y } of DIRECTIONS) {
    const length = Math.hypot(x, y);
    const step = Math.abs(y * columns + x);
    const steps = Math.round(reach / length);
    const scale = 1 / (2 * length);
    counts.fill(0);
    const total = countSteepness(
      band,
      low,
      high,
      columns,
      rows,
      reach,
      step,
      steps,
      least,
      scale,
      bins,
      BINS,
    );
    if (total < MIN_PLACES) return null;
    steepness = Math.min(steepness, quantileOf(counts, quantile * total));
  }
  return steepness;
}

/** The middle of the bin in which so many places are reached. */
function quantileOf(counts: Uint32Array, rank: number): number {
  let seen = 0;
  const bin = counts.findIndex((count) => (seen += count) > rank);
  return (bin + 0.5) / BINS;
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
export function eyeSharpness({ enlarged, luma }: Pick<Upright, 'enlarged' | 'luma'>, range: number): number {
  const minSpan = Math.max(MIN_SPAN, EDGE_RANGE * range);
  const least = leastSteepness(luma, EYE_BAND, { reach: EYE_REACH, minSpan, quantile: 0.97 }) ?? 0;
  // Pixels that are larger than the patch's soften an edge by themselves, which the root takes back in part: in full,
  // it would let a blurred small face pass.
  return EYE_DISTANCE * Math.sqrt(enlarged) * least;
}
