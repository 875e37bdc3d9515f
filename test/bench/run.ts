import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { typedPath } from '../accuracy/browser.ts';
import { UsageError } from '../accuracy/score.ts';
import { BenchBrowser } from './browser.ts';
import { chartOf } from './chart.ts';
import type { Figures } from './figures.ts';
import { firstLineOf, measureFrames } from './frames.ts';
import { measureLive } from './live.ts';
import { measureMemory } from './memory.ts';
import { type Options, parseOptions, type Section, SECTIONS } from './options.ts';
import { measurePeers } from './peers.ts';
import { measurePhotos } from './photo.ts';
import { type Sizes, sizesOf, sumOfSizes } from './probe.ts';
import { PICTURE, reportOf } from './report.ts';
import { serveSite } from './site.ts';
import { measureStart } from './start.ts';

/*
 * `npm run bench -- --json OUT.json`: what the widget costs, beside what nobody can go below and beside its peers, in
 * one run. Times are reported and never asserted.
 */

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));

/** The parts of the element that every page loads. */
const ELEMENT = ['kyc-capture.js', 'kyc-capture-shared.js'];

/** The runtimes that the build has, the smallest, with which the widget begins, first. */
function runtimes(): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(DIST, 'assets/manifest.json'), 'utf8')) as Record<
    string,
    { bytes: number }
  >;
  return Object.entries(manifest)
    .filter(([name]) => name.endsWith('.wasm'))
    .sort(([, one], [, other]) => one.bytes - other.bytes)
    .map(([name]) => name);
}

const elementSizes = (): Sizes => sumOfSizes(ELEMENT.map((file) => sizesOf(readFileSync(join(DIST, file)))));

/** Measures the sections that are wanted, one after the other; a fault of one does not keep the others. */
async function measure(options: Options): Promise<{ figures: Figures; faults: readonly string[] }> {
  const { quick, model, sections } = options;
  const faults: string[] = [];
  const load = loadavg()[0] ?? 0;
  const browser = await BenchBrowser.launch();
  const site = await serveSite(model);
  const section = async <Answer>(name: Section, work: () => Promise<Answer>): Promise<Answer | null> => {
    if (!sections.includes(name)) return null;
    console.log(`${new Date().toTimeString().slice(0, 8)} ${name}`);
    try {
      return await work();
    } catch (error) {
      faults.push(`${name}: ${firstLineOf(error)}`);
      return null;
    }
  };
  try {
    const wanted = { runtimes: runtimes(), google: model !== null, quick };
    const frames = await section('frames', () => measureFrames(browser, site, wanted));
    const live = await section('live', () => measureLive(browser, site, quick));
    const started = await section('start', () => measureStart(browser, site, wanted));
    const photo = await section('photo', () => measurePhotos(browser, site, quick));
    const memory = await section('memory', () => measureMemory(browser, site, quick));
    const peers = await section('peers', () => measurePeers({ browser, site, quick, model }));
    const machine = {
      date: new Date().toISOString().slice(0, 10),
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      load,
      chromium: browser.version,
    };
    const start = started?.start ?? null;
    const bytes = started?.bytes ?? null;
    const element = elementSizes();
    const figures = { machine, quick, frames, live, start, bytes, element, photo, memory, peers };
    return { figures, faults };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Why Google's bundle was not measured, or null. */
function googleMissing({ model }: Options, { frames }: Figures): string | null {
  return model === null ? 'no --model FILE, or none that exists, was given.' : (frames?.googleFault ?? null);
}

async function run(words: readonly string[]): Promise<void> {
  const wanted = parseOptions(words, typedPath);
  const options = {
    ...wanted,
    model: wanted.model !== null && existsSync(wanted.model) ? wanted.model : null,
  };
  const { figures, faults } = await measure(options);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(figures, null, 1)}\n`);
  const text = reportOf(figures);
  console.log(text);
  const picture = chartOf(figures);
  // Only a whole run is worth keeping.
  if (!options.quick && options.sections.length === SECTIONS.length) {
    const results = `# What the widget costs\n\n\`npm run bench\`: ${text}`;
    writeFileSync(RESULTS, await format(results, { parser: 'markdown' }));
    writeFileSync(join(dirname(RESULTS), PICTURE), picture);
  }
  const missing = googleMissing(options, figures);
  if (missing !== null) console.log(`Google’s bundle was not measured: ${missing}`);
  for (const fault of faults) console.error(`Not measured: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
