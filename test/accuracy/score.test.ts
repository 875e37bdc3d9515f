import { describe, expect, test } from 'vitest';
import { ALL_DEGRADATIONS, dealSamples, seedOf } from './samples.ts';
import {
  falseAlarmsOf,
  groupOf,
  hashOf,
  type Outcome,
  parseArguments,
  parseManifest,
  partOf,
  randomFrom,
  scoreOf,
  SELFIE_CODES,
  shuffled,
  UsageError,
} from './score.ts';

describe('arguments', () => {
  test('in any order', () => {
    expect(parseArguments(['--json', 'o u t.json', 'a b.tsv', '--no-degradations'])).toEqual({
      manifest: 'a b.tsv',
      json: 'o u t.json',
      measures: null,
      pictures: null,
      degradations: false,
      only: null,
    });
    expect(parseArguments([])).toMatchObject({ manifest: null, json: null, degradations: true });
    expect(parseArguments(['--only', '^mask/']).only?.test('mask/a.jpg')).toBe(true);
  });
  test.each([
    [['--jsn', 'x'], 'Unknown option --jsn.'],
    [['--json'], '--json needs a value.'],
    [['--json', '--only'], '--json needs a value.'],
    [['a.tsv', 'b.tsv'], 'More than one manifest: b.tsv.'],
    [['--only', '('], '--only ( is no regular expression.'],
  ])('%j: %s', (words, message) => {
    expect(() => parseArguments(words)).toThrow(new UsageError(message));
  });
});

describe('manifest', () => {
  test('columns by name, codes by comma, whatever the line ends', () => {
    expect(
      parseManifest(
        '\uFEFFnote\tmay\tfile\tmust\r\nhijab\tblurred, moving\ta/b c.jpg\ttoo-dark\r\n\r\n\t\td.png\r\n',
      ),
    ).toEqual([
      { file: 'a/b c.jpg', must: ['too-dark'], may: ['blurred', 'moving'], note: 'hijab' },
      { file: 'd.png', must: [], may: [], note: '' },
    ]);
  });
  test.each([
    ['file\tmust\na.jpg\t', 'The manifest has no column "may".'],
    ['', 'The manifest has no column "file".'],
    ['file\tmust\tmay\n', 'The manifest lists no photo.'],
    ['file\tmust\tmay\na.jpg\ttoo-drak\t', 'Line 2 of the manifest has an unknown code "too-drak".'],
    ['file\tmust\tmay\n\n\tblurred\t', 'Line 3 of the manifest names no file.'],
  ])('%j: %s', (text, message) => {
    expect(() => parseManifest(text)).toThrow(new UsageError(message));
  });
});

const issue = (code: (typeof SELFIE_CODES)[number]): Outcome['reported'][number] => ({
  code,
  value: 1,
  threshold: 2,
});

describe('score', () => {
  const outcomes: readonly Outcome[] = [
    { file: 'caught', must: ['blurred'], may: [], reported: [issue('blurred'), issue('too-dark')] },
    { file: 'missed', must: ['blurred'], may: ['moving'], reported: [issue('moving')] },
    { file: 'unstopped', must: ['blurred', 'glasses'], may: [], reported: [] },
    { file: 'good', must: [], may: [], reported: [] },
    { file: 'allowed', must: [], may: ['too-dark'], reported: [issue('too-dark')] },
    { file: 'alarmed', must: [], may: ['blurred'], reported: [issue('too-dark'), issue('moving')] },
  ];
  const score = scoreOf(outcomes);

  test('per code', () => {
    expect(score.codes['blurred']).toEqual({ n: 3, recall: 1 / 3, falseAlarms: 0 });
    expect(score.codes['glasses']).toEqual({ n: 1, recall: 0, falseAlarms: 0 });
    expect(score.codes['too-dark']).toEqual({ n: 0, recall: null, falseAlarms: 2 });
    expect(score.codes['moving']).toEqual({ n: 0, recall: null, falseAlarms: 1 });
    expect(Object.keys(score.codes)).toEqual([...SELFIE_CODES]);
  });
  test('good and faulty ones', () => {
    expect(score.good).toEqual({ n: 3, alarmed: 1 });
    expect(score.faulty).toEqual({ n: 3, unstopped: 1 });
  });
  test('false alarms neither must nor may', () => {
    expect(outcomes.map((outcome) => falseAlarmsOf(outcome).length)).toEqual([1, 0, 0, 0, 0, 2]);
  });
});

describe('parts', () => {
  test.each([
    ['hand_occlusion/asl_bird_03.jpg', 'hand_occlusion/asl_bird_01.jpg'],
    ['head_pose/lisa1.jpg', 'lighting/lisa4.jpg'],
    ['distance/zoom_30cm.jpg', 'distance/zoom_45cm.jpg'],
    ['group/intel_female-and-male_01.jpg', 'head_pose/intel_female-and-male_08.jpg'],
    ['mask/synth_cloth_038.jpg', 'sunglasses_hat/synth_sunglasses_038.jpg'],
    ['lighting/faker_female_30.jpg', 'hijab_headcover/faker_female_30.jpg'],
  ])('%s and %s are one person', (a, b) => {
    expect(groupOf(a)).toBe(groupOf(b));
    expect(partOf(a)).toBe(partOf(b));
  });
  test('other people are apart', () => {
    const files = [
      'london_001.jpg',
      'london_002.jpg',
      'faker_male_5.jpg',
      'faker_female_5.jpg',
      'asl_eat_03.jpg',
    ];
    expect(new Set(files.map(groupOf)).size).toBe(files.length);
  });
  test('are about as large', () => {
    const set = Array.from({ length: 1000 }, (_, i) => partOf(`face_${i}.jpg`)).filter(
      (part) => part === 'set',
    );
    expect(Math.abs(set.length - 500)).toBeLessThan(60);
  });
});

describe('random numbers', () => {
  test('follow from the seed and fill 0..1', () => {
    const draw = (seed: number): readonly number[] => {
      const random = randomFrom(seed);
      return Array.from({ length: 2000 }, () => random());
    };
    const numbers = draw(hashOf('a'));
    expect(draw(hashOf('a'))).toEqual(numbers);
    expect(draw(hashOf('b'))).not.toEqual(numbers);
    for (let bin = 0; bin < 10; bin++)
      expect(numbers.filter((n) => Math.floor(n * 10) === bin).length).toBeGreaterThan(140);
  });
  test('shuffling loses nothing', () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const mixed = shuffled(items, randomFrom(1));
    expect(mixed).not.toEqual(items);
    expect([...mixed].sort((a, b) => a - b)).toEqual(items);
  });
});

describe('samples', () => {
  const codeOf = (degradation: number): string => ALL_DEGRADATIONS[degradation]?.code ?? 'harmless';

  test.each([85, 30, 20])('of %i photos: every code often and evenly, none twice', (photos) => {
    const files = Array.from({ length: photos }, (_, i) => `face_${i}.jpg`);
    const samples = dealSamples(files);
    expect(dealSamples(files)).toEqual(samples);
    expect(new Set(samples.map(seedOf)).size).toBe(samples.length);
    expect(samples.filter(({ file, other }) => file === other)).toEqual([]);
    const counts = new Map<string, number>();
    for (const { degradation } of samples) {
      const code = codeOf(degradation);
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThanOrEqual(40);
    for (const { code } of ALL_DEGRADATIONS) expect(counts.has(code ?? 'harmless')).toBe(true);
  });
  test('both parts of the people get the same mix of degradations', () => {
    const samples = dealSamples(Array.from({ length: 120 }, (_, i) => `face_${i}.jpg`));
    const most = ALL_DEGRADATIONS.map((_, degradation) => {
      const dealt = samples.filter((sample) => sample.degradation === degradation);
      const toSet = dealt.filter(({ file }) => partOf(file) === 'set').length;
      return codeOf(degradation) === 'harmless' ? 0 : Math.abs(dealt.length - 2 * toSet);
    });
    expect(Math.max(...most)).toBeLessThanOrEqual(2);
  });
  test('no photo, no copies; one photo is its own company', () => {
    expect(dealSamples([])).toEqual([]);
    expect(dealSamples(['a.jpg']).every(({ other }) => other === 'a.jpg')).toBe(true);
  });
});
