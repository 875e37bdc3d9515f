/* eslint-disable @typescript-eslint/no-non-null-assertion -- the loops read within bounds that the steps give; a fallback at every read would cost time and hide a wrong bound */
import {
  buffersFor,
  createNetwork,
  FLAT,
  forward,
  type NetworkShape,
  place,
  type Step,
  stepsOf,
  weightCount,
} from '../src/analysis/network.ts';
import { randomFrom, shuffled } from '../test/accuracy/score.ts';

/*
 * Trains the networks that `src/analysis/network.ts` runs: gradients by hand for its one kind of step, Adam, and the
 * figures that tell how good the result is. Everything random follows from a seed.
 */

/** Random numbers from 0 up to 1. */
export type Random = () => number;

/** Of one head: does it apply? null where nobody knows; it then teaches nothing. */
export type Label = 0 | 1 | null;

export interface Sample {
  /** height x width x channels. A function is asked anew in every epoch, so that it can vary the picture. */
  readonly input: Float32Array | ((random: Random) => Float32Array);
  /** One per head. */
  readonly labels: readonly Label[];
  /** How much it counts; 1 where absent. */
  readonly weight?: number;
}

export interface Training {
  readonly shape: NetworkShape;
  readonly samples: readonly Sample[];
  readonly epochs: number;
  /** Samples per step of the weights. */
  readonly batch: number;
  /** At the start; it falls to 0 along a cosine. 0.002 suits batches of 32. */
  readonly learningRate: number;
  /** Share of a weight, times the learning rate, that every step takes off it. Biases keep theirs. */
  readonly weightDecay: number;
  /** Share of each dense layer's input that is dropped at random. 0 where absent. */
  readonly dropout?: number;
  /** Labels become this much less certain: half of it for 0, 1 less half of it for 1. 0 where absent. */
  readonly smoothing?: number;
  readonly seed: number;
  readonly onEpoch?: (epoch: Epoch) => void;
}

export interface Epoch {
  /** From 1. */
  readonly number: number;
  /** Mean of the samples' losses while the epoch ran, with dropout, nats. */
  readonly loss: number;
  /** A copy, to look how far the network is. */
  readonly weights: () => Float32Array;
}

const input = ({ input: given }: Sample, random: Random): Float32Array =>
  typeof given === 'function' ? given(random) : given;

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
  {
    dropout = 0,
    smoothing = 0,
    random,
  }: Pick<Training, 'dropout' | 'smoothing'> & { readonly random: Random },
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

/** Adam's memory of the slope and of its square, and what keeps a step finite (Kingma and Ba 2015). */
const MEMORY = 0.9;
const SQUARE_MEMORY = 0.999;
const TINY = 1e-8;

/** Moves weights against their gradients, each by its own measure (Adam); decay apart from it (Loshchilov and Hutter). */
function createAdam(
  shape: NetworkShape,
): (weights: Float64Array, gradient: Float64Array, rate: number, decay: number) => void {
  const count = weightCount(shape);
  const mean = new Float64Array(count);
  const square = new Float64Array(count);
  const decays = new Uint8Array(count);
  for (const { kernel, bias } of stepsOf(shape)) decays.fill(1, kernel, bias);
  let steps = 0;
  return (weights, gradient, rate, decay) => {
    steps++;
    const short = 1 - MEMORY ** steps;
    const long = 1 - SQUARE_MEMORY ** steps;
    for (let i = 0; i < count; i++) {
      const slope = gradient[i]!;
      mean[i] = MEMORY * mean[i]! + (1 - MEMORY) * slope;
      square[i] = SQUARE_MEMORY * square[i]! + (1 - SQUARE_MEMORY) * slope * slope;
      const step = mean[i]! / short / (Math.sqrt(square[i]! / long) + TINY);
      weights[i]! -= rate * (step + decay * decays[i]! * weights[i]!);
    }
  };
}

/**
 * Trains a network.
 * @returns its weights, as `createNetwork` and `encodeWeights` take them; the same for the same arguments
 */
export function train({
  shape,
  samples,
  epochs,
  batch,
  learningRate,
  weightDecay,
  dropout = 0,
  smoothing = 0,
  seed,
  onEpoch,
}: Training): Float32Array {
  const random = randomFrom(seed);
  const weights = initialWeights(shape, random);
  const network = differentiate(shape, { dropout, smoothing, random });
  const adam = createAdam(shape);
  const gradient = new Float64Array(weights.length);
  const total = epochs * Math.ceil(samples.length / batch);
  let done = 0;
  for (let number = 1; number <= epochs; number++) {
    const order = shuffled(samples, random);
    let loss = 0;
    for (let start = 0; start < order.length; start += batch) {
      const part = order.slice(start, start + batch);
      gradient.fill(0);
      for (const sample of part) {
        const weight = sample.weight ?? 1;
        const picture = input(sample, random);
        loss += weight * network.add(weights, picture, sample.labels, weight / part.length, gradient);
      }
      adam(weights, gradient, (learningRate * (1 + Math.cos((Math.PI * done) / total))) / 2, weightDecay);
      done++;
    }
    onEpoch?.({ number, loss: loss / samples.length, weights: () => Float32Array.from(weights) });
  }
  return Float32Array.from(weights);
}

/** The text that `decodeWeights` reads: a byte for each weight, which is at most half a level of 127 off. */
export function encodeWeights(shape: NetworkShape, weights: Float32Array): string {
  const parts = stepsOf(shape).map(({ kernel, bias, out, runs, run }) => {
    const size = runs * run;
    const channels = Array.from({ length: out }, (_, channel) =>
      weights.subarray(kernel + channel * size, kernel + (channel + 1) * size),
    );
    // A channel of nothing but zeros has any scale.
    const scales = channels.map(
      (channel) => channel.reduce((max, w) => Math.max(max, Math.abs(w)), 0) / 127 || 1,
    );
    const floats = Buffer.alloc(8 * out);
    scales.forEach((scale, channel) => {
      floats.writeFloatLE(scale, 4 * channel);
      floats.writeFloatLE(weights[bias + channel]!, 4 * (out + channel));
    });
    const levels = channels.map((channel, i) =>
      Buffer.from(Int8Array.from(channel, (w) => Math.round(w / scales[i]!)).buffer),
    );
    return Buffer.concat([floats, ...levels]);
  });
  return Buffer.concat(parts).toString('base64');
}

/** What a head says of a sample whose label is known. */
export interface Scored {
  /** The head's logit: its probability is 1 / (1 + e^-score). */
  readonly score: number;
  readonly label: 0 | 1;
}

/**
 * Scores of all samples whose label is known, head by head.
 * @param seed for samples that vary
 */
export function evaluate(
  shape: NetworkShape,
  weights: Float32Array,
  samples: readonly Sample[],
  seed = 1,
): readonly (readonly Scored[])[] {
  const network = createNetwork(shape, weights);
  const random = randomFrom(seed);
  const results = samples.map((sample) => ({
    labels: sample.labels,
    logits: network.run(input(sample, random)),
  }));
  return Array.from({ length: shape.layers.at(-1)?.out ?? 0 }, (_, head) =>
    results.flatMap(({ labels, logits }): readonly Scored[] => {
      const label = labels[head] ?? null;
      return label === null ? [] : [{ score: logits[head]!, label }];
    }),
  );
}

/**
 * Area under the receiver operating characteristic: how often a sample with label 1 scores above one with label 0,
 * ties counting half. null where there is only one kind.
 */
export function areaUnderCurve(scored: readonly Scored[]): number | null {
  const scoresOf = (wanted: 0 | 1): Float64Array =>
    Float64Array.from(scored.filter(({ label }) => label === wanted).map(({ score }) => score)).sort();
  const negatives = scoresOf(0);
  const positives = scoresOf(1);
  if (negatives.length === 0 || positives.length === 0) return null;
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below++;
    while (notAbove < negatives.length && negatives[notAbove]! <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (negatives.length * positives.length);
}

/**
 * The lowest threshold at which at most this share of the samples with label 0 scores above it; -Infinity where all
 * of them may.
 */
export function thresholdFor(scored: readonly Scored[], falseAlarmRate: number): number {
  const negatives = scored
    .filter(({ label }) => label === 0)
    .map(({ score }) => score)
    .sort((a, b) => b - a);
  return negatives[Math.floor(falseAlarmRate * negatives.length)] ?? -Infinity;
}

/** Share of the samples with this label that score above the threshold: recall for 1, false alarms for 0. */
export function shareAbove(scored: readonly Scored[], label: 0 | 1, threshold: number): number | null {
  const concerned = scored.filter((one) => one.label === label);
  return concerned.length === 0
    ? null
    : concerned.filter(({ score }) => score > threshold).length / concerned.length;
}
