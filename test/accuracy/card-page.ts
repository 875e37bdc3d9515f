import { type Analyser, createAnalyser, observe, sightOf } from '../../src/analysis/analyser.ts';
import { assess } from '../../src/domain/assess.ts';
import { fitLongSide, guideInPicture, type Size } from '../../src/domain/geometry.ts';
import { HOLD_FRAMES } from '../../src/domain/guide.ts';
import { enlarged, type Quad } from '../../src/domain/homography.ts';
import { PHOTO_LIMITS } from '../../src/domain/limits.ts';
import type { Observation } from '../../src/domain/observation.ts';
import { takePhoto } from '../../src/session/capture.ts';
import { type Camera, createCamera, loadPicture, type Sources } from './card-camera.ts';
import { cardInPhoto, createNikReader, type NikReader, type NikReading } from './card-legibility.ts';
import type { Scene } from './card-scene.ts';

/*
 * The browser's side of the accuracy run on cards: scenes and photos as still camera frames, through the worker and
 * the rules that the widget uses.
 */

/** An issue as the rules tell it. Rules may know codes that the labels do not. */
export interface ReportedIssue {
  readonly code: string;
  readonly value: number;
  readonly threshold: number;
}

/** What was made of one scene or photo. */
export interface SeenCard {
  /** What the rules say of the last frame. */
  readonly reported: readonly ReportedIssue[];
  /** Where the worker found the card in the last frame, px of the picture; null where it found none. */
  readonly corners: Quad | null;
  /** Size of the picture, px. */
  readonly frame: Size;
  /** When the last frame was taken, seconds after the first. */
  readonly seconds: number;
  /** The raw measures of the last frame, whatever they are. */
  readonly observation: unknown;
}

/** Long side of frames that are analysed, px, as `observe` makes them. */
const ANALYSIS_LONG_SIDE = 640;
/** As large a picture as a phone's camera gives, px. */
const CAMERA_LONG_SIDE = 1920;
/** Still frames, as in the run on selfies. */
const STILL = { stepMs: 400, frames: HOLD_FRAMES };
/** What moves is shown as often as a phone judges frames. */
const MOVING = { stepMs: 100, frames: HOLD_FRAMES };

let analyser: Analyser | undefined;
let camera: Camera | undefined;
let reader: NikReader | undefined;
let now = 0;

/** Starts the worker. */
async function open(): Promise<void> {
  const opened = createAnalyser({
    assetsBase: new URL('/assets/', location.href),
    integrity: null,
    rung: 'worker',
    signal: new AbortController().signal,
  });
  await opened.open(() => undefined);
  analyser = opened;
}

function useSources(sources: Sources): void {
  camera = createCamera(sources);
}

/** The corners of the card in the picture, px of it; an analysed px is told from its middle on. */
function cornersIn(observation: Observation, { width }: Size): Quad | null {
  if (observation.kind !== 'card' || observation.outline === null) return null;
  return enlarged(observation.outline.corners, width / observation.frame.width);
}

async function show(
  pictureAt: (seconds: number) => ImageBitmap | Promise<ImageBitmap>,
  { stepMs, frames } = STILL,
): Promise<SeenCard> {
  if (analyser === undefined) throw new Error('not open');
  const black = new OffscreenCanvas(64, 64);
  black.getContext('2d')?.fillRect(0, 0, 64, 64);
  now += 5000;
  await observe(analyser, 'ktp', await sightOf(black.transferToImageBitmap()), now);
  now += 5000;
  for (let i = 0; ; i++, now += stepMs) {
    const seconds = (i * stepMs) / 1000;
    const picture = await pictureAt(seconds);
    const { observation, guide } = await observe(analyser, 'ktp', await sightOf(picture), now);
    if (i < frames - 1) continue;
    return {
      reported: assess(observation, guide).map(({ code, value, threshold }) => ({
        code,
        value: rounded(value),
        threshold,
      })),
      corners: cornersIn(observation, picture),
      frame: { width: picture.width, height: picture.height },
      seconds,
      observation,
    };
  }
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

async function take(scene: Scene, seconds: number): Promise<ImageBitmap> {
  if (camera === undefined) throw new Error('no sources');
  return camera.take(scene, seconds);
}

/** A frame as it is analysed: RGBA row by row, in base 64. */
export interface RawFrame extends Size {
  readonly base64: string;
}

/**
 * Paints and judges one scene.
 * @returns also what the number was read as, where the scene is a good one of a specimen, and the first frame as a
 *   JPEG's data URL if asked for
 */
async function judgeScene(
  scene: Scene,
  wantsPicture: boolean,
): Promise<{ seen: SeenCard; nik: NikReading | null; picture: string | null }> {
  const first = await take(scene, 0);
  const picture = wantsPicture ? await dataUrlOf(first) : null;
  const moves = scene.velocity.x !== 0 || scene.velocity.y !== 0;
  const seen = moves
    ? await show((seconds) => (seconds === 0 ? first : take(scene, seconds)), MOVING)
    : await show(() => first);
  const { kind, subject } = scene;
  const specimen = subject?.kind === 'card' && subject.card.kind === 'specimen' ? subject.card.number : null;
  const nik = kind === 'good' && specimen !== null ? await readNik(first, seen.corners, specimen) : null;
  first.close();
  return { seen, nik, picture };
}

/** Reads the number in the photo that the widget would take of this frame. */
async function readNik(frame: ImageBitmap, card: Quad | null, specimen: number): Promise<NikReading> {
  // Without corners no photo is taken by itself.
  if (card === null) return { read: false, digits: '', similarity: 0 };
  if (camera === undefined) throw new Error('no sources');
  const limits = PHOTO_LIMITS.identifai.ktp;
  const guide = guideInPicture('ktp', frame);
  const { blob } = await takePhoto({ step: 'ktp', frame, guide, card, straighten: true, limits });
  const photo = await createImageBitmap(blob);
  const pixels = pixelsOf(photo);
  photo.close();
  reader ??= createNikReader();
  const place = cardInPhoto(card, frame, limits, pixels);
  const reading = reader.read(pixels, place, await camera.original(specimen));
  return { ...reading, similarity: rounded(reading.similarity) };
}

function pixelsOf(picture: ImageBitmap): ImageData {
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d', {
    willReadFrequently: true,
  });
  if (context === null) throw new Error('no 2D canvas');
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}

/** Judges one photo as it is. `scale` is the judged picture's width over the photo's. */
async function judgePhoto(url: string): Promise<{ seen: SeenCard; scale: number }> {
  const photo = await loadPicture(url);
  const { width, height } = fitLongSide(photo, CAMERA_LONG_SIDE);
  const scale = width / photo.width;
  const picture = await createImageBitmap(photo, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: 'high',
  });
  photo.close();
  const seen = await show(() => picture);
  picture.close();
  return { seen, scale };
}

/** Paints a scene without judging it: its first frame as it is analysed. */
async function paintScene(scene: Scene): Promise<RawFrame> {
  const picture = await take(scene, 0);
  const { width, height } = fitLongSide(picture, ANALYSIS_LONG_SIDE);
  const small = await createImageBitmap(picture, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: 'medium',
  });
  const { data } = pixelsOf(small);
  for (const done of [picture, small]) done.close();
  const url = await urlOfBlob(new Blob([data]));
  return { width, height, base64: url.slice(url.indexOf(',') + 1) };
}

async function dataUrlOf(picture: ImageBitmap): Promise<string> {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext('2d')?.drawImage(picture, 0, 0);
  return urlOfBlob(await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 }));
}

async function urlOfBlob(blob: Blob): Promise<string> {
  const reader = new FileReader();
  return new Promise((resolve) => {
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '');
    reader.readAsDataURL(blob);
  });
}

const api = { open, useSources, judgeScene, judgePhoto, paintScene };

declare global {
  interface Window {
    cards: typeof api;
  }
}
window.cards = api;
