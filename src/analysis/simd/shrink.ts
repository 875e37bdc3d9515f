/*
 * AssemblyScript, as `kernels.ts` has it: pictures become small ones.
 */

/**
 * A picture, RGBA, whose squares of `factor` x `factor` pixels become one each, which is their mean.
 * @param factor 16 at most: sums of more do not fit
 * @param columns and `rows` of the small picture; `width` of the large one, which is `factor` times as large or larger
 */
export function shrink(
  picture: usize,
  width: i32,
  factor: i32,
  columns: i32,
  rows: i32,
  target: usize,
): void {
  const pitch = (<usize>width) << 2;
  const run = (<usize>factor) << 2;
  const pairs = run & ~7;
  const share = f32x4.splat(<f32>1 / <f32>(factor * factor));
  let to = target;
  for (let y = 0; y < rows; y++) {
    let from = picture + <usize>(y * factor) * pitch;
    for (let x = 0; x < columns; x++, from += run, to += 4) {
      let sums = i16x8.splat(0);
      let row = from;
      for (let r = 0; r < factor; r++, row += pitch) {
        let i = row;
        for (const end = row + pairs; i < end; i += 8) {
          sums = i16x8.add(sums, i16x8.extend_low_i8x16_u(v128.load64_zero(i)));
        }
        if (i < row + run) sums = i16x8.add(sums, i16x8.extend_low_i8x16_u(v128.load32_zero(i)));
      }
      const sum = i32x4.add(i32x4.extend_low_i16x8_u(sums), i32x4.extend_high_i16x8_u(sums));
      const mean = i32x4.trunc_sat_f32x4_u(f32x4.nearest(f32x4.mul(f32x4.convert_i32x4_u(sum), share)));
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(mean, mean), i16x8.splat(0));
      store<u32>(to, i32x4.extract_lane(bytes, 0));
    }
  }
}

/**
 * A camera's frame in planes, luma and half as many of the differences of blue and red each way, whose squares of `factor` x
 * `factor` pixels become one RGBA pixel each, which is their mean.
 * @param blue and `red` where the differences begin; where both lie in one plane, by turns, `red` is 0
 * @param width px, even, as is the height
 * @param factor 2 or 3
 * @param columns of the small picture, a multiple of 4
 * @param sums room for 4 bytes a column of the large picture, and 64 more
 * @param gain of a sum of luma; the others are those of a sum of differences, `red0` and so on what is added
 */
export function shrinkPlanes(
  luma: usize,
  blue: usize,
  red: usize,
  width: i32,
  factor: i32,
  columns: i32,
  rows: i32,
  sums: usize,
  target: usize,
  gain: f32,
  redToRed: f32,
  blueToGreen: f32,
  redToGreen: f32,
  blueToBlue: f32,
  red0: f32,
  green0: f32,
  blue0: f32,
): void {
  const half = width >> 1;
  // Vectors may write behind the last place.
  const room = (<usize>width + 15) & ~15;
  const blues = sums + (room << 1);
  const reds = blues + room;
  const isThree = factor == 3;
  const opaque = i32x4.splat(0xff000000);
  let to = target;
  for (let y = 0; y < rows; y++) {
    sumRows(luma + <usize>(y * factor * width), width, factor, sums, width);
    // Of three rows of luma one shares its differences with a neighbour of another square.
    const first = (y * factor) >> 1;
    const weights = !isThree ? 0x01 : y & 1 ? 0x12 : 0x21;
    if (red == 0) {
      sumPairs(blue + <usize>(first * width), width, weights, blues, reds);
    } else {
      sumWeighed(blue + <usize>(first * half), half, weights, blues);
      sumWeighed(red + <usize>(first * half), half, weights, reds);
    }
    let lumaAt = sums;
    let colourAt: usize = 0;
    for (let x = 0; x < columns; x += 4) {
      let l: v128, b: v128, r: v128;
      if (isThree) {
        const near = v128.load(lumaAt);
        const far = v128.load(lumaAt, 16);
        const three = i16x8.add(
          i16x8.add(
            v128.shuffle<i16>(near, far, 0, 3, 6, 9, 0, 0, 0, 0),
            v128.shuffle<i16>(near, far, 1, 4, 7, 10, 0, 0, 0, 0),
          ),
          v128.shuffle<i16>(near, far, 2, 5, 8, 11, 0, 0, 0, 0),
        );
        l = i32x4.extend_low_i16x8_s(three);
        b = threes(v128.load(blues + colourAt));
        r = threes(v128.load(reds + colourAt));
        lumaAt += 24;
        colourAt += 12;
      } else {
        l = i32x4.extadd_pairwise_i16x8_s(v128.load(lumaAt));
        b = i32x4.extend_low_i16x8_s(v128.load64_zero(blues + colourAt));
        r = i32x4.extend_low_i16x8_s(v128.load64_zero(reds + colourAt));
        lumaAt += 16;
        colourAt += 8;
      }
      const light = f32x4.mul(f32x4.convert_i32x4_s(l), f32x4.splat(gain));
      const bf = f32x4.convert_i32x4_s(b);
      const rf = f32x4.convert_i32x4_s(r);
      const reddish = f32x4.add(f32x4.add(light, f32x4.splat(red0)), f32x4.mul(rf, f32x4.splat(redToRed)));
      const bluish = f32x4.add(f32x4.add(light, f32x4.splat(blue0)), f32x4.mul(bf, f32x4.splat(blueToBlue)));
      const greenish = f32x4.add(
        f32x4.add(light, f32x4.splat(green0)),
        f32x4.add(f32x4.mul(bf, f32x4.splat(blueToGreen)), f32x4.mul(rf, f32x4.splat(redToGreen))),
      );
      const low = v128.or(byteOf(reddish), i32x4.shl(byteOf(greenish), 8));
      v128.store(to, v128.or(v128.or(low, opaque), i32x4.shl(byteOf(bluish), 16)));
      to += 16;
    }
  }
}

/** Bytes as the low ones of four integers, of numbers that may lie beyond. */
function byteOf(values: v128): v128 {
  return rounded(f32x4.min(f32x4.max(values, f32x4.splat(0)), f32x4.splat(255)));
}

/** Of six sums of differences, which twelve columns of luma have, those of each three columns. */
function threes(values: v128): v128 {
  const pairs = v128.shuffle<i16>(values, values, 0, 1, 1, 2, 3, 4, 4, 5);
  return i32x4.dot_i16x8_s(pairs, i16x8(2, 1, 1, 2, 2, 1, 1, 2));
}

/** Sums of bytes in so many rows, column by column, as int16. */
function sumRows(from: usize, pitch: i32, count: i32, sums: usize, columns: i32): void {
  for (let x = 0; x < columns; x += 16) {
    let low = i16x8.splat(0);
    let high = i16x8.splat(0);
    let row = from + <usize>x;
    for (let r = 0; r < count; r++, row += <usize>pitch) {
      const bytes = v128.load(row);
      low = i16x8.add(low, i16x8.extend_low_i8x16_u(bytes));
      high = i16x8.add(high, i16x8.extend_high_i8x16_u(bytes));
    }
    const to = sums + ((<usize>x) << 1);
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}

/** One row of bytes as int16, or two: the weights are the digits of a hexadecimal number, the first row's the higher one. */
function sumWeighed(from: usize, columns: i32, weights: i32, sums: usize): void {
  const above = i16x8.splat(<i16>(weights >> 4));
  const below = i16x8.splat(<i16>(weights & 15));
  const second = weights >> 4 ? <usize>columns : 0;
  for (let x = 0; x < columns; x += 8) {
    const one = i16x8.extend_low_i8x16_u(v128.load64_zero(from + <usize>x));
    const other = i16x8.extend_low_i8x16_u(v128.load64_zero(from + second + <usize>x));
    v128.store(sums + ((<usize>x) << 1), i16x8.add(i16x8.mul(one, above), i16x8.mul(other, below)));
  }
}

/** The same of two planes by turns. */
function sumPairs(from: usize, pitch: i32, weights: i32, blues: usize, reds: usize): void {
  const above = i16x8.splat(<i16>(weights >> 4));
  const below = i16x8.splat(<i16>(weights & 15));
  const second = weights >> 4 ? <usize>pitch : 0;
  const byte = i16x8.splat(0xff);
  for (let x = 0; x < pitch; x += 16) {
    const one = v128.load(from + <usize>x);
    const other = v128.load(from + second + <usize>x);
    v128.store(
      blues + <usize>x,
      i16x8.add(i16x8.mul(v128.and(one, byte), above), i16x8.mul(v128.and(other, byte), below)),
    );
    v128.store(
      reds + <usize>x,
      i16x8.add(i16x8.mul(i16x8.shr_u(one, 8), above), i16x8.mul(i16x8.shr_u(other, 8), below)),
    );
  }
}

/** Integers of numbers from 0 up to 2 ** 22, far cheaper than a conversion that is defined for all. */
export function rounded(values: v128): v128 {
  // There, a number's last bit is worth one.
  const far: f32 = 8388608;
  return i32x4.sub(f32x4.add(values, f32x4.splat(far)), f32x4.splat(far));
}
