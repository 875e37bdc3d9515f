import { type Sight, sightOf, sightSize } from '../analysis/analyser.ts';
import type { Subject } from '../domain/steps.ts';

/*
 * From the camera's video to what is analysed, and to what may become the photo.
 */

/** A frame of the camera. */
export interface CameraFrame {
  /** When it was shown, ms. */
  readonly now: number;
  /** null where it could not be taken. */
  readonly sight: Sight | null;
  /** The frame itself, where it may become the photo. */
  readonly whole: ImageBitmap | null;
}

/**
 * A frame of a face may become the photo this often, ms: to keep it whole and to measure its light, cover and sharpness
 * costs twice as much as all the rest, and they are slow. At most every third frame, so that slow devices gain most,
 * unless the last such is as long ago as `LONGEST`.
 */
const LOOK_EVERY = 150;
const FRAMES_BETWEEN = 2;
const LONGEST = 350;
/** As long as the face is not in place, no frame can be the photo, and light and cover are looked at for the hint alone. */
const OUT_OF_PLACE_EVERY = 500;

/** Tells of one frame after the other whether it may become the photo; `now` in ms, monotonic. */
export function createPace(subject: Subject): (now: number, outOfPlace: boolean) => boolean {
  let looked = -Infinity;
  let between = 0;
  return (now, outOfPlace) => {
    const age = now - looked;
    const isDue = outOfPlace
      ? age >= OUT_OF_PLACE_EVERY
      : age >= LONGEST || (age >= LOOK_EVERY && between >= FRAMES_BETWEEN);
    const looks = subject !== 'face' || isDue;
    between = looks ? 0 : between + 1;
    if (looks) looked = now;
    return looks;
  };
}

/** Takes the frame that the camera shows at a time, ms. */
export type TakeFrame = (at: number | Promise<number>) => Promise<CameraFrame>;

/**
 * Takes one frame after the other of a camera's video.
 * @param isOutOfPlace of the last frame that was judged
 */
export function takesFrames(
  video: HTMLVideoElement,
  subject: Subject,
  isOutOfPlace: () => boolean,
): TakeFrame {
  const mayBePhoto = createPace(subject);
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false });

  /** Drawn as small as it is analysed, which is half the work of a whole frame that is scaled then. */
  const draw = async (): Promise<Sight> => {
    const of = { width: video.videoWidth, height: video.videoHeight };
    const { width, height } = sightSize(of);
    if (context === null || video.readyState < video.HAVE_CURRENT_DATA) throw new Error('Nothing to draw.');
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.imageSmoothingQuality = 'medium';
    context.drawImage(video, 0, 0, width, height);
    return { bitmap: await createImageBitmap(canvas), of };
  };

  return async (at) => {
    const now = await at;
    let whole: ImageBitmap | null = null;
    try {
      if (!mayBePhoto(now, isOutOfPlace())) return { now, sight: await draw(), whole };
      whole = await createImageBitmap(video);
      return { now, sight: await sightOf(whole), whole };
    } catch {
      whole?.close();
      return { now, sight: null, whole: null };
    }
  };
}
