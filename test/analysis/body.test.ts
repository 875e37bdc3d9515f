import { describe, expect, test } from 'vitest';
import { shoulderSlope } from '../../src/analysis/body.ts';
import type { Plane } from '../../src/analysis/pixels.ts';
import type { Point } from '../../src/domain/geometry.ts';

/*
 * Slopes of drawn people. They are drawn in face widths about the chin, x to the right, y down.
 */

type Shape = (x: number, y: number) => boolean;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const any =
  (...shapes: readonly Shape[]): Shape =>
  (x, y) =>
    shapes.some((shape) => shape(x, y));
const mirrored =
  (shape: Shape): Shape =>
  (x, y) =>
    shape(-x, y);
const box =
  (fromX: number, toX: number, fromY: number, toY: number): Shape =>
  (x, y) =>
    x >= fromX && x <= toX && y >= fromY && y <= toY;

const head: Shape = (x, y) => Math.hypot(x / 0.55, (y + 0.65) / 0.75) < 1;
const neck = box(-0.3, 0.3, -0.3, 0.6);
/** Shoulders that fall by 18 degrees to either side, and lean about the neck. */
const body =
  (lean: number): Shape =>
  (x, y) => {
    const [cos, sin] = [Math.cos(radians(lean)), Math.sin(radians(lean))];
    const along = cos * x + sin * (y - 0.2);
    const down = cos * (y - 0.2) - sin * x;
    return Math.abs(along) < 1.5 && down > Math.tan(radians(18)) * Math.abs(along);
  };
const person = (lean: number): Shape => any(head, neck, body(lean));

interface Drawing {
  readonly faceWidth: number;
  /** What the frame shows below the chin, face widths. */
  readonly below: number;
}

/** A frame that is five face widths wide. */
function draw(
  shape: Shape,
  { faceWidth, below }: Drawing = { faceWidth: 50, below: 2 },
): [mask: Plane, chin: Point, faceWidth: number] {
  const width = 5 * faceWidth;
  const height = Math.round((1.8 + below) * faceWidth);
  const chin = { x: width / 2, y: 1.8 * faceWidth };
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data[y * width + x] = shape((x - chin.x) / faceWidth, (y - chin.y) / faceWidth) ? 0.97 : 0.02;
  return [{ data, width, height }, chin, faceWidth];
}
const slopeOf = (shape: Shape, drawing?: Drawing): number | null => shoulderSlope(...draw(shape, drawing));

describe('the slope of shoulders', () => {
  const LEANS = [-24, -18, -12, -6, 0, 6, 12, 18, 24];
  test.each(LEANS)('is measured in degrees, clockwise: %d', (lean) => {
    const slope = slopeOf(person(lean));
    expect(slope).toBeGreaterThan(lean - 4);
    expect(slope).toBeLessThan(lean + 4);
  });

  test.each([16, 25, 80])('does not hang on the size of the mask: %d px a face', (faceWidth) => {
    const slope = slopeOf(person(14), { faceWidth, below: 2 });
    expect(slope).toBeGreaterThan(11);
    expect(slope).toBeLessThan(18);
  });

  test.each(LEANS)('is the opposite in the mirror: %d', (lean) => {
    const sum = (slopeOf(person(lean)) ?? NaN) + (slopeOf(mirrored(person(lean))) ?? NaN);
    expect(Math.abs(sum)).toBeLessThan(1.5);
  });

  test.each([-20, 20])('is told where the lower shoulder has left the frame: %d', (lean) => {
    const slope = slopeOf(person(lean), { faceWidth: 50, below: 0.7 });
    expect(Math.sign(slope ?? 0)).toBe(Math.sign(lean));
    expect(Math.abs(slope ?? 0)).toBeGreaterThan(12);
    expect(Math.abs(slope ?? 0)).toBeLessThan(25);
  });
});

describe('what is no slope', () => {
  const level: readonly [name: string, shape: Shape][] = [
    ['long hair on both sides', any(person(0), box(-0.85, 0.85, -1, 0.7))],
    ['long hair over one shoulder', any(person(0), box(0.3, 0.9, -1, 0.9))],
    ['a hand held up beside the face', any(person(0), box(0.75, 1.05, -1.1, 0.6))],
    ['a strand of hair in the air', any(person(0), box(0.7, 0.72, -0.6, 0.1))],
    ['a hand at the border of the frame', any(person(0), box(1.6, 2.4, -0.4, 0.4))],
  ];
  test.each(level)('%s', (_, shape) => {
    expect(Math.abs(slopeOf(shape) ?? NaN)).toBeLessThan(5);
    expect(Math.abs(slopeOf(mirrored(shape)) ?? NaN)).toBeLessThan(5);
  });
});

describe('no shoulders', () => {
  const lifted: Shape = (x, y) => x > 0.55 && x < 1.5 && y > 0.35 - 1.6 * (x - 0.55) && y < 0.6;
  /** A cloth that falls from the head to the ground. */
  const tent: Shape = (x, y) => y > -1.6 && Math.abs(x) < 0.6 + 0.35 * (y + 1.6);
  const unseen: readonly [name: string, shape: Shape, drawing?: Drawing][] = [
    ['a head alone', any(head, neck)],
    ['nobody', () => false],
    ['nothing but the person', () => true],
    ['a face that fills the frame', person(20), { faceWidth: 50, below: 0.1 }],
    ['an arm lifted to the side', any(person(0), lifted)],
    ['a cloth from head to hip', tent],
  ];
  test.each(unseen)('%s', (_, shape, drawing) => {
    expect(slopeOf(shape, drawing)).toBeNull();
    expect(slopeOf(mirrored(shape), drawing)).toBeNull();
  });
});
