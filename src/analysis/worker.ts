import { expose } from 'comlink';
import type { Box } from '../domain/geometry.ts';
import type { AnalysisRung } from '../domain/ladder.ts';
import type { FaceObservation, Observation } from '../domain/observation.ts';
import { CaptureError } from '../domain/result.ts';
import type { Subject } from '../domain/steps.ts';
import { fetchAssets } from './assets.ts';
import { createCardMeter } from './card.ts';
import type { Detection } from './crowd.ts';
import type { Manifest } from './download.ts';
import { createFaceMeter } from './face.ts';
import { createBoxModels } from './face-box.ts';
import { createModels } from './models.ts';
import type { Picture } from './pixels.ts';
import { createSurface, hasWebGl, resize, type Surface } from './surface.ts';

/*
 * The analysis itself: models and pixel arithmetic, from a bitmap to an Observation. This file runs in a worker, or is
 * imported on the page's main thread where workers cannot do it.
 */

/** An answer that survives the structured clone, which would strip a CaptureError of its code. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: 'assets-failed' | 'analysis-failed'; readonly message: string };

/** What is loaded, from where. */
export interface OpenRequest {
  readonly assetsBase: string;
  /** Checked by the page. */
  readonly manifest: Manifest;
  /** On `face-box` the detector alone. */
  readonly rung: AnalysisRung;
  /** As `DownloadOptions` has it, ms. */
  readonly stallAfter: number;
}

/** What the page may call. */
export interface WorkerApi {
  /** Loads and starts what the rung needs. `onProgress` is called as long as bytes arrive. */
  readonly open: (request: OpenRequest, onProgress: (fraction: number) => void) => Promise<Reply<null>>;
  /** Closes the frame. */
  analyse(
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed: boolean,
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
  face(frame: ImageBitmap, now: number, detailed: boolean): FaceObservation;
  findFaces(picture: Surface, now: number): readonly Detection[];
  close(): void;
}

/** The analysis of this thread. */
export function createAnalysis(): WorkerApi {
  const closing = new AbortController();
  let eyes: Eyes | null = null;
  const canvas = createSurface();
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const sheet = createSurface();
  const cardMeter = createCardMeter();

  const pixelsOf = (frame: ImageBitmap): ImageData => {
    if (context === null) throw new Error('No 2D canvas here.');
    resize(canvas, frame);
    context.drawImage(frame, 0, 0);
    return context.getImageData(0, 0, frame.width, frame.height);
  };

  const canvasOf = (picture: Picture): Surface => {
    resize(sheet, picture);
    sheet.getContext('2d')?.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
    return sheet;
  };

  const openEyes = async (request: OpenRequest, onProgress: (fraction: number) => void): Promise<Eyes> => {
    const { signal } = closing;
    const { manifest, stallAfter } = request;
    const options = { base: new URL(request.assetsBase), manifest, stallAfter, signal, onProgress };
    if (request.rung === 'face-box') {
      const models = await createBoxModels(await fetchAssets(['detector'], options));
      return { ...models, face: (frame, now) => models.face(frame, now, () => pixelsOf(frame)) };
    }
    const faceMeter = createFaceMeter();
    const models = await createModels(await fetchAssets(['landmarker', 'detector', 'person'], options));
    return {
      ...models,
      face(frame, now, detailed) {
        const seen = models.see(frame, now);
        return faceMeter.observe(seen, seen.face === null ? null : pixelsOf(frame), frame, now, detailed);
      },
    };
  };

  const observe = (
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed: boolean,
  ): Observation => {
    if (eyes === null) throw new Error('The analysis is not open.');
    const seeing = eyes;
    if (subject === 'face') return seeing.face(frame, now, detailed);
    const findFaces = (picture: Picture): readonly Detection[] => seeing.findFaces(canvasOf(picture), now);
    return cardMeter.observe(pixelsOf(frame), guide, now, subject === 'card' ? findFaces : null);
  };

  return {
    open: (request, onProgress) =>
      reply(async () => {
        // Before the download, so that a browser that cannot run it does not pay for it.
        if (!hasWebGl(createSurface())) throw new Error('There is no WebGL 2 here.');
        const opened = await openEyes(request, onProgress);
        if (closing.signal.aborted) opened.close();
        else eyes = opened;
        return null;
      }),
    analyse: (frame, subject, guide, now, detailed) =>
      reply(() => {
        try {
          return observe(frame, subject, guide, now, detailed);
        } finally {
          frame.close();
        }
      }),
    close() {
      closing.abort();
      eyes?.close();
      eyes = null;
    },
  };
}

if ('WorkerGlobalScope' in globalThis) expose(createAnalysis());
