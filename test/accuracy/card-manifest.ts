import type { Quad } from '../../src/domain/homography.ts';

import { CARD_CODES, type CardCode } from './card-scene.ts';
import { regularExpression, UsageError } from './score.ts';

/*
 * What the command line of the card run asks for, and manifests of card photos.
 */

/** Paths are as given. */
export interface CardOptions {
  /** null: scenes. */
  readonly manifest: string | null;
  readonly json: string | null;
  /** A file for every measure of the last frames. */
  readonly measures: string | null;
  /** A folder for the first frame of every scene. */
  readonly pictures: string | null;
  /** A folder for the first frame of every scene as it is analysed; nothing is judged. */
  readonly dump: string | null;
  /** Only the names, nothing is judged. */
  readonly list: boolean;
  /** Only scenes and photos whose name matches. */
  readonly only: RegExp | null;
}

const VALUED = ['json', 'measures', 'pictures', 'dump'] as const;

/** @throws UsageError for an unknown option, a missing value or a second manifest */
export function parseCardArguments(words: readonly string[]): CardOptions {
  let options: CardOptions = {
    manifest: null,
    json: null,
    measures: null,
    pictures: null,
    dump: null,
    list: false,
    only: null,
  };
  const rest = [...words];
  const valueOf = (option: string): string => {
    const value = rest.shift();
    if (value === undefined || value.startsWith('--')) throw new UsageError(`${option} needs a value.`);
    return value;
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const valued = VALUED.find((name) => `--${name}` === word);
    if (valued !== undefined) options = { ...options, [valued]: valueOf(word) };
    else if (word === '--only') options = { ...options, only: regularExpression(valueOf(word)) };
    else if (word === '--list') options = { ...options, list: true };
    else if (word.startsWith('-')) throw new UsageError(`Unknown option ${word}.`);
    else if (options.manifest !== null) throw new UsageError(`More than one manifest: ${word}.`);
    else options = { ...options, manifest: word };
  }
  if (options.manifest !== null && (options.dump !== null || options.pictures !== null))
    throw new UsageError('--dump and --pictures are for scenes, not for a manifest.');
  return options;
}

/** One photo of a card. */
export interface CardLabel {
  /** Relative to the manifest. */
  readonly file: string;
  readonly must: readonly CardCode[];
  readonly may: readonly CardCode[];
  /** px of the photo, clockwise from the card's own top left; null where it was not marked. */
  readonly quad: Quad | null;
}

/**
 * Reads tab-separated lines with a header; columns are found by name, those not known are passed over.
 * @throws UsageError for a missing column, an unknown code, an outline that is none, or a line without a file
 */
export function parseCardManifest(text: string): readonly CardLabel[] {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = header.split('\t').map((name) => name.trim());
  for (const column of ['file', 'must', 'may'])
    if (!columns.includes(column)) throw new UsageError(`The manifest has no column "${column}".`);
  const labels = lines.flatMap((line, i): readonly CardLabel[] => {
    if (line.trim() === '') return [];
    const cells = line.split('\t');
    const cell = (column: string): string => cells[columns.indexOf(column)]?.trim() ?? '';
    if (cell('file') === '') throw new UsageError(`Line ${i + 2} of the manifest names no file.`);
    return [
      {
        file: cell('file'),
        must: parseCodes(cell('must'), i + 2),
        may: parseCodes(cell('may'), i + 2),
        quad: parseQuad(cell('quad'), i + 2),
      },
    ];
  });
  if (labels.length === 0) throw new UsageError('The manifest lists no photo.');
  return labels;
}

const wordsOf = (cell: string): readonly string[] => cell.split(/[\s,;]+/).filter((word) => word !== '');

const parseCodes = (cell: string, line: number): readonly CardCode[] =>
  wordsOf(cell).map((word) => {
    const code = CARD_CODES.find((known) => known === word);
    if (code === undefined)
      throw new UsageError(`Line ${line} of the manifest has an unknown code "${word}".`);
    return code;
  });

function parseQuad(cell: string, line: number): Quad | null {
  if (cell === '') return null;
  const numbers = wordsOf(cell).map(Number);
  if (numbers.length !== 8 || !numbers.every(Number.isFinite))
    throw new UsageError(`Line ${line} of the manifest has an outline that is not eight numbers.`);
  const point = (i: number): { x: number; y: number } => ({
    x: numbers[2 * i] ?? 0,
    y: numbers[2 * i + 1] ?? 0,
  });
  return [point(0), point(1), point(2), point(3)];
}
