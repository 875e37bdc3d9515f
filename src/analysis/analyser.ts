import { type Box, fitLongSide, guideInPicture, scaleBox } from '../domain/geometry.ts';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { Observation } from '../domain/observation.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import { STEP_TRAITS, type Subject } from '../domain/steps.ts';
import { type Downloads, entryOf, fetchManifest, type Manifest, startDownloads } from './download.ts';
import { type Host, obstacleTo, type Place, PLACES, startHost, WORKER_FILE } from './host.ts';
import { startWatch } from './watch.ts';
import type { Reply } from './worker.ts';

/** The integrity of manifest.json as this build made it, put in by the build; null where the assets are not built. */
declare const ASSETS_INTEGRITY: string | null;

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
   * @throws CaptureError `analysis-failed`; after a crash or a stall every later call fails the same way
   */
  analyse(
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed?: boolean,
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

/**
 * On two slow cores a frame takes 20 ms, a start 1 s. A phone that is twenty times as slow takes 400 ms and 20 s; frames
 * more than 1 s apart never make a hold, so after 8 s nobody would get a photo anyway. The first frames compile what they
 * need, and the person's mask starts with the first face.
 */
const LIMITS: AnalysisLimits = { download: 15_000, start: 30_000, firstFrames: 20_000, frame: 8000 };

/** So many frames are the first ones. */
const FIRST_FRAMES = 5;

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
  detailed = false,
): Promise<{ observation: Observation; guide: Box }> {
  const size = fitLongSide(frame, ANALYSIS_LONG_SIDE);
  const small = await createImageBitmap(frame, {
    resizeWidth: size.width,
    resizeHeight: size.height,
    resizeQuality: 'medium',
  });
  const guide = scaleBox(guideInPicture(step, frame), size.width / frame.width);
  const { subject } = STEP_TRAITS[step];
  return { observation: await analyser.analyse(small, subject, guide, now, detailed), guide };
}

/** An analyser that runs where its rung says. It starts with `open`. */
export function createAnalyser({
  assetsBase,
  integrity,
  rung,
  signal,
  limits = LIMITS,
}: AnalyserOptions): Analyser {
  const downloads = startDownloads({ base: assetsBase, stallAfter: limits.download });
  let host: Host | undefined;
  let ended: { readonly reason: unknown } | undefined;
  const isEnded = (): boolean => ended !== undefined;
  let answered = 0;
  const underWay = new Set<(reason: unknown) => void>();

  /** Everything that waits for the host learns that it is gone; its own promises would stay open for ever. */
  const drop = (reason: unknown): void => {
    host?.stop();
    host = undefined;
    for (const reject of underWay) reject(reason);
    underWay.clear();
  };
  const end = (reason: unknown): void => {
    if (ended !== undefined) return;
    ended = { reason };
    signal.removeEventListener('abort', onAbort);
    downloads.end();
    drop(reason);
  };
  const onAbort = (): void => end(signal.reason);
  signal.addEventListener('abort', onAbort);

  /** Settles with the work, or as soon as the host is dropped. */
  async function unlessDropped<T>(work: () => Promise<T>): Promise<T> {
    if (ended !== undefined) throw ended.reason;
    let abandon: (reason: unknown) => void = () => undefined;
    const dropped = new Promise<never>((_, reject) => underWay.add((abandon = reject)));
    try {
      return await Promise.race([work(), dropped]);
    } finally {
      underWay.delete(abandon);
    }
  }

  /** Starts the host on a thread; whatever fails, no host is left. */
  async function openOn(place: Place, folder: Folder, onProgress: (fraction: number) => void): Promise<void> {
    let over = false;
    const watch = startWatch(limits.start, () =>
      drop(broken(`The analysis did not start (${place}): nothing was heard for ${limits.start} ms.`)),
    );
    const begin = async (): Promise<void> => {
      const started = await startHost(place, {
        url: new URL(WORKER_FILE, assetsBase),
        bytes: folder.worker,
        frameLimit: limits.frame,
        onBroken: (why) => (over ? end : drop)(broken(why)),
      });
      if (over) {
        started.stop();
        return;
      }
      host = started;
      const request = {
        assetsBase: assetsBase.href,
        manifest: folder.manifest,
        rung,
        stallAfter: limits.download,
      };
      const reply = await started.api.open(request, (fraction) => {
        watch.feed();
        onProgress(fraction);
      });
      valueOf(reply);
    };
    try {
      await unlessDropped(begin);
    } catch (error) {
      drop(error);
      if (error instanceof CaptureError || isEnded()) throw error;
      throw broken(`${WORKER_FILE} could not be started (${place}).`, error);
    } finally {
      over = true;
      watch.stop();
    }
  }

  return {
    async open(onProgress) {
      if (signal.aborted) end(signal.reason);
      try {
        const places = await placesFor(rung);
        const folder = await unlessDropped(() => fetchFolder(downloads, integrity ?? ASSETS_INTEGRITY));
        for (const place of places) {
          try {
            await openOn(place, folder, onProgress);
            break;
          } catch (error) {
            if (place === places.at(-1) || !isBroken(error)) throw error;
          }
        }
      } catch (error) {
        end(error);
        throw error;
      }
      downloads.end();
      onProgress(1);
    },
    async analyse(frame, subject, guide, now, detailed = false) {
      const { api } = host ?? {};
      if (api === undefined) frame.close();
      if (ended !== undefined) throw ended.reason;
      if (api === undefined) throw broken('The analysis is not open.');
      const limit = answered < FIRST_FRAMES ? limits.firstFrames : limits.frame;
      const watch = startWatch(limit, () => end(broken(`A frame was not answered for ${limit} ms.`)));
      try {
        const reply = await unlessDropped(() => api.analyse(frame, subject, guide, now, detailed));
        answered++;
        return valueOf(reply);
      } catch (cause) {
        // A bitmap that is closed already fails on the way to the worker, before any reply.
        const isForeign = !isEnded() && !(cause instanceof CaptureError);
        throw isForeign ? broken('The frame did not reach the worker.', cause) : cause;
      } finally {
        watch.stop();
      }
    },
    close() {
      end(new DOMException('The analysis was closed.', 'AbortError'));
    },
  };
}

const broken = (message: string, cause?: unknown): CaptureError =>
  new CaptureError('analysis-failed', message, { cause });

const isBroken = (error: unknown): boolean =>
  error instanceof CaptureError && error.code === 'analysis-failed';

function valueOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw new CaptureError(reply.code, reply.message);
}

/**
 * The threads on which a rung may run here.
 * @throws CaptureError `analysis-failed` where it may on none
 */
async function placesFor(rung: AnalysisRung): Promise<readonly Place[]> {
  const looked = await Promise.all(
    PLACES[rung].map(async (place) => ({ place, obstacle: await obstacleTo(place) })),
  );
  const places = looked.filter(({ obstacle }) => obstacle === null).map(({ place }) => place);
  if (places.length > 0) return places;
  const why = looked.map(({ place, obstacle }) => `${place}: ${obstacle ?? ''}`).join('; ');
  throw broken(`This browser or page cannot run the analysis (${why}).`);
}

/** A folder whose manifest and worker were checked. */
interface Folder {
  readonly manifest: Manifest;
  readonly worker: Uint8Array<ArrayBuffer>;
}

/** @throws CaptureError `assets-failed` */
async function fetchFolder(downloads: Downloads, integrity: string | null): Promise<Folder> {
  if (integrity === null) throw new CaptureError('assets-failed', 'This build was made without its assets.');
  const manifest = await fetchManifest(downloads, integrity);
  return { manifest, worker: await downloads.file(WORKER_FILE, entryOf(manifest, WORKER_FILE)) };
}
