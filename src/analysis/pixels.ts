/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Point, Size } from '../domain/geometry.ts';
import type { PatchFrame } from '../domain/homography.ts';

/*
 * Arithmetic on pixels: no DOM, no state. Luma is Rec. 601, 0..255.
 */

/** RGBA, row by row; an ImageData is one. */
export interface Pixels {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Pixels of our own, which an ImageData takes as they are. */
export interface Picture extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** One number per pixel, row by row. */
export interface Plane {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Luma of one RGB triple. */
export const lumaOf = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** A colour by which things are told apart: log ratios of red and blue to green, and a little of the brightness. */
export type Tint = readonly [red: number, blue: number, brightness: number];

/** Added to every channel before ratios are taken: noise of dark pixels makes no colour. */
const FLOOR = 12;
/** What brightness counts for beside colour: shadows and shading change it most. */
const BRIGHTNESS = 0.25;

/** The tint of one RGB triple. */
export const tintOf = (r: number, g: number, b: number): Tint => {
  const green = Math.log(g + FLOOR);
  return [Math.log(r + FLOOR) - green, Math.log(b + FLOOR) - green, BRIGHTNESS * green];
};

/**
 * Samples a patch out of a picture, bilinear, averaging 2 x 2 samples a pixel where the picture is finer than the
 * patch, so that it does not alias. Places outside the picture repeat its border.
 */
export function samplePatch(source: Pixels, frame: PatchFrame, width: number, height: number): Picture {
  const data = new Uint8ClampedArray(width * height * 4);
  const { origin, right, down, recede = { x: 0, y: 0 } } = frame;
  const taps = Math.hypot(right.x, right.y) <= 1.2 ? [0] : [-0.25, 0.25];
  const offsets = taps.flatMap((v) =>
    taps.map((u) => ({ x: u * right.x + v * down.x, y: u * right.y + v * down.y })),
  );
  const weight = 1 / offsets.length;
  const maxX = source.width - 1;
  const maxY = source.height - 1;
  const from = source.data;
  const stride = 4 * source.width;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const depth = 1 + x * recede.x + y * recede.y;
      const baseX = (origin.x + x * right.x + y * down.x) / depth;
      const baseY = (origin.y + x * right.y + y * down.y) / depth;
      let r = 0;
      let g = 0;
      let b = 0;
      for (let k = 0; k < offsets.length; k++) {
        const offset = offsets[k]!; // within
        const sx = Math.min(maxX, Math.max(0, baseX + offset.x));
        const sy = Math.min(maxY, Math.max(0, baseY + offset.y));
        const x0 = Math.floor(sx);
        const y0 = Math.floor(sy);
        const fx = sx - x0;
        const fy = sy - y0;
        const i00 = y0 * stride + 4 * x0;
        const i01 = x0 < maxX ? i00 + 4 : i00;
        const i10 = y0 < maxY ? i00 + stride : i00;
        const i11 = i10 + (i01 - i00);
        const w11 = fx * fy;
        const w01 = fx - w11;
        const w10 = fy - w11;
        const w00 = 1 - fx - w10;
        // Within: the four places are clamped to the picture.
        r += w00 * from[i00]! + w01 * from[i01]! + w10 * from[i10]! + w11 * from[i11]!;
        g += w00 * from[i00 + 1]! + w01 * from[i01 + 1]! + w10 * from[i10 + 1]! + w11 * from[i11 + 1]!;
        b += w00 * from[i00 + 2]! + w01 * from[i01 + 2]! + w10 * from[i10 + 2]! + w11 * from[i11 + 2]!;
      }
      const to = (y * width + x) * 4;
      data[to] = r * weight;
      data[to + 1] = g * weight;
      data[to + 2] = b * weight;
      data[to + 3] = 255;
    }
  }
  return { data, width, height };
}

/** Luma of every pixel. */
export function lumaPlane({ data, width, height }: Pixels): Plane {
  const plane = new Float32Array(width * height);
  for (let i = 0; i < plane.length; i++) {
    plane[i] = lumaOf(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!); // within: 4 values a pixel
  }
  return { data: plane, width, height };
}

/**
 * The rows of pixels inside a closed polygon (even-odd, at pixel centres), by where their first one lies among all
 * pixels, and where the first behind them does.
 */
export function eachRowWithin(
  polygon: readonly Point[],
  { width, height }: Size,
  visit: (from: number, end: number) => void,
): void {
  const heights = polygon.map(({ y }) => y);
  const last = Math.min(height - 1, Math.floor(Math.max(...heights)));
  for (let y = Math.max(0, Math.ceil(Math.min(...heights))); y <= last; y++) {
    const crossings: number[] = [];
    polygon.forEach((a, i) => {
      const b = polygon[(i + 1) % polygon.length] ?? a;
      if (a.y <= y !== b.y <= y) crossings.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i] ?? 0));
      const to = Math.min(width - 1, Math.floor(crossings[i + 1] ?? -1));
      if (to >= from) visit(y * width + from, y * width + to + 1);
    }
  }
}

/** How many pixels have each luma, inside a closed polygon or in all. */
export function histogramOf(plane: Plane, polygon?: readonly Point[]): Uint32Array {
  const histogram = new Uint32Array(256);
  const { data } = plane;
  const count = (from: number, end: number): void => {
    // Within: rows do not leave the plane, nor luma its 256 values. Half of one more makes of cutting off a rounding.
    for (let i = from; i < end; i++) histogram[(data[i]! + 0.5) | 0]!++;
  };
  if (polygon === undefined) count(0, data.length);
  else eachRowWithin(polygon, plane, count);
  return histogram;
}

/** Luma below which this fraction of the pixels lies. */
export function percentile(histogram: Uint32Array, fraction: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [luma, count] of histogram.entries()) {
    seen += count;
    if (seen > fraction * total) return luma;
  }
  return 255;
}

/** Fraction of the pixels with luma in `from`..`to`, both included. */
export function fractionWithin(histogram: Uint32Array, from: number, to: number): number {
  const sum = (part: Uint32Array): number => part.reduce((a, b) => a + b, 0);
  return sum(histogram.subarray(from, to + 1)) / Math.max(1, sum(histogram));
}

/** Mean luma of a histogram. */
export function meanOf(histogram: Uint32Array): number {
  let sum = 0;
  let total = 0;
  for (const [luma, count] of histogram.entries()) {
    sum += luma * count;
    total += count;
  }
  return sum / Math.max(1, total);
}

/**
 * The middle one of the values, the upper of two, as if they were sorted, for a quarter of what sorting costs (Hoare's
 * selection); NaN of none.
 */
export function upperMedianOf(values: Float32Array): number {
  const kept = Float32Array.from(values);
  const middle = kept.length >> 1;
  let from = 0;
  let to = kept.length - 1;
  while (from < to) {
    const pivot = kept[(from + to) >> 1]!; // within, as are all: the pivot itself stops both searches
    let left = from;
    let right = to;
    while (left <= right) {
      while (kept[left]! < pivot) left++;
      while (kept[right]! > pivot) right--;
      if (left > right) break;
      const held = kept[left]!;
      kept[left++] = kept[right]!;
      kept[right--] = held;
    }
    if (middle <= right) to = right;
    else if (middle >= left) from = left;
    else break;
  }
  return kept[middle] ?? NaN;
}

/** Mean colour of a disc, or null where the disc misses the picture. */
export function discColour(source: Pixels, centre: Point, radius: number): Colour | null {
  let r = 0;
  let g = 0;
  let b = 0;
  let n = 0;
  const fromY = Math.max(0, Math.ceil(centre.y - radius));
  const toY = Math.min(source.height - 1, Math.floor(centre.y + radius));
  const fromX = Math.max(0, Math.ceil(centre.x - radius));
  const toX = Math.min(source.width - 1, Math.floor(centre.x + radius));
  for (let y = fromY; y <= toY; y++) {
    for (let x = fromX; x <= toX; x++) {
      if ((x - centre.x) ** 2 + (y - centre.y) ** 2 > radius ** 2) continue;
      const i = (y * source.width + x) * 4;
      r += source.data[i]!; // within: clamped to the picture above
      g += source.data[i + 1]!;
      b += source.data[i + 2]!;
      n++;
    }
  }
  return n === 0 ? null : { r: r / n, g: g / n, b: b / n };
}

/** Mean red, green and blue, 0..255. */
export interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

/** The smallest and largest value of every square block of `size` px; what is left over at the far sides is left out. */
export function blockExtremes(plane: Plane, size: number): { low: Plane; high: Plane } {
  const width = Math.floor(plane.width / size);
  const height = Math.floor(plane.height / size);
  const low = new Float32Array(width * height).fill(Infinity);
  const high = new Float32Array(width * height).fill(-Infinity);
  for (let y = 0; y < height * size; y++) {
    const row = Math.floor(y / size) * width;
    for (let x = 0; x < width * size; x++) {
      const value = plane.data[y * plane.width + x]!; // within the plane, as is the block within its own
      const block = row + Math.floor(x / size);
      if (value < low[block]!) low[block] = value;
      if (value > high[block]!) high[block] = value;
    }
  }
  return { low: { data: low, width, height }, high: { data: high, width, height } };
}
