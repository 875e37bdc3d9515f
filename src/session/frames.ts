import { type Sight, sightOf, sightSize } from '../analysis/analyser.ts';
import { createPace } from '../domain/pace.ts';
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
