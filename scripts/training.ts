/* eslint-disable @typescript-eslint/no-non-null-assertion -- the loops read within bounds that the steps give; a fallback at every read would cost time and hide a wrong bound */
import { createNetwork, type NetworkShape, stepsOf, weightCount } from '../src/analysis/network.ts';
import { randomFrom, shuffled } from '../test/accuracy/score.ts';
import { type Regularization, differentiate, initialWeights, type Label, type Random } from './gradients.ts';

/*
 * Trains the networks that `src/analysis/network.ts` runs: Adam, and the figures that tell how good the result is.
 * Everything random follows from a seed.
 */

export interface Sample {
  /** height x width x channels. A function is asked anew in every epoch, so that it can vary the picture. */
  readonly input: Float32Array | ((random: Random) => Float32Array);
  /** One per head. */
  readonly labels: readonly Label[];
  /** How much it counts; 1 where absent. */
  readonly weight?: number;
}

export interface Training extends Regularization {
  readonly shape: NetworkShape;
  readonly samples: readonly Sample[];
  readonly epochs: number;
  /** Samples per step of the weights. */
  readonly batch: number;
  /** At the start; it falls to 0 along a cosine. 0.002 suits batches of 32. */
  readonly learningRate: number;
  /** Share of a weight, times the learning rate, that every step takes off it. Biases keep theirs. */
  readonly weightDecay: number;
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
