import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipAsync } from '@gfx/zopfli';
import { gunzipSync, gzipSync, zipSync } from 'fflate';
import { RUNTIME_FILE } from '../src/analysis/assets.ts';
import { packedName } from '../src/analysis/download.ts';
import { withoutDeadData } from './dead-data.ts';
import { ASSETS_FOLDER as target, sha256, writeManifest } from './manifest.ts';
import { detectorForTasks, landmarksForTasks, personForTasks, withRoundWeights } from './tflite.ts';
import { KEPT_FUNCTIONS, keepFunctions, optimized, parseKept } from './wasm.ts';

/*
 * Makes `public/assets/` from npm packages alone: the runtime of MediaPipe Tasks, the face models in the
 * shape that Tasks wants, and a manifest. An install that reaches only a package registry can build it.
 */

const require = createRequire(import.meta.url);

/** A run of bytes inside an installed package, and what it has to be. */
interface Source {
  readonly package: string;
  readonly file: string;
  /** First byte; the packed assets hold several models one after the other. */
  readonly start: number;
  readonly bytes: number;
  readonly sha256: string;
}

const PACKED = { package: '@mediapipe/face_mesh', file: 'face_mesh_solution_packed_assets.data' } as const;

/** Byte ranges as `face_mesh_solution_packed_assets_loader.js` of @mediapipe/face_mesh 0.4.1657299874 lists them. */
const SOURCES = {
  landmarks: {
    ...PACKED,
    start: 2_495_952,
    bytes: 1_241_896,
    sha256: 'c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1',
  },
  geometry: {
    ...PACKED,
    start: 3_737_848,
    bytes: 19_376,
    sha256: 'bdbcda96dfcb7da883da124aaa2c55dee49770d934f0fcc71747f8c21bdc75b4',
  },
  detector: {
    ...PACKED,
    start: 3_757_224,
    bytes: 229_032,
    sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
  },
  person: {
    package: '@mediapipe/selfie_segmentation',
    file: 'selfie_segmentation.tflite',
    start: 0,
    bytes: 249_024,
    sha256: '8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27',
  },
  runtime: {
    package: '@mediapipe/tasks-vision',
    file: 'wasm/vision_wasm_module_internal.wasm',
    start: 0,
    bytes: 11_153_641,
    sha256: '617b8e0248dbd27e9d7ece4218004eae4cefb499196d1bb4fa0e3fef21708756',
  },
} as const satisfies Record<string, Source>;

async function readSource(source: Source): Promise<Uint8Array> {
  const complain = (what: string): never => {
    throw new Error(
      `${source.package}: ${source.file} ${what}. Install the exact versions of package.json (npm ci), or check the new file and its figures in scripts/build-models.ts.`,
    );
  };
  const entry = require.resolve(source.package);
  const whole = await readFile(join(dirname(entry), source.file)).catch(() => complain('cannot be read'));
  const part = whole.subarray(source.start, source.start + source.bytes);
  const sizeIsRight = part.length === source.bytes && (source.start > 0 || whole.length === source.bytes);
  if (!sizeIsRight || sha256(part) !== source.sha256) {
    complain(`is not the file this build knows (bytes from ${source.start})`);
  }
  return part;
}

/** Writes only what differs, so that a second run leaves every file and its date alone. */
async function writeIfChanged(name: string, bytes: Uint8Array): Promise<void> {
  const path = join(target, name);
  const old = await readFile(path).catch(() => null);
  const same = old !== null && old.equals(bytes);
  if (!same) await writeFile(path, bytes);
  console.log(`${same ? 'kept   ' : 'written'} ${name} ${bytes.length} bytes sha256 ${sha256(bytes)}`);
}

/** True where the same bytes lie there compressed: to do it again takes longer than all the rest of this build. */
async function isPacked(name: string, bytes: Uint8Array): Promise<boolean> {
  const packed = await readFile(join(target, packedName(name))).catch(() => null);
  if (packed === null) return false;
  try {
    return Buffer.from(gunzipSync(packed)).equals(bytes);
  } catch {
    return false;
  }
}

const [landmarks, geometry, detector, person, runtime] = await Promise.all([
  readSource(SOURCES.landmarks),
  readSource(SOURCES.geometry),
  readSource(SOURCES.detector),
  readSource(SOURCES.person),
  readSource(SOURCES.runtime),
]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

const detectorModel = detectorForTasks(withRoundWeights(detector));
const bundle = zipSync(
  {
    'face_detector.tflite': detectorModel,
    'face_landmarks_detector.tflite': landmarksForTasks(withRoundWeights(landmarks)),
    'geometry_pipeline_metadata_landmarks.binarypb': geometry,
  },
  // Stored, because Tasks maps the members in place; the fixed date keeps the bytes the same on every build.
  { level: 0, mtime: new Date(1980, 0, 1) },
);

/** Of the runtime with the functions of `kept-functions.txt` alone, and of what is left of it in the end. */
const SLIM_SHA256 = {
  kept: 'c03fb9a4538b4f0142d8addb10eb221a2f1492c39a7daab2cecf80b816298bf9',
  slim: '0236cb843cd987524e52041f2103c4d2e9e645857d302ec9275ae6fe7188538c',
};

function expect(bytes: Uint8Array, hash: string): void {
  if (sha256(bytes) === hash) return;
  console.error(
    `${RUNTIME_FILE.slim}: a hash is ${sha256(bytes)}, not ${hash} as in scripts/build-models.ts. Where the list was made anew on purpose (npm run profile), put it there.`,
  );
  process.exit(1);
}

async function slimRuntime(): Promise<Uint8Array> {
  const kept = keepFunctions(runtime, parseKept(await readFile(KEPT_FUNCTIONS, 'utf8')));
  expect(kept, SLIM_SHA256.kept);
  const built = await readFile(join(target, RUNTIME_FILE.slim)).catch(() => null);
  if (built !== null && sha256(built) === SLIM_SHA256.slim) return built;
  const slim = await withoutDeadData(await optimized(kept), runtime);
  expect(slim, SLIM_SHA256.slim);
  return slim;
}

/** The detector is fetched before it, and put in its place again: `bundleWith`. */
const detectorAt = Buffer.from(bundle).indexOf(detectorModel);
const bundleLeft = Buffer.concat([
  bundle.subarray(0, detectorAt),
  bundle.subarray(detectorAt + detectorModel.length),
]);

const assets: Record<string, Uint8Array> = {
  'face.task': bundleLeft,
  'face_detector.tflite': detectorModel,
  'person.tflite': personForTasks(withRoundWeights(person)),
  [RUNTIME_FILE.slim]: await slimRuntime(),
  [RUNTIME_FILE.full]: runtime,
};

/** Compressed, by what gives the same bytes on every machine, as zlib does not. The full runtime comes after a trap alone. */
async function packed(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (name === RUNTIME_FILE.full) return gzipSync(bytes, { level: 9, mtime: new Date(1980, 0, 1) });
  // Takes 4 s a megabyte, for a twelfth less of what every person waits for.
  return gzipAsync(bytes, { numiterations: 5, blocksplitting: true, blocksplittingmax: 0 });
}

await mkdir(target, { recursive: true });
for (const [name, bytes] of Object.entries(assets)) {
  await writeIfChanged(name, bytes);
  if (await isPacked(name, bytes)) continue;
  await writeIfChanged(packedName(name), await packed(name, bytes));
}
writeManifest();
