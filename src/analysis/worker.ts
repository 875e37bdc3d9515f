import { expose } from 'comlink';
import type { Box } from '../domain/geometry.ts';
import type { Observation } from '../domain/observation.ts';
import type { Subject } from '../domain/steps.ts';
import { fetchAssets } from './assets.ts';
import { createCardMeter } from './card.ts';
import type { Detection } from './crowd.ts';
import { createFaceMeter } from './face.ts';
import { createModels, demandWebGl, type Models } from './models.ts';
import type { Picture } from './pixels.ts';

/*
 * The worker's side of the analysis: models and pixel arithmetic, from a bitmap to an Observation.
 */

/** An answer that survives the structured clone, which would strip a CaptureError of its code. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: 'assets-failed' | 'analysis-failed'; readonly message: string };

/** What the page may call. */
export interface WorkerApi {
  open(assetsBase: string, onProgress: (fraction: number) => void): Promise<Reply<null>>;
  analyse(
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed: boolean,
  ): Promise<Reply<Observation>>;
}

async function reply<T>(
  code: 'assets-failed' | 'analysis-failed',
  work: () => T | Promise<T>,
): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    // Messages of the runtime tell of calls and files only, never of what is in the picture.
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, code, message };
  }
}

function createWorkerApi(): WorkerApi {
  let models: Models | null = null;
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const faceMeter = createFaceMeter();
  const cardMeter = createCardMeter();

  const pixelsOf = (frame: ImageBitmap): ImageData => {
    if (context === null) throw new Error('No 2D canvas in this worker.');
    if (canvas.width !== frame.width || canvas.height !== frame.height) {
      canvas.width = frame.width;
      canvas.height = frame.height;
    }
    context.drawImage(frame, 0, 0);
    return context.getImageData(0, 0, frame.width, frame.height);
  };

  const sheet = new OffscreenCanvas(1, 1);
  const canvasOf = ({ data, width, height }: Picture): OffscreenCanvas => {
    if (sheet.width !== width || sheet.height !== height) {
      sheet.width = width;
      sheet.height = height;
    }
    sheet.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
    return sheet;
  };

  const observe = (
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed: boolean,
  ): Observation => {
    if (models === null) throw new Error('The analysis is not open.');
    const seeing = models;
    if (subject === 'face') {
      const seen = seeing.see(frame, now);
      return faceMeter.observe(seen, seen.face === null ? null : pixelsOf(frame), frame, now, detailed);
    }
    const findFaces = (picture: Picture): readonly Detection[] => seeing.findFaces(canvasOf(picture), now);
    return cardMeter.observe(pixelsOf(frame), guide, now, subject === 'card' ? findFaces : null);
  };

  return {
    open: (assetsBase, onProgress) =>
      reply('assets-failed', async () => {
        // Before the download, so that a browser that cannot run it does not pay for it.
        demandWebGl();
        const assets = await fetchAssets(new URL(assetsBase), onProgress);
        models = await createModels(assets);
        return null;
      }),
    analyse: (frame, subject, guide, now, detailed) =>
      reply('analysis-failed', () => {
        try {
          return observe(frame, subject, guide, now, detailed);
        } finally {
          frame.close();
        }
      }),
  };
}

expose(createWorkerApi());
