/** How a series of times, or of anything else, is spread; in the unit of the series. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  /** 95 of 100 are not above it. */
  readonly p95: number;
}

/**
 * Sums a series up.
 * @throws RangeError where it is empty
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    if (low === undefined || high === undefined) throw new RangeError('There is nothing to sum up.');
    return low + (high - low) * (place % 1);
  };
  return {
    count: sorted.length,
    median: at(0.5),
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p95: at(0.95),
  };
}

/** How many times the one is of the other. */
export interface Ratio {
  readonly median: number;
  readonly mean: number;
}

/** The one over the other. */
export const ratioOf = (one: Spread, other: Spread): Ratio => ({
  median: one.median / other.median,
  mean: one.mean / other.mean,
});

/**
 * The one over the other where each was measured in the same rounds: the median of the rounds' ratios of medians, and the
 * mean of their ratios of means. What makes a machine slower for some seconds meets both, and cancels out.
 * @throws RangeError where they have no rounds, or not as many
 */
export function ratioByRounds(one: readonly Spread[], other: readonly Spread[]): Ratio {
  if (one.length !== other.length) throw new RangeError('They were not measured in the same rounds.');
  const ratios = one.map((spread, round) => ratioOf(spread, other[round] ?? spread));
  return {
    median: spreadOf(ratios.map(({ median }) => median)).median,
    mean: spreadOf(ratios.map(({ mean }) => mean)).mean,
  };
}
