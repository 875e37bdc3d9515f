import { fetchAssets } from '../src/analysis/assets.ts';
import { createAnalysis } from '../src/analysis/worker.ts';
import type { Manifest } from '../src/analysis/download.ts';
import { fitLongSide, type Size } from '../src/domain/geometry.ts';
import { framesOf } from './clip-frames.ts';

/*
 * The browser's side of `npm run profile`: shows pictures to the analysis with an instrumented runtime, and tells which
 * functions were called. Runs on a page, and in a worker that the page starts.
 */

/** What is shown, with which runtime. */
export interface ProfileOrder {
  /** Folder with the instrumented runtime and the models. */
  readonly assetsBase: string;
  readonly manifest: Manifest;
  /** Addresses of photos. */
  readonly photos: readonly string[];
  /** Addresses of clips. */
  readonly clips: readonly string[];
}

/** An order as a thread gets it: the page alone can play clips. */
interface Work extends Omit<ProfileOrder, 'clips'> {
  readonly frames: readonly ImageBitmap[];
}

const LONG_SIDE = 640;

/** Rungs that call different functions. */
const PROFILED = ['worker', 'face-box'] as const;
const SUBJECTS = ['face', 'card'] as const;

/** How a photo is laid into a frame: turned, near, far, at the edge, upright and lying. */
const VIEWS: readonly {
  readonly turn: number;
  readonly zoom: number;
  readonly x: number;
  readonly upright: boolean;
}[] = [
  { turn: 0, zoom: 1, x: 0, upright: false },
  { turn: 25, zoom: 1, x: 0, upright: false },
  { turn: -60, zoom: 0.8, x: 0, upright: true },
  { turn: 0, zoom: 0.35, x: 0.1, upright: true },
  { turn: 0, zoom: 2.2, x: 0, upright: false },
  { turn: 0, zoom: 1, x: 0.45, upright: false },
  { turn: 180, zoom: 1, x: -0.3, upright: true },
];

/** Frames of a still picture in a row, so that the face is found, tracked, and its person masked. */
const FRAMES = 4;
const FRAME_EVERY_MS = 110;
/** Which frames of a clip; the step in s. */
const CLIP = { most: 40, step: 0.1 };

/** The hash with which a profile begins, bytes. */
const HASH_BYTES = 8;
const PAGE_BYTES = 65_536;

/** Every instance of a runtime that this thread has made. */
function watchInstances(): WebAssembly.Instance[] {
  const instances: WebAssembly.Instance[] = [];
  const instantiate = WebAssembly.instantiate.bind(WebAssembly) as (
    module: WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ) => Promise<WebAssembly.Instance>;
  const watched = async (
    module: WebAssembly.Module,
    imports?: WebAssembly.Imports,
  ): Promise<WebAssembly.Instance> => {
    const instance = await instantiate(module, imports);
    if ('__write_profile' in instance.exports) instances.push(instance);
    return instance;
  };
  Object.assign(WebAssembly, { instantiate: watched });
  return instances;
}

/** Indices of the defined functions that an instance has called. */
function calledIn({ exports }: WebAssembly.Instance): readonly number[] {
  const memory = Object.values(exports).find((one) => one instanceof WebAssembly.Memory);
  const write = exports['__write_profile'] as (address: number, size: number) => number;
  if (memory === undefined) throw new Error('The runtime exports no memory.');
  const size = write(0, 0);
  const address = memory.grow(Math.ceil(size / PAGE_BYTES)) * PAGE_BYTES;
  write(address, size);
  const calls = new Uint32Array(memory.buffer.slice(address + HASH_BYTES, address + size));
  return [...calls].flatMap((when, index) => (when === 0 ? [] : [index]));
}

function drawn(photo: ImageBitmap, { turn, zoom, x, upright }: (typeof VIEWS)[number]): ImageBitmap {
  const lying = fitLongSide(photo, LONG_SIDE);
  const size: Size = upright ? { width: lying.height, height: lying.width } : lying;
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('No 2D canvas here.');
  context.translate(size.width * (0.5 + x), size.height / 2);
  context.rotate((turn * Math.PI) / 180);
  const scale = zoom * Math.min(size.width / photo.width, size.height / photo.height);
  context.scale(scale, scale);
  context.drawImage(photo, -photo.width / 2, -photo.height / 2);
  return canvas.transferToImageBitmap();
}

async function profile({ assetsBase, manifest, photos, frames }: Work): Promise<readonly number[]> {
  const instances = watchInstances();
  const called = new Set<number>();
  const onRung = async (rung: (typeof PROFILED)[number]): Promise<void> => {
    const analysis = createAnalysis();
    const { signal } = new AbortController();
    const folder = {
      base: new URL(assetsBase),
      manifest,
      stallAfter: 60_000,
      signal,
      onProgress: () => undefined,
    };
    const assets = await fetchAssets('full', folder);
    const opened = await analysis.open(
      { assetsBase, manifest, rung, faces: true, runtime: 'full', assets, stallAfter: folder.stallAfter },
      () => undefined,
    );
    if (!opened.ok) throw new Error(opened.message);
    let now = 1000;
    const show = async (frame: ImageBitmap): Promise<void> => {
      const guide = {
        x: frame.width / 4,
        y: frame.height / 8,
        width: frame.width / 2,
        height: frame.height * 0.75,
      };
      for (const subject of SUBJECTS) {
        const looks = subject === 'face' ? FRAMES : 1;
        for (let look = 0; look < looks; look++) {
          now += FRAME_EVERY_MS;
          const reply = await analysis.analyse(await createImageBitmap(frame), subject, guide, now, 'detail');
          if (!reply.ok) throw new Error(reply.message);
        }
      }
      frame.close();
    };
    for (const [i, address] of photos.entries()) {
      const photo = await createImageBitmap(await (await fetch(address)).blob());
      for (const [v, view] of VIEWS.entries())
        if (v === 0 || (i + v) % 3 === 0) await show(drawn(photo, view));
      photo.close();
    }
    for (const frame of frames) await show(await createImageBitmap(frame));
    await show(await createImageBitmap(new ImageData(64, 64)));
    analysis.close();
  };
  for (const rung of PROFILED) await onRung(rung);
  for (const instance of instances) for (const index of calledIn(instance)) called.add(index);
  return [...called];
}

/** Which functions page and worker called. */
async function profileBoth({ clips, ...order }: ProfileOrder): Promise<readonly number[]> {
  const frames = (await Promise.all(clips.map((clip) => framesOf(clip, CLIP)))).flat();
  const work: Work = { ...order, frames };
  const worker = new Worker(new URL('profile-page.ts', import.meta.url), { type: 'module' });
  const inWorker = new Promise<readonly number[]>((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<{ called?: number[]; failure?: string }>) => {
      if (data.called) resolve(data.called);
      else if (data.failure !== undefined) reject(new Error(data.failure));
    });
    worker.addEventListener('error', ({ message }) => reject(new Error(message)));
  });
  worker.postMessage({ work });
  return [...new Set([...(await profile(work)), ...(await inWorker)])];
}

declare global {
  interface Window {
    profileBoth: typeof profileBoth;
  }
}

if (typeof window !== 'undefined') window.profileBoth = profileBoth;
else
  addEventListener('message', ({ data }: MessageEvent<{ work?: Work }>) => {
    if (data.work === undefined) return;
    profile(data.work).then(
      (called) => postMessage({ called }),
      (error: unknown) => postMessage({ failure: String(error) }),
    );
  });
