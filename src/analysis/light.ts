/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Point } from '../domain/geometry.ts';
import type { FaceLight } from '../domain/observation.ts';
import { type Aligned, EYE_DISTANCE, EYES_AT, FLOOR, OUTLINE } from './patch.ts';
import {
  fractionWithin,
  histogramOf,
  lumaOf,
  meanOf,
  percentile,
  type Pixels,
  type Plane,
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
 * Places on bare skin: the landmark on the right, its mirror image on the left, and the natural logarithm of the light
 * that falls there over that of the middling place. They are those whose light differs least among good photos of one
 * half of the people (deviation below 0.27): cheeks, nose and chin. Forehead, temples and jaw, which hair, hijab and
 * beard come near to, are not among them. The logarithm is the median of the same photos.
 */
const MIRRORED: readonly (readonly [right: number, left: number, evenly: number])[] = [
  [36, 266, 0.17],
  [49, 279, -0.22],
  [83, 313, -0.21],
  [100, 329, 0.11],
  [101, 330, 0.19],
  [118, 347, 0.07],
  [119, 348, 0.09],
  [120, 349, 0.05],
  [121, 350, -0.1],
  [142, 371, 0.07],
  [201, 421, 0.04],
  [202, 422, -0.29],
  [205, 425, 0.03],
  [208, 428, -0.12],
  [212, 432, -0.21],
  [229, 449, -0.17],
  [230, 450, -0.14],
  [231, 451, -0.14],
];
/** Places on the midline, and the same logarithm. */
const MIDDLE: readonly (readonly [landmark: number, evenly: number])[] = [
  [9, 0.16],
  [8, 0.04],
  [168, 0.16],
  [6, 0.1],
  [4, 0.22],
  [1, -0.34],
  [200, 0.15],
  [199, -0.08],
];
/** Where shade stays when the sun stands high: at the inner corners of the eyes, and under the nose. */
const HOLLOWS = [
  [112, 341, 243, 463, 244, 464, 26, 256],
  [98, 327, 97, 326],
] as const;
/** The places below the eyes, which it shines on. */
const CHEEKS = [118, 347, 119, 348, 100, 329, 101, 330];
/** All places, and what evenly lit faces have there. */
const PLACES: readonly { readonly landmark: number; readonly evenly: number }[] = [
  ...MIRRORED.flatMap(([right, left, evenly]) => [right, left].map((landmark) => ({ landmark, evenly }))),
  ...MIDDLE.map(([landmark, evenly]) => ({ landmark, evenly })),
];

/** Half the side of the square whose mean is a place's light, patch px: outweighs pores, spots and single hairs. */
const REACH = 3;
/** Linear light added before a logarithm: black is never quite 0, and noise there would make any ratio. */
const LINEAR_FLOOR = 0.004;
/** So large a share of places is at most as red as certain skin: a mask may cover the rest. */
const SKIN_REDNESS = 0.7;
/** Less red than that by this much of ln(red / green), a place is no skin: beard, hair, mask. */
const LESS_RED = 0.3;
/** Fewer places of skin tell no slope: half of the face is covered. */
const FEW_PLACES = 26;
/** A channel from here is clipped, whatever the encoder did to it. */
const CLIPPED = 252;

/** Linear light of an encoded value, with the floor, as its logarithm. */
const LOG_LIGHT = Float32Array.from({ length: 256 }, (_, value) => {
  const encoded = value / 255;
  const linear = encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  return Math.log(linear + LINEAR_FLOOR);
});

/** What can be told of the light without landmarks. */
type LightWithin = Pick<
  FaceLight,
  'mean' | 'highlight' | 'range' | 'dark' | 'bright' | 'behind' | 'frameHighlight'
>;

/**
 * Light within the outline of a face and round it.
 * @param outline px of the patch
 * @param luma of the patch
 * @param face the box round its landmarks, px of `pixels`
 */
export function lightWithin(outline: readonly Point[], luma: Plane, face: Box, pixels: Pixels): LightWithin {
  const histogram = histogramOf(luma, outline);
  const highlight = percentile(histogram, 0.98);
  const surroundings = surroundingsOf(pixels, face);
  return {
    mean: meanOf(histogram),
    highlight,
    range: highlight - percentile(histogram, 0.02),
    dark: fractionWithin(histogram, 0, 25),
    bright: fractionWithin(histogram, 247, 255),
    behind: (surroundings.beside + FLOOR) / (highlight + FLOOR),
    frameHighlight: surroundings.highlight,
  };
}

/**
 * Light on an aligned face and round it.
 * @param face as for `lightWithin`
 */
export function lightOn(aligned: Aligned, face: Box, pixels: Pixels): FaceLight {
  return {
    ...lightWithin(OUTLINE.map(aligned.place), aligned.luma, face, pixels),
    sclera: scleraOf(aligned),
    ...skinLight(aligned),
  };
}

/** Luma that a tenth of what lies between the lids exceeds, of the eye that shows more. */
function scleraOf({ place, luma }: Aligned): number {
  return Math.max(
    ...EYES.map((lids) => {
      const histogram = histogramOf(luma, lids.map(place));
      return histogram.some((count) => count > 0) ? percentile(histogram, 0.9) : 0;
    }),
  );
}

/** What one place on the skin has: logarithms of its light and of its redness, and what part of its pixels clips. */
interface Place {
  readonly light: number;
  readonly redness: number;
  readonly clipped: number;
}

/** The squares of skin whose light is compared, px of the patch. */
export function lightBoxes({ place }: Aligned): readonly { readonly name: string; readonly box: Box }[] {
  const landmarks = [...PLACES.map(({ landmark }) => landmark), ...HOLLOWS.flat()];
  return landmarks.map(place).map(({ x, y }) => ({
    name: 'light',
    box: { x: x - REACH, y: y - REACH, width: 2 * REACH + 1, height: 2 * REACH + 1 },
  }));
}

/** How the light falls on the places of bare skin. */
function skinLight({
  patch,
  luma,
  place,
}: Aligned): Pick<FaceLight, 'sides' | 'levels' | 'hollows' | 'clipped'> {
  const places = PLACES.map(({ landmark, evenly }) => {
    const at = place(landmark);
    return { landmark, at, evenly, ...placeAt(patch, luma, at) };
  });
  const clipped = averageOf(places.map((one) => one.clipped));
  const cheeks = places.filter(({ landmark }) => CHEEKS.includes(landmark)).map(({ light }) => light);
  const inHollows = HOLLOWS.map((landmarks) =>
    averageOf(landmarks.map((landmark) => placeAt(patch, luma, place(landmark)).light)),
  );
  const hollows = Math.exp(averageOf(cheeks) - averageOf(inHollows));
  const skinRedness = quantileOf(
    places.map(({ redness }) => redness),
    SKIN_REDNESS,
  );
  const skin = places.filter(({ redness }) => redness > skinRedness - LESS_RED);
  if (skin.length < FEW_PLACES) return { sides: 1, levels: 1, hollows, clipped };
  const [, across = 0, down = 0] = smoothField(
    skin.map(({ at }) => ({ x: (at.x - EYES_AT.x) / EYE_DISTANCE, y: (at.y - CENTRE_Y) / EYE_DISTANCE })),
    skin.map(({ light, evenly }) => light - evenly),
  );
  return { sides: Math.exp(Math.abs(across)), levels: Math.exp(Math.abs(down)), hollows, clipped };
}

function placeAt({ data, width, height }: Pixels, luma: Plane, centre: Point): Place {
  let light = 0;
  let redness = 0;
  let clipped = 0;
  // A place that lies outside the patch, on a face seen from the side, is read at the patch's border.
  const atX = Math.min(width - 1 - REACH, Math.max(REACH, Math.round(centre.x)));
  const atY = Math.min(height - 1 - REACH, Math.max(REACH, Math.round(centre.y)));
  for (let y = atY - REACH; y <= atY + REACH; y++) {
    for (let x = atX - REACH; x <= atX + REACH; x++) {
      const i = y * width + x;
      const red = data[4 * i]!; // within: the centre keeps its distance from the border
      const green = data[4 * i + 1]!;
      light += LOG_LIGHT[Math.round(luma.data[i]!)]!;
      redness += LOG_LIGHT[red]! - LOG_LIGHT[green]!;
      if (Math.max(red, green, data[4 * i + 2]!) >= CLIPPED) clipped++;
    }
  }
  const count = (2 * REACH + 1) ** 2;
  return { light: light / count, redness: redness / count, clipped: clipped / count };
}

/** Where the slopes of light are taken, patch px: about the tip of the nose. */
const CENTRE_Y = 130;
/** Rounds of weighing anew; more change the third digit. */
const ROUNDS = 5;
/** A place further off the field than so many deviations weighs less the further it is: wrinkle, moustache, spot. */
const TOLERATED = 1.5;
/** Added to the deviation, so that a perfect fit still has one. */
const SMALLEST_DEVIATION = 0.05;

/**
 * The smooth field that most values keep to: constant, slope across, slope down, and three for its curvature, so that
 * neither a nose nor a wrinkle makes a slope (least squares, weighed anew by the residuals after Huber 1964).
 */
function smoothField(points: readonly Point[], values: readonly number[]): readonly number[] {
  const rows = points.map(({ x, y }) => [1, x, y, x * x, x * y, y * y]);
  let weights = values.map(() => 1);
  let field: readonly number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    field = leastSquares(rows, values, weights);
    const residuals = rows.map((row, i) =>
      Math.abs(values[i]! - row.reduce((sum, value, k) => sum + value * field[k]!, 0)),
    );
    // The median of absolute residuals is 0.6745 deviations of a normal distribution.
    const deviation = quantileOf(residuals, 0.5) / 0.6745 + SMALLEST_DEVIATION;
    weights = residuals.map((residual) => 1 / Math.max(1, residual / (TOLERATED * deviation)));
  }
  return field;
}

/**
 * Added to the diagonal: where the places left say little of a slope, none is the likely one. The variance of a place
 * (0.15 squared) over that of slopes (1).
 */
const RIDGE = 0.02;

/** Coefficients of the rows' columns that come nearest to the values: normal equations, eliminated with pivots. */
function leastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  weights: readonly number[],
): readonly number[] {
  const size = rows[0]?.length ?? 0;
  const system = Array.from({ length: size }, (_, j) =>
    Array.from({ length: size + 1 }, (_column, k) => {
      let sum = j === k ? RIDGE : 0;
      for (let i = 0; i < rows.length; i++)
        sum += weights[i]! * rows[i]![j]! * (k < size ? rows[i]![k]! : values[i]!);
      return sum;
    }),
  );
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let j = column + 1; j < size; j++)
      if (Math.abs(system[j]![column]!) > Math.abs(system[pivot]![column]!)) pivot = j;
    [system[column], system[pivot]] = [system[pivot]!, system[column]!];
    for (let j = 0; j < size; j++) {
      if (j === column) continue;
      const factor = system[j]![column]! / system[column]![column]!;
      for (let k = column; k <= size; k++) system[j]![k]! -= factor * system[column]![k]!;
    }
  }
  return system.map((row, j) => row[size]! / row[j]!);
}

const averageOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The value that this share of the others lies below; 0 of none. */
const quantileOf = (values: readonly number[], share: number): number =>
  Float64Array.from(values).sort()[Math.floor(share * values.length)] ?? 0;

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
      const luma = lumaOf(data[i]!, data[i + 1]!, data[i + 2]!); // within the frame, as its bin among all
      all[(luma + 0.5) | 0]!++;
      if (level && Math.abs(x - face.x - face.width / 2) > BESIDE * face.width) {
        sum += luma;
        count++;
      }
    }
  }
  return { beside: sum / Math.max(1, count), highlight: percentile(all, 0.98) };
}
