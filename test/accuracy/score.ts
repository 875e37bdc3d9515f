import { GUIDANCE_CODES, type GuidanceCode } from '../../src/domain/result.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';

/*
 * The arithmetic of the accuracy run, without files and browsers: what was labelled, what was reported, and how far
 * the two agree.
 */

/** Codes that a labelled selfie may carry. */
export const SELFIE_CODES: readonly GuidanceCode[] = GUIDANCE_CODES.filter((code) =>
  GUIDANCE_RULES.face.some((rule) => rule.code === code),
);

/** A mistake of the caller, told in one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the command line asks for. Paths are as given. */
export interface Options {
  /** null: the photos beside the repository. */
  readonly manifest: string | null;
  readonly json: string | null;
  readonly measures: string | null;
  /** A folder for the degraded copies. */
  readonly pictures: string | null;
  readonly degradations: boolean;
  /** Only photos whose `file` matches. */
  readonly only: RegExp | null;
}

/** @throws UsageError for an unknown option, a missing value or a second manifest */
export function parseArguments(words: readonly string[]): Options {
  let options: Options = {
    manifest: null,
    json: null,
    measures: null,
    pictures: null,
    degradations: true,
    only: null,
  };
  const rest = [...words];
  const valueOf = (option: string): string => {
    const value = rest.shift();
    if (value === undefined || value.startsWith('--')) throw new UsageError(`${option} needs a value.`);
    return value;
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') options = { ...options, json: valueOf(word) };
    else if (word === '--measures') options = { ...options, measures: valueOf(word) };
    else if (word === '--pictures') options = { ...options, pictures: valueOf(word) };
    else if (word === '--only') options = { ...options, only: regularExpression(valueOf(word)) };
    else if (word === '--no-degradations') options = { ...options, degradations: false };
    else if (word.startsWith('-')) throw new UsageError(`Unknown option ${word}.`);
    else if (options.manifest !== null) throw new UsageError(`More than one manifest: ${word}.`);
    else options = { ...options, manifest: word };
  }
  return options;
}

/** @throws UsageError where `--only` has something else */
export function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new UsageError(`--only ${source} is no regular expression.`);
  }
}

/** One line of a manifest. */
export interface Label {
  /** Relative to the manifest. */
  readonly file: string;
  /** Codes that have to be reported; none for a good photo. */
  readonly must: readonly GuidanceCode[];
  /** Codes that are right to report too. */
  readonly may: readonly GuidanceCode[];
  readonly note: string;
}

const NEEDED_COLUMNS = ['file', 'must', 'may'] as const;

/**
 * Reads tab-separated lines with a header; columns are found by name, those not known are passed over.
 * @throws UsageError for a missing column, an unknown code, or a line without a file
 */
export function parseManifest(text: string): readonly Label[] {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = header.split('\t').map((name) => name.trim());
  for (const column of NEEDED_COLUMNS)
    if (!columns.includes(column)) throw new UsageError(`The manifest has no column "${column}".`);
  const labels = lines.flatMap((line, i): readonly Label[] => {
    if (line.trim() === '') return [];
    const cells = line.split('\t');
    const cell = (column: string): string => cells[columns.indexOf(column)]?.trim() ?? '';
    const codes = (column: string): readonly GuidanceCode[] => parseCodes(cell(column), i + 2);
    if (cell('file') === '') throw new UsageError(`Line ${i + 2} of the manifest names no file.`);
    return [{ file: cell('file'), must: codes('must'), may: codes('may'), note: cell('note') }];
  });
  if (labels.length === 0) throw new UsageError('The manifest lists no photo.');
  return labels;
}

function parseCodes(cell: string, line: number): readonly GuidanceCode[] {
  return cell
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const code = SELFIE_CODES.find((known) => known === word);
      if (code === undefined)
        throw new UsageError(`Line ${line} of the manifest has an unknown code "${word}".`);
      return code;
    });
}

/** A code that the guidance reported of a photo. */
export interface Reported {
  readonly code: GuidanceCode;
  readonly value: number;
  readonly threshold: number;
}

/** A photo, or a degraded copy, with what was reported of it. */
export interface Outcome {
  readonly file: string;
  readonly must: readonly GuidanceCode[];
  readonly may: readonly GuidanceCode[];
  readonly reported: readonly Reported[];
}

interface CodeScore {
  /** Photos that must be reported with this code. */
  readonly n: number;
  /** Share of them that were; null where there is none. */
  readonly recall: number | null;
  /** Photos that were reported with it though they neither must nor may. */
  readonly falseAlarms: number;
}

export interface Score {
  readonly codes: Readonly<Record<string, CodeScore>>;
  /** Good photos (nothing must), and how many of them had any false alarm. */
  readonly good: { readonly n: number; readonly alarmed: number };
  /** Faulty photos, and how many of them no code at all was reported of. */
  readonly faulty: { readonly n: number; readonly unstopped: number };
}

export const isGood = ({ must }: Pick<Outcome, 'must'>): boolean => must.length === 0;

/** Codes that were reported though they neither must nor may. */
export const falseAlarmsOf = ({ must, may, reported }: Outcome): readonly Reported[] =>
  reported.filter(({ code }) => !must.includes(code) && !may.includes(code));

/** Codes that had to be reported and were not. */
export const missedBy = ({ must, reported }: Outcome): readonly GuidanceCode[] =>
  must.filter((code) => reported.every((issue) => issue.code !== code));

export function scoreOf(outcomes: readonly Outcome[]): Score {
  const codes = SELFIE_CODES.map((code): [string, CodeScore] => {
    const concerned = outcomes.filter(({ must }) => must.includes(code));
    const caught = concerned.filter((outcome) => !missedBy(outcome).includes(code)).length;
    const falseAlarms = outcomes.filter((outcome) =>
      falseAlarmsOf(outcome).some((issue) => issue.code === code),
    ).length;
    const n = concerned.length;
    return [code, { n, recall: n === 0 ? null : caught / n, falseAlarms }];
  });
  const good = outcomes.filter(isGood);
  const faulty = outcomes.filter((outcome) => !isGood(outcome));
  return {
    codes: Object.fromEntries(codes),
    good: { n: good.length, alarmed: good.filter((outcome) => falseAlarmsOf(outcome).length > 0).length },
    faulty: { n: faulty.length, unstopped: faulty.filter(({ reported }) => reported.length === 0).length },
  };
}

/** Part of the photos that thresholds are set on, and the part that checks them. */
export type Part = 'set' | 'check';

/** Sources that show one person, or one scene, in several photos: the number tells the photo, not the person. */
const SAME_PERSON = /^(asl|lisa|zoom|intel)/;

/** What belongs together, so that nobody is in both parts: a name for the person in the photo. */
export function groupOf(file: string): string {
  const name = (file.split('/').at(-1) ?? file).replace(/\.[^.]+$/, '');
  if (SAME_PERSON.test(name)) return name.replace(/_?\d+(cm)?$/, '');
  // Drawn masks and sunglasses lie on faces of the studio series, under their numbers.
  const synthetic = /^synth_.*_(\d+)$/.exec(name);
  return synthetic === null ? name : `london_${synthetic[1] ?? ''}`;
}

/** Which part a photo is in: by its person's name alone, so that it stays there in any manifest. */
export const partOf = (file: string): Part => (hashOf(groupOf(file)) % 2 === 0 ? 'set' : 'check');

/** A well mixed 32-bit number of a text (FNV-1a, then the finishing steps of MurmurHash3). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Random numbers from 0 up to 1 that follow from the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same items in a random order. */
export function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
