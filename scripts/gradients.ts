/* eslint-disable @typescript-eslint/no-non-null-assertion -- the loops read within bounds that the steps give; a fallback at every read would cost time and hide a wrong bound */
import {
  type Extent,
  FLAT,
  type NetworkShape,
  type Step,
  stepsOf,
  weightCount,
} from '../src/analysis/network.ts';

/*
 * The gradients of the networks that `src/analysis/network.ts` runs: forward in doubles, and backward by hand for its one
 * kind of step.
 */

/** Random numbers from 0 up to 1. */
export type Random = () => number;

/** Of one head: does it apply? null where nobody knows; it then teaches nothing. */
export type Label = 0 | 1 | null;

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Normal distribution, mean 0, deviation 1 (Box and Muller). */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Random weights that keep the size of the values from layer to layer (He et al. 2015); biases are 0. */
export function initialWeights(shape: NetworkShape, random: Random): Float64Array {
  const weights = new Float64Array(weightCount(shape));
  for (const { kernel, bias, runs, run } of stepsOf(shape)) {
    const deviation = Math.sqrt(2 / (runs * run));
    for (let i = kernel; i < bias; i++) weights[i] = deviation * normal(random);
  }
  return weights;
}

/**
 * The inputs of all steps, and behind them the output of the last. They are of double width because the engine
 * calculates in doubles and need not convert: measured a fifth faster than 32 bits.
 */
const buffersFor = (steps: readonly Step[]): readonly Float64Array[] => [
  ...steps.map(({ length }) => new Float64Array(length)),
  new Float64Array(steps.at(-1)?.out ?? 0),
];

/** Puts an input (height x width x channels) where the first step reads it. */
function place(
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
function forward(
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

/** What keeps a network from learning its samples by heart. */
export interface Regularization {
  /** Share of each dense layer's input that is dropped at random. 0 where absent. */
  readonly dropout?: number;
  /** Labels become this much less certain: half of it for 0, 1 less half of it for 1. 0 where absent. */
  readonly smoothing?: number;
}

export interface Differentiated {
  /**
   * Adds the gradient of one sample's loss, times `weight`, to `gradient`.
   * @param gradient one value per weight
   * @returns the loss: cross-entropy summed over the heads whose label is known, nats, without `weight`
   */
  add(
    weights: Float64Array,
    input: Float32Array,
    labels: readonly Label[],
    weight: number,
    gradient: Float64Array,
  ): number;
}

/** Gradients of a network, with buffers of its own. */
export function differentiate(
  shape: NetworkShape,
  { dropout = 0, smoothing = 0, random }: Regularization & { readonly random: Random },
): Differentiated {
  const steps = stepsOf(shape);
  const values = buffersFor(steps);
  const slopes = buffersFor(steps);
  const masks = steps.map(({ length }, i) =>
    dropout > 0 && shape.layers[i]?.type === 'dense' ? new Float64Array(length) : null,
  );
  const heads = steps.at(-1)?.out ?? 0;
  return {
    add: (weights, picture, labels, weight, gradient) => {
      if (labels.length !== heads) throw new RangeError(`The network has ${heads} heads.`);
      place(shape, steps[0]!, picture, values[0]!);
      steps.forEach((step, i) => {
        const mask = masks[i];
        if (mask) {
          for (let j = 0; j < mask.length; j++) mask[j] = random() < dropout ? 0 : 1 / (1 - dropout);
          multiply(values[i]!, mask);
        }
        forward(step, steps[i + 1] ?? FLAT, weights, values[i]!, values[i + 1]!);
      });

      let loss = 0;
      labels.forEach((label, head) => {
        const logit = values.at(-1)![head]!;
        const target = label === null ? 0 : label * (1 - smoothing) + smoothing / 2;
        // ln(1 + e^logit) - target * logit, written so that no large logit overflows.
        if (label !== null)
          loss += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - target * logit;
        slopes.at(-1)![head] = label === null ? 0 : weight * (sigmoid(logit) - target);
      });

      for (let i = steps.length - 1; i >= 0; i--) {
        const next = steps[i + 1] ?? FLAT;
        backward(
          steps[i]!,
          next,
          weights,
          values[i]!,
          values[i + 1]!,
          slopes[i + 1]!,
          gradient,
          i > 0 ? slopes[i]! : null,
        );
        const mask = masks[i];
        if (mask) multiply(slopes[i]!, mask);
      }
      return loss;
    },
  };
}

function multiply(values: Float64Array, factors: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factors[i]!;
}

/**
 * The gradient of one step, from the slope of the loss over its output.
 * @param gradient is added to, for the weights of this step
 * @param inputSlope is overwritten with the slope over the input; null where nobody needs it
 */
function backward(
  step: Step,
  next: Pick<Step, 'start' | 'pitch'>,
  weights: Float64Array,
  values: Float64Array,
  output: Float64Array,
  outputSlope: Float64Array,
  gradient: Float64Array,
  inputSlope: Float64Array | null,
): void {
  const { columns, rows, out, right, down, runs, run, pitch, relu, bias, kernel } = step;
  inputSlope?.fill(0);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const patch = y * down + x * right;
      const from = next.start + y * next.pitch + x * out;
      for (let channel = 0; channel < out; channel++) {
        const slope = outputSlope[from + channel]!;
        if (slope === 0 || (relu && output[from + channel]! <= 0)) continue;
        gradient[bias + channel]! += slope;
        let w = kernel + channel * runs * run;
        for (let r = 0; r < runs; r++) {
          const start = patch + r * pitch;
          if (inputSlope === null)
            for (let i = start; i < start + run; i++, w++) gradient[w]! += slope * values[i]!;
          else
            for (let i = start; i < start + run; i++, w++) {
              gradient[w]! += slope * values[i]!;
              inputSlope[i]! += slope * weights[w]!;
            }
        }
      }
    }
  }
}
