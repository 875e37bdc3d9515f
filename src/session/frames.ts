import { type Frame, type Sight, sightOf } from '../analysis/analyser.ts';
import { resize } from '../analysis/surface.ts';
import { sightSize, type Size } from '../domain/geometry.ts';
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
  readonly whole: Frame | null;
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
  const sizeNow = (): Size => ({ width: video.videoWidth, height: video.videoHeight });
  let isReadable = hasFrames;

  /** The camera's own frame, which costs the page nothing; null where it is of no use to the analysis. */
  const grab = (): { readonly frame: VideoFrame; readonly of: Size } | null => {
    if (!isReadable || video.readyState < video.HAVE_CURRENT_DATA) return null;
    const frame = new VideoFrame(video);
    const of = sizeNow();
    isReadable = isReadableAs(frame, of);
    if (isReadable) return { frame, of };
    frame.close();
    return null;
  };
  /** Drawn as small as it is analysed, which is half the work of a whole frame that is scaled then. */
  const draw = async (): Promise<Sight> => {
    const of = sizeNow();
    const size = sightSize(of);
    if (context === null || video.readyState < video.HAVE_CURRENT_DATA) throw new Error('Nothing to draw.');
    resize(canvas, size);
    context.imageSmoothingQuality = 'medium';
    context.drawImage(video, 0, 0, size.width, size.height);
    return { frame: await createImageBitmap(canvas), of };
  };

  return async (at) => {
    const now = await at;
    let taken: Frame | null = null;
    try {
      const isWanted = mayBePhoto(now, isOutOfPlace());
      const sight = grab();
      if (sight !== null) {
        taken = sight.frame;
        return { now, sight, whole: isWanted ? sight.frame.clone() : null };
      }
      if (!isWanted) return { now, sight: await draw(), whole: null };
      const whole = await createImageBitmap(video);
      taken = whole;
      return { now, sight: await sightOf(whole), whole };
    } catch {
      taken?.close();
      return { now, sight: null, whole: null };
    }
  };
}

/**
 * True in browsers in which the frames of a camera are known to travel well: by what only Chromium has on a page. WebKitGTK
 * 2.50 has `VideoFrame` and crashed with it.
 */
const hasFrames = 'MediaStreamTrackProcessor' in globalThis;

/** Formats of frames that lie where the processor reads them. Others may lie with the graphics card, which scales them. */
const READABLE: readonly unknown[] = ['I420', 'NV12'];

/** How a frame is to be turned before it is shown; TypeScript's libraries do not have it, nor do all browsers. */
interface Turned {
  readonly rotation?: number;
  readonly flip?: boolean;
}

/**
 * True where the analysis can read the frame as a picture of the size. A browser that cannot change formats while it copies
 * (Chromium before 127) is told by the bytes that it would take.
 */
function isReadableAs(frame: VideoFrame & Turned, { width, height }: Size): boolean {
  const { format, visibleRect, displayWidth, displayHeight, rotation = 0, flip = false } = frame;
  return (
    READABLE.includes(format) &&
    [visibleRect?.width, displayWidth].every((each) => each === width) &&
    [visibleRect?.height, displayHeight].every((each) => each === height) &&
    rotation === 0 &&
    !flip &&
    frame.allocationSize({ format: 'RGBA' }) === 4 * width * height
  );
}
