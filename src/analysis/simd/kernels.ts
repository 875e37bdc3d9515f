/*
 * AssemblyScript: the loops over pixels and values that cost most of what a frame costs beside MediaPipe, for vectors of
 * 128 bits. `npm run kernels` compiles them; `../kernels.ts` has what they are asked by. All places are addresses in the
 * memory, which is imported and on which nothing but its owner puts anything.
 */

import { rounded } from './shrink';

export { shrink, shrinkPlanes } from './shrink';

/**
 * One layer of a network: sums over patches of its input, and what is above the floor of each. All values are float32, all
 * distances bytes. Outputs come in vectors of four channels; the weights lie tap by tap, each with all its vectors.
 * @param right from one patch to the next beside it, `down` to the one below
 * @param runs a patch is so many runs of neighbouring values, each `run` long and one `pitch` after the other
 */
export function convolve(
  input: usize,
  right: usize,
  down: usize,
  runs: i32,
  run: usize,
  pitch: usize,
  weights: usize,
  biases: usize,
  vectors: usize,
  floor: f32,
  output: usize,
  outputPitch: usize,
  columns: i32,
  rows: i32,
): void {
  const least = f32x4.splat(floor);
  const pixel = vectors << 4;
  for (let y = 0; y < rows; y++) {
    let patch = input + <usize>y * down;
    let to = output + <usize>y * outputPitch;
    // Two patches at a time, so that every weight is read for both; at an odd end the last one is summed twice.
    for (let x = 0; x < columns; x += 2) {
      const isPaired = x + 1 < columns;
      const aside: usize = isPaired ? right : 0;
      const beside: usize = isPaired ? to + pixel : to;
      let at: usize = 0;
      // Sixteen channels at a time fill the registers; what is left goes four by four.
      for (; at + 64 <= pixel; at += 64) {
        let a = v128.load(biases + at);
        let b = v128.load(biases + at, 16);
        let c = v128.load(biases + at, 32);
        let d = v128.load(biases + at, 48);
        let e = a;
        let f = b;
        let g = c;
        let h = d;
        let w = weights + at;
        for (let r = 0; r < runs; r++) {
          let i = patch + <usize>r * pitch;
          for (const end = i + run; i < end; i += 4, w += pixel) {
            const left = v128.load32_splat(i);
            const neighbour = v128.load32_splat(i + aside);
            const first = v128.load(w);
            const second = v128.load(w, 16);
            const third = v128.load(w, 32);
            const fourth = v128.load(w, 48);
            a = f32x4.add(a, f32x4.mul(left, first));
            b = f32x4.add(b, f32x4.mul(left, second));
            c = f32x4.add(c, f32x4.mul(left, third));
            d = f32x4.add(d, f32x4.mul(left, fourth));
            e = f32x4.add(e, f32x4.mul(neighbour, first));
            f = f32x4.add(f, f32x4.mul(neighbour, second));
            g = f32x4.add(g, f32x4.mul(neighbour, third));
            h = f32x4.add(h, f32x4.mul(neighbour, fourth));
          }
        }
        v128.store(beside + at, f32x4.max(e, least));
        v128.store(beside + at, f32x4.max(f, least), 16);
        v128.store(beside + at, f32x4.max(g, least), 32);
        v128.store(beside + at, f32x4.max(h, least), 48);
        v128.store(to + at, f32x4.max(a, least));
        v128.store(to + at, f32x4.max(b, least), 16);
        v128.store(to + at, f32x4.max(c, least), 32);
        v128.store(to + at, f32x4.max(d, least), 48);
      }
      for (; at < pixel; at += 16) {
        let a = v128.load(biases + at);
        let e = a;
        let w = weights + at;
        for (let r = 0; r < runs; r++) {
          let i = patch + <usize>r * pitch;
          for (const end = i + run; i < end; i += 4, w += pixel) {
            const first = v128.load(w);
            a = f32x4.add(a, f32x4.mul(v128.load32_splat(i), first));
            e = f32x4.add(e, f32x4.mul(v128.load32_splat(i + aside), first));
          }
        }
        v128.store(beside + at, f32x4.max(e, least));
        v128.store(to + at, f32x4.max(a, least));
      }
      patch += 2 * right;
      to += 2 * pixel;
    }
  }
}

/** What makes a weight of one, in bits. The four of a sample add up to it, so that a plain picture stays as it is. */
const WHOLE: i32 = 14;

/**
 * A patch of a picture that is turned and scaled, not slanted: bilinear, averaging 2 x 2 samples a pixel where the picture
 * is finer than the patch. Places outside repeat the border. Both are RGBA, row by row.
 * @param picture behind it, a row and two pixels more are read, and count for nothing
 * @param width of the picture, px, as `height`; both below 65536, and their product below 2 ** 22
 * @param x where the patch's origin lies in the picture, px, as `y`
 * @param rightX one step to the right in the patch, px of the picture, as `rightY`; a step down is that turned by 90 degrees
 * @param columns of the patch, a multiple of 4
 */
export function align(
  picture: usize,
  width: i32,
  height: i32,
  x: f32,
  y: f32,
  rightX: f32,
  rightY: f32,
  isFiner: bool,
  columns: i32,
  rows: i32,
  patch: usize,
): void {
  const zero = f32x4.splat(0);
  const whole = f32x4.splat(<f32>(1 << WHOLE));
  const lastX = f32x4.splat(<f32>(width - 1));
  const lastY = f32x4.splat(<f32>(height - 1));
  const pitch = f32x4.splat(<f32>width);
  // Four samples at a time: of one pixel where it takes four, else of four pixels side by side.
  const along = isFiner ? f32x4(-0.25, 0.25, -0.25, 0.25) : f32x4(0, 1, 2, 3);
  const below = isFiner ? f32x4(-0.25, -0.25, 0.25, 0.25) : zero;
  const acrossX = f32x4.splat(rightX);
  const acrossY = f32x4.splat(rightY);
  const offsetX = f32x4.sub(f32x4.mul(along, acrossX), f32x4.mul(below, acrossY));
  const offsetY = f32x4.add(f32x4.mul(along, acrossY), f32x4.mul(below, acrossX));
  const advance = isFiner ? 1 : 4;
  const lower = (<usize>width) << 2;
  for (let row = 0; row < rows; row++) {
    const rowX = x - <f32>row * rightY;
    const rowY = y + <f32>row * rightX;
    for (let column = 0; column < columns; column += advance) {
      const sampleX = f32x4.add(f32x4.splat(rowX + <f32>column * rightX), offsetX);
      const sampleY = f32x4.add(f32x4.splat(rowY + <f32>column * rightY), offsetY);
      const heldX = f32x4.max(zero, f32x4.min(lastX, sampleX));
      const heldY = f32x4.max(zero, f32x4.min(lastY, sampleY));
      const cellX = f32x4.floor(heldX);
      const cellY = f32x4.floor(heldY);
      const cell = i32x4.shl(rounded(f32x4.add(f32x4.mul(cellY, pitch), cellX)), 2);
      const shareX = f32x4.mul(f32x4.sub(heldX, cellX), whole);
      const shareY = f32x4.sub(heldY, cellY);
      const ofRight = rounded(shareX);
      const ofLower = rounded(f32x4.mul(shareY, whole));
      const lowerRight = rounded(f32x4.mul(shareX, shareY));
      const lowerLeft = i32x4.sub(ofLower, lowerRight);
      const upperRight = i32x4.sub(ofRight, lowerRight);
      const upperLeft = i32x4.sub(i32x4.sub(i32x4.splat(1 << WHOLE), ofRight), lowerLeft);
      // What is rounded may be one below 0, whose sign must not reach the other half.
      const left = v128.or(v128.and(upperLeft, i32x4.splat(0xffff)), i32x4.shl(lowerLeft, 16));
      const right = v128.or(upperRight, i32x4.shl(lowerRight, 16));
      // One by one, because the number of a lane has to be a constant.
      const a = sampleAt(
        picture + <usize>i32x4.extract_lane(cell, 0),
        lower,
        v128.shuffle<i32>(left, left, 0, 0, 0, 0),
        v128.shuffle<i32>(right, right, 0, 0, 0, 0),
      );
      const b = sampleAt(
        picture + <usize>i32x4.extract_lane(cell, 1),
        lower,
        v128.shuffle<i32>(left, left, 1, 1, 1, 1),
        v128.shuffle<i32>(right, right, 1, 1, 1, 1),
      );
      const c = sampleAt(
        picture + <usize>i32x4.extract_lane(cell, 2),
        lower,
        v128.shuffle<i32>(left, left, 2, 2, 2, 2),
        v128.shuffle<i32>(right, right, 2, 2, 2, 2),
      );
      const d = sampleAt(
        picture + <usize>i32x4.extract_lane(cell, 3),
        lower,
        v128.shuffle<i32>(left, left, 3, 3, 3, 3),
        v128.shuffle<i32>(right, right, 3, 3, 3, 3),
      );
      if (isFiner) {
        const sum = scaledBack(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), WHOLE + 2);
        const words = i16x8.narrow_i32x4_s(sum, sum);
        v128.store32_lane(patch, i8x16.narrow_i16x8_u(words, words), 0);
      } else {
        const first = i16x8.narrow_i32x4_s(scaledBack(a, WHOLE), scaledBack(b, WHOLE));
        const second = i16x8.narrow_i32x4_s(scaledBack(c, WHOLE), scaledBack(d, WHOLE));
        v128.store(patch, i8x16.narrow_i16x8_u(first, second));
      }
      patch += (<usize>advance) << 2;
    }
  }
}

/**
 * Red, green, blue and alpha of four neighbouring pixels, weighed.
 * @param place of the first
 * @param lower from one row to the next, bytes
 * @param left weights of the upper and the lower pixel on the left as 16 bits each, four times, as `right`
 */
function sampleAt(place: usize, lower: usize, left: v128, right: v128): v128 {
  const above = v128.load_ext<u8>(place);
  const below = v128.load_ext<u8>(place + lower);
  // Channel by channel, the upper pixel's beside the lower one's.
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<i16>(above, below, 0, 8, 1, 9, 2, 10, 3, 11), left),
    i32x4.dot_i16x8_s(v128.shuffle<i16>(above, below, 4, 12, 5, 13, 6, 14, 7, 15), right),
  );
}

/** Weighed sums as what they are the mean of. */
function scaledBack(sums: v128, bits: i32): v128 {
  return i32x4.shr_u(i32x4.add(sums, i32x4.splat(1 << (bits - 1))), bits);
}

/**
 * Luma (Rec. 601) as float32 of RGBA pixels.
 * @param count how many, a multiple of 4
 */
export function toLuma(pixels: usize, count: i32, luma: usize): void {
  const byte = i32x4.splat(0xff);
  for (let i = 0; i < count; i += 4) {
    const four = v128.load(pixels);
    const red = f32x4.convert_i32x4_u(v128.and(four, byte));
    const green = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(four, 8), byte));
    const blue = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(four, 16), byte));
    const warm = f32x4.add(f32x4.mul(red, f32x4.splat(0.299)), f32x4.mul(green, f32x4.splat(0.587)));
    v128.store(luma, f32x4.add(warm, f32x4.mul(blue, f32x4.splat(0.114))));
    pixels += 16;
    luma += 16;
  }
}

/**
 * Counts how steep edges are over their own contrast, along one direction.
 * @param band luma as int16, row by row
 * @param low room of the same size, as is `high`; up to 16 bytes behind either may be overwritten
 * @param step from one place to the next in the direction, places; `steps` of them reach as far as contrast is taken
 * @param margin of the band, which is not counted, places
 * @param minSpan places with less contrast are not counted
 * @param scale makes a difference over two steps one over one px
 * @param counts uint32 by steepness: `bins` that make up 1, and one for all that is steeper; is added to
 * @returns how many places were counted
 */
export function countSteepness(
  band: usize,
  low: usize,
  high: usize,
  width: i32,
  rows: i32,
  margin: i32,
  step: i32,
  steps: i32,
  minSpan: i32,
  scale: f64,
  counts: usize,
  bins: i32,
): i32 {
  const length = width * rows;
  memory.copy(low, band, (<usize>length) << 1);
  memory.copy(high, band, (<usize>length) << 1);
  // What a place and those after it span, of ever more of them: the next is put together of two that are there.
  for (let covered = 1, added = 0; covered <= 2 * steps; covered += added) {
    added = min(covered, 2 * steps + 1 - covered);
    const away = (<usize>(added * step)) << 1;
    for (let i: usize = 0, end = ((<usize>length) << 1) - away; i < end; i += 16) {
      v128.store(low + i, i16x8.min_s(v128.load(low + i), v128.load(low + i + away)));
      v128.store(high + i, i16x8.max_s(v128.load(high + i), v128.load(high + i + away)));
    }
  }
  const reach = (<usize>(steps * step)) << 1;
  const next = (<usize>step) << 1;
  const least = i16x8.splat(<i16>minSpan);
  let total = 0;
  for (let row = margin; row < rows - margin; row++) {
    for (let column = margin; column < width - margin; column += 8) {
      const place = (<usize>(row * width + column)) << 1;
      const spans = i16x8.sub(v128.load(high + place - reach), v128.load(low + place - reach));
      let left = i16x8.bitmask(i16x8.ge_s(spans, least));
      if (width - margin - column < 8) left &= (1 << (width - margin - column)) - 1;
      // Most places have no contrast.
      for (; left != 0; left &= left - 1) {
        const here = place + ((<usize>ctz(left)) << 1);
        const span = <f64>(<i32>load<i16>(high + here - reach) - <i32>load<i16>(low + here - reach));
        const change = <i32>load<i16>(band + here + next) - <i32>load<i16>(band + here - next);
        const steepness = (scale * <f64>abs(change)) / span;
        const bin = counts + ((<usize>min(bins, <i32>(steepness * <f64>bins))) << 2);
        store<u32>(bin, load<u32>(bin) + 1);
        total++;
      }
    }
  }
  return total;
}
