import { ImageSegmenter } from '@mediapipe/tasks-vision';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { commands } from 'vitest/browser';
import { framesOf } from '../../scripts/clip-frames.ts';
import { type Analyser, createAnalyser, observe, sightOf, trapsSoFar } from '../../src/analysis/analyser.ts';
import type { RuntimeName } from '../../src/analysis/assets.ts';
import { createAnalysis, type OpenNews, type OpenRequest, type Reply } from '../../src/analysis/worker.ts';
import { fitLongSide } from '../../src/domain/geometry.ts';
import type { Observation } from '../../src/domain/observation.ts';
import type { Subject } from '../../src/domain/steps.ts';
import { assetsFolder, emptyFrame, frameOf, loadBytes, media, sharedClips, sharedPhotos } from './support.ts';

/*
 * The runtime with the functions alone that the analysis calls: against the full one, also with the kernels that phones
 * take (half of the hottest functions are others), and where it lacks something.
 */

const LONG_SIDE = 640;
/** Frames of a photo: the second is tracked. */
const LOOKS = 2;
/** Every so many photos are looked at as a card as well, which takes ten times as long as a face. */
const CARD_EVERY = 25;
/** Which frames of a clip; the step in s. */
const CLIP = { most: 12, step: 0.2 };
/** The person's mask starts with the first face. */
const STARTS_WITHIN = 20_000;

/**
 * Functions of the runtime that the landmark model needs, found by trying: without them everything starts, and the first
 * face breaks off.
 */
const LANDMARKS = [3264, 3267] as const;
const FULL = 'vision_wasm_module_internal.wasm';
const ALL = [0, 100_000] as const;

/** The detector alone is on both rungs, and half of the kernels are the same on either machine: a part is enough. */
const everyEighth = (photos: readonly string[]): readonly string[] => photos.filter((_, i) => i % 8 === 0);

const alwaysThere = ['audrey.jpg', 'cage.jpg', 'SeanConnery.jpg', 'franck_02221.jpg'].map(media);

/** What a host is asked to start, out of the folder of this build or another. */
async function requestFor(
  rung: 'main-thread' | 'face-box',
  runtime: RuntimeName,
  served?: Parameters<typeof assetsFolder>[0],
): Promise<OpenRequest> {
  const folder = await assetsFolder(served);
  const { base, manifest, stallAfter } = folder;
  const assets = await loadBytes(runtime, folder);
  return { assetsBase: base.href, manifest, stallAfter, rung, faces: true, runtime, assets };
}

/** Everything that a runtime makes of photos and clips, and what was told meanwhile. */
async function observeAll(
  runtime: RuntimeName,
  rung: 'main-thread' | 'face-box',
  photos: readonly OffscreenCanvas[],
  moving: readonly ImageBitmap[],
  served?: Parameters<typeof assetsFolder>[0],
): Promise<{ readonly observations: readonly Observation[]; readonly news: readonly OpenNews[] }> {
  const analysis = createAnalysis();
  const news: OpenNews[] = [];
  const valueOf = <T>(reply: Reply<T>): T => {
    if (!reply.ok) throw new Error(reply.message);
    return reply.value;
  };
  valueOf(await analysis.open(await requestFor(rung, runtime, served), (one) => news.push(one)));
  let now = 1000;
  const look = async (picture: ImageBitmapSource, subject: Subject): Promise<Observation> => {
    const frame = await createImageBitmap(picture);
    const { width, height } = frame;
    const guide = { x: width / 4, y: height / 8, width: width / 2, height: height * 0.75 };
    return valueOf(await analysis.analyse(frame, subject, guide, (now += 400), 'study'));
  };
  try {
    const segment = vi.spyOn(ImageSegmenter.prototype, 'segmentForVideo');
    const first = await frameOf(media('audrey.jpg'));
    const until = performance.now() + STARTS_WITHIN;
    while (rung !== 'face-box' && segment.mock.calls.length === 0) {
      if (performance.now() > until) throw new Error('no mask');
      await look(first, 'face');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    segment.mockRestore();
    // The same state for either runtime, however long the mask took.
    await look(emptyFrame(), 'face');
    now = 1_000_000;
    const observations: Observation[] = [];
    for (const [at, frame] of photos.entries()) {
      for (let i = 0; i < LOOKS; i++) observations.push(await look(frame, 'face'));
      if (at % CARD_EVERY === 0) observations.push(await look(frame, 'card'));
    }
    for (const frame of moving) observations.push(await look(frame, 'face'));
    return { observations, news };
  } finally {
    analysis.close();
  }
}

describe('the slim runtime', () => {
  afterEach(() => commands.closeFolders());

  test.each([
    { rung: 'main-thread', otherMachine: false, photos: [...sharedPhotos.values()] },
    { rung: 'face-box', otherMachine: false, photos: everyEighth([...sharedPhotos.values()]) },
    { rung: 'main-thread', otherMachine: true, photos: everyEighth([...sharedPhotos.values()]) },
  ] as const)(
    'sees in photos and clips what the full one sees, without a trap ($rung, as on the other kind of machine: $otherMachine)',
    async ({ rung, otherMachine, photos }) => {
      const served = otherMachine ? await commands.serveFolder({ cors: true, otherMachine }) : undefined;
      // Taken once, because a player does not stop at the same frame twice.
      const moving = (await Promise.all(sharedClips.map((clip) => framesOf(clip, CLIP)))).flat();
      if (sharedClips.length > 0) expect(moving.length).toBeGreaterThan(2 * sharedClips.length);
      const still: OffscreenCanvas[] = [];
      for (const photo of [...alwaysThere, ...photos]) still.push(await frameOf(photo));
      const slim = await observeAll('slim', rung, still, moving, served);
      const full = await observeAll('full', rung, still, moving, served);
      expect(slim.news).not.toContain('trap');
      const faces = slim.observations.filter((one) => one.kind === 'face' && one.face !== null);
      console.log(`${rung}: ${slim.observations.length} observations, ${faces.length} of them with a face`);
      expect(faces.length).toBeGreaterThanOrEqual(2 * alwaysThere.length);
      expect(slim.observations).toEqual(full.observations);
    },
    240_000,
  );
});

describe('where it lacks something', () => {
  let analyser: Analyser | undefined;
  afterEach(async () => {
    analyser?.close();
    await commands.closeFolders();
  });
  const start = (base: string, integrity: string): Analyser => {
    const { signal } = new AbortController();
    return (analyser = createAnalyser({ assetsBase: new URL(base), integrity, rung: 'worker', signal }));
  };
  const look = async (now: number): Promise<Observation> => {
    if (analyser === undefined) throw new Error('not open');
    const picture = await createImageBitmap(await frameOf(media('audrey.jpg')));
    return (await observe(analyser, 'selfie', await sightOf(picture), now)).observation;
  };

  test('at a frame, the full one delivers that frame, and is begun with the next time', async () => {
    const { base, integrity } = await commands.serveFolder({ cors: true, slimLacks: LANDMARKS });
    await start(base, integrity).open(() => undefined);
    expect(trapsSoFar()).toBe(0);
    const seen = await look(1000);
    expect(trapsSoFar()).toBe(1);
    expect(seen).toMatchObject({ kind: 'face', face: { box: expect.anything() as unknown } });
    expect(await commands.requestsOf('vision_wasm_module_internal.wasm.gz')).toBe(1);
    expect(await look(1100)).toMatchObject({ kind: 'face', face: expect.anything() as unknown });
    analyser?.close();
    await start(base, integrity).open(() => undefined);
    expect(await look(2000)).toMatchObject({ kind: 'face', face: expect.anything() as unknown });
    expect(await commands.requestsOf('vision_wasm_slim.wasm')).toBe(1);
    expect(trapsSoFar()).toBe(1);
  });

  test('at the start, the full one starts', async () => {
    const served = await commands.serveFolder({ cors: true, slimLacks: ALL });
    const request = await requestFor('main-thread', 'slim', served);
    const analysis = createAnalysis();
    const news: OpenNews[] = [];
    expect(await analysis.open(request, (one) => news.push(one))).toEqual({ ok: true, value: null });
    expect(news.filter((one) => one === 'trap')).toHaveLength(1);
    const frame = await createImageBitmap(await frameOf(media('audrey.jpg')));
    const guide = { x: 0, y: 0, ...fitLongSide(frame, LONG_SIDE) };
    expect(await analysis.analyse(frame, 'face', guide, 1000, 'study')).toMatchObject({
      ok: true,
      value: { face: expect.anything() as unknown },
    });
    analysis.close();
  });

  test('and the full one cannot be had, the files are told to be missing', async () => {
    const missing = [FULL, `${FULL}.gz`];
    const served = await commands.serveFolder({ cors: true, slimLacks: ALL, missing });
    const request = await requestFor('main-thread', 'slim', served);
    const analysis = createAnalysis();
    expect(await analysis.open(request, () => undefined)).toMatchObject({ ok: false, code: 'assets-failed' });
    analysis.close();
  });
});
