import { FaceDetector, FaceLandmarker, type NormalizedLandmark } from '@mediapipe/tasks-vision';
import moduleFactory from '@mediapipe/tasks-vision/vision_wasm_module_internal.js';
import type { Box } from '../domain/geometry.ts';
import type { Landmark } from '../domain/observation.ts';
import { CaptureError } from '../domain/result.ts';
import type { Assets } from './assets.ts';

/** What the models say of one frame. */
export interface Seen {
  readonly faces: readonly Box[];
  readonly face: SeenFace | null;
}

/** The main face, as the landmarker gives it. */
export interface SeenFace {
  /** 478 points, px of the frame; the last ten only stand in for the irises. */
  readonly points: readonly Landmark[];
  /** Canonical face to camera, 4x4, column by column; x right, y up, z towards the viewer. */
  readonly matrix: readonly number[];
}

export interface Models {
  /** Runs the models on one frame. `now` in ms, monotonic. */
  see(frame: ImageBitmap, now: number): Seen;
}

/** Faces are counted this often, ms: the detector costs as much as the landmarker, and a second person does not blink in. */
const COUNT_EVERY = 300;

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
 * Starts landmarker and detector and runs both once, because the first inference is many times slower.
 * @throws CaptureError `assets-failed`
 */
export async function createModels({
  runtime,
  landmarker: bundle,
  detector: model,
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
    const models = modelsOf(landmarker, detector);
    const blank = new OffscreenCanvas(WARM_UP_SIZE, WARM_UP_SIZE);
    blank.getContext('2d')?.fillRect(0, 0, WARM_UP_SIZE, WARM_UP_SIZE);
    models.see(blank.transferToImageBitmap(), 0);
    return models;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CaptureError('assets-failed', `The models could not be started: ${why}`, { cause: error });
  }
}

function modelsOf(landmarker: FaceLandmarker, detector: FaceDetector): Models {
  let timestamp = 0;
  let countedAt = -Infinity;
  let faces: readonly Box[] = [];
  return {
    see(frame, now) {
      // Tasks refuses a time stamp that does not rise.
      timestamp = Math.max(timestamp + 1, now);
      const result = landmarker.detectForVideo(frame, timestamp);
      const landmarks = result.faceLandmarks[0];
      const matrix = result.facialTransformationMatrixes[0];
      if (now - countedAt >= COUNT_EVERY || now < countedAt) {
        countedAt = now;
        faces = detector
          .detectForVideo(frame, timestamp)
          .detections.flatMap(({ boundingBox }) => (boundingBox === undefined ? [] : [boundingBox]))
          .map(({ originX, originY, width, height }) => ({ x: originX, y: originY, width, height }))
          .sort((a, b) => b.width - a.width);
      }
      const toPixels = ({ x, y, z }: NormalizedLandmark): Landmark => ({
        x: x * frame.width,
        y: y * frame.height,
        z: z * frame.width,
      });
      const face =
        landmarks === undefined || matrix === undefined
          ? null
          : { points: landmarks.map(toPixels), matrix: matrix.data };
      return { faces, face };
    },
  };
}
