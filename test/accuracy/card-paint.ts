/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves */
import type { Point, Size } from '../../src/domain/geometry.ts';
import type { Quad } from '../../src/domain/homography.ts';
import { CARD_HEIGHT, extentOf, inverse, placing, widthOf } from './card-geometry.ts';
import { linear, ramp } from './paint.ts';

/*
 * A camera's picture in light, not in stored values: flat things laid into it in perspective, lamps, lens and sensor.
 */

/** A picture in linear light: red, green and blue of each pixel, 0 black, 1 where the camera clips. */
export interface Light extends Size {
  readonly data: Float32Array;
}

/** What something flat looks like, ever smaller: each level half the one before. Light times opacity, and opacity. */
export type Texture = readonly (Size & { readonly data: Float32Array })[];

type Context = OffscreenCanvasRenderingContext2D;

const LIGHTS = Float32Array.from({ length: 256 }, (_, value) => linear(value));

const pixelsOf = (canvas: OffscreenCanvas): ImageData => {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return context.getImageData(0, 0, canvas.width, canvas.height);
};

/** The light of an opaque picture. */
export function lightOf(canvas: OffscreenCanvas): Light {
  const { data: stored, width, height } = pixelsOf(canvas);
  const data = new Float32Array(3 * width * height);
  for (let i = 0, j = 0; i < stored.length; i += 4, j += 3)
    for (let channel = 0; channel < 3; channel++) data[j + channel] = LIGHTS[stored[i + channel]!]!;
  return { data, width, height };
}

/** Levels of a texture that are kept; cards are never smaller than the last one. */
const LEVELS = 5;

/** Ready to be laid into pictures. */
export function textureOf(canvas: OffscreenCanvas): Texture {
  const { data: stored, width, height } = pixelsOf(canvas);
  const data = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i += 4) {
    const opacity = stored[i + 3]! / 255;
    for (let channel = 0; channel < 3; channel++) data[i + channel] = opacity * LIGHTS[stored[i + channel]!]!;
    data[i + 3] = opacity;
  }
  const levels = [{ data, width, height }];
  for (let last = levels[0]!; levels.length < LEVELS; levels.push(last)) last = halved(last);
  return levels;
}

function halved({
  data,
  width,
  height,
}: Texture[number]): Texture[number] & { data: Float32Array<ArrayBuffer> } {
  const [w, h] = [width >> 1, height >> 1];
  const half = new Float32Array(4 * w * h);
  for (let y = 0, i = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let channel = 0; channel < 4; channel++, i++) {
        const at = 4 * (2 * y * width + 2 * x) + channel;
        half[i] = 0.25 * (data[at]! + data[at + 4]! + data[at + 4 * width]! + data[at + 4 * width + 4]!);
      }
  return { data: half, width: w, height: h };
}

/** Samples along each side of a pixel: with at most two texels between pixels, all of them count. */
const SAMPLES = 2;

/** Lays something flat over the picture so that its corners come to lie on `quad`. */
export function lay(light: Light, texture: Texture, quad: Quad): void {
  const wanted = Math.log2(texture[0]!.width / widthOf(quad));
  const level = texture[Math.min(texture.length - 1, Math.max(0, Math.floor(wanted)))]!;
  const { data, width, height } = level;
  const [a, b, c, d, e, f, g, h, i] = inverse(placing(quad, 1));
  const { left, right, top, bottom } = extentOf(quad);
  const fromX = Math.max(0, Math.floor(left) - 1);
  const toX = Math.min(light.width - 1, Math.ceil(right));
  const fromY = Math.max(0, Math.floor(top) - 1);
  const toY = Math.min(light.height - 1, Math.ceil(bottom));
  const weight = 1 / SAMPLES ** 2;
  // Plain numbers throughout: this runs millions of times a picture.
  for (let py = fromY; py <= toY; py++)
    for (let px = fromX; px <= toX; px++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let opacity = 0;
      for (let sub = 0; sub < SAMPLES * SAMPLES; sub++) {
        const x = px + ((sub % SAMPLES) + 0.5) / SAMPLES;
        const y = py + ((sub / SAMPLES) | 0) / SAMPLES + 0.5 / SAMPLES;
        const depth = g * x + h * y + i;
        const u = (a * x + b * y + c) / depth;
        const v = (d * x + e * y + f) / depth;
        if (u < 0 || u > 1 || v < 0 || v > 1) continue;
        const across = Math.min(width - 1.001, Math.max(0, u * width - 0.5));
        const down = Math.min(height - 1.001, Math.max(0, v * height - 0.5));
        const x0 = across | 0;
        const y0 = down | 0;
        const fx = across - x0;
        const fy = down - y0;
        const p = 4 * (y0 * width + x0);
        const q = p + 4 * width;
        const w00 = weight * (1 - fx) * (1 - fy);
        const w10 = weight * fx * (1 - fy);
        const w01 = weight * (1 - fx) * fy;
        const w11 = weight * fx * fy;
        red += w00 * data[p]! + w10 * data[p + 4]! + w01 * data[q]! + w11 * data[q + 4]!;
        green += w00 * data[p + 1]! + w10 * data[p + 5]! + w01 * data[q + 1]! + w11 * data[q + 5]!;
        blue += w00 * data[p + 2]! + w10 * data[p + 6]! + w01 * data[q + 2]! + w11 * data[q + 6]!;
        opacity += w00 * data[p + 3]! + w10 * data[p + 7]! + w01 * data[q + 3]! + w11 * data[q + 7]!;
      }
      if (opacity === 0) continue;
      const at = 3 * (py * light.width + px);
      const rest = 1 - opacity;
      light.data[at] = light.data[at]! * rest + red;
      light.data[at + 1] = light.data[at + 1]! * rest + green;
      light.data[at + 2] = light.data[at + 2]! * rest + blue;
    }
}

/** Lays a drawn layer of the picture's size over it. */
export function cover(light: Light, layer: OffscreenCanvas): void {
  const { data: stored } = pixelsOf(layer);
  for (let i = 0, j = 0; i < stored.length; i += 4, j += 3) {
    const opacity = stored[i + 3]! / 255;
    if (opacity === 0) continue;
    for (let channel = 0; channel < 3; channel++)
      light.data[j + channel] =
        light.data[j + channel]! * (1 - opacity) + opacity * LIGHTS[stored[i + channel]!]!;
  }
}

/** Light of lamps, over that on an evenly and well lit scene. */
export interface Lamp {
  /** Times the light everywhere: 1 is well exposed. */
  readonly gain: number;
  /** More red and less blue, as a share of each. */
  readonly warmth: number;
  /** Light at the far end of the frame over that at the near end, and the direction, degrees clockwise from right. */
  readonly fall: { readonly ratio: number; readonly degrees: number };
  /** A shadow on one side of a line through `at` (shares of the frame); `soft` is the width of its edge, px. */
  readonly shadow: {
    readonly ratio: number;
    readonly degrees: number;
    readonly at: Point;
    readonly soft: number;
  } | null;
}

/** Lights the scene. */
export function illuminate({ data, width, height }: Light, { gain, warmth, fall, shadow }: Lamp): void {
  const direction = (degrees: number): Point => ({
    x: Math.cos((degrees * Math.PI) / 180),
    y: Math.sin((degrees * Math.PI) / 180),
  });
  const away = direction(fall.degrees);
  const reach = Math.abs(away.x) * width + Math.abs(away.y) * height;
  const into = direction(shadow?.degrees ?? 0);
  const [red, blue] = [1 + warmth, 1 - warmth];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      const along = ((x - width / 2) * away.x + (y - height / 2) * away.y) / reach;
      // The middle of the frame keeps its light.
      let light = gain * (1 - ((1 - fall.ratio) / (1 + fall.ratio)) * 2 * along);
      if (shadow !== null) {
        const depth = (x - shadow.at.x * width) * into.x + (y - shadow.at.y * height) * into.y;
        light *= 1 + (shadow.ratio - 1) * ramp(depth, -shadow.soft / 2, shadow.soft / 2);
      }
      data[i] = data[i]! * light * red;
      data[i + 1] = data[i + 1]! * light;
      data[i + 2] = data[i + 2]! * light * blue;
    }
}

/** A lamp that the card mirrors. */
export interface Glare {
  /** On the card, in its own widths. */
  readonly at: Point;
  /** Share of the card's area that clips. */
  readonly area: number;
  /** Long over short axis, and the direction of the long one, degrees clockwise from the card's x axis. */
  readonly stretch: number;
  readonly degrees: number;
  /** Seeds the ripples of its outline. */
  readonly ripple: number;
}

/** Light in the middle of a glare. */
const GLARE_PEAK = 3;
/** What a card's ground has itself, so that this much less clips it. */
const GROUND_LIGHT = 0.55;

/** Adds a mirrored lamp to whatever lies within the card's outline. */
export function dazzle(
  { data, width, height }: Light,
  quad: Quad,
  { at, area, stretch, degrees, ripple }: Glare,
): void {
  const [a, b, c, d, e, f, g, h, i] = inverse(placing(quad));
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const radius = Math.sqrt((area * CARD_HEIGHT) / Math.PI);
  const fade = Math.log(GLARE_PEAK / (1 - GROUND_LIGHT));
  const { left, right, top, bottom } = extentOf(quad);
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, Math.ceil(bottom)); y++)
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, Math.ceil(right)); x++) {
      const depth = g * x + h * y + i;
      const [u, v] = [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
      if (u < 0 || u > 1 || v < 0 || v > CARD_HEIGHT) continue;
      const [dx, dy] = [u - at.x, v - at.y];
      const long = (dx * cos + dy * sin) / Math.sqrt(stretch);
      const short = (dy * cos - dx * sin) * Math.sqrt(stretch);
      const angle = Math.atan2(short, long);
      const wave = 1 + 0.12 * Math.sin(3 * angle + ripple) + 0.07 * Math.sin(5 * angle + 2 * ripple);
      const out = Math.hypot(long, short) / (radius * wave);
      const extra = GLARE_PEAK * Math.exp(-fade * out * out);
      if (extra < 0.002) continue;
      const to = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) data[to + channel] = data[to + channel]! + extra;
    }
}

/** Blurs as a lens out of focus does: light beyond clipping spreads too. @param sigma px */
export function defocus({ data, width, height }: Light, sigma: number): void {
  if (sigma <= 0) return;
  const reach = Math.max(3, Math.ceil(2.7 * sigma));
  const weights = Float32Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / sigma) ** 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const half = weights.slice(reach).map((weight) => weight / total);
  // The inner ones are written out: most blurs are that small, and loops over three weights cost as much as six do.
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = half;
  const row = 3 * width;
  const padded = new Float32Array(row + 6 * reach);
  const source = data.slice();
  for (let y = 0; y < height; y++) {
    padded.set(source.subarray(y * row, (y + 1) * row), 3 * reach);
    // Beyond the border its own pixels go on.
    for (let i = 0; i < 3 * reach; i++) {
      padded[i] = data[y * row + (i % 3)]!;
      padded[row + 3 * reach + i] = data[(y + 1) * row - 3 + (i % 3)]!;
    }
    for (let i = 0, j = 3 * reach, to = y * row; i < row; i++, j++, to++) {
      let sum = w0 * padded[j]!;
      sum += w1 * (padded[j - 3]! + padded[j + 3]!) + w2 * (padded[j - 6]! + padded[j + 6]!);
      sum += w3 * (padded[j - 9]! + padded[j + 9]!);
      for (let k = 4; k <= reach; k++) sum += half[k]! * (padded[j - 3 * k]! + padded[j + 3 * k]!);
      source[to] = sum;
    }
  }
  const above = new Int32Array(reach + 1);
  const below = new Int32Array(reach + 1);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k <= reach; k++) {
      above[k] = row * Math.max(0, y - k);
      below[k] = row * Math.min(height - 1, y + k);
    }
    const [a1 = 0, a2 = 0, a3 = 0] = above.slice(1);
    const [b1 = 0, b2 = 0, b3 = 0] = below.slice(1);
    for (let i = 0, to = y * row; i < row; i++, to++) {
      let sum = w0 * source[to]! + w1 * (source[a1 + i]! + source[b1 + i]!);
      sum += w2 * (source[a2 + i]! + source[b2 + i]!) + w3 * (source[a3 + i]! + source[b3 + i]!);
      for (let k = 4; k <= reach; k++) sum += half[k]! * (source[above[k]! + i]! + source[below[k]! + i]!);
      data[to] = sum;
    }
  }
}

/** Smears everything along a straight way. @param way px that things move while the shutter is open */
export function smear(light: Light, way: Point): void {
  const length = Math.hypot(way.x, way.y);
  if (length < 0.5) return;
  const { data, width, height } = light;
  const copies = Math.max(3, Math.ceil(length));
  const source = data.slice();
  data.fill(0);
  for (let copy = 0; copy < copies; copy++) {
    const along = copy / (copies - 1) - 0.5;
    const [dx, dy] = [Math.round(along * way.x), Math.round(along * way.y)];
    for (let y = 0; y < height; y++) {
      const row = width * Math.min(height - 1, Math.max(0, y + dy));
      for (let x = 0, i = 3 * y * width; x < width; x++) {
        const from = 3 * (row + Math.min(width - 1, Math.max(0, x + dx)));
        for (let channel = 0; channel < 3; channel++, i++)
          data[i] = data[i]! + source[from + channel]! / copies;
      }
    }
  }
}

const STEPS = 65_535;
const STORED = Float32Array.from({ length: STEPS + 1 }, (_, i) => 255 * (i / STEPS) ** (1 / 2.2));

/** Numbers of a sensor's noise that are drawn once and used from anywhere on. */
const NOISE = 1 << 16;

/** What the camera stores of the light, with noise of `grain` stored units (standard deviation). */
export function expose(
  { data, width, height }: Light,
  context: Context,
  grain: number,
  random: () => number,
): void {
  const image = context.createImageData(width, height);
  const noise = Float32Array.from(
    { length: NOISE },
    () => grain * 2 * (random() + random() + random() - 1.5),
  );
  const stored = image.data;
  let at = 0;
  for (let i = 0, j = 0; j < data.length; i += 4) {
    // A new start in each row keeps the noise from repeating in bands.
    if (j % (3 * width) === 0) at = Math.floor(NOISE * random());
    for (let channel = 0; channel < 3; channel++, j++) {
      at = (at + 1) & (NOISE - 1);
      const light = data[j]!;
      stored[i + channel] = STORED[(STEPS * (light < 1 ? light : 1)) | 0]! + noise[at]!;
    }
    stored[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
