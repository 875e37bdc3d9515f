import { type Box, meanDistance, type Point, type Size } from '../domain/geometry.ts';
import type { Face, FaceObservation, Landmark } from '../domain/observation.ts';
import { shoulderSlope } from './body.ts';
import { COVER_BOXES, createCoverMeter } from './cover.ts';
import { lightBoxes, lightOn } from './light.ts';
import type { Seen, SeenFace } from './models.ts';
import { type Aligned, alignTo, boxOf, detailOf } from './patch.ts';
import { lumaPlane, type Pixels, type Plane } from './pixels.ts';
import { eyeSharpness } from './sharpness.ts';

/*
 * From landmarks and pixels to the measures of a face. Everything about light, cover and sharpness is measured on
 * a patch that the eye line turns upright and scales to one size.
 */

/** Measures faces frame after frame; remembers the last frame to tell movement. */
export interface FaceMeter {
  /** `pixelsOf` is called where the face's pixels are looked at. */
  observe(seen: Seen, pixelsOf: () => Pixels, frame: Size, now: number, detailed: boolean): FaceObservation;
}

/** A face that was away longer than this starts anew: what lies between is no movement, ms. */
const FORGET_AFTER = 1000;

/**
 * Pixels are looked at this often, ms: they cost half as much as the landmarks again, and light and cover are slow. In
 * two frames on end only where the last look is as long ago as `LONGEST`, so that slow devices gain most.
 */
const LOOK_EVERY = 150;
const LONGEST = 350;

/** What pixels tell of a face. */
type Surface = Pick<Face, 'light' | 'cover' | 'sharpness'>;

/** The first frame of a meter has no movement. */
export function createFaceMeter(): FaceMeter {
  let last: { readonly points: readonly Point[]; readonly now: number } | null = null;
  // Held between the frames that have a mask.
  let shoulders: number | null = null;
  let looked: { readonly surface: Surface; readonly now: number } | null = null;
  const coverOf = createCoverMeter();

  const look = (
    points: readonly Landmark[],
    pixels: Pixels,
    box: Box,
  ): { surface: Surface; aligned: Aligned } => {
    const aligned = alignTo(points, pixels);
    const luma = lumaPlane(aligned.patch);
    const light = lightOn(aligned, luma, box, pixels);
    const sharpness = eyeSharpness(aligned, luma, light.range);
    return { aligned, surface: { light, cover: coverOf(aligned.patch), sharpness } };
  };

  /** True for a frame in which pixels are looked at; `before` is the time of the frame before. */
  const isDue = (now: number, before: number): boolean => {
    if (looked === null || now < looked.now) return true;
    const age = now - looked.now;
    return age >= LONGEST || (age >= LOOK_EVERY && looked.now !== before);
  };

  return {
    observe(seen, pixelsOf, { width, height }, now, detailed) {
      const size = { width, height };
      const { face } = seen;
      if (face === null) {
        last = null;
        shoulders = null;
        looked = null;
        return { kind: 'face', frame: size, faces: seen.faces, face: null };
      }
      const box = boxOf(face.points);
      const seconds = last === null || now - last.now > FORGET_AFTER ? 0 : (now - last.now) / 1000;
      const motion =
        last === null || seconds <= 0 ? 0 : meanDistance(last.points, face.points) / box.width / seconds;
      const looks = detailed || isDue(now, last?.now ?? now);
      last = { points: face.points, now };
      if (seen.person !== null) shoulders = shouldersOf(face, box.width, seen.person, width);
      const fresh = looks ? look(face.points, pixelsOf(), box) : null;
      if (fresh !== null) looked = { surface: fresh.surface, now };
      const surface = fresh?.surface ?? looked?.surface;
      if (surface === undefined) throw new Error('A face whose pixels were never looked at.');
      return {
        kind: 'face',
        frame: size,
        faces: seen.faces,
        face: {
          box,
          ...anglesOf(face),
          shoulders,
          motion,
          ...surface,
          ...(looks ? {} : { remembered: true }),
        },
        ...(detailed && fresh !== null
          ? {
              detail: detailOf(face.points, fresh.aligned, [...COVER_BOXES, ...lightBoxes(fresh.aligned)]),
            }
          : {}),
      };
    },
  };
}

const CHIN = 152;

/** Degrees; null where no shoulders are to be seen. `width` is the frame's, px. */
function shouldersOf({ points }: SeenFace, faceWidth: number, person: Plane, width: number): number | null {
  const scale = person.width / width;
  const { x, y } = points[CHIN] ?? { x: 0, y: 0 };
  return shoulderSlope(person, { x: x * scale, y: y * scale }, faceWidth * scale);
}

/**
 * Turn, nod and tilt, from a matrix that lies column by column. Turn and nod are counted from the line of sight, as the
 * picture shows them: a face high in the frame that looks straight ahead seems to look down on the camera.
 */
function anglesOf({ matrix }: SeenFace): Pick<Face, 'yaw' | 'pitch' | 'roll'> {
  const [xx = 1, xy = 0] = matrix;
  const [forwardX = 0, forwardY = 0, forwardZ = 1] = matrix.slice(8, 11);
  const [x = 0, y = 0, z = -1] = matrix.slice(12, 15);
  const degrees = 180 / Math.PI;
  return {
    yaw: (Math.atan2(forwardX, forwardZ) - Math.atan2(-x, -z)) * degrees,
    pitch: (Math.atan2(forwardY, forwardZ) - Math.atan2(-y, -z)) * degrees,
    roll: -Math.atan2(xy, xx) * degrees,
  };
}
