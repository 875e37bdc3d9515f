import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { personForTasks } from '../../../scripts/tflite.ts';
import { install } from './install.ts';

/*
 * The hand model of a peer that cannot start without one. Like the face model it is published for Tasks on a storage
 * host only, but the same family of models is in an older package.
 */

const HANDS = '@mediapipe/hands';

/** Byte range as `hands_solution_packed_assets_loader.js` of @mediapipe/hands 0.4.1675469240 lists it. */
const PALM = {
  file: 'hands_solution_packed_assets.data',
  start: 11,
  end: 2_341_291,
  sha256: '2f25e740121983f68ffc05f99991d524dc0ea812134f6316a26125816941ee85',
};
const HAND = {
  file: 'hand_landmark_full.tflite',
  start: 0,
  end: 5_478_688,
  sha256: '8c026882c9ec059ce0f8e75266bee5a9a23c341a40e0000df755374d3d1b9b68',
};

/** Both hand models take pixels as 0..1, as the person mask does. */
const handForTasks = personForTasks;

/**
 * A `hand_landmarker.task` put together from the palm detector and the full hand model of `@mediapipe/hands`.
 * @throws Error where the package cannot be had or is not the one that is known
 */
export async function rebuiltHandModel(): Promise<Uint8Array> {
  const folder = join(await install([`${HANDS}@0.4.1675469240`]), 'node_modules', HANDS);
  const read = async ({ file, start, end, sha256 }: typeof PALM): Promise<Uint8Array> => {
    const part = (await readFile(join(folder, file))).subarray(start, end);
    if (createHash('sha256').update(part).digest('hex') !== sha256)
      throw new Error(`${HANDS}: ${file} is not the file that the benchmark knows.`);
    return part;
  };
  return zipSync(
    {
      'hand_detector.tflite': handForTasks(await read(PALM)),
      'hand_landmarks_detector.tflite': handForTasks(await read(HAND)),
    },
    // Stored, because Tasks maps the members in place.
    { level: 0, mtime: new Date(1980, 0, 1) },
  );
}
