import { describe, expect, test } from 'vitest';
import { cornersOf } from '../../src/domain/geometry.ts';
import type { Quad } from '../../src/domain/homography.ts';
import { CARD_HEIGHT } from '../accuracy/card-geometry.ts';
import { createNikReader, type NikReading } from '../accuracy/card-legibility.ts';
import { drawSpecimen, KTP_REGIONS } from '../accuracy/card-specimen.ts';
import { hashOf, randomFrom } from '../accuracy/score.ts';

/** What became of a specimen in a photo. Lengths are widths of the card. */
interface Taken {
  /** px of the photo. */
  readonly width: number;
  /** Sigma. */
  readonly blur?: number;
  /** Way to the right while the shutter was open. */
  readonly smear?: number;
  /** A thing over the number, as wide as this. */
  readonly cover?: number;
  /** How far off the corners are told, in directions from a seed. */
  readonly off?: number;
}

const reader = createNikReader();
/** Table round the card, in its widths. */
const MARGIN = 0.06;
const COPIES = 24;

function photoOf(drawing: OffscreenCanvas, { width, blur = 0, smear = 0, cover = 0 }: Taken): ImageData {
  const rim = MARGIN * width;
  const canvas = new OffscreenCanvas(Math.round(width + 2 * rim), Math.round(width * CARD_HEIGHT + 2 * rim));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  context.fillStyle = '#7a6248';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.filter = blur > 0 ? `blur(${blur * width}px)` : 'none';
  const copies = smear > 0 ? COPIES : 1;
  for (let copy = 0; copy < copies; copy++) {
    // So that all of them weigh the same in the end.
    context.globalAlpha = 1 / (copy + 1);
    const along = smear * width * (copy / copies - 0.5);
    context.drawImage(drawing, rim + along, rim, width, width * CARD_HEIGHT);
  }
  const { x, y, height } = KTP_REGIONS.number;
  context.globalAlpha = 1;
  context.fillStyle = '#c69272';
  context.fillRect(rim + (x + 0.2) * width, rim + y * width, cover * width, height * width);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function cornersTold({ width, off = 0 }: Taken, random: () => number): Quad {
  const rim = MARGIN * width;
  const [p, q, r, s] = cornersOf({ x: rim, y: rim, width, height: width * CARD_HEIGHT });
  const moved = ({ x, y }: { readonly x: number; readonly y: number }): { x: number; y: number } => {
    const angle = 2 * Math.PI * random();
    return { x: x + off * width * Math.cos(angle), y: y + off * width * Math.sin(angle) };
  };
  return [moved(p), moved(q), moved(r), moved(s)];
}

function readingsOf(taken: Taken, specimens = 3): readonly NikReading[] {
  const random = randomFrom(hashOf(JSON.stringify(taken)));
  return Array.from({ length: specimens }, () => {
    const specimen = drawSpecimen(Math.floor(1000 * random()), null);
    return reader.read(photoOf(specimen.drawing, taken), cornersTold(taken, random), specimen);
  });
}

describe('the number on a photo of a specimen', () => {
  test.each<Taken>([
    { width: 1600 },
    { width: 950 },
    { width: 640 },
    { width: 950, blur: 0.002 },
    { width: 1600, blur: 0.002 },
    { width: 950, smear: 0.006 },
    { width: 950, off: 0.008 },
  ])('is read: %o', (taken) => {
    for (const { read, digits } of readingsOf(taken)) expect(read, digits).toBe(true);
  });

  test.each<Taken>([
    // Half of a digit's width, and a quarter.
    { width: 1600, blur: 0.0134 },
    { width: 950, blur: 0.0134 },
    { width: 950, blur: 0.0067 },
    // As far as from one digit to the next.
    { width: 950, smear: 0.027 },
    // Digits three px wide.
    { width: 120 },
    { width: 950, cover: 0.03 },
    // Corners of something else.
    { width: 950, off: 0.08 },
  ])('is not: %o', (taken) => {
    for (const { read, digits } of readingsOf(taken)) expect(read, digits).toBe(false);
  });

  test('is read as it is printed, whatever number is expected', () => {
    const { drawing, nik } = drawSpecimen(7, null);
    const taken = { width: 950 };
    const told = cornersTold(taken, () => 0);
    const photo = photoOf(drawing, taken);
    for (let i = 0; i < nik.length; i++) {
      const other = `${nik.slice(0, i)}${(Number(nik[i]) + 1) % 10}${nik.slice(i + 1)}`;
      const reading = reader.read(photo, told, { drawing, nik: other });
      expect(reading).toMatchObject({ read: false, digits: nik });
    }
  });

  test('is the less like the drawing, the more it is blurred', () => {
    const similarities = [0, 0.001, 0.002, 0.004, 0.008].map(
      (blur) => readingsOf({ width: 1712, blur }, 1)[0]?.similarity ?? 0,
    );
    expect(similarities[0]).toBeGreaterThan(0.99);
    expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
    expect(similarities.at(-1)).toBeLessThan(0.4);
  });
});
