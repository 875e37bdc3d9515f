import { FaceLandmarker, type FaceLandmarkerResult } from '@mediapipe/tasks-vision';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleWith, compiled, fetchModel } from '../../src/analysis/assets.ts';
import { headPose, MARKS } from '../../src/analysis/pose.ts';
import { startTask, type Started } from '../../src/analysis/runtime.ts';
import { createPixelCanvas } from '../../src/analysis/pixel-canvas.ts';
import { createPixelReader } from '../../src/analysis/pixel-reader.ts';
import type { Landmark } from '../../src/domain/observation.ts';
import { assetsFolder, frameOf, loadBytes, media, sharedPhotos } from './support.ts';

type Vector = readonly [x: number, y: number, z: number];

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** First rolled, then nodded, then turned, as the angles of a pose are read. */
function turned([x, y, z]: Vector, { yaw, pitch, roll }: Record<'yaw' | 'pitch' | 'roll', number>): Vector {
  const [cr, sr] = [Math.cos(radians(-roll)), Math.sin(radians(-roll))];
  const [cp, sp] = [Math.cos(radians(pitch)), Math.sin(radians(pitch))];
  const [cy, sy] = [Math.cos(radians(yaw)), Math.sin(radians(yaw))];
  const [rolledX, rolledY] = [cr * x - sr * y, sr * x + cr * y];
  const [noddedY, noddedZ] = [cp * rolledY + sp * z, cp * z - sp * rolledY];
  return [cy * rolledX + sy * noddedZ, noddedY, cy * noddedZ - sy * rolledX];
}

/** How high a picture is one unit away from the camera, by the angle that MediaPipe assumes. */
const HIGH = 2 * Math.tan(radians(63) / 2);

/** Landmarks of the canonical face in a picture: x and y in perspective, and depth as MediaPipe's model tells it. */
function seenAt(pose: Parameters<typeof turned>[1], at: Vector, aspect: number): readonly Landmark[] {
  const landmarks = Array.from({ length: 478 }, (): Landmark => ({ x: 0.5, y: 0.5, z: 0 }));
  const wide = HIGH * aspect;
  const placed = MARKS.map(({ landmark, x, y, z }) => {
    const [dx, dy, dz] = turned([x, y, z], pose);
    return { landmark, x: at[0] + dx, y: at[1] + dy, away: -(at[2] + dz) };
  });
  const middle = placed.reduce((sum, { away }) => sum + away, 0) / placed.length;
  for (const { landmark, x, y, away } of placed) {
    const depth = (away / middle - 1) / wide;
    landmarks[landmark] = { x: 0.5 + x / away / wide, y: 0.5 - y / away / HIGH, z: depth };
  }
  return landmarks;
}

describe('how the head is held', () => {
  test('is told of every turn, at any distance, in the middle of a picture of any shape', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -45, max: 45, noNaN: true }),
        fc.double({ min: 20, max: 120, noNaN: true }),
        fc.constantFrom(9 / 16, 3 / 4, 1, 4 / 3, 16 / 9),
        (yaw, away, aspect) => {
          const landmarks = seenAt({ yaw, pitch: 0, roll: 0 }, [0, 0, -away], aspect);
          const told = headPose(landmarks, { width: 480 * aspect, height: 480 });
          expect(told.yaw).toBeCloseTo(yaw, 0);
          expect(told.pitch).toBeCloseTo(0, 0);
          expect(told.roll).toBeCloseTo(0, 0);
        },
      ),
      { seed: 20261123 },
    );
  });

  test.each([
    { yaw: 0, pitch: 20, roll: 0 },
    { yaw: 0, pitch: -20, roll: 0 },
    { yaw: 0, pitch: 0, roll: 30 },
    { yaw: 0, pitch: 0, roll: -75 },
    { yaw: 20, pitch: 10, roll: 0 },
    { yaw: -20, pitch: -10, roll: 0 },
    { yaw: 0, pitch: 0, roll: 170 },
  ])('is told where it is turned by $yaw, nods by $pitch and tilts by $roll', (pose) => {
    const told = headPose(seenAt(pose, [0, 0, -50], 4 / 3), { width: 640, height: 480 });
    // A nod is read as the picture shows it, which is more of one the further the head is turned.
    const nod = degrees(Math.atan(Math.tan(radians(pose.pitch)) / Math.cos(radians(pose.yaw))));
    expect(told.yaw).toBeCloseTo(pose.yaw, 0);
    expect(told.pitch).toBeCloseTo(nod, 0);
    expect(told.roll).toBeCloseTo(pose.roll, 0);
  });

  test('does not change where the head is moved aside and keeps facing the camera', () => {
    for (const [x, y] of [
      [12, 0],
      [-12, 6],
      [0, -9],
    ] as const) {
      const away = 60;
      // A head aside that faces the camera is turned towards it.
      const pose = { yaw: -degrees(Math.atan2(x, away)), pitch: -degrees(Math.atan2(y, away)), roll: 0 };
      const told = headPose(seenAt(pose, [x, y, -away], 4 / 3), { width: 640, height: 480 });
      expect(Math.abs(told.yaw)).toBeLessThan(1);
      expect(Math.abs(told.pitch)).toBeLessThan(1);
    }
  });
});

/** The same out of MediaPipe's own matrix: canonical face to camera, 4 x 4, column by column. */
function poseByOrigin({ facialTransformationMatrixes: [matrix] }: FaceLandmarkerResult): Vector {
  const [xx = 1, xy = 0] = matrix?.data ?? [];
  const [aheadX = 0, aheadY = 0, aheadZ = 1] = matrix?.data.slice(8, 11) ?? [];
  const [x = 0, y = 0, z = -1] = matrix?.data.slice(12, 15) ?? [];
  return [
    degrees(Math.atan2(aheadX, aheadZ) - Math.atan2(-x, -z)),
    degrees(Math.atan2(aheadY, aheadZ) - Math.atan2(-y, -z)),
    -degrees(Math.atan2(xy, xx)),
  ];
}

/** The figures of the marks are rounded, and those of MediaPipe are of single precision. Degrees. */
const TOLERANCE = 0.01;

describe('beside MediaPipe’s own face geometry', () => {
  let landmarker: Started<FaceLandmarker>;
  beforeAll(async () => {
    const folder = await assetsFolder();
    const { runtime, detector } = await compiled(await loadBytes('full', folder));
    const bundle = bundleWith(detector, await fetchModel('landmarker', folder));
    landmarker = await startTask(
      runtime,
      () => createPixelCanvas(createPixelReader().read),
      ({ fileset, canvas }) =>
        FaceLandmarker.createFromOptions(fileset, {
          baseOptions: { modelAssetBuffer: bundle, delegate: 'CPU' },
          runningMode: 'IMAGE',
          outputFacialTransformationMatrixes: true,
          canvas,
        }),
    );
  }, 60_000);
  afterAll(() => landmarker.close());

  test('it is the same on every photo', async () => {
    const urls = ['audrey.jpg', 'cage.jpg', 'SeanConnery.jpg', 'franck_02221.jpg'].map(media);
    urls.push(...[...sharedPhotos.values()].filter((_, i) => i % 4 === 0));
    let [compared, furthest] = [0, 0];
    for (const url of urls) {
      const frame = await frameOf(url);
      const result = landmarker.task.detect(frame);
      const [landmarks] = result.faceLandmarks;
      if (landmarks === undefined) continue;
      const { yaw, pitch, roll } = headPose(landmarks, frame);
      for (const [i, origin] of poseByOrigin(result).entries())
        furthest = Math.max(furthest, Math.abs(([yaw, pitch, roll][i] ?? NaN) - origin));
      compared++;
    }
    console.log(`${compared} faces: at most ${furthest.toFixed(4)} degrees apart`);
    expect(compared).toBeGreaterThanOrEqual(4);
    expect(furthest).toBeLessThan(TOLERANCE);
  }, 120_000);
});
