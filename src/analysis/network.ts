/* eslint-disable @typescript-eslint/no-non-null-assertion -- the loops read within bounds that the steps give; a fallback at every read would cost time and hide a wrong bound */
import { CaptureError } from '../domain/result.ts';

/*
 * A small convolutional network in plain arithmetic: a few thousand weights need no runtime of their own. Both kinds
 * of layer are the same sum, over one patch or over many, so that a layer becomes one `Step` of strides and lengths.
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

type Extent = Pick<Step, 'length' | 'start' | 'pitch'>;

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

/**
 * The inputs of all steps, and behind them the output of the last. They are of double width because the engine
 * calculates in doubles and need not convert: measured a fifth faster than 32 bits.
 */
export const buffersFor = (steps: readonly Step[]): readonly Float64Array[] => [
  ...steps.map(({ length }) => new Float64Array(length)),
  new Float64Array(steps.at(-1)?.out ?? 0),
];

/** Puts an input (height x width x channels) where the first step reads it. */
export function place(
  { width, height, channels }: NetworkShape,
  { start, pitch }: Pick<Step, 'start' | 'pitch'>,
  input: Float32Array,
  buffer: Float64Array,
): void {
  const row = width * channels;
  for (let y = 0, from = 0; y < height; y++)
    for (let to = start + y * pitch, end = to + row; to < end; to++, from++) buffer[to] = input[from]!;
}

/**
 * The output of one step.
 * @param weights those of all layers
 * @param next where the step after this one reads its input
 */
export function forward(
  step: Step,
  next: Extent,
  weights: Float64Array,
  input: Float64Array,
  output: Float64Array,
): void {
  const { columns, rows, out, right, down, runs, run, pitch, relu, bias, kernel } = step;
  const floor = relu ? 0 : -Infinity;
  const size = runs * run;
  for (let y = 0; y < rows; y++) {
    // Two patches by four channels at a time: six reads feed eight sums, and no sum waits for its own last addition.
    // At an edge of the blocks the last patch or channel is summed twice, to the same result.
    for (let x = 0; x < columns; x += 2) {
      const paired = x + 1 < columns;
      const patch = y * down + x * right;
      const aside = paired ? right : 0;
      const to = next.start + y * next.pitch + x * out;
      const beside = paired ? to + out : to;
      for (let channel = 0; channel < out; channel += 4) {
        const second = channel + 1 < out ? 1 : 0;
        const third = channel + 2 < out ? 2 : 0;
        const fourth = channel + 3 < out ? 3 : 0;
        let a = weights[bias + channel]!;
        let b = weights[bias + channel + second]!;
        let c = weights[bias + channel + third]!;
        let d = weights[bias + channel + fourth]!;
        let [e, f, g, h] = [a, b, c, d];
        const toSecond = second * size;
        const toThird = third * size;
        const toFourth = fourth * size;
        let w = kernel + channel * size;
        for (let r = 0; r < runs; r++) {
          for (let i = patch + r * pitch, end = i + run; i < end; i++, w++) {
            const left = input[i]!;
            const neighbour = input[i + aside]!;
            const forA = weights[w]!;
            const forB = weights[w + toSecond]!;
            const forC = weights[w + toThird]!;
            const forD = weights[w + toFourth]!;
            a += left * forA;
            b += left * forB;
            c += left * forC;
            d += left * forD;
            e += neighbour * forA;
            f += neighbour * forB;
            g += neighbour * forC;
            h += neighbour * forD;
          }
        }
        output[to + channel] = a > floor ? a : floor;
        output[to + channel + second] = b > floor ? b : floor;
        output[to + channel + third] = c > floor ? c : floor;
        output[to + channel + fourth] = d > floor ? d : floor;
        output[beside + channel] = e > floor ? e : floor;
        output[beside + channel + second] = f > floor ? f : floor;
        output[beside + channel + third] = g > floor ? g : floor;
        output[beside + channel + fourth] = h > floor ? h : floor;
      }
    }
  }
}

/** Where the last step writes: nothing reads its output with a border. */
export const FLAT: Extent = { length: 0, start: 0, pitch: 0 };

/**
 * A network that is ready to run; its buffers are made here, once.
 * @param weights layer by layer: out x kernel rows x kernel columns x in, then one bias per out
 * @throws CaptureError `assets-failed` where the number of weights is not that of the shape
 */
export function createNetwork(shape: NetworkShape, weights: Float32Array | Float64Array): Network {
  const steps = stepsOf(shape);
  const buffers = buffersFor(steps);
  const [first] = steps;
  const [entry] = buffers;
  if (first === undefined || entry === undefined || weights.length !== weightCount(shape))
    throw new CaptureError('assets-failed', 'The weights are not those of this network.');
  const wide = Float64Array.from(weights);
  return {
    run: (input) => {
      if (input.length !== shape.width * shape.height * shape.channels)
        throw new CaptureError('assets-failed', 'The network takes input of another size.');
      place(shape, first, input, entry);
      steps.forEach((step, i) => forward(step, steps[i + 1] ?? FLAT, wide, buffers[i]!, buffers[i + 1]!));
      return Float32Array.from(buffers.at(-1) ?? []);
    },
  };
}

/** Bytes of a float32. */
const FLOAT = 4;

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
