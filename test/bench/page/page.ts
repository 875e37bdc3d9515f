import { type Analyser, createAnalyser, sightOf } from '../../../src/analysis/analyser.ts';
import { scaledToSight } from '../../../src/analysis/surface.ts';
import { guideInPicture, scaleBox } from '../../../src/domain/geometry.ts';
import { PHOTO_LIMITS } from '../../../src/domain/limits.ts';
import { straightenedCrop } from '../../../src/domain/photo.ts';
import type { ProviderId } from '../../../src/domain/result.ts';
import { GUIDANCE_RULES } from '../../../src/domain/rules.ts';
import { takePhoto } from '../../../src/session/capture.ts';
import { createPace } from '../../../src/domain/pace.ts';
import { createJudge } from '../../../src/session/judge.ts';
import { release, Sharpest } from '../../../src/session/sharpest.ts';
import type { TimedWorkers } from '../site.ts';
import type { BareAnswer, BareModels, BareQuestion } from './bare-worker.ts';

/*
 * The browser's side of the benchmark: parts of the widget, and MediaPipe alone, on the same frames.
 */

/** One frame's time. */
export interface FrameTime {
  /** From the page's question to its answer, ms. */
  readonly page: number;
  readonly faces: number;
}

/** A photo that was made. */
export interface PhotoTime {
  /** From the shutter to the Blob, ms. */
  readonly took: number;
  readonly encodes: number;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  /** Bytes that the provider takes at most. */
  readonly limit: number;
  /** It is a card that was cut out along its edges. */
  readonly straightened: boolean;
}

/** What is measured of a bare start. */
export interface BareStart {
  /** From the worker's construction to its first answer about a frame, ms. */
  readonly took: number;
  /** Of it, until the tasks were there, ms. */
  readonly created: number;
}

/** The widget is told that a camera of 30 frames a second took them, ms. */
const FRAME_EVERY = 33;

interface Planes {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A frame of the camera. */
interface Shown {
  /** As the camera has it: in planes, I420. */
  readonly large: Planes;
  /** As it is analysed. */
  readonly small: ImageBitmap;
}

const analysers = new Map<string, (frame: Shown, now: number) => Promise<FrameTime>>();
/** When each saw its last frame, ms, and how many it has seen: names of one analysis share a clock. */
const clocks = new Map<string, { now: number; seen: number }>();
let frames: readonly Shown[] = [];

async function pictureOf(url: string): Promise<ImageBitmap> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return createImageBitmap(await response.blob());
}

/** Luma, and differences of blue and red at every other place of every other row (ITU-R BT.601, limited range). */
function planesOf(picture: ImageBitmap): Planes {
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('No canvas.');
  context.drawImage(picture, 0, 0);
  const { data: colours } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(1.5 * width * height);
  let blueAt = width * height;
  let redAt = 1.25 * width * height;
  for (let at = 0; at < width * height; at++) {
    const [red = 0, green = 0, blue = 0] = colours.subarray(4 * at, 4 * at + 3);
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    data[at] = Math.round(16 + (219 / 255) * luma);
    if (at % 2 === 1 || Math.floor(at / width) % 2 === 1) continue;
    data[blueAt++] = Math.round(128 + (224 / 255) * ((blue - luma) / 1.772));
    data[redAt++] = Math.round(128 + (224 / 255) * ((red - luma) / 1.402));
  }
  return { data, width, height };
}

/** Span of the noise, of 255: a cheap sensor in poor light. */
const NOISE = 60;

/** The same picture with grain, which is the hardest thing to encode. */
function withNoise(picture: ImageBitmap): Promise<ImageBitmap> {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('No canvas.');
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  let seed = 20261123;
  for (let at = 0; at < image.data.length; at++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    if (at % 4 !== 3) image.data[at] = (image.data[at] ?? 0) + ((seed >>> 24) / 255 - 0.5) * NOISE;
  }
  return createImageBitmap(image);
}

/** A worker of the bench, and how it is asked. */
function startBare(url = '/bundled/bare.js'): (question: BareQuestion) => Promise<BareAnswer> {
  const worker = new Worker(url, { type: 'module' });
  return (question) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<BareAnswer>) => {
        if (data.fault === null) resolve(data);
        else reject(new Error(data.fault));
      };
      worker.onerror = (event) => reject(new Error(event.message || 'The worker did not start.'));
      worker.postMessage(question, 'frame' in question ? [question.frame] : []);
    });
}

async function openWidget(timed?: TimedWorkers): Promise<Analyser> {
  const analyser = createAnalyser({
    assetsBase: new URL(timed?.assets ?? '/dist/assets/', location.href),
    integrity: timed?.integrity ?? null,
    rung: 'worker',
    faces: true,
    signal: new AbortController().signal,
  });
  await analyser.open(() => undefined);
  return analyser;
}

const bench = {
  /** Gets the frames of a scene. */
  async loadFrames(name: string, count: number): Promise<void> {
    const urls = Array.from({ length: count }, (_, index) => `/frames/${name}/${index}`);
    frames = await Promise.all(
      urls.map(async (url) => {
        const picture = await pictureOf(url);
        return { large: planesOf(picture), small: await scaledToSight(picture, picture) };
      }),
    );
  },

  /**
   * Opens the widget's analysis, as a page has it, under two names: for a person who is guided, and who is in place. It
   * gets the camera's own frames, which it has to shrink.
   */
  async openWidget(names: { guiding: string; inPlace: string }, timed: TimedWorkers): Promise<void> {
    const analyser = await openWidget(timed);
    const mayBePhoto = createPace('face');
    const clock = { now: 1000, seen: 0 };
    for (const [name, outOfPlace] of [
      [names.guiding, true],
      [names.inPlace, false],
    ] as const) {
      clocks.set(name, clock);
      analysers.set(name, async ({ large, small }, now) => {
        const guide = scaleBox(guideInPicture('selfie', large), small.width / large.width);
        const frame = new VideoFrame(large.data, {
          format: 'I420',
          codedWidth: large.width,
          codedHeight: large.height,
          timestamp: 1000 * now,
          colorSpace: {
            primaries: 'smpte170m',
            transfer: 'smpte170m',
            matrix: 'smpte170m',
            fullRange: false,
          },
        });
        const attention = mayBePhoto(now, outOfPlace) ? 'look' : 'glance';
        const began = performance.now();
        const observation = await analyser.analyse(frame, 'face', guide, now, attention);
        const page = performance.now() - began;
        return { page, faces: observation.kind === 'face' ? observation.faces.length : 0 };
      });
    }
  },

  /** Opens MediaPipe alone under a name; it gets the frames at their size. */
  async openBare(name: string, models: BareModels, timed: TimedWorkers): Promise<void> {
    const ask = startBare(timed.bare);
    await ask({ models });
    clocks.set(name, { now: 1000, seen: 0 });
    analysers.set(name, async ({ small }, now) => {
      // A copy, because it is transferred.
      const frame = await createImageBitmap(small);
      const began = performance.now();
      const { faces } = await ask({ frame, now, detect: false });
      return { page: performance.now() - began, faces };
    });
  },

  /** Gives the next `count` frames, one after the other, to what was opened under a name. */
  async run(name: string, count: number): Promise<readonly FrameTime[]> {
    const analyse = analysers.get(name);
    const clock = clocks.get(name);
    if (!analyse || !clock) throw new Error(`${name} is not open.`);
    const times: FrameTime[] = [];
    for (let index = 0; index < count; index++) {
      const frame = frames[clock.seen++ % frames.length];
      if (!frame) throw new Error('There are no frames.');
      times.push(await analyse(frame, (clock.now += FRAME_EVERY)));
    }
    return times;
  },

  /** Starts MediaPipe alone and runs landmarker and detector once on a picture. */
  async startBare(models: BareModels, picture: string): Promise<BareStart> {
    const large = await pictureOf(picture);
    const frame = await scaledToSight(large, large);
    const began = performance.now();
    const ask = startBare();
    await ask({ models });
    const created = performance.now() - began;
    const { faces } = await ask({ frame, now: 1, detect: true });
    const took = performance.now() - began;
    if (faces === 0) throw new Error('MediaPipe alone saw nobody.');
    return { took, created };
  },

  /** Makes photos of a camera's picture as the shutter does, a card straightened along the corners that are found. */
  async takePhotos(
    step: 'selfie' | 'ktp',
    pictures: readonly string[],
    provider: ProviderId,
    { count, noisy }: { readonly count: number; readonly noisy: boolean },
  ): Promise<readonly PhotoTime[]> {
    const clean = await Promise.all(pictures.map(pictureOf));
    const shown = noisy ? await Promise.all(clean.map(withNoise)) : clean;
    const analyser = await openWidget();
    const sharpest = new Sharpest();
    try {
      const judge = createJudge(analyser);
      const times: PhotoTime[] = [];
      const limits = PHOTO_LIMITS[provider][step];
      for (let index = 0; index < count; index++) {
        const picture = shown[index % shown.length];
        if (!picture) throw new Error('There are no pictures.');
        const { card } = await judge(step, await sightOf(picture), {
          rules: GUIDANCE_RULES,
          now: 1000 + index * 100,
          attention: 'study',
        });
        // As in the widget, where a frame of the camera is kept a moment before.
        const frame = new VideoFrame(picture, { timestamp: 1000 * index });
        sharpest.offer(frame, { sharpness: 0, settled: true, card });
        frame.close();
        const still = sharpest.take()?.still;
        if (!still) throw new Error('The frame was not kept.');
        if (step === 'ktp' && card === null) throw new Error('No card was found.');
        const guide = guideInPicture(step, still);
        const began = performance.now();
        const { photo } = await takePhoto({ step, frame: still, guide, card, straighten: true, limits });
        const took = performance.now() - began;
        release(still);
        const { encodes, bytes, width, height } = photo;
        const straightened = card !== null && straightenedCrop(card, picture, limits) !== null;
        times.push({ took, encodes, bytes, width, height, limit: limits.maxBytes, straightened });
      }
      return times;
    } finally {
      analyser.close();
    }
  },
};

declare global {
  interface Window {
    bench: typeof bench;
  }
}
window.bench = bench;
