import type { Size } from '../domain/geometry.ts';
import type { Frame } from './analyser.ts';
import { createShrinker } from './shrink.ts';
import { createSurface, resize, scaledToSight, type Surface } from './surface.ts';

/*
 * The pixels of pictures. Of a frame everybody looks at the same ones.
 */

/** A picture that models look at. */
export type Source = ImageBitmap | ImageData | Surface;

/** Gives all pixels of a picture; who gets them leaves them as they are. */
export type ReadPixels = (picture: Source) => ImageData;

/** Reads pictures. */
export interface PixelReader {
  /**
   * Makes of a frame what is analysed: a bitmap of that size. A camera's own frame is closed.
   * @throws DOMException where the frame is closed already
   */
  take(frame: Frame): Promise<ImageBitmap>;
  /** A frame that it was asked for before is not read again, because it cannot change. */
  readonly read: ReadPixels;
  /** Closes the bitmap: nobody looks at its pixels any more, and their memory becomes another's. */
  release(frame: ImageBitmap): void;
}

/**
 * Canvases give pixels in new memory, whose pages the system has to find for every frame. A camera's own frame copies them
 * to where they are wanted: shrunk, they took 1.5 ms in place of 29 on a machine whose pages are dear.
 */
export function createPixelReader(): PixelReader {
  const sheet = createSurface();
  const sheetContext = contextOf(sheet);
  const shrink = createShrinker();
  const known = new WeakMap<ImageBitmap, ImageData>();
  let spare = new ArrayBuffer(0);

  /** Nobody else's until it is released. */
  const sheetOf = ({ width, height }: Size): ImageData => {
    const bytes = 4 * width * height;
    const memory = spare.byteLength === bytes ? spare : new ArrayBuffer(bytes);
    spare = new ArrayBuffer(0);
    return new ImageData(new Uint8ClampedArray(memory), width, height);
  };
  const shrunk = async (frame: VideoFrame): Promise<ImageBitmap | null> => {
    const small = await shrink(frame);
    if (small === null) return null;
    const pixels = sheetOf(small);
    pixels.data.set(small.data);
    const bitmap = await createImageBitmap(pixels);
    known.set(bitmap, pixels);
    return bitmap;
  };
  const scaled = (frame: VideoFrame): Promise<ImageBitmap> =>
    scaledToSight(frame, { width: frame.displayWidth, height: frame.displayHeight });

  return {
    read(picture) {
      if (picture instanceof ImageData) return picture;
      const { width, height } = picture;
      if (!(picture instanceof ImageBitmap)) return contextOf(picture).getImageData(0, 0, width, height);
      const before = known.get(picture);
      if (before !== undefined) return before;
      resize(sheet, picture);
      sheetContext.drawImage(picture, 0, 0);
      const pixels = sheetContext.getImageData(0, 0, width, height);
      known.set(picture, pixels);
      return pixels;
    },
    async take(frame) {
      if (frame instanceof ImageBitmap) return frame;
      try {
        return (await shrunk(frame).catch(() => null)) ?? (await scaled(frame));
      } finally {
        // At once, because a camera has few.
        frame.close();
      }
    },
    release(frame) {
      spare = known.get(frame)?.data.buffer ?? spare;
      known.delete(frame);
      frame.close();
    },
  };
}

/** @throws Error where the canvas is none for drawing in 2D */
function contextOf(canvas: Surface): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('No 2D canvas here.');
  return context;
}
