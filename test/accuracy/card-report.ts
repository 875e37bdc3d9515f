import type { Quad } from '../../src/domain/homography.ts';
import { cornerError } from './card-geometry.ts';
import type { NikReading } from './card-legibility.ts';
import type { ReportedIssue, SeenCard } from './card-page.ts';
import { CARD_CODES, type CardCode, type Scene } from './card-scene.ts';
import type { Part } from './score.ts';

/*
 * How far what was reported of cards agrees with the truth, and how exactly their corners were found.
 */

/** A scene or a photo, and what was made of it. */
export interface CardOutcome {
  readonly file: string;
  readonly must: readonly CardCode[];
  readonly may: readonly CardCode[];
  /** null for photos. */
  readonly kind: Scene['kind'] | null;
  readonly part: Part;
  /** The true outline in the last frame, px of the picture; null without a card, or where it was not marked. */
  readonly quad: Quad | null;
  readonly seen: SeenCard;
  /** What was read of the number in the photo; null but for good scenes of specimens, whose number is known. */
  readonly nik: NikReading | null;
}

/** Each is right to say of what is no card, where both are labelled. */
const CARDLESS: readonly string[] = ['no-card', 'not-a-card'];

const isReported = ({ seen }: CardOutcome, code: string): boolean =>
  seen.reported.some((issue) => issue.code === code);

function isCaught(outcome: CardOutcome, code: CardCode): boolean {
  const other = outcome.may.find((allowed) => CARDLESS.includes(allowed));
  const standsIn = CARDLESS.includes(code) && other !== undefined && isReported(outcome, other);
  return isReported(outcome, code) || standsIn;
}

const missedBy = (outcome: CardOutcome): readonly CardCode[] =>
  outcome.must.filter((code) => !isCaught(outcome, code));

const falseAlarmsOf = ({ must, may, seen }: CardOutcome): readonly ReportedIssue[] =>
  seen.reported.filter(({ code }) => ![...must, ...may].some((allowed) => allowed === code));

const isGood = ({ must }: CardOutcome): boolean => must.length === 0;

interface CodeScore {
  readonly n: number;
  readonly recall: number | null;
  readonly falseAlarms: number;
}

interface CardScore {
  readonly codes: Readonly<Record<string, CodeScore>>;
  readonly good: { readonly n: number; readonly alarmed: number };
  /** Scenes without a card, and how many of them nobody said so of. */
  readonly cardless: { readonly n: number; readonly taken: number };
  readonly faulty: { readonly n: number; readonly unstopped: number };
}

/** The arithmetic of all outcomes. */
export function cardScoreOf(outcomes: readonly CardOutcome[]): CardScore {
  const codes = CARD_CODES.map((code): [string, CodeScore] => {
    const concerned = outcomes.filter(({ must }) => must.includes(code));
    const caught = concerned.filter((outcome) => isCaught(outcome, code)).length;
    const falseAlarms = outcomes.filter((outcome) =>
      falseAlarmsOf(outcome).some((issue) => issue.code === code),
    ).length;
    const n = concerned.length;
    return [code, { n, recall: n === 0 ? null : caught / n, falseAlarms }];
  });
  const count = (chosen: readonly CardOutcome[], which: (outcome: CardOutcome) => boolean): number =>
    chosen.filter(which).length;
  const good = outcomes.filter(isGood);
  const faulty = outcomes.filter((outcome) => !isGood(outcome));
  const cardless = outcomes.filter(({ must }) => must.some((code) => CARDLESS.includes(code)));
  return {
    codes: Object.fromEntries(codes),
    good: { n: good.length, alarmed: count(good, (outcome) => falseAlarmsOf(outcome).length > 0) },
    cardless: {
      n: cardless.length,
      taken: count(cardless, (outcome) => !CARDLESS.some((code) => isReported(outcome, code))),
    },
    faulty: { n: faulty.length, unstopped: count(faulty, ({ seen }) => seen.reported.length === 0) },
  };
}

/** Corners of one outcome: how far off, over the card's width; null where none were found. */
function errorOf({ quad, seen: { corners } }: CardOutcome): number | null {
  return quad && corners && cornerError(corners, quad);
}

/** An error over this share of the card's width cuts something off. */
const FAR_OFF = 0.05;

interface CornerScore {
  readonly n: number;
  readonly without: number;
  /** Over the card's width; null where none were found. */
  readonly median: number | null;
  readonly farOff: number;
}

function cornerScoreOf(outcomes: readonly CardOutcome[]): CornerScore {
  const cards = outcomes.filter(({ quad }) => quad !== null);
  const errors = cards.flatMap((outcome) => errorOf(outcome) ?? []).sort((a, b) => a - b);
  return {
    n: cards.length,
    without: cards.length - errors.length,
    median: errors[Math.floor(errors.length / 2)] ?? null,
    farOff: errors.filter((error) => error > FAR_OFF).length,
  };
}

const percent = (share: number | null, digits = 1): string =>
  share === null || Number.isNaN(share) ? '-' : `${(100 * share).toFixed(digits)} %`;
const shareOf = (part: number, whole: number): string => `${part} of ${whole} (${percent(part / whole)})`;

/** A Markdown table with columns as wide as their widest cell. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

function codesTable(outcomes: readonly CardOutcome[]): string {
  const partly = (part: Part): CardScore => cardScoreOf(outcomes.filter((outcome) => outcome.part === part));
  const [all, set, check] = [cardScoreOf(outcomes), partly('set'), partly('check')];
  const rows = CARD_CODES.map((code) => {
    const { n = 0, recall = null, falseAlarms = 0 } = all.codes[code] ?? {};
    return [
      `\`${code}\``,
      String(n),
      percent(recall),
      percent(set.codes[code]?.recall ?? null),
      percent(check.codes[code]?.recall ?? null),
      String(falseAlarms),
    ];
  });
  return table(['code', 'n', 'recall', 'set', 'check', 'false alarms'], rows);
}

function linesOf(outcomes: readonly CardOutcome[]): string {
  const rows = (['all', 'set', 'check'] as const).map((part) => {
    const { good, cardless, faulty } = cardScoreOf(
      outcomes.filter((outcome) => part === 'all' || outcome.part === part),
    );
    return [
      part,
      shareOf(good.alarmed, good.n),
      shareOf(cardless.taken, cardless.n),
      shareOf(faulty.unstopped, faulty.n),
    ];
  });
  return table(['', 'good, with any alarm', 'no card, taken for one', 'faulty, nothing reported'], rows);
}

function cornersTable(outcomes: readonly CardOutcome[]): string {
  const groups: readonly (readonly [string, readonly CardOutcome[]])[] = [
    ['all cards', outcomes],
    ...(['set', 'check'] as const).map(
      (part) => [`part ${part}`, outcomes.filter((outcome) => outcome.part === part)] as const,
    ),
    ['good', outcomes.filter(isGood)],
    ...CARD_CODES.map((code) => [`\`${code}\``, outcomes.filter(({ must }) => must.includes(code))] as const),
  ];
  const rows = groups.flatMap(([name, chosen]) => {
    const { n, without, median, farOff } = cornerScoreOf(chosen);
    return n === 0
      ? []
      : [[name, String(n), shareOf(without, n), percent(median, 2), shareOf(farOff, n - without)]];
  });
  return table(['cards', 'n', 'without corners', 'median error', 'error over 5 %'], rows);
}

interface NikScore {
  readonly n: number;
  readonly read: number;
}

function nikScoreOf(outcomes: readonly CardOutcome[]): NikScore {
  const tried = outcomes.flatMap(({ nik }) => nik ?? []);
  return { n: tried.length, read: tried.filter(({ read }) => read).length };
}

/** How many numbers were read, and how like the drawing their digits are; nothing where no number is known. */
function nikLines(outcomes: readonly CardOutcome[]): readonly string[] {
  const { n, read } = nikScoreOf(outcomes);
  if (n === 0) return [];
  const similarities = outcomes.flatMap(({ nik }) => nik?.similarity ?? []).sort((a, b) => a - b);
  const at = (share: number): string => similarities[Math.floor(share * n)]?.toFixed(2) ?? '-';
  return [
    '## NIK',
    'The photo that the widget takes of a good scene with a specimen, within the limits of IdentifAI, read by an OCR of our own: at the place that the layout of the card gives, by normalised cross-correlation with the ten digits of its print, without knowing the number. All 16 digits have to be right. Structural similarity is that of the digits to those of the drawing, at equal mean and contrast.',
    `NIK read: ${read} of ${n} good scenes (${percent(read / n)}). Structural similarity: median ${at(0.5)}, a tenth below ${at(0.1)}.`,
  ];
}

function mistakes(outcomes: readonly CardOutcome[]): string {
  return outcomes
    .flatMap((outcome) => {
      const [missed, alarms] = [missedBy(outcome), falseAlarmsOf(outcome)];
      const error = errorOf(outcome);
      const parts = [
        ...(missed.length === 0 ? [] : [`missed ${missed.join(', ')}`]),
        ...alarms.map(({ code, value, threshold }) => `false ${code} ${value} (${threshold})`),
        ...(error !== null && error > FAR_OFF ? [`corners off by ${percent(error)}`] : []),
        ...(outcome.nik?.read === false ? [`NIK read as "${outcome.nik.digits}"`] : []),
      ];
      return parts.length === 0 ? [] : [`${outcome.file}: ${parts.join('; ')}`];
    })
    .join('\n');
}

/** The printed report, the file of results, and what goes into the JSON. */
export function cardReport(
  outcomes: readonly CardOutcome[],
  seed: number,
): { text: string; results: string; json: object } {
  const tables = [
    codesTable(outcomes),
    linesOf(outcomes),
    '## Corners',
    'Mean distance of the four corners from the true ones over the mean length of top and bottom side, whichever way round the card is told to lie.',
    cornersTable(outcomes),
    ...nikLines(outcomes),
  ];
  const wrong = mistakes(outcomes);
  const score = cardScoreOf(outcomes);
  const corners = cornerScoreOf(outcomes);
  const introduction = [
    '# How accurate the guidance to a card is',
    `Written by \`npm run accuracy:card\` on ${outcomes.length} scenes (seed ${seed}): drawn specimens and mock cards in real and random outlines, with faults of known strength. False alarms are scenes that were reported with a code that they neither must nor may carry; where what is seen is no card, \`no-card\` and \`not-a-card\` are both right. The parts share no card.`,
  ];
  const list =
    wrong === '' ? [] : ['## Scenes that were not reported as made', `\`\`\`text\n${wrong}\n\`\`\``];
  return {
    text: [wrong, ...tables].filter((words) => words !== '').join('\n\n'),
    results: `${[...introduction, ...tables, ...list].join('\n\n')}\n`,
    json: {
      photos: outcomes.map((outcome) => ({
        file: outcome.file,
        must: outcome.must,
        may: outcome.may,
        reported: outcome.seen.reported,
        part: outcome.part,
        corners: outcome.seen.corners,
        cornerError: percentOf(errorOf(outcome)),
        ...(outcome.nik && { nik: { read: outcome.nik.read, similarity: outcome.nik.similarity } }),
      })),
      codes: score.codes,
      good: score.good,
      cardless: score.cardless,
      faulty: score.faulty,
      corners: { ...corners, median: percentOf(corners.median) },
      nik: nikScoreOf(outcomes),
    },
  };
}

/** Percent of the card's width, to a hundredth. */
const percentOf = (share: number | null): number | null =>
  share === null ? null : Math.round(1e4 * share) / 100;
