import { samplePatch } from '../analysis/pixels.ts';
import { boxRound, cornersOf, fitInside, growBox, type Box, type Size } from '../domain/geometry.ts';
import { frameOf, mapQuad, type Quad } from '../domain/homography.ts';
import {
  BAND_HEIGHT,
  bandTops,
  cameraTooSmall,
  cropOf,
  isUpsideDown,
  nextEncode,
  straightenedCrop,
  wholeEncodes,
  type Encode,
  type EncodeResult,
  type Straightened,
} from '../domain/photo.ts';
import type { Photo } from '../domain/journey.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import type { PhotoLimits } from '../domain/limits.ts';
import type { Still } from './sharpest.ts';

/** A photo and its picture: a JPEG without EXIF, upright and never mirrored. */
export interface TakenPhoto {
  readonly photo: Omit<Photo, 'issues' | 'rung'>;
  readonly blob: Blob;
}

/** What `takePhoto` needs to know. */
export interface TakeOptions {
  readonly step: Step;
  /** The camera's full frame; not changed, nor closed. */
  readonly frame: Still;
  /** The guide, px of `frame`. */
  readonly guide: Box;
  /** The corners of the card, px of `frame`, clockwise from its own top left; null where none is seen. */
  readonly card: Quad | null;
  /** True where a card is cut out along its own edges. */
  readonly straighten: boolean;
  readonly limits: PhotoLimits;
}

/**
 * Cuts the photo out of a full frame and encodes it within the provider's limits.
 * @throws CaptureError `camera-too-small` where the frame cannot reach the smallest size,
 *   `photo-failed` where four encodes do not get under the byte limit
 */
export async function takePhoto(options: TakeOptions): Promise<TakenPhoto> {
  const { step, limits } = options;
  const cut = cutOut(options);
  const { crop } = cut;
  const tries: EncodeResult[] = [];
  let canvas: HTMLCanvasElement | null = null;
  let blob: Blob | null = null;
  for (;;) {
    const next = nextEncode(crop, limits, tries);
    if (next === 'impossible') {
      throw new CaptureError(
        'photo-failed',
        `${wholeEncodes(tries)} encodes did not get under ${limits.maxBytes} bytes.`,
      );
    }
    if (next === 'done' && blob) {
      const { width, height } = tries.at(-1) ?? crop;
      return { blob, photo: { step, width, height, bytes: blob.size, encodes: wholeEncodes(tries) } };
    }
    if (next === 'done') throw new CaptureError('photo-failed', 'The encoder gave no picture.');
    // Drawn anew only where it becomes smaller.
    if (canvas?.width !== next.width || canvas.height !== next.height) canvas = draw(cut, next);
    const encoded = next.sampled ? sampleOf(canvas) : canvas;
    blob = await encode(encoded, next);
    tries.push({ ...next, bytes: (blob.size * canvas.height) / encoded.height });
  }
}

/** The picture that the photo is drawn from, which part of it, and whether that has to be turned by 180 degrees. */
interface Cut {
  readonly source: Still;
  readonly crop: Box;
  readonly turn: boolean;
}

function cutOut({ step, frame, guide, card, straighten, limits }: TakeOptions): Cut {
  const straightened = straighten && card && straightenedCrop(card, frame, limits);
  if (straightened) {
    const { width, height } = straightened;
    return { source: straightenOut(frame, straightened), crop: { x: 0, y: 0, width, height }, turn: false };
  }
  // A card may lie beside the guide.
  const wanted = card ? boxRound([...cornersOf(guide), ...card]) : guide;
  const crop = cropOf(step, frame, wanted, limits);
  if (!crop) throw cameraTooSmall(frame, limits);
  return { source: frame, crop, turn: card !== null && isUpsideDown(card) };
}

/** What is read round the corners, as a share of the part: a sample takes in its neighbours. */
const RIM = 0.01;

function straightenOut(frame: Still, { corners, width, height }: Straightened): HTMLCanvasElement {
  const part = fitInside(growBox(boxRound(corners), RIM, RIM), { width: 1, height: 1 }, frame);
  const place = frameOf(
    mapQuad(corners, ({ x, y }) => ({ x: x - part.x, y: y - part.y })),
    { width, height },
  );
  if (!place) throw new CaptureError('photo-failed', 'The corners of the card span no area.');
  const { data } = samplePatch(pixelsOf(frame, part), place, width, height);
  const canvas = canvasOf({ width, height });
  contextOf(canvas, { willReadFrequently: true }).putImageData(new ImageData(data, width, height), 0, 0);
  return canvas;
}

function pixelsOf(frame: Still, { x, y, width, height }: Box): ImageData {
  if (frame instanceof HTMLCanvasElement) return contextOf(frame).getImageData(x, y, width, height);
  const context = contextOf(canvasOf({ width, height }), { willReadFrequently: true });
  context.drawImage(frame, -x, -y);
  return context.getImageData(0, 0, width, height);
}

/** An element, because iOS before 16.4 has no other canvas. */
function canvasOf({ width, height }: Size): HTMLCanvasElement {
  return Object.assign(document.createElement('canvas'), { width, height });
}

function contextOf(
  canvas: HTMLCanvasElement,
  settings: CanvasRenderingContext2DSettings = {},
): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { alpha: false, ...settings });
  if (!context) throw new CaptureError('photo-failed', 'No 2D canvas for the photo.');
  return context;
}

function draw({ source, crop, turn }: Cut, { width, height }: Size): HTMLCanvasElement {
  const isAsItIs = [source, crop].every((each) => each.width === width && each.height === height);
  if (source instanceof HTMLCanvasElement && isAsItIs && !turn) return source;
  const canvas = canvasOf({ width, height });
  const context = contextOf(canvas);
  context.imageSmoothingQuality = 'high';
  if (turn) context.setTransform(-1, 0, 0, -1, width, height);
  context.drawImage(source, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
  return canvas;
}

/** Bands of the picture, one below the other. */
function sampleOf(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const { width } = canvas;
  const tops = bandTops(canvas.height);
  const sample = canvasOf({ width, height: tops.length * BAND_HEIGHT });
  const context = contextOf(sample);
  for (const [band, top] of tops.entries())
    context.drawImage(canvas, 0, top, width, BAND_HEIGHT, 0, band * BAND_HEIGHT, width, BAND_HEIGHT);
  return sample;
}

async function encode(canvas: HTMLCanvasElement, { quality }: Encode): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, 'image/jpeg', quality);
  });
  // A browser that cannot write JPEG answers with PNG, without an error.
  if (blob?.type !== 'image/jpeg') throw new CaptureError('photo-failed', 'This browser cannot write JPEG.');
  return blob;
}
