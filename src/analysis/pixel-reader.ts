import { createSurface, resize, type Surface } from './surface.ts';

/*
 * The pixels of pictures. Of a frame everybody looks at the same ones.
 */

/** A picture that models look at. */
export type Source = ImageBitmap | ImageData | Surface;

/** Gives all pixels of a picture; who gets them leaves them as they are. */
export type ReadPixels = (picture: Source) => ImageData;

/** Reads pictures. */
export interface PixelReader {
  /** Gets the pixels of a frame beforehand, where that is cheaper; it cannot fail. */
  load(frame: ImageBitmap): Promise<void>;
  /** A frame that it was asked for before is not read again, because it cannot change. */
  readonly read: ReadPixels;
  /** Nobody looks at the pixels of this frame any more: the memory becomes another's. */
  release(frame: ImageBitmap): void;
}

/**
 * Canvases give pixels in new memory, whose pages the system has to find for every frame. A `VideoFrame` copies them to
 * where they are wanted, which took 0.3 ms in place of 2.8 on a machine whose pages are dear. Some browsers do not have
 * it, or give other colours than they are asked for (Chromium before 127): it is trusted once a frame of this camera came
 * out of it as out of a canvas.
 */
export function createPixelReader(): PixelReader {
  const sheet = createSurface();
  const sheetContext = contextOf(sheet);
  const known = new WeakMap<ImageBitmap, ImageData>();
  let spare: ArrayBufferLike = new ArrayBuffer(0);
  /** Null until that is known. */
  let copies: boolean | null = typeof VideoFrame === 'undefined' ? false : null;

  const drawn = (frame: ImageBitmap): ImageData => {
    resize(sheet, frame);
    sheetContext.drawImage(frame, 0, 0);
    return sheetContext.getImageData(0, 0, frame.width, frame.height);
  };
  const copied = async (frame: ImageBitmap): Promise<ImageData> => {
    const { width, height } = frame;
    const bytes = 4 * width * height;
    const memory = spare.byteLength === bytes ? spare : new ArrayBuffer(bytes);
    // Until it is released: two frames may be under way.
    spare = new ArrayBuffer(0);
    const picture = new VideoFrame(frame, { timestamp: 0 });
    try {
      await picture.copyTo(memory, { format: 'RGBA' });
    } finally {
      picture.close();
    }
    return new ImageData(new Uint8ClampedArray(memory as ArrayBuffer), width, height);
  };
  const read: ReadPixels = (picture) => {
    if (picture instanceof ImageData) return picture;
    if (!(picture instanceof ImageBitmap))
      return contextOf(picture).getImageData(0, 0, picture.width, picture.height);
    const before = known.get(picture);
    if (before !== undefined) return before;
    const pixels = drawn(picture);
    known.set(picture, pixels);
    return pixels;
  };

  return {
    read,
    async load(frame) {
      if (copies === false) return;
      try {
        const copy = await copied(frame);
        copies ??= areEqual(copy, read(frame));
        if (copies === true) known.set(frame, copy);
      } catch {
        copies = false;
      }
    },
    release(frame) {
      spare = known.get(frame)?.data.buffer ?? spare;
      known.delete(frame);
    },
  };
}

/** Pixels from one to the next that are compared: a prime, so that they are of every row and column. */
const COMPARED_EVERY = 101;

/** Null where nothing has a colour, and one that is in the wrong order would not be seen. */
function areEqual({ data: some }: ImageData, { data: others }: ImageData): boolean | null {
  let isColoured = false;
  for (let i = 0; i < others.length; i += 4 * COMPARED_EVERY) {
    for (let channel = i; channel < i + 4; channel++) if (some[channel] !== others[channel]) return false;
    if (some[i] !== some[i + 2]) isColoured = true;
  }
  return isColoured ? true : null;
}

/** @throws Error where the canvas is none for drawing in 2D */
function contextOf(canvas: Surface): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('No 2D canvas here.');
  return context;
}
