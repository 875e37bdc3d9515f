import { type Box, boxRound, meanDistance, type Point, type Size } from '../domain/geometry.ts';
import type { Face, FaceObservation, Landmark } from '../domain/observation.ts';
import type { Attention } from './analyser.ts';
import { shoulderSlope } from './body.ts';
import { COVER_BOXES, createCoverMeter } from './cover.ts';
import { lightBoxes, lightOn } from './light.ts';
import type { Seen, SeenFace } from './models.ts';
import { type Aligned, alignTo, detailOf } from './patch.ts';
import type { Pixels, Plane } from './pixels.ts';
import { eyeSharpness } from './sharpness.ts';

/*
 * From landmarks and pixels to the measures of a face. Everything about light, cover and sharpness is measured on
 * a patch that the eye line turns upright and scales to one size.
 */

/** Measures faces frame after frame; remembers the last frame to tell movement. */
export interface FaceMeter {
  /** `pixelsOf` is called where the face's pixels are looked at: with more than a glance, and at the first one. */
  observe(
    seen: Seen,
    pixelsOf: () => Pixels,
    frame: Size,
    now: number,
    attention: Attention,
  ): FaceObservation;
}

/** A face that was away longer than this starts anew: what lies between is no movement, ms. */
const FORGET_AFTER = 1000;

/** What pixels tell of a face. */
type Surface = Pick<Face, 'light' | 'cover' | 'sharpness'>;

/** The first frame of a meter has no movement. */
export function createFaceMeter(): FaceMeter {
  let last: { readonly points: readonly Point[]; readonly now: number } | null = null;
  // Held between the frames that have a mask.
  let shoulders: number | null = null;
  let surface: Surface | null = null;
  const coverOf = createCoverMeter();

  const look = (
    points: readonly Landmark[],
    pixels: Pixels,
    box: Box,
  ): { surface: Surface; aligned: Aligned } => {
    const aligned = alignTo(points, pixels);
    const light = lightOn(aligned, box, pixels);
    const sharpness = eyeSharpness(aligned, light.range);
    return { aligned, surface: { light, cover: coverOf(aligned.patch), sharpness } };
  };

  return {
    observe(seen, pixelsOf, { width, height }, now, attention) {
      const size = { width, height };
      const { face } = seen;
      if (face === null) {
        last = null;
        shoulders = null;
        surface = null;
        return { kind: 'face', frame: size, faces: seen.faces, face: null };
      }
      const box = boxRound(face.points);
      const seconds = last === null || now - last.now > FORGET_AFTER ? 0 : (now - last.now) / 1000;
      const motion =
        last === null || seconds <= 0 ? 0 : meanDistance(last.points, face.points) / box.width / seconds;
      last = { points: face.points, now };
      if (seen.person !== null) shoulders = shouldersOf(face, box.width, seen.person, width);
      let aligned: Aligned | null = null;
      if (surface === null || attention !== 'glance')
        ({ aligned, surface } = look(face.points, pixelsOf(), box));
      return {
        kind: 'face',
        frame: size,
        faces: seen.faces,
        face: {
          box,
          ...face.pose,
          shoulders,
          motion,
          ...surface,
        },
        ...(attention === 'detail' && aligned !== null
          ? { detail: detailOf(face.points, aligned, [...COVER_BOXES, ...lightBoxes(aligned)]) }
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
