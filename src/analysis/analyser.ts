import type { Box } from '../domain/geometry.ts';
import type { Observation } from '../domain/observation.ts';

/** What the page's session asks of the analysis. One implementation runs in a module worker. */
export interface Analyser {
  /**
   * Loads runtime and models and runs one warm-up inference.
   * @param onProgress fraction 0..1 of all asset bytes that have arrived.
   * @throws CaptureError `assets-failed`
   */
  open(onProgress: (fraction: number) => void): Promise<void>;
  /**
   * Judges one frame. Takes ownership of the bitmap and closes it. One call at a time.
   * @param frame picture of the camera, unmirrored, long side about 640 px
   * @param kind what is looked for
   * @param guide the guide in px of `frame`
   * @param now ms, monotonic
   * @throws CaptureError `analysis-failed`
   */
  analyse(frame: ImageBitmap, kind: Observation['kind'], guide: Box, now: number): Promise<Observation>;
  /** Ends the worker. May be called at any time, more than once. */
  close(): void;
}

/** Options of `createAnalyser`. */
export interface AnalyserOptions {
  /** Absolute URL of the folder with worker.js, the WASM and the models; ends with a slash. */
  readonly assetsBase: URL;
  readonly signal: AbortSignal;
}
