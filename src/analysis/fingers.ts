/* eslint-disable @typescript-eslint/no-non-null-assertion -- loops over cells read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box } from '../domain/geometry.ts';
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

/** Colour of a cell: log ratios of red and blue to green, and brightness. */
interface Colours {
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly w: Float32Array;
  readonly width: number;
  readonly height: number;
}

function coloursOf(
  { data, width }: Pixels,
  left: number,
  top: number,
  across: number,
  down: number,
): Colours {
  const [u, v, w] = [
    new Float32Array(across * down),
    new Float32Array(across * down),
    new Float32Array(across * down),
  ];
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      let [r, g, b] = [0, 0, 0];
      for (let y = 0; y < FINGER_CELL; y++) {
        let i = 4 * ((top + row * FINGER_CELL + y) * width + left + column * FINGER_CELL);
        for (let x = 0; x < FINGER_CELL; x++, i += 4) {
          r += data[i]!;
          g += data[i + 1]!;
          b += data[i + 2]!;
        }
      }
      const count = FINGER_CELL * FINGER_CELL;
      const at = row * across + column;
      [u[at], v[at], w[at]] = tintOf(r / count, g / count, b / count);
    }
  }
  return { u, v, w, width: across, height: down };
}

const distance = ({ u, v, w }: Colours, i: number, [a, b, c]: Tint): number =>
  Math.hypot(u[i]! - a, v[i]! - b, w[i]! - c);

/** How far two cells differ; `weight` is for brightness. */
const between = ({ u, v, w }: Colours, i: number, k: number, weight = 1): number =>
  Math.hypot(u[i]! - u[k]!, v[i]! - v[k]!, weight * (w[i]! - w[k]!));

const medianOf = (values: Float32Array): number => values.toSorted()[values.length >> 1]!;

/**
 * Which cells of a straightened card something lies over.
 * @param card where the card is in the patch; there are at least two cells round it
 * @param isSeen whether the picture showed a place of the patch
 */
export function hiddenOn(patch: Pixels, card: Box, isSeen: (x: number, y: number) => boolean): Hidden {
  const rim = 2;
  const across = Math.floor(card.width / FINGER_CELL) + 2 * rim;
  const down = Math.floor(card.height / FINGER_CELL) + 2 * rim;
  const colours = coloursOf(patch, card.x - rim * FINGER_CELL, card.y - rim * FINGER_CELL, across, down);
  const inner: number[] = [];
  for (let row = rim; row < down - rim; row++)
    for (let column = rim; column < across - rim; column++) inner.push(row * across + column);
  const ground = (['u', 'v', 'w'] as const).map((name) =>
    medianOf(Float32Array.from(inner, (i) => colours[name][i]!)),
  ) as [number, number, number];
  const isInside = (i: number): boolean => {
    const [x, y] = [i % across, Math.floor(i / across)];
    return x >= rim && y >= rim && x < across - rim && y < down - rim;
  };
  const seen = (i: number): boolean =>
    isSeen(
      card.x + ((i % across) - rim + 0.5) * FINGER_CELL,
      card.y + (Math.floor(i / across) - rim + 0.5) * FINGER_CELL,
    );
  const isForeign = (i: number): boolean => distance(colours, i, ground) > FOREIGN && seen(i);
  // Where nothing beyond the edge is to be seen, only the colour of skin tells a finger from print.
  const isSkin = (i: number): boolean => colours.u[i]! > SKIN.red && colours.v[i]! < SKIN.blue;
  // Along each side: the second cell inside against the second one outside; the first ones hold the edge itself.
  const sides: { from: number; step: number; outward: number; count: number }[] = [
    { from: rim * across + rim, step: 1, outward: -across, count: across - 2 * rim },
    { from: (down - rim - 1) * across + rim, step: 1, outward: across, count: across - 2 * rim },
    { from: rim * across + rim, step: across, outward: -1, count: down - 2 * rim },
    { from: rim * across + across - rim - 1, step: across, outward: 1, count: down - 2 * rim },
  ];
  const hidden = new Uint8Array(across * down);
  const queue: { at: number; seed: number }[] = [];
  for (const { from, step, outward, count } of sides) {
    let run: number[] = [];
    for (let k = 0; k <= count; k++) {
      const at = from + k * step;
      const goesOn =
        k < count &&
        isForeign(at - outward) &&
        isForeign(at) &&
        (seen(at + 2 * outward)
          ? between(colours, at - outward, at + 2 * outward, 2) < ACROSS
          : isSkin(at - outward));
      if (goesOn) run.push(at);
      else {
        if (run.length >= NARROWEST) for (const one of run) queue.push({ at: one, seed: one - outward });
        run = [];
      }
    }
  }
  for (const { at } of queue) hidden[at] = 1;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const step of [1, -1, across, -across]) {
      const at = next.at + step;
      if (hidden[at] === 1 || !isInside(at) || !isForeign(at)) continue;
      if (between(colours, at, next.seed) > SAME) continue;
      hidden[at] = 1;
      queue.push({ at, seed: next.seed });
    }
  }
  // What a finger encloses is its nail.
  const open = new Uint8Array(across * down);
  const edge = sides.flatMap(({ from, step, count }) =>
    Array.from({ length: count }, (_, k) => from + k * step),
  );
  const free = edge.filter((at) => hidden[at] === 0);
  for (const at of free) open[at] = 1;
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    for (const step of [1, -1, across, -across]) {
      const at = next + step;
      if (open[at] === 1 || hidden[at] === 1 || !isInside(at)) continue;
      open[at] = 1;
      free.push(at);
    }
  }
  for (const at of inner) hidden[at] = open[at] === 1 ? 0 : 1;
  const width = across - 2 * rim;
  const height = down - 2 * rim;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data[y * width + x] = hidden[(y + rim) * across + x + rim]!;
  return { data, width, height };
}
