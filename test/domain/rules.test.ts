import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GUIDANCE_CODES } from '../../src/domain/result.ts';
import {
  changedRules,
  GUIDANCE_RULES,
  type FaceMeasure,
  type GuidanceRule,
  type GuidanceRules,
  type RuleChanges,
} from '../../src/domain/rules.ts';

const rule = <Measure>(
  code: GuidanceRule<Measure>['code'],
  measure: Measure,
  threshold: number,
): GuidanceRule<Measure> => ({ code, measure, comparison: 'above', threshold, unit: 'ratio', why: 'test' });

const RULES: GuidanceRules = {
  face: [rule('head-turned', 'yaw', 18), rule('too-bright', 'mean', 210), rule('too-bright', 'bright', 0.1)],
  card: [rule('too-bright', 'bright', 0.3), rule('moving', 'motion', 0.25)],
};

/** Measures and thresholds that are left, in their order. */
const left = ({ face, card }: GuidanceRules): { readonly face: string[]; readonly card: string[] } => {
  const named = ({ measure, threshold }: GuidanceRule<string>): string => `${measure} ${threshold}`;
  return { face: face.map(named), card: card.map(named) };
};

const CHANGES: readonly (readonly [string, RuleChanges, face: string[], card: string[]])[] = [
  ['nothing', {}, ['yaw 18', 'mean 210', 'bright 0.1'], ['bright 0.3', 'motion 0.25']],
  ['an allowed code', { allow: ['head-turned'] }, ['mean 210', 'bright 0.1'], ['bright 0.3', 'motion 0.25']],
  ['every rule of a code, for face and card', { allow: ['too-bright'] }, ['yaw 18'], ['motion 0.25']],
  [
    'a code that no rule has',
    { allow: ['card-glare'] },
    ['yaw 18', 'mean 210', 'bright 0.1'],
    ['bright 0.3', 'motion 0.25'],
  ],
  [
    'a threshold of the face leaves the card alone',
    { thresholds: { face: { bright: 0.2 } } },
    ['yaw 18', 'mean 210', 'bright 0.2'],
    ['bright 0.3', 'motion 0.25'],
  ],
  [
    'a threshold of zero',
    { thresholds: { card: { motion: 0 } } },
    ['yaw 18', 'mean 210', 'bright 0.1'],
    ['bright 0.3', 'motion 0'],
  ],
  [
    'an allowed code wins over its threshold',
    { allow: ['head-turned'], thresholds: { face: { yaw: 5, mean: 200 } } },
    ['mean 200', 'bright 0.1'],
    ['bright 0.3', 'motion 0.25'],
  ],
];

describe('changedRules', () => {
  test.each(CHANGES)('%s', (_, changes, face, card) => {
    const before = structuredClone(RULES);
    expect(left(changedRules(RULES, changes))).toEqual({ face, card });
    expect(RULES).toEqual(before);
  });

  test('whatever a page changes, every other rule stays as it was', () => {
    const measures = [...new Set(GUIDANCE_RULES.face.map(({ measure }) => measure))];
    fc.assert(
      fc.property(
        fc.subarray([...GUIDANCE_CODES]),
        fc.dictionary(fc.constantFrom(...measures), fc.double({ noNaN: true })),
        (allow, own: Partial<Record<FaceMeasure, number>>) => {
          const { face, card } = changedRules(GUIDANCE_RULES, { allow, thresholds: { face: own } });
          const expected = GUIDANCE_RULES.face
            .filter(({ code }) => !allow.includes(code))
            .map((each) =>
              Object.hasOwn(own, each.measure) ? { ...each, threshold: own[each.measure] } : each,
            );
          expect(face).toEqual(expected);
          expect(card).toEqual(GUIDANCE_RULES.card.filter(({ code }) => !allow.includes(code)));
        },
      ),
      { seed: 20_261_122, numRuns: 200 },
    );
  });
});

test('every rule has a code of the vocabulary, a finite threshold and a reason', () => {
  for (const { code, threshold, why } of [...GUIDANCE_RULES.face, ...GUIDANCE_RULES.card]) {
    expect(GUIDANCE_CODES).toContain(code);
    expect(Number.isFinite(threshold)).toBe(true);
    expect(why, code).toMatch(/\S+ \S+.*\.$/);
  }
});
