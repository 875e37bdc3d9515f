import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Page } from '@playwright/test';
import { guideInPicture, type Box, type Size } from '../domain/geometry.ts';
import type { Step } from '../domain/result.ts';
import { inPage } from './in-page.ts';

/** A picture or clip laid into the camera's frame. */
export interface Layer {
  /**
   * Path of a JPEG, PNG, WebP, SVG, WebM or MP4 file, or the bytes of one with their media type.
   * (Debian's Chromium decodes both kinds of clip, Playwright's own only WebM.)
   */
  readonly source: string | { readonly bytes: Uint8Array; readonly type: string };
  /** The part of the picture that `height` speaks of, px of the picture: the face, say. Default: the whole. */
  readonly region?: Box;
  /** How high the region appears, as a share of the frame's height. Default 1. */
  readonly height?: number;
  /**
   * Instead of `height`: how much of the guide's height the region fills, wherever the page shows
   * the guide. `x` and `y` are then shares of the guide.
   */
  readonly fills?: number;
  /** Multiplies the size once more. Default 1. */
  readonly zoom?: number;
  /** Where the region's centre lies, as shares of the frame. Default 0.5. */
  readonly x?: number;
  readonly y?: number;
  /** Degrees, clockwise. */
  readonly rotate?: number;
  /** Clips only: where to begin, s. */
  readonly from?: number;
  /** How the layer moves over the loop, in straight lines from key to key; the first key stands for 0 too, the last for 1. */
  readonly path?: readonly PathKey[];
  /** Opacity, 0..1: a reflection, a shadow. */
  readonly opacity?: number;
  /** Gaussian blur of this layer, px of the frame. */
  readonly blur?: number;
}

/** Where a moving layer is at one moment, relative to where it lies. */
export interface PathKey {
  /** Share of the loop, 0..1, rising from key to key. */
  readonly at: number;
  /** Shares of the frame. Default 0. */
  readonly x?: number;
  readonly y?: number;
  /** Degrees, clockwise. Default 0. */
  readonly rotate?: number;
  /** Multiplies the size. Default 1. */
  readonly zoom?: number;
}

/** What the camera sees. Frames are made from it in the browser, always the same for the same scene. */
export interface Scene {
  /** From the back to the front. */
  readonly layers: readonly Layer[];
  /** A CSS colour, or `extended`: the first layer again, filling the frame and blurred. Default `extended`. */
  readonly background?: string;
  /** Multiplies the brightness of everything, 1 is unchanged. */
  readonly brightness?: number;
  /** Gaussian blur of everything, px of the frame. */
  readonly blur?: number;
  /** How far the picture drifts to either side, px. Default 2: a held camera, not a frozen one. */
  readonly sway?: number;
  /** Seed of the drift. */
  readonly seed?: number;
  /** Frames of the loop, shown at 30 a second. Default 36. */
  readonly frames?: number;
  /** How many frames after one another show the same picture. Default 1 where a clip or a path moves, else 3: a drift is slow. */
  readonly hold?: number;
}

/** Frames of a loop as they travel into a page: what is held travels once. */
export interface Film {
  /** JPEGs in base64. */
  readonly pictures: readonly string[];
  /** For each frame, which of the pictures it shows. */
  readonly loop: readonly number[];
}

/** Packs frames as `Darkroom.develop` makes them. */
export function filmOf(frames: readonly Buffer[]): Film {
  const distinct = [...new Set(frames)];
  return {
    pictures: distinct.map((picture) => picture.toString('base64')),
    loop: frames.map((frame) => distinct.indexOf(frame)),
  };
}

/** Lays the layers that fill the guide where the guide lies in a camera's frame. */
export function fitToGuide(scene: Scene, step: Step, frame: Size): Scene {
  const guide = guideInPicture(step, frame);
  const fit = (layer: Layer): Layer => {
    const { fills, ...rest } = layer;
    if (fills === undefined) return layer;
    return {
      ...rest,
      height: (guide.height / frame.height) * fills,
      x: (guide.x + guide.width * (layer.x ?? 0.5)) / frame.width,
      y: (guide.y + guide.height * (layer.y ?? 0.5)) / frame.height,
    };
  };
  return { ...scene, layers: scene.layers.map(fit) };
}

const MEDIA_TYPES: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.svg': 'image/svg+xml',
  '.webm': 'video/webm',
  '.mp4': 'video/mp4',
};

/** A layer as it travels into the page: the file's bytes have become a data URL. */
type PlacedLayer = Omit<Layer, 'source'> & { readonly url: string; readonly clip: boolean };

/**
 * How brightness is written. Chromium's fake device takes the full-range luma of a JPEG for the
 * narrower range of video (16 to 235), which raises the contrast and burns the highlights; `video`
 * makes up for it, so that the page sees the scene as it is.
 */
export type LumaRange = 'full' | 'video';

/** Frames a second by which a scene's loop is counted. */
export const LOOP_RATE = 30;

interface Order {
  readonly frame: Size;
  readonly range: LumaRange;
  readonly scene: Omit<Scene, 'layers' | 'frames' | 'hold'>;
  /** Frames of the loop, and how many of them lie between two pictures. */
  readonly total: number;
  readonly every: number;
  readonly layers: readonly PlacedLayer[];
}

async function place(layer: Layer): Promise<PlacedLayer> {
  const { source, ...placement } = layer;
  const type = typeof source === 'string' ? MEDIA_TYPES[extname(source).toLowerCase()] : source.type;
  if (!type) throw new Error('The camera cannot show this kind of file.');
  const bytes = typeof source === 'string' ? await readFile(source) : source.bytes;
  const url = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  return { ...placement, url, clip: type.startsWith('video/') };
}

/** Makes camera frames of scenes, in an empty page of the launched browser. */
export class Darkroom {
  readonly #page: Page;
  readonly #drawn = new Map<string, Promise<Buffer[]>>();

  constructor(page: Page) {
    this.#page = page;
  }

  /**
   * JPEGs of one size, in the order of the loop; a picture that is held is the same Buffer several times. A scene that
   * was asked for before is not made again.
   * @param rate frames a second
   */
  async develop(scene: Scene, frame: Size, range: LumaRange, rate = LOOP_RATE): Promise<Buffer[]> {
    const { layers: bare, frames: total = 36, hold: asked, ...rest } = scene;
    const layers = await Promise.all(bare.map(place));
    const hold = asked ?? (layers.some(({ clip, path }) => clip || path) ? 1 : 3);
    const between = LOOP_RATE / rate;
    const every = Math.max(hold, between);
    const pictures = await this.#draw({ frame, range, scene: rest, total, every, layers });
    return Array.from({ length: Math.ceil(total / between) }, (_, index) => index * between).flatMap(
      (at) => pictures[Math.floor(at / every)] ?? [],
    );
  }

  #draw(order: Order): Promise<Buffer[]> {
    const key = JSON.stringify(order);
    const drawn =
      this.#drawn.get(key) ??
      this.#page
        .evaluate<string[]>(inPage(drawPictures, order))
        .then((pictures) => pictures.map((picture) => Buffer.from(picture, 'base64')));
    this.#drawn.set(key, drawn);
    return drawn;
  }
}

/** Runs in the page; self-contained, because only its text travels there. */
async function drawPictures({ frame, range, scene, total, every, layers }: Order): Promise<string[]> {
  const canvas = document.createElement('canvas');
  canvas.width = frame.width;
  canvas.height = frame.height;
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new Error('No canvas.');

  // Mulberry32: a few bits of chance that are the same on every machine.
  let seed = scene.seed ?? 1;
  const chance = (): number => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const phases = [chance(), chance(), chance()].map((part) => part * 2 * Math.PI);

  const load = async (layer: PlacedLayer) => {
    if (!layer.clip) {
      const image = new Image();
      image.src = layer.url;
      await image.decode();
      return { layer, picture: image, width: image.naturalWidth, height: image.naturalHeight };
    }
    const video = document.createElement('video');
    video.muted = true;
    video.src = layer.url;
    await new Promise<void>((loaded, failed) => {
      video.onloadeddata = () => loaded();
      video.onerror = () => failed(new Error('This browser cannot decode the clip.'));
    });
    return { layer, picture: video, width: video.videoWidth, height: video.videoHeight };
  };
  const loaded = await Promise.all(layers.map(load));

  // A clip runs forth and back, so that the loop has no jump; a still has no need to.
  const moment = (index: number): number => Math.min(index, total - index) / 30;

  const along = (path: readonly PathKey[], share: number): Required<PathKey> => {
    const next = Math.max(
      0,
      path.findIndex(({ at }) => at >= share),
    );
    const to = share > (path.at(-1)?.at ?? 0) ? path.at(-1) : path[next];
    const from = path[next - 1] ?? to;
    const part = from && to && to.at > from.at ? Math.min(1, (share - from.at) / (to.at - from.at)) : 1;
    const mix = (a = 0, b = 0): number => a + (b - a) * part;
    return {
      at: share,
      x: mix(from?.x, to?.x),
      y: mix(from?.y, to?.y),
      rotate: mix(from?.rotate, to?.rotate),
      zoom: mix(from?.zoom ?? 1, to?.zoom ?? 1),
    };
  };

  const draw = (source: (typeof loaded)[number], x: number, y: number, share: number): void => {
    const { layer, picture, width, height } = source;
    const moved = along(layer.path ?? [], share);
    const region = layer.region ?? { x: 0, y: 0, width, height };
    const scale = (((layer.height ?? 1) * frame.height) / region.height) * (layer.zoom ?? 1) * moved.zoom;
    context.save();
    context.globalAlpha = layer.opacity ?? 1;
    context.filter = layer.blur ? `blur(${layer.blur}px)` : 'none';
    context.translate(
      ((layer.x ?? 0.5) + moved.x) * frame.width + x,
      ((layer.y ?? 0.5) + moved.y) * frame.height + y,
    );
    context.rotate((((layer.rotate ?? 0) + moved.rotate) * Math.PI) / 180);
    context.scale(scale, scale);
    context.drawImage(
      picture,
      -(region.x + region.width / 2),
      -(region.y + region.height / 2),
      width,
      height,
    );
    context.restore();
  };

  const ground = new OffscreenCanvas(frame.width, frame.height);
  const paintGround = (): void => {
    const context = ground.getContext('2d', { alpha: false });
    if (!context) throw new Error('No canvas.');
    const [first] = loaded;
    const plain = scene.background ?? 'extended';
    context.fillStyle = plain === 'extended' ? '#777' : plain;
    context.fillRect(0, 0, frame.width, frame.height);
    if (plain !== 'extended' || !first) return;
    const scale = 1.1 * Math.max(frame.width / first.width, frame.height / first.height);
    context.save();
    context.filter = 'blur(48px)';
    context.translate(frame.width / 2, frame.height / 2);
    context.scale(scale, scale);
    context.drawImage(first.picture, -first.width / 2, -first.height / 2, first.width, first.height);
    context.restore();
  };

  // Blurring is slow, and the same for every frame.
  paintGround();
  const wholeFilter = [
    scene.brightness === undefined ? '' : `brightness(${scene.brightness})`,
    scene.blur ? `blur(${scene.blur}px)` : '',
  ].join(' ');
  const encode = async (): Promise<string> => {
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
    if (!blob) throw new Error('No JPEG.');
    const reader = new FileReader();
    await new Promise((done) => {
      reader.onload = done;
      reader.readAsDataURL(blob);
    });
    return (reader.result as string).slice('data:image/jpeg;base64,'.length);
  };

  const sway = scene.sway ?? 2;
  const pictures: string[] = [];
  for (let index = 0; index < total; index += every) {
    for (const { layer, picture } of loaded) {
      if (!(picture instanceof HTMLVideoElement)) continue;
      await new Promise((sought) => {
        picture.onseeked = sought;
        picture.currentTime = (layer.from ?? 0) + moment(index) + 0.001;
      });
    }
    const turn = (2 * Math.PI * index) / total;
    context.drawImage(ground, 0, 0);
    const x = sway * Math.sin(turn + (phases[0] ?? 0));
    const y = sway * 0.6 * Math.sin(turn + (phases[1] ?? 0));
    for (const source of loaded) draw(source, x, y, index / total);
    if (wholeFilter.trim()) {
      context.save();
      context.filter = wholeFilter;
      context.globalCompositeOperation = 'copy';
      context.drawImage(canvas, 0, 0);
      context.restore();
    }
    if (range === 'video') {
      // Over this grey, a share of 36/255 turns v into 16 + v * 219/255.
      context.fillStyle = 'rgb(113 113 113 / 14.118%)';
      context.fillRect(0, 0, frame.width, frame.height);
    }
    pictures.push(await encode());
  }
  return pictures;
}
