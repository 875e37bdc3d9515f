/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Point } from '../domain/geometry.ts';
import type { FaceLight } from '../domain/observation.ts';
import { type Aligned, FLOOR, OUTLINE } from './patch.ts';
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

/*
 * Light on a face. Where it falls is compared in linear light (sRGB decoded), as logarithms: a shadow then takes the
 * same step off every skin.
 */

/** Landmarks of the lids, which the white of the eye lies between. */
const EYES = [
  [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
  [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
] as const;

/**
 * Places on bare skin, from hairline to jaw: the landmark on the right, its mirror image on the left, and the natural
 * logarithm of the light that falls there over that of the middling place. The last is the median of good photos of
 * one half of the people: brows, cheekbones and nose catch more light than jaw and temples, under any lamp.
 */
const MIRRORED: readonly (readonly [right: number, left: number, evenly: number])[] = [
  [50, 280, 0.04],
  [205, 425, 0.1],
  [118, 347, 0.17],
  [101, 330, 0.28],
  [36, 266, 0.28],
  [187, 411, -0.32],
  [123, 352, -0.63],
  [147, 376, -0.71],
  [213, 433, -0.64],
  [192, 416, -0.45],
  [214, 434, -0.3],
  [210, 430, -0.31],
  [169, 394, -0.49],
  [68, 298, -0.61],
  [69, 299, 0.07],
  [104, 333, -0.2],
  [108, 337, 0.26],
  [116, 345, -0.53],
  [117, 346, 0.01],
  [119, 348, 0.21],
  [100, 329, 0.22],
  [142, 371, 0.19],
  [203, 423, 0.18],
  [216, 436, -0.07],
  [212, 432, -0.11],
  [135, 364, -0.53],
  [67, 297, -0.07],
  [32, 262, -0.15],
  [201, 421, 0.15],
  [194, 418, -0.03],
  [109, 338, 0.19],
];
/** Places on the midline, and the same logarithm. */
const MIDDLE: readonly (readonly [landmark: number, evenly: number])[] = [
  [151, 0.3],
  [9, 0.27],
  [8, 0.2],
  [6, 0.19],
  [197, 0.17],
  [195, 0.19],
  [5, 0.2],
  [4, 0.27],
  [200, 0.22],
  [199, -0.0],
  [175, -0.32],
];

/** Half the side of the square whose median is a place's light, patch px: ignores pores, spots and single hairs. */
const REACH = 3;
/** Linear light added before a logarithm: black is never quite 0, and noise there would make any ratio. */
const LINEAR_FLOOR = 0.004;
/** Less red than the brighter places by this much of ln(red / green), a place is no skin: beard, hair, mask. */
const LESS_RED = 0.25;
/** Ends of the face's height, by landmark. */
const HAIRLINE = 10;
const CHIN = 152;
/** Upper and lower places keep this distance from the middle of the face's height, over that height. */
const OFF_MIDDLE = 0.04;
/** Under a mask, too few of the lower places are left to be compared. */
const FEW_PLACES = 6;
/** A channel from here is clipped, whatever the encoder did to it. */
const CLIPPED = 252;

/** Linear light of an encoded value, with the floor, as its logarithm. */
const LOG_LIGHT = Float32Array.from({ length: 256 }, (_, value) => {
  const encoded = value / 255;
  const linear = encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  return Math.log(linear + LINEAR_FLOOR);
});

/**
 * Light on an aligned face and round it.
 * @param face the box round its landmarks, px of `pixels`
 */
export function lightOn(aligned: Aligned, luma: Plane, face: Box, pixels: Pixels): FaceLight {
  const outline = polygonMask(OUTLINE.map(aligned.place), luma.width, luma.height);
  const histogram = histogramOf(luma, outline);
  const highlight = percentile(histogram, 0.98);
  const surroundings = surroundingsOf(pixels, face);
  return {
    mean: meanOf(histogram),
    highlight,
    range: highlight - percentile(histogram, 0.02),
    dark: fractionWithin(histogram, 0, 25),
    bright: fractionWithin(histogram, 247, 255),
    sclera: scleraOf(aligned, luma),
    ...skinLight(aligned, luma),
    behind: (surroundings.beside + FLOOR) / (highlight + FLOOR),
    frameHighlight: surroundings.highlight,
  };
}

/** Luma that a tenth of what lies between the lids exceeds, of the eye that shows more. */
function scleraOf({ place }: Aligned, luma: Plane): number {
  return Math.max(
    ...EYES.map((lids) => {
      const histogram = histogramOf(luma, polygonMask(lids.map(place), luma.width, luma.height));
      return histogram.some((count) => count > 0) ? percentile(histogram, 0.9) : 0;
    }),
  );
}

/** What one place on the skin has: logarithms of its light and of its redness, and what part of its pixels clips. */
interface Place {
  readonly light: number;
  readonly redness: number;
  readonly clipped: number;
  /** Where it lies, patch px. */
  readonly y: number;
}

/** The squares of skin whose light is compared, px of the patch. */
export function lightBoxes({ place }: Aligned): readonly { readonly name: string; readonly box: Box }[] {
  const landmarks = [
    ...MIRRORED.flatMap(([right, left]) => [right, left]),
    ...MIDDLE.map(([index]) => index),
  ];
  return landmarks.map(place).map(({ x, y }) => ({
    name: 'light',
    box: { x: x - REACH, y: y - REACH, width: 2 * REACH + 1, height: 2 * REACH + 1 },
  }));
}

/** How the light falls on the places of bare skin. */
function skinLight(
  { patch, place }: Aligned,
  luma: Plane,
): Pick<FaceLight, 'sides' | 'levels' | 'shade' | 'clipped'> {
  const at = (landmark: number): Place => placeAt(patch, luma, place(landmark));
  const top = place(HAIRLINE).y;
  const bottom = place(CHIN).y;
  const pairs = MIRRORED.map(([right, left]) => [at(right), at(left)] as const);
  const middle = MIDDLE.map(([landmark]) => at(landmark));
  const steps = pairs.map(([right, left]) => right.light - left.light);
  const towards = Math.sign(quantileOf(steps, 0.5)) || 1;
  const all = [...pairs.flat(), ...middle];
  const evenly = [...MIRRORED.flatMap(([, , even]) => [even, even]), ...MIDDLE.map(([, even]) => even)];
  const middling = quantileOf(
    all.map(({ light }) => light),
    0.5,
  );
  const skinRedness = quantileOf(
    all.filter(({ light }) => light >= middling).map(({ redness }) => redness),
    0.5,
  );
  const onSkin = all.flatMap(({ light, redness, y }, i) =>
    redness > skinRedness - LESS_RED
      ? [{ light: light - (evenly[i] ?? 0), down: (y - top) / (bottom - top) - 0.5 }]
      : [],
  );
  const lights = onSkin.map(({ light }) => light);
  const upper = onSkin.filter(({ down }) => down < -OFF_MIDDLE).map(({ light }) => light);
  const lower = onSkin.filter(({ down }) => down > OFF_MIDDLE).map(({ light }) => light);
  return {
    sides: Math.exp(
      Math.max(
        0,
        quantileOf(
          steps.map((step) => towards * step),
          1 / 3,
        ),
      ),
    ),
    levels:
      Math.min(upper.length, lower.length) < FEW_PLACES
        ? 1
        : Math.exp(
            Math.max(
              0,
              quantileOf(upper, 0.4) - quantileOf(lower, 0.6),
              quantileOf(lower, 0.4) - quantileOf(upper, 0.6),
            ),
          ),
    shade: Math.exp(quantileOf(lights, 0.7) - quantileOf(lights, 0.3)),
    clipped: all.reduce((sum, { clipped }) => sum + clipped, 0) / all.length,
  };
}

function placeAt({ data, width, height }: Pixels, luma: Plane, centre: Point): Place {
  const light: number[] = [];
  const redness: number[] = [];
  let clipped = 0;
  // A place that lies outside the patch, on a face seen from the side, is read at the patch's border.
  const atX = Math.min(width - 1 - REACH, Math.max(REACH, Math.round(centre.x)));
  const atY = Math.min(height - 1 - REACH, Math.max(REACH, Math.round(centre.y)));
  for (let y = atY - REACH; y <= atY + REACH; y++) {
    for (let x = atX - REACH; x <= atX + REACH; x++) {
      const i = y * width + x;
      const red = data[4 * i]!; // within: the centre keeps its distance from the border
      const green = data[4 * i + 1]!;
      light.push(LOG_LIGHT[Math.round(luma.data[i]!)]!);
      redness.push(LOG_LIGHT[red]! - LOG_LIGHT[green]!);
      if (Math.max(red, green, data[4 * i + 2]!) >= CLIPPED) clipped++;
    }
  }
  return {
    light: quantileOf(light, 0.5),
    redness: quantileOf(redness, 0.5),
    clipped: clipped / light.length,
    y: centre.y,
  };
}

/** Value below which this fraction of the numbers lies, between neighbours in proportion; 0 of none. */
function quantileOf(values: readonly number[], fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? 0;
  const high = sorted[Math.ceil(rank)] ?? 0;
  return low + (rank - Math.floor(rank)) * (high - low);
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
