import { CaptureError } from '../domain/result.ts';
import { entryOf, type Manifest, startDownloads } from './download.ts';

/**
 * The runtime of MediaPipe: whole, and with the functions alone that the analysis calls, a third of the bytes. What it
 * lacks ends in a trap, after which that instance is lost; then the whole one delivers.
 */
export const RUNTIME_FILE = {
  slim: 'vision_wasm_slim.wasm',
  full: 'vision_wasm_module_internal.wasm',
} as const;

/** One of them. */
export type RuntimeName = keyof typeof RUNTIME_FILE;

const MODEL_FILES = {
  /** Bundle for FaceLandmarker, with the detector in it. */
  landmarker: 'face.task',
  /** Model for FaceDetector. */
  detector: 'face_detector.tflite',
  /** Model for ImageSegmenter: where the person is. */
  person: 'person.tflite',
} as const;

/** A model that can be asked for. */
export type ModelName = keyof typeof MODEL_FILES;

/** Runtime and models, fetched, checked and compiled. */
export interface Assets<Name extends ModelName = ModelName> {
  readonly runtime: WebAssembly.Module;
  readonly models: Readonly<Record<Name, Uint8Array>>;
}

/** Where the files are, and what they have to be. */
export interface AssetsOptions extends FolderOptions {
  readonly runtime: RuntimeName;
  /** Fraction 0..1 of all bytes that have arrived; called now and then as long as any arrive. */
  readonly onProgress: (fraction: number) => void;
}

/** A folder of assets. */
export interface FolderOptions {
  readonly base: URL;
  /** Checked already. */
  readonly manifest: Manifest;
  /** As `DownloadOptions` has it, ms. */
  readonly stallAfter: number;
  readonly signal: AbortSignal;
}

/** Bytes that arrive are told of after so long even where they are few, ms. */
const TELL_AFTER = 1000;

/**
 * Fetches the runtime and the models named side by side and compiles the runtime while it arrives; its hash is checked
 * before anybody gets it.
 * @throws CaptureError `assets-failed`, or `analysis-failed` where the right runtime does not compile here
 */
export async function fetchAssets<Name extends ModelName>(
  names: readonly Name[],
  { runtime: runtimeName, base, manifest, stallAfter, signal, onProgress }: AssetsOptions,
): Promise<Assets<Name>> {
  const runtimeFile = RUNTIME_FILE[runtimeName];
  const files = [runtimeFile, ...names.map((name) => MODEL_FILES[name])];
  const entries = files.map((file) => entryOf(manifest, file));
  const total = entries.reduce((sum, { bytes, gzip = bytes }) => sum + gzip, 0);
  let arrived = 0;
  let reported = 0;
  let told = 0;
  const onBytes = (count: number): void => {
    arrived += count;
    const percent = Math.max(reported, Math.min(99, Math.floor((100 * arrived) / total)));
    // A message to the page for every chunk would be hundreds.
    if (percent === reported && performance.now() - told < TELL_AFTER) return;
    [reported, told] = [percent, performance.now()];
    onProgress(percent / 100);
  };

  const downloads = startDownloads({ base, stallAfter, onBytes });
  signal.addEventListener('abort', downloads.end);
  const runtimeOf = async (): Promise<WebAssembly.Module> => {
    let compiling: Promise<WebAssembly.Module> | undefined;
    await downloads.file(runtimeFile, entryOf(manifest, runtimeFile), (bytes) => {
      // The type is ours, because many static servers send none for .wasm, and streaming insists on it.
      const typed = new Response(bytes, { headers: { 'content-type': 'application/wasm' } });
      compiling = WebAssembly.compileStreaming(typed);
      // Whether the bytes are right is known later, and told first.
      compiling.catch(() => undefined);
    });
    if (compiling === undefined) throw new Error('The runtime was not fetched.');
    return compiling.catch((cause: unknown) => {
      throw new CaptureError('analysis-failed', 'The runtime does not compile in this browser or page.', {
        cause,
      });
    });
  };
  const modelOf = async (name: Name): Promise<readonly [Name, Uint8Array]> => [
    name,
    await downloads.file(MODEL_FILES[name], entryOf(manifest, MODEL_FILES[name])),
  ];

  try {
    const [runtime, ...models] = await Promise.all([runtimeOf(), ...names.map(modelOf)]);
    // Within: every name has its model, or one of the promises had failed.
    return { runtime, models: Object.fromEntries(models) as Record<Name, Uint8Array> };
  } finally {
    signal.removeEventListener('abort', downloads.end);
    downloads.end();
  }
}

/**
 * Fetches a model that nothing waits for.
 * @throws CaptureError `assets-failed`
 */
export async function fetchModel(
  name: ModelName,
  { base, manifest, stallAfter, signal }: FolderOptions,
): Promise<Uint8Array> {
  const downloads = startDownloads({ base, stallAfter });
  signal.addEventListener('abort', downloads.end);
  try {
    return await downloads.file(MODEL_FILES[name], entryOf(manifest, MODEL_FILES[name]));
  } finally {
    signal.removeEventListener('abort', downloads.end);
    downloads.end();
  }
}

/** The detector's file in a bundle for FaceLandmarker. */
const DETECTOR_MEMBER = 'face_detector.tflite';

/** Signatures of the zip format, and where in their records the fields lie that are read here. */
const MEMBER = 0x04034b50;
const MEMBER_BYTES = 30;

/**
 * The detector out of the bundle, which holds it uncompressed, so that it need not be fetched twice.
 * @throws Error where it is not in it as Tasks wants it
 */
export function detectorIn(bundle: Uint8Array): Uint8Array {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  for (let at = 0; at + MEMBER_BYTES < bundle.length && view.getUint32(at, true) === MEMBER;) {
    const packing = view.getUint16(at + 8, true);
    const size = view.getUint32(at + 18, true);
    const nameLength = view.getUint16(at + 26, true);
    const start = at + MEMBER_BYTES + nameLength + view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bundle.subarray(at + MEMBER_BYTES, at + MEMBER_BYTES + nameLength));
    if (name === DETECTOR_MEMBER && packing === 0 && start + size <= bundle.length)
      return bundle.subarray(start, start + size);
    at = start + size;
  }
  throw new Error(`The bundle has no ${DETECTOR_MEMBER}.`);
}
