import { CaptureError } from '../domain/result.ts';
import type { Begun } from './analyser.ts';
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
  /** Bundle for FaceLandmarker, as `bundleWith` takes it. */
  landmarker: 'face.task',
  /** Model for FaceDetector. */
  detector: 'face_detector.tflite',
  /** Model for ImageSegmenter: where the person is. */
  person: 'person.tflite',
} as const;

/** A model that can be asked for. */
export type ModelName = keyof typeof MODEL_FILES;

/** Runtime and detector, with which every rung begins, fetched and checked. */
export interface AssetBytes {
  readonly runtime: Uint8Array<ArrayBuffer>;
  readonly detector: Uint8Array<ArrayBuffer>;
}

/** The same, compiled. */
export interface Assets {
  readonly runtime: WebAssembly.Module;
  readonly detector: Uint8Array;
}

/** A folder of assets. */
export interface FolderOptions {
  readonly base: URL;
  /** Checked already. */
  readonly manifest: Manifest;
  /** As `DownloadOptions` has it, ms. */
  readonly stallAfter: number;
  readonly signal: AbortSignal;
  /** As `DownloadOptions` has it. */
  readonly begun?: Begun;
}

/** What is fetched of a folder. */
export interface FetchOptions extends FolderOptions {
  /** Fraction 0..1 of all bytes that have arrived; called now and then as long as any arrive. */
  readonly onProgress: (fraction: number) => void;
  /** As `DownloadOptions` has it. */
  readonly after?: Promise<unknown>;
}

/** Bytes that arrive are told of after so long even where they are few, ms. */
const TELL_AFTER = 1000;

/**
 * Fetches a runtime and the detector side by side.
 * @throws CaptureError `assets-failed`
 */
export async function fetchAssets(name: RuntimeName, options: FetchOptions): Promise<AssetBytes> {
  const [runtime, detector] = await fetchFiles([RUNTIME_FILE[name], MODEL_FILES.detector] as const, options);
  return { runtime, detector };
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
 * Fetches a model that nothing waits for at the start.
 * @throws CaptureError `assets-failed`
 */
export const fetchModel = async (name: ModelName, options: FolderOptions): Promise<Uint8Array<ArrayBuffer>> =>
  (await fetchFiles([MODEL_FILES[name]] as const, { ...options, onProgress: () => undefined }))[0];

/** What every member of a zip archive begins with, and where its header says how long its name and its extras are. */
const MEMBER = [0x50, 0x4b, 0x03, 0x04];
const [NAME_LENGTH_AT, EXTRA_LENGTH_AT, HEADER_BYTES] = [26, 28, 30];

/**
 * A bundle for FaceLandmarker, whole. This build's own leaves out the bytes of its first member, the detector, which is
 * there already.
 */
export function bundleWith(detector: Uint8Array, bundle: Uint8Array): Uint8Array {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const lengths = view.getUint16(NAME_LENGTH_AT, true) + view.getUint16(EXTRA_LENGTH_AT, true);
  const start = HEADER_BYTES + lengths;
  if (!MEMBER.every((byte, i) => bundle[start + i] === byte)) return bundle;
  const whole = new Uint8Array(bundle.length + detector.length);
  whole.set(bundle.subarray(0, start));
  whole.set(detector, start);
  whole.set(bundle.subarray(start), start + detector.length);
  return whole;
}

async function fetchFiles<Names extends readonly string[]>(
  names: Names,
  { base, manifest, stallAfter, signal, begun, onProgress, after = Promise.resolve() }: FetchOptions,
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
  const downloads = startDownloads({ base, stallAfter, onBytes, begun, after });
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
 * Compiles a runtime whose bytes were checked, unless that was done.
 * @throws CaptureError `analysis-failed` where it does not compile here
 */
export async function compiled({ runtime, detector }: AssetBytes | Assets): Promise<Assets> {
  if (runtime instanceof WebAssembly.Module) return { runtime, detector };
  try {
    return { runtime: await WebAssembly.compile(runtime), detector };
  } catch (cause) {
    throw new CaptureError('analysis-failed', 'The runtime does not compile in this browser or page.', {
      cause,
    });
  }
}
