import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchAssets } from '../../src/analysis/assets.ts';
import { createModels, demandWebGl, type Models } from '../../src/analysis/models.ts';
import type { Point } from '../../src/domain/geometry.ts';
import { ASSETS, distanceBetween, emptyFrame, frameOf, media, sharedPhotos } from './support.ts';

/*
 * The rebuilt bundle against its origin: the untouched Face Mesh solution, run on the same frames in the same browser.
 */

interface FaceMeshResults {
  readonly multiFaceLandmarks?: readonly (readonly Point[])[];
}
interface FaceMeshSolution {
  setOptions(options: object): void;
  onResults(listener: (results: FaceMeshResults) => void): void;
  send(input: { image: HTMLCanvasElement }): Promise<void>;
  reset(): void;
}

/** Frames until the tracked region no longer depends on how the detector cut out the first one. */
const SETTLE = 6;

const SOLUTION = '/node_modules/@mediapipe/face_mesh/';

async function loadSolution(): Promise<FaceMeshSolution> {
  const script = document.createElement('script');
  script.src = `${SOLUTION}face_mesh.js`;
  await new Promise((resolve, reject) => {
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error('face_mesh.js did not load')));
    document.head.append(script);
  });
  const { FaceMesh } = globalThis as unknown as { FaceMesh: new (options: object) => FaceMeshSolution };
  const solution = new FaceMesh({ locateFile: (file: string) => SOLUTION + file });
  solution.setOptions({ staticImageMode: false, selfieMode: false, maxNumFaces: 1, refineLandmarks: false });
  return solution;
}

/** Points of the original, px of the frame. */
async function pointsByOrigin(solution: FaceMeshSolution, frame: OffscreenCanvas): Promise<readonly Point[]> {
  const canvas = document.createElement('canvas');
  canvas.width = frame.width;
  canvas.height = frame.height;
  canvas.getContext('2d')?.drawImage(frame, 0, 0);
  let points: readonly Point[] = [];
  solution.onResults(({ multiFaceLandmarks }) => {
    points = (multiFaceLandmarks?.[0] ?? []).map(({ x, y }) => ({ x: x * frame.width, y: y * frame.height }));
  });
  solution.reset();
  for (let i = 0; i < SETTLE; i++) await solution.send({ image: canvas });
  return points;
}

const POINTS = 468;
const OUTER_CORNERS = [33, 263] as const;
/** Points may differ by this, in outer-eye-corner distances: the two crop the face by slightly different regions. */
const TOLERANCE = 0.02;

const alwaysThere = [
  'audrey.jpg',
  'cage.jpg',
  'SeanConnery.jpg',
  'bieber_small.jpg',
  'franck_02221.jpg',
  'franck_04117.jpg',
];
const pictures = new Map<string, string>([
  ...alwaysThere.map((file): [string, string] => [file, media(file)]),
  ...[...sharedPhotos]
    .filter(([file]) => /^(frontal_good|hijab_headcover)\//.test(file))
    .filter((_, i) => i % 12 === 0),
]);

describe('the rebuilt face bundle', () => {
  let models: Models;
  let solution: FaceMeshSolution;
  beforeAll(async () => {
    models = await createModels(await fetchAssets(ASSETS, () => undefined));
    solution = await loadSolution();
  }, 60_000);

  let now = 0;
  const pointsByBundle = async (frame: OffscreenCanvas): Promise<readonly Point[]> => {
    // An empty frame makes it let go of the face before.
    models.see(await createImageBitmap(emptyFrame(64, 64)), (now += 1000));
    let points: readonly Point[] = [];
    for (let i = 0; i < SETTLE; i++) {
      points = models.see(await createImageBitmap(frame), (now += 66)).face?.points ?? [];
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
      if (models.see(await createImageBitmap(moved), (now += 66)).face !== null) held++;
    }
    expect(held).toBe(40);
  });

  test('sees no face in an empty frame', async () => {
    const seen = models.see(await createImageBitmap(emptyFrame(320, 240)), (now += 1000));
    expect(seen).toEqual({ faces: [], face: null });
  });
});

describe('a browser without WebGL 2 in workers', () => {
  test('is told apart before anything is loaded', () => {
    const getContext = vi.spyOn(OffscreenCanvas.prototype, 'getContext').mockReturnValue(null);
    expect(demandWebGl).toThrow(expect.objectContaining({ code: 'assets-failed' }));
    getContext.mockRestore();
    expect(demandWebGl).not.toThrow();
  });
});
