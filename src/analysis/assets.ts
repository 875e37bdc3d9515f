import { CaptureError } from '../domain/result.ts';

/** Everything heavy, fetched and compiled. */
export interface Assets {
  readonly runtime: WebAssembly.Module;
  /** Bundle for FaceLandmarker. */
  readonly landmarker: Uint8Array;
  /** Model for FaceDetector. */
  readonly detector: Uint8Array;
  /** Model for ImageSegmenter: where the person is. */
  readonly person: Uint8Array;
}

const FILES = {
  runtime: 'vision_wasm_module_internal.wasm',
  landmarker: 'face.task',
  detector: 'face_detector.tflite',
  person: 'person.tflite',
} as const;

async function request(base: URL, file: string): Promise<Response> {
  const failed = (why: string, cause?: unknown): CaptureError =>
    new CaptureError('assets-failed', `${file} could not be loaded: ${why}. Is assets-base right?`, {
      cause,
    });
  const response = await fetch(new URL(file, base)).catch((error: unknown) => {
    throw failed('no answer', error);
  });
  if (!response.ok || response.body === null) throw failed(`status ${response.status}`);
  return response;
}

/** Bytes of every file by name, as `manifest.json` lists them; the length header lies where a server compresses. */
async function sizesOf(base: URL): Promise<ReadonlyMap<string, number>> {
  const answer: unknown = await (await request(base, 'manifest.json')).json().catch((error: unknown) => {
    throw new CaptureError('assets-failed', 'manifest.json is not JSON.', { cause: error });
  });
  const entries = typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
  return new Map(
    entries.flatMap(([file, entry]: [string, unknown]) => {
      const bytes = typeof entry === 'object' && entry !== null && 'bytes' in entry ? entry.bytes : null;
      return typeof bytes === 'number' ? [[file, bytes]] : [];
    }),
  );
}

/** A TFLite file has its identifier behind the reference to its root. */
function isTflite(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(4, 8)) === 'TFL3';
}

/**
 * Fetches runtime and models side by side and compiles the runtime while it arrives.
 * @param onProgress fraction 0..1 of all bytes that have arrived
 * @throws CaptureError `assets-failed`
 */
export async function fetchAssets(base: URL, onProgress: (fraction: number) => void): Promise<Assets> {
  const sizes = await sizesOf(base);
  const total = Object.values(FILES).reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
  let arrived = 0;
  let reported = 0;
  const count = (bytes: number): void => {
    arrived += bytes;
    const percent = Math.min(99, Math.floor((100 * arrived) / total));
    // A message to the page for every chunk would be hundreds.
    if (percent > reported) onProgress((reported = percent) / 100);
  };
  const counted = (response: Response): ReadableStream<Uint8Array<ArrayBuffer>> | null =>
    response.body?.pipeThrough(
      new TransformStream({
        transform(chunk: Uint8Array<ArrayBuffer>, controller) {
          count(chunk.byteLength);
          controller.enqueue(chunk);
        },
      }),
    ) ?? null;
  const bytesOf = async (file: string): Promise<Uint8Array> =>
    new Uint8Array(await new Response(counted(await request(base, file))).arrayBuffer());
  const runtimeOf = async (): Promise<WebAssembly.Module> => {
    const response = await request(base, FILES.runtime);
    // The type is ours, because many static servers send none for .wasm, and streaming insists on it.
    const typed = new Response(counted(response), { headers: { 'content-type': 'application/wasm' } });
    return WebAssembly.compileStreaming(typed);
  };

  try {
    const [runtime, landmarker, detector, person] = await Promise.all([
      runtimeOf(),
      bytesOf(FILES.landmarker),
      bytesOf(FILES.detector),
      bytesOf(FILES.person),
    ]);
    // It starts only once a face is in view, which is late to find out that a server sent something else.
    if (!isTflite(person)) throw new CaptureError('assets-failed', `${FILES.person} is no model.`);
    return { runtime, landmarker, detector, person };
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw new CaptureError('assets-failed', 'The analysis files arrived broken.', { cause: error });
  }
}
