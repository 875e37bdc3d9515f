import { FaceDetector, FaceLandmarker, ImageSegmenter } from '@mediapipe/tasks-vision';
import moduleFactory from '@mediapipe/tasks-vision/vision_wasm_module_internal.js';
import { type Box, fitLongSide, type Size } from '../domain/geometry.ts';
import type { Landmark } from '../domain/observation.ts';
import { CaptureError } from '../domain/result.ts';
import type { Assets } from './assets.ts';
import { createCrowd, type Detection } from './crowd.ts';
import { boxOf } from './patch.ts';
import type { Plane } from './pixels.ts';

/** What the models say of one frame. */
export interface Seen {
  /** As `FaceObservation` has them. */
  readonly faces: readonly Box[];
  readonly face: SeenFace | null;
  /**
   * Confidence 0..1 that a pixel of the frame, scaled to a long side of 256 px, is a person; null on frames for which
   * it was not asked. It is there a few times a second, some frames after the first face.
   */
  readonly person: Plane | null;
}

/** The main face, as the landmarker gives it. */
export interface SeenFace {
  /** 478 points, px of the frame; the last ten only stand in for the irises. */
  readonly points: readonly Landmark[];
  /** Canonical face to camera, 4x4, column by column; x right, y up, z towards the viewer. */
  readonly matrix: readonly number[];
}

export interface Models {
  /**
   * Runs the models on one frame. `now` in ms, monotonic.
   * @throws Error where one of them fails
   */
  see(frame: ImageBitmap, now: number): Seen;
  /**
   * Finds faces in a still picture, px of the picture. `now` in ms, as for `see`.
   * @throws Error where the detector fails
   */
  findFaces(picture: OffscreenCanvas, now: number): readonly Detection[];
}

/** Faces are looked for in one part of the frame this often, ms: a second person does not blink in. */
const COUNT_EVERY = 200;

/** The person is looked for this often, ms: it costs as much as the landmarker again, and shoulders are slow. */
const MASK_EVERY = 300;
/** Long side of what the person is looked for in, px: the model takes 256 x 256, and more only costs. */
const MASK_LONG_SIDE = 256;

/** Tasks that have not started after this long never will: a failing instantiation leaves their promise open for ever. ms. */
const START_TIMEOUT = 30_000;

const WARM_UP_SIZE = 64;

/** What the loader looks for on the worker's global object. */
interface LoaderGlobals {
  ModuleFactory?: unknown;
  Module?: unknown;
  custom_dbg?: unknown;
}
const globals = globalThis as LoaderGlobals;

const silent = (): void => undefined;

/**
 * Tasks draws every frame through WebGL even on the CPU, and dies without a usable message where that is missing.
 * @throws CaptureError `assets-failed`
 */
export function demandWebGl(): void {
  const probe =
    typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(1, 1).getContext('webgl2');
  if (probe === null) throw new CaptureError('assets-failed', 'This browser has no WebGL 2 in workers.');
  probe.getExtension('WEBGL_lose_context')?.loseContext();
}

/**
 * Creates one task with its own instance of the runtime. The loader forgets its factory after every creation,
 * and an empty loader path makes it use ours instead of importing one.
 */
async function start<T>(
  runtime: WebAssembly.Module,
  create: (fileset: { wasmLoaderPath: string; wasmBinaryPath: string }) => Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failure = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The runtime did not start in time.')), START_TIMEOUT);
    globals.ModuleFactory = moduleFactory;
    globals.Module = {
      // The runtime logs every start; that is nothing for the console of somebody else's page.
      print: silent,
      printErr: silent,
      instantiateWasm: (
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
      ) => {
        WebAssembly.instantiate(runtime, imports).then((instance) => done(instance, runtime), reject);
        return {};
      },
    };
  });
  try {
    return await Promise.race([create({ wasmLoaderPath: '', wasmBinaryPath: '' }), failure]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts landmarker and detector and runs both once, because the first inference is many times slower. The person's
 * mask starts when the first face is seen: nothing that the first hints say needs it.
 * @throws CaptureError `assets-failed`
 */
export async function createModels({
  runtime,
  landmarker: bundle,
  detector: model,
  person,
}: Assets): Promise<Models> {
  globals.custom_dbg = silent;
  try {
    const landmarker = await start(runtime, (fileset) =>
      FaceLandmarker.createFromOptions(fileset, {
        baseOptions: { modelAssetBuffer: bundle, delegate: 'CPU' },
        runningMode: 'VIDEO',
        numFaces: 1,
        outputFacialTransformationMatrixes: true,
      }),
    );
    const detector = await start(runtime, (fileset) =>
      FaceDetector.createFromOptions(fileset, {
        baseOptions: { modelAssetBuffer: model, delegate: 'CPU' },
        runningMode: 'VIDEO',
      }),
    );
    const models = modelsOf(landmarker, detector, createPersonMask(runtime, person));
    const blank = new OffscreenCanvas(WARM_UP_SIZE, WARM_UP_SIZE);
    blank.getContext('2d')?.fillRect(0, 0, WARM_UP_SIZE, WARM_UP_SIZE);
    models.see(blank.transferToImageBitmap(), 0);
    return models;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CaptureError('assets-failed', `The models could not be started: ${why}`, { cause: error });
  }
}

/** Tells where the person is, once it has started; null until then, and for good where it cannot be started. */
type PersonMask = (frame: ImageBitmap, timestamp: number) => Plane | null;

function createPersonMask(runtime: WebAssembly.Module, model: Uint8Array): PersonMask {
  const easel = createEasel();
  let segmenter: ImageSegmenter | null = null;
  let begun = false;

  const begin = async (): Promise<void> => {
    segmenter = await start(runtime, (fileset) =>
      ImageSegmenter.createFromOptions(fileset, {
        baseOptions: { modelAssetBuffer: model, delegate: 'CPU' },
        runningMode: 'VIDEO',
        outputConfidenceMasks: true,
        outputCategoryMask: false,
      }),
    ).catch(() => null); // Level shoulders are not worth a journey that fails.
  };

  return (frame, timestamp) => {
    if (!begun) {
      begun = true;
      // Later, so that the answer to this frame does not wait for it.
      setTimeout(() => void begin(), 0);
    }
    if (segmenter === null) return null;
    easel.draw(
      frame,
      { x: 0, y: 0, width: frame.width, height: frame.height },
      fitLongSide(frame, MASK_LONG_SIDE),
    );
    let plane: Plane | null = null;
    segmenter.segmentForVideo(easel.canvas, timestamp, (result) => {
      const mask = result.confidenceMasks?.[0];
      // Copied, because what the runtime lends is gone after this callback.
      if (mask) plane = { data: mask.getAsFloat32Array().slice(), width: mask.width, height: mask.height };
      result.close();
    });
    return plane;
  };
}

/** A canvas that parts of frames are drawn on for the models. */
interface Easel {
  readonly canvas: OffscreenCanvas;
  /** Draws a part of the frame at a size, px. */
  draw(frame: ImageBitmap, part: Box, size: Size): void;
}

function createEasel(): Easel {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d');
  return {
    canvas,
    draw(frame, { x, y, width, height }, size) {
      if (context === null) throw new Error('No 2D canvas in this worker.');
      if (canvas.width !== size.width || canvas.height !== size.height) {
        canvas.width = size.width;
        canvas.height = size.height;
      }
      context.drawImage(frame, x, y, width, height, 0, 0, size.width, size.height);
    },
  };
}

/** How much of the frame's long side is looked at from near by, and how far above its middle: far people stand there. */
const NEAR_BY = { side: 0.55, above: 0.1 };
/** A face that fills this much of the near view's width is found in the whole frame as well. */
const NEAR_ENOUGH = 0.4;

/**
 * The landmarker, which does not find a face whose width is under a tenth of the frame: where there is none, it looks
 * once more at the middle of the frame from near by, and stays there while the face is as far away.
 */
function createFinder(
  landmarker: FaceLandmarker,
): (frame: ImageBitmap, timestamp: number) => SeenFace | null {
  const easel = createEasel();
  let near = false;

  const find = (picture: ImageBitmap | OffscreenCanvas, timestamp: number, part: Box): SeenFace | null => {
    const { faceLandmarks, facialTransformationMatrixes } = landmarker.detectForVideo(picture, timestamp);
    const [landmarks] = faceLandmarks;
    const [matrix] = facialTransformationMatrixes;
    if (landmarks === undefined || matrix === undefined) return null;
    const points = landmarks.map(({ x, y, z }) => ({
      x: part.x + x * part.width,
      y: part.y + y * part.height,
      z: z * part.width,
    }));
    return { points, matrix: matrix.data };
  };

  const findNear = (frame: ImageBitmap, timestamp: number): SeenFace | null => {
    const side = Math.round(NEAR_BY.side * Math.max(frame.width, frame.height));
    const [width, height] = [Math.min(side, frame.width), Math.min(side, frame.height)];
    const top = Math.round(frame.height * (0.5 - NEAR_BY.above) - height / 2);
    const part = { x: Math.round((frame.width - width) / 2), y: Math.max(0, top), width, height };
    easel.draw(frame, part, part);
    const face = find(easel.canvas, timestamp, part);
    near = face !== null && boxOf(face.points).width < NEAR_ENOUGH * width;
    return face;
  };

  return (frame, timestamp) => {
    const whole = { x: 0, y: 0, width: frame.width, height: frame.height };
    const first = near ? findNear(frame, timestamp) : find(frame, timestamp, whole);
    if (first !== null) return first;
    // Half a millisecond later, because Tasks refuses a time stamp that does not rise.
    return near ? find(frame, timestamp + 0.5, whole) : findNear(frame, timestamp + 0.5);
  };
}

/** What the detector finds, px of the picture. */
function detectionsOf(
  detector: FaceDetector,
  picture: OffscreenCanvas,
  timestamp: number,
): readonly Detection[] {
  return detector
    .detectForVideo(picture, timestamp)
    .detections.flatMap(({ boundingBox: box, categories: [category] }) =>
      box === undefined || category === undefined
        ? []
        : [{ x: box.originX, y: box.originY, width: box.width, height: box.height, score: category.score }],
    );
}

function modelsOf(landmarker: FaceLandmarker, detector: FaceDetector, mask: PersonMask): Models {
  const findFace = createFinder(landmarker);
  const easel = createEasel();
  const crowd = createCrowd();
  let timestamp = 0;
  // Tasks refuses a time stamp that does not rise.
  const rise = (now: number): number => (timestamp = Math.max(timestamp + 1, now));
  let countedAt = -Infinity;
  let maskedAt = -Infinity;
  let putOff = false;
  let others: readonly Box[] = [];
  return {
    see(frame, now) {
      rise(now);
      const face = findFace(frame, timestamp);
      const main = face === null ? null : boxOf(face.points);
      const isDue = (last: number, every: number): boolean => now - last >= every || now < last;
      const counts = isDue(countedAt, COUNT_EVERY);
      if (counts) {
        countedAt = now;
        others = crowd.look(frame, now, main, (part) => {
          easel.draw(frame, part, part);
          return detectionsOf(detector, easel.canvas, timestamp);
        });
      }
      let person: Plane | null = null;
      if (face !== null && isDue(maskedAt, MASK_EVERY)) {
        // Put off by one frame at most, so that no frame of a flowing picture pays for both.
        putOff = counts && !putOff;
        if (!putOff) person = mask(frame, timestamp);
        if (person !== null) maskedAt = now;
      }
      return { faces: main === null ? others : [main, ...others], face, person };
    },
    findFaces: (picture, now) => detectionsOf(detector, picture, rise(now)),
  };
}
