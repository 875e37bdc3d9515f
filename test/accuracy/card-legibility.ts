/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves */
import { lumaOf } from '../../src/analysis/pixels.ts';
import {
  type Box,
  boxRound,
  cornersOf,
  guideInPicture,
  ID1_RATIO,
  type Point,
  type Size,
} from '../../src/domain/geometry.ts';
import { mapQuad, type Quad, sidesOf } from '../../src/domain/homography.ts';
import type { PhotoLimits } from '../../src/domain/limits.ts';
import { cropOf, straightenedCrop } from '../../src/domain/photo.ts';
import { mapPoint, placing } from './card-geometry.ts';
import { CARD_PIXELS, NUMBER_PRINT, type Specimen } from './card-specimen.ts';

/*
 * Whether the NIK on a photo of a specimen can be read: an OCR that knows the card's print and layout, but not its
 * number, and the structural similarity of the digits to the drawing.
 */

/** What was read of a specimen's number. */
export interface NikReading {
  /** All 16 digits, and all of them right. */
  readonly read: boolean;
  /** What was read, `?` for a digit that could not be told. */
  readonly digits: string;
  /** Structural similarity of the digits to those of the drawing, -1..1: 1 where they are the same. */
  readonly similarity: number;
}

type Pixels = Pick<ImageData, 'data' | 'width' | 'height'>;

/** Luma, row by row. */
interface Luma extends Size {
  readonly data: Float32Array<ArrayBuffer>;
}

/** Digits of a NIK. */
const DIGITS = 16;
/** The card's width while it is read, px: digits are 17 px wide, and 21 high. */
const READING_WIDTH = (3 / 8) * CARD_PIXELS.width;
/** One digit's cell: from the base line up, and below it, over the size of the type. Digits are 0.73 high. */
const ABOVE = 0.86;
const BELOW = 0.13;
const TYPE_SIZE = Number(/(\d+)px/.exec(NUMBER_PRINT.font)?.[1]) / CARD_PIXELS.width;
/** Digits and their line are looked for in steps of so many px first. */
const STEP = 2;
/** How far from its place the line is looked for, steps: 3 % of the card, more than a digit's width. */
const REACH = 10;
/** How much farther its end may be off than its beginning: the line is longer, or lies askew, steps. */
const ASKEW = 4;
/** How far a digit may be from the line that all of them make, px: a step, and a px of its own. */
const LOOSE = 3;
/** What is looked at round a cell, px. */
const RIM = REACH * STEP + LOOSE;

/**
 * A digit that looks less than this like what it is read as, or that looks nearly as much like another one, is not
 * read: whoever does not know the print could not tell it.
 */
const LEAST_LIKENESS = 0.7;
const LEAST_LEAD = 0.05;

/** Where a card lies in its photo, px of it. */
export function cardInPhoto(corners: Quad, frame: Size, limits: PhotoLimits, photo: Size): Quad {
  const straightened = straightenedCrop(corners, frame, limits);
  if (straightened !== null) {
    const scale = photo.width / straightened.width;
    const { width } = sidesOf(corners);
    const [w, h] = [width * scale, (width / ID1_RATIO) * scale];
    return cornersOf({ x: (photo.width - w) / 2, y: (photo.height - h) / 2, width: w, height: h });
  }
  const crop = cropOf(
    'ktp',
    frame,
    boxRound([...cornersOf(guideInPicture('ktp', frame)), ...corners]),
    limits,
  );
  if (crop === null) throw new Error('the frame is too small for a photo');
  const scale = photo.width / crop.width;
  return mapQuad(corners, ({ x, y }) => ({ x: (x + 0.5 - crop.x) * scale, y: (y + 0.5 - crop.y) * scale }));
}

/** Reads numbers; draws the digits that it knows once. */
export interface NikReader {
  /**
   * @param photo with the card upright
   * @param card where the card lies in it, px from the photo's edges
   */
  read(photo: Pixels, card: Quad, original: Specimen): NikReading;
}

export function createNikReader(): NikReader {
  const canvas = new OffscreenCanvas(CARD_PIXELS.width, CARD_PIXELS.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  context.font = NUMBER_PRINT.font;
  const pitch =
    Math.min(NUMBER_PRINT.width, context.measureText('0'.repeat(DIGITS)).width) / DIGITS / CARD_PIXELS.width;
  const cells = Array.from({ length: DIGITS }, (_, i) => cellAt(i, pitch));
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#000';
  context.fillText('0123456789'.padEnd(DIGITS, '0'), NUMBER_PRINT.x, NUMBER_PRINT.y, NUMBER_PRINT.width);
  const print = pixelsOf(canvas);
  const known = cells.slice(0, 10).map((cell) => normalised(sampled(print, WHOLE, cell, 0)));
  return {
    read(photo, card, { drawing, nik }) {
      const seen = cells.map((cell) => sampled(photo, card, cell, RIM));
      const line = lineThrough(seen, known);
      const found = seen.map((patch, i) => digitNear(line[i]!, patch, known));
      const digits = found.map(({ digit }) => digit ?? '?').join('');
      const drawn = pixelsOf(drawing);
      const truth = joined(cells.map((cell) => sampled(drawn, WHOLE, cell, 0)));
      const shown = joined(seen.map((patch, i) => cutOut(patch, found[i]!.shift, known[0]!)));
      return { read: digits === nik, digits, similarity: similarityOf(exposedLike(shown, truth), truth) };
    },
  };
}

/** A drawing that is nothing but the card. */
const WHOLE: Quad = cornersOf({ x: 0, y: 0, ...CARD_PIXELS });

function pixelsOf(canvas: OffscreenCanvas): Pixels {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Where digit `i` stands, in widths of the card. */
const cellAt = (i: number, pitch: number): Box => ({
  x: NUMBER_PRINT.x / CARD_PIXELS.width + i * pitch,
  y: NUMBER_PRINT.y / CARD_PIXELS.width - ABOVE * TYPE_SIZE,
  width: pitch,
  height: (ABOVE + BELOW) * TYPE_SIZE,
});

/** Samples along each side of a pixel that is read. */
const SAMPLES = 3;

/** Part of a card, at the size at which it is read, with `rim` px round it. */
function sampled(picture: Pixels, card: Quad, { x, y, width, height }: Box, rim: number): Luma {
  const place = placing(card);
  const size = {
    width: Math.round(width * READING_WIDTH) + 2 * rim,
    height: Math.round(height * READING_WIDTH) + 2 * rim,
  };
  const data = new Float32Array(size.width * size.height);
  for (let row = 0, i = 0; row < size.height; row++)
    for (let column = 0; column < size.width; column++, i++)
      for (let sample = 0; sample < SAMPLES ** 2; sample++) {
        const across = column - rim + ((sample % SAMPLES) + 0.5) / SAMPLES;
        const down = row - rim + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
        const point = mapPoint(place, { x: x + across / READING_WIDTH, y: y + down / READING_WIDTH });
        data[i]! += lumaAt(picture, point) / SAMPLES ** 2;
      }
  return { data, ...size };
}

/** Between the middles of the four pixels round a point. */
function lumaAt({ data, width, height }: Pixels, { x, y }: Point): number {
  const across = Math.min(width - 1.001, Math.max(0, x - 0.5));
  const down = Math.min(height - 1.001, Math.max(0, y - 0.5));
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [fx, fy] = [across - left, down - top];
  const at = (i: number): number => lumaOf(data[i]!, data[i + 1]!, data[i + 2]!);
  const i = 4 * (top * width + left);
  const j = i + 4 * width;
  return (1 - fy) * ((1 - fx) * at(i) + fx * at(i + 4)) + fy * ((1 - fx) * at(j) + fx * at(j + 4));
}

/** With a mean of 0 and a sum of squares of 1. */
function normalised({ data, ...size }: Luma): Luma {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const length = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return { data: data.map((value) => (value - mean) / length), ...size };
}

/** How much a cell at this shift looks like each digit: normalised cross-correlation, -1..1. */
function likenesses(patch: Luma, shift: Point, known: readonly Luma[]): readonly number[] {
  const { width, height } = known[0]!;
  const first = (RIM + shift.y) * patch.width + RIM + shift.x;
  let [sum, squares] = [0, 0];
  for (let row = 0; row < height; row++)
    for (let i = first + row * patch.width; i < first + row * patch.width + width; i++) {
      const value = patch.data[i]!;
      sum += value;
      squares += value * value;
    }
  const length = Math.sqrt(Math.max(1e-6, squares - (sum * sum) / (width * height)));
  return known.map(({ data }) => {
    let product = 0;
    for (let row = 0, j = 0; row < height; row++)
      for (let i = first + row * patch.width; j < (row + 1) * width; i++, j++)
        product += patch.data[i]! * data[j]!;
    return product / length;
  });
}

/** A cell out of a patch that has a rim round it. */
function cutOut(patch: Luma, shift: Point, { width, height }: Size): Luma {
  const data = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (row + RIM + shift.y) * patch.width + RIM + shift.x;
    data.set(patch.data.subarray(from, from + width), row * width);
  }
  return { data, width, height };
}

/** The straight line on which all cells together look most like digits, whichever: the shift of each, px. */
function lineThrough(cells: readonly Luma[], known: readonly Luma[]): readonly Point[] {
  const steps = Array.from({ length: 2 * REACH + 1 }, (_, i) => i - REACH);
  const best = cells.map((patch) =>
    steps.map((y) => steps.map((x) => Math.max(...likenesses(patch, { x: x * STEP, y: y * STEP }, known)))),
  );
  const turns = steps.filter((step) => Math.abs(step) <= ASKEW);
  const isWithin = (step: number): boolean => Math.abs(step) <= REACH;
  const along = (from: number, more: number, i: number): number =>
    from + Math.round((more * i) / (cells.length - 1));
  let found = { score: -Infinity, shifts: cells.map(() => ({ x: 0, y: 0 })) };
  for (const x of steps)
    for (const y of steps)
      for (const stretch of turns)
        for (const slope of turns) {
          if (!isWithin(x + stretch) || !isWithin(y + slope)) continue;
          const likely = best.map(
            (rows, i) => rows[along(y, slope, i) + REACH]![along(x, stretch, i) + REACH]!,
          );
          // The least counts as much as the mean: a line that begins a digit too late has 15 that fit as well.
          const score = Math.min(...likely) + likely.reduce((sum, one) => sum + one, 0) / likely.length;
          if (score <= found.score) continue;
          const shifts = cells.map((_, i) => ({
            x: along(x, stretch, i) * STEP,
            y: along(y, slope, i) * STEP,
          }));
          found = { score, shifts };
        }
  return found.shifts;
}

/** Where near a shift a digit stands, and which: null where it cannot be told. */
function digitNear(
  near: Point,
  patch: Luma,
  known: readonly Luma[],
): { readonly digit: number | null; readonly shift: Point } {
  const best = known.map((_, digit) => ({ digit, likeness: -1, shift: near }));
  for (let y = near.y - LOOSE; y <= near.y + LOOSE; y++)
    for (let x = near.x - LOOSE; x <= near.x + LOOSE; x++)
      likenesses(patch, { x, y }, known).forEach((likeness, digit) => {
        if (likeness > best[digit]!.likeness) best[digit] = { digit, likeness, shift: { x, y } };
      });
  const [first, second] = best.sort((a, b) => b.likeness - a.likeness);
  const { digit, likeness, shift } = first!;
  const isClear = likeness >= LEAST_LIKENESS && likeness - second!.likeness >= LEAST_LEAD;
  return { digit: isClear ? digit : null, shift };
}

/** Cells side by side. */
function joined(cells: readonly Luma[]): Luma {
  const { width, height } = cells[0]!;
  const data = new Float32Array(cells.length * width * height);
  cells.forEach((cell, i) => {
    for (let row = 0; row < height; row++)
      data.set(cell.data.subarray(row * width, (row + 1) * width), (row * cells.length + i) * width);
  });
  return { data, width: cells.length * width, height };
}

/** With the other's mean and contrast: how a photo is exposed says nothing about how it can be read. */
function exposedLike(line: Luma, { data }: Luma): Luma {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const length = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return { ...line, data: normalised(line).data.map((value) => value * length + mean) };
}

/** Side of the window, px, and its constants, as in Wang et al. 2004, with even weights. */
const WINDOW = 8;
const [C1, C2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];

/** Mean structural similarity. */
function similarityOf(a: Luma, b: Luma): number {
  let [sum, windows] = [0, 0];
  for (let top = 0; top + WINDOW <= a.height; top++)
    for (let left = 0; left + WINDOW <= a.width; left++) {
      let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
      for (let row = top; row < top + WINDOW; row++)
        for (let i = row * a.width + left; i < row * a.width + left + WINDOW; i++) {
          const [p, q] = [a.data[i]!, b.data[i]!];
          sumA += p;
          sumB += q;
          squaresA += p * p;
          squaresB += q * q;
          products += p * q;
        }
      const [meanA, meanB] = [sumA / WINDOW ** 2, sumB / WINDOW ** 2];
      const shared = products / WINDOW ** 2 - meanA * meanB;
      const spread = (squaresA + squaresB) / WINDOW ** 2 - meanA ** 2 - meanB ** 2;
      sum +=
        ((2 * meanA * meanB + C1) * (2 * shared + C2)) / ((meanA ** 2 + meanB ** 2 + C1) * (spread + C2));
      windows++;
    }
  return sum / windows;
}
