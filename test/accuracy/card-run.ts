import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { faultOf, openPage, readManifest, typedPath } from './browser.ts';
import { CARD_SEED, dealGood } from './card-deal.ts';
import { dealFaults } from './card-faults.ts';
import { type CardLabel, type CardOptions, parseCardArguments, parseCardManifest } from './card-manifest.ts';
import { dealNegatives } from './card-negatives.ts';
import { type CardOutcome, cardReport } from './card-report.ts';
import { partOfGroup, quadAt, type Scene } from './card-scene.ts';
import { findStock, type Found } from './card-stock.ts';
import { UsageError } from './score.ts';

/*
 * `npm run accuracy:card -- [MANIFEST.tsv] --json OUT.json`: scenes with cards, or photos of a manifest, as still
 * camera frames in Chromium.
 */

const RESULTS = fileURLToPath(new URL('RESULTS-CARD.md', import.meta.url));

/** Good scenes in random poses, beside those in real outlines. */
const POSES = 60;
/** Pages that paint and judge at the same time. */
const PAGES = 2;

/** Does something to every item on several pages; results are in the items' order. */
async function onPages<Item, Made>(
  pages: readonly Page[],
  items: readonly Item[],
  what: string,
  make: (page: Page, item: Item, i: number) => Promise<Made>,
): Promise<readonly Made[]> {
  const made = new Map<number, Made>();
  let next = 0;
  await Promise.all(
    pages.map(async (page) => {
      for (let i = next++; i < items.length; i = next++) {
        const item = items[i];
        if (item === undefined) return;
        made.set(i, await make(page, item, i));
        if (made.size % 100 === 0 || made.size === items.length)
          console.log(`${made.size} of ${items.length} ${what}`);
      }
    }),
  );
  return items.flatMap((_, i) => made.get(i) ?? []);
}

/** Opens the pages that are worth opening for so many items. */
async function withPages<Result>(
  found: Pick<Found, 'files' | 'sources'>,
  items: number,
  use: (pages: readonly Page[]) => Promise<Result>,
): Promise<Result> {
  const { page, another, close } = await openPage(found.files, 'cards');
  try {
    const pages = [page];
    while (pages.length < Math.min(PAGES, items)) pages.push(await another());
    for (const one of pages) await one.evaluate((sources) => window.cards.useSources(sources), found.sources);
    return await use(pages);
  } finally {
    await close();
  }
}

const fileNameOf = ({ name }: Scene): string => name.replaceAll(/[/\\:]/g, '-');

async function judgeScenes(
  scenes: readonly Scene[],
  found: Found,
  pictures: string | null,
): Promise<readonly CardOutcome[]> {
  if (pictures !== null) mkdirSync(pictures, { recursive: true });
  return withPages(found, scenes.length, (pages) =>
    onPages(pages, scenes, 'scenes', async (page, scene) => {
      const { seen, nik, picture } = await page.evaluate(
        ([chosen, wanted]) => window.cards.judgeScene(chosen, wanted),
        [scene, pictures !== null] as const,
      );
      if (pictures !== null && picture !== null)
        writeFileSync(join(pictures, `${fileNameOf(scene)}.jpg`), picture.split(',')[1] ?? '', 'base64');
      const { name, must, may, kind, part, subject } = scene;
      const quad = subject?.kind === 'card' ? quadAt(scene, seen.seconds) : null;
      return { file: name, must, may, kind, part, quad, seen, nik };
    }),
  );
}

/** Writes each scene's first frame as it is analysed: raw RGBA, and one list of what they are. */
async function dumpScenes(scenes: readonly Scene[], found: Found, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const index = await withPages(found, scenes.length, (pages) =>
    onPages(pages, scenes, 'scenes', async (page, scene) => {
      const { width, height, base64 } = await page.evaluate(
        (chosen) => window.cards.paintScene(chosen),
        scene,
      );
      writeFileSync(join(folder, `${fileNameOf(scene)}.rgba`), base64, 'base64');
      const { must, may, kind, part, frame, subject, quad } = scene;
      const scale = width / frame.width;
      const corners = subject?.kind === 'card' ? quad?.map(({ x, y }) => [x * scale, y * scale]) : null;
      return { name: fileNameOf(scene), width, height, quad: corners ?? null, must, may, kind, part };
    }),
  );
  writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
}

async function judgePhotos(labels: readonly CardLabel[], folder: string): Promise<readonly CardOutcome[]> {
  const files = labels.map(({ file }) => join(folder, file));
  const sources = { grounds: [], mocks: [], portraits: [] };
  return withPages({ files, sources }, labels.length, (pages) =>
    onPages(pages, labels, 'photos', async (page, label, i) => {
      const { seen, scale } = await page
        .evaluate((url) => window.cards.judgePhoto(url), `/photo/${i}`)
        .catch((error: unknown) => {
          throw faultOf(label.file, error);
        });
      // Outlines are told in px of the photo, which may be larger than what a camera gives.
      const [p, q, r, s] = (label.quad ?? []).map(({ x, y }) => ({ x: x * scale, y: y * scale }));
      const quad = p && q && r && s ? ([p, q, r, s] as const) : null;
      return { ...label, quad, kind: null, part: partOfGroup(label.file), seen, nik: null };
    }),
  );
}

function write(outcomes: readonly CardOutcome[], options: CardOptions, keep: boolean): void {
  const { text, results, json } = cardReport(outcomes, CARD_SEED);
  console.log(text);
  if (options.json !== null) writeFileSync(typedPath(options.json), `${JSON.stringify(json, null, 1)}\n`);
  if (options.measures !== null)
    writeFileSync(
      typedPath(options.measures),
      `${JSON.stringify(outcomes.map(({ seen, ...rest }) => ({ ...rest, ...seen })))}\n`,
    );
  if (keep) writeFileSync(RESULTS, results);
}

async function run(words: readonly string[]): Promise<void> {
  const options = parseCardArguments(words);
  const matches = (name: string): boolean => options.only === null || options.only.test(name);
  if (options.manifest !== null) {
    const manifest = typedPath(options.manifest);
    const labels = readManifest(manifest, parseCardManifest).filter(({ file }) => matches(file));
    if (labels.length === 0) throw new UsageError('No photo matches --only.');
    if (options.list) console.log(labels.map(({ file }) => file).join('\n'));
    else write(await judgePhotos(labels, dirname(manifest)), options, false);
    return;
  }
  const found = findStock();
  if (found.skipped.length > 0)
    console.log(`skipped, because ../shared does not have them: ${found.skipped.join(', ')}`);
  const { stock } = found;
  const scenes = [...dealGood(stock, POSES), ...dealNegatives(stock), ...dealFaults(stock)].filter(
    ({ name }) => matches(name),
  );
  if (scenes.length === 0) throw new UsageError('No scene matches --only.');
  if (options.list)
    for (const { name, must, may } of scenes)
      console.log(`${name}\tmust: ${must.join(' ')}\tmay: ${may.join(' ')}`);
  else if (options.dump !== null) await dumpScenes(scenes, found, typedPath(options.dump));
  else {
    const pictures = options.pictures === null ? null : typedPath(options.pictures);
    // Only a whole run on what everybody has is worth keeping.
    const keep = options.only === null && found.skipped.length === 0;
    write(await judgeScenes(scenes, found, pictures), options, keep);
  }
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
