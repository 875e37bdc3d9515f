/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { type Box, cornersOf, ID1_RATIO, meanDistance, type Size } from '../domain/geometry.ts';
import { frameOf, type Quad, sidesOf } from '../domain/homography.ts';
import type { CardObservation } from '../domain/observation.ts';
import type { Detection } from './crowd.ts';
import { findOutline } from './outline.ts';
import {
  blockExtremes,
  edgeSteepness,
  fractionWithin,
  histogramOf,
  lumaPlane,
  meanOf,
  percentile,
  type Picture,
  type Pixels,
  type Plane,
  samplePatch,
} from './pixels.ts';

/*
 * From pixels to the measures of a card. The card, or the guide where none is found, is straightened and scaled to one
 * size, so that distance, tilt and resolution cancel out.
 */

/** Width of the straightened card, px: about that of the guide in a 640 px frame, so that no sharpness is lost. */
const CARD_WIDTH = 480;
/** Rim round the card that is sampled as well, px: a glare fades beyond the edge. */
const RIM = 12;
/** Side of the cells in which print is looked for, px of the straightened card. */
const CELL = 24;
/** Luma span that makes a cell hold something. Sensor noise and paper grain stay below. */
const CELL_SPAN = 40;
/** Luma span of writing; less is background pattern. */
const WRITING_SPAN = 50;
/** Clipped in all three channels. */
const CLIPPED = 250;

/** Where the card lies in the straightened picture. */
const INSIDE: Box = { x: RIM, y: RIM, width: CARD_WIDTH, height: Math.round(CARD_WIDTH / ID1_RATIO) };

/** Finds faces in a picture; px of the picture. */
type FindFaces = (picture: Picture) => readonly Detection[];

/** Measures cards frame after frame; remembers the last frame to tell movement. */
export interface CardMeter {
  /** @param findFaces null for a card that bears no portrait */
  observe(pixels: Pixels, guide: Box, now: number, findFaces: FindFaces | null): CardObservation;
}

/** The first frame of a meter, and one whose card was not found in the frame before, has no movement. */
export function createCardMeter(): CardMeter {
  let last: { readonly corners: Quad; readonly now: number } | null = null;
  return {
    observe(pixels, guide, now, findFaces) {
      const outline = findOutline(pixels, guide);
      const corners = outline?.corners ?? cornersOf(guide);
      const place = frameOf(corners, INSIDE, RIM) ?? frameOf(cornersOf(guide), INSIDE, RIM);
      if (place === null) throw new RangeError('The guide has no area.');
      const patch = samplePatch(pixels, place, INSIDE.width + 2 * RIM, INSIDE.height + 2 * RIM);
      const plane = lumaPlane(patch);
      const card = crop(plane, INSIDE);
      const histogram = histogramOf(card);
      const clipped = clippedIn(patch, INSIDE);
      const { width } = sidesOf(corners);
      const seconds = last === null ? 0 : (now - last.now) / 1000;
      const moved =
        last === null || outline === null ? 0 : meanDistance(last.corners, outline.corners) / width;
      last = outline === null ? null : { corners: outline.corners, now };
      return {
        kind: 'card',
        frame: { width: pixels.width, height: pixels.height },
        outline,
        portrait: findFaces && (outline === null ? { upright: 0, turned: 0 } : portraitOn(patch, findFaces)),
        texture: textureIn(card),
        luma: meanOf(histogram),
        highlight: percentile(histogram, 0.98),
        dark: fractionWithin(histogram, 0, 25),
        bright: clipped.fraction,
        glare: glareIn(clipped.mask, plane, INSIDE) / (INSIDE.width * INSIDE.height),
        sharpness:
          (CARD_WIDTH / 1000) *
          // A card that is small in the frame is enlarged; what that blurs is not the camera's fault.
          Math.max(1, CARD_WIDTH / width) *
          edgeSteepness(plane, INSIDE, { reach: 4, minSpan: WRITING_SPAN, quantile: 0.95 }),
        motion: seconds <= 0 ? 0 : moved / seconds,
      };
    },
  };
}

/** The part of the card's width at either end in which the portrait is looked for, and of its height. */
const END = { width: 0.34, top: 0.16, bottom: 0.86 };

/**
 * How certain a face is to be seen on either end of the card, as it lies and turned by 180 degrees. All four are
 * looked at in one picture: both ends as they are in the left column, and turned in the right one.
 */
function portraitOn({ data, width: stride }: Pixels, findFaces: FindFaces): CardObservation['portrait'] {
  const width = Math.round(END.width * INSIDE.width);
  const top = INSIDE.y + Math.round(END.top * INSIDE.height);
  const height = Math.round((END.bottom - END.top) * INSIDE.height);
  const ends = [INSIDE.x + INSIDE.width - width, INSIDE.x];
  const source = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  const sheet = new Uint32Array(4 * width * height);
  ends.forEach((left, row) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = source[(top + y) * stride + left + x]!; // the ends lie inside the card
        sheet[(row * height + y) * 2 * width + x] = pixel;
        sheet[(row * height + height - 1 - y) * 2 * width + 2 * width - 1 - x] = pixel;
      }
    }
  });
  const faces = findFaces({
    data: new Uint8ClampedArray(sheet.buffer),
    width: 2 * width,
    height: 2 * height,
  });
  const surest = (isTurned: boolean): number =>
    faces.reduce(
      (most, face) => (face.x + face.width / 2 >= width === isTurned ? Math.max(most, face.score) : most),
      0,
    );
  return { upright: surest(false), turned: surest(true) };
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
