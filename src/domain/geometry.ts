import type { Step } from './result.ts';
import { STEP_TRAITS, type GuideShape } from './steps.ts';

/** Width and height in px. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in px, origin top left, of whatever picture the context names. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** A point in px, origin top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** ISO/IEC 7810 ID-1: 85.60 x 53.98 mm. */
export const ID1_RATIO = 85.6 / 53.98;

/**
 * How the guide lies in the camera's picture: width over height, and the largest share of
 * the picture's width and height that it takes. The face leaves room for hair and shoulders; the
 * card gets all the pixels it can, because its print is small, less what keeps fingers out. In an upright
 * picture, a face at arm's length (30 to 60 cm) fills 0.45 to 0.9 of the oval.
 */
const GUIDE_SHAPES: Record<GuideShape, { ratio: number; width: number; height: number }> = {
  oval: { ratio: 3 / 4, width: 0.62, height: 0.72 },
  'id-1': { ratio: ID1_RATIO, width: 0.92, height: 0.86 },
};

/** The part of the viewport's height that the guide may take; above it is the hint, below the shutter. */
const BAND = { top: 0.19, bottom: 0.81 };
/** The part of the viewport's width that the guide may take. */
const BAND_WIDTH = 0.94;

/** The guide of a step, in px of the camera's picture: the box of the oval, or of the card's frame. */
export function guideInPicture(step: Step, picture: Size): Box {
  const shape = GUIDE_SHAPES[STEP_TRAITS[step].guide];
  const width = Math.min(picture.width * shape.width, picture.height * shape.height * shape.ratio);
  const height = width / shape.ratio;
  return { x: (picture.width - width) / 2, y: (picture.height - height) / 2, width, height };
}

/**
 * Where the camera's picture is drawn, in px of the viewport: centred, and as large as covers the
 * viewport, but no larger than leaves the whole guide between the hint and the shutter. So the guide
 * takes the same pixels of the picture on every screen, and a camera that lies across the screen
 * wastes none of them.
 */
export function pictureInViewport(step: Step, viewport: Size, picture: Size): Box {
  const guide = guideInPicture(step, picture);
  const across = viewport.width / picture.width;
  const down = viewport.height / picture.height;
  const fits = Math.min(
    (viewport.width * BAND_WIDTH) / guide.width,
    (viewport.height * (BAND.bottom - BAND.top)) / guide.height,
  );
  const scale = Math.min(Math.max(across, down), Math.max(fits, Math.min(across, down)));
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: (viewport.width - width) / 2, y: (viewport.height - height) / 2, width, height };
}

/**
 * The point of the camera's picture that is shown at a point of the viewport, in parts of the picture's width and
 * height, 0..1; null where the picture does not reach.
 */
export function pointInPicture(
  step: Step,
  viewport: Size,
  picture: Size,
  mirrored: boolean,
  at: Point,
): Point | null {
  const shown = pictureInViewport(step, viewport, picture);
  const x = (at.x - shown.x) / shown.width;
  const y = (at.y - shown.y) / shown.height;
  return x < 0 || x > 1 || y < 0 || y > 1 ? null : { x: mirrored ? 1 - x : x, y };
}

/** The guide of a step, in px of the viewport. */
export function guideInViewport(step: Step, viewport: Size, picture: Size): Box {
  const shown = pictureInViewport(step, viewport, picture);
  const guide = scaleBox(guideInPicture(step, picture), shown.width / picture.width);
  return { ...guide, x: guide.x + shown.x, y: guide.y + shown.y };
}

/** The same box in a picture that is `factor` times as large. */
export function scaleBox(box: Box, factor: number): Box {
  return { x: box.x * factor, y: box.y * factor, width: box.width * factor, height: box.height * factor };
}

/** The corners of a box, clockwise from the top left. */
export function cornersOf({ x, y, width, height }: Box): readonly [Point, Point, Point, Point] {
  const [right, bottom] = [x + width, y + height];
  return [
    { x, y },
    { x: right, y },
    { x: right, y: bottom },
    { x, y: bottom },
  ];
}

/** Mean distance between points and as many others, px; 0 where there are none. */
export function meanDistance(a: readonly Point[], b: readonly Point[]): number {
  const sum = a.reduce((sum, { x, y }, i) => {
    const other = b[i] ?? { x, y };
    // Of all landmarks of every frame, which `Math.hypot` takes six times as long for.
    return sum + Math.sqrt((x - other.x) ** 2 + (y - other.y) ** 2);
  }, 0);
  return sum / Math.max(1, a.length);
}

/** What two boxes share, square px. */
export function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

/** The largest size of the same shape whose long side is at most `longSide` px; never larger than it was. */
export function fitLongSide(size: Size, longSide: number): Size {
  const factor = Math.min(1, longSide / Math.max(size.width, size.height));
  return { width: Math.round(size.width * factor), height: Math.round(size.height * factor) };
}

/** Long side of the frames that are analysed, px: enough for a far face, small enough for a cheap phone. */
const ANALYSIS_LONG_SIDE = 640;

/** The size at which a picture is analysed, px. */
export const sightSize = (picture: Size): Size => fitLongSide(picture, ANALYSIS_LONG_SIDE);

/** All of a picture. */
export const wholeOf = ({ width, height }: Size): Box => ({ x: 0, y: 0, width, height });

/** The smallest box round all points. */
export function boxRound(points: readonly Point[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Grows a box round its centre by a share of its own width and height on each side. */
export function growBox(box: Box, horizontal: number, vertical: number): Box {
  return {
    x: box.x - box.width * horizontal,
    y: box.y - box.height * vertical,
    width: box.width * (1 + 2 * horizontal),
    height: box.height * (1 + 2 * vertical),
  };
}

/**
 * A box of whole px, at least `smallest` large, inside the picture and as near to `box` as that
 * allows. Requires `smallest` to fit the picture.
 */
export function fitInside(box: Box, smallest: Size, picture: Size): Box {
  const [x, width] = fitSide(box.x, box.width, smallest.width, picture.width);
  const [y, height] = fitSide(box.y, box.height, smallest.height, picture.height);
  return { x, y, width, height };
}

function fitSide(start: number, length: number, smallest: number, whole: number): [number, number] {
  const fitted = Math.min(whole, Math.max(smallest, Math.round(length)));
  const first = Math.round(start + (length - fitted) / 2);
  return [Math.min(whole - fitted, Math.max(0, first)), fitted];
}
