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

/** What a rung begins with: the one that finds faces. */
export type FaceModelName = Exclude<ModelName, 'person'>;

/** Runtime and face model, fetched and checked. */
export interface AssetBytes {
  readonly runtime: Uint8Array<ArrayBuffer>;
  readonly model: Uint8Array<ArrayBuffer>;
}

/** The same, compiled. */
export interface Assets {
  readonly runtime: WebAssembly.Module;
  readonly model: Uint8Array;
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

/** What is fetched of a folder. */
export interface FetchOptions extends FolderOptions {
  /** Fraction 0..1 of all bytes that have arrived; called now and then as long as any arrive. */
  readonly onProgress: (fraction: number) => void;
}

/** Bytes that arrive are told of after so long even where they are few, ms. */
const TELL_AFTER = 1000;

/**
 * Fetches a runtime and a model side by side.
 * @throws CaptureError `assets-failed`
 */
export async function fetchAssets(
  runtime: RuntimeName,
  model: FaceModelName,
  options: FetchOptions,
): Promise<AssetBytes> {
  const files = [RUNTIME_FILE[runtime], MODEL_FILES[model]] as const;
  const [runtimeBytes, modelBytes] = await fetchFiles(files, options);
  return { runtime: runtimeBytes, model: modelBytes };
}

/**
 * Fetches a runtime alone.
 * @throws CaptureError `assets-failed`
 */
export const fetchRuntime = async (
  name: RuntimeName,
  options: FetchOptions,
): Promise<Uint8Array<ArrayBuffer>> => (await fetchFiles([RUNTIME_FILE[name]] as const, options))[0];

/**
 * Fetches the model of the person's mask.
 * @throws CaptureError `assets-failed`
 */
export const fetchPerson = async (options: FolderOptions): Promise<Uint8Array<ArrayBuffer>> =>
  (await fetchFiles([MODEL_FILES.person] as const, { ...options, onProgress: () => undefined }))[0];

async function fetchFiles<Names extends readonly string[]>(
  names: Names,
  { base, manifest, stallAfter, signal, onProgress }: FetchOptions,
): Promise<{ readonly [Index in keyof Names]: Uint8Array<ArrayBuffer> }> {
  const entries = names.map((name) => ({ name, entry: entryOf(manifest, name) }));
  const total = entries.reduce((sum, { entry: { bytes, gzip = bytes } }) => sum + gzip, 0);
  let arrived = 0;
  let reported = 0;
  let told = 0;
  const onBytes = (count: number): void => {
    arrived += count;
    const percent = Math.max(reported, Math.min(99, Math.floor((100 * arrived) / total)));
    // A call for every chunk would be hundreds.
    if (percent === reported && performance.now() - told < TELL_AFTER) return;
    [reported, told] = [percent, performance.now()];
    onProgress(percent / 100);
  };
  signal.throwIfAborted();
  const downloads = startDownloads({ base, stallAfter, onBytes });
  signal.addEventListener('abort', downloads.end);
  try {
    const fetched = await Promise.all(entries.map(({ name, entry }) => downloads.file(name, entry)));
    // One for each name.
    return fetched as { readonly [Index in keyof Names]: Uint8Array<ArrayBuffer> };
  } finally {
    signal.removeEventListener('abort', downloads.end);
    downloads.end();
  }
}

/**
 * Compiles a runtime whose bytes were checked.
 * @throws CaptureError `analysis-failed` where it does not compile here
 */
export async function compiled({ runtime, model }: AssetBytes): Promise<Assets> {
  try {
    return { runtime: await WebAssembly.compile(runtime), model };
  } catch (cause) {
    throw new CaptureError('analysis-failed', 'The runtime does not compile in this browser or page.', {
      cause,
    });
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
