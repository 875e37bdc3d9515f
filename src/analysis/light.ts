/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Point } from '../domain/geometry.ts';
import type { FaceLight } from '../domain/observation.ts';
import { type Aligned, boxOf, colourOf, FLOOR, lumaOfColour, OUTLINE } from './patch.ts';
import {
  fractionWithin,
  histogramOf,
  lumaOf,
  meanOf,
  percentile,
  type Pixels,
  type Plane,
  polygonMask,
} from './pixels.ts';

/** Light on an aligned face and round it. */
export function lightOn(aligned: Aligned, luma: Plane, points: readonly Point[], pixels: Pixels): FaceLight {
  const outline = polygonMask(OUTLINE.map(aligned.place), luma.width, luma.height);
  const histogram = histogramOf(luma, outline);
  const right = lumaOfColour(colourOf(aligned, 'rightCheek')) + FLOOR;
  const left = lumaOfColour(colourOf(aligned, 'leftCheek')) + FLOOR;
  const highlight = percentile(histogram, 0.98);
  const surroundings = surroundingsOf(pixels, boxOf(points));
  return {
    mean: meanOf(histogram),
    highlight,
    range: highlight - percentile(histogram, 0.02),
    dark: fractionWithin(histogram, 0, 25),
    bright: fractionWithin(histogram, 247, 255),
    sides: Math.max(right, left) / Math.min(right, left),
    behind: (surroundings.beside + FLOOR) / (highlight + FLOOR),
    frameHighlight: surroundings.highlight,
  };
}

/** Every so many px of the frame are enough to know its light. */
const STRIDE = 4;
/** What lies this far from the middle of the face, in face widths, is neither face nor hair nor scarf. */
const BESIDE = 0.75;

/** Light in the frame: mean luma to both sides of the face, and the luma that 2 % of the whole frame exceed. */
function surroundingsOf({ data, width, height }: Pixels, face: Box): { beside: number; highlight: number } {
  const all = new Uint32Array(256);
  let sum = 0;
  let count = 0;
  for (let y = 0; y < height; y += STRIDE) {
    const level = y >= face.y && y < face.y + face.height;
    for (let x = 0; x < width; x += STRIDE) {
      const i = 4 * (y * width + x);
      const luma = lumaOf(data[i]!, data[i + 1]!, data[i + 2]!); // within the frame
      const bin = Math.round(luma);
      all[bin] = (all[bin] ?? 0) + 1;
      if (level && Math.abs(x - face.x - face.width / 2) > BESIDE * face.width) {
        sum += luma;
        count++;
      }
    }
  }
  return { beside: sum / Math.max(1, count), highlight: percentile(all, 0.98) };
}
