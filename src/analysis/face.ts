import type { Point, Size } from '../domain/geometry.ts';
import type { Face, FaceObservation } from '../domain/observation.ts';
import { coverOf } from './cover.ts';
import { lightOn } from './light.ts';
import type { Seen, SeenFace } from './models.ts';
import { type Aligned, alignTo, boxOf, detailOf, EYE_DISTANCE, EYES_AT } from './patch.ts';
import { edgeSteepness, lumaPlane, type Pixels } from './pixels.ts';

/*
 * From landmarks and pixels to the measures of a face. Everything about light, cover and sharpness is measured on
 * a patch that the eye line turns upright and scales to one size.
 */

/** Where the detail round the eyes is: brows, lids and lashes, which every face has, and no beard or scarf. Patch px. */
const EYE_BAND = {
  x: EYES_AT.x - 1.05 * EYE_DISTANCE,
  y: EYES_AT.y - 0.5 * EYE_DISTANCE,
  width: 2.1 * EYE_DISTANCE,
  height: 0.85 * EYE_DISTANCE,
};
/**
 * Contrast is taken over 9 to 12 px, which an edge blurred by 3 % of the eye distance fills. Only places with a good
 * part of the face's own range count, so that neither pores nor, on dark skin, the want of contrast decide.
 */
const EDGES = { reach: 3, quantile: 0.97 };
const EDGE_RANGE = 0.3;
const MIN_EDGE_SPAN = 16;

/** Measures faces frame after frame; remembers the last frame to tell movement. */
export interface FaceMeter {
  /** `pixels` may be null where there is no face to measure. */
  observe(seen: Seen, pixels: Pixels | null, frame: Size, now: number, detailed: boolean): FaceObservation;
}

/** A face that was away longer than this starts anew: what lies between is no movement, ms. */
const FORGET_AFTER = 1000;

/** The first frame of a meter has no movement. */
export function createFaceMeter(): FaceMeter {
  let last: { readonly points: readonly Point[]; readonly now: number } | null = null;
  return {
    observe(seen, pixels, { width, height }, now, detailed) {
      const size = { width, height };
      const { face } = seen;
      if (face === null || pixels === null) {
        last = null;
        return { kind: 'face', frame: size, faces: seen.faces, face: null };
      }
      const box = boxOf(face.points);
      const seconds = last === null || now - last.now > FORGET_AFTER ? 0 : (now - last.now) / 1000;
      const motion =
        last === null || seconds <= 0 ? 0 : meanDistance(last.points, face.points) / box.width / seconds;
      last = { points: face.points, now };
      const aligned = alignTo(face.points, pixels);
      const measures = measure(face.points, pixels, aligned);
      return {
        kind: 'face',
        frame: size,
        faces: seen.faces,
        face: { box, ...anglesOf(face), motion, ...measures },
        ...(detailed ? { detail: detailOf(face.points, aligned) } : {}),
      };
    },
  };
}

function meanDistance(a: readonly Point[], b: readonly Point[]): number {
  return (
    a.reduce((sum, p, i) => sum + Math.hypot(p.x - (b[i]?.x ?? p.x), p.y - (b[i]?.y ?? p.y)), 0) /
    Math.max(1, a.length)
  );
}

/** Turn, nod and tilt, taken apart in this order from a matrix that lies column by column. */
function anglesOf({ matrix }: SeenFace): Pick<Face, 'yaw' | 'pitch' | 'roll'> {
  const [xx = 1, xy = 0, xz = 0] = matrix;
  const yz = matrix[6] ?? 0;
  const zz = matrix[10] ?? 1;
  const degrees = 180 / Math.PI;
  return {
    yaw: -Math.asin(Math.min(1, Math.max(-1, xz))) * degrees,
    pitch: -Math.atan2(yz, zz) * degrees,
    roll: -Math.atan2(xy, xx) * degrees,
  };
}

function measure(
  points: readonly Point[],
  pixels: Pixels,
  aligned: Aligned,
): Pick<Face, 'light' | 'cover' | 'sharpness'> {
  const luma = lumaPlane(aligned.patch);
  const light = lightOn(aligned, luma, points, pixels);
  const minSpan = Math.max(MIN_EDGE_SPAN, EDGE_RANGE * light.range);
  return {
    light,
    cover: coverOf(aligned),
    sharpness: EYE_DISTANCE * aligned.enlarged * edgeSteepness(luma, EYE_BAND, { ...EDGES, minSpan }),
  };
}
