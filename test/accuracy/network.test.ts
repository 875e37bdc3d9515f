import { describe, expect, test } from 'vitest';
import {
  createNetwork,
  decodeWeights,
  type Layer,
  type NetworkShape,
  weightCount,
} from '../../src/analysis/network.ts';
import { CaptureError } from '../../src/domain/result.ts';
import { differentiate, initialWeights, type Label } from '../../scripts/gradients.ts';
import {
  areaUnderCurve,
  encodeWeights,
  evaluate,
  type Sample,
  type Scored,
  shareAbove,
  thresholdFor,
  train,
} from '../../scripts/training.ts';
import { randomFrom } from './score.ts';

const SEED = 20261203;

const conv = (out: number, stride: number): Layer => ({ type: 'conv', out, stride });
const dense = (out: number, relu = false): Layer => ({ type: 'dense', out, relu });
const shapeOf = (width: number, height: number, channels: number, ...layers: Layer[]): NetworkShape => ({
  width,
  height,
  channels,
  layers,
});

/** The size that the project uses, with odd numbers of channels so that no block of the arithmetic is full. */
const REAL = shapeOf(40, 48, 3, conv(7, 2), conv(9, 2), conv(6, 2), dense(5, true), dense(3));

/** Values from -1 to 1. */
const noise = (length: number, random: () => number): Float32Array =>
  Float32Array.from({ length }, () => 2 * random() - 1);

const inputOf = ({ width, height, channels }: NetworkShape, random: () => number): Float32Array =>
  noise(width * height * channels, random);

/** The same network the plain way: one value at a time, with a test for the edge at every pixel. */
function plainly(shape: NetworkShape, weights: Float32Array, input: Float32Array): number[] {
  let values = [...input];
  let { width, height, channels } = shape;
  let next = 0;
  const take = (count: number): Float32Array => weights.subarray(next, (next += count));
  for (const layer of shape.layers) {
    if (layer.type === 'dense') {
      const kernel = take(layer.out * values.length);
      const sums = [...take(layer.out)].map((bias, o) =>
        values.reduce((sum, value, i) => sum + value * (kernel[o * values.length + i] ?? NaN), bias),
      );
      values = layer.relu ? sums.map((sum) => Math.max(0, sum)) : sums;
      continue;
    }
    const kernel = take(layer.out * 9 * channels);
    const biases = take(layer.out);
    const at = (x: number, y: number, c: number): number =>
      x < 0 || y < 0 || x >= width || y >= height ? 0 : (values[(y * width + x) * channels + c] ?? NaN);
    const outputs: number[] = [];
    for (let y = 0; y < height; y += layer.stride)
      for (let x = 0; x < width; x += layer.stride)
        biases.forEach((bias, o) => {
          let sum = bias;
          for (let k = 0; k < 9 * channels; k++) {
            const pixel = Math.floor(k / channels);
            const value = at(x + (pixel % 3) - 1, y + Math.floor(pixel / 3) - 1, k % channels);
            sum += value * (kernel[o * 9 * channels + k] ?? NaN);
          }
          outputs.push(Math.max(0, sum));
        });
    values = outputs;
    width = Math.ceil(width / layer.stride);
    height = Math.ceil(height / layer.stride);
    channels = layer.out;
  }
  return values;
}

describe('a network', () => {
  test('gives what a small one gives by hand', () => {
    const shape = shapeOf(3, 2, 1, conv(2, 2), dense(2));
    const weights = [
      // Channel 0 sums its patch; channel 1 takes the pixel on the right from the middle one.
      ...[1, 1, 1, 1, 1, 1, 1, 1, 1],
      ...[0, 0, 0, 0, 1, -1, 0, 0, 0],
      ...[0.5, -1],
      // Pixels (0, 0) and (2, 0), channels 0 and 1 of each.
      ...[1, 10, 100, 1000],
      ...[-1, 0, 0, 0],
      ...[0.25, 0],
    ];
    // Patches round 1 and 3 of
    //   1 2 3
    //   4 5 6
    // sum to 12 and 16, plus 0.5; 1 - 2 - 1 is below 0, 3 - 0 - 1 is 2.
    const logits = createNetwork(shape, Float32Array.from(weights)).run(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect([...logits]).toEqual([12.5 + 0 + 1650 + 2000 + 0.25, -12.5]);
  });

  const table: readonly [string, NetworkShape][] = [
    ['convolutions of stride 1 and 2', shapeOf(7, 6, 2, conv(4, 1), conv(5, 2), dense(2))],
    ['stride 3 on odd sizes', shapeOf(11, 7, 1, conv(3, 3), dense(1))],
    ['dense layers alone', shapeOf(2, 3, 2, dense(6, true), dense(3))],
    ['the size in use', REAL],
  ];
  test.each(table)('gives what plain loops give: %s', (_name, shape) => {
    const random = randomFrom(SEED);
    const weights = noise(weightCount(shape), random);
    const network = createNetwork(shape, weights);
    // Twice, because buffers that are used again must not keep anything.
    for (let round = 0; round < 2; round++) {
      const input = inputOf(shape, random);
      const expected = plainly(shape, weights, input);
      const largest = Math.max(...expected.map(Math.abs));
      const logits = network.run(input);
      expect(logits).toHaveLength(expected.length);
      expected.forEach((value, i) =>
        expect(Math.abs((logits[i] ?? NaN) - value)).toBeLessThan(1e-6 * largest),
      );
    }
  });

  test('keeps no logits of an earlier run', () => {
    const random = randomFrom(SEED);
    const network = createNetwork(REAL, noise(weightCount(REAL), random));
    const first = network.run(inputOf(REAL, random));
    const copy = [...first];
    network.run(inputOf(REAL, random));
    expect([...first]).toEqual(copy);
  });

  test.each([
    ['too few weights', () => createNetwork(REAL, new Float32Array(weightCount(REAL) - 1))],
    [
      'a smaller input',
      () => createNetwork(REAL, new Float32Array(weightCount(REAL))).run(new Float32Array(12)),
    ],
    ['a text of another network', () => decodeWeights(REAL, btoa('short'))],
  ])('refuses %s', (_name, act) => {
    expect(act).toThrow(CaptureError);
  });
});

describe('gradients', () => {
  const table: readonly [string, NetworkShape, { dropout?: number; smoothing?: number }][] = [
    ['conv, stride 1', shapeOf(4, 3, 2, conv(3, 1), dense(2)), {}],
    ['conv, stride 2', shapeOf(5, 4, 2, conv(3, 2), dense(2)), {}],
    ['conv behind conv', shapeOf(6, 5, 1, conv(3, 2), conv(5, 1), dense(2)), {}],
    ['dense', shapeOf(3, 2, 2, dense(2)), {}],
    ['dense behind dense with ReLU', shapeOf(3, 2, 2, dense(6, true), dense(2)), {}],
    ['dense behind dense without ReLU', shapeOf(3, 2, 2, dense(6), dense(2)), { dropout: 0.3 }],
    ['all, dropout', shapeOf(6, 5, 2, conv(4, 2), conv(5, 1), dense(6, true), dense(2)), { dropout: 0.4 }],
    ['all, smoothing', shapeOf(6, 5, 2, conv(4, 2), dense(6, true), dense(2)), { smoothing: 0.1 }],
  ];
  const STEP = 1e-5;

  test.each(table)('%s: agree with differences', (_name, shape, options) => {
    const random = randomFrom(SEED);
    const weights = initialWeights(shape, random).map((weight) => weight + 0.2 * (random() - 0.5));
    const input = inputOf(shape, random);
    const labels: readonly Label[] = [1, 0];
    const scratch = new Float64Array(weights.length);
    // A fresh generator each time, so that dropout takes the same values.
    const lossWith = (changed: Float64Array, gradient = scratch, weight = 1): number =>
      differentiate(shape, { ...options, random: randomFrom(SEED) }).add(
        changed,
        input,
        labels,
        weight,
        gradient,
      );

    const gradient = new Float64Array(weights.length).fill(1);
    lossWith(weights, gradient, 0.5);
    const differences = weights.map((weight, i) => {
      const [above, below] = [weight + STEP, weight - STEP].map((value) => lossWith(weights.with(i, value)));
      return ((above ?? NaN) - (below ?? NaN)) / (2 * STEP);
    });
    const largest = Math.max(...differences.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    differences.forEach((difference, i) =>
      expect(Math.abs((gradient[i] ?? NaN) - 1 - 0.5 * difference)).toBeLessThan(1e-6 * Math.max(1, largest)),
    );
  });

  test.each([
    ['label 1', 1, 0, Math.log(1 + Math.exp(-2))],
    ['label 0', 0, 0, Math.log(1 + Math.exp(2))],
    ['label 1, smoothed', 1, 0.1, Math.log(1 + Math.exp(2)) - 0.95 * 2],
    ['label 0, smoothed', 0, 0.1, Math.log(1 + Math.exp(2)) - 0.05 * 2],
  ] as const)('loss at a logit of 2: %s', (_name, label, smoothing, expected) => {
    const network = differentiate(shapeOf(1, 1, 1, dense(1)), { smoothing, random: randomFrom(SEED) });
    const loss = network.add(Float64Array.of(3, -1), Float32Array.of(1), [label], 1, new Float64Array(2));
    expect(loss).toBeCloseTo(expected, 12);
  });

  test('an unknown label teaches nothing', () => {
    const shape = shapeOf(4, 3, 2, conv(3, 1), dense(2));
    const random = randomFrom(SEED);
    const weights = initialWeights(shape, random);
    const input = inputOf(shape, random);
    const gradientOf = (labels: readonly Label[]): { loss: number; gradient: Float64Array } => {
      const gradient = new Float64Array(weights.length);
      return { loss: differentiate(shape, { random }).add(weights, input, labels, 1, gradient), gradient };
    };
    expect(gradientOf([null, null])).toEqual({ loss: 0, gradient: new Float64Array(weights.length) });
    const [both, first, second] = [gradientOf([1, 0]), gradientOf([1, null]), gradientOf([null, 0])];
    expect(first.loss + second.loss).toBeCloseTo(both.loss, 12);
    both.gradient.forEach((slope, i) =>
      expect((first.gradient[i] ?? NaN) + (second.gradient[i] ?? NaN)).toBeCloseTo(slope, 12),
    );
  });

  test('refuse labels for other heads', () => {
    const network = differentiate(REAL, { random: randomFrom(SEED) });
    const count = weightCount(REAL);
    expect(() =>
      network.add(new Float64Array(count), inputOf(REAL, randomFrom(SEED)), [1], 1, new Float64Array(count)),
    ).toThrow(RangeError);
  });
});

describe('training', () => {
  const shape = shapeOf(12, 10, 1, conv(4, 2), conv(6, 2), dense(8, true), dense(2));
  const SQUARE = 3;

  /** A bright square in noise. Head 0: is it in the right half? Head 1, known of every other sample: in the lower? */
  function squares(count: number, random: () => number): readonly Sample[] {
    return Array.from({ length: count }, (_, i): Sample => {
      const onRight = random() < 0.5;
      const below = random() < 0.5;
      const left = Math.floor(random() * 4) + (onRight ? 6 : 0);
      const top = Math.floor(random() * 3) + (below ? 5 : 0);
      const pixels = noise(shape.width * shape.height, random);
      for (let y = top; y < top + SQUARE; y++)
        for (let x = left; x < left + SQUARE; x++) {
          const at = y * shape.width + x;
          pixels[at] = (pixels[at] ?? NaN) + 1.2;
        }
      return { input: pixels, labels: [onRight ? 1 : 0, i % 2 === 0 ? null : below ? 1 : 0] };
    });
  }

  const samples = squares(500, randomFrom(SEED));
  const heldOut = squares(500, randomFrom(SEED + 1));
  const recipe = {
    shape,
    samples,
    epochs: 20,
    batch: 16,
    learningRate: 0.005,
    weightDecay: 0.01,
    dropout: 0.1,
    smoothing: 0.05,
    seed: SEED,
  };
  const losses: number[] = [];
  const weights = train({ ...recipe, onEpoch: ({ loss }) => losses.push(loss) });

  const rightShare = (scored: readonly Scored[]): number =>
    scored.filter(({ score, label }) => score > 0 === (label === 1)).length / scored.length;

  test('learns where a square lies, from heads that are not always known', () => {
    const heads = evaluate(shape, weights, heldOut);
    expect(heads.map((scored) => scored.length)).toEqual([500, 250]);
    for (const scored of heads) {
      expect(rightShare(scored)).toBeGreaterThan(0.95);
      expect(areaUnderCurve(scored)).toBeGreaterThan(0.98);
    }
    expect(losses).toHaveLength(20);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? NaN) / 2);
  });

  test('only decays where samples weigh nothing, at a rate that falls along a cosine', () => {
    const decayed = train({
      ...recipe,
      samples: samples.map((sample) => ({ ...sample, weight: 0 })),
      batch: samples.length,
      epochs: 2,
      learningRate: 0.1,
      weightDecay: 0.5,
    });
    // The whole rate at the first step of two, half of it at the second.
    const left = (1 - 0.1 * 0.5) * (1 - 0.05 * 0.5);
    const initial = initialWeights(shape, randomFrom(SEED));
    expect(decayed).toEqual(Float32Array.from(initial, (weight) => left * weight));
  });

  test('takes a first step of the learning rate, against the gradient', () => {
    const [sample] = samples;
    if (sample === undefined || typeof sample.input === 'function') throw new Error('no fixed sample');
    const initial = initialWeights(shape, randomFrom(SEED));
    const gradient = new Float64Array(initial.length);
    differentiate(shape, { random: randomFrom(SEED) }).add(initial, sample.input, sample.labels, 1, gradient);
    const stepped = train({
      shape,
      samples: [sample],
      epochs: 1,
      batch: 1,
      learningRate: 0.01,
      weightDecay: 0,
      seed: SEED,
    });
    expect(gradient.filter((slope) => slope !== 0).length).toBeGreaterThan(initial.length / 3);
    stepped.forEach((weight, i) =>
      expect(weight - (initial[i] ?? NaN)).toBeCloseTo(-0.01 * Math.sign(gradient[i] ?? NaN), 4),
    );
  });

  test('follows from the seed', () => {
    const short = { ...recipe, epochs: 1 };
    expect(train(short)).toEqual(train(short));
    expect(train(short)).not.toEqual(train({ ...short, seed: SEED + 1 }));
  });

  test('asks for a varying picture in every epoch', () => {
    let asked = 0;
    const varying: Sample = {
      input: (random) => {
        asked++;
        return inputOf(shape, random);
      },
      labels: [1, 0],
    };
    const copies: Float32Array[] = [];
    train({
      ...recipe,
      samples: [varying, varying, varying],
      batch: 2,
      epochs: 4,
      onEpoch: ({ weights: copy }) => copies.push(copy()),
    });
    expect(asked).toBe(12);
    expect(copies[0]).not.toEqual(copies[3]);
  });

  test('survives its own encoding', () => {
    const text = encodeWeights(shape, weights);
    const decoded = decodeWeights(shape, text);
    // A weight of int8 is at most half a level off; the largest of its channel is 127 levels.
    const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
    weights.forEach((weight, i) =>
      expect(Math.abs(weight - (decoded[i] ?? NaN))).toBeLessThan(largest / 253),
    );
    const [before, after] = [weights, decoded].map((some) => evaluate(shape, some, heldOut)[0] ?? []);
    const off = before?.map(({ score }, i) => Math.abs(score - (after?.[i]?.score ?? NaN))) ?? [];
    const spread = Math.max(...(before ?? []).map(({ score }) => Math.abs(score)));
    expect(Math.max(...off)).toBeLessThan(0.03 * spread);
    // What was decoded is on the levels already.
    expect(decodeWeights(shape, encodeWeights(shape, decoded))).toEqual(decoded);
    expect(text.length).toBeLessThan((4 / 3) * (weights.length + 8 * (4 + 6 + 8 + 2)) + 4);
  });

  test('encodes a channel of zeros', () => {
    const none = new Float32Array(weightCount(shape));
    expect(decodeWeights(shape, encodeWeights(shape, none))).toEqual(none);
  });
});

describe('figures', () => {
  const scored = (zeros: readonly number[], ones: readonly number[]): readonly Scored[] => [
    ...ones.map((score): Scored => ({ score, label: 1 })),
    ...zeros.map((score): Scored => ({ score, label: 0 })),
  ];

  test.each([
    ['apart', [1, 2], [3, 4], 1],
    ['the wrong way round', [3, 4], [1, 2], 0],
    ['one pair of four', [1, 10], [2, 3], 0.5],
    ['ties', [1, 1], [1, 2], 0.75],
    ['numbers that sort differently as text', [9, 80], [100, 700], 1],
    ['one kind only', [1, 2], [], null],
  ] as const)('area under the curve: %s', (_name, zeros, ones, area) => {
    expect(areaUnderCurve(scored(zeros, ones))).toBe(area);
  });

  test.each([
    ['none may', 0, 5, 0, 0.5],
    ['one in five may', 0.2, 4, 0.2, 0.75],
    ['less than one may', 0.19, 5, 0, 0.5],
    ['all may', 1, -Infinity, 1, 1],
  ] as const)('threshold: %s', (_name, rate, threshold, alarms, recall) => {
    const all = scored([1, 2, 3, 4, 5], [4, 5, 6, 7]);
    expect(thresholdFor(all, rate)).toBe(threshold);
    expect(shareAbove(all, 0, threshold)).toBe(alarms);
    expect(shareAbove(all, 1, threshold)).toBe(recall);
  });

  test('there is no share of nothing', () => {
    expect(shareAbove(scored([1], []), 1, 0)).toBeNull();
  });
});
