import { type Box, guideInPicture, scaleBox, sightSize, type Size } from '../domain/geometry.ts';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { Observation } from '../domain/observation.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import { STEP_TRAITS, type Subject } from '../domain/steps.ts';
import { createPart } from './part.ts';
import { scaledToSight } from './surface.ts';

/** A picture of the camera, unmirrored: at the size at which it is analysed, or as the camera gave it. */
export type Frame = ImageBitmap | VideoFrame;

/** What the page's session asks of the analysis. */
export interface Analyser {
  /**
   * Loads runtime and models, each checked against its hash before it is run, and runs one warm-up inference.
   * @param onProgress fraction 0..1 of all asset bytes that have arrived; 1 once the models are ready.
   * @throws CaptureError `analysis-failed` where this browser, page or device cannot do it on this rung,
   * `assets-failed` where the files cannot be had or are not those of this build
   */
  open(onProgress: (fraction: number) => void): Promise<void>;
  /**
   * Judges one frame. Takes ownership of it and closes it. One call at a time.
   * @param subject what is looked for
   * @param guide the guide in px of the size at which the frame is analysed
   * @param now ms, monotonic
   * @param attention `study` where it is left out
   * @throws CaptureError `analysis-failed`; after a crash or a stall every later call fails the same way
   */
  analyse(
    frame: Frame,
    subject: Subject,
    guide: Box,
    now: number,
    attention?: Attention,
  ): Promise<Observation>;
  /** Frees everything. May be called at any time, more than once; calls under way reject with an AbortError. */
  close(): void;
}

/** How closely a face is looked at; of a card all is measured in each frame. */
export type Attention =
  /** For a hint: light, cover and sharpness may be those of a frame before. Preliminary while the landmarks start. */
  | 'glance'
  /** The pixels of this frame as well, so that it may be the photo. */
  | 'look'
  /** Besides, waits for the landmarks. */
  | 'study'
  /** Besides, adds the `detail`, which costs a copy of the face. */
  | 'detail';

/** Options of `createAnalyser`. */
export interface AnalyserOptions {
  /** Absolute URL of the folder with manifest.json, worker.js, the WASM and the models; ends with a slash. */
  readonly assetsBase: URL;
  /** Of the folder's manifest.json: `sha256-` and base64. null for the folder of this build. */
  readonly integrity: string | null;
  readonly rung: AnalysisRung;
  /** True where faces are going to be looked for: what only they need is fetched as soon as there is time. */
  readonly faces?: boolean;
  readonly signal: AbortSignal;
  readonly limits?: AnalysisLimits;
}

/** After how long without an answer something has stalled, ms. Time in which the page slept does not count. */
export interface AnalysisLimits {
  /** No byte of any file. */
  readonly download: number;
  /** Nothing was heard from worker or models while they start. */
  readonly start: number;
  /** One of the first frames was not answered. */
  readonly firstFrames: number;
  /** A later frame was not answered. */
  readonly frame: number;
}

/** A picture as it is analysed. */
export interface Sight {
  /** Closed by whoever analyses it. */
  readonly frame: Frame;
  /** The size of the picture itself, px. */
  readonly of: Size;
}

/**
 * A picture of any size as it is analysed; it stays the caller's.
 * @throws CaptureError `analysis-failed`
 */
export async function sightOf(picture: ImageBitmap): Promise<Sight> {
  const of = { width: picture.width, height: picture.height };
  const frame = await scaledToSight(picture, of).catch((cause: unknown) => {
    throw new CaptureError('analysis-failed', 'The frame could not be scaled.', { cause });
  });
  return { frame, of };
}

/**
 * Judges one picture of the camera, with the guide where the person sees it.
 * @param now ms, monotonic
 * @returns what was seen, and the guide in px of the analysis frame
 * @throws CaptureError `analysis-failed`
 */
export async function observe(
  analyser: Analyser,
  step: Step,
  { frame, of }: Sight,
  now: number,
  attention?: Attention,
): Promise<{ observation: Observation; guide: Box }> {
  const guide = scaleBox(guideInPicture(step, of), sightSize(of).width / of.width);
  const { subject } = STEP_TRAITS[step];
  return { observation: await analyser.analyse(frame, subject, guide, now, attention), guide };
}

/** Requests by their address, and how each is ended. */
export type Begun = Map<string, { readonly response: Promise<Response>; readonly stopping: AbortController }>;

/**
 * What a start asks for first, of the folder of this build and of another, whose list says what there is. `assets.ts` has
 * the names as well; here they are written out, so that the page need not load it.
 */
const FIRST_FILES = {
  own: ['worker.js', 'vision_wasm_slim.wasm.gz', 'face_detector.tflite.gz'],
  other: ['manifest.json', 'worker.js'],
} as const;

/** Asks for them while the code that reads them is loaded: on a phone's network that is a tenth of a second or two. */
function beginRequests({ assetsBase, integrity }: AnalyserOptions, signal: AbortSignal): Begun {
  const packs = typeof DecompressionStream !== 'undefined' && traps === 0;
  const files = integrity !== null ? FIRST_FILES.other : packs ? FIRST_FILES.own : [];
  return new Map(
    files.map((file) => {
      const stopping = new AbortController();
      signal.addEventListener('abort', () => stopping.abort(signal.reason));
      const { href } = new URL(file, assetsBase);
      const response = fetch(href, { signal: stopping.signal });
      // Whoever takes it is told.
      response.catch(() => undefined);
      return [href, { response, stopping }];
    }),
  );
}

let traps = 0;

/** How often on this page the slim runtime lacked something, and the full one took its place. */
export const trapsSoFar = (): number => traps;

const loadAnalysis = createPart('analysis', () => import('./analysis.ts'));

/** An analyser that runs where its rung says. Its code is loaded with `open`, as no page needs it before. */
export function createAnalyser(options: AnalyserOptions): Analyser {
  const { signal } = options;
  const closing = new AbortController();
  const onAbort = (): void => closing.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { signal: closing.signal });
  let analysis: Omit<Analyser, 'close'> | undefined;
  return {
    async open(onProgress) {
      closing.signal.throwIfAborted();
      const aborted = new Promise<never>((_, reject) =>
        closing.signal.addEventListener('abort', () => reject(closing.signal.reason as Error)),
      );
      const begun = beginRequests(options, closing.signal);
      const loading = loadAnalysis().catch((cause: unknown) => {
        throw new CaptureError('assets-failed', 'The code of the analysis could not be loaded.', { cause });
      });
      const { startAnalysis } = await Promise.race([loading, aborted]);
      analysis = startAnalysis({
        ...options,
        signal: closing.signal,
        begun,
        // What this device lacks once it lacks again.
        runtime: traps === 0 ? 'slim' : 'full',
        onTrap: () => traps++,
      });
      await analysis.open(onProgress);
    },
    async analyse(frame, ...rest) {
      if (analysis !== undefined) return analysis.analyse(frame, ...rest);
      frame.close();
      closing.signal.throwIfAborted();
      throw new CaptureError('analysis-failed', 'The analysis is not open.');
    },
    close() {
      closing.abort(new DOMException('The analysis was closed.', 'AbortError'));
    },
  };
}
