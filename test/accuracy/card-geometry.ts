import { ID1_RATIO, type Point, type Size } from '../../src/domain/geometry.ts';
import { mapQuad, type Quad } from '../../src/domain/homography.ts';

/*
 * Where a card lies in a picture, and how it is held, worked out apart from the product, which is held against it:
 * homographies, poses before a pin-hole camera, and areas. Cards
 * are measured in units of their own width: x from 0 to 1, y from 0 to `CARD_HEIGHT`.
 */

/** Height of an ID-1 card in its own widths. */
export const CARD_HEIGHT = 1 / ID1_RATIO;

/** Row by row; maps (x, y, 1). */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

/** Focal length of a phone's camera over the frame's long side. */
const FOCAL_LENGTH = 0.9;

/** Focal length in px of a frame. */
const focalLengthOf = ({ width, height }: Size): number => FOCAL_LENGTH * Math.max(width, height);

const minus = (a: Point, b: Point): Point => ({ x: a.x - b.x, y: a.y - b.y });
export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** Where a homography puts a point. */
export function mapPoint([a, b, c, d, e, f, g, h, i]: Homography, { x, y }: Point): Point {
  const depth = g * x + h * y + i;
  return { x: (a * x + b * y + c) / depth, y: (d * x + e * y + f) / depth };
}

/** Maps the unit square, clockwise from its top left, to a quad (Heckbert 1989, section 2.2.2). */
function fromUnitSquare([p, q, r, s]: Quad): Homography {
  const [d1, d2] = [minus(q, r), minus(s, r)];
  const sum = { x: p.x - q.x + r.x - s.x, y: p.y - q.y + r.y - s.y };
  const area = d1.x * d2.y - d2.x * d1.y;
  const g = (sum.x * d2.y - d2.x * sum.y) / area;
  const h = (d1.x * sum.y - sum.x * d1.y) / area;
  return [
    q.x - p.x + g * q.x,
    s.x - p.x + h * s.x,
    p.x,
    q.y - p.y + g * q.y,
    s.y - p.y + h * s.y,
    p.y,
    g,
    h,
    1,
  ];
}

/**
 * Maps points of a flat thing, in its own widths, to the picture in which its corners are `quad`.
 * @param height of the thing in its own widths
 */
export function placing(quad: Quad, height = CARD_HEIGHT): Homography {
  const [a, b, c, d, e, f, g, h, i] = fromUnitSquare(quad);
  return [a, b / height, c, d, e / height, f, g, h / height, i];
}

/** The way back, but for scale. */
export function inverse([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
}

/** How a card is held before the camera. Angles in degrees. */
export interface Pose {
  /** Turn within the picture, clockwise. */
  readonly roll: number;
  /** Turn about the card's short middle line: positive where its right side goes away. */
  readonly yaw: number;
  /** Turn about the card's long middle line: positive where its top goes away. */
  readonly pitch: number;
  /** From the camera to the card's middle along the line of sight, in card widths. */
  readonly depth: number;
  /** Where the card's middle is seen, px of the frame. */
  readonly middle: Point;
}

type Vector = readonly [number, number, number];
const cross = ([a, b, c]: Vector, [d, e, f]: Vector): Vector => [b * f - c * e, c * d - a * f, a * e - b * d];
const scaled = ([a, b, c]: Vector, by: number): Vector => [a * by, b * by, c * by];
const added = ([a, b, c]: Vector, [d, e, f]: Vector): Vector => [a + d, b + e, c + f];
const unit = (v: Vector): Vector => scaled(v, 1 / Math.hypot(...v));
const RADIANS = Math.PI / 180;

/** Directions of the card's x and y axes before the camera: x right, y down, z away. */
function axesOf({ roll, yaw, pitch }: Pick<Pose, 'roll' | 'yaw' | 'pitch'>): {
  readonly across: Vector;
  readonly down: Vector;
} {
  const [cosYaw, sinYaw] = [Math.cos(yaw * RADIANS), Math.sin(yaw * RADIANS)];
  const [cosPitch, sinPitch] = [Math.cos(pitch * RADIANS), Math.sin(pitch * RADIANS)];
  const [cosRoll, sinRoll] = [Math.cos(roll * RADIANS), Math.sin(roll * RADIANS)];
  const rolled = ([x, y, z]: Vector): Vector => [x * cosRoll - y * sinRoll, x * sinRoll + y * cosRoll, z];
  return {
    across: rolled([cosYaw, 0, sinYaw]),
    down: rolled([sinYaw * sinPitch, cosPitch, -cosYaw * sinPitch]),
  };
}

/**
 * The outline of a flat thing that is held like this, px of the frame.
 * @param height of the thing in its own widths
 */
export function outlineOf(pose: Pose, frame: Size, height = CARD_HEIGHT): Quad {
  const focal = focalLengthOf(frame);
  const { across, down } = axesOf(pose);
  const { depth, middle } = pose;
  const centre: Vector = [
    ((middle.x - frame.width / 2) * depth) / focal,
    ((middle.y - frame.height / 2) * depth) / focal,
    depth,
  ];
  const project = ({ x, y }: Point): Point => {
    const [px, py, pz] = added(centre, added(scaled(across, x - 0.5), scaled(down, y - height / 2)));
    return { x: frame.width / 2 + (focal * px) / pz, y: frame.height / 2 + (focal * py) / pz };
  };
  return [
    project({ x: 0, y: 0 }),
    project({ x: 1, y: 0 }),
    project({ x: 1, y: height }),
    project({ x: 0, y: height }),
  ];
}

/** How far a card's outline is from lying straight before the camera, degrees. */
export interface Slant {
  /** Turn of its x axis within the picture, clockwise, -180..180. */
  readonly roll: number;
  /** Between its normal and the optical axis, 0..90. */
  readonly tilt: number;
}

/** The slant of an ID-1 card with this outline, for a camera of the usual focal length. */
export function slantOf(quad: Quad, frame: Size): Slant {
  const focal = focalLengthOf(frame);
  const seen = ({ x, y }: Point): Point => ({
    x: (x - frame.width / 2) / focal,
    y: (y - frame.height / 2) / focal,
  });
  const [p, q, r, s] = quad;
  const [a, b, , d, e, , g, h] = placing([seen(p), seen(q), seen(r), seen(s)]);
  const across = unit([a, d, g]);
  const down = unit([b, e, h]);
  // Both are turned towards each other's right angle by the same amount.
  const sum = unit(added(across, down));
  const difference = unit(added(across, scaled(down, -1)));
  const x = unit(added(sum, difference));
  const y = unit(added(sum, scaled(difference, -1)));
  const [, , normal] = cross(x, y);
  return {
    roll: Math.atan2(x[1], x[0]) / RADIANS,
    tilt: Math.acos(Math.min(1, Math.abs(normal))) / RADIANS,
  };
}

/** Area of a closed outline, square px; positive where it goes round clockwise (y down). */
function areaOf(points: readonly Point[]): number {
  return (
    points.reduce((sum, { x, y }, i) => {
      const next = points[(i + 1) % points.length] ?? { x, y };
      return sum + x * next.y - next.x * y;
    }, 0) / 2
  );
}

/** The part of an outline that lies on the positive side of a line. */
function clipped(points: readonly Point[], side: (point: Point) => number): readonly Point[] {
  return points.flatMap((from, i) => {
    const to = points[(i + 1) % points.length] ?? from;
    const [a, b] = [side(from), side(to)];
    const crossing = (): Point => ({
      x: from.x + ((to.x - from.x) * a) / (a - b),
      y: from.y + ((to.y - from.y) * a) / (a - b),
    });
    return [...(a >= 0 ? [from] : []), ...(a >= 0 !== b >= 0 ? [crossing()] : [])];
  });
}

/** Share of an outline's area that lies inside the frame, 0..1. */
export function visibleShare(quad: Quad, { width, height }: Size): number {
  const sides = [
    ({ x }: Point) => x,
    ({ x }: Point) => width - x,
    ({ y }: Point) => y,
    ({ y }: Point) => height - y,
  ];
  const visible = sides.reduce<readonly Point[]>(clipped, quad);
  return Math.abs(areaOf(visible) / areaOf(quad));
}

/** Mean length of the card's top and bottom side, px. */
export const widthOf = ([p, q, r, s]: Quad): number => (distance(p, q) + distance(s, r)) / 2;

/** The smallest box round an outline: its edges, px. */
export function extentOf(quad: Quad): { left: number; right: number; top: number; bottom: number } {
  const [xs, ys] = [quad.map(({ x }) => x), quad.map(({ y }) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** The same outline, moved. */
export const moved = (quad: Quad, by: Point): Quad =>
  mapQuad(quad, ({ x, y }) => ({ x: x + by.x, y: y + by.y }));

/** The same outline for a card that lies upside-down in it. */
export const turnedRound = ([p, q, r, s]: Quad): Quad => [r, s, p, q];

/** Mean distance of found corners from the true ones, whichever way round they are told, over the card's width. */
export function cornerError(found: Quad, truth: Quad): number {
  const mean = (quad: Quad): number =>
    quad.reduce((sum, point, i) => sum + distance(point, truth[i] ?? point), 0) / quad.length;
  return Math.min(mean(found), mean(turnedRound(found))) / widthOf(truth);
}
