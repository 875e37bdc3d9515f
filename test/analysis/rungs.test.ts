import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Analyser, createAnalyser } from '../../src/analysis/analyser.ts';
import { assess } from '../../src/domain/assess.ts';
import { type Box, growBox } from '../../src/domain/geometry.ts';
import type { AnalysisRung } from '../../src/domain/ladder.ts';
import type { FaceObservation } from '../../src/domain/observation.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import { ASSETS, emptyFrame, frameOf, guideRound, media, relit, repainted, sharedPhotos } from './support.ts';

/*
 * The same pictures on every rung.
 */

const FRAME: Box = { x: 0, y: 0, width: 640, height: 480 };
const start = (rung: AnalysisRung): Analyser =>
  createAnalyser({ assetsBase: ASSETS, integrity: null, rung, signal: new AbortController().signal });

let now = 0;
/** What a rung says of a still picture, once it has settled. */
async function faceIn(analyser: Analyser, frame: OffscreenCanvas, guide = FRAME): Promise<FaceObservation> {
  // An empty frame lets go of the face of the picture before.
  await analyser.analyse(await createImageBitmap(emptyFrame()), 'face', guide, (now += 5000));
  await analyser.analyse(await createImageBitmap(frame), 'face', guide, (now += 500));
  const seen = await analyser.analyse(await createImageBitmap(frame), 'face', guide, (now += 500));
  if (seen.kind !== 'face') throw new Error('not a face observation');
  return seen;
}

const pictures = new Map<string, string>([
  ...['audrey.jpg', 'cage.jpg', 'franck_04117.jpg'].map((file): [string, string] => [file, media(file)]),
  ...[...sharedPhotos]
    .filter(([file]) => /^(frontal_good|hijab_headcover|distance)\//.test(file))
    .filter((_, i) => i % 9 === 0),
]);

describe('the rungs', () => {
  const analysers = new Map<AnalysisRung, Analyser>();
  const on = (rung: AnalysisRung): Analyser => {
    const analyser = analysers.get(rung);
    if (analyser === undefined) throw new Error('not open');
    return analyser;
  };
  const consoleCalls: string[] = [];
  beforeAll(async () => {
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, method).mockImplementation(
        (...words: unknown[]) => void consoleCalls.push(words.join(' ')),
      );
    }
    for (const rung of ['worker', 'main-thread', 'face-box'] as const) {
      const analyser = start(rung);
      await analyser.open(() => undefined);
      analysers.set(rung, analyser);
    }
    vi.restoreAllMocks();
  }, 60_000);
  afterAll(() => {
    for (const analyser of analysers.values()) analyser.close();
  });

  test('keep the console quiet, and the page its global names', () => {
    expect(consoleCalls).toEqual([]);
    expect(Object.keys(globalThis).filter((name) => /^Module/.test(name))).toEqual([]);
  });

  describe.each([...pictures])('%s', (_, url) => {
    test('is on the main thread what it is in the worker', async () => {
      const frame = await frameOf(url);
      const [there, here] = [await faceIn(on('worker'), frame), await faceIn(on('main-thread'), frame)];
      expect(here.face?.light.mean).toBeCloseTo(there.face?.light.mean ?? NaN, 0);
      expect(here.face?.yaw).toBeCloseTo(there.face?.yaw ?? NaN, 0);
      expect(here.face?.sharpness).toBeCloseTo(there.face?.sharpness ?? NaN, 0);
      expect(here.face?.cover?.face).toBeCloseTo(there.face?.cover?.face ?? NaN, 1);
      for (const key of ['x', 'y', 'width', 'height'] as const)
        expect(Math.abs((here.face?.box[key] ?? NaN) - (there.face?.box[key] ?? NaN))).toBeLessThan(1);
    });
    test('has its box nearly where the landmarks have it', async () => {
      const frame = await frameOf(url);
      const [whole, boxed] = [await faceIn(on('worker'), frame), await faceIn(on('face-box'), frame)];
      if (whole.face === null || boxed.face === null) throw new Error('no face');
      const [a, b] = [whole.face.box, boxed.face.box];
      expect(Math.abs(a.x + a.width / 2 - b.x - b.width / 2)).toBeLessThan(0.08 * a.width);
      expect(Math.abs(a.y + a.height / 2 - b.y - b.height / 2)).toBeLessThan(0.08 * a.height);
      expect(b.height / a.height).toBeGreaterThan(0.88);
      expect(b.height / a.height).toBeLessThan(1.12);
      expect(Math.abs(boxed.face.roll - whole.face.roll)).toBeLessThan(8);
      expect(Math.abs(boxed.face.light.highlight - whole.face.light.highlight)).toBeLessThan(25);
      console.log(
        `height ${(b.height / a.height).toFixed(3)}, highlight ${whole.face.light.highlight} ${boxed.face.light.highlight}, mean ${whole.face.light.mean.toFixed(0)} ${boxed.face.light.mean.toFixed(0)}, behind ${whole.face.light.behind.toFixed(2)} ${boxed.face.light.behind.toFixed(2)}, sharpness ${whole.face.sharpness?.toFixed(1)} ${boxed.face.sharpness?.toFixed(1)}`,
      );
    });
  });

  describe('by its box alone', () => {
    let good: OffscreenCanvas;
    let face: Box;
    beforeAll(async () => {
      good = await frameOf(media('franck_04117.jpg'));
      const seen = (await faceIn(on('worker'), good)).face;
      if (seen === null) throw new Error('no face in the test picture');
      face = seen.box;
    });
    const codes = async (frame: OffscreenCanvas, guide: Box): Promise<readonly GuidanceCode[]> =>
      assess(await faceIn(on('face-box'), frame, guide), guide).map(({ code }) => code);

    test('a good picture is fit for a photo', async () => {
      expect(await codes(good, guideRound(face))).toEqual([]);
    });
    const misplaced: readonly [GuidanceCode, () => Box][] = [
      ['face-too-far', () => guideRound(face, 0.36)],
      ['face-too-close', () => guideRound(face, 1.15)],
      ['face-off-centre', () => ({ ...guideRound(face), x: guideRound(face).x + 0.4 * face.width })],
    ];
    test.each(misplaced)('%s where the guide lies elsewhere', async (code, guide) => {
      expect(await codes(good, guide())).toEqual([code]);
    });
    test('nobody', async () => {
      expect(await codes(emptyFrame(640, 480), guideRound(face))).toEqual(['no-face']);
    });
    const spoilt: readonly [GuidanceCode, () => OffscreenCanvas][] = [
      ['too-dark', () => relit(good, () => 1 / 12)],
      ['too-bright', () => relit(good, () => 8)],
      [
        'head-tilted',
        () =>
          repainted(good, (context, source) => {
            context.translate(face.x + face.width / 2, face.y + face.height / 2);
            context.rotate((20 * Math.PI) / 180);
            context.drawImage(source, -face.x - face.width / 2, -face.y - face.height / 2);
          }),
      ],
      [
        'blurred',
        () =>
          repainted(good, (context, source) => {
            context.filter = `blur(${0.05 * 0.45 * face.width}px)`;
            context.drawImage(source, 0, 0);
          }),
      ],
      [
        'multiple-faces',
        () =>
          repainted(good, (context, source) => {
            const { x, y, width, height } = growBox(face, 0.2, 0.3);
            context.drawImage(source, 0, 0);
            context.drawImage(source, x, y, width, height, 0, 0, 0.5 * width, 0.5 * height);
          }),
      ],
    ];
    test.each(spoilt)('%s', async (code, spoil) => {
      expect(await codes(spoil(), guideRound(face))).toContain(code);
    });
    test('a face that is far away is still found', async () => {
      const far = repainted(good, (context, source) => {
        context.fillRect(0, 0, source.width, source.height);
        context.drawImage(
          source,
          0.38 * source.width,
          0.3 * source.height,
          0.24 * source.width,
          0.24 * source.height,
        );
      });
      expect(await codes(far, guideRound(face))).toContain('face-too-far');
    });
    test('a face that jumps between two frames moves, and one that trembles does not', async () => {
      const shifted = (by: number): OffscreenCanvas =>
        repainted(good, (context, source) => context.drawImage(source, by * face.width, 0));
      const motionAfter = async (frames: readonly OffscreenCanvas[]): Promise<number> => {
        await faceIn(on('face-box'), good);
        let motion = NaN;
        for (const frame of frames) {
          const seen = await on('face-box').analyse(
            await createImageBitmap(frame),
            'face',
            FRAME,
            (now += 40),
          );
          if (seen.kind === 'face') motion = seen.face?.motion ?? NaN;
        }
        return motion;
      };
      expect(await motionAfter([shifted(0.2), shifted(0.2)])).toBeGreaterThan(0.6);
      expect(await motionAfter([0, 0.01, 0, 0.01, 0, 0.01].map(shifted))).toBeLessThan(0.3);
    });
    test('a card is judged as on the others', async () => {
      const table = repainted(emptyFrame(640, 480), (context) => {
        context.fillStyle = '#6b5a49';
        context.fillRect(0, 0, 640, 480);
        context.fillStyle = '#bcd9ea';
        context.fillRect(46, 69, 548, 341);
        context.fillStyle = '#111';
        context.font = '15px sans-serif';
        for (let line = 0; line < 12; line++)
          context.fillText('SPECIMEN - CONTOH KARTU IDENTITAS', 60, 110 + 24 * line);
      });
      const guide: Box = { x: 40, y: 63, width: 560, height: 353 };
      const seen = await Promise.all(
        (['worker', 'main-thread', 'face-box'] as const).map(async (rung) =>
          on(rung).analyse(await createImageBitmap(table), 'card', guide, now + 60_000),
        ),
      );
      expect(assess(seen[0] ?? { kind: 'face', frame: FRAME, faces: [], face: null }, guide)).toHaveLength(1);
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[2]).toEqual(seen[0]);
    });
  });
});

describe('a browser that cannot', () => {
  afterEach(() => vi.restoreAllMocks());
  /** All files are slow. */
  const refused = async (rung: AnalysisRung): Promise<unknown> => {
    const { fetch } = globalThis;
    const pending: AbortSignal[] = [];
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      const { signal } = init ?? {};
      if (!signal) return fetch(input, init);
      pending.push(signal);
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    });
    const error: unknown = await start(rung)
      .open(() => undefined)
      .catch((reason: unknown) => reason);
    // What was asked for meanwhile is given up.
    expect(pending.length).toBeGreaterThan(0);
    for (const { aborted } of pending) expect(aborted).toBe(true);
    return error;
  };
  const failure = (why: RegExp): unknown =>
    expect.objectContaining({ code: 'analysis-failed', message: expect.stringMatching(why) as unknown });

  test('has no canvas off screen: the worker is refused and nothing goes on loading, the main thread is not', async () => {
    vi.spyOn(OffscreenCanvas.prototype, 'getContext').mockReturnValue(null);
    const Worker = vi.spyOn(globalThis, 'Worker');
    expect(await refused('worker')).toEqual(failure(/worker: no OffscreenCanvas for 2D/));
    vi.mocked(globalThis.fetch).mockRestore();
    for (const rung of ['face-box', 'main-thread'] as const) {
      const here = start(rung);
      await here.open(() => undefined);
      here.close();
    }
    expect(Worker).not.toHaveBeenCalled();
  });
  test('has no canvas at all', async () => {
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
    const here = start('main-thread');
    await expect(here.open(() => undefined)).rejects.toMatchObject({ code: 'analysis-failed' });
  });
  test('has no WebAssembly with SIMD', async () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(await refused('worker')).toEqual(failure(/no WebAssembly with SIMD/));
    vi.mocked(globalThis.fetch).mockRestore();
    expect(await refused('face-box')).toEqual(failure(/worker: .*; main-thread: /));
  });
});

describe('the main thread', () => {
  afterEach(() => vi.restoreAllMocks());
  test('a frame that keeps it busy for longer than the limit ends the rung', async () => {
    const analyser = createAnalyser({
      assetsBase: ASSETS,
      integrity: null,
      rung: 'main-thread',
      signal: new AbortController().signal,
      limits: { download: 15_000, start: 30_000, firstFrames: 20_000, frame: 2000 },
    });
    await analyser.open(() => undefined);
    const look = async (): Promise<unknown> =>
      analyser
        .analyse(await createImageBitmap(emptyFrame(640, 480)), 'card', FRAME, (now += 100))
        .catch((error: unknown) => error);
    // A few first ones may take longer.
    for (let i = 0; i < 6; i++) expect(await look()).toMatchObject({ kind: 'card' });
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own context below
    const read = CanvasRenderingContext2D.prototype.getImageData;
    vi.spyOn(CanvasRenderingContext2D.prototype, 'getImageData').mockImplementation(function (
      this: CanvasRenderingContext2D,
      ...part: Parameters<typeof read>
    ) {
      for (const since = performance.now(); performance.now() - since < 2200;);
      return read.apply(this, part);
    });
    const failed = {
      code: 'analysis-failed',
      message: expect.stringMatching(/kept the page busy/) as unknown,
    };
    expect(await look()).toMatchObject(failed);
    vi.restoreAllMocks();
    expect(await look()).toMatchObject(failed);
    analyser.close();
  });
});
