import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COVER_NETWORKS, COVER_PICTURE, coverInput, type CoverNetwork } from '../src/analysis/cover.ts';
import { decodeWeights } from '../src/analysis/network.ts';
import { lumaOf } from '../src/analysis/pixels.ts';
import type { FaceCover } from '../src/domain/observation.ts';
import type { GuidanceCode } from '../src/domain/result.ts';
import { COVERS } from '../test/accuracy/covers.ts';
import { openPage, REPOSITORY, typedPath } from '../test/accuracy/browser.ts';
import { hashOf, type Label as PhotoLabel, parseManifest, partOf } from '../test/accuracy/score.ts';
import {
  areaUnderCurve,
  encodeWeights,
  evaluate,
  type Label,
  type Random,
  type Sample,
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

const SEED = 1;
const EPOCHS = 7;
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
const PLAIN = { free: 20, taken: 40 };
const EACH = 8;

/** Covers that are there already would lie under the drawn ones; faces that are far are too coarse to draw on. */
const NOT_FREE = /covered|glasses|closed|far|multiple/;

/** One painted picture: what was drawn, and what the photo itself is labelled as. */
interface Lesson extends PhotoLabel {
  readonly cover: string;
  readonly picture: Uint8Array;
  readonly teaches: boolean;
}

const CACHE = join(REPOSITORY, 'node_modules/.cache/kyc-capture');

/**
 * Paints the lessons of a manifest, or finds them painted.
 * @param heldOut true where people of the part "check" teach nothing
 */
async function lessonsOf(manifest: string, heldOut: boolean): Promise<readonly Lesson[]> {
  const text = readFileSync(manifest, 'utf8');
  const labels = parseManifest(text);
  const cache = join(CACHE, `lessons-${hashOf(`${text} ${PLAIN.free} ${PLAIN.taken} ${EACH}`)}`);
  if (!existsSync(`${cache}.json`)) await paint(manifest, labels, cache);
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
  const { page, close } = await openPage(labels.map(({ file }) => join(dirname(manifest), file)));
  const pictures = openSync(`${cache}.bin`, 'w');
  const index: { photo: number; cover: string }[] = [];
  try {
    for (const [photo, { file, must, may }] of labels.entries()) {
      const free = ![...must, ...may].some((code) => NOT_FREE.test(code));
      const plain = free ? PLAIN.free : PLAIN.taken;
      const lessons = await page.evaluate(
        ([url, name, count, each]) => window.accuracy.teach(url, name, count, each),
        [`/photo/${photo}`, file, plain, free ? EACH : 0] as const,
      );
      if (lessons === null) continue;
      writeSync(pictures, Buffer.from(lessons.pictures, 'base64'));
      index.push(...lessons.covers.map((cover) => ({ photo, cover })));
      if (photo % 20 === 19) console.log(`${photo + 1} of ${labels.length} photos painted`);
    }
  } finally {
    closeSync(pictures);
    await close();
  }
  writeFileSync(`${cache}.json`, JSON.stringify(index));
}

/** Whether a code holds in a lesson, where that is known: what a cover may be reported as teaches nothing. */
function labelOf({ must, may, cover }: Lesson, code: GuidanceCode): Label {
  const drawn = COVERS.find(({ name }) => name === cover);
  if (must.includes(code) || drawn?.code === code) return 1;
  return may.includes(code) || drawn?.may.includes(code) === true ? null : 0;
}

/** Brightness, contrast, haze, colour and grain as cameras differ in them, mirrored or not, a little off the mark. */
function varied(picture: Uint8Array, random: Random): Float32Array {
  const { width, height } = COVER_PICTURE;
  const between = (low: number, high: number): number => low + (high - low) * random();
  const mirrored = random() < 0.5;
  const [dx, dy] = [Math.round(between(-2.4, 2.4)), Math.round(between(-2.4, 2.4))];
  const [gain, gamma] = [Math.exp(between(-0.25, 0.25)), between(0.85, 1.18)];
  const haze = random() < 0.3 ? between(0, 0.55) : 0;
  const veil = between(90, 230);
  const curves = [0.08, 0.05, 0.1].map((spread) => {
    const tint = Math.exp(between(-spread, spread));
    return Float32Array.from({ length: 256 }, (_, v) => {
      const light = Math.min(255, 255 * (v / 255) ** gamma * gain * tint);
      return light + haze * (veil - light);
    });
  });
  const grain = random() < 0.4 ? between(0, 14) : 0;
  const saturation = random() < 0.03 ? 0 : random() < 0.4 ? between(0.3, 1.25) : 1;
  const out = new Float32Array(picture.length);
  for (let y = 0, to = 0; y < height; y++) {
    const row = Math.min(height - 1, Math.max(0, y + dy)) * width;
    for (let x = 0; x < width; x++, to += 3) {
      const column = Math.min(width - 1, Math.max(0, x + dx));
      const from = 3 * (row + (mirrored ? width - 1 - column : column));
      const noise = grain > 0 ? (random() + random() - 1) * grain : 0;
      const r = curves[0]?.[picture[from] ?? 0] ?? 0;
      const g = curves[1]?.[picture[from + 1] ?? 0] ?? 0;
      const b = curves[2]?.[picture[from + 2] ?? 0] ?? 0;
      const grey = (1 - saturation) * lumaOf(r, g, b) + noise;
      out[to] = Math.min(255, Math.max(0, grey + saturation * r));
      out[to + 1] = Math.min(255, Math.max(0, grey + saturation * g));
      out[to + 2] = Math.min(255, Math.max(0, grey + saturation * b));
    }
  }
  return out;
}

function trainOne(
  name: string,
  network: CoverNetwork,
  lessons: readonly Lesson[],
): { text: string; report: readonly string[] } {
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
  const scored = evaluate(
    network.shape,
    decodeWeights(network.shape, text),
    heldOut.map((lesson) => ({ input: coverInput(network, lesson.picture), labels: labels(lesson) })),
  );
  const percent = (share: number | null): string => `${(100 * (share ?? NaN)).toFixed(1)} %`;
  const report = scored.map((head, i) => {
    const threshold = thresholdFor(head, 0.01);
    return `${name}.${network.heads[i] ?? ''}: area ${areaUnderCurve(head)?.toFixed(4) ?? '-'}, finds ${percent(shareAbove(head, 1, threshold))} where 1 % of the free faces alarm`;
  });
  return {
    text,
    report: [`${name}: ${samples.length} pictures taught, ${heldOut.length} held out`, ...report],
  };
}

const manifests = process.argv.slice(2).map(typedPath);
if (manifests.length === 0) {
  console.error('Usage: tsx scripts/train-cover.ts MANIFEST.tsv…');
  process.exit(2);
}
const lessons: Lesson[] = [];
for (const [i, manifest] of manifests.entries()) lessons.push(...(await lessonsOf(manifest, i === 0)));
const results = Object.entries(COVER_NETWORKS).map(([name, network]) => ({
  name,
  ...trainOne(name, network, lessons),
}));
const report = results.flatMap(({ report: lines }) => lines);
console.log(report.join('\n'));
writeFileSync(
  TARGET,
  `/**
 * Weights of the cover networks, int8 in base64, as \`scripts/train-cover.ts\` writes them (seed ${SEED}, ${EPOCHS} epochs).
${report.map((line) => ` * ${line}`).join('\n')}
 */
export const COVER_WEIGHTS = {
${results.map(({ name, text }) => `  ${name}: '${text}',`).join('\n')}
};
`,
);
