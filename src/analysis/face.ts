/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Point, Size } from '../domain/geometry.ts';
import type { Face, FaceCover, FaceDetail, FaceLight, FaceObservation } from '../domain/observation.ts';
import type { Seen, SeenFace } from './models.ts';
import {
  type Colour,
  discColour,
  edgeSteepness,
  fractionWithin,
  type Frame2d,
  histogramOf,
  lumaOf,
  lumaPlane,
  meanOf,
  percentile,
  type Pixels,
  polygonMask,
  samplePatch,
} from './pixels.ts';

/*
 * From landmarks and pixels to the measures of a face. Everything about light, cover and sharpness is measured on
 * a patch that the eye line turns upright and scales to one size.
 */

/** Distance between the eye centres in the patch, px: coarse enough for a 640 px frame, fine enough to see blur of 3 %. */
const EYE_DISTANCE = 64;
/** Patch size in px: from the hairline to below the chin, and past both ears. */
const PATCH: Size = { width: 192, height: 240 };
/** Where the middle between the eyes lies in the patch. */
const EYES_AT: Point = { x: 96, y: 100 };

/** Numbers of the landmarks that are read (MediaPipe's canonical face model). */
const RIGHT_EYE = [33, 133] as const;
const LEFT_EYE = [263, 362] as const;
const OUTLINE = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
  150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
/** Places that are looked at, by landmark; the radius is in eye distances. All but the lips are skin on a free face. */
const PLACES = {
  forehead: { points: [151], radius: 0.12 },
  bridge: { points: [6], radius: 0.07 },
  underEyes: { points: [118, 347], radius: 0.08 },
  nose: { points: [4], radius: 0.08 },
  upperLip: { points: [164], radius: 0.06 },
  lips: { points: [37, 84, 0, 17, 267, 314], radius: 0.04 },
  chin: { points: [199], radius: 0.1 },
  rightCheek: { points: [50, 205, 118], radius: 0.12 },
  leftCheek: { points: [280, 425, 347], radius: 0.12 },
  /** Above and below each eye, within the area that any sunglasses cover. */
  roundRightEye: { points: [159, 223, 230, 230], radius: 0.05 },
  roundLeftEye: { points: [386, 443, 450, 450], radius: 0.05 },
} as const;
type Place = keyof typeof PLACES;

/** Where the detail round the eyes is: brows, lids and lashes, which every face has, and no beard or scarf. Patch px. */
const EYE_BAND = {
  x: EYES_AT.x - 1.05 * EYE_DISTANCE,
  y: EYES_AT.y - 0.5 * EYE_DISTANCE,
  width: 2.1 * EYE_DISTANCE,
  height: 0.85 * EYE_DISTANCE,
};
/**
 * Contrast is taken over 9 to 12 px, which an edge blurred by 3 % of the eye distance fills. Only places with a good
 * part of the face's own range count, so that neither pores nor, on dark skin, the want of contrast decide.
 */
const EDGES = { reach: 3, quantile: 0.97 };
const EDGE_RANGE = 0.3;
const MIN_EDGE_SPAN = 16;

/** Measures faces frame after frame; remembers the last frame to tell movement. */
export interface FaceMeter {
  /** `pixels` may be null where there is no face to measure. */
  observe(seen: Seen, pixels: Pixels | null, frame: Size, now: number, detailed: boolean): FaceObservation;
}

/** A face that was away longer than this starts anew: what lies between is no movement, ms. */
const FORGET_AFTER = 1000;

/** The first frame of a meter has no movement. */
export function createFaceMeter(): FaceMeter {
  let last: { readonly points: readonly Point[]; readonly now: number } | null = null;
  return {
    observe(seen, pixels, { width, height }, now, detailed) {
      const size = { width, height };
      const { face } = seen;
      if (face === null || pixels === null) {
        last = null;
        return { kind: 'face', frame: size, faces: seen.faces, face: null };
      }
      const box = boxOf(face.points);
      const seconds = last === null || now - last.now > FORGET_AFTER ? 0 : (now - last.now) / 1000;
      const motion =
        last === null || seconds <= 0 ? 0 : meanDistance(last.points, face.points) / box.width / seconds;
      last = { points: face.points, now };
      const aligned = alignTo(face.points, pixels);
      const measures = measure(face.points, pixels, aligned);
      return {
        kind: 'face',
        frame: size,
        faces: seen.faces,
        face: { box, ...anglesOf(face), motion, ...measures },
        ...(detailed ? { detail: detailOf(face.points, aligned) } : {}),
      };
    },
  };
}

function boxOf(points: readonly Point[]): Face['box'] {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function meanDistance(a: readonly Point[], b: readonly Point[]): number {
  return (
    a.reduce((sum, p, i) => sum + Math.hypot(p.x - (b[i]?.x ?? p.x), p.y - (b[i]?.y ?? p.y)), 0) /
    Math.max(1, a.length)
  );
}

/** Turn, nod and tilt, taken apart in this order from a matrix that lies column by column. */
function anglesOf({ matrix }: SeenFace): Pick<Face, 'yaw' | 'pitch' | 'roll'> {
  const [xx = 1, xy = 0, xz = 0] = matrix;
  const yz = matrix[6] ?? 0;
  const zz = matrix[10] ?? 1;
  const degrees = 180 / Math.PI;
  return {
    yaw: -Math.asin(Math.min(1, Math.max(-1, xz))) * degrees,
    pitch: -Math.atan2(yz, zz) * degrees,
    roll: -Math.atan2(xy, xx) * degrees,
  };
}

/** A face turned upright and scaled to one size. */
interface Aligned {
  readonly patch: Pixels;
  /** Where a landmark lies in the patch. */
  readonly place: (index: number) => Point;
  /** By how much the patch is larger than the face in the frame, 1 or more. */
  readonly enlarged: number;
  /** Distance between the eyes in the frame, px. */
  readonly eyeDistance: number;
}

function alignTo(points: readonly Point[], pixels: Pixels): Aligned {
  const at = (index: number): Point => points[index] ?? { x: 0, y: 0 };
  const middle = (indices: readonly number[]): Point => ({
    x: indices.reduce((sum, i) => sum + at(i).x, 0) / indices.length,
    y: indices.reduce((sum, i) => sum + at(i).y, 0) / indices.length,
  });
  const rightEye = middle(RIGHT_EYE);
  const leftEye = middle(LEFT_EYE);
  const centre = middle([...RIGHT_EYE, ...LEFT_EYE]);
  // A face seen from the very side has no eye line; a step of some size keeps the arithmetic finite.
  const right = {
    x: (leftEye.x - rightEye.x) / EYE_DISTANCE || 1e-3,
    y: (leftEye.y - rightEye.y) / EYE_DISTANCE,
  };
  const down = { x: -right.y, y: right.x };
  const frame: Frame2d = {
    origin: {
      x: centre.x - EYES_AT.x * right.x - EYES_AT.y * down.x,
      y: centre.y - EYES_AT.x * right.y - EYES_AT.y * down.y,
    },
    right,
    down,
  };
  const square = right.x ** 2 + right.y ** 2;
  return {
    enlarged: Math.max(1, 1 / Math.sqrt(square)),
    eyeDistance: EYE_DISTANCE * Math.sqrt(square),
    patch: samplePatch(pixels, frame, PATCH.width, PATCH.height),
    place: (index) => {
      const x = at(index).x - frame.origin.x;
      const y = at(index).y - frame.origin.y;
      return { x: (x * right.x + y * right.y) / square, y: (x * down.x + y * down.y) / square };
    },
  };
}

/** Points on a circle that stands for a disc in the overlay. */
const DISC_CORNERS = 12;

function detailOf(points: readonly Point[], { patch, eyeDistance }: Aligned): FaceDetail {
  const disc = (centre: Point, radius: number): readonly Point[] =>
    Array.from({ length: DISC_CORNERS }, (_, i) => ({
      x: centre.x + radius * Math.cos((2 * Math.PI * i) / DISC_CORNERS),
      y: centre.y + radius * Math.sin((2 * Math.PI * i) / DISC_CORNERS),
    }));
  const outlineOf = (indices: readonly number[]): readonly Point[] =>
    indices.flatMap((index) => points[index] ?? []);
  const places = Object.entries(PLACES).flatMap(([name, { points: indices, radius }]) =>
    outlineOf(indices).map((centre) => ({ name, outline: disc(centre, radius * eyeDistance) })),
  );
  return { points, regions: [{ name: 'face', outline: outlineOf(OUTLINE) }, ...places], patch };
}

function measure(
  points: readonly Point[],
  pixels: Pixels,
  { patch, place, enlarged }: Aligned,
): Pick<Face, 'light' | 'cover' | 'sharpness'> {
  const luma = lumaPlane(patch);
  const outline = polygonMask(OUTLINE.map(place), patch.width, patch.height);
  const histogram = histogramOf(luma, outline);
  const colours = (name: Place): Colour => {
    const { points: indices, radius } = PLACES[name];
    const discs = indices.flatMap((index) => discColour(patch, place(index), radius * EYE_DISTANCE) ?? []);
    const mean = (channel: keyof Colour): number =>
      discs.reduce((sum, colour) => sum + colour[channel], 0) / Math.max(1, discs.length);
    return { r: mean('r'), g: mean('g'), b: mean('b') };
  };
  const light = lightOn(histogram, colours, pixels, points);
  const minSpan = Math.max(MIN_EDGE_SPAN, EDGE_RANGE * light.range);
  return {
    light,
    cover: coverOf(colours),
    sharpness: EYE_DISTANCE * enlarged * edgeSteepness(luma, EYE_BAND, { ...EDGES, minSpan }),
  };
}

const lumaOfColour = ({ r, g, b }: Colour): number => lumaOf(r, g, b);

/**
 * Added to luma before a ratio is taken: black is never quite 0, and the noise of a dark place would make any ratio.
 */
const FLOOR = 8;

function lightOn(
  histogram: Uint32Array,
  colours: (place: Place) => Colour,
  pixels: Pixels,
  points: readonly Point[],
): FaceLight {
  const right = lumaOfColour(colours('rightCheek')) + FLOOR;
  const left = lumaOfColour(colours('leftCheek')) + FLOOR;
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
function surroundingsOf(
  { data, width, height }: Pixels,
  face: Face['box'],
): { beside: number; highlight: number } {
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

/** Redness (ln red over green), blueness (ln blue over green) and brightness (ln luma) of a colour. */
function tone(colour: Colour): { red: number; blue: number; light: number } {
  return {
    red: Math.log((colour.r + FLOOR) / (colour.g + FLOOR)),
    blue: Math.log((colour.b + FLOOR) / (colour.g + FLOOR)),
    light: Math.log(lumaOfColour(colour) + FLOOR),
  };
}

/** How much brightness counts against hue: shadow under a nose is no cover, a change of hue nearly always is. */
const LIGHT_WEIGHT = 0.35;

function distance(a: Colour, b: Colour): number {
  const ta = tone(a);
  const tb = tone(b);
  return Math.hypot(ta.red - tb.red, ta.blue - tb.blue, LIGHT_WEIGHT * (ta.light - tb.light));
}

/** A cheek in black shadow must not make the eye above it look bright. Luma. */
const DARK_CHEEK = 20;

function coverOf(colours: (place: Place) => Colour): FaceCover {
  const mouth = [colours('lips'), colours('chin')];
  const middle = [colours('nose'), colours('upperLip')];
  // Fringe, scarf or glasses may lie over one of them, so that the nearest tells.
  const references = [colours('forehead'), colours('bridge'), colours('underEyes')];
  const nearest = (colour: Colour): number =>
    Math.min(...references.map((reference) => distance(colour, reference)));
  const openness = (eye: Place, cheek: Place): number =>
    lumaOfColour(colours(eye)) / Math.max(DARK_CHEEK, lumaOfColour(colours(cheek)));
  return {
    paleness:
      Math.min(...references.map((colour) => tone(colour).red)) -
      Math.max(...mouth.map((colour) => tone(colour).red)),
    difference: Math.min(...middle.map(nearest)),
    eyes: Math.max(openness('roundRightEye', 'rightCheek'), openness('roundLeftEye', 'leftCheek')),
  };
}
