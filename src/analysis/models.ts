import { FaceLandmarker, ImageSegmenter } from '@mediapipe/tasks-vision';
import { type Box, boxRound, fitLongSide, wholeOf } from '../domain/geometry.ts';
import type { Landmark } from '../domain/observation.ts';
import type { Attention } from './analyser.ts';
import { type Assets, bundleWith, type ModelName } from './assets.ts';
import { createCrowd } from './crowd.ts';
import { createFinder, type Detector, type Find, startDetector } from './detector.ts';
import type { Plane } from './pixels.ts';
import { headPose, type HeadPose } from './pose.ts';
import { createPixelCanvas } from './pixel-canvas.ts';
import type { ReadPixels } from './pixel-reader.ts';
import { isTrap, type Started, startingModels, startTask } from './runtime.ts';
import { createEasel, createWebGlCanvas } from './surface.ts';

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
  readonly pose: HeadPose;
}

export interface Models {
  /** Started before all others. */
  readonly detector: Detector;
  /** Resolves once the landmarker has started, or could not be; whoever asks starts it. */
  ready(): Promise<void>;
  /**
   * Runs the models on one frame. `now` in ms, monotonic. With more than a glance, somebody else is looked for as well,
   * in one part of the frame.
   * @returns null while the landmarker is starting, and for a first frame that is given less than a study
   * @throws Error where one of them fails, also while it started
   */
  see(frame: ImageBitmap, now: number, attention: Attention): Seen | null;
  /** Frees everything. Nothing may be asked afterwards. */
  close(): void;
}

/** True where a preliminary answer will not do. */
export const waitsForLandmarks = (attention: Attention): boolean =>
  attention === 'study' || attention === 'detail';

/** The person is looked for this often, ms: it costs more than the landmarker, and shoulders are slow. */
const MASK_EVERY = 1000;
/** Long side of what the person is looked for in, px: the model takes 256 x 256, and more only costs. */
const MASK_LONG_SIDE = 256;

/** What the models of full guidance are started with, besides the assets. */
interface ModelOptions {
  readonly readPixels: ReadPixels;
  /** Fetches what starts later. */
  readonly fetchModel: (name: ModelName) => Promise<Uint8Array>;
  /** As `AnalyserOptions` has it. */
  readonly faces: boolean;
}

/**
 * Starts the detector, by which the first hints are told. The landmarker is fetched and starts once the first frame of a
 * face is answered or nothing else is to do, the person's mask when the first face was seen.
 * @throws CaptureError `analysis-failed`
 */
export function createModels(
  assets: Assets,
  { readPixels, fetchModel, faces }: ModelOptions,
): Promise<Models> {
  const { runtime } = assets;
  return startingModels(async (keep) => {
    const detector = keep(
      await startDetector(assets, readPixels, () => {
        if (faces) landmarker.begin();
      }),
    );
    const landmarker = keep(
      startLater(async () => {
        const bundle = bundleWith(assets.detector, await fetchModel('landmarker'));
        return startTask(
          runtime,
          () => createPixelCanvas(readPixels),
          ({ fileset, canvas }) =>
            FaceLandmarker.createFromOptions(fileset, {
              baseOptions: { modelAssetBuffer: bundle, delegate: 'CPU' },
              runningMode: 'VIDEO',
              numFaces: 1,
              canvas,
            }),
        );
      }),
    );
    const mask = keep(createPersonMask(runtime, () => fetchModel('person')));
    return modelsOf(landmarker, detector, mask);
  });
}

/** A task that starts later than the others. */
interface Late<Task> {
  /** Starts it, unless it is started already, or closed. */
  readonly begin: () => void;
  /** Resolves once it has started, or could not be. */
  readonly settled: () => Promise<void>;
  /**
   * Null until it has started.
   * @throws Error where it cannot be started
   */
  readonly task: () => Task | null;
  readonly close: () => void;
}

function startLater<Task>(start: () => Promise<Started<Task>>): Late<Task> {
  let starting: Promise<void> | null = null;
  let started: Started<Task> | null = null;
  let failure: { readonly cause: unknown } | null = null;
  let closed = false;
  const run = async (): Promise<void> => {
    try {
      const late = await start();
      if (closed) late.close();
      else started = late;
    } catch (cause) {
      failure = { cause };
    }
  };
  const begin = (): Promise<void> => (starting ??= closed ? Promise.resolve() : run());
  return {
    begin: () => void begin(),
    settled: begin,
    task() {
      if (failure !== null) throw failure.cause;
      return started?.task ?? null;
    },
    close() {
      closed = true;
      started?.close();
    },
  };
}

/** Tells where the person is, once it has started; null until then, and for good where it cannot be started, as without WebGL. */
interface PersonMask {
  /** @throws Error where the runtime broke off, also while it started */
  see(frame: ImageBitmap, timestamp: number): Plane | null;
  close(): void;
}

function createPersonMask(runtime: WebAssembly.Module, fetchModel: () => Promise<Uint8Array>): PersonMask {
  const easel = createEasel();
  const late = startLater(async () => {
    const model = await fetchModel();
    return startTask(runtime, createWebGlCanvas, ({ fileset, canvas }) =>
      ImageSegmenter.createFromOptions(fileset, {
        baseOptions: { modelAssetBuffer: model, delegate: 'CPU' },
        runningMode: 'VIDEO',
        outputConfidenceMasks: true,
        outputCategoryMask: false,
        canvas,
      }),
    );
  });
  const segmenter = (): ImageSegmenter | null => {
    try {
      return late.task();
    } catch (error) {
      // Level shoulders are not worth a journey that fails; but the full runtime may have what this one lacks.
      if (isTrap(error)) throw error;
      return null;
    }
  };

  return {
    see(frame, timestamp) {
      const task = segmenter();
      if (task === null) {
        // Later, as the landmarker.
        setTimeout(late.begin, 0);
        return null;
      }
      easel.draw(frame, wholeOf(frame), fitLongSide(frame, MASK_LONG_SIDE));
      let plane: Plane | null = null;
      task.segmentForVideo(easel.canvas, timestamp, (result) => {
        const mask = result.confidenceMasks?.[0];
        // Copied, because what the runtime lends is gone after this callback.
        if (mask) plane = { data: mask.getAsFloat32Array().slice(), width: mask.width, height: mask.height };
        result.close();
      });
      return plane;
    },
    close: late.close,
  };
}

/** The main face as the landmarker sees it. */
const findBy =
  (landmarker: FaceLandmarker): Find<SeenFace> =>
  (picture, timestamp, part) => {
    const [landmarks] = landmarker.detectForVideo(picture, timestamp).faceLandmarks;
    if (landmarks === undefined) return null;
    const points = landmarks.map(({ x, y, z }) => ({
      x: part.x + x * part.width,
      y: part.y + y * part.height,
      z: z * part.width,
    }));
    return { points, pose: headPose(landmarks, part) };
  };

function modelsOf(landmarker: Late<FaceLandmarker>, detector: Detector, mask: PersonMask): Models {
  let findFace: ((frame: ImageBitmap, timestamp: number) => SeenFace | null) | null = null;
  const crowd = createCrowd();
  let isFirst = true;
  let maskedAt = -Infinity;
  let putOff = false;
  let others: readonly Box[] = [];
  return {
    detector,
    ready: landmarker.settled,
    see(frame, now, attention) {
      const task = landmarker.task();
      // Later, so that the answer to this frame does not wait for it.
      if (task === null) setTimeout(landmarker.begin, 0);
      // The first run takes many times longer than the others, and a first hint need not wait for it.
      const isHasty = isFirst && !waitsForLandmarks(attention);
      isFirst = false;
      if (task === null || isHasty) return null;
      findFace ??= createFinder(findBy(task), ({ points }) => boxRound(points).width);
      const timestamp = detector.stamp(now);
      const face = findFace(frame, timestamp);
      const main = face === null ? null : boxRound(face.points);
      if (attention !== 'glance') {
        others = crowd.look(frame, now, main, (part) => detector.findInPart(frame, part, timestamp));
      }
      let person: Plane | null = null;
      if (face !== null && (now - maskedAt >= MASK_EVERY || now < maskedAt)) {
        // Put off by one frame at most, so that no frame of a flowing picture pays for both.
        putOff = attention === 'look' && !putOff;
        if (!putOff) person = mask.see(frame, timestamp);
        if (person !== null) maskedAt = now;
      }
      return { faces: main === null ? others : [main, ...others], face, person };
    },
    close() {
      for (const each of [landmarker, detector, mask]) each.close();
    },
  };
}
