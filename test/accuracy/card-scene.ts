import { type Box, guideInPicture, type Point, type Size } from '../../src/domain/geometry.ts';
import type { Quad } from '../../src/domain/homography.ts';
import {
  CARD_HEIGHT,
  distance,
  extentOf,
  moved,
  outlineOf,
  type Pose,
  slantOf,
  visibleShare,
  widthOf,
} from './card-geometry.ts';
import type { DrawnGround, FlatObject } from './card-ground.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import type { Glare, Lamp } from './card-paint.ts';
import { hashOf, type Part } from './score.ts';

/*
 * What a scene with a card is, as plain data, and what has to be reported of it: truth follows from how the scene is
 * made, not from what the rules measure.
 */

/** Everything that may be reported of a card's picture. */
export const CARD_CODES = [
  'no-card',
  'not-a-card',
  'card-too-far',
  'card-cut-off',
  'card-tilted',
  'card-upside-down',
  'card-glare',
  'card-blurred',
  'moving',
  'too-dark',
  'too-bright',
  'card-covered',
] as const satisfies readonly GuidanceCode[];
export type CardCode = (typeof CARD_CODES)[number];

/** A card's picture, by number: drawn here, or a scan of a mock card. */
export interface CardPicture {
  readonly kind: 'specimen' | 'mock';
  readonly number: number;
}

/** What it lies on, or is held before. */
export type Ground =
  | { readonly kind: 'drawn'; readonly top: DrawnGround; readonly seed: number }
  | {
      readonly kind: 'photo';
      readonly number: number;
      /** Quarter turns, clockwise. */
      readonly turns: number;
      readonly mirrored: boolean;
      /** Times the size that just fills the frame, and where the cut lies: 0 first, 1 last. */
      readonly zoom: number;
      readonly cut: Point;
    };

/** What is looked at. */
export type Subject =
  | { readonly kind: 'card'; readonly card: CardPicture }
  | { readonly kind: 'object'; readonly object: FlatObject; readonly seed: number };

/** A finger over the card: a rod with round ends, in widths of the card. */
export interface Finger {
  readonly from: Point;
  readonly to: Point;
  readonly radius: number;
}

/** Hands that hold the card. */
export interface Hold {
  /** Which of the skin colours. */
  readonly skin: number;
  /** Behind the card. */
  readonly palms: readonly Finger[];
  /** In front of it. */
  readonly fingers: readonly Finger[];
}

/** What lamps, lens and sensor do. */
export interface Effects extends Lamp {
  readonly glare: readonly Glare[];
  /** Sigma of the blur over the card's width. */
  readonly defocus: number;
  /** Way of the card while the shutter is open, over its width. */
  readonly smear: Point;
  /** Standard deviation, stored units. */
  readonly noise: number;
  /** JPEG quality, 0..1. */
  readonly quality: number;
}

export interface Scene {
  /** What was done, in words; no two are the same. */
  readonly name: string;
  readonly kind: 'good' | 'fault' | 'negative';
  readonly part: Part;
  readonly frame: Size;
  readonly ground: Ground;
  /** null: nothing but the ground. */
  readonly subject: Subject | null;
  /** The subject's outline in the first frame, px, clockwise from its own top left; null without one. */
  readonly quad: Quad | null;
  readonly hold: Hold | null;
  readonly effects: Effects;
  /** px a second. */
  readonly velocity: Point;
  readonly must: readonly CardCode[];
  readonly may: readonly CardCode[];
}

export const PORTRAIT: Size = { width: 1080, height: 1920 };
export const LANDSCAPE: Size = { width: 1920, height: 1080 };

/** What the scene's random numbers follow from. */
export const sceneSeed = ({ name }: Pick<Scene, 'name'>): number => hashOf(`scene ${name}`);

/** Which part a scene is in, by what is looked at, so that nothing is in both. */
export const partOfGroup = (group: string): Part => (hashOf(group) % 2 === 0 ? 'set' : 'check');

export const nameOfCard = ({ kind, number }: CardPicture): string => `${kind} ${number}`;

/** The outline of the card `seconds` after the first frame. */
export const quadAt = ({ quad, velocity }: Pick<Scene, 'quad' | 'velocity'>, seconds: number): Quad | null =>
  quad && moved(quad, { x: velocity.x * seconds, y: velocity.y * seconds });

interface Truth {
  readonly must: readonly CardCode[];
  readonly may: readonly CardCode[];
}

/**
 * From `may` on a code is right to report, from `must` on it has to be. Degrees; share of the area in the frame;
 * the card's width over the guide's.
 */
const LIMITS = {
  roll: { may: 8, must: 15 },
  tilt: { may: 14, must: 25 },
  visible: { may: 0.9999, must: 0.985 },
  width: { may: 0.7, must: 0.55 },
};

const graded = (code: CardCode, must: boolean, may: boolean): Truth => ({
  must: must ? [code] : [],
  may: may && !must ? [code] : [],
});

/** What both say together. */
export function joined(...truths: readonly Truth[]): Truth {
  const must = [...new Set(truths.flatMap((truth) => truth.must))];
  const may = [...new Set(truths.flatMap((truth) => truth.may))].filter((code) => !must.includes(code));
  return { must, may };
}

/** What the outline alone demands. */
export function truthOfOutline(quad: Quad, frame: Size): Truth {
  const { roll, tilt } = slantOf(quad, frame);
  const turned = Math.abs(roll) > 90;
  const lean = turned ? 180 - Math.abs(roll) : Math.abs(roll);
  const visible = visibleShare(quad, frame);
  const { left, right, top, bottom } = extentOf(quad);
  const outside = left < 0 || top < 0 || right > frame.width || bottom > frame.height;
  const width = widthOf(quad) / guideInPicture('ktp', frame).width;
  return joined(
    graded(
      'card-tilted',
      lean > LIMITS.roll.must || tilt > LIMITS.tilt.must,
      lean > LIMITS.roll.may || tilt > LIMITS.tilt.may,
    ),
    graded('card-upside-down', turned, false),
    graded('card-cut-off', visible < LIMITS.visible.must, outside || visible < LIMITS.visible.may),
    graded('card-too-far', width < LIMITS.width.must, width < LIMITS.width.may),
  );
}

/** Places in which a region is looked at for fingers, along its longer side. */
const COVER_SAMPLES = 60;

/** Share of a region of the card, in its widths, that fingers lie over. */
export function coveredShare(fingers: readonly Finger[], { x, y, width, height }: Box): number {
  const step = Math.max(width, height) / COVER_SAMPLES;
  let [all, covered] = [0, 0];
  for (let v = y + step / 2; v < y + height; v += step)
    for (let u = x + step / 2; u < x + width; u += step) {
      all++;
      if (fingers.some((finger) => isUnder(finger, { x: u, y: v }))) covered++;
    }
  return covered / all;
}

function isUnder({ from, to, radius }: Finger, point: Point): boolean {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = ((point.x - from.x) * dx + (point.y - from.y) * dy) / (dx * dx + dy * dy);
  const t = Math.min(1, Math.max(0, along));
  return distance(point, { x: from.x + t * dx, y: from.y + t * dy }) < radius;
}

/** A pose before the camera whose outline takes `share` of the frame's width or height, whichever it meets first. */
export function poseFilling(
  angles: Pick<Pose, 'roll' | 'yaw' | 'pitch'>,
  frame: Size,
  share: number,
  height = CARD_HEIGHT,
): Pose {
  const middle = { x: frame.width / 2, y: frame.height / 2 };
  let depth = 2;
  for (let i = 0; i < 8; i++) {
    const { left, right, top, bottom } = extentOf(outlineOf({ ...angles, depth, middle }, frame, height));
    depth *= Math.max((right - left) / frame.width, (bottom - top) / frame.height) / share;
  }
  return { ...angles, depth, middle };
}

/** Moves an outline the shortest way into the frame, `margin` px from its edges. */
export function keptInside(quad: Quad, frame: Size, margin: number): Quad {
  const { left, right, top, bottom } = extentOf(quad);
  return moved(quad, {
    x: Math.max(0, margin - left) - Math.max(0, right - (frame.width - margin)),
    y: Math.max(0, margin - top) - Math.max(0, bottom - (frame.height - margin)),
  });
}

/** Moves an outline along a direction until `share` of its area is outside the frame. */
export function pushedOut(quad: Quad, frame: Size, direction: Point, share: number): Quad {
  let [low, high] = [0, 2 * Math.max(frame.width, frame.height)];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    const there = moved(quad, { x: direction.x * middle, y: direction.y * middle });
    if (visibleShare(there, frame) > 1 - share) low = middle;
    else high = middle;
  }
  return moved(quad, { x: direction.x * high, y: direction.y * high });
}
