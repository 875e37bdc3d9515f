import { afterEach, describe, expect, test, vi } from 'vitest';
import { commands } from 'vitest/browser';
import { type Analyser, type AnalyserOptions, createAnalyser } from '../../src/analysis/analyser.ts';
import { RUNTIME_FILE } from '../../src/analysis/assets.ts';
import { packedName, sha256In, startDownloads } from '../../src/analysis/download.ts';
import { WORKER_FILE } from '../../src/analysis/host.ts';
import type { Observation } from '../../src/domain/observation.ts';
import { ASSETS, emptyFrame } from './support.ts';

/*
 * What is wrong with the files, with the worker or with the connection, and what the analyser says of it. Wrong folders
 * are served from another origin, where the analysis runs from a blob.
 */

declare const ASSETS_INTEGRITY: string | null;

let analyser: Analyser | undefined;
afterEach(async () => {
  analyser?.close();
  vi.restoreAllMocks();
  await commands.mendFiles();
  await commands.closeFolders();
});

const start = (options: Partial<AnalyserOptions> = {}): Analyser => {
  analyser = createAnalyser({
    assetsBase: ASSETS,
    integrity: null,
    rung: 'worker',
    signal: new AbortController().signal,
    ...options,
  });
  return analyser;
};
const open = (options?: Partial<AnalyserOptions>): Promise<void> => start(options).open(() => undefined);
const look = async (now = 0): Promise<Observation> => {
  if (analyser === undefined) throw new Error('not open');
  return analyser.analyse(
    await createImageBitmap(emptyFrame()),
    'face',
    { x: 0, y: 0, width: 64, height: 64 },
    now,
  );
};
/** Long enough for this machine, short enough for a test; ms. */
const LIMITS = { download: 2500, start: 20_000, firstFrames: 2000, frame: 2000 };

describe('a file that is not of this build', () => {
  /** The manifest is fetched only where the page names its integrity; else the build has it. */
  const named = (file: string): Partial<AnalyserOptions> =>
    file === 'manifest.json' ? { integrity: ASSETS_INTEGRITY } : {};
  const FILES = ['manifest.json', 'worker.js', 'face_detector.tflite', 'vision_wasm_slim.wasm'];
  const seen = {
    message: expect.stringContaining('not the file of this build') as unknown,
    code: 'assets-failed',
  };

  test.each(FILES)('one bit of %s is enough', async (file) => {
    await commands.breakFile(file, 'tampered');
    await expect(open(named(file))).rejects.toMatchObject({
      ...seen,
      message: expect.stringMatching(
        new RegExp(`^${file} could not be loaded: it is not the file of this build`),
      ) as unknown,
    });
  });
  test.each(['manifest.json', 'worker.js'])('no worker runs where %s is tampered with', async (file) => {
    const Worker = vi.spyOn(globalThis, 'Worker');
    await commands.breakFile(file, 'tampered');
    await expect(open(named(file))).rejects.toMatchObject(seen);
    expect(Worker).not.toHaveBeenCalled();
  });
  test('nor is it run on the main thread', async () => {
    await commands.breakFile('worker.js', 'tampered');
    await expect(open({ rung: 'main-thread' })).rejects.toMatchObject(seen);
  });
  test('a tampered runtime is never instantiated', async () => {
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    await commands.breakFile('vision_wasm_slim.wasm', 'tampered');
    await expect(open({ rung: 'main-thread' })).rejects.toMatchObject(seen);
    expect(instantiate).not.toHaveBeenCalled();
  });
  test.each(FILES)('rubbish in place of %s', async (file) => {
    await commands.breakFile(file, 'rubbish');
    await expect(open(named(file))).rejects.toMatchObject({ code: 'assets-failed' });
  });
  test.each(FILES)('a page in place of %s is called one', async (file) => {
    await commands.breakFile(file, 'page');
    await expect(open(named(file))).rejects.toMatchObject({
      code: 'assets-failed',
      message: `${file} could not be loaded: the server sent a page (text/html) in its place. Is assets-base right?`,
    });
  });
  test('the page may pin a manifest of its own, and nothing else will do', async () => {
    const { base, integrity } = await commands.serveFolder({ cors: true, beforeWorker: '/* our own */' });
    await expect(open({ assetsBase: new URL(base) })).rejects.toMatchObject(seen);
    await expect(open({ assetsBase: new URL(base), integrity })).resolves.toBeUndefined();
    await expect(open({ assetsBase: new URL(base), integrity: 'md5-abc' })).rejects.toMatchObject({
      code: 'assets-failed',
    });
  });
  test('an integrity is sha256 and base64', () => {
    expect(sha256In('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    for (const wrong of ['', 'sha256-', 'sha384-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 'sha256-*'])
      expect(sha256In(wrong)).toBeNull();
  });
});

describe('a folder on another origin', () => {
  test.each(['worker', 'main-thread', 'face-box'] as const)('serves the rung %s', async (rung) => {
    const { base, integrity } = await commands.serveFolder({ cors: true });
    await open({ assetsBase: new URL(base), integrity, rung });
    expect(await look()).toMatchObject({ kind: 'face', face: null });
  });
  test('without CORS is told so', async () => {
    const { base, integrity } = await commands.serveFolder({ cors: false });
    await expect(open({ assetsBase: new URL(base), integrity })).rejects.toMatchObject({
      code: 'assets-failed',
      message: expect.stringMatching(
        /^manifest\.json could not be loaded: no answer, or .* \(CORS\)/,
      ) as unknown,
    });
  });
  test('leaves no object URL behind', async () => {
    const made = vi.spyOn(URL, 'createObjectURL');
    const revoked = vi.spyOn(URL, 'revokeObjectURL');
    const { base, integrity } = await commands.serveFolder({ cors: true });
    await open({ assetsBase: new URL(base), integrity });
    analyser?.close();
    expect(made).toHaveBeenCalledTimes(1);
    expect(revoked).toHaveBeenCalledWith(made.mock.results[0]?.value);
  });
});

describe('the connection', () => {
  test('a request that breaks off is made once more', async () => {
    const { base, integrity } = await commands.serveFolder({
      cors: true,
      cutOnce: 'face_detector.tflite.gz',
    });
    const progress: number[] = [];
    await start({ assetsBase: new URL(base), integrity }).open((fraction) => progress.push(fraction));
    expect(await commands.requestsOf('face_detector.tflite.gz')).toBe(1);
    expect(await commands.requestsOf('face_detector.tflite')).toBe(1);
    expect(await commands.requestsOf('vision_wasm_slim.wasm')).toBe(0);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(await look()).toMatchObject({ kind: 'face' });
  });
  test('a file is asked for at once, and read when what is more urgent is there', async () => {
    const content = new TextEncoder().encode('any');
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
    const sha256 = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const fetched = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(content));
    let settle: (value?: unknown) => void = () => undefined;
    const after = new Promise((resolve) => (settle = resolve));
    const arrived: number[] = [];
    const onBytes = (count: number): void => void arrived.push(count);
    const downloads = startDownloads({ base: ASSETS, stallAfter: 5000, onBytes, after });
    const file = downloads.file('any', { bytes: content.length, sha256 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(arrived).toEqual([]);
    settle();
    expect(await file).toEqual(content);
    expect(arrived).toEqual([content.length]);
  });
  test('a file that is not there is asked for once', async () => {
    const { base, integrity } = await commands.serveFolder({ cors: true, missing: ['worker.js'] });
    await expect(open({ assetsBase: new URL(base), integrity })).rejects.toMatchObject({
      code: 'assets-failed',
      message: 'worker.js could not be loaded: status 404. Is assets-base right?',
    });
    expect(await commands.requestsOf('worker.js')).toBe(1);
  });
  test('a server without the compressed files gives the plain ones', async () => {
    const { base, integrity } = await commands.serveFolder({
      cors: true,
      missing: ['vision_wasm_slim.wasm.gz'],
    });
    await open({ assetsBase: new URL(base), integrity });
    expect(await commands.requestsOf('vision_wasm_slim.wasm')).toBe(1);
    expect(await look()).toMatchObject({ kind: 'face', face: null });
  });
  test('a browser that cannot inflate asks for the plain files', async () => {
    vi.stubGlobal('DecompressionStream', undefined);
    const { base, integrity } = await commands.serveFolder({
      cors: true,
      beforeWorker: 'delete globalThis.DecompressionStream;',
    });
    await open({ assetsBase: new URL(base), integrity });
    expect(await commands.requestsOf('face_detector.tflite.gz')).toBe(0);
    expect(await commands.requestsOf('face_detector.tflite')).toBe(1);
    vi.unstubAllGlobals();
  });
  test('only what the first hint needs is fetched', async () => {
    const { base, integrity } = await commands.serveFolder({ cors: true });
    await open({ assetsBase: new URL(base), integrity });
    for (const file of ['person.tflite', 'face.task', 'vision_wasm_module_internal.wasm'])
      expect(await commands.requestsOf(`${file}.gz`)).toBe(0);
  });
  test.each(['manifest.json', 'worker.js', 'face_detector.tflite.gz', 'vision_wasm_slim.wasm.gz'])(
    'a download of %s that stalls ends',
    async (stalled) => {
      const { base, integrity } = await commands.serveFolder({ cors: true, stalled });
      await expect(open({ assetsBase: new URL(base), integrity, limits: LIMITS })).rejects.toMatchObject({
        code: 'assets-failed',
        message: `${stalled.replace('.gz', '')} could not be loaded: not a byte arrived for 2.5 s. Is assets-base right?`,
      });
    },
  );
});

describe('a worker', () => {
  const opened = async (beforeWorker: string): Promise<void> => {
    const { base, integrity } = await commands.serveFolder({ cors: true, beforeWorker });
    await open({ assetsBase: new URL(base), integrity, limits: LIMITS });
  };
  const onFrame = (number: number, act: string): string =>
    `let frames = 0;
    addEventListener('message', ({ data }) => {
      if (data.path?.[0] === 'analyse' && ++frames === ${number}) { ${act} }
    });\n`;

  test.each<[string, string, RegExp]>([
    ['that hangs', 'for (;;);', /did not start \(worker\): nothing was heard/],
    ['that throws', 'throw new Error("no");', /crashed in its worker/],
    ['that is no script', 'this is none;', /crashed in its worker/],
  ])('%s at the start', async (_, code, message) => {
    const { base, integrity } = await commands.serveFolder({ cors: true, beforeWorker: code });
    const limits = { ...LIMITS, start: 3000 };
    await expect(open({ assetsBase: new URL(base), integrity, limits })).rejects.toMatchObject({
      code: 'analysis-failed',
      message: expect.stringMatching(message) as unknown,
    });
  });
  test('that hangs in the midst of a frame is ended', async () => {
    const terminate = vi.spyOn(Worker.prototype, 'terminate');
    await opened(onFrame(2, 'for (;;);'));
    await look(0);
    const stalled = { code: 'analysis-failed', message: 'A frame was not answered for 2000 ms.' };
    await expect(look(100)).rejects.toMatchObject(stalled);
    expect(terminate).toHaveBeenCalledTimes(1);
    await expect(look(200)).rejects.toMatchObject(stalled);
  });
  test('that crashes in the midst of a frame is ended', async () => {
    await opened(
      onFrame(
        2,
        'setTimeout(() => { throw new Error("out of memory"); }); for (const t = Date.now(); Date.now() - t < 300;);',
      ),
    );
    await look(0);
    const crashed = { code: 'analysis-failed', message: 'The analysis crashed in its worker.' };
    await look(100).catch((error: unknown) => expect(error).toMatchObject(crashed));
    await vi.waitFor(() => expect(look(200)).rejects.toMatchObject(crashed), { timeout: 5000 });
  });
});

describe('what a start needs first', () => {
  const own = [WORKER_FILE, packedName(RUNTIME_FILE.slim), 'face_detector.tflite.gz'];

  test.each([
    { folder: 'of this build', integrity: null, first: own },
    { folder: 'that is named', integrity: ASSETS_INTEGRITY, first: ['manifest.json', WORKER_FILE] },
  ])(
    'is asked for at once, of a folder $folder, and nothing is asked for twice',
    async ({ integrity, first }) => {
      const fetched = vi.spyOn(globalThis, 'fetch');
      const asked = (): readonly string[] =>
        fetched.mock.calls.map(([url]) => new URL(url as string, location.href).href);
      const opening = open({ integrity });
      expect(asked()).toEqual(first.map((file) => new URL(file, ASSETS).href));
      await opening;
      expect(asked()).toHaveLength(new Set(asked()).size);
      expect(asked()).toEqual(expect.arrayContaining(own.map((file) => new URL(file, ASSETS).href)));
    },
  );

  test('is no longer asked for once the analyser is closed', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    const opening = open();
    analyser?.close();
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
    expect(fetched.mock.calls.map(([, options]) => options?.signal?.aborted)).toEqual([true, true, true]);
  });
});
