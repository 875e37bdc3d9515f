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
 * A frame of a face may become the photo this often, ms: to keep it and to measure its light, cover and sharpness costs
 * as much as all the rest, and they are slow. Two frames on end only where the last such is as long ago as `LONGEST`, so
 * that slow devices gain most.
 */
const LOOK_EVERY = 150;
const LONGEST = 350;

/** Tells of one frame after the other whether it may become the photo; `now` in ms, monotonic. */
export function createPace(subject: Subject): (now: number) => boolean {
  let looked = -Infinity;
  let last = -Infinity;
  return (now) => {
    const age = now - looked;
    const looks = subject !== 'face' || age >= LONGEST || (age >= LOOK_EVERY && looked !== last);
    last = now;
    if (looks) looked = now;
    return looks;
  };
}

/** Takes the frame that the camera shows at a time, ms. */
export type TakeFrame = (at: number | Promise<number>) => Promise<CameraFrame>;

/** Takes one frame after the other of a camera's video. */
export function takesFrames(video: HTMLVideoElement, subject: Subject): TakeFrame {
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
      if (!mayBePhoto(now)) return { now, sight: await draw(), whole };
      whole = await createImageBitmap(video);
      return { now, sight: await sightOf(whole), whole };
    } catch {
      whole?.close();
      return { now, sight: null, whole: null };
    }
  };
}
