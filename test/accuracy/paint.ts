/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves */
import type { Point } from '../../src/domain/geometry.ts';
import type { Landmark } from '../../src/domain/observation.ts';

/*
 * What degradations are made of: relighting in linear light, moving pixels about, and turning a face in depth.
 */

type Context = OffscreenCanvasRenderingContext2D;

/** The exponent between what a picture stores and the light that it stands for. */
const GAMMA = 2.2;

/** Light, 0..1, of what a picture stores, 0..255. */
export const linear = (stored: number): number => (stored / 255) ** GAMMA;

/** So fine that the darkest stored values stay apart. */
const LIGHTS = 65_535;
const STORED = Float32Array.from({ length: LIGHTS + 1 }, (_, i) => 255 * (i / LIGHTS) ** (1 / GAMMA));
/** What a picture stores, 0..255, of a light. Light beyond 1 is clipped. */
const stored = (light: number): number => STORED[Math.round(LIGHTS * Math.min(1, Math.max(0, light)))]!;

/** Rises from 0 at `from` to 1 at `to`, smoothly. */
export function ramp(value: number, from: number, to: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/**
 * Changes the light of every pixel.
 * @param change gets light and place and gives light; called per channel, 0 red, 1 green, 2 blue
 * @param grain stored units of noise (standard deviation) that a sensor adds, drawn from `random`
 */
export function relight(
  context: Context,
  change: (light: number, x: number, y: number, channel: number) => number,
  grain = 0,
  random: () => number = () => 0.5,
): void {
  const { width, height } = context.canvas;
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  const lights = Float32Array.from({ length: 256 }, (_, value) => linear(value));
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 4)
      for (let channel = 0; channel < 3; channel++) {
        const value = stored(change(lights[data[i + channel]!]!, x, y, channel));
        // Three uniform numbers come near enough to a normal one.
        const noise = grain === 0 ? 0 : grain * 2 * (random() + random() + random() - 1.5);
        data[i + channel] = value + noise;
      }
  context.putImageData(image, 0, 0);
}

/**
 * Moves pixels: each takes the colour of the place that `from` names in the picture as it was. Beyond the border the
 * border's own pixels go on, so that nothing new comes into view.
 */
export function warp(context: Context, from: (x: number, y: number) => Point): void {
  const { width, height } = context.canvas;
  const source = context.getImageData(0, 0, width, height);
  const target = context.createImageData(width, height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 4) {
      const place = from(x, y);
      sample(source, place.x, place.y, target.data, i);
    }
  context.putImageData(target, 0, 0);
}

function sample(
  { data, width, height }: ImageData,
  x: number,
  y: number,
  into: Uint8ClampedArray,
  at: number,
): void {
  const left = Math.min(width - 1.001, Math.max(0, x));
  const top = Math.min(height - 1.001, Math.max(0, y));
  const [x0, y0] = [Math.floor(left), Math.floor(top)];
  const [fx, fy] = [left - x0, top - y0];
  const i = 4 * (y0 * width + x0);
  const below = i + 4 * width;
  for (let channel = 0; channel < 4; channel++) {
    const upper = data[i + channel]! * (1 - fx) + data[i + 4 + channel]! * fx;
    const lower = data[below + channel]! * (1 - fx) + data[below + 4 + channel]! * fx;
    into[at + channel] = upper * (1 - fy) + lower * fy;
  }
}

/** Turns, scales and shifts the whole picture: `pivot` comes to lie on `target`. Clockwise degrees. */
export function place(
  context: Context,
  pivot: Point,
  { target = pivot, scale = 1, degrees = 0 }: { target?: Point; scale?: number; degrees?: number },
): void {
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians) / scale, Math.sin(radians) / scale];
  warp(context, (x, y) => {
    const [dx, dy] = [x - target.x, y - target.y];
    return { x: pivot.x + cos * dx + sin * dy, y: pivot.y - sin * dx + cos * dy };
  });
}

/** Corners of a triangle, as numbers of landmarks. */
type Triangle = readonly [number, number, number];

/** How the landmarks hang together: the triangles of the face, and its outline, round and round. */
export interface Mesh {
  readonly triangles: readonly Triangle[];
  readonly outline: readonly number[];
}

/**
 * Rings round the face that carry ears, hair and what is behind: how far out they lie, over the outline, and how far
 * behind it, over the face's width. The last one stays where it is.
 */
const RINGS: readonly { readonly out: number; readonly behind: number; readonly fixed: boolean }[] = [
  { out: 1.25, behind: 0.3, fixed: false },
  { out: 1.5, behind: 0.6, fixed: false },
  { out: 2.2, behind: 1.2, fixed: true },
];
/** The axis that a head turns about lies this far behind the outline of the face, over the face's width. */
const AXIS_BEHIND = 0.15;

/**
 * Renders the head anew, turned by `yaw` (about the vertical) and `pitch` (about the horizontal), degrees.
 * @returns where the landmarks are now
 */
export function turnHead(
  context: Context,
  points: readonly Landmark[],
  { triangles, outline }: Mesh,
  { yaw = 0, pitch = 0 }: { yaw?: number; pitch?: number },
): readonly Landmark[] {
  const rim = outline.map((index) => points[index]!);
  const mean = (of: (point: Landmark) => number): number =>
    rim.reduce((sum, point) => sum + of(point), 0) / rim.length;
  const width = Math.max(...rim.map(({ x }) => x)) - Math.min(...rim.map(({ x }) => x));
  const centre: Landmark = {
    x: mean(({ x }) => x),
    y: mean(({ y }) => y),
    z: mean(({ z }) => z) + AXIS_BEHIND * width,
  };
  const rings = RINGS.map(({ out, behind, fixed }) => ({
    fixed,
    points: rim.map(({ x, y, z }) => ({
      x: centre.x + out * (x - centre.x),
      y: centre.y + out * (y - centre.y),
      z: z + behind * width,
    })),
  }));
  const before = [...points, ...rings.flatMap((ring) => ring.points)];
  const turned = turner(centre, yaw, pitch);
  const moved = points.map(turned);
  const after = [...moved, ...rings.flatMap((ring) => (ring.fixed ? ring.points : ring.points.map(turned)))];
  const inRing = (ring: number, i: number): number =>
    ring === 0
      ? outline[i % outline.length]!
      : points.length + (ring - 1) * outline.length + (i % outline.length);
  const strips = RINGS.flatMap((_, ring) =>
    outline.flatMap((_index, i): readonly Triangle[] => [
      [inRing(ring, i), inRing(ring, i + 1), inRing(ring + 1, i)],
      [inRing(ring, i + 1), inRing(ring + 1, i + 1), inRing(ring + 1, i)],
    ]),
  );
  drawTriangles(context, before, after, [...triangles, ...strips]);
  return moved;
}

/** z grows away from the camera, y down. */
function turner(centre: Landmark, yaw: number, pitch: number): (point: Landmark) => Landmark {
  const [cosYaw, sinYaw] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  const [cosPitch, sinPitch] = [Math.cos((pitch * Math.PI) / 180), Math.sin((pitch * Math.PI) / 180)];
  return (point) => {
    const [x, y, z] = [point.x - centre.x, point.y - centre.y, point.z - centre.z];
    const turnedZ = z * cosYaw + x * sinYaw;
    return {
      x: centre.x + x * cosYaw - z * sinYaw,
      y: centre.y + y * cosPitch - turnedZ * sinPitch,
      z: centre.z + turnedZ * cosPitch + y * sinPitch,
    };
  };
}

/** Draws each triangle with what it showed before, the nearest in front. */
function drawTriangles(
  context: Context,
  before: readonly Landmark[],
  after: readonly Landmark[],
  triangles: readonly Triangle[],
): void {
  const { width, height } = context.canvas;
  const source = context.getImageData(0, 0, width, height);
  const target = context.getImageData(0, 0, width, height);
  const nearest = new Float32Array(width * height).fill(Infinity);
  for (const [a, b, c] of triangles) {
    const corners = [after[a]!, after[b]!, after[c]!] as const;
    const origins = [before[a]!, before[b]!, before[c]!] as const;
    const [p, q, r] = corners;
    const area = (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    if (Math.abs(area) < 1e-6) continue;
    const blend = (
      weights: readonly [number, number, number],
      of: 'x' | 'y' | 'z',
      from: typeof corners,
    ): number => weights[0] * from[0][of] + weights[1] * from[1][of] + weights[2] * from[2][of];
    const fromY = Math.max(0, Math.ceil(Math.min(p.y, q.y, r.y)));
    const toY = Math.min(height - 1, Math.floor(Math.max(p.y, q.y, r.y)));
    const fromX = Math.max(0, Math.ceil(Math.min(p.x, q.x, r.x)));
    const toX = Math.min(width - 1, Math.floor(Math.max(p.x, q.x, r.x)));
    for (let y = fromY; y <= toY; y++)
      for (let x = fromX; x <= toX; x++) {
        const second = ((x - p.x) * (r.y - p.y) - (y - p.y) * (r.x - p.x)) / area;
        const third = ((q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x)) / area;
        const first = 1 - second - third;
        if (first < 0 || second < 0 || third < 0) continue;
        const weights = [first, second, third] as const;
        const depth = blend(weights, 'z', corners);
        const at = y * width + x;
        if (depth >= nearest[at]!) continue;
        nearest[at] = depth;
        sample(source, blend(weights, 'x', origins), blend(weights, 'y', origins), target.data, 4 * at);
      }
  }
  context.putImageData(target, 0, 0);
}
