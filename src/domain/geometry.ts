import type { Step } from './result.ts';

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
 * How the guide lies in the viewport, per step: width over height, and the largest share of the
 * viewport's width and height that it may take. The rest is room for the hint above and the
 * shutter below, and for shoulders or fingers beside it.
 */
const GUIDE_SHAPES: Record<Step, { ratio: number; width: number; height: number; centreY: number }> = {
  selfie: { ratio: 3 / 4, width: 0.74, height: 0.66, centreY: 0.52 },
  ktp: { ratio: ID1_RATIO, width: 0.9, height: 0.66, centreY: 0.5 },
};

/** The guide of a step, in px of the viewport: the box of the oval, or of the card's frame. */
export function guideInViewport(step: Step, viewport: Size): Box {
  const shape = GUIDE_SHAPES[step];
  const width = Math.min(viewport.width * shape.width, viewport.height * shape.height * shape.ratio);
  const height = width / shape.ratio;
  return {
    x: (viewport.width - width) / 2,
    y: viewport.height * shape.centreY - height / 2,
    width,
    height,
  };
}

/**
 * The part of a picture that the guide covers, in px of the picture, where the picture fills the
 * viewport and what overhangs is hidden (CSS `object-fit: cover`). Never mirrored: every guide is
 * centred, so the mirror of the preview changes nothing.
 */
export function guideInPicture(step: Step, viewport: Size, picture: Size): Box {
  const scale = Math.max(viewport.width / picture.width, viewport.height / picture.height);
  const guide = guideInViewport(step, viewport);
  return {
    x: (guide.x - (viewport.width - picture.width * scale) / 2) / scale,
    y: (guide.y - (viewport.height - picture.height * scale) / 2) / scale,
    width: guide.width / scale,
    height: guide.height / scale,
  };
}

/** The same box in a picture that is `factor` times as large. */
export function scaleBox(box: Box, factor: number): Box {
  return { x: box.x * factor, y: box.y * factor, width: box.width * factor, height: box.height * factor };
}

/** The largest size of the same shape whose long side is at most `longSide` px; never larger than it was. */
export function fitLongSide(size: Size, longSide: number): Size {
  const factor = Math.min(1, longSide / Math.max(size.width, size.height));
  return { width: Math.round(size.width * factor), height: Math.round(size.height * factor) };
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
