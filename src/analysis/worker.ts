import { expose } from 'comlink';
import type { Box } from '../domain/geometry.ts';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { FaceObservation, Observation } from '../domain/observation.ts';
import { CaptureError } from '../domain/result.ts';
import type { Subject } from '../domain/steps.ts';
import type { Attention, Frame } from './analyser.ts';
import {
  type AssetBytes,
  type Assets,
  compiled,
  fetchModel,
  fetchRuntime,
  type RuntimeName,
} from './assets.ts';
import { createCardMeter } from './card.ts';
import type { Detection } from './crowd.ts';
import type { Detector } from './detector.ts';
import type { Manifest } from './download.ts';
import { createFaceMeter, type FaceMeter } from './face.ts';
import { createBoxMeter, createBoxModels } from './face-box.ts';
import { createModels, waitsForLandmarks } from './models.ts';
import { createPixelReader } from './pixel-reader.ts';
import type { Picture } from './pixels.ts';
import { isTrap } from './runtime.ts';

/*
 * The analysis itself: models and pixel arithmetic, from a bitmap to an Observation. This file runs in a worker, or is
 * imported on the page's main thread where workers cannot do it.
 */

/** An answer that survives the structured clone, which would strip a CaptureError of its code. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: 'assets-failed' | 'analysis-failed'; readonly message: string };

/** What is started, and where more is. */
export interface OpenRequest {
  /** The folder that the assets are of. */
  readonly assetsBase: string;
  /** Checked by the page. */
  readonly manifest: Manifest;
  /** On `face-box` the detector alone. */
  readonly rung: AnalysisRung;
  /** As `AnalyserOptions` has it. */
  readonly faces: boolean;
  /** The runtime to begin with. */
  readonly runtime: RuntimeName;
  /** That runtime, and the detector. */
  readonly assets: AssetBytes | Assets;
  /** As `DownloadOptions` has it, ms. */
  readonly stallAfter: number;
}

/** What is told where the slim runtime lacks something: `trap` at first, then `arriving` while the full one is fetched. */
export type OpenNews = 'trap' | 'arriving';

/** What the page may call. */
export interface WorkerApi {
  /** Starts what the rung needs. */
  readonly open: (request: OpenRequest, tell: (news: OpenNews) => void) => Promise<Reply<null>>;
  /** Closes the frame. Takes as long as a start where the runtime lacks something that this frame needs. */
  analyse(
    frame: Frame,
    subject: Subject,
    guide: Box,
    now: number,
    attention: Attention,
  ): Promise<Reply<Observation>>;
  /** Frees everything; for the main thread, a worker is ended as a whole. */
  readonly close: () => void;
}

async function reply<T>(work: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    const isAssets = error instanceof CaptureError && error.code === 'assets-failed';
    // Messages of the runtime tell of calls and files only, never of what is in the picture.
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, code: isAssets ? 'assets-failed' : 'analysis-failed', message };
  }
}

/** The models of a rung, and the meter that goes with them. */
interface Eyes {
  face(frame: ImageBitmap, now: number, attention: Attention): FaceObservation;
  /** Resolves once faces are seen as well as on this rung. */
  ready(): Promise<void>;
  readonly detector: Detector;
  close(): void;
}

/** The analysis of this thread. */
export function createAnalysis(): WorkerApi {
  const closing = new AbortController();
  let eyes: Eyes | null = null;
  const pixels = createPixelReader();
  const { read: readPixels } = pixels;
  const cardMeter = createCardMeter();

  const openEyes = async (
    { assetsBase, manifest, stallAfter, rung, faces }: OpenRequest,
    given: AssetBytes | Assets,
  ): Promise<Eyes> => {
    const assets = await compiled(given);
    if (rung === 'face-box') {
      const models = await createBoxModels(assets, readPixels);
      return {
        ...models,
        face: (frame, now, attention) => models.face(frame, now, attention, () => readPixels(frame)),
      };
    }
    const folder = { base: new URL(assetsBase), manifest, stallAfter, signal: closing.signal };
    const models = await createModels(assets, {
      readPixels,
      fetchModel: (name) => fetchModel(name, folder),
      faces,
    });
    const box = createBoxMeter(models.detector, true);
    let meter: FaceMeter | null = null;
    return {
      ...models,
      face(frame, now, attention) {
        const pixelsOf = (): ImageData => readPixels(frame);
        const seen = models.see(frame, now, attention);
        if (seen === null) return box(frame, now, attention, pixelsOf);
        // Not before, because its networks take longer to make than a frame takes.
        return (meter ??= createFaceMeter()).observe(seen, pixelsOf, frame, now, attention);
      },
    };
  };

  /** Opened anew with the full runtime; null where that is the one that runs. */
  let reopen: (() => Promise<void>) | null = null;

  const open = async (request: OpenRequest, tell: (news: OpenNews) => void): Promise<void> => {
    const { assets, assetsBase, manifest, stallAfter } = request;
    const openWith = async (given: AssetBytes | Assets): Promise<void> => {
      const opened = await openEyes(request, given);
      if (closing.signal.aborted) opened.close();
      else eyes = opened;
    };
    if (request.runtime === 'full') return openWith(assets);
    reopen = async () => {
      reopen = null;
      tell('trap');
      closeEyes();
      const runtime = await fetchRuntime('full', {
        base: new URL(assetsBase),
        manifest,
        stallAfter,
        signal: closing.signal,
        onProgress: () => tell('arriving'),
      });
      await openWith({ ...assets, runtime });
    };
    await openWith(assets).catch((error: unknown) => {
      if (!isTrap(error) || reopen === null) throw error;
      return reopen();
    });
  };

  const closeEyes = (): void => {
    try {
      eyes?.close();
    } catch {
      // A runtime that broke off cannot always be closed.
    }
    eyes = null;
  };

  const observe = async (
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    attention: Attention,
  ): Promise<Observation> => {
    if (eyes === null) throw new Error('The analysis is not open.');
    const seeing = eyes;
    if (subject === 'face') {
      if (waitsForLandmarks(attention)) await seeing.ready();
      return seeing.face(frame, now, attention);
    }
    const findFaces = ({ data, width, height }: Picture): readonly Detection[] =>
      seeing.detector.findFaces(new ImageData(data, width, height), now);
    return cardMeter.observe(readPixels(frame), guide, now, subject === 'card' ? findFaces : null);
  };

  return {
    open: (request, tell) =>
      reply(async () => {
        await open(request, tell);
        return null;
      }),
    analyse: (given, ...rest) =>
      reply(async () => {
        const frame = await pixels.take(given);
        try {
          return await observe(frame, ...rest);
        } catch (error) {
          if (!isTrap(error) || reopen === null) throw error;
          await reopen();
          return await observe(frame, ...rest);
        } finally {
          pixels.release(frame);
        }
      }),
    close() {
      closing.abort();
      closeEyes();
    },
  };
}

if ('WorkerGlobalScope' in globalThis) {
  expose(createAnalysis());
}
