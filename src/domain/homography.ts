import { ID1_RATIO, type Point, type Size } from './geometry.ts';

/*
 * A flat card seen by a camera: where its points lie in the picture, and how it is held.
 */

/** Four corners, px, clockwise from the top left of whatever the context says. */
export type Quad = readonly [Point, Point, Point, Point];

/** The same quadrilateral with every corner moved. */
export const mapQuad = ([p, q, r, s]: Quad, move: (corner: Point) => Point): Quad => [
  move(p),
  move(q),
  move(r),
  move(s),
];

/** The same quadrilateral in a picture so many times as large: corners are told from the middle of the first px on. */
export const enlarged = (corners: Quad, factor: number): Quad => {
  const larger = (place: number): number => (place + 0.5) * factor - 0.5;
  return mapQuad(corners, ({ x, y }) => ({ x: larger(x), y: larger(y) }));
};

/** Mean lengths of the upper and lower, and of the left and right side, px. */
export function sidesOf([p, q, r, s]: Quad): Size {
  const between = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);
  return { width: (between(p, q) + between(s, r)) / 2, height: (between(p, s) + between(q, r)) / 2 };
}

/** A projective map of the plane: (a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1). */
export interface Homography {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
  readonly g: number;
  readonly h: number;
}

/** The map that takes (0, 0), (1, 0), (1, 1), (0, 1) to the corners (Heckbert 1989); null where no such map is sane. */
export function homographyTo([p, q, r, s]: Quad): Homography | null {
  const [ux, uy] = [q.x - r.x, q.y - r.y];
  const [vx, vy] = [s.x - r.x, s.y - r.y];
  const [wx, wy] = [p.x - q.x + r.x - s.x, p.y - q.y + r.y - s.y];
  const area = ux * vy - vx * uy;
  if (Math.abs(area) < 1e-9) return null;
  const g = (wx * vy - vx * wy) / area;
  const h = (ux * wy - wx * uy) / area;
  // Otherwise the horizon runs through the card.
  if (1 + g <= 0 || 1 + h <= 0 || 1 + g + h <= 0) return null;
  return {
    a: q.x - p.x + g * q.x,
    b: s.x - p.x + h * s.x,
    c: p.x,
    d: q.y - p.y + g * q.y,
    e: s.y - p.y + h * s.y,
    f: p.y,
    g,
    h,
  };
}

/** Where a point of the unit square lies in the picture. */
export function project({ a, b, c, d, e, f, g, h }: Homography, { x, y }: Point): Point {
  const w = g * x + h * y + 1;
  return { x: (a * x + b * y + c) / w, y: (d * x + e * y + f) / w };
}

/** Where a patch lies in a picture: the place of its pixel (0, 0), and the steps to the next column and row. */
export interface PatchFrame {
  readonly origin: Point;
  readonly right: Point;
  readonly down: Point;
  /** By how much more everything is divided from column to column (x) and row to row (y), where the patch lies aslant. */
  readonly recede?: Point;
}

/** Where a place of a patch lies in the picture. */
export function placeIn(
  { origin, right, down, recede = { x: 0, y: 0 } }: PatchFrame,
  { x, y }: Point,
): Point {
  const depth = 1 + x * recede.x + y * recede.y;
  return {
    x: (origin.x + x * right.x + y * down.x) / depth,
    y: (origin.y + x * right.y + y * down.y) / depth,
  };
}

/**
 * Where a patch lies that shows a quadrilateral straight.
 * @param size of the quadrilateral in the patch, px
 * @param rim px round it that the patch shows as well
 */
export function frameOf(corners: Quad, { width, height }: Size, rim = 0): PatchFrame | null {
  const map = homographyTo(corners);
  if (map === null) return null;
  const { a, b, c, d, e, f, g, h } = map;
  // The middle of the first px, in parts of the card.
  const [u, v] = [(0.5 - rim) / width, (0.5 - rim) / height];
  const depth = 1 + g * u + h * v;
  return {
    origin: { x: (c + a * u + b * v) / depth, y: (f + d * u + e * v) / depth },
    right: { x: a / width / depth, y: d / width / depth },
    down: { x: b / height / depth, y: e / height / depth },
    recede: { x: g / width / depth, y: h / height / depth },
  };
}

/**
 * Focal length over the long side of the picture. Phones' main cameras see 62 to 80 degrees along it, which is 0.6 to
 * 0.83, and video crops that to 0.75 to 1; webcams have 0.85 and more. Assumed; it matters little for cards that
 * are held nearly straight.
 */
const FOCAL_LENGTH = 0.85;

/** How a rectangle is held before the camera, if these are its corners. */
export interface Pose {
  /** Width over height. */
  readonly ratio: number;
  /** Cosine of the angle between its sides: 0 for a rectangle. */
  readonly skew: number;
  /** Angle between the line of sight and the normal of the card, degrees. */
  readonly tilt: number;
  /** How its upper and lower sides lie in the picture, degrees, positive clockwise, -180..180. */
  readonly roll: number;
}

/** @param frame the whole picture of the camera, whose middle the lens looks at */
export function poseOf(quad: Quad, frame: Size): Pose | null {
  const focal = FOCAL_LENGTH * Math.max(frame.width, frame.height);
  const map = homographyTo(quad);
  if (map === null) return null;
  const [x, y] = [frame.width / 2, frame.height / 2];
  // The sides of the card in the camera's own space, but for one common scale.
  const right = { x: (map.a - x * map.g) / focal, y: (map.d - y * map.g) / focal, z: map.g };
  const down = { x: (map.b - x * map.h) / focal, y: (map.e - y * map.h) / focal, z: map.h };
  const [width, height] = [Math.hypot(right.x, right.y, right.z), Math.hypot(down.x, down.y, down.z)];
  if (width === 0 || height === 0) return null;
  const normal = {
    x: right.y * down.z - right.z * down.y,
    y: right.z * down.x - right.x * down.z,
    z: right.x * down.y - right.y * down.x,
  };
  const middle = project(map, { x: 0.5, y: 0.5 });
  const sight = { x: (middle.x - x) / focal, y: (middle.y - y) / focal, z: 1 };
  const along = normal.x * sight.x + normal.y * sight.y + normal.z * sight.z;
  const cosine = along / (Math.hypot(normal.x, normal.y, normal.z) * Math.hypot(sight.x, sight.y, 1));
  const [p, q, r, s] = quad;
  const degrees = 180 / Math.PI;
  return {
    ratio: width / height,
    skew: (right.x * down.x + right.y * down.y + right.z * down.z) / (width * height),
    tilt: Math.acos(Math.min(1, Math.max(-1, cosine))) * degrees,
    roll: Math.atan2(q.y - p.y + r.y - s.y, q.x - p.x + r.x - s.x) * degrees,
  };
}

/** In the camera's own space, px of the picture being one. */
type Ray = readonly [x: number, y: number, z: number];
const crossProduct = ([a, b, c]: Ray, [d, e, f]: Ray): Ray => [b * f - c * e, c * d - a * f, a * e - b * d];
const dotProduct = ([a, b, c]: Ray, [d, e, f]: Ray): number => a * d + b * e + c * f;

/**
 * The two corners of a card that lie outside of the picture.
 * @param known the ends of the side that is seen, px
 * @param towards a further point of either side that leaves it, px
 * @param ratio length of those sides over the known one's
 * @returns the far ends of those sides, in the same order; null where there are none
 */
export function farCorners(
  known: readonly [Point, Point],
  towards: readonly [Point, Point],
  ratio: number,
  frame: Size,
): readonly [Point, Point] | null {
  const focal = FOCAL_LENGTH * Math.max(frame.width, frame.height);
  const [x, y] = [frame.width / 2, frame.height / 2];
  const rayOf = (point: Point): Ray => [(point.x - x) / focal, (point.y - y) / focal, 1];
  const [a, b] = [rayOf(known[0]), rayOf(known[1])];
  // Both sides lie in planes through the lens, and run as these meet; the known side is at a right angle to them.
  const along = crossProduct(crossProduct(a, rayOf(towards[0])), crossProduct(b, rayOf(towards[1])));
  const across = crossProduct(along, crossProduct(a, b));
  const normal = crossProduct(along, across);
  const [depthA, depthB] = [1 / dotProduct(normal, a), 1 / dotProduct(normal, b)];
  if (!(depthA * depthB > 0)) return null;
  const side = Math.hypot(a[0] * depthA - b[0] * depthB, a[1] * depthA - b[1] * depthB, depthA - depthB);
  const reach = (ratio * side) / Math.hypot(...along);
  const ends = [1, -1].map((sign) =>
    [
      { ray: a, depth: depthA },
      { ray: b, depth: depthB },
    ].map(({ ray, depth }) => {
      const z = depth + sign * reach * along[2];
      return {
        x: x + (focal * (ray[0] * depth + sign * reach * along[0])) / z,
        y: y + (focal * (ray[1] * depth + sign * reach * along[1])) / z,
        isBefore: z * depth > 0,
      };
    }),
  );
  for (const [first, second] of ends) {
    if (!first?.isBefore || !second?.isBefore) continue;
    const [from, to] = [known[0], towards[0]];
    if ((first.x - from.x) * (to.x - from.x) + (first.y - from.y) * (to.y - from.y) > 0)
      return [
        { x: first.x, y: first.y },
        { x: second.x, y: second.y },
      ];
  }
  return null;
}

/** How far a pose is from an ID-1 card's: 0 for its very shape, in natural logarithms of the ratio, skew added. */
export const strangeness = ({ ratio, skew }: Pose): number => Math.hypot(Math.log(ratio / ID1_RATIO), skew);

/** Part of a quadrilateral that lies in a picture, 0..1. */
export function shareInside(quad: Quad, { width, height }: Size): number {
  const edges: readonly ((point: Point) => number)[] = [
    ({ x }) => x,
    ({ x }) => width - x,
    ({ y }) => y,
    ({ y }) => height - y,
  ];
  // Cut off at one edge of the picture after the other (Sutherland and Hodgman 1974).
  const inside = edges.reduce<readonly Point[]>(
    (polygon, depth) =>
      polygon.flatMap((point, i) => {
        const next = polygon[(i + 1) % polygon.length] ?? point;
        const [a, b] = [depth(point), depth(next)];
        const part = a / (a - b);
        const cut = { x: point.x + part * (next.x - point.x), y: point.y + part * (next.y - point.y) };
        return [...(a >= 0 ? [point] : []), ...(a >= 0 !== b >= 0 ? [cut] : [])];
      }),
    quad,
  );
  return areaOf(inside) / areaOf(quad);
}

const areaOf = (polygon: readonly Point[]): number =>
  Math.abs(
    polygon.reduce((sum, a, i) => {
      const b = polygon[(i + 1) % polygon.length] ?? a;
      return sum + a.x * b.y - b.x * a.y;
    }, 0) / 2,
  );
