import { sightSize, type Size } from '../domain/geometry.ts';
import { createWorkshop, type Kernels } from './kernels.ts';

/*
 * A camera's frame, as small as it is analysed. Most cameras give it in planes: luma, and differences of blue and of red
 * from it, which two by two pixels share. That is three eighths of the bytes of its colours, and its colours are calculated
 * of the small picture only.
 */

/** The most pixels that become one are as many as this in a row: `shrink` takes no more. */
const MOST_SHRUNK = 16;
/** Of planes as many as this: pictures of 1280 x 720 and of 1920 x 1080 are shrunk by them. */
const PLANES_SHRUNK: readonly number[] = [2, 3];
/** `shrinkPlanes` makes as many pixels at a time. */
const AT_A_TIME = 4;

/** A picture that was shrunk; its bytes, RGBA, are lent until the next one is. */
interface Shrunk extends Size {
  readonly data: Uint8Array;
}

/** How a frame is shrunk. */
interface Way {
  /** Bytes of the frame as they are copied. */
  readonly bytes: number;
  readonly copy: VideoFrameCopyToOptions;
  /** Bytes that are needed besides. */
  readonly room: number;
  /** Shrinks what was copied to the beginning of the memory; `target` and `room` are places in it. */
  readonly shrink: (kernels: Kernels, target: number, room: number) => void;
}

/**
 * Shrinks frames by the mean of their pixels, one after the other. They answer null where a frame is not so many times as
 * large as it is analysed, and a DOMException where it cannot be copied.
 */
export function createShrinker(): (frame: VideoFrame) => Promise<Shrunk | null> {
  const workshop = createWorkshop();
  return async (frame) => {
    const { displayWidth: width, displayHeight: height } = frame;
    const small = sightSize({ width, height });
    const factor = width / small.width;
    if (!Number.isInteger(factor) || factor > MOST_SHRUNK || height !== factor * small.height) return null;
    const way = planesWay(frame, factor, small) ?? coloursWay(factor, small);
    const smallBytes = 4 * small.width * small.height;
    const kernels = workshop(way.bytes + smallBytes + way.room);
    await frame.copyTo(new Uint8Array(kernels.memory, 0, way.bytes), way.copy);
    way.shrink(kernels, way.bytes, way.bytes + smallBytes);
    return { ...small, data: new Uint8Array(kernels.memory, way.bytes, smallBytes) };
  };
}

/** For every frame: the browser makes colours of it. */
function coloursWay(factor: number, { width, height }: Size): Way {
  return {
    bytes: 4 * factor ** 2 * width * height,
    copy: { format: 'RGBA' },
    room: 0,
    shrink: (kernels, target) => kernels.shrink(0, factor * width, factor, width, height, target),
  };
}

/** What red and blue count for in luma (ITU-R BT.601 and BT.709). */
const BT601 = { red: 0.299, blue: 0.114 };
const BT709 = { red: 0.2126, blue: 0.0722 };
/** By the names that the standard gives them. */
const MATRICES = new Map<string | null, typeof BT601>([
  ['smpte170m', BT601],
  ['bt470bg', BT601],
  ['bt709', BT709],
]);

/** For frames in planes that are known; null for others. */
function planesWay({ format, visibleRect, colorSpace }: VideoFrame, factor: number, small: Size): Way | null {
  const weights = MATRICES.get(colorSpace.matrix);
  const [width, height] = [factor * small.width, factor * small.height];
  const isWhole = visibleRect?.width === width && visibleRect.height === height;
  const isEven = width % 2 === 0 && height % 2 === 0 && small.width % AT_A_TIME === 0;
  if (weights === undefined || !isWhole || !isEven || !PLANES_SHRUNK.includes(factor)) return null;
  if (format !== 'I420' && format !== 'NV12') return null;
  const luma = width * height;
  // In NV12 the differences of blue and red lie in one plane, by turns.
  const [blueAt, redAt] = [luma, format === 'I420' ? 1.25 * luma : 0];
  const stride = redAt === 0 ? width : width / 2;
  const others = [blueAt, redAt].filter((offset) => offset > 0).map((offset) => ({ offset, stride }));
  return {
    bytes: 1.5 * luma,
    copy: { layout: [{ offset: 0, stride: width }, ...others] },
    room: 4 * width + 64,
    shrink({ shrinkPlanes }, target, room) {
      const { light, redToRed, blueToGreen, redToGreen, blueToBlue, black } = gainsOf(
        weights,
        colorSpace.fullRange === true,
      );
      // Sums of all luma of a square; of differences one is summed where two rows of luma share it, else as many as of luma.
      const ofLuma = light / factor ** 2;
      const share = factor === 2 ? 1 : 1 / factor ** 2;
      shrinkPlanes(
        0,
        blueAt,
        redAt,
        width,
        factor,
        small.width,
        small.height,
        room,
        target,
        ofLuma,
        redToRed * share,
        blueToGreen * share,
        redToGreen * share,
        blueToBlue * share,
        black - 128 * redToRed,
        black - 128 * (blueToGreen + redToGreen),
        black - 128 * blueToBlue,
      );
    },
  };
}

/** What luma and the differences, 0..255 with 128 for none, count for in red, green and blue; `black` is added to each. */
interface Gains {
  readonly light: number;
  readonly redToRed: number;
  readonly blueToGreen: number;
  readonly redToGreen: number;
  readonly blueToBlue: number;
  readonly black: number;
}

/** @param isFull luma takes all of 0..255; else it begins at 16 and takes 219 steps, the differences 224 */
function gainsOf({ red, blue }: typeof BT601, isFull: boolean): Gains {
  const [light, difference] = isFull ? [1, 1] : [255 / 219, 255 / 224];
  const green = 1 - red - blue;
  const redToRed = 2 * (1 - red) * difference;
  const blueToBlue = 2 * (1 - blue) * difference;
  return {
    light,
    redToRed,
    blueToGreen: (-blue / green) * blueToBlue,
    redToGreen: (-red / green) * redToRed,
    blueToBlue,
    black: isFull ? 0 : -16 * light,
  };
}
