import type { Box, Point, Size } from '../domain/geometry.ts';
import type { FaceDetail, Landmark } from '../domain/observation.ts';
import { createWorkshop } from './kernels.ts';
import type { Pixels, Plane } from './pixels.ts';

/*
 * The face-aligned patch: the eye line turned upright and scaled to one size, so that distance and resolution cancel
 * out; and the places on it that are looked at.
 */

/** Distance between the eye centres in the patch, px: coarse enough for a 640 px frame, fine enough to see blur of 3 %. */
export const EYE_DISTANCE = 64;
/** Patch size in px: from the hairline to below the chin, and past both ears. */
const PATCH: Size = { width: 192, height: 240 };
/** Where the middle between the eyes lies in the patch. */
export const EYES_AT: Point = { x: 96, y: 100 };

/** Numbers of the landmarks that are read (MediaPipe's canonical face model). */
const RIGHT_EYE = [33, 133] as const;
const LEFT_EYE = [263, 362] as const;
export const OUTLINE = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
  150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/** A face turned upright and scaled to one size. */
export interface Upright {
  readonly patch: Pixels;
  /** Its luma. */
  readonly luma: Plane;
  /** Where a point of the frame lies in the patch. */
  readonly toPatch: (point: Point) => Point;
  /** Where a point of the patch lies in the frame. */
  readonly toFrame: (point: Point) => Point;
  /** By how much the patch is larger than the face in the frame, 1 or more. */
  readonly enlarged: number;
}

/** One whose landmarks are known. */
export interface Aligned extends Upright {
  /** Where a landmark lies in the patch. */
  readonly place: (index: number) => Point;
}

/** The middle between the eyes, and the way from the middle of the right one to that of the left. */
export interface EyeLine {
  readonly centre: Point;
  readonly across: Point;
}

export function eyeLineOf(points: readonly Point[]): EyeLine {
  const middle = (indices: readonly number[]): Point => ({
    x: indices.reduce((sum, i) => sum + (points[i]?.x ?? 0), 0) / indices.length,
    y: indices.reduce((sum, i) => sum + (points[i]?.y ?? 0), 0) / indices.length,
  });
  const right = middle(RIGHT_EYE);
  const left = middle(LEFT_EYE);
  return {
    centre: middle([...RIGHT_EYE, ...LEFT_EYE]),
    across: { x: left.x - right.x, y: left.y - right.y },
  };
}

export function alignTo(points: readonly Point[], pixels: Pixels): Aligned {
  const upright = alignBy(eyeLineOf(points), pixels);
  return { ...upright, place: (index) => upright.toPatch(points[index] ?? { x: 0, y: 0 }) };
}

export function alignBy({ centre, across }: EyeLine, pixels: Pixels): Upright {
  // A face seen from the very side has no eye line; a step of some size keeps the arithmetic finite.
  const right = { x: across.x / EYE_DISTANCE || 1e-3, y: across.y / EYE_DISTANCE };
  const down = { x: -right.y, y: right.x };
  const origin = {
    x: centre.x - EYES_AT.x * right.x - EYES_AT.y * down.x,
    y: centre.y - EYES_AT.x * right.y - EYES_AT.y * down.y,
  };
  const square = right.x ** 2 + right.y ** 2;
  return {
    ...sampled(pixels, origin, right),
    enlarged: Math.max(1, 1 / Math.sqrt(square)),
    toFrame: ({ x, y }) => ({
      x: origin.x + x * right.x + y * down.x,
      y: origin.y + x * right.y + y * down.y,
    }),
    toPatch: (point) => {
      const x = point.x - origin.x;
      const y = point.y - origin.y;
      return { x: (x * right.x + y * right.y) / square, y: (x * down.x + y * down.y) / square };
    },
  };
}

/** RGBA, and of luma as float32, bytes. */
const PIXEL = 4;
/** How many pixels a patch has, and where it, its luma and the frame lie in the memory. */
const COUNT = PATCH.width * PATCH.height;
const [PATCH_AT, LUMA_AT, FRAME_AT] = [0, PIXEL * COUNT, 2 * PIXEL * COUNT];
const workshop = createWorkshop();

/**
 * The patch of a frame.
 * @param origin where its first pixel lies, and `right` the step from one to the next, px of the frame
 */
function sampled(
  { data, width, height }: Pixels,
  origin: Point,
  right: Point,
): Pick<Upright, 'patch' | 'luma'> {
  const { memory, align, toLuma } = workshop(FRAME_AT + data.length + PIXEL * (width + 2));
  new Uint8Array(memory).set(data, FRAME_AT);
  // A frame that is finer than the patch would alias.
  const isFiner = Math.hypot(right.x, right.y) > 1.2 ? 1 : 0;
  const { x, y } = origin;
  align(FRAME_AT, width, height, x, y, right.x, right.y, isFiner, PATCH.width, PATCH.height, PATCH_AT);
  toLuma(PATCH_AT, COUNT, LUMA_AT);
  return {
    patch: { ...PATCH, data: new Uint8ClampedArray(memory, PATCH_AT, PIXEL * COUNT).slice() },
    luma: { ...PATCH, data: new Float32Array(memory, LUMA_AT, COUNT).slice() },
  };
}

/**
 * Added to luma before a ratio is taken: black is never quite 0, and the noise of a dark place would make any ratio.
 */
export const FLOOR = 8;

/**
 * What is told of where a face was measured.
 * @param boxes places on the patch, px of the patch
 */
export function detailOf(
  points: readonly Landmark[],
  { patch, toFrame }: Aligned,
  boxes: readonly { readonly name: string; readonly box: Box }[],
): FaceDetail {
  const corners = ({ x, y, width, height }: Box): readonly Point[] => [
    { x, y },
    { x: x + width, y },
    { x: x + width, y: y + height },
    { x, y: y + height },
  ];
  return {
    points,
    regions: [
      { name: 'face', outline: OUTLINE.flatMap((index) => points[index] ?? []) },
      ...boxes.map(({ name, box }) => ({ name, outline: corners(box).map(toFrame) })),
    ],
    patch,
  };
}
