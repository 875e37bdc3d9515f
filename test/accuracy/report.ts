import type { Seen } from './page.ts';
import { ALL_DEGRADATIONS, SEED } from './samples.ts';
import {
  falseAlarmsOf,
  isGood,
  missedBy,
  type Outcome,
  type Part,
  partOf,
  type Reported,
  type Score,
  scoreOf,
  SELFIE_CODES,
} from './score.ts';

/** A labelled photo. */
export interface PhotoOutcome extends Outcome {
  readonly note: string;
  readonly seen: Seen;
}

/** A degraded copy of a good one. */
export interface CopyOutcome extends Outcome {
  readonly name: string;
  readonly step: number;
  readonly seen: Seen;
}

/** Cloth round the head that leaves the face free. */
const HEAD_COVERING = /hijab_headcover|head.?covering|hijab|scarf|turban|keffiyeh/i;

const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
const share = (part: number, whole: number): string => `${part} of ${whole} (${percent(part, whole)})`;
const asPercent = (fraction: number | null): string =>
  fraction === null ? '-' : `${(100 * fraction).toFixed(1)} %`;

/** A Markdown table with columns as wide as their widest cell. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(3, ...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** A table of all codes, and the lines about faulty and good ones. */
function summary(score: Score): string {
  const rows = SELFIE_CODES.map((code) => {
    const { n = 0, recall = null, falseAlarms = 0 } = score.codes[code] ?? {};
    return [`\`${code}\``, String(n), asPercent(recall), String(falseAlarms)];
  });
  return [
    table(['code', 'photos', 'recall', 'false alarms'], rows),
    '',
    `Faulty, and nothing would have stopped: ${share(score.faulty.unstopped, score.faulty.n)}`,
    `Good, with any alarm: ${share(score.good.alarmed, score.good.n)}`,
  ].join('\n');
}

/** A recall or alarm rate of the two parts may differ by this much. */
const PARTS_DIFFER = 0.05;

/** The two parts side by side, for codes that both have. */
function partsTable(outcomes: readonly Outcome[]): string {
  const part = (name: Part): Score => scoreOf(outcomes.filter(({ file }) => partOf(file) === name));
  const [set, check] = [part('set'), part('check')];
  const mark = (a: number | null, b: number | null): string =>
    a !== null && b !== null && Math.abs(a - b) > PARTS_DIFFER ? 'differ' : '';
  const rows = SELFIE_CODES.flatMap((code) => {
    const [a, b] = [set.codes[code], check.codes[code]];
    if (a === undefined || b === undefined || a.n + b.n === 0) return [];
    return [
      [
        `\`${code}\``,
        String(a.n),
        asPercent(a.recall),
        String(b.n),
        asPercent(b.recall),
        mark(a.recall, b.recall),
      ],
    ];
  });
  const rate = ({ good }: Score): number | null => (good.n === 0 ? null : good.alarmed / good.n);
  const alarms = [
    'good with any alarm',
    String(set.good.n),
    asPercent(rate(set)),
    String(check.good.n),
    asPercent(rate(check)),
    mark(rate(set), rate(check)),
  ];
  return table(['', 'set', 'rate', 'check', 'rate', 'over 5 points'], [...rows, alarms]);
}

const valuesOf = (reported: readonly Reported[]): string =>
  reported.map(({ code, value, threshold }) => `${code} ${value} (${threshold})`).join(', ');

/** Everything that was not as labelled, a line each. */
function mistakes(outcomes: readonly Outcome[]): string {
  return outcomes
    .flatMap((outcome) => {
      const missed = missedBy(outcome);
      const alarms = falseAlarmsOf(outcome);
      if (missed.length + alarms.length === 0) return [];
      const parts = [
        missed.length === 0 ? '' : `missed ${missed.join(', ')}`,
        alarms.length === 0 ? '' : `false ${valuesOf(alarms)}`,
      ];
      return [`${outcome.file}: ${parts.filter((words) => words !== '').join('; ')}`];
    })
    .join('\n');
}

interface Rate {
  readonly n: number;
  readonly alarmed: number;
}

/** Alarms on good photos, apart for head coverings and for the darker and lighter half of the faces. */
function goodGroups(outcomes: readonly PhotoOutcome[]): Readonly<Record<string, Rate>> {
  const good = outcomes.filter(isGood);
  const rate = (chosen: readonly Outcome[]): Rate => scoreOf(chosen).good;
  const tones = good.flatMap(({ seen }) => seen.tone ?? []).sort((a, b) => a - b);
  const median = tones[Math.floor(tones.length / 2)] ?? 0;
  const covered = ({ file, note }: PhotoOutcome): boolean => HEAD_COVERING.test(`${file} ${note}`);
  const toned = good.filter(({ seen }) => seen.tone !== null);
  const darker = ({ seen }: PhotoOutcome): boolean => (seen.tone ?? 0) < median;
  return {
    all: rate(good),
    headCoverings: rate(good.filter(covered)),
    noHeadCoverings: rate(good.filter((outcome) => !covered(outcome))),
    darkerHalf: rate(toned.filter(darker)),
    lighterHalf: rate(toned.filter((outcome) => !darker(outcome))),
  };
}

/** Steps that are drawings of the same strength; they are counted together. */
const UNRANKED = 'drawing';

/** How every step of every degradation fared. */
function stepsTable(copies: readonly CopyOutcome[]): string {
  const rows = ALL_DEGRADATIONS.flatMap(({ code, name, unit, steps }) => {
    const made = copies.filter((copy) => copy.name === name && copy.must[0] === (code ?? undefined));
    const title = code === null ? 'harmless' : `\`${code}\``;
    return unit === UNRANKED
      ? stepRow(title, name, made)
      : steps.flatMap((step) =>
          stepRow(
            title,
            `${name}: ${step} ${unit}`,
            made.filter((copy) => copy.step === step),
          ),
        );
  });
  return table(['code', 'step', 'copies', 'recall', 'false alarms'], rows);
}

function stepRow(code: string, step: string, copies: readonly CopyOutcome[]): readonly (readonly string[])[] {
  if (copies.length === 0) return [];
  const caught = copies.filter((copy) => missedBy(copy).length === 0).length;
  const alarms = copies.flatMap((copy) => falseAlarmsOf(copy).map((issue) => issue.code));
  const counted = [...new Set(alarms)].map(
    (alarm) => `${alarm} ${alarms.filter((other) => other === alarm).length}`,
  );
  const recall = copies.every(isGood) ? '-' : percent(caught, copies.length);
  return [[code, step, String(copies.length), recall, counted.join(', ')]];
}

const groupLines = (groups: Readonly<Record<string, Rate>>): string =>
  table(
    ['good photos', 'photos', 'alarmed', 'share'],
    Object.entries(groups).map(([name, { n, alarmed }]) => [
      name,
      String(n),
      String(alarmed),
      percent(alarmed, n),
    ]),
  );

const titled = (copy: CopyOutcome): CopyOutcome => ({
  ...copy,
  file: `${copy.file} (${copy.name} ${copy.step})`,
});

function publicOutcome({ file, must, may, reported, seen }: PhotoOutcome | CopyOutcome): object {
  const { hint, wouldCapture, tone } = seen;
  return { file, must, may, reported, hint, wouldCapture, tone, part: partOf(file) };
}

/** The printed report, the file of results, and what goes into the JSON. */
export function report(
  photos: readonly PhotoOutcome[],
  copies: readonly CopyOutcome[],
): { text: string; results: string; json: object } {
  const [score, copyScore] = [scoreOf(photos), scoreOf(copies)];
  const groups = goodGroups(photos);
  const labelled = [
    '## Labelled photos',
    summary(score),
    groupLines(groups),
    '### The part that thresholds were set on, and the part that checks them',
    partsTable(photos),
  ];
  const degraded =
    copies.length === 0
      ? []
      : [
          '## Degraded copies of good photos',
          summary(copyScore),
          stepsTable(copies),
          '### The part that thresholds were set on, and the part that checks them',
          partsTable(copies),
        ];
  const lists = [
    ['### Labelled photos that were not reported as labelled', mistakes(photos)],
    ['### Copies that were not reported as they should be', mistakes(copies.map(titled))],
  ].filter(([, lines]) => lines !== '');
  const introduction = [
    '# How accurate the guidance is',
    `Written by \`npm run accuracy\` on ${photos.length} labelled photos and ${copies.length} degraded copies of them (seed ${SEED}). False alarms are photos that were reported with a code that they neither must nor may carry. People are parted by a hash of the name of their photo, so that nobody is in both parts.`,
  ];
  const results = [...introduction, ...labelled, ...degraded];
  const fenced = lists.flatMap(([title = '', lines = '']) => [title, `\`\`\`text\n${lines}\n\`\`\``]);
  return {
    text: [...lists.flat(), ...labelled, ...degraded].join('\n\n'),
    results: `${[...results, ...fenced].join('\n\n')}\n`,
    json: {
      photos: photos.map(publicOutcome),
      codes: score.codes,
      good: score.good,
      faulty: score.faulty,
      groups,
      ...(copies.length === 0
        ? {}
        : {
            degraded: {
              seed: SEED,
              photos: copies.map((copy) => ({ ...publicOutcome(copy), name: copy.name, step: copy.step })),
              codes: copyScore.codes,
              good: copyScore.good,
              faulty: copyScore.faulty,
            },
          }),
    },
  };
}
