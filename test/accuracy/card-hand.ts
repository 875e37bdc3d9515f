import type { Point, Size } from '../../src/domain/geometry.ts';
import { colourText, type Rgb, tinted } from './brush.ts';
import { type Homography, mapPoint } from './card-geometry.ts';
import type { Finger, Hold } from './card-scene.ts';

/*
 * Hands, drawn: palms behind the card, fingers over it. Rods with round ends, lit from above, with nails.
 */

type Context = OffscreenCanvasRenderingContext2D;

/** Skin in even light. */
const SKINS: readonly Rgb[] = [
  [226, 178, 148],
  [205, 152, 116],
  [176, 122, 86],
  [138, 92, 64],
  [98, 64, 46],
];

/** Points round each end of a rod. */
const ROUND = 14;
/** A finger's tip over its root. */
const TAPER = 0.82;

/** The outline of a rod, `inset` of its radius inside itself, shifted by `shift` of its radius across. */
function outline({ from, to, radius }: Finger, inset: number, shift: number): readonly Point[] {
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const side = { x: -Math.sin(angle) * shift * radius, y: Math.cos(angle) * shift * radius };
  const end = (centre: Point, size: number, start: number): readonly Point[] =>
    Array.from({ length: ROUND + 1 }, (_, i) => {
      const at = start + (Math.PI * i) / ROUND;
      const r = radius * size * (1 - inset);
      return { x: centre.x + side.x + r * Math.cos(at), y: centre.y + side.y + r * Math.sin(at) };
    });
  return [...end(to, TAPER, angle - Math.PI / 2), ...end(from, 1.08, angle + Math.PI / 2)];
}

function fillOutline(context: Context, points: readonly Point[], place: Homography, style: string): void {
  context.fillStyle = style;
  context.beginPath();
  for (const point of points) {
    const { x, y } = mapPoint(place, point);
    context.lineTo(x, y);
  }
  context.fill();
}

/** Nested outlines from the dark rim to the light middle. */
const SHADES = 24;

function drawRod(context: Context, rod: Finger, place: Homography, skin: Rgb): void {
  for (let i = 0; i < SHADES; i++) {
    const t = i / (SHADES - 1);
    const light = 0.62 + 0.42 * Math.sqrt(t);
    fillOutline(context, outline(rod, 0.86 * t, -0.16 * t), place, colourText(tinted(skin, light)));
  }
}

/** A nail, and the folds of the joint behind it. */
function drawDetails(
  context: Context,
  { from, to, radius }: Finger,
  place: Homography,
  [r, g, b]: Rgb,
): void {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  const at = (back: number, across: number): Point => ({
    x: to.x - back * radius * along.x - across * radius * along.y,
    y: to.y - back * radius * along.y + across * radius * along.x,
  });
  const nail = Array.from({ length: 24 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 24;
    return at(-0.02 + 0.62 * Math.cos(angle), -0.06 + 0.46 * Math.sin(angle));
  });
  fillOutline(context, nail, place, colourText(tinted([r, g, b], 0.86)));
  const bed: Rgb = [r + (250 - r) * 0.35, g + (205 - g) * 0.35, b + (200 - b) * 0.35];
  const inner = nail.map(({ x, y }) => ({
    x: to.x + 0.9 * (x - to.x),
    y: to.y + 0.9 * (y - to.y),
  }));
  fillOutline(context, inner, place, colourText(bed));
  context.strokeStyle = colourText(tinted([r, g, b], 0.6), 0.5);
  const scale = Math.hypot(mapPoint(place, at(0, 1)).x - mapPoint(place, to).x, 1);
  context.lineWidth = Math.max(1, 0.03 * scale);
  for (const back of [1.5, 1.68, 1.84]) {
    context.beginPath();
    for (const across of [-0.62, -0.3, 0, 0.3, 0.62]) {
      const { x, y } = mapPoint(place, at(back + 0.16 * across * across, across));
      context.lineTo(x, y);
    }
    context.stroke();
  }
}

function layerOf({ width, height }: Size): { layer: OffscreenCanvas; context: Context } {
  const layer = new OffscreenCanvas(width, height);
  const context = layer.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return { layer, context };
}

/** Draws what of a hand lies behind the card, on the table's own canvas. */
export function drawPalms(context: Context, { palms, skin }: Hold, place: Homography): void {
  const colour = SKINS[skin % SKINS.length] ?? [205, 152, 116];
  const { layer, context: ink } = layerOf(context.canvas);
  for (const palm of palms) drawRod(ink, palm, place, tinted(colour, 0.92));
  context.save();
  context.shadowColor = 'rgba(0,0,0,0.5)';
  context.shadowBlur = 40;
  context.drawImage(layer, 0, 0);
  context.restore();
}

/** A layer of the frame's size with the fingers and the shadow that they throw on the card. */
export function drawFingers({ fingers, skin }: Hold, place: Homography, frame: Size): OffscreenCanvas {
  const colour = SKINS[skin % SKINS.length] ?? [205, 152, 116];
  const { layer: bare, context: ink } = layerOf(frame);
  for (const finger of fingers) {
    drawRod(ink, finger, place, colour);
    drawDetails(ink, finger, place, colour);
  }
  const { layer, context } = layerOf(frame);
  context.shadowColor = 'rgba(0,0,0,0.55)';
  context.shadowBlur = 16;
  context.shadowOffsetX = 3;
  context.shadowOffsetY = 7;
  context.drawImage(bare, 0, 0);
  return layer;
}
