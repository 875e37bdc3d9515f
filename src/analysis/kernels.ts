import { KERNELS_CODE } from './kernels-code.ts';

/*
 * The loops of `simd/kernels.ts` as WebAssembly: they run wherever the models do, whose runtime asks for the same of a
 * browser.
 */

/** As `simd/kernels.ts` has them; what takes a truth there takes 0 or 1 here. All results but a count lie in the memory. */
interface Loops {
  readonly convolve: (
    input: number,
    right: number,
    down: number,
    runs: number,
    run: number,
    pitch: number,
    weights: number,
    biases: number,
    vectors: number,
    floor: number,
    output: number,
    outputPitch: number,
    columns: number,
    rows: number,
  ) => void;
  readonly align: (
    picture: number,
    width: number,
    height: number,
    x: number,
    y: number,
    rightX: number,
    rightY: number,
    isFiner: 0 | 1,
    columns: number,
    rows: number,
    patch: number,
  ) => void;
  readonly shrink: (
    picture: number,
    width: number,
    factor: number,
    columns: number,
    rows: number,
    target: number,
  ) => void;
  readonly shrinkPlanes: (
    luma: number,
    blue: number,
    red: number,
    width: number,
    factor: number,
    columns: number,
    rows: number,
    sums: number,
    target: number,
    gain: number,
    redToRed: number,
    blueToGreen: number,
    redToGreen: number,
    blueToBlue: number,
    red0: number,
    green0: number,
    blue0: number,
  ) => void;
  readonly toLuma: (pixels: number, count: number, luma: number) => void;
  readonly countSteepness: (
    band: number,
    low: number,
    high: number,
    width: number,
    rows: number,
    margin: number,
    step: number,
    steps: number,
    minSpan: number,
    scale: number,
    counts: number,
    bins: number,
  ) => number;
}

/** The loops with a memory of their own, which holds zeros at first. */
export interface Kernels extends Loops {
  readonly memory: ArrayBuffer;
}

/** The unit in which memory is given out, bytes. */
const PAGE = 65536;
/** What vectors may read and write behind the last place, bytes. */
const SLACK = 64;

let compiled: WebAssembly.Module | null = null;

/** @param bytes that the memory has at least */
export function createKernels(bytes: number): Kernels {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(KERNELS_CODE), (character) => character.charCodeAt(0)),
  );
  const memory = new WebAssembly.Memory({ initial: Math.ceil((bytes + SLACK) / PAGE) });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // The module is of this build, and a test holds it against its source.
  return { ...(exports as unknown as Loops), memory: memory.buffer };
}

/** Kernels for one purpose: the same ones again and again, as long as their memory is large enough. */
export function createWorkshop(): (bytes: number) => Kernels {
  let kernels: Kernels | null = null;
  return (bytes) => {
    if (kernels === null || kernels.memory.byteLength < bytes + SLACK) kernels = createKernels(bytes);
    return kernels;
  };
}
