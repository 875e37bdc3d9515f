/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves */
import { fork } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { COVER_NETWORKS, COVER_PICTURE, coverInput, type CoverNetwork } from '../src/analysis/cover.ts';
import { COVER_WEIGHTS } from '../src/analysis/cover-weights.ts';
import { decodeWeights } from '../src/analysis/network.ts';
import { lumaOf } from '../src/analysis/pixels.ts';
import type { FaceCover } from '../src/domain/observation.ts';
import type { GuidanceCode } from '../src/domain/result.ts';
import { TAUGHT_COVERS } from '../test/accuracy/covers.ts';
import { openPage, REPOSITORY, typedPath } from '../test/accuracy/browser.ts';
import type { Lessons } from '../test/accuracy/lessons.ts';
import {
  hashOf,
  type Label as PhotoLabel,
  parseManifest,
  partOf,
  randomFrom,
} from '../test/accuracy/score.ts';
import { initialWeights, type Label, type Random } from './gradients.ts';
import {
  areaUnderCurve,
  encodeWeights,
  evaluate,
  type Sample,
  type Scored,
  shareAbove,
  thresholdFor,
  train,
} from './training.ts';

/*
 * Trains the cover networks: `npm run train -- MANIFEST.tsv…`. Faces of labelled photos, and covers drawn over the free
 * ones, are painted in the browser and kept under node_modules/.cache. People of the first manifest's part "check"
 * (`partOf`) teach nothing and give the held-out score. `stock-portraits.tsv` is the second manifest that the shipped
 * weights learned from; it belongs into the folder static/avatars of the package that the README names.
 */

/** The first word to a process that trains one network only. */
const NETWORK = '--network';
const SEED = 1;
const EPOCHS = 9;
const PICTURE_BYTES = 3 * COVER_PICTURE.width * COVER_PICTURE.height;
const TARGET = fileURLToPath(new URL('../src/analysis/cover-weights.ts', import.meta.url));

/** Each measure, and the code it stands for. */
const CODES: Record<keyof FaceCover, GuidanceCode> = {
  face: 'face-covered',
  eyes: 'eyes-covered',
  glasses: 'glasses',
  closed: 'eyes-closed',
};

/** Pictures of one photo: without a cover (more where none may be drawn), and of every family of covers. */
const PLAIN = { free: 24, taken: 40 };
const EACH = 6;

/** Covers that are there already would lie under the drawn ones; faces that are far are too coarse to draw on. */
const NOT_FREE = /covered|glasses|closed|far|multiple/;

/** One painted picture: what was drawn, and what the photo itself is labelled as. */
interface Lesson extends PhotoLabel {
  readonly cover: string;
  readonly picture: Uint8Array;
  readonly teaches: boolean;
}

const CACHE = join(REPOSITORY, 'node_modules/.cache/kyc-capture');
/** What lessons are painted with, beside the manifest: other paint makes other lessons. */
const PAINTERS = ['lessons', 'covers', 'cloth', 'eyewear', 'brush', 'paint'].map((name) =>
  readFileSync(join(REPOSITORY, `test/accuracy/${name}.ts`), 'utf8'),
);

/** Paints the lessons of a manifest, or finds them painted: the files' common name, and whose photos they are. */
async function paintedOf(
  manifest: string,
): Promise<{ readonly cache: string; readonly labels: readonly PhotoLabel[] }> {
  const text = readFileSync(manifest, 'utf8');
  const labels = parseManifest(text);
  const cache = join(
    CACHE,
    `lessons-${hashOf([text, PLAIN.free, PLAIN.taken, EACH, ...PAINTERS].join('\n'))}`,
  );
  if (!existsSync(`${cache}.json`)) await paint(manifest, labels, cache);
  return { cache, labels };
}

/**
 * The lessons of a manifest.
 * @param heldOut true where people of the part "check" teach nothing
 */
async function lessonsOf(manifest: string, heldOut: boolean): Promise<readonly Lesson[]> {
  const { cache, labels } = await paintedOf(manifest);
  const index = JSON.parse(readFileSync(`${cache}.json`, 'utf8')) as { photo: number; cover: string }[];
  const pictures = readFileSync(`${cache}.bin`);
  return index.flatMap(({ photo, cover }, i) => {
    const label = labels[photo];
    const picture = pictures.subarray(i * PICTURE_BYTES, (i + 1) * PICTURE_BYTES);
    return label === undefined
      ? []
      : [{ ...label, cover, picture, teaches: !heldOut || partOf(label.file) === 'set' }];
  });
}

async function paint(manifest: string, labels: readonly PhotoLabel[], cache: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const { page, another, close } = await openPage(labels.map(({ file }) => join(dirname(manifest), file)));
  const pictures = openSync(`${cache}.bin`, 'w');
  const index: { photo: number; cover: string }[] = [];
  const painted = new Map<number, Lessons | null>();
  let next = 0;
  let written = 0;
  // In the order of the manifest, whichever page is faster.
  const write = (): void => {
    for (let lessons = painted.get(written); lessons !== undefined; lessons = painted.get(written)) {
      const photo = written++;
      painted.delete(photo);
      if (lessons !== null) {
        writeSync(pictures, Buffer.from(lessons.pictures, 'base64'));
        index.push(...lessons.covers.map((cover) => ({ photo, cover })));
      }
      if (written % 20 === 0) console.log(`${written} of ${labels.length} photos painted`);
    }
  };
  const paintWith = async (painter: Page): Promise<void> => {
    for (let photo = next++; photo < labels.length; photo = next++) {
      const { file, must, may } = labels[photo] ?? { file: '', must: [], may: [] };
      const free = ![...must, ...may].some((code) => NOT_FREE.test(code));
      const plain = free ? PLAIN.free : PLAIN.taken;
      const lessons = await painter.evaluate(
        ([url, name, count, each]) => window.accuracy.teach(url, name, count, each),
        [`/photo/${photo}`, file, plain, free ? EACH : 0] as const,
      );
      painted.set(photo, lessons);
      write();
    }
  };
  try {
    await Promise.all([page, await another()].map(paintWith));
  } finally {
    closeSync(pictures);
    await close();
  }
  writeFileSync(`${cache}.json`, JSON.stringify(index));
}

/** Whether a code holds in a lesson, where that is known: what a cover may be reported as teaches nothing. */
function labelOf({ must, may, cover }: Lesson, code: GuidanceCode): Label {
  const drawn = TAUGHT_COVERS.find(({ name }) => name === cover);
  if (must.includes(code) || drawn?.code === code) return 1;
  return may.includes(code) || drawn?.may.includes(code) === true ? null : 0;
}

/** Places across and down that a field is known at; between them it runs evenly. */
const FIELD = { columns: 4, rows: 5 };

/** Something that varies slowly over the picture: one value a pixel, mostly within `size` of 0. */
function fieldOf(size: number, random: Random): Float32Array {
  const { width, height } = COVER_PICTURE;
  const { columns, rows } = FIELD;
  const knots = Float32Array.from(
    { length: columns * rows },
    () => size * (random() + random() + random() - 1.5),
  );
  const field = new Float32Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const down = (y / height) * (rows - 1);
    const row = Math.floor(down);
    for (let x = 0; x < width; x++, to++) {
      const right = (x / width) * (columns - 1);
      const column = Math.floor(right);
      const at = row * columns + column;
      const [u, v] = [right - column, down - row];
      const upper = knots[at]! * (1 - u) + knots[at + 1]! * u; // within, as is the row below
      const lower = knots[at + columns]! * (1 - u) + knots[at + columns + 1]! * u;
      field[to] = upper * (1 - v) + lower * v;
    }
  }
  return field;
}

/**
 * Brightness, contrast, haze, colour and grain as cameras differ in them, light and colour that differ from place to
 * place, mirrored or not, a little off the mark.
 */
function varied(picture: Uint8Array, random: Random): Float32Array {
  const { width, height } = COVER_PICTURE;
  const between = (low: number, high: number): number => low + (high - low) * random();
  const mirrored = random() < 0.5;
  const [dx, dy] = [Math.round(between(-2.4, 2.4)), Math.round(between(-2.4, 2.4))];
  const exposure = random();
  const dark = exposure < 0.07;
  // Stored values: a quarter stands for a twentieth of the light; past 255 all is white.
  const gain = Math.exp(
    dark ? between(-1.4, -0.4) : exposure < 0.14 ? between(0.25, 0.8) : between(-0.25, 0.25),
  );
  const gamma = between(0.85, 1.18);
  const haze = random() < 0.35 ? between(0, 0.6) : 0;
  const veil = between(90, 230);
  const curves = [0.08, 0.05, 0.1].map((spread) => {
    const tint = Math.exp(between(-spread, spread));
    return Float32Array.from({ length: 256 }, (_, v) => {
      const light = Math.min(255, 255 * (v / 255) ** gamma * gain * tint);
      return light + haze * (veil - light);
    });
  }) as [Float32Array, Float32Array, Float32Array];
  const [reds, greens, blues] = curves;
  const grain = dark ? between(2, 8) : random() < 0.4 ? between(0, 14) : 0;
  const saturation = random() < 0.03 ? 0 : random() < 0.4 ? between(0.3, 1.25) : 1;
  const fieldWithin = (size: number): Float32Array => fieldOf(between(0, size), random);
  const fields =
    random() < 0.4 ? { light: fieldWithin(0.3), red: fieldWithin(0.1), blue: fieldWithin(0.1) } : null;
  const out = new Float32Array(picture.length);
  for (let y = 0, to = 0; y < height; y++) {
    const row = Math.min(height - 1, Math.max(0, y + dy)) * width;
    for (let x = 0; x < width; x++, to += 3) {
      const column = Math.min(width - 1, Math.max(0, x + dx));
      const from = 3 * (row + (mirrored ? width - 1 - column : column));
      const noise = grain > 0 ? (random() + random() - 1) * grain : 0;
      let r = reds[picture[from]!]!; // within, as are the next two
      let g = greens[picture[from + 1]!]!;
      let b = blues[picture[from + 2]!]!;
      if (fields !== null) {
        const light = 1 + fields.light[to / 3]!;
        r *= light + fields.red[to / 3]!;
        g *= light;
        b *= light + fields.blue[to / 3]!;
      }
      const grey = (1 - saturation) * lumaOf(r, g, b) + noise;
      out[to] = Math.min(255, Math.max(0, grey + saturation * r));
      out[to + 1] = Math.min(255, Math.max(0, grey + saturation * g));
      out[to + 2] = Math.min(255, Math.max(0, grey + saturation * b));
    }
  }
  return out;
}

/** What became of one network. */
interface Trained {
  readonly name: string;
  readonly text: string;
  readonly report: readonly string[];
  /** How much of each family of covers is found. */
  readonly families: readonly string[];
}

const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);

function trainOne(name: string, network: CoverNetwork, lessons: readonly Lesson[]): Trained {
  const labels = (lesson: Lesson): Label[] => network.heads.map((head) => labelOf(lesson, CODES[head]));
  const taught = lessons.filter(({ teaches }) => teaches);
  const heldOut = lessons.filter(({ teaches }) => !teaches);
  const samples = taught.map((lesson): Sample => ({
    input: (random) => coverInput(network, varied(lesson.picture, random)),
    labels: labels(lesson),
    // A false alarm costs everybody, so that free faces count for more.
    weight: labels(lesson).every((label) => label !== 1) ? 1.5 : 1,
  }));
  const weights = train({
    shape: network.shape,
    samples,
    epochs: EPOCHS,
    batch: 64,
    learningRate: 0.004,
    weightDecay: 0.02,
    dropout: 0.1,
    smoothing: 0.02,
    seed: SEED,
    onEpoch: ({ number, loss }) =>
      console.log(`${name}: epoch ${number} of ${EPOCHS}, loss ${loss.toFixed(4)}`),
  });
  const text = encodeWeights(network.shape, weights);
  const decoded = decodeWeights(network.shape, text);
  const score = (some: readonly Lesson[]): readonly (readonly Scored[])[] =>
    evaluate(
      network.shape,
      decoded,
      some.map((lesson) => ({ input: coverInput(network, lesson.picture), labels: labels(lesson) })),
    );
  const thresholds: number[] = [];
  const report = score(heldOut).map((head, i) => {
    const threshold = thresholdFor(head, 0.01);
    thresholds.push(threshold);
    return `${name}.${network.heads[i] ?? ''}: area ${areaUnderCurve(head)?.toFixed(4) ?? '-'}, finds ${percent(shareAbove(head, 1, threshold))} where 1 % of the free faces alarm`;
  });
  const families = TAUGHT_COVERS.flatMap((cover): readonly string[] => {
    const head = network.heads.findIndex((one) => CODES[one] === cover.code);
    if (head === -1) return [];
    const scored = score(heldOut.filter((lesson) => lesson.cover === cover.name))[head] ?? [];
    return [`${cover.name}: ${percent(shareAbove(scored, 1, thresholds[head] ?? NaN))} found`];
  });
  return {
    name,
    text,
    report: [`${name}: ${samples.length} pictures taught, ${heldOut.length} held out`, ...report],
    families,
  };
}

/** All lessons of all manifests, of which the first holds people out. */
async function allLessons(manifests: readonly string[]): Promise<readonly Lesson[]> {
  const lessons: Lesson[] = [];
  for (const [i, manifest] of manifests.entries()) lessons.push(...(await lessonsOf(manifest, i === 0)));
  return lessons;
}

/** Trains a network in a process of its own, which finds the lessons painted. */
const trainAside = (name: string, manifests: readonly string[]): Promise<Trained> =>
  new Promise((resolve, reject) => {
    const process = fork(fileURLToPath(import.meta.url), [NETWORK, name, ...manifests]);
    process.once('message', (trained) => resolve(trained as Trained));
    process.once('exit', (code) => reject(new Error(`The training of ${name} ended with code ${code}.`)));
  });

/** The module of the weights. */
const moduleOf = (results: readonly Trained[]): string => `/**
 * Weights of the cover networks, int8 in base64, as \`scripts/train-cover.ts\` writes them (seed ${SEED}, ${EPOCHS} epochs).
${results.flatMap(({ report }) => report.map((line) => ` * ${line}`)).join('\n')}
 */
export const COVER_WEIGHTS = {
${results.map(({ name, text }) => `  ${name}: '${text}',`).join('\n')}
};
`;

/** Whether the weights that are there are of the present shapes, whatever they were trained on. */
function weightsFit(): boolean {
  try {
    for (const [name, { shape }] of Object.entries(COVER_NETWORKS))
      decodeWeights(shape, COVER_WEIGHTS[name as keyof typeof COVER_WEIGHTS]);
    return true;
  } catch {
    return false;
  }
}

const untrained = (): readonly Trained[] =>
  Object.entries(COVER_NETWORKS).map(([name, { shape }]) => ({
    name,
    text: encodeWeights(shape, Float32Array.from(initialWeights(shape, randomFrom(SEED)))),
    report: [`${name}: not trained yet`],
    families: [],
  }));

async function main(manifests: readonly string[]): Promise<void> {
  if (!weightsFit()) {
    // The faces are found by the built worker, which does not start with weights of another shape.
    writeFileSync(TARGET, moduleOf(untrained()));
    console.error(
      'The networks have another shape than their weights; untrained ones were written. Run again.',
    );
    process.exit(1);
  }
  const started = Date.now();
  const minutes = (): string => `${((Date.now() - started) / 60_000).toFixed(1)} min`;
  for (const manifest of manifests) await paintedOf(manifest);
  console.log(`All lessons are painted after ${minutes()}.`);
  const results = await Promise.all(Object.keys(COVER_NETWORKS).map((name) => trainAside(name, manifests)));
  writeFileSync(TARGET, moduleOf(results));
  console.log(results.flatMap(({ report, families }) => [...report, ...families]).join('\n'));
  console.log(`The weights are written after ${minutes()}.`);
}

const words = process.argv.slice(2);
const network = words[0] === NETWORK ? words[1] : undefined;
const manifests = (network === undefined ? words : words.slice(2)).map(typedPath);
if (manifests.length === 0) {
  console.error('Usage: tsx scripts/train-cover.ts MANIFEST.tsv…');
  process.exit(2);
}
if (network === undefined) await main(manifests);
else
  for (const [name, one] of Object.entries(COVER_NETWORKS))
    if (name === network) process.send?.(trainOne(name, one, await allLessons(manifests)));
