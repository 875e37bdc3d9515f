/* eslint-disable @typescript-eslint/no-non-null-assertion -- loops over cells read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box, Size } from '../domain/geometry.ts';
import { type Pixels, type Tint, tintOf } from './pixels.ts';

/*
 * What lies over a card: it reaches in from beyond the card's edge, has one colour on both sides of it, and that is not
 * the colour of the card's own ground.
 */

/** Side of the cells that are told apart, px of the straightened card. */
export const FINGER_CELL = 6;

/** Cells of the card that are hidden: 1, row by row. */
export interface Hidden {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Farther from the card's ground is another thing; nearer to the finger than this is the same finger. */
const FOREIGN = 0.28;
const SAME = 0.16;
/** Across the card's edge the colour of one finger changes by less. */
const ACROSS = 0.09;
/** Skin has more red and less blue than green in any light that a card can be read in; log ratios. */
const SKIN = { red: 0.1, blue: -0.03 };
/** Cells in a row along the edge: a finger is no narrower. */
const NARROWEST = 4;

/** Cells round a card that are left as they are beyond its edge. */
const AROUND = 2;

/** The tints of all cells of a card and a few round it. */
interface Grid {
  readonly red: Float32Array;
  readonly blue: Float32Array;
  readonly brightness: Float32Array;
  readonly width: number;
  readonly height: number;
  /** What most of the card looks like. */
  readonly ground: Tint;
  readonly isSeen: (cell: number) => boolean;
}

/** From one end of a card's side to the other: its cells, and the way out of the card. */
interface Side {
  readonly cells: readonly number[];
  readonly outward: number;
}

/**
 * Which cells of a straightened card something lies over.
 * @param card where the card is in the patch; there are at least two cells round it
 * @param isSeen whether the picture showed a place of the patch
 */
export function hiddenOn(patch: Pixels, card: Box, isSeen: (x: number, y: number) => boolean): Hidden {
  const grid = gridOf(patch, card, isSeen);
  const sides = sidesOf(grid);
  const hidden = grownFrom(grid, seedsOn(grid, sides));
  const open = reachedFrom(grid, hidden, sides);
  const width = grid.width - 2 * AROUND;
  const height = grid.height - 2 * AROUND;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data[y * width + x] = 1 - open[(y + AROUND) * grid.width + x + AROUND]!;
  return { data, width, height };
}

function gridOf(patch: Pixels, card: Box, isSeen: (x: number, y: number) => boolean): Grid {
  const width = Math.floor(card.width / FINGER_CELL) + 2 * AROUND;
  const height = Math.floor(card.height / FINGER_CELL) + 2 * AROUND;
  const [left, top] = [card.x - AROUND * FINGER_CELL, card.y - AROUND * FINGER_CELL];
  const count = width * height;
  const [red, blue, brightness] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  const area = FINGER_CELL * FINGER_CELL;
  for (let cell = 0; cell < count; cell++) {
    const [column, row] = [cell % width, Math.floor(cell / width)];
    let [r, g, b] = [0, 0, 0];
    for (let y = 0; y < FINGER_CELL; y++) {
      let i = 4 * ((top + row * FINGER_CELL + y) * patch.width + left + column * FINGER_CELL);
      for (let x = 0; x < FINGER_CELL; x++, i += 4) {
        r += patch.data[i]!;
        g += patch.data[i + 1]!;
        b += patch.data[i + 2]!;
      }
    }
    [red[cell], blue[cell], brightness[cell]] = tintOf(r / area, g / area, b / area);
  }
  const size = { width, height };
  const inner = Array.from({ length: count }, (_, cell) => cell).filter((cell) => isInside(size, cell));
  const middleOf = (values: Float32Array): number =>
    Float32Array.from(inner, (cell) => values[cell]!).sort()[inner.length >> 1]!;
  return {
    ...size,
    red,
    blue,
    brightness,
    ground: [middleOf(red), middleOf(blue), middleOf(brightness)],
    isSeen: (cell) =>
      isSeen(
        left + ((cell % width) + 0.5) * FINGER_CELL,
        top + (Math.floor(cell / width) + 0.5) * FINGER_CELL,
      ),
  };
}

function isInside({ width, height }: Size, cell: number): boolean {
  const [x, y] = [cell % width, Math.floor(cell / width)];
  return x >= AROUND && y >= AROUND && x < width - AROUND && y < height - AROUND;
}

function sidesOf({ width, height }: Size): readonly Side[] {
  const side = (from: number, step: number, count: number, outward: number): Side => ({
    cells: Array.from({ length: count - 2 * AROUND }, (_, k) => from + k * step),
    outward,
  });
  const first = AROUND * width + AROUND;
  const last = (height - AROUND - 1) * width + width - AROUND - 1;
  return [
    side(first, 1, width, -width),
    side(last, -1, width, width),
    side(first, width, height, -1),
    side(last, -width, height, 1),
  ];
}

/** How far two cells differ; `weight` is for brightness. */
const apart = ({ red, blue, brightness }: Grid, a: number, b: number, weight = 1): number =>
  Math.hypot(red[a]! - red[b]!, blue[a]! - blue[b]!, weight * (brightness[a]! - brightness[b]!));

/** True for a cell that the picture shows, and that does not look like the card's ground. */
const isForeign = ({ red, blue, brightness, ground, isSeen }: Grid, cell: number): boolean =>
  Math.hypot(red[cell]! - ground[0], blue[cell]! - ground[1], brightness[cell]! - ground[2]) > FOREIGN &&
  isSeen(cell);

/** A hidden cell, and the one by whose colour its finger is known. */
interface Grown {
  readonly cell: number;
  readonly seed: number;
}

/** Cells of the card's edge across which a finger lies. */
function seedsOn(grid: Grid, sides: readonly Side[]): Grown[] {
  const seeds: Grown[] = [];
  for (const { cells, outward } of sides) {
    let run: Grown[] = [];
    const endRun = (): void => {
      if (run.length >= NARROWEST) seeds.push(...run);
      run = [];
    };
    for (const cell of cells) {
      // The cells on either side of the edge hold a part of it.
      const [within, beyond] = [cell - outward, cell + 2 * outward];
      const goesOn = grid.isSeen(beyond)
        ? apart(grid, within, beyond, 2) < ACROSS
        : // Where nothing beyond is to be seen, only the colour of skin tells a finger from print.
          grid.red[within]! > SKIN.red && grid.blue[within]! < SKIN.blue;
      if (goesOn && isForeign(grid, within) && isForeign(grid, cell)) run.push({ cell, seed: within });
      else endRun();
    }
    endRun();
  }
  return seeds;
}

/** The cells that look like a seed, from neighbour to neighbour. */
function grownFrom(grid: Grid, seeds: readonly Grown[]): Uint8Array {
  const hidden = new Uint8Array(grid.width * grid.height);
  const grown = [...seeds];
  for (const { cell } of seeds) hidden[cell] = 1;
  for (const { cell, seed } of grown) {
    for (const step of [1, -1, grid.width, -grid.width]) {
      const next = cell + step;
      if (hidden[next] === 1 || !isInside(grid, next) || !isForeign(grid, next)) continue;
      if (apart(grid, next, seed) > SAME) continue;
      hidden[next] = 1;
      grown.push({ cell: next, seed });
    }
  }
  return hidden;
}

/** The cells that are reached from the edge without crossing what is hidden: what a finger encloses is its nail. */
function reachedFrom(grid: Grid, hidden: Uint8Array, sides: readonly Side[]): Uint8Array {
  const open = new Uint8Array(hidden.length);
  const reached = sides.flatMap(({ cells }) => cells.filter((cell) => hidden[cell] === 0));
  for (const cell of reached) open[cell] = 1;
  for (const cell of reached) {
    for (const step of [1, -1, grid.width, -grid.width]) {
      const next = cell + step;
      if (open[next] === 1 || hidden[next] === 1 || !isInside(grid, next)) continue;
      open[next] = 1;
      reached.push(next);
    }
  }
  return open;
}
