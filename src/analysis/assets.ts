import { CaptureError } from '../domain/result.ts';
import { entryOf, type Manifest, startDownloads } from './download.ts';

const RUNTIME_FILE = 'vision_wasm_module_internal.wasm';

const MODEL_FILES = {
  /** Bundle for FaceLandmarker. */
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
export interface AssetsOptions {
  readonly base: URL;
  /** Checked already. */
  readonly manifest: Manifest;
  /** As `DownloadOptions` has it, ms. */
  readonly stallAfter: number;
  readonly signal: AbortSignal;
  /** Fraction 0..1 of all bytes that have arrived; called now and then as long as any arrive. */
  readonly onProgress: (fraction: number) => void;
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
  { base, manifest, stallAfter, signal, onProgress }: AssetsOptions,
): Promise<Assets<Name>> {
  const entries = new Map(
    [RUNTIME_FILE, ...names.map((name) => MODEL_FILES[name])].map((file) => [file, entryOf(manifest, file)]),
  );
  const total = [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
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
    await downloads.file(RUNTIME_FILE, entryOf(manifest, RUNTIME_FILE), (bytes) => {
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
