import { type Analyser, createAnalyser, observe, sightOf } from '../../src/analysis/analyser.ts';
import { eyeLineOf } from '../../src/analysis/patch.ts';
import { assess, type Judged, judge } from '../../src/domain/assess.ts';
import { FaceLandmarker } from '@mediapipe/tasks-vision';
import { boxRound, fitLongSide, growBox, guideInPicture } from '../../src/domain/geometry.ts';
import {
  guide as advance,
  type Hint,
  HOLD_FRAMES,
  readyForShutter,
  startGuide,
} from '../../src/domain/guide.ts';
import type { Face, Landmark } from '../../src/domain/observation.ts';
import type { Head, Picture } from './degradations.ts';
import { type Lessons, paintLessons } from './lessons.ts';
import type { Mesh } from './paint.ts';
import { ALL_DEGRADATIONS, type Sample, seedOf } from './samples.ts';
import { randomFrom, type Reported } from './score.ts';

/*
 * The browser's side of the accuracy run: photos as still camera frames, through the worker, rules and guidance that
 * the widget uses.
 */

/** What was made of one picture. */
export interface Seen {
  /** What the rules say of the last frame. */
  readonly reported: readonly Reported[];
  /** What the person would read after the last frame. */
  readonly hint: Hint | null;
  /** Whether the shutter would have gone off by the last frame. */
  readonly wouldCapture: boolean;
  /** Every rule of every frame. */
  readonly frames: readonly (readonly Pick<
    Judged,
    'code' | 'measure' | 'value' | 'threshold' | 'broken'
  >[])[];
  /** The raw measures of the last frame. */
  readonly face: Face | null;
  /** Individual typology angle of the cheeks, degrees: high on light skin, low on dark. null without a face. */
  readonly tone: number | null;
}

/** As large a picture as a phone's front camera gives, px. */
const CAMERA_LONG_SIDE = 1920;
/** The worker looks for more faces every 200 ms, so that each frame of a longer step is looked at itself. */
const STEP_MS = 400;
/** As many frames as the shutter waits for, so that a hint has settled, and tracking too. */
const FRAMES = HOLD_FRAMES;
/** What moves is shown as often as a phone judges frames. */
const MOVING = { stepMs: 100, frames: 5 };

let analyser: Analyser | undefined;
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

/** Lets go of the face of the picture before, which tracking would carry over. */
async function forget(worker: Analyser): Promise<void> {
  const black = new OffscreenCanvas(64, 64);
  black.getContext('2d')?.fillRect(0, 0, 64, 64);
  now += 5000;
  await observe(worker, 'selfie', await sightOf(black.transferToImageBitmap()), now);
}

/** Shows frames one after the other. The points are the last frame's, px of the picture that was shown. */
async function show(
  pictureAt: (seconds: number) => ImageBitmap | Promise<ImageBitmap>,
  { stepMs, frames: count } = { stepMs: STEP_MS, frames: FRAMES },
): Promise<{ seen: Seen; points: readonly Landmark[] | null }> {
  if (analyser === undefined) throw new Error('not open');
  await forget(analyser);
  now += 5000;
  let state = startGuide(now);
  const frames: Seen['frames'][number][] = [];
  for (let i = 0; ; i++, now += stepMs) {
    const picture = await pictureAt((i * stepMs) / 1000);
    const last = i === count - 1;
    const sight = await sightOf(picture);
    const { observation, guide } = await observe(analyser, 'selfie', sight, now, last ? 'detail' : 'study');
    const issues = assess(observation, guide);
    state = advance(state, issues, now);
    frames.push(
      judge(observation, guide).map(({ code, measure, value, threshold, broken }) => ({
        code,
        measure,
        value: rounded(value),
        threshold,
        broken,
      })),
    );
    if (!last) continue;
    if (observation.kind !== 'face') throw new Error('not a face observation');
    const scale = picture.width / observation.frame.width;
    const points =
      observation.detail?.points.map(({ x, y, z }) => ({ x: x * scale, y: y * scale, z: z * scale })) ?? null;
    return {
      points,
      seen: {
        reported: issues.map(({ code, value, threshold }) => ({ code, value: rounded(value), threshold })),
        hint: state.hint,
        wouldCapture: readyForShutter(state),
        frames,
        face: observation.face,
        tone: points === null ? null : toneOf(picture, points),
      },
    };
  }
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** The middles of both cheeks in the landmarker's numbering: skin on every face, beard or not. */
const CHEEKS = [50, 280];

/** Individual typology angle (Chardin et al. 1991): atan((L* - 50) / b*), from CIELAB of the cheeks, in degrees. */
function toneOf(picture: ImageBitmap, points: readonly Landmark[]): number | null {
  const canvas = new OffscreenCanvas(CHEEKS.length, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  const side = 0.1 * boxRound(points).width;
  context.imageSmoothingQuality = 'high';
  CHEEKS.forEach((index, i) => {
    const { x, y } = points[index] ?? { x: 0, y: 0 };
    context.drawImage(picture, x - side / 2, y - side / 2, side, side, i, 0, 1, 1);
  });
  const { data } = context.getImageData(0, 0, CHEEKS.length, 1);
  const mean = (channel: number): number =>
    CHEEKS.reduce((sum, _, i) => sum + ((data[4 * i + channel] ?? 0) / 255) ** 2.2, 0) / CHEEKS.length;
  const [r, g, b] = [mean(0), mean(1), mean(2)];
  const root = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0888);
  return rounded((Math.atan2(116 * y - 16 - 50, 200 * (y - z)) * 180) / Math.PI);
}

async function load(url: string): Promise<ImageBitmap> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  const photo = await createImageBitmap(await response.blob());
  const { width, height } = fitLongSide(photo, CAMERA_LONG_SIDE);
  if (width === photo.width) return photo;
  return createImageBitmap(photo, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
}

/** What is kept of a photo that copies are made of. */
interface Base {
  readonly url: string;
  /** x as a fraction of the photo's width, y of its height, z of its width. */
  readonly points: readonly Landmark[];
  readonly head: Head;
  readonly pose: Picture['pose'];
}
const bases = new Map<string, Base>();

/** A head is pasted small, so its face is kept this wide, px. */
const HEAD_FACE_WIDTH = 200;

async function headOf(photo: ImageBitmap, points: readonly Landmark[]): Promise<Head> {
  const face = boxRound(points);
  const cut = growBox(face, 0.3, 0.35);
  const scale = HEAD_FACE_WIDTH / face.width;
  const [left, top] = [Math.round(cut.x), Math.round(cut.y)];
  return {
    bitmap: await createImageBitmap(photo, left, top, Math.round(cut.width), Math.round(cut.height), {
      resizeWidth: Math.round(cut.width * scale),
      resizeHeight: Math.round(cut.height * scale),
      resizeQuality: 'high',
    }),
    face: {
      x: (face.x - left) * scale,
      y: (face.y - top) * scale,
      width: face.width * scale,
      height: face.height * scale,
    },
  };
}

/**
 * Judges one photo as it is.
 * @param file what samples call it; null where no copies are made of it
 */
async function judgePhoto(url: string, file: string | null): Promise<Seen> {
  const photo = await load(url);
  const { seen, points } = await show(() => photo);
  if (file !== null && points !== null && seen.face !== null) {
    const { width, height } = photo;
    bases.set(file, {
      url,
      head: await headOf(photo, points),
      pose: seen.face,
      points: points.map(({ x, y, z }) => ({ x: x / width, y: y / height, z: z / width })),
    });
  }
  photo.close();
  return seen;
}

/** Copies are painted at this size, px: over that of an analysis frame, so that it is scaled as a camera's is. */
const COPY_LONG_SIDE = 800;

/** Rims of the eyes and of the mouth between the lips, round and round: the landmarker's mesh leaves them open. */
const OPENINGS = [
  [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
  [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191],
];

const FACE_MESH: Mesh = {
  triangles: [
    // The landmarker lists the three sides of each triangle one after the other.
    ...FaceLandmarker.FACE_LANDMARKS_TESSELATION.flatMap((_, i, sides) => {
      const [a, b, c] = [sides[i], sides[i + 1], sides[i + 2]];
      return i % 3 === 0 && a && b && c ? [[a.start, b.start, c.start] as const] : [];
    }),
    ...OPENINGS.flatMap(([corner = 0, ...rim]) =>
      rim.slice(1).map((index, i) => [corner, rim[i] ?? corner, index] as const),
    ),
  ],
  outline: FaceLandmarker.FACE_LANDMARKS_FACE_OVAL.map(({ start }) => start),
};

/** One photo, ready for its copies. */
interface Opened {
  readonly file: string;
  readonly source: ImageBitmap;
  readonly fixed: Omit<Picture, 'context' | 'other' | 'random' | 'time'>;
}
let opened: Opened | undefined;

async function openBase(file: string): Promise<Opened> {
  if (opened?.file === file) return opened;
  opened?.source.close();
  const base = bases.get(file);
  if (base === undefined) throw new Error('a sample of a photo that was not judged');
  const photo = await load(base.url);
  const size = fitLongSide(photo, COPY_LONG_SIDE);
  const source = await createImageBitmap(photo, {
    resizeWidth: size.width,
    resizeHeight: size.height,
    resizeQuality: 'high',
  });
  photo.close();
  const points = base.points.map(({ x, y, z }) => ({
    x: x * size.width,
    y: y * size.height,
    z: z * size.width,
  }));
  const { across } = eyeLineOf(points);
  const guide = guideInPicture('selfie', size);
  opened = {
    file,
    source,
    fixed: {
      source,
      size,
      points,
      face: boxRound(points),
      eyeDistance: Math.hypot(across.x, across.y),
      guide,
      mesh: FACE_MESH,
      pose: base.pose,
    },
  };
  return opened;
}

/** Paints and judges one copy, and gives its first frame as a data URL if asked to. */
async function judgeSample(
  sample: Sample,
  wantsPicture: boolean,
): Promise<{ seen: Seen; picture: string | null }> {
  const { source, fixed } = await openBase(sample.file);
  const degradation = ALL_DEGRADATIONS[sample.degradation];
  const other = bases.get(sample.other)?.head;
  if (degradation === undefined || other === undefined) throw new Error('no such sample');
  const canvas = new OffscreenCanvas(source.width, source.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  const paint = async (time: number): Promise<ImageBitmap> => {
    context.drawImage(source, 0, 0);
    await degradation.paint(
      { ...fixed, context, other, random: randomFrom(seedOf(sample)), time },
      sample.step,
    );
    return createImageBitmap(canvas);
  };
  const first = await paint(0);
  const picture = wantsPicture ? await dataUrlOf(canvas) : null;
  const { seen } = degradation.moves === true ? await show(paint, MOVING) : await show(() => first);
  first.close();
  return { seen, picture };
}

async function dataUrlOf(canvas: OffscreenCanvas): Promise<string> {
  const reader = new FileReader();
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 });
  return new Promise((resolve) => {
    reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '');
    reader.readAsDataURL(blob);
  });
}

/** Paints what the cover networks learn from one photo; null where no face is found. */
async function teach(url: string, name: string, plain: number, each: number): Promise<Lessons | null> {
  const photo = await load(url);
  const { points } = await show(() => photo);
  const lessons = points && (await paintLessons(photo, points, FACE_MESH, { name, plain, each }));
  photo.close();
  return lessons;
}

const api = { open, judgePhoto, judgeSample, teach };

declare global {
  interface Window {
    accuracy: typeof api;
  }
}
window.accuracy = api;
