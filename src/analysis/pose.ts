/* eslint-disable @typescript-eslint/no-non-null-assertion -- rows and columns of 4, and landmarks of a list that is complete; a fallback at every read would hide a wrong index */
import type { Size } from '../domain/geometry.ts';
import type { Face, Landmark } from '../domain/observation.ts';

/*
 * How the head is held, from the landmarks: MediaPipe's canonical face is laid over them as a camera would see it. The
 * runtime could tell the same, but makes a mesh and two messages on the way: a twelfth of what a frame costs.
 */

/** Degrees, as `Face` has them. */
export type HeadPose = { readonly [Angle in 'yaw' | 'pitch' | 'roll']: NonNullable<Face[Angle]> };

/** A point or a direction in space: x to the right of the picture, y up, z towards the viewer. */
interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** A landmark that hardly moves with expressions, what it counts for, and where the canonical face has it, cm. */
interface Mark extends Vector {
  readonly landmark: number;
  readonly weight: number;
}

/**
 * The numbers of the person's right and left mark, the weight of each, and where the left one lies; one in the middle is
 * both. From `geometry_pipeline_metadata_landmarks.binarypb` of MediaPipe (Apache-2.0).
 */
const PAIRS = [
  [4, 4, 0.03545, 0, -0.463, 7.587],
  [6, 6, 0.01605, 0, 2.473, 5.789],
  [10, 10, 0.0042, 0, 8.262, 4.482],
  [33, 263, 0.0587, 4.446, 2.664, 3.173],
  [54, 284, 0.0077, 6.279, 6.615, 1.426],
  [67, 297, 0.0091, 3.524, 8.006, 3.729],
  [117, 346, 0.0098, 5.259, 0.946, 2.974],
  [119, 348, 0.0146, 3.301, 0.862, 3.873],
  [121, 350, 0.0186, 1.821, 1.468, 4.224],
  [127, 356, 0.0052, 7.743, 2.365, -2.005],
  [129, 358, 0.1206, 1.786, -0.978, 4.85],
  [132, 361, 0.0056, 7.271, -2.891, -2.252],
  [133, 362, 0.0533, 1.856, 2.585, 3.758],
  [136, 365, 0.0669, 5.085, -7.179, 0.715],
  [143, 372, 0.0148, 6.408, 2.236, 1.561],
  [147, 376, 0.0143, 6.235, -1.944, 1.664],
  [198, 420, 0.0255, 1.247, 0.23, 5.681],
  [205, 425, 0.0473, 3.833, -1.537, 4.138],
] as const;

/** The marks of the canonical face. */
export const MARKS: readonly Mark[] = PAIRS.flatMap(([right, left, weight, x, y, z]) => [
  { landmark: right, weight, x: -x, y, z },
  { landmark: left, weight, x, y, z },
]);

/** The middle of the marks, or of what lies at each of them. */
function middleOf(points: readonly Vector[]): Vector {
  let [x, y, z, sum] = [0, 0, 0, 0];
  MARKS.forEach(({ weight }, i) => {
    const point = points[i]!;
    x += weight * point.x;
    y += weight * point.y;
    z += weight * point.z;
    sum += weight;
  });
  return { x: x / sum, y: y / sum, z: z / sum };
}

const MIDDLE = middleOf(MARKS);
const CENTRED: readonly Mark[] = MARKS.map((mark) => ({
  ...mark,
  x: mark.x - MIDDLE.x,
  y: mark.y - MIDDLE.y,
  z: mark.z - MIDDLE.z,
}));
/** How far the marks lie from their middle: the sum of the weighed squares. */
const SPREAD = CENTRED.reduce((sum, { weight, x, y, z }) => sum + weight * (x * x + y * y + z * z), 0);

/** A face that was turned, scaled and moved: its three axes, of length 1, its scale, and where its origin came to lie. */
interface Laid {
  readonly across: Vector;
  readonly ahead: Vector;
  readonly scale: number;
  readonly origin: Vector;
}

/**
 * Turns, scales and moves the canonical face so that its marks come nearest to some points (weighted least squares; the
 * rotation as a quaternion, after Horn 1987).
 */
function layOver(points: readonly Vector[]): Laid {
  const middle = middleOf(points);
  // How the marks' coordinates go with those of the points.
  let [xx, xy, xz, yx, yy, yz, zx, zy, zz] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  CENTRED.forEach(({ weight, x, y, z }, i) => {
    const point = points[i]!;
    xx += weight * x * point.x;
    xy += weight * x * point.y;
    xz += weight * x * point.z;
    yx += weight * y * point.x;
    yy += weight * y * point.y;
    yz += weight * y * point.z;
    zx += weight * z * point.x;
    zy += weight * z * point.y;
    zz += weight * z * point.z;
  });
  const [w = 1, i = 0, j = 0, k = 0] = mainAxis([
    ...[xx + yy + zz, yz - zy, zx - xz, xy - yx],
    ...[yz - zy, xx - yy - zz, xy + yx, zx + xz],
    ...[zx - xz, xy + yx, yy - xx - zz, yz + zy],
    ...[xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
  const across = { x: 1 - 2 * (j * j + k * k), y: 2 * (i * j + w * k), z: 2 * (i * k - w * j) };
  const up = { x: 2 * (i * j - w * k), y: 1 - 2 * (i * i + k * k), z: 2 * (j * k + w * i) };
  const ahead = { x: 2 * (i * k + w * j), y: 2 * (j * k - w * i), z: 1 - 2 * (i * i + j * j) };
  const along =
    xx * across.x +
    xy * across.y +
    xz * across.z +
    yx * up.x +
    yy * up.y +
    yz * up.z +
    zx * ahead.x +
    zy * ahead.y +
    zz * ahead.z;
  const scale = along / SPREAD;
  const from = (axis: 'x' | 'y' | 'z'): number =>
    middle[axis] - scale * (MIDDLE.x * across[axis] + MIDDLE.y * up[axis] + MIDDLE.z * ahead[axis]);
  return { across, ahead, scale, origin: { x: from('x'), y: from('y'), z: from('z') } };
}

/** So often squared, what is longer by a hundredth is longer by seventeen digits. */
const SQUARINGS = 12;

/** The direction, of length 1, in which a symmetric 4 x 4 matrix stretches most. */
function mainAxis(matrix: readonly number[]): Float64Array {
  let power = Float64Array.from(matrix);
  // Shifted, so that none is stretched backwards.
  const shift = Math.hypot(...matrix);
  for (let i = 0; i < 16; i += 5) power[i]! += shift;
  let next = new Float64Array(16);
  for (let round = 0; round < SQUARINGS; round++) {
    // As long as before, or it would grow beyond all numbers.
    const share = 1 / (power[0]! + power[5]! + power[10]! + power[15]!) ** 2;
    for (let to = 0; to < 16; to++) {
      const row = to & 12;
      const column = 4 * (to & 3);
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += power[row + k]! * power[column + k]!;
      next[to] = share * sum;
    }
    [power, next] = [next, power];
  }
  // All rows are multiples of the one that is looked for, the longest of them where the diagonal is greatest.
  let longest = 0;
  for (let i = 5; i < 16; i += 5) if (power[i]! > power[longest]!) longest = i;
  const axis = power.subarray(longest & 12, (longest & 12) + 4);
  const length = Math.hypot(...axis);
  return axis.map((value) => value / length);
}

/** Landmarks with a depth of their own; the others are copies. */
const OWN_LANDMARKS = 468;
/** Angle that the height of a picture spans, degrees: MediaPipe's face geometry assumes it, and phones have 50 to 80. */
const FIELD_OF_VIEW = 63;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const degrees = (radians: number): number => (radians * 180) / Math.PI;

/**
 * How a head is held. Turn and nod are counted from the line of sight, as the picture shows them: a face high in the
 * picture that looks straight ahead seems to look down on the camera.
 * @param landmarks all of one face, in widths and heights of the picture, z in widths
 * @param picture what they were found in, px; the camera is taken to look at its middle
 */
export function headPose(landmarks: readonly Landmark[], { width, height }: Size): HeadPose {
  // On a plane one unit away from the camera.
  const high = 2 * Math.tan(radians(FIELD_OF_VIEW) / 2);
  const wide = (high * width) / height;
  let depth = 0;
  for (let i = 0; i < OWN_LANDMARKS; i++) depth += landmarks[i]!.z / OWN_LANDMARKS;
  const flat = MARKS.map(({ landmark }): Vector => {
    const { x, y, z } = landmarks[landmark]!;
    return { x: (x - 0.5) * wide, y: (0.5 - y) * high, z: (depth - z) * wide };
  });
  // Landmarks have depth but no perspective, which is the stronger the nearer the head is; its size tells how near.
  const inSpace = (scale: number): readonly Vector[] =>
    flat.map(({ x, y, z }) => {
      const away = (1 - z) / scale;
      return { x: x * away, y: y * away, z: -away };
    });
  const { scale } = layOver(flat);
  const { across, ahead, origin } = layOver(inSpace(scale * layOver(inSpace(scale)).scale));
  return {
    yaw: degrees(Math.atan2(ahead.x, ahead.z) - Math.atan2(-origin.x, -origin.z)),
    pitch: degrees(Math.atan2(ahead.y, ahead.z) - Math.atan2(-origin.y, -origin.z)),
    roll: degrees(-Math.atan2(across.y, across.x)),
  };
}
