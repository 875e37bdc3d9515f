import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  guide,
  HINT_SETTLES_MS,
  HINT_STAYS_MS,
  HOLD_FRAMES,
  HOLD_MS,
  holdProgress,
  readyForShutter,
  startGuide,
  type Guide,
} from '../../src/domain/guide.ts';
import type { GuidanceCode, Issue } from '../../src/domain/result.ts';

const SEED = 20261122;
const issue = (code: GuidanceCode): Issue => ({ code, value: 1, threshold: 0, unit: 'ratio' });

/** Frames as a camera and a slow phone give them: 20 to 400 ms apart, any mix of codes and good frames. */
const frames = fc.array(
  fc.record({
    wait: fc.integer({ min: 20, max: 400 }),
    code: fc.constantFrom<GuidanceCode | null>(null, null, null, 'too-dark', 'blurred', 'head-turned'),
  }),
  { minLength: 1, maxLength: 120 },
);

function run(
  given: readonly { wait: number; code: GuidanceCode | null }[],
): { now: number; state: Guide; good: boolean }[] {
  let state = startGuide(0);
  let now = 0;
  return given.map(({ wait, code }) => {
    now += wait;
    state = guide(state, code ? [issue(code)] : [], now);
    return { now, state, good: code === null };
  });
}

describe('hints', () => {
  test('the first frame shows its hint at once', () => {
    expect(guide(startGuide(0), [issue('no-face')], 30).hint).toBe('no-face');
  });

  test('never change sooner than a hint may', () => {
    fc.assert(
      fc.property(frames, (given) => {
        const seen = run(given);
        const changes = seen.filter(
          ({ state }, index) => index > 0 && state.hint !== seen[index - 1]?.state.hint,
        );
        for (const [index, { now, state }] of changes.entries()) {
          const before = index === 0 ? seen[0] : changes[index - 1];
          expect(now - (before?.now ?? 0)).toBeGreaterThanOrEqual(HINT_STAYS_MS);
          expect(now - state.wantedSince).toBeGreaterThanOrEqual(HINT_SETTLES_MS);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('follow a state that stays', () => {
    const dark = run(Array.from({ length: 40 }, () => ({ wait: 50, code: 'too-dark' as const })));
    expect(dark.at(-1)?.state.hint).toBe('too-dark');
    let state = dark.at(-1)?.state ?? startGuide(0);
    for (let now = 2050; now < 3200; now += 50) state = guide(state, [], now);
    expect(state.hint).toBe('hold-still');
  });
});

describe('the shutter', () => {
  test('never fires in or right after a frame that breaks a rule', () => {
    fc.assert(
      fc.property(frames, (given) => {
        const seen = run(given);
        for (const [index, { now, state }] of seen.entries()) {
          if (!readyForShutter(state)) continue;
          const hold = seen.slice(0, index + 1).filter((frame) => frame.now > now - HOLD_MS);
          expect(hold.every(({ good }) => good)).toBe(true);
          expect(hold.length).toBeGreaterThanOrEqual(HOLD_FRAMES - 1);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('always fires for a pose that stays good', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 20, max: 400 }), (before, wait) => {
        const calm = Array.from({ length: Math.ceil(HOLD_MS / wait) + HOLD_FRAMES }, () => ({
          wait,
          code: null,
        }));
        expect(run([...before, ...calm]).some(({ state }) => readyForShutter(state))).toBe(true);
      }),
      { seed: SEED },
    );
  });

  test('a long gap between frames breaks the hold', () => {
    const state = guide(guide(startGuide(0), [], 100), [], 5000);
    expect(holdProgress(state)).toBe(0);
    expect(readyForShutter(state)).toBe(false);
  });

  test('progress runs from 0 to 1 over the hold', () => {
    let state = startGuide(0);
    const progress: number[] = [];
    for (let now = 0; now <= HOLD_MS; now += 100) {
      state = guide(state, [], now);
      progress.push(holdProgress(state));
    }
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBe(1);
    expect(progress.toSorted((a, b) => a - b)).toEqual(progress);
  });
});
