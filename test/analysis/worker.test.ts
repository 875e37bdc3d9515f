import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Analyser, createAnalyser } from '../../src/analysis/analyser.ts';
import { assess, sharpnessOf } from '../../src/domain/assess.ts';
import { type Box, growBox } from '../../src/domain/geometry.ts';
import { HOLD_FRAMES } from '../../src/domain/guide.ts';
import type { FaceObservation } from '../../src/domain/observation.ts';
import { CaptureError, type GuidanceCode } from '../../src/domain/result.ts';
import { ASSETS, emptyFrame, frameOf, guideRound, media, relit, repainted, sharedPhotos } from './support.ts';

/*
 * The built worker (`public/assets/worker.js`) as the page runs it.
 */

const FRAME: Box = { x: 0, y: 0, width: 640, height: 480 };
const consoleCalls: string[] = [];

let analyser: Analyser;
let now = 0;
const progress: number[] = [];

beforeAll(async () => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...words: unknown[]) => void consoleCalls.push(words.join(' ')),
    );
  }
  analyser = createAnalyser({
    assetsBase: ASSETS,
    integrity: null,
    rung: 'worker',
    signal: new AbortController().signal,
  });
  await analyser.open((fraction) => progress.push(fraction));
  vi.restoreAllMocks();
}, 60_000);
afterAll(() => analyser.close());

async function observeFace(frame: OffscreenCanvas, guide: Box = FRAME): Promise<FaceObservation> {
  // An empty frame lets go of the face of the test before; two frames settle the tracking.
  await analyser.analyse(await createImageBitmap(emptyFrame(64, 64)), 'face', guide, (now += 5000));
  await analyser.analyse(await createImageBitmap(frame), 'face', guide, (now += 500));
  const observation = await analyser.analyse(await createImageBitmap(frame), 'face', guide, (now += 500));
  if (observation.kind !== 'face') throw new Error('not a face observation');
  return observation;
}

async function codesOf(frame: OffscreenCanvas, guide: Box): Promise<readonly GuidanceCode[]> {
  return assess(await observeFace(frame, guide), guide).map(({ code }) => code);
}

async function boxIn(frame: OffscreenCanvas): Promise<Box> {
  const { face } = await observeFace(frame);
  if (face === null) throw new Error('no face in the test picture');
  return face.box;
}

describe('opening', () => {
  test('counts the bytes up to the end and keeps the console quiet', () => {
    expect(progress.length).toBeGreaterThan(1);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    expect(consoleCalls).toEqual([]);
  });
});

describe('one good picture, spoilt in known ways', () => {
  let good: OffscreenCanvas;
  let face: Box;
  beforeAll(async () => {
    good = await frameOf(media('franck_04117.jpg'));
    face = await boxIn(good);
  });
  const middle = (): { x: number; y: number } => ({
    x: face.x + face.width / 2,
    y: face.y + face.height / 2,
  });

  const spoilt: readonly [GuidanceCode, string, () => OffscreenCanvas][] = [
    [
      'blurred',
      'out of focus by 5 % of the eye distance',
      () =>
        repainted(good, (context, source) => {
          // The eye centres are about 0.45 of the landmark box apart.
          context.filter = `blur(${0.05 * 0.45 * face.width}px)`;
          context.drawImage(source, 0, 0);
        }),
    ],
    ['too-dark', 'a sixteenth of the light', () => relit(good, () => 1 / 16)],
    ['too-bright', 'eight times the light', () => relit(good, () => 8)],
    [
      'uneven-light',
      'a tenth of the light on one half',
      () => relit(good, (x) => (x < middle().x ? 0.1 : 1)),
    ],
    [
      'uneven-light',
      'a fifth of the light below a slanting line',
      () => relit(good, (x, y) => (x - middle().x + y - middle().y > 0 ? 0.2 : 1)),
    ],
    [
      'uneven-light',
      'a fifth of the light on the lower half',
      () => relit(good, (_x, y) => (y > middle().y ? 0.2 : 1)),
    ],
    [
      'head-tilted',
      'rolled by 20 degrees',
      () =>
        repainted(good, (context, source) => {
          context.translate(middle().x, middle().y);
          context.rotate((20 * Math.PI) / 180);
          context.drawImage(source, -middle().x, -middle().y);
        }),
    ],
    [
      'face-covered',
      'a white cloth from under the nose down',
      () =>
        repainted(good, (context, source) => {
          context.drawImage(source, 0, 0);
          context.fillStyle = '#dde0e2';
          context.fillRect(face.x, face.y + 0.5 * face.height, face.width, 0.6 * face.height);
        }),
    ],
    [
      'eyes-covered',
      'a black bar over the eyes',
      () =>
        repainted(good, (context, source) => {
          context.drawImage(source, 0, 0);
          context.fillStyle = '#181818';
          context.fillRect(face.x, face.y + 0.17 * face.height, face.width, 0.24 * face.height);
        }),
    ],
    ['multiple-faces', 'a second face half as wide', () => withSecond(0.5)],
    ['no-face', 'nobody', () => emptyFrame(good.width, good.height)],
  ];

  /** The same face once more in the upper left corner, so many times as wide. */
  const withSecond = (share: number): OffscreenCanvas =>
    repainted(good, (context, source) => {
      const { x, y, width, height } = growBox(face, 0.2, 0.3);
      context.drawImage(source, 0, 0);
      context.drawImage(source, x, y, width, height, 0, 0, share * width, share * height);
    });

  test('a second face a third as wide is found within the frames of one hold', async () => {
    const guide = guideRound(face);
    const crowded = withSecond(1 / 3);
    await observeFace(good, guide);
    now += 5000;
    const codes: GuidanceCode[] = [];
    for (let i = 0; i < HOLD_FRAMES; i++) {
      const seen = await analyser.analyse(await createImageBitmap(crowded), 'face', guide, (now += 250));
      codes.push(...assess(seen, guide).map(({ code }) => code));
    }
    expect(codes).toContain('multiple-faces');
  });

  test('is fit for a photo as it is', async () => {
    expect(await codesOf(good, guideRound(face))).toEqual([]);
  });

  test.each(spoilt)('%s: %s', async (code, _, spoil) => {
    expect(await codesOf(spoil(), guideRound(face))).toContain(code);
  });

  const harmless: readonly [string, () => OffscreenCanvas][] = [
    ['0.7 of the light', () => relit(good, () => 0.7)],
    ['light that falls by 1.3 across an eye distance', () => relit(good, (x) => fallingBy(1.3, x))],
    ['a shadow at the edge of the face', () => relit(good, (x) => (x < face.x + 0.1 * face.width ? 0.3 : 1))],
  ];
  test.each(harmless)('nothing is said of %s', async (_, change) => {
    expect(await codesOf(change(), guideRound(face))).toEqual([]);
  });

  /** Less light the further to the right, by this factor over an eye distance, and as much as before in the middle. */
  const fallingBy = (factor: number, x: number): number => factor ** ((middle().x - x) / (0.45 * face.width));

  test('sides tells by how much light falls across an eye distance, whichever way', async () => {
    const sides = async (factor: number): Promise<number> => {
      const picture = relit(good, (x) => 0.6 * fallingBy(factor, x));
      return (await observeFace(picture)).face?.light.sides ?? NaN;
    };
    // The face as it is has a slope of its own, which adds to one and takes from the other.
    const measured = Math.sqrt((await sides(2.2)) * (await sides(1 / 2.2)));
    expect(measured).toBeGreaterThan(1.9);
    expect(measured).toBeLessThan(2.5);
  });

  const misplaced: readonly [GuidanceCode, () => Box][] = [
    ['face-too-far', () => guideRound(face, 0.38)],
    ['face-too-close', () => guideRound(face, 1.1)],
    ['face-off-centre', () => ({ ...guideRound(face), x: guideRound(face).x + 0.4 * face.width })],
  ];
  test.each(misplaced)('%s where the guide lies elsewhere', async (code, guide) => {
    expect(await codesOf(good, guide())).toEqual([code]);
  });

  test('roll is measured clockwise in the frame as it is', async () => {
    const rolled = spoilt.find(([code]) => code === 'head-tilted')?.[2]();
    const before = (await observeFace(good)).face?.roll ?? NaN;
    const after = rolled === undefined ? NaN : ((await observeFace(rolled)).face?.roll ?? NaN);
    expect(after - before).toBeGreaterThan(15);
    expect(after - before).toBeLessThan(25);
  });

  test('the sharpest of several frames is the one that is not blurred', async () => {
    const blurred = spoilt.find(([code]) => code === 'blurred')?.[2]();
    if (blurred === undefined) throw new Error('no blurred copy');
    expect(sharpnessOf(await observeFace(good))).toBeGreaterThan(sharpnessOf(await observeFace(blurred)));
  });

  test('a face that jumps between two frames moves', async () => {
    const guide = guideRound(face);
    await observeFace(good, guide);
    const moved = repainted(good, (context, source) => context.drawImage(source, 0.1 * face.width, 0));
    const seen = await analyser.analyse(await createImageBitmap(moved), 'face', guide, (now += 100));
    expect(assess(seen, guide).map(({ code }) => code)).toContain('moving');
  });
});

/** Photos by the folder they lie in, and what has to be said of each: a sample, the whole set is for the accuracy run. */
const LABELLED: readonly {
  readonly folder: RegExp;
  readonly code: GuidanceCode | null;
  readonly every: number;
}[] = [
  { folder: /^frontal_good\/london_/, code: null, every: 6 },
  { folder: /^hijab_headcover\/faker_female_(39|43|94)/, code: null, every: 1 },
  { folder: /^mask\//, code: 'face-covered', every: 2 },
  { folder: /^sunglasses_hat\/synth/, code: 'eyes-covered', every: 2 },
  { folder: /^group\//, code: 'multiple-faces', every: 1 },
];
const labelled = LABELLED.flatMap(({ folder, code, every }) =>
  [...sharedPhotos]
    .filter(([file]) => folder.test(file))
    .filter((_, i) => i % every === 0)
    .map(([file, url]) => ({ file, url, code })),
);

describe.skipIf(labelled.length === 0)('labelled photos', () => {
  test.each(labelled)('$file: $code', async ({ url, code }) => {
    const frame = await frameOf(url);
    const codes = await codesOf(frame, guideRound(await boxIn(frame)));
    if (code === null) expect(codes).toEqual([]);
    else expect(codes).toContain(code);
  });
});

describe('a card', () => {
  const guide: Box = { x: 40, y: 63, width: 560, height: 353 };
  const card = (paint: (context: OffscreenCanvasRenderingContext2D) => void): OffscreenCanvas =>
    repainted(emptyFrame(640, 480), (context) => {
      context.fillStyle = '#6b5a49';
      context.fillRect(0, 0, 640, 480);
      paint(context);
    });
  let portrait: OffscreenCanvas;
  let specimen: OffscreenCanvas;
  beforeAll(async () => {
    portrait = await frameOf(media('franck_04117.jpg'));
    const { x, y, width, height } = growBox(await boxIn(portrait), 0.4, 0.35);
    specimen = card((context) => {
      drawCard(context);
      context.drawImage(
        portrait,
        x,
        y,
        width,
        height,
        0.76 * 560 + 40,
        0.28 * 353 + 63,
        0.2 * 560,
        0.46 * 353,
      );
    });
  });
  const drawCard = (context: OffscreenCanvasRenderingContext2D): void => {
    context.fillStyle = '#bcd9ea';
    context.fillRect(guide.x + 6, guide.y + 6, guide.width - 12, guide.height - 12);
    context.fillStyle = '#111';
    context.font = '15px sans-serif';
    for (let line = 0; line < 12; line++)
      context.fillText('SPECIMEN - CONTOH KARTU IDENTITAS', 60, 110 + 24 * line);
  };
  const codes = async (frame: OffscreenCanvas): Promise<readonly GuidanceCode[]> => {
    const seen = await analyser.analyse(await createImageBitmap(frame), 'card', guide, (now += 60_000));
    return assess(seen, guide).map(({ code }) => code);
  };

  test('fills the guide, sharp and well lit', async () => {
    expect(await codes(specimen)).toEqual([]);
  });
  test('is missed on an empty table', async () => {
    expect(await codes(card(() => undefined))).toContain('no-card');
  });
  test('is none without a portrait', async () => {
    expect(await codes(card(drawCard))).toEqual(['not-a-card']);
  });
  test('lies upside down', async () => {
    const turned = repainted(specimen, (context, source) => {
      context.translate(640, 2 * (guide.y + guide.height / 2));
      context.rotate(Math.PI);
      context.drawImage(source, 0, 0);
    });
    expect(await codes(turned)).toEqual(['card-upside-down']);
  });
  test('is tilted', async () => {
    const rolled = repainted(specimen, (context, source) => {
      context.fillStyle = '#6b5a49';
      context.fillRect(0, 0, 640, 480);
      context.translate(320, 240);
      context.rotate((18 * Math.PI) / 180);
      context.scale(0.8, 0.8);
      context.drawImage(source, -320, -240);
    });
    expect(await codes(rolled)).toEqual(['card-tilted']);
  });
  test('is blurred', async () => {
    const blurred = repainted(specimen, (context, source) => {
      context.filter = 'blur(4px)';
      context.drawImage(source, 0, 0);
    });
    expect(await codes(blurred)).toEqual(['card-blurred']);
  });
  test('mirrors a lamp', async () => {
    const glaring = repainted(specimen, (context, source) => {
      context.drawImage(source, 0, 0);
      const light = context.createRadialGradient(300, 240, 25, 300, 240, 60);
      light.addColorStop(0, 'rgb(255 255 255)');
      light.addColorStop(1, 'rgb(255 255 255 / 0)');
      context.fillStyle = light;
      context.fillRect(200, 140, 200, 200);
    });
    expect(await codes(glaring)).toEqual(['card-glare']);
  });
});

describe('failure', () => {
  let other: Analyser | undefined;
  afterEach(() => other?.close());
  const start = (assetsBase: URL, signal = new AbortController().signal): Analyser =>
    (other = createAnalyser({ assetsBase, integrity: null, rung: 'worker', signal }));
  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no failure',
      (error: unknown) => error,
    );

  test('a folder without a worker gives assets-failed', async () => {
    const error = await failureOf(start(new URL('/no/such/folder/', location.href)).open(() => undefined));
    expect(error).toBeInstanceOf(CaptureError);
    expect(error).toMatchObject({ code: 'assets-failed' });
  });

  test('a frame that was closed before gives analysis-failed, and the next one is judged', async () => {
    const closed = await createImageBitmap(emptyFrame(8, 8));
    closed.close();
    expect(await failureOf(analyser.analyse(closed, 'face', FRAME, (now += 100)))).toMatchObject({
      code: 'analysis-failed',
    });
    const observation = await analyser.analyse(
      await createImageBitmap(emptyFrame(64, 48)),
      'face',
      FRAME,
      (now += 100),
    );
    expect(observation).toMatchObject({ kind: 'face', face: null, frame: { width: 64, height: 48 } });
  });

  test('a frame before open gives analysis-failed and is closed', async () => {
    const frame = await createImageBitmap(emptyFrame(8, 8));
    expect(await failureOf(start(ASSETS).analyse(frame, 'face', FRAME, 0))).toMatchObject({
      code: 'analysis-failed',
    });
    expect(frame.width).toBe(0);
  });

  test('an abort ends an opening under way with its reason', async () => {
    const controller = new AbortController();
    const opening = failureOf(start(ASSETS, controller.signal).open(() => undefined));
    controller.abort();
    expect(await opening).toMatchObject({ name: 'AbortError' });
  });

  test('close ends calls under way, and may be called again', async () => {
    const closing = start(ASSETS);
    const opening = failureOf(closing.open(() => undefined));
    closing.close();
    closing.close();
    expect(await opening).toMatchObject({ name: 'AbortError' });
  });
});
