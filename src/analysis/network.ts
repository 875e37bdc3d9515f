/* eslint-disable @typescript-eslint/no-non-null-assertion -- the loops read within bounds that the steps give; a fallback at every read would cost time and hide a wrong bound */
import { CaptureError } from '../domain/result.ts';
import { createKernels } from './kernels.ts';

/*
 * A small convolutional network: a few thousand weights need no runtime of their own. Both kinds of layer are the same
 * sum, over one patch or over many, so that a layer becomes one `Step` of strides and lengths.
 */

/** `conv`: 3x3 kernel, zeros round the edge, bias, ReLU. `dense`: of all values of the layer before. */
export type Layer =
  | { readonly type: 'conv'; readonly out: number; readonly stride: number }
  | { readonly type: 'dense'; readonly out: number; readonly relu: boolean };

/** What a network looks like; its weights are a separate array. Convolutions come before dense layers. */
export interface NetworkShape {
  /** Of the input, px. */
  readonly width: number;
  readonly height: number;
  /** Values per pixel of the input. */
  readonly channels: number;
  /** The last one is dense, without ReLU, with one output (a logit) per head. */
  readonly layers: readonly Layer[];
}

export interface Network {
  /**
   * @param input height x width x channels: row by row, the channels of a pixel together
   * @returns one logit per head, in an array of its own
   * @throws CaptureError `assets-failed` for an input of another size
   */
  run(input: Float32Array): Float32Array;
}

/**
 * One layer as sums over patches of its input. All strides and lengths count values, not pixels. A convolution reads
 * its input with a border of one zero pixel, which the step before leaves free.
 */
export interface Step {
  readonly relu: boolean;
  /** Length of the input, border included. */
  readonly length: number;
  /** Where the first pixel of the input lies, and from one row of it to the next. */
  readonly start: number;
  readonly pitch: number;
  /** A patch is this many runs of neighbouring values, one `pitch` apart. */
  readonly runs: number;
  readonly run: number;
  /** From one patch to the next on its right, and to the next below. */
  readonly right: number;
  readonly down: number;
  /** Patches side by side and one below the other: the size of the output. */
  readonly columns: number;
  readonly rows: number;
  /** Values per output pixel. */
  readonly out: number;
  /** Where the weights (out x runs x run) and then the biases (out) of this layer start among all weights. */
  readonly kernel: number;
  readonly bias: number;
}

/** The layers as steps; the input of step i + 1 is the output of step i. */
export function stepsOf({ width, height, channels, layers }: NetworkShape): readonly Step[] {
  let size = { columns: width, rows: height, out: channels };
  let kernel = 0;
  return layers.map((layer): Step => {
    const { columns, rows, out: values } = size;
    const input = layer.type === 'conv' ? bordered(columns, rows, values) : flat(columns, rows, values);
    const patch =
      layer.type === 'conv'
        ? { runs: 3, run: 3 * values, right: layer.stride * values, down: layer.stride * input.pitch }
        : { runs: 1, run: input.length, right: 0, down: 0 };
    size =
      layer.type === 'conv'
        ? { columns: Math.ceil(columns / layer.stride), rows: Math.ceil(rows / layer.stride), out: layer.out }
        : { columns: 1, rows: 1, out: layer.out };
    const bias = kernel + layer.out * patch.runs * patch.run;
    const step = { relu: layer.type === 'conv' || layer.relu, ...input, ...patch, ...size, kernel, bias };
    kernel = bias + layer.out;
    return step;
  });
}

/** Of an input: what the step before has to know to write into it. */
export type Extent = Pick<Step, 'length' | 'start' | 'pitch'>;

function bordered(columns: number, rows: number, values: number): Extent {
  const pitch = (columns + 2) * values;
  return { length: (rows + 2) * pitch, start: pitch + values, pitch };
}

const flat = (columns: number, rows: number, values: number): Extent => ({
  length: rows * columns * values,
  start: 0,
  pitch: columns * values,
});

/** How many weights and biases all layers have together. */
export function weightCount(shape: NetworkShape): number {
  const last = stepsOf(shape).at(-1);
  return last === undefined ? 0 : last.bias + last.out;
}

/** Where the last step writes: nothing reads its output with a border. */
export const FLAT: Extent = { length: 0, start: 0, pitch: 0 };

/** Bytes of a float32. */
const FLOAT = 4;
/** Channels that are calculated at once. */
const LANES = 4;

/** Of so many values, as many as fill whole vectors. */
const filled = (values: number): number => Math.ceil(values / LANES) * LANES;

/** Where the parts of a step lie in the memory, in values. */
interface Place {
  readonly input: number;
  readonly kernel: number;
  readonly biases: number;
}

/**
 * A network that is ready to run; its memory is made here, once.
 * @param weights layer by layer: out x kernel rows x kernel columns x in, then one bias per out
 * @throws CaptureError `assets-failed` where the number of weights is not that of the shape
 */
export function createNetwork(shape: NetworkShape, weights: Float32Array): Network {
  if (weights.length === 0 || weights.length !== weightCount(shape))
    throw new CaptureError('assets-failed', 'The weights are not those of this network.');
  // Channels that only fill a vector have no weights and stay 0.
  const steps = stepsOf({
    ...shape,
    layers: shape.layers.map((layer) => ({ ...layer, out: filled(layer.out) })),
  });
  let end = 0;
  const take = (values: number): number => {
    const start = end;
    end += filled(values);
    return start;
  };
  const places = steps.map(({ length, runs, run, out }): Place => ({
    input: take(length),
    kernel: take(runs * run * out),
    biases: take(out),
  }));
  const logits = take(steps.at(-1)!.out);
  const { memory, convolve } = createKernels(FLOAT * end);
  const values = new Float32Array(memory);
  putWeights(shape, weights, steps, places, values);

  const run = (step: Step, i: number): void => {
    const { input, kernel, biases } = places[i]!;
    const next = steps[i + 1] ?? FLAT;
    const output = (places[i + 1]?.input ?? logits) + next.start;
    convolve(
      FLOAT * input,
      FLOAT * step.right,
      FLOAT * step.down,
      step.runs,
      FLOAT * step.run,
      FLOAT * step.pitch,
      FLOAT * kernel,
      FLOAT * biases,
      step.out / LANES,
      step.relu ? 0 : -Infinity,
      FLOAT * output,
      FLOAT * next.pitch,
      step.columns,
      step.rows,
    );
  };
  const row = shape.width * shape.channels;
  const heads = shape.layers.at(-1)!.out;
  return {
    run(input) {
      if (input.length !== row * shape.height)
        throw new CaptureError('assets-failed', 'The network takes input of another size.');
      const [{ input: entry }, { start, pitch }] = [places[0]!, steps[0]!];
      for (let y = 0; y < shape.height; y++)
        values.set(input.subarray(y * row, (y + 1) * row), entry + start + y * pitch);
      steps.forEach(run);
      return values.slice(logits, logits + heads);
    },
  };
}

/** Puts weights and biases where the vectors of channels find them: those of all channels at one tap together. */
function putWeights(
  shape: NetworkShape,
  weights: Float32Array,
  wideSteps: readonly Step[],
  places: readonly Place[],
  values: Float32Array,
): void {
  // Channels of an input pixel, as the weights have them and as the memory has.
  let [given, held] = [shape.channels, shape.channels];
  stepsOf(shape).forEach((step, i) => {
    const [wide, { kernel, biases }] = [wideSteps[i]!, places[i]!];
    const taps = step.runs * step.run;
    for (let channel = 0; channel < step.out; channel++) {
      values[biases + channel] = weights[step.bias + channel]!;
      for (let tap = 0; tap < taps; tap++) {
        const inRun = tap % step.run;
        const pixel = Math.floor(inRun / given);
        const wideTap = Math.floor(tap / step.run) * wide.run + pixel * held + (inRun % given);
        values[kernel + wideTap * wide.out + channel] = weights[step.kernel + channel * taps + tap]!;
      }
    }
    [given, held] = [step.out, wide.out];
  });
}

/**
 * The weights of a network from the text that the weights module ships: base64 of, layer by layer, one scale per
 * output channel and one bias per output channel (float32, little-endian), and then the weights as int8, which count
 * in the scale of their channel.
 * @throws CaptureError `assets-failed` where the text is that of another shape
 */
export function decodeWeights(shape: NetworkShape, text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const steps = stepsOf(shape);
  const expected = steps.reduce((sum, { kernel, bias, out }) => sum + 2 * FLOAT * out + bias - kernel, 0);
  if (bytes.length !== expected)
    throw new CaptureError('assets-failed', 'The weights are not those of this network.');
  const weights = new Float32Array(weightCount(shape));
  let at = 0;
  for (const { kernel, bias, out, runs, run } of steps) {
    const size = runs * run;
    const biases = at + FLOAT * out;
    const levels = biases + FLOAT * out;
    for (let channel = 0; channel < out; channel++) {
      const scale = view.getFloat32(at + FLOAT * channel, true);
      weights[bias + channel] = view.getFloat32(biases + FLOAT * channel, true);
      for (let i = channel * size; i < (channel + 1) * size; i++)
        weights[kernel + i] = scale * view.getInt8(levels + i);
    }
    at = levels + out * size;
  }
  return weights;
}
