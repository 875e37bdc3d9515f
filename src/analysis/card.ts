/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Size } from '../domain/geometry.ts';
import type { CardObservation } from '../domain/observation.ts';
import {
  blockExtremes,
  edgeSteepness,
  fractionWithin,
  histogramOf,
  lumaPlane,
  meanOf,
  percentile,
  type Pixels,
  type Plane,
  samplePatch,
  shiftBetween,
  shrink,
} from './pixels.ts';

/*
 * From pixels to the measures of a card. The guide and a rim round it are scaled to one size, so that distance and
 * resolution cancel out.
 */

/** Width of the guide in the patch, px: about that of the guide in a 640 px frame, so that no sharpness is lost. */
const GUIDE_WIDTH = 480;
/** Rim round the guide that is sampled as well, as a fraction of the guide's width: a card held by hand overlaps it. */
const RIM = 0.06;
/** Side of the cells in which print is looked for, px of the patch. */
const CELL = 24;
/** Luma span that makes a cell hold something. Sensor noise and paper grain stay below. */
const CELL_SPAN = 40;
/** Luma step across a side of the guide, averaged along most of the side, that makes it an edge. */
const EDGE_STEP = 10;
/** Luma span of writing; less is background pattern. */
const WRITING_SPAN = 50;
/** Clipped in all three channels. */
const CLIPPED = 250;

/** Measures cards frame after frame; remembers the last frame to tell movement. */
export interface CardMeter {
  observe(pixels: Pixels, guide: Box, now: number): CardObservation;
}

/** The first frame of a meter has no movement. */
export function createCardMeter(): CardMeter {
  let last: { readonly levels: readonly Plane[]; readonly now: number } | null = null;
  return {
    observe(pixels, guide, now) {
      const scale = guide.width / GUIDE_WIDTH;
      const rim = Math.round(RIM * GUIDE_WIDTH);
      const height = Math.max(1, Math.round(guide.height / scale));
      const patch = samplePatch(
        pixels,
        {
          origin: { x: guide.x - rim * scale, y: guide.y - rim * scale },
          right: { x: scale, y: 0 },
          down: { x: 0, y: scale },
        },
        GUIDE_WIDTH + 2 * rim,
        height + 2 * rim,
      );
      const inside: Box = { x: rim, y: rim, width: GUIDE_WIDTH, height };
      const plane = lumaPlane(patch);
      const card = crop(plane, inside);
      const histogram = histogramOf(card);
      const clipped = clippedIn(patch, inside);
      const levels = SHRINKS.map((shrinkBy) => shrink(plane, shrinkBy));
      const seconds = last === null ? 0 : (now - last.now) / 1000;
      const shift = last === null ? 0 : largestShift(last.levels, levels);
      last = { levels, now };
      return {
        kind: 'card',
        frame: { width: pixels.width, height: pixels.height },
        edges: edgesAlong(plane, inside),
        texture: textureIn(card),
        luma: meanOf(histogram),
        highlight: percentile(histogram, 0.98),
        dark: fractionWithin(histogram, 0, 25),
        bright: clipped.fraction,
        glare: glareIn(clipped.mask, plane, inside) / (inside.width * inside.height),
        sharpness:
          (GUIDE_WIDTH / 1000) *
          // A guide that is small in the frame is enlarged; what that blurs is not the camera's fault.
          Math.max(1, 1 / scale) *
          edgeSteepness(plane, inside, { reach: 4, minSpan: WRITING_SPAN, quantile: 0.95 }),
        motion: seconds <= 0 ? 0 : shift / GUIDE_WIDTH / seconds,
      };
    },
  };
}

/** The picture is this much coarser where movement is measured: each level sees steps of up to twice its size. */
const SHRINKS = [6, 18] as const;

/** Movement in px of the patch; a level that the step is too large for sees less of it than the coarser one. */
function largestShift(before: readonly Plane[], after: readonly Plane[]): number {
  return SHRINKS.reduce<number>((largest, size, level) => {
    const [a, b] = [before[level], after[level]];
    return a === undefined || b === undefined ? largest : Math.max(largest, size * shiftBetween(a, b));
  }, 0);
}

function crop(plane: Plane, box: Box): Plane {
  const data = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const start = (y + box.y) * plane.width + box.x;
    data.set(plane.data.subarray(start, start + box.width), y * box.width);
  }
  return { data, width: box.width, height: box.height };
}

/** Fraction of the cells whose luma spans more than paper or a table top does. */
function textureIn(inside: Plane): number {
  const { low, high } = blockExtremes(inside, CELL);
  let busy = 0;
  for (let i = 0; i < low.data.length; i++) {
    if (high.data[i]! - low.data[i]! >= CELL_SPAN) busy++; // within: both have the same size
  }
  return busy / Math.max(1, low.data.length);
}

/** Sides along which, at one offset within the rim, the picture steps in one direction. */
function edgesAlong(plane: Plane, inside: Box): number {
  const rim = inside.x;
  const at = (x: number, y: number): number => plane.data[y * plane.width + x] ?? 0;
  // The outer quarters are left out: corners are rounded, and fingers hold the card there.
  const middle = (length: number): readonly [number, number] => [
    Math.round(length * 0.15),
    Math.round(length * 0.85),
  ];
  const side = (length: number, value: (offset: number, along: number) => number): boolean => {
    const [from, to] = middle(length);
    for (let offset = 3 - rim; offset <= rim - 4; offset++) {
      let sum = 0;
      for (let along = from; along < to; along++) sum += value(offset + 2, along) - value(offset - 2, along);
      if (Math.abs(sum) / (to - from) >= EDGE_STEP) return true;
    }
    return false;
  };
  const { x, y, width, height } = inside;
  return [
    side(width, (offset, along) => at(x + along, y + offset)),
    side(width, (offset, along) => at(x + along, y + height + offset)),
    side(height, (offset, along) => at(x + offset, y + along)),
    side(height, (offset, along) => at(x + width + offset, y + along)),
  ].filter(Boolean).length;
}

/** Which pixels of the patch clip inside the guide, and what part of the guide they are. */
function clippedIn(
  { data, width }: Pixels,
  inside: Box,
): { readonly mask: Uint8Array; readonly fraction: number } {
  const mask = new Uint8Array(data.length / 4);
  let count = 0;
  for (let y = inside.y; y < inside.y + inside.height; y++) {
    for (let x = inside.x; x < inside.x + inside.width; x++) {
      const i = y * width + x;
      // Within: the guide lies inside the patch.
      if (Math.min(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!) < CLIPPED) continue;
      mask[i] = 1;
      count++;
    }
  }
  return { mask, fraction: count / (inside.width * inside.height) };
}

/** A print ends within two px, and a glare fades: how far outside of the spot that is looked at, px. */
const NEAR = 3;
const FAR = 10;
/** Luma that noise may add to the fall. */
const FALL_NOISE = 4;
/** A larger part of the guide that clips is no spot but too much light. */
const LARGEST_SPOT = 0.3;

/** Area of the largest clipped spot with a soft rim, px. Marks what it has seen in `mask`. */
function glareIn(mask: Uint8Array, plane: Plane, card: Size): number {
  const { width } = plane;
  let largest = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== 1) continue;
    const spot: number[] = [start];
    mask[start] = 2;
    let rim = 0;
    let soft = 0;
    for (const i of spot) {
      for (const step of [-1, 1, -width, width]) {
        const next = i + step;
        if (mask[next] === 1) {
          mask[next] = 2;
          spot.push(next);
        } else if (mask[next] === 0) {
          const near = 255 - (plane.data[i + step * NEAR] ?? 0);
          const far = 255 - (plane.data[i + step * FAR] ?? 0);
          rim++;
          if (near <= far / 2 + FALL_NOISE) soft++;
        }
      }
    }
    const isSpot = soft > rim / 2 && spot.length < LARGEST_SPOT * card.width * card.height;
    if (isSpot) largest = Math.max(largest, spot.length);
  }
  return largest;
}
