import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './browser.ts';
import type { Sources } from './card-camera.ts';
import { randomOf, SPECIMENS, type Stock } from './card-deal.ts';
import type { Quad } from '../../src/domain/homography.ts';

import { parseManifest, shuffled } from './score.ts';

/*
 * The files that scenes are made of, where the shared folder lies beside the repository.
 */

const CARDS = join(REPOSITORY, '../shared/cards');
const PHOTOS = join(REPOSITORY, '../shared/photos');

/** What there is, and the files behind it. */
export interface Found {
  readonly stock: Stock;
  /** URLs of `files` as the page finds them. */
  readonly sources: Sources;
  readonly files: readonly string[];
  /** What is missing, in words. */
  readonly skipped: readonly string[];
}

export function findStock(): Found {
  const names = existsSync(CARDS) ? readdirSync(CARDS).sort() : [];
  const named = (start: string): readonly string[] =>
    names.filter((name) => name.startsWith(start)).map((name) => join(CARDS, name));
  const [grounds, mocks, portraits] = [named('background_'), named('mock_'), findPortraits()];
  const outlines = names.includes('quads.json') ? readOutlines(join(CARDS, 'quads.json')) : [];
  const files = [...grounds, ...mocks, ...portraits.map(({ file }) => file)];
  const urlOf = (file: string): string => `/photo/${files.indexOf(file)}`;
  return {
    stock: { outlines, mocks: mocks.length, grounds: grounds.length },
    sources: {
      grounds: grounds.map(urlOf),
      mocks: mocks.map(urlOf),
      portraits: portraits.map(({ file, female }) => ({ url: urlOf(file), female })),
    },
    files,
    skipped: [
      ...(outlines.length === 0 ? ['real outlines'] : []),
      ...(grounds.length === 0 ? ['photographed tables'] : []),
      ...(mocks.length === 0 ? ['mock cards'] : []),
      ...(portraits.length === 0 ? ['photographed portraits'] : []),
    ],
  };
}

function readOutlines(path: string): Stock['outlines'] {
  const corners = JSON.parse(readFileSync(path, 'utf8')) as Record<string, readonly [number, number][]>;
  return Object.entries(corners).map(([name, points]) => {
    const [p, q, r, s] = points.map(([x, y]) => ({ x, y }));
    if (p === undefined || q === undefined || r === undefined || s === undefined)
      throw new Error(`${name} has not four corners`);
    const quad: Quad = [p, q, r, s];
    return { name, quad };
  });
}

const PORTRAIT_FOLDERS = /^(frontal_good|hijab_headcover)\//;

/** Good photos of people of a known sex: all with head coverings, the rest at random. */
function findPortraits(): readonly { readonly file: string; readonly female: boolean }[] {
  const path = join(PHOTOS, 'manifest.tsv');
  if (!existsSync(path)) return [];
  const people = parseManifest(readFileSync(path, 'utf8')).flatMap(({ file, must, may, note }) => {
    const words = `${file} ${note}`;
    const female = words.includes('female');
    const fits = PORTRAIT_FOLDERS.test(file) && must.length + may.length === 0;
    return fits && words.includes('male') ? [{ file, female }] : [];
  });
  const covered = people.filter(({ file }) => file.startsWith('hijab'));
  const rest = shuffled(
    people.filter((person) => !covered.includes(person)),
    randomOf('portraits'),
  );
  const chosen = [...covered, ...rest].slice(0, SPECIMENS);
  return shuffled(chosen, randomOf('specimens')).map(({ file, female }) => ({
    file: join(PHOTOS, file),
    female,
  }));
}
