import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPace, isOutOfPlace } from '../../src/domain/pace.ts';
import { GUIDANCE_CODES } from '../../src/domain/result.ts';

/** Times of the frames that were looked at closely, of frames that are so far apart, ms. */
function looks(between: readonly number[], outOfPlace: boolean): { now: number; place: number }[] {
  const pace = createPace('face');
  let now = 1000;
  return between.flatMap((ms, place) => {
    now += ms;
    return pace(now, outOfPlace) ? [{ now, place }] : [];
  });
}

const every = (ms: number, seconds: number): number[] =>
  Array.from({ length: (1000 * seconds) / ms }, () => ms);

test.each([
  { camera: 'a quick phone in place', ms: 33, outOfPlace: false, least: 4.8, most: 5.3 },
  { camera: 'a slow phone in place', ms: 130, outOfPlace: false, least: 2.5, most: 2.6 },
  { camera: 'a very slow phone in place', ms: 400, outOfPlace: false, least: 2.3, most: 2.5 },
  { camera: 'a quick phone that guides', ms: 33, outOfPlace: true, least: 1.8, most: 2 },
  { camera: 'a slow phone that guides', ms: 130, outOfPlace: true, least: 1.8, most: 2 },
])('$camera looks closely $least to $most times a second', ({ ms, outOfPlace, least, most }) => {
  const seconds = 20;
  const rate = looks(every(ms, seconds), outOfPlace).length / seconds;
  expect(rate).toBeGreaterThanOrEqual(least);
  expect(rate).toBeLessThanOrEqual(most);
});

test('whatever the camera does, no look is further off than its frames make it, and they leave room for glances', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 5, max: 600 }), { minLength: 2, maxLength: 200 }),
      fc.boolean(),
      (between, outOfPlace) => {
        const seen = looks(between, outOfPlace);
        const longest = Math.max(...between);
        seen.slice(1).forEach(({ now, place }, i) => {
          const before = seen[i] ?? { now: 0, place: 0 };
          const age = now - before.now;
          expect(age).toBeLessThan((outOfPlace ? 500 : 350) + longest);
          if (age < 350) expect(place - before.place).toBeGreaterThanOrEqual(3);
        });
      },
    ),
    { seed: 20261123 },
  );
});

test('the first frame gets a glance, and one of a card is always looked at', () => {
  expect(createPace('face')(1000, false)).toBe(false);
  const card = createPace('card');
  for (let now = 0; now < 200; now += 33) expect(card(now, true)).toBe(true);
});

test('a face is out of place by where it is, not by its light', () => {
  const placed = GUIDANCE_CODES.filter((code) =>
    isOutOfPlace([{ code, value: 0, threshold: 0, unit: 'count' }]),
  );
  expect(placed).toContain('face-off-centre');
  for (const code of ['too-dark', 'blurred', 'eyes-covered', 'multiple-faces', 'body-tilted'] as const)
    expect(placed).not.toContain(code);
  expect(isOutOfPlace([])).toBe(false);
});
