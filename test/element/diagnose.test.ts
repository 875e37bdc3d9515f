import { afterEach, describe, expect, test, vi } from 'vitest';
import { CaptureError } from '../../src/domain/result.ts';
import { diagnose, type DiagnoseOptions, type Diagnosis } from '../../src/session/diagnose.ts';
import { mount } from './support.ts';

const ASSETS = new URL('/assets/', location.href);
const send = window.fetch.bind(window);

afterEach(() => {
  vi.restoreAllMocks();
});

const run = (options: Partial<DiagnoseOptions> = {}): Promise<Diagnosis> =>
  diagnose({
    assetsBase: ASSETS,
    integrity: null,
    rung: 'worker',
    traps: () => 0,
    startAnalysis: null,
    mayStore: true,
    signal: new AbortController().signal,
    ...options,
  });

const fileOf = ({ assets }: Diagnosis, name: string): Diagnosis['assets'][number] | undefined =>
  assets.find(({ file }) => file === name);

/** The server answers for these files in its own way, for all others as ever. */
function answerFor(answers: Readonly<Record<string, () => Promise<Response>>>): void {
  vi.spyOn(window, 'fetch').mockImplementation((input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    return answers[url.pathname.split('/').at(-1) ?? '']?.() ?? send(input, init);
  });
}

async function integrityOf(file: string): Promise<string> {
  const bytes = await (await send(new URL(file, ASSETS))).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return `sha256-${btoa(String.fromCharCode(...hash))}`;
}

test('of a browser and a folder that are well finds nothing wrong', async () => {
  const diagnosis = await run({ integrity: await integrityOf('manifest.json') });
  expect(diagnosis).toMatchObject({
    rung: 'worker',
    secureContext: true,
    inFrame: true,
    surroundings: { inApp: null },
    permissionPolicy: 'allowed',
    mediaDevices: true,
    webgl: { page: true, worker: true },
    wasm: true,
    simd: true,
    workers: true,
    traps: 0,
    analysis: null,
    storage: true,
    crypto: true,
    online: true,
    csp: [],
  });
  expect(['granted', 'prompt', 'denied']).toContain(diagnosis.permission);
  expect(diagnosis.webgl.renderer).toMatch(/\w/);
  expect(diagnosis.assets.map(({ file }) => file)).toEqual(
    expect.arrayContaining([
      'manifest.json',
      'worker.js',
      'face.task.gz',
      'face_detector.tflite.gz',
      'person.tflite.gz',
      'vision_wasm_slim.wasm.gz',
      'vision_wasm_module_internal.wasm.gz',
    ]),
  );
  expect(diagnosis.assets.map(({ trouble }) => trouble)).toEqual(diagnosis.assets.map(() => null));
  expect(diagnosis.assets.map(({ status }) => status)).toEqual(diagnosis.assets.map(() => 200));
  expect(fileOf(diagnosis, 'manifest.json')?.hash).toBe('right');
  expect(fileOf(diagnosis, 'face.task.gz')).toMatchObject({ hash: 'right', bytes: 1_270_720 });
  expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  const databases = await indexedDB.databases();
  expect(databases.map(({ name }) => name)).not.toContain('kyc-capture-diagnosis');
});

test('never asks for a camera, and tells those there are without their ids and labels', async () => {
  const ask = vi.spyOn(navigator.mediaDevices, 'getUserMedia');
  vi.spyOn(navigator.mediaDevices, 'enumerateDevices').mockResolvedValue([
    Object.assign(Object.create(null) as MediaDeviceInfo, {
      kind: 'videoinput',
      deviceId: 'secret',
      label: 'camera2 0, facing back',
      getCapabilities: () => ({ width: { max: 4000 }, height: { max: 3000 }, facingMode: ['environment'] }),
    }),
    ...['Budi’s iPhone Camera', 'OBS Virtual Camera', 'Kamera Ultra Lebar Belakang Budi', ''].map((label) =>
      Object.assign(Object.create(null) as MediaDeviceInfo, { kind: 'videoinput', deviceId: '', label }),
    ),
    Object.assign(Object.create(null) as MediaDeviceInfo, { kind: 'audioinput', deviceId: '', label: '' }),
  ]);
  const diagnosis = await run();
  expect(ask).not.toHaveBeenCalled();
  expect(diagnosis.cameras).toEqual([
    { facing: 'environment', megapixels: 12, lens: 'main', virtual: null },
    { facing: null, megapixels: null, lens: 'main', virtual: null },
    { facing: null, megapixels: null, lens: 'virtual', virtual: 'OBS' },
    { facing: 'environment', megapixels: null, lens: 'special', virtual: null },
    { facing: null, megapixels: null, lens: null, virtual: null },
  ]);
  expect(JSON.stringify(diagnosis)).not.toMatch(/secret|Budi/);
});

test.each<[attributes: Record<string, string>, storage: boolean | null]>([
  [{}, true],
  [{ persist: '5' }, true],
  [{ persist: 'none' }, null],
  [{ kiosk: 'kiosk' }, null],
  [{ kiosk: 'kiosk', persist: '5' }, true],
  [{ persist: 'forever' }, null],
])('with %j tries the storage as far as the page lets anything be kept: %s', async (attributes, storage) => {
  answerFor({ 'manifest.json': () => Promise.reject(new TypeError('Failed to fetch')) });
  const element = await mount(attributes);
  const open = vi.spyOn(indexedDB, 'open');
  expect((await element.diagnose()).storage).toBe(storage);
  const names = open.mock.calls.map(([name]) => name);
  expect(names.includes('kyc-capture-diagnosis')).toBe(storage !== null);
});

describe('a file', () => {
  test.each<[what: string, file: string, answer: () => Promise<Response>, found: object]>([
    [
      'that was changed',
      'person.tflite.gz',
      () => Promise.resolve(new Response('changed')),
      { status: 200, bytes: 7, hash: 'wrong', trouble: 'another hash than the one that was built' },
    ],
    [
      'that is missing',
      'face.task.gz',
      () => Promise.resolve(new Response('', { status: 404 })),
      { status: 404, trouble: 'status 404' },
    ],
    [
      'in whose place the site’s page comes',
      'vision_wasm_slim.wasm.gz',
      () =>
        Promise.resolve(new Response('<h1>', { headers: { 'content-type': 'text/html; charset=utf-8' } })),
      { type: 'text/html; charset=utf-8', trouble: 'text/html instead of WebAssembly' },
    ],
    [
      'that is a page instead of the worker',
      'worker.js',
      () => Promise.resolve(new Response('<h1>', { headers: { 'content-type': 'text/html' } })),
      { trouble: 'text/html instead of a module' },
    ],
    [
      'that no browser would run, for its type',
      'worker.js',
      () => Promise.resolve(new Response('', { headers: { 'content-type': 'application/octet-stream' } })),
      { trouble: 'application/octet-stream instead of a module' },
    ],
    [
      'that does not come',
      'face_detector.tflite.gz',
      () => Promise.reject(new TypeError('Failed to fetch')),
      {
        status: null,
        bytes: 0,
        hash: 'unknown',
        trouble: 'no answer: offline, stopped by a policy, or another origin without CORS',
      },
    ],
    [
      'that breaks off',
      'face_detector.tflite.gz',
      () =>
        Promise.resolve(
          new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError('broken')) })),
        ),
      { status: 200, hash: 'unknown', trouble: 'the answer broke off' },
    ],
    [
      'that should list the others, and is a page',
      'manifest.json',
      () => Promise.resolve(new Response('<h1>', { headers: { 'content-type': 'text/html' } })),
      { trouble: 'text/html instead of JSON' },
    ],
    [
      'that should list the others, and lists none',
      'manifest.json',
      () => Promise.resolve(new Response('broken')),
      { trouble: 'it is not JSON' },
    ],
  ])('%s (%s) is told', async (_what, file, answer, found) => {
    answerFor({ [file]: answer });
    const diagnosis = await run();
    expect(fileOf(diagnosis, file)).toMatchObject(found);
    const others = diagnosis.assets.filter((one) => one.file !== file);
    expect(others.length).toBeGreaterThan(0);
    expect(others.map(({ trouble }) => trouble)).toEqual(others.map(() => null));
  });

  test('that lists the others, but not those of this build, is told', async () => {
    const diagnosis = await run({ integrity: await integrityOf('face.task') });
    expect(fileOf(diagnosis, 'manifest.json')).toMatchObject({ hash: 'wrong' });
  });
});

describe('a server that accepts and stays silent', () => {
  const silence = (): Promise<Response> => new Promise(() => undefined);
  afterEach(() => vi.useRealTimers());

  test.each<[what: string, answer: () => Promise<Response>, found: object]>([
    ['from the beginning', silence, { status: null, trouble: 'nothing came for 20 s' }],
    [
      'in the midst',
      () =>
        Promise.resolve(
          new Response(new ReadableStream({ start: (stream) => stream.enqueue(Uint8Array.of(1)) })),
        ),
      { status: 200, bytes: 0, hash: 'unknown', trouble: 'nothing came for 20 s' },
    ],
  ])('%s is given up, and the other files are looked at', async (_, answer, found) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    answerFor({ 'face.task.gz': answer });
    const running = run();
    const ended = vi.fn();
    void running.finally(ended);
    while (ended.mock.calls.length === 0) {
      await vi.advanceTimersByTimeAsync(1000);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    const diagnosis = await running;
    expect(fileOf(diagnosis, 'face.task.gz')).toMatchObject(found);
    expect(fileOf(diagnosis, 'person.tflite.gz')).toMatchObject({ status: 200, trouble: null });
  });

  test('holds nobody who takes the element off the page; moving it is no end', async () => {
    const asked = vi.fn(silence);
    answerFor({ 'manifest.json': asked });
    const element = await mount({});
    const running = element.diagnose();
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    const ended = vi.fn();
    void running.finally(ended);
    document.body.append(element);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).not.toHaveBeenCalled();
    element.remove();
    const { assets, analysis } = await running;
    expect(assets.map(({ file, status, trouble }) => [file, status, trouble])).toEqual([
      ['manifest.json', null, 'the diagnosis was ended'],
      ['worker.js', null, 'the diagnosis was ended'],
    ]);
    expect(analysis?.started).toBe(false);
  });
});

describe('the analysis', () => {
  test('that starts', async () => {
    expect((await run({ startAnalysis: () => Promise.resolve() })).analysis).toMatchObject({
      started: true,
      code: null,
    });
  });

  test('that does not start says why, and a foreign fault only its name', async () => {
    const own = new CaptureError('analysis-failed', 'No WebGL 2.');
    expect((await run({ startAnalysis: () => Promise.reject(own) })).analysis).toMatchObject({
      started: false,
      code: 'analysis-failed',
      message: 'No WebGL 2.',
    });
    const foreign = new RangeError('person@example.test');
    expect((await run({ startAnalysis: () => Promise.reject(foreign) })).analysis).toMatchObject({
      started: false,
      code: null,
      message: 'RangeError',
    });
  });
});

test('of a browser that has next to nothing does not throw', async () => {
  vi.spyOn(navigator.permissions, 'query').mockRejectedValue(new TypeError('camera'));
  vi.spyOn(indexedDB, 'open').mockImplementation(() => {
    throw new DOMException('', 'SecurityError');
  });
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
  vi.stubGlobal('OffscreenCanvas', undefined);
  vi.stubGlobal('ReportingObserver', undefined);
  vi.stubGlobal('Worker', undefined);
  Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true });
  const ended = new AbortController();
  ended.abort();
  const diagnosis = await run({ signal: ended.signal });
  Reflect.deleteProperty(navigator, 'mediaDevices');
  vi.unstubAllGlobals();
  expect(diagnosis).toMatchObject({
    permission: 'unknown',
    mediaDevices: false,
    cameras: [],
    webgl: { page: false, worker: false, renderer: null },
    workers: false,
    storage: false,
  });
  expect(diagnosis.assets.map(({ status }) => status)).toEqual(diagnosis.assets.map(() => null));
});

// The last, because a policy cannot be taken back.
test('under a policy that forbids WebAssembly and foreign pictures says so, by origin only', async () => {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'content-security-policy';
  policy.content = "script-src * 'unsafe-inline' blob: data:; img-src 'self'";
  document.head.append(policy);
  const stopped = new Promise((resolve) =>
    document.addEventListener('securitypolicyviolation', resolve, { once: true }),
  );
  new Image().src = 'https://pictures.example.test/people/person.png?name=person';
  // So that it lies before the diagnosis.
  await stopped;
  const diagnosis = await run();
  expect(diagnosis.wasm).toBe(false);
  expect(diagnosis.csp).toContainEqual(
    expect.objectContaining({ directive: 'img-src', blocked: 'https://pictures.example.test' }),
  );
  expect(diagnosis.csp).toContainEqual(
    expect.objectContaining({ directive: 'script-src', blocked: 'wasm-eval' }),
  );
  expect(JSON.stringify(diagnosis)).not.toContain('person.png');
});
