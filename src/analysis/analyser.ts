import { type Box, fitLongSide, guideInPicture, scaleBox } from '../domain/geometry.ts';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { Observation } from '../domain/observation.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import { STEP_TRAITS, type Subject } from '../domain/steps.ts';
import { createPart } from './part.ts';

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
   * Judges one frame. Takes ownership of the bitmap and closes it. One call at a time.
   * @param frame picture of the camera, unmirrored, long side about 640 px
   * @param subject what is looked for
   * @param guide the guide in px of `frame`
   * @param now ms, monotonic
   * @param detailed true adds the `detail` of a face, which costs a copy of it
   * @param hasty true takes a preliminary answer on a face while the landmarks are still starting
   * @throws CaptureError `analysis-failed`; after a crash or a stall every later call fails the same way
   */
  analyse(
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed?: boolean,
    hasty?: boolean,
  ): Promise<Observation>;
  /** Frees everything. May be called at any time, more than once; calls under way reject with an AbortError. */
  close(): void;
}

/** Options of `createAnalyser`. */
export interface AnalyserOptions {
  /** Absolute URL of the folder with manifest.json, worker.js, the WASM and the models; ends with a slash. */
  readonly assetsBase: URL;
  /** Of the folder's manifest.json: `sha256-` and base64. null for the folder of this build. */
  readonly integrity: string | null;
  readonly rung: AnalysisRung;
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

/** Long side of the frames that are analysed, px: enough for a far face, small enough for a cheap phone. */
const ANALYSIS_LONG_SIDE = 640;

/**
 * Judges one picture of the camera, whatever its size, with the guide where the person sees it.
 * @param frame stays the caller's
 * @param now ms, monotonic
 * @returns what was seen, and the guide in px of the analysis frame
 * @throws CaptureError `analysis-failed`
 */
export async function observe(
  analyser: Analyser,
  step: Step,
  frame: ImageBitmap,
  now: number,
  { detailed = false, hasty = false }: { readonly detailed?: boolean; readonly hasty?: boolean } = {},
): Promise<{ observation: Observation; guide: Box }> {
  const size = fitLongSide(frame, ANALYSIS_LONG_SIDE);
  const small = await createImageBitmap(frame, {
    resizeWidth: size.width,
    resizeHeight: size.height,
    resizeQuality: 'medium',
  }).catch((cause: unknown) => {
    throw new CaptureError('analysis-failed', 'The frame could not be scaled.', { cause });
  });
  const guide = scaleBox(guideInPicture(step, frame), size.width / frame.width);
  const { subject } = STEP_TRAITS[step];
  return { observation: await analyser.analyse(small, subject, guide, now, detailed, hasty), guide };
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
      const loading = loadAnalysis().catch((cause: unknown) => {
        throw new CaptureError('assets-failed', 'The code of the analysis could not be loaded.', { cause });
      });
      const { startAnalysis } = await Promise.race([loading, aborted]);
      analysis = startAnalysis({
        ...options,
        signal: closing.signal,
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
