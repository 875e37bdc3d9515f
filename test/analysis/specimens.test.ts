import { afterAll, beforeAll, expect, test } from 'vitest';
import { svgUrl } from '../../demo/specimen.ts';
import { SPECIMENS } from '../../demo/specimens.ts';
import { type Analyser, createAnalyser, observe, sightOf } from '../../src/analysis/analyser.ts';
import { assess } from '../../src/domain/assess.ts';
import { guideInPicture } from '../../src/domain/geometry.ts';
import type { Observation } from '../../src/domain/observation.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import { ASSETS } from './support.ts';

/*
 * The drawn specimen of each card, as the built worker sees it in each step.
 */

type CardStep = keyof typeof SPECIMENS;

/** Of a phone that is held upright, and of a webcam. */
const CAMERAS = [
  { width: 1080, height: 1920 },
  { width: 1280, height: 720 },
];

let analyser: Analyser;
let now = 0;

beforeAll(async () => {
  analyser = createAnalyser({
    assetsBase: ASSETS,
    integrity: null,
    rung: 'worker',
    signal: new AbortController().signal,
  });
  await analyser.open(() => undefined);
}, 60_000);
afterAll(() => analyser.close());

/** The card lies in the guide on a table, at 0.94 of its size, turned clockwise by so many degrees. */
async function photographed(
  card: CardStep,
  camera: (typeof CAMERAS)[number],
  turned: number,
): Promise<ImageBitmap> {
  const image = new Image();
  image.src = svgUrl(SPECIMENS[card]);
  await image.decode();
  const canvas = new OffscreenCanvas(camera.width, camera.height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no 2D canvas');
  context.fillStyle = '#6f5a45';
  context.fillRect(0, 0, camera.width, camera.height);
  const { width, height } = guideInPicture(card, camera);
  context.translate(camera.width / 2, camera.height / 2);
  context.rotate((turned * Math.PI) / 180);
  context.scale(0.94, 0.94);
  context.drawImage(image, -width / 2, -height / 2, width, height);
  return createImageBitmap(canvas);
}

const seen = async (
  card: CardStep,
  step: CardStep,
  turned: number,
): Promise<readonly { observation: Observation; codes: readonly GuidanceCode[] }[]> => {
  const all = [];
  for (const camera of CAMERAS) {
    const frame = await photographed(card, camera, turned);
    const { observation, guide } = await observe(analyser, step, await sightOf(frame), (now += 60_000));
    all.push({ observation, codes: assess(observation, guide).map(({ code }) => code) });
  }
  return all;
};

const TABLE: readonly [card: CardStep, step: CardStep, turned: number, codes: readonly GuidanceCode[]][] = [
  ['ktp', 'ktp', 0, []],
  ['sim', 'sim', 0, []],
  ['npwp', 'npwp', 0, []],
  ['ktp', 'ktp', 180, ['card-upside-down']],
  ['sim', 'sim', 180, ['card-upside-down']],
  // Nothing on a card without a portrait tells which way up it lies.
  ['npwp', 'npwp', 180, []],
  ['npwp', 'ktp', 0, ['not-a-card']],
  ['npwp', 'sim', 0, ['not-a-card']],
];

test.each(TABLE)('the %s in the step %s, turned by %i degrees: %j', async (card, step, turned, codes) => {
  for (const { codes: told } of await seen(card, step, turned)) expect(told).toEqual(codes);
});

test('a card that bears no portrait is not looked at for one, though it lies there', async () => {
  for (const { observation } of await seen('sim', 'sim', 0)) {
    expect(observation).toMatchObject({ kind: 'card', portrait: { turned: 0 } });
  }
  for (const { observation } of await seen('sim', 'npwp', 0)) {
    expect(observation).toMatchObject({ kind: 'card', portrait: null });
  }
});
