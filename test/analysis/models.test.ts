import { FaceDetector, FaceLandmarker, ImageSegmenter } from '@mediapipe/tasks-vision';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { unpacked } from '../../src/analysis/download.ts';
import { fetchModel } from '../../src/analysis/assets.ts';
import { createBoxModels } from '../../src/analysis/face-box.ts';
import { createModels, type Models, type Seen } from '../../src/analysis/models.ts';
import { createPixelReader } from '../../src/analysis/pixel-reader.ts';
import type { Plane } from '../../src/analysis/pixels.ts';
import { createSurface } from '../../src/analysis/surface.ts';
import type { Point, Size } from '../../src/domain/geometry.ts';
import {
  ASSETS,
  assetsFolder,
  distanceBetween,
  emptyFrame,
  frameOf,
  loadAssets,
  loadModels,
  media,
  seeAll,
  sharedPhotos,
} from './support.ts';

/*
 * The rebuilt models against their origin: the untouched Face Mesh and Selfie Segmentation solutions, run on the same
 * frames in the same browser.
 */

interface FaceMeshResults {
  readonly multiFaceLandmarks?: readonly (readonly Point[])[];
}
interface FaceMeshSolution {
  setOptions(options: object): void;
  onResults(listener: (results: FaceMeshResults) => void): void;
  send(input: { image: HTMLCanvasElement }): Promise<void>;
}

interface SegmentationResults {
  readonly segmentationMask: CanvasImageSource;
}
interface SegmentationSolution {
  setOptions(options: object): void;
  onResults(listener: (results: SegmentationResults) => void): void;
  send(input: { image: HTMLCanvasElement }): Promise<void>;
}

/** Frames until the tracked region no longer depends on how the detector cut out the first one. */
const SETTLE = 6;

const SOLUTIONS = '/node_modules/@mediapipe/';

/** Runs the script of a solution, which puts its class into the global object. */
async function loadSolution<T>(name: string, className: string): Promise<T> {
  const folder = `${SOLUTIONS}${name}/`;
  const script = document.createElement('script');
  script.src = `${folder}${name}.js`;
  await new Promise((resolve, reject) => {
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error(`${name}.js did not load`)));
    document.head.append(script);
  });
  const classes = globalThis as unknown as Record<string, new (options: object) => T>;
  const Solution = classes[className];
  if (Solution === undefined) throw new Error(`${name}.js has no ${className}`);
  return new Solution({ locateFile: (file: string) => folder + file });
}

async function loadFaceMesh(): Promise<FaceMeshSolution> {
  const solution = await loadSolution<FaceMeshSolution>('face_mesh', 'FaceMesh');
  solution.setOptions({ staticImageMode: false, selfieMode: false, maxNumFaces: 1, refineLandmarks: false });
  return solution;
}

/** What solutions take. */
function elementOf(frame: OffscreenCanvas): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = frame.width;
  canvas.height = frame.height;
  canvas.getContext('2d')?.drawImage(frame, 0, 0);
  return canvas;
}

/** The original's mask at the size of ours: confidence 0..1, row by row. */
async function maskByOrigin(
  solution: SegmentationSolution,
  frame: OffscreenCanvas,
  { width, height }: Size,
): Promise<Float32Array> {
  const small = new OffscreenCanvas(width, height);
  const context = small.getContext('2d');
  solution.onResults(({ segmentationMask }) => {
    context?.clearRect(0, 0, width, height);
    context?.drawImage(segmentationMask, 0, 0, width, height);
  });
  await solution.send({ image: elementOf(frame) });
  const data = context?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
  // It answers with a colour that is as opaque as it is certain.
  return Float32Array.from({ length: width * height }, (_, i) => (data[4 * i + 3] ?? 0) / 255);
}

/** Points of the original, px of the frame. */
async function pointsByOrigin(solution: FaceMeshSolution, frame: OffscreenCanvas): Promise<readonly Point[]> {
  const canvas = elementOf(frame);
  let points: readonly Point[] = [];
  solution.onResults(({ multiFaceLandmarks }) => {
    points = (multiFaceLandmarks?.[0] ?? []).map(({ x, y }) => ({ x: x * frame.width, y: y * frame.height }));
  });
  // An empty frame makes it let go of the face before; to reset it would build all of it anew, which takes seconds.
  await solution.send({ image: elementOf(emptyFrame(64, 64)) });
  for (let i = 0; i < SETTLE; i++) await solution.send({ image: canvas });
  return points;
}

/** A browser whose canvases have no WebGL. */
function withoutWebGl(): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own canvas below
  const get = HTMLCanvasElement.prototype.getContext as (
    this: HTMLCanvasElement,
    ...of: unknown[]
  ) => unknown;
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(function (
    this: HTMLCanvasElement,
    ...of: unknown[]
  ) {
    return (of[0] === '2d' ? get.apply(this, of) : null) as never;
  });
}

const POINTS = 468;
const OUTER_CORNERS = [33, 263] as const;
/** Points may differ by this, in outer-eye-corner distances: the two crop the face by slightly different regions. */
const TOLERANCE = 0.02;

const alwaysThere = ['audrey.jpg', 'cage.jpg', 'SeanConnery.jpg', 'franck_02221.jpg'];
const pictures = new Map<string, string>([
  ...alwaysThere.map((file): [string, string] => [file, media(file)]),
  ...[...sharedPhotos]
    .filter(([file]) => /^(frontal_good|hijab_headcover)\//.test(file))
    .filter((_, i) => i % 24 === 0),
]);

describe('the rebuilt face bundle', () => {
  let models: Models;
  let solution: FaceMeshSolution;
  beforeAll(async () => {
    models = await loadModels();
    solution = await loadFaceMesh();
  }, 60_000);

  let now = 0;
  const pointsByBundle = async (frame: OffscreenCanvas): Promise<readonly Point[]> => {
    // An empty frame makes it let go of the face before.
    seeAll(models, await createImageBitmap(emptyFrame(64, 64)), (now += 1000));
    let points: readonly Point[] = [];
    for (let i = 0; i < SETTLE; i++) {
      points = seeAll(models, await createImageBitmap(frame), (now += 66)).face?.points ?? [];
    }
    return points;
  };

  test.each([...pictures.keys()])(
    'puts the points of %s where the original solution puts them',
    async (name) => {
      const frame = await frameOf(pictures.get(name) ?? '');
      const expected = await pointsByOrigin(solution, frame);
      const points = await pointsByBundle(frame);
      expect(expected).toHaveLength(POINTS);
      expect(points).toHaveLength(POINTS + 10);
      const [a, b] = OUTER_CORNERS.map((index) => expected[index] ?? { x: 0, y: 0 });
      const eyes = distanceBetween(a ?? { x: 0, y: 0 }, b ?? { x: 0, y: 0 });
      const errors = expected.map((point, i) => distanceBetween(point, points[i] ?? { x: 0, y: 0 }) / eyes);
      const median = errors.sort((x, y) => x - y)[POINTS / 2] ?? Infinity;
      console.log(
        `${name}: points differ by ${(100 * median).toFixed(2)} % of the eye-corner distance in the median`,
      );
      expect(median).toBeLessThan(TOLERANCE);
    },
  );

  test('keeps a face that moves', async () => {
    const frame = await frameOf(media('audrey.jpg'));
    let held = 0;
    for (let step = 0; step < 40; step++) {
      const moved = new OffscreenCanvas(frame.width, frame.height);
      moved.getContext('2d')?.drawImage(frame, 2 * step - 40, step - 20);
      if (seeAll(models, await createImageBitmap(moved), (now += 66)).face !== null) held++;
    }
    expect(held).toBe(40);
  });

  test('sees no face in an empty frame', async () => {
    const seen = seeAll(models, await createImageBitmap(emptyFrame(320, 240)), (now += 1000));
    expect(seen).toEqual({ faces: [], face: null, person: null });
  });
});

/** What both masks call the person, over what either does. */
const SAME_PERSON = 0.97;
/** The mask starts with the first face, and takes its time. */
const STARTS_WITHIN = 20_000;

describe('the person mask', () => {
  let models: Models;
  let solution: SegmentationSolution;
  beforeAll(async () => {
    models = await loadModels();
    solution = await loadSolution<SegmentationSolution>('selfie_segmentation', 'SelfieSegmentation');
    solution.setOptions({ modelSelection: 0, selfieMode: false });
  }, 60_000);

  let now = 0;
  const personIn = async (frame: OffscreenCanvas): Promise<Plane> => {
    const until = performance.now() + STARTS_WITHIN;
    while (performance.now() < until) {
      const { person } = seeAll(models, await createImageBitmap(frame), (now += 310));
      if (person !== null) return person;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('no mask');
  };

  test.each([...pictures.keys()])('covers in %s what the original solution covers', async (name) => {
    const frame = await frameOf(pictures.get(name) ?? '');
    seeAll(models, await createImageBitmap(emptyFrame(64, 64)), (now += 1000));
    const ours = await personIn(frame);
    const theirs = await maskByOrigin(solution, frame, ours);
    let both = 0;
    let either = 0;
    theirs.forEach((confidence, i) => {
      const [a, b] = [confidence >= 0.5, (ours.data[i] ?? 0) >= 0.5];
      if (a && b) both++;
      if (a || b) either++;
    });
    console.log(`${name}: ${((100 * both) / either).toFixed(2)} % of the person in both masks`);
    expect(either).toBeGreaterThan(0.1 * theirs.length);
    expect(both / either).toBeGreaterThan(SAME_PERSON);
  });

  test('comes once a second, at a glance, and only with a face', async () => {
    const frame = await frameOf(media('audrey.jpg'));
    await personIn(frame);
    let count = 0;
    for (let i = 0; i < 120; i++) {
      const attention = i % 4 === 0 ? 'look' : 'glance';
      const seen = models.see(await createImageBitmap(frame), (now += 33), attention);
      if (seen?.person) count++;
      if (attention === 'look') expect(seen?.person).toBeNull();
    }
    expect(count).toBe(3);
    seeAll(models, await createImageBitmap(emptyFrame(64, 64)), (now += 1000));
    expect(seeAll(models, await createImageBitmap(emptyFrame(64, 64)), (now += 1000)).person).toBeNull();
  });
});

describe('WebGL', () => {
  afterEach(() => vi.restoreAllMocks());

  test('is the mask’s alone, which enables the extensions that somebody uses and knows of no other', async () => {
    const enable = vi.spyOn(WebGL2RenderingContext.prototype, 'getExtension');
    const models = await loadModels();
    const frame = await frameOf(media('audrey.jpg'));
    let now = 1000;
    const look = async (): Promise<Seen> => seeAll(models, await createImageBitmap(frame), (now += 100));
    expect((await look()).face).not.toBeNull();
    expect(enable).not.toHaveBeenCalled();
    await vi.waitFor(async () => expect((await look()).person).not.toBeNull(), 20_000);
    const used = [
      'EXT_color_buffer_float',
      'EXT_color_buffer_half_float',
      'EXT_float_blend',
      'OES_texture_float_linear',
    ];
    expect(used).toEqual(expect.arrayContaining(enable.mock.calls.map(([name]) => name)));
    const context = enable.mock.contexts[0] as WebGL2RenderingContext | undefined;
    expect(used).toEqual(expect.arrayContaining(context?.getSupportedExtensions() ?? []));
    const other = 'WEBGL_debug_renderer_info';
    expect(createSurface().getContext('webgl2')?.getExtension(other)).toBeTruthy();
    expect(context?.getExtension(other)).toBeNull();
    models.close();
    expect(context?.isContextLost()).toBe(true);
  });

  test('may be missing: faces are seen all the same, and no shoulders', async () => {
    withoutWebGl();
    const models = await loadModels();
    const segment = vi.spyOn(ImageSegmenter, 'createFromOptions');
    const frame = await frameOf(media('audrey.jpg'));
    for (let now = 1000; now < 4000; now += 100) {
      const { face, person } = seeAll(models, await createImageBitmap(frame), now);
      expect(face?.points).toHaveLength(478);
      expect(person).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(segment).not.toHaveBeenCalled();
    models.close();
  });
});

describe('a start that fails', () => {
  afterEach(() => vi.restoreAllMocks());
  const failed = { code: 'analysis-failed' };

  const { read: readPixels } = createPixelReader();
  const never = {
    readPixels,
    fetchModel: (): Promise<Uint8Array> => Promise.reject(new Error('not to be had')),
    faces: true,
  };
  const noMemory = (): never => {
    throw new Error('no memory');
  };

  test.each([
    ['full guidance', () => loadAssets().then((assets) => createModels(assets, never))],
    ['the detector alone', () => loadAssets().then((assets) => createBoxModels(assets, readPixels))],
  ])('of the detector is told (%s)', async (_, create) => {
    vi.spyOn(FaceDetector, 'createFromOptions').mockImplementation(noMemory);
    await expect(create()).rejects.toMatchObject({
      ...failed,
      message: expect.stringContaining('no memory') as unknown,
    });
  });

  test('of the mask gives back its canvas, and leaves the faces', async () => {
    const createSegmenter = ImageSegmenter.createFromOptions.bind(ImageSegmenter);
    const creating = vi.spyOn(ImageSegmenter, 'createFromOptions').mockImplementation(async (...options) => {
      (await createSegmenter(...options)).close();
      return noMemory();
    });
    const enable = vi.spyOn(WebGL2RenderingContext.prototype, 'getExtension');
    const models = await loadModels();
    const frame = await frameOf(media('audrey.jpg'));
    let now = 1000;
    const isLost = (): boolean | undefined =>
      (enable.mock.contexts[0] as WebGL2RenderingContext | undefined)?.isContextLost();
    await vi.waitFor(async () => {
      const { face, person } = seeAll(models, await createImageBitmap(frame), (now += 100));
      expect([face === null, person]).toEqual([false, null]);
      expect(isLost()).toBe(true);
    }, 20_000);
    expect(creating).toHaveBeenCalledTimes(1);
    models.close();
  });

  test('of the detector at its warm-up is told by the first frame', async () => {
    const models = await createModels(await loadAssets(), never);
    const detect = vi.spyOn(FaceDetector.prototype, 'detectForVideo').mockImplementation(noMemory);
    await vi.waitFor(() => expect(detect).toHaveBeenCalledTimes(1));
    expect(() => models.detector.findFaces(new ImageData(64, 64), 1000)).toThrow('no memory');
    models.close();
  });

  test('of the landmarker is told with the next frame, and leaves the detector to be closed', async () => {
    const models = await createModels(await loadAssets(), never);
    await models.ready();
    const frame = await createImageBitmap(emptyFrame());
    expect(() => models.see(frame, 1000, 'study')).toThrow('not to be had');
    const close = vi.spyOn(FaceDetector.prototype, 'close');
    models.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('of the landmarker comes after models that were closed meanwhile: it is closed as well', async () => {
    const close = vi.spyOn(FaceLandmarker.prototype, 'close');
    const folder = await assetsFolder();
    const models = await createModels(await loadAssets(), {
      readPixels,
      fetchModel: (name) => fetchModel(name, folder),
      faces: true,
    });
    const ready = models.ready();
    models.close();
    await ready;
    expect(close).toHaveBeenCalledTimes(1);
  });
});

describe('the built files', () => {
  const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
    [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  const load = async (file: string): Promise<Response> => fetch(new URL(file, ASSETS));
  const bytesOf = async (file: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await (await load(file)).arrayBuffer());

  test.each(['face.task', 'face_detector.tflite', 'person.tflite', 'worker.js'])(
    '%s is what the manifest says',
    async (file) => {
      const manifest: unknown = await (await load('manifest.json')).json();
      const bytes = await bytesOf(file);
      expect(manifest).toMatchObject({ [file]: { bytes: bytes.length, sha256: await sha256(bytes) } });
    },
  );

  test.each(['face.task', 'person.tflite', 'vision_wasm_slim.wasm', 'vision_wasm_module_internal.wasm'])(
    '%s is the same compressed',
    async (file) => {
      const { body } = await load(`${file}.gz`);
      if (body === null) throw new Error('no body');
      const content = await new Response(await unpacked(body)).arrayBuffer();
      expect(await sha256(new Uint8Array(content))).toBe(await sha256(await bytesOf(file)));
    },
  );
});
