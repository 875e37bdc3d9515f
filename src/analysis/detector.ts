import { FaceDetector, type FaceDetectorResult } from '@mediapipe/tasks-vision';
import { type Box, fitLongSide, scaleBox, wholeOf } from '../domain/geometry.ts';
import type { Assets } from './assets.ts';
import type { Detection } from './crowd.ts';
import { createPixelCanvas } from './pixel-canvas.ts';
import type { ReadPixels, Source } from './pixel-reader.ts';
import { startTask } from './runtime.ts';
import { createEasel, type Surface } from './surface.ts';

/*
 * The detector, which every rung begins with, and how far faces are found.
 */

/** FaceDetector alone. What it finds is in px of what it was shown; all of it throws where the detector fails. */
export interface Detector {
  /**
   * A time stamp for the next frame, ms: Tasks refuses one that is not above the last, and up to two lie between.
   * Whoever asks has a frame, so that nothing is made of the time before it any more.
   */
  stamp(now: number): number;
  /** What Tasks answers. */
  detect(picture: ImageBitmap | Surface, timestamp: number): FaceDetectorResult;
  /** Faces in a part of a frame, px of the part. */
  findInPart(frame: ImageBitmap, part: Box, timestamp: number): readonly Detection[];
  /** Faces in a still picture. `now` as for `stamp`. */
  findFaces(picture: ImageData, now: number): readonly Detection[];
  close(): void;
}

/** Where no frame has come so long after the start, the camera is slower, and its time is made use of, ms. */
const IDLE_AFTER = 100;
/** Of the picture that it is shown then, px. */
const WARM_UP_SIZE = 64;

/** Long side of the part of a frame that it is shown, px: the model takes 128 x 128, and more only costs. */
const PART_LONG_SIDE = 192;

/**
 * Starts the detector. Once no frame has come for a while it is shown an empty picture: a first inference takes ten times
 * as long as the others, because most of what it needs is compiled then.
 * @param whenIdle what there is time for as well
 * @throws Error where it cannot be started
 */
export async function startDetector(
  { runtime, detector: model }: Assets,
  readPixels: ReadPixels,
  whenIdle: () => void = () => undefined,
): Promise<Detector> {
  const { task, close } = await startTask(
    runtime,
    () => createPixelCanvas(readPixels),
    ({ fileset, canvas }) =>
      FaceDetector.createFromOptions(fileset, {
        baseOptions: { modelAssetBuffer: model, delegate: 'CPU' },
        runningMode: 'VIDEO',
        canvas,
      }),
  );
  const easel = createEasel();
  let last = 0;
  const stamp = (now: number): number => (last = Math.max(last + 2, now));
  const detect = (picture: Source, timestamp: number): FaceDetectorResult =>
    task.detectForVideo(picture, timestamp);
  const idle = setTimeout(() => {
    try {
      detect(new ImageData(WARM_UP_SIZE, WARM_UP_SIZE), stamp(0));
    } catch {
      // What is wrong here is wrong with the first frame as well, and told by it.
    }
    whenIdle();
  }, IDLE_AFTER);
  const stampFrame = (now: number): number => {
    clearTimeout(idle);
    return stamp(now);
  };
  return {
    stamp: stampFrame,
    detect,
    findInPart(frame, part, timestamp) {
      const size = fitLongSide(part, PART_LONG_SIDE);
      easel.draw(frame, part, size);
      const scale = part.width / size.width;
      return facesIn(detect(easel.canvas, timestamp)).map(({ score, ...box }) => ({
        ...scaleBox(box, scale),
        score,
      }));
    },
    findFaces: (picture, now) => facesIn(detect(picture, stampFrame(now))),
    close() {
      clearTimeout(idle);
      close();
    },
  };
}

/** What it has answered, px of the picture. */
export function facesIn({ detections }: FaceDetectorResult): readonly Detection[] {
  return detections.flatMap(({ boundingBox: box, categories: [category] }) =>
    box === undefined || category === undefined
      ? []
      : [{ x: box.originX, y: box.originY, width: box.width, height: box.height, score: category.score }],
  );
}

/** How much of the frame's long side is looked at from near by, and how far above its middle: far people stand there. */
const NEAR_BY = { side: 0.55, above: 0.1 };
/** A face that fills this much of the near view's width is found in the whole frame as well. */
const NEAR_ENOUGH = 0.4;

/** Looks for the face in a picture that shows this part of the frame, px of the frame. */
export type Find<Face> = (picture: ImageBitmap | Surface, timestamp: number, part: Box) => Face | null;

/**
 * Models do not find a face whose width is under a tenth of the picture: where there is none, they look once more at the
 * middle of the frame from near by, and stay there while the face is as far away.
 * @param widthOf px of the frame
 */
export function createFinder<Face>(
  find: Find<Face>,
  widthOf: (face: Face) => number,
): (frame: ImageBitmap, timestamp: number) => Face | null {
  const easel = createEasel();
  let near = false;

  const findNear = (frame: ImageBitmap, timestamp: number): Face | null => {
    const side = Math.round(NEAR_BY.side * Math.max(frame.width, frame.height));
    const [width, height] = [Math.min(side, frame.width), Math.min(side, frame.height)];
    const top = Math.round(frame.height * (0.5 - NEAR_BY.above) - height / 2);
    const part = { x: Math.round((frame.width - width) / 2), y: Math.max(0, top), width, height };
    easel.draw(frame, part, part);
    const face = find(easel.canvas, timestamp, part);
    near = face !== null && widthOf(face) < NEAR_ENOUGH * width;
    return face;
  };

  return (frame, timestamp) => {
    const whole = wholeOf(frame);
    const first = near ? findNear(frame, timestamp) : find(frame, timestamp, whole);
    if (first !== null) return first;
    // Half a millisecond later, because Tasks refuses a time stamp that does not rise.
    return near ? find(frame, timestamp + 0.5, whole) : findNear(frame, timestamp + 0.5);
  };
}
