import { eyeLineOf } from '../../src/analysis/patch.ts';
import type { Landmark } from '../../src/domain/observation.ts';

/** Red, green and blue, 0..255. */
export type Rgb = readonly [number, number, number];

/** What a cover is drawn with. The context's unit is the distance between the eyes, its origin their middle. */
export interface Brush {
  readonly context: OffscreenCanvasRenderingContext2D;
  /** The untouched frame. */
  readonly source: CanvasImageSource;
  readonly random: () => number;
  /** px of the frame. */
  readonly points: readonly Landmark[];
  /** px of the frame. */
  readonly eyeDistance: number;
  /** Where the tip of the nose, the mouth and the chin lie on the midline. */
  readonly nose: number;
  readonly mouth: number;
  readonly chin: number;
  /** Half the width of the face at a height: at 0 the eyes, at 1 the mouth. */
  readonly side: (height: number) => number;
  /** Skin of this face, from one of several places. */
  readonly skin: (random: () => number) => Rgb;
  /** Light on the face: 1 where pale skin is well lit. */
  readonly exposure: number;
}

export type Paint = (brush: Brush) => void;

export const colourText = ([r, g, b]: Rgb, opacity = 1): string =>
  `rgba(${Math.round(r)},${Math.round(g)},${Math.round(b)},${opacity})`;

export function tinted([r, g, b]: Rgb, by: number): Rgb {
  return [Math.min(255, r * by), Math.min(255, g * by), Math.min(255, b * by)];
}

const SKIN = [50, 280, 101, 330, 151, 205, 425];

/** Draws one cover over the face that `points` mark on the canvas, blended in as softly as the picture itself is. */
export function paintCover(
  canvas: OffscreenCanvas,
  points: readonly Landmark[],
  random: () => number,
  paint: Paint,
): void {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  const source = new OffscreenCanvas(canvas.width, canvas.height);
  source.getContext('2d')?.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const at = (index: number): { x: number; y: number } => points[index] ?? { x: 0, y: 0 };
  const { centre: origin, across: u } = eyeLineOf(points);
  const square = u.x ** 2 + u.y ** 2;
  const inFace = (index: number): { x: number; y: number } => {
    const x = at(index).x - origin.x;
    const y = at(index).y - origin.y;
    return { x: (x * u.x + y * u.y) / square, y: (-x * u.y + y * u.x) / square };
  };
  const colourAt = (index: number): Rgb => {
    const x = Math.min(canvas.width - 1, Math.max(0, Math.round(at(index).x)));
    const y = Math.min(canvas.height - 1, Math.max(0, Math.round(at(index).y)));
    const i = 4 * (y * canvas.width + x);
    return [pixels.data[i] ?? 0, pixels.data[i + 1] ?? 0, pixels.data[i + 2] ?? 0];
  };
  const luma = SKIN.map((index) => colourAt(index).reduce((sum, c) => sum + c, 0) / 3).sort((a, b) => a - b);
  const eyeHeight = (inFace(454).x - inFace(234).x) / 2;
  const mouthHeight = (inFace(435).x - inFace(215).x) / 2;
  const layer = new OffscreenCanvas(canvas.width, canvas.height);
  const ink = layer.getContext('2d');
  if (!ink) throw new Error('no 2D canvas');
  ink.setTransform(u.x, u.y, -u.y, u.x, origin.x, origin.y);
  paint({
    context: ink,
    source,
    random,
    points,
    eyeDistance: Math.sqrt(square),
    nose: inFace(4).y,
    mouth: (inFace(13).y + inFace(14).y) / 2,
    chin: inFace(152).y,
    side: (height) => eyeHeight + (mouthHeight - eyeHeight) * height,
    skin: (pickOne) => colourAt(SKIN[Math.floor(pickOne() * SKIN.length)] ?? 50),
    // Dark skin in good light must not make its mask dark: between the face's own light and none of it.
    exposure: Math.min(1.1, Math.max(0.35, 0.45 + (0.55 * (luma[3] ?? 128)) / 160)),
  });
  // Nothing in a photo is sharper than the photo.
  context.filter = `blur(${(0.004 + 0.012 * random()) * Math.sqrt(square)}px)`;
  context.drawImage(layer, 0, 0);
  context.filter = 'none';
}

/** x and y. */
export type Point = readonly [number, number];

/** A closed outline through points, rounded at each. */
export function rounded({ context }: Brush, points: readonly Point[]): void {
  const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const last = points.at(-1) ?? [0, 0];
  context.beginPath();
  context.moveTo(...middle(last, points[0] ?? last));
  points.forEach((point, i) => {
    context.quadraticCurveTo(...point, ...middle(point, points[(i + 1) % points.length] ?? last));
  });
  context.closePath();
}

export function between(random: () => number, low: number, high: number): number {
  return low + (high - low) * random();
}

export function pick<T>(random: () => number, items: readonly [T, ...T[]] | readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
