import type { FaceDetectorResult } from '@mediapipe/tasks-vision';
import { type Box, cornersOf, meanDistance, type Point } from '../domain/geometry.ts';
import type { Face, FaceObservation } from '../domain/observation.ts';
import type { Attention } from './analyser.ts';
import type { Assets } from './assets.ts';
import { createCrowd, type Detection } from './crowd.ts';
import { lightWithin } from './light.ts';
import { createFinder, type Detector, facesIn, startDetector } from './detector.ts';
import type { Models } from './models.ts';
import { alignBy, type EyeLine } from './patch.ts';
import type { ReadPixels } from './pixel-reader.ts';
import type { Pixels } from './pixels.ts';
import { startingModels } from './runtime.ts';
import { eyeSharpness } from './sharpness.ts';

/*
 * The rung `face-box`: the detector alone, in a single instance of the runtime. Of a face it tells where it is, how it
 * leans and moves, how bright it is and how sharp its eyes are.
 */

/** The models of this rung. */
export interface BoxModels extends Pick<Models, 'detector' | 'ready' | 'close'> {
  readonly face: BoxMeter;
}

/** A face as the detector has it, px of the frame. */
interface Detected {
  /** Where the box round the landmarks would be. */
  readonly box: Box;
  readonly eyes: EyeLine;
}

/**
 * The box round the landmarks in sides of the detector's own, which is a square from the brows to the chin. Medians of
 * 90 good photos, a seventh of them with hijab. By them the height that says "too far" is met within 7 % on 95 of 100,
 * the middle within 2 % of the width and 4 % of the height.
 */
const LANDMARKS = { width: 0.914, height: 1.09, lift: 0.066 };

/** What the detector's box says of where the landmarks would be. */
function landmarkBox({ x, y, width, height }: Box): Box {
  const size = { width: LANDMARKS.width * width, height: LANDMARKS.height * height };
  return {
    x: x + (width - size.width) / 2,
    y: y + (0.5 - LANDMARKS.lift) * height - size.height / 2,
    ...size,
  };
}

/** Movement is taken over up to this long, ms: boxes that are found anew in each frame tremble. */
const MOTION_OVER = 100;
/** A face that was away longer than this starts anew: what lies between is no movement, ms. */
const FORGET_AFTER = 1000;

/** The movement of a box, face widths a second. */
function createMotion(): (box: Box, now: number) => number {
  let past: readonly { readonly corners: readonly Point[]; readonly now: number }[] = [];
  return (box, now) => {
    const corners = cornersOf(box);
    const recent = past.filter((one) => now > one.now && now - one.now <= FORGET_AFTER);
    const before = recent.find((one) => now - one.now <= MOTION_OVER) ?? recent.at(-1);
    past = [...recent, { corners, now }];
    if (before === undefined) return 0;
    return meanDistance(before.corners, corners) / box.width / ((now - before.now) / 1000);
  };
}

/** Points of the outline of the face in its box: an ellipse. */
const ELLIPSE = Array.from({ length: 36 }, (_, i) => {
  const angle = (i / 36) * 2 * Math.PI;
  return { x: 0.5 + 0.5 * Math.cos(angle), y: 0.5 + 0.5 * Math.sin(angle) };
});

/** What box and pixels tell of a face; a preliminary look leaves its sharpness open, while the camera may still focus. */
function measure({ box, eyes }: Detected, pixels: Pixels, motion: number, preliminary: boolean): Face {
  const upright = alignBy(eyes, pixels);
  const outline = ELLIPSE.map(({ x, y }) =>
    upright.toPatch({ x: box.x + x * box.width, y: box.y + y * box.height }),
  );
  const light = lightWithin(outline, upright.luma, box, pixels);
  return {
    box,
    // By the eyes: within 5 degrees of the landmarks' on 95 of 100 photos. Nose and ears tell the turn within 10 only.
    roll: (Math.atan2(eyes.across.y, eyes.across.x) * 180) / Math.PI,
    yaw: null,
    pitch: null,
    shoulders: null,
    motion,
    light: { ...light, clipped: null, sclera: null, sides: null, levels: null, hollows: null },
    cover: null,
    sharpness: preliminary ? null : eyeSharpness(upright, light.range),
  };
}

/** The widest face in a picture that shows this part of the frame. */
function widestOf({ detections }: FaceDetectorResult, part: Box): Detected | null {
  const [widest] = [...detections].sort((a, b) => (b.boundingBox?.width ?? 0) - (a.boundingBox?.width ?? 0));
  const { boundingBox: box, keypoints: [right, left] = [] } = widest ?? {};
  if (box === undefined || right === undefined || left === undefined) return null;
  const inFrame = ({ x, y }: Point): Point => ({ x: part.x + x * part.width, y: part.y + y * part.height });
  const [a, b] = [inFrame(right), inFrame(left)];
  const { originX, originY, width, height } = box;
  return {
    box: landmarkBox({ x: part.x + originX, y: part.y + originY, width, height }),
    eyes: { centre: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, across: { x: b.x - a.x, y: b.y - a.y } },
  };
}

/**
 * Measures the faces in one frame; `pixelsOf` is called where there is one. `now` in ms, monotonic. With more than a
 * glance, somebody else is looked for as well, in one part of the frame.
 */
export type BoxMeter = (
  frame: ImageBitmap,
  now: number,
  attention: Attention,
  pixelsOf: () => Pixels,
) => FaceObservation;

/** @param preliminary true where its answers are followed by better ones */
export function createBoxMeter(detector: Detector, preliminary = false): BoxMeter {
  /** Of the present frame, where it was looked at as a whole. */
  let inWhole: readonly Detection[] | null = null;
  const find = createFinder<Detected>(
    (picture, timestamp, part) => {
      const result = detector.detect(picture, timestamp);
      if (picture instanceof ImageBitmap) inWhole = facesIn(result);
      return widestOf(result, part);
    },
    ({ box }) => box.width,
  );
  const crowd = createCrowd();
  const motionOf = createMotion();
  let others: readonly Box[] = [];
  return (frame, now, attention, pixelsOf) => {
    const timestamp = detector.stamp(now);
    inWhole = null;
    const found = find(frame, timestamp);
    const main = found?.box ?? null;
    if (attention !== 'glance') {
      others = crowd.look(frame, now, main, (part) => {
        if (inWhole !== null && part.width === frame.width && part.height === frame.height) return inWhole;
        return detector.findInPart(frame, part, timestamp + 1);
      });
    }
    return {
      kind: 'face',
      frame: { width: frame.width, height: frame.height },
      faces: main === null ? others : [main, ...others],
      face: found && measure(found, pixelsOf(), motionOf(found.box, now), preliminary),
      ...(preliminary ? { preliminary } : {}),
    };
  };
}

/**
 * Starts the detector.
 * @throws CaptureError `analysis-failed`
 */
export function createBoxModels(assets: Assets, readPixels: ReadPixels): Promise<BoxModels> {
  return startingModels(async (keep) => {
    const detector = keep(await startDetector(assets, readPixels));
    return {
      detector,
      face: createBoxMeter(detector),
      ready: () => Promise.resolve(),
      close: () => detector.close(),
    };
  });
}
