// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- ambient, so that nothing can be imported of it
/// <reference path="../../../src/analysis/glue.d.ts" />
import { FaceDetector, FaceLandmarker } from '@mediapipe/tasks-vision';
import moduleFactory from '@mediapipe/tasks-vision/vision_wasm_module_internal.js';
import { bundleWith } from '../../../src/analysis/assets.ts';

/*
 * MediaPipe in a worker and nothing else: what nobody can go below.
 */

/** What the worker is created with; URLs. */
export interface BareModels {
  readonly runtime: string;
  /** Bundle for FaceLandmarker, which may lack the detector. */
  readonly landmarker: string;
  readonly detector: string;
  /** FaceDetector is created as well. */
  readonly detects: boolean;
  /** Faces that are looked for at most. */
  readonly faces: number;
}

/** What it is asked; frames are transferred, and closed by the worker. */
export type BareQuestion =
  | { readonly models: BareModels }
  | { readonly frame: ImageBitmap; readonly now: number; readonly detect: boolean };

/** What it answers. */
export interface BareAnswer {
  readonly faces: number;
  /** null where all went well. */
  readonly fault: string | null;
}

const worker = globalThis as unknown as {
  onmessage: ((event: MessageEvent<BareQuestion>) => void) | null;
  postMessage(answer: BareAnswer): void;
  ModuleFactory?: unknown;
  Module?: unknown;
  custom_dbg?: unknown;
};
const silent = (): void => undefined;
worker.custom_dbg = silent;

let landmarker: FaceLandmarker | null = null;
let detector: FaceDetector | null = null;

async function create({
  runtime,
  landmarker: bundle,
  detector: model,
  detects,
  faces,
}: BareModels): Promise<void> {
  const bytesOf = async (url: string): Promise<Uint8Array> => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  const [compiled, bundleBytes, modelBytes] = await Promise.all([
    WebAssembly.compileStreaming(fetch(runtime)),
    bytesOf(bundle),
    bytesOf(model),
  ]);
  const fileset = { wasmLoaderPath: '', wasmBinaryPath: '' };
  const prepare = (): void => {
    worker.ModuleFactory = moduleFactory;
    worker.Module = {
      print: silent,
      printErr: silent,
      instantiateWasm: (
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
      ) => {
        void WebAssembly.instantiate(compiled, imports).then((instance) => done(instance, compiled));
        return {};
      },
    };
  };
  prepare();
  landmarker = await FaceLandmarker.createFromOptions(fileset, {
    baseOptions: { modelAssetBuffer: bundleWith(modelBytes, bundleBytes), delegate: 'CPU' },
    runningMode: 'VIDEO',
    numFaces: faces,
    outputFacialTransformationMatrixes: true,
  });
  if (!detects) return;
  prepare();
  detector = await FaceDetector.createFromOptions(fileset, {
    baseOptions: { modelAssetBuffer: modelBytes, delegate: 'CPU' },
    runningMode: 'VIDEO',
  });
}

async function answer(question: BareQuestion): Promise<Omit<BareAnswer, 'fault'>> {
  if ('models' in question) {
    await create(question.models);
    return { faces: 0 };
  }
  const { frame, now, detect } = question;
  try {
    const found = landmarker?.detectForVideo(frame, now).faceLandmarks.length ?? 0;
    if (detect) detector?.detectForVideo(frame, now);
    return { faces: found };
  } finally {
    frame.close();
  }
}

worker.onmessage = ({ data }) => {
  answer(data).then(
    (told) => worker.postMessage({ ...told, fault: null }),
    (error: unknown) => worker.postMessage({ faces: 0, fault: String(error) }),
  );
};
