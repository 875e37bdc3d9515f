import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { faultOf, openPage, readManifest, REPOSITORY, typedPath } from './browser.ts';
import { type CopyOutcome, type PhotoOutcome, report } from './report.ts';
import { ALL_DEGRADATIONS, dealSamples, type Sample } from './samples.ts';
import { type Label, parseArguments, parseManifest, UsageError } from './score.ts';

/*
 * `npm run accuracy -- MANIFEST.tsv --json OUT.json`: every photo of a manifest as still camera frames in Chromium.
 */

const DEFAULT_MANIFEST = join(REPOSITORY, '../shared/photos/manifest.tsv');

const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));

/** Judges every photo as it is; good ones are kept in the page for copies. */
async function judgePhotos(
  page: Page,
  labels: readonly Label[],
  tell: typeof progress,
): Promise<readonly PhotoOutcome[]> {
  const outcomes: PhotoOutcome[] = [];
  for (const [i, label] of labels.entries()) {
    const flawless = label.must.length + label.may.length === 0;
    const seen = await page
      .evaluate(([url, file]) => window.accuracy.judgePhoto(url, file), [
        `/photo/${i}`,
        flawless ? label.file : null,
      ] as const)
      .catch((error: unknown) => {
        throw faultOf(label.file, error);
      });
    outcomes.push({ ...label, reported: seen.reported, seen });
    tell('photos', i + 1, labels.length, 50);
  }
  return outcomes;
}

/** Judges degraded copies of the photos that are good without reserve, on pages that have judged all photos. */
async function judgeCopies(
  pages: readonly Page[],
  photos: readonly PhotoOutcome[],
  pictures: string | null,
): Promise<readonly CopyOutcome[]> {
  const bases = photos.filter(({ must, may, seen }) => must.length + may.length === 0 && seen.face !== null);
  const files = [...new Set(bases.map(({ file }) => file))];
  // Photo by photo, because opening one takes longer than a copy.
  const samples = [...dealSamples(files)].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file));
  const outcomes = new Map<number, CopyOutcome>();
  if (pictures !== null) mkdirSync(pictures, { recursive: true });
  let next = 0;
  const judge = async (page: Page): Promise<void> => {
    for (let i = next++; i < samples.length; i = next++) {
      const sample = samples[i];
      if (sample === undefined) return;
      outcomes.set(i, await judgeCopy(page, sample, pictures));
      progress('degraded copies', outcomes.size, samples.length, 200);
    }
  };
  await Promise.all(pages.map(judge));
  // In the order of the samples, whichever page was faster.
  return samples.flatMap((_, i) => outcomes.get(i) ?? []);
}

async function judgeCopy(page: Page, sample: Sample, pictures: string | null): Promise<CopyOutcome> {
  const { file, step } = sample;
  const degradation = ALL_DEGRADATIONS[sample.degradation];
  if (degradation === undefined) throw new Error('no such degradation');
  const { code, may, name } = degradation;
  const { seen, picture } = await page.evaluate(
    ([chosen, wanted]) => window.accuracy.judgeSample(chosen, wanted),
    [sample, pictures !== null] as const,
  );
  if (pictures !== null && picture !== null) {
    const title = [code ?? 'harmless', name, step, basename(file)].join(' ').replaceAll('/', '-');
    writeFileSync(join(pictures, title), picture.split(',')[1] ?? '', 'base64');
  }
  return { file, must: code === null ? [] : [code], may, name, step, reported: seen.reported, seen };
}

function progress(what: string, done: number, all: number, every: number): void {
  if (done % every === 0 || done === all) console.log(`${done} of ${all} ${what}`);
}

const silent = (): void => undefined;

async function run(words: readonly string[]): Promise<void> {
  const options = parseArguments(words);
  const manifest = options.manifest === null ? DEFAULT_MANIFEST : typedPath(options.manifest);
  if (options.manifest === null && !existsSync(manifest)) {
    console.log(`skipped: no ${DEFAULT_MANIFEST}, and no manifest was named`);
    return;
  }
  const { only, pictures } = options;
  const labels = readManifest(manifest, parseManifest).filter(({ file }) => only === null || only.test(file));
  if (labels.length === 0) throw new UsageError('No photo matches --only.');
  const { page, another, close } = await openPage(labels.map(({ file }) => join(dirname(manifest), file)));
  let photos: readonly PhotoOutcome[];
  let copies: readonly CopyOutcome[] = [];
  try {
    const pages = options.degradations ? [page, await another()] : [page];
    [photos = []] = await Promise.all(
      pages.map((one, i) => judgePhotos(one, labels, i === 0 ? progress : silent)),
    );
    if (options.degradations)
      copies = await judgeCopies(pages, photos, pictures === null ? null : typedPath(pictures));
  } finally {
    await close();
  }
  const { text, results, json } = report(photos, copies);
  console.log(text);
  if (options.json !== null) writeFileSync(typedPath(options.json), `${JSON.stringify(json, null, 1)}\n`);
  if (options.measures !== null) {
    const measures = [...photos, ...copies].map(({ seen, ...outcome }) => ({ ...outcome, ...seen }));
    writeFileSync(typedPath(options.measures), `${JSON.stringify(measures)}\n`);
  }
  // Only a whole run on the photos that everybody has is worth keeping.
  if (manifest === DEFAULT_MANIFEST && options.degradations && only === null) writeFileSync(RESULTS, results);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
