import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCaptureRecord, driverOf, type CaptureRecord } from '../../src/session/capture-context.ts';

const records: CaptureRecord[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const record of records.splice(0)) record.stop();
});

function begin(): CaptureRecord {
  const record = createCaptureRecord();
  records.push(record);
  return record;
}

const SETTINGS: MediaTrackSettings = {
  deviceId: 'secret-device',
  groupId: 'secret-group',
  width: 1280,
  height: 720,
  frameRate: 30,
  facingMode: 'environment',
};

test('of nothing is empty, and plain data', () => {
  const context = begin().toJSON();
  expect(context).toMatchObject({
    camera: null,
    frames: { count: 0, medianGapMs: null, p90GapMs: null, repeated: 0 },
    photos: [],
    page: { inFrame: window !== window.top, visibilityChanges: 0 },
  });
  expect(JSON.parse(JSON.stringify(context))).toEqual(context);
});

test('names the camera, and holds no id of it', () => {
  const record = begin();
  record.camera({ label: 'OBS Virtual Camera', settings: SETTINGS }, 'browser');
  expect(record.toJSON().camera).toEqual({
    label: 'OBS Virtual Camera',
    settings: { width: 1280, height: 720, frameRate: 30, facingMode: 'environment' },
    virtual: 'OBS',
    source: 'browser',
  });
  expect(JSON.stringify(record)).not.toContain('secret');
  record.camera({ label: '', settings: {} }, 'page');
  expect(record.toJSON().camera).toEqual({
    label: '',
    settings: { width: null, height: null, frameRate: null, facingMode: null },
    virtual: null,
    source: 'page',
  });
});

describe('the frames', () => {
  test('are counted, with the gaps between them', () => {
    const record = begin();
    for (const now of [0, 33, 66, 66, 100, 133, 166, 200, 233, 433, 466]) record.frame(now);
    expect(record.toJSON().frames).toEqual({ count: 11, medianGapMs: 33, p90GapMs: 34, repeated: 1 });
  });

  test('of two cameras have no gap between them', () => {
    const record = begin();
    record.frame(0);
    record.frame(40);
    record.camera({ label: 'Front Camera', settings: {} }, 'browser');
    record.frame(90_000);
    record.frame(90_040);
    expect(record.toJSON().frames).toEqual({ count: 4, medianGapMs: 40, p90GapMs: 40, repeated: 0 });
  });

  test('of a long journey are judged by the newest', () => {
    const record = begin();
    for (let now = 0; now < 1000; now++) record.frame(now);
    for (let now = 2000; now <= 2000 + 600 * 50; now += 50) record.frame(now);
    expect(record.toJSON().frames).toMatchObject({ count: 1601, medianGapMs: 50, p90GapMs: 50 });
  });
});

test('of a photo that was taken again only the last is told, and where it stands now', () => {
  const record = begin();
  record.photo('selfie', 'worker');
  record.photo('ktp', 'manual');
  record.photo('selfie', 'upload');
  expect(record.toJSON().photos).toEqual([
    { step: 'ktp', rung: 'manual', source: 'camera' },
    { step: 'selfie', rung: 'upload', source: 'file' },
  ]);
});

test('counts how often the page was hidden or shown, until it is stopped', () => {
  const record = begin();
  document.dispatchEvent(new Event('visibilitychange'));
  document.dispatchEvent(new Event('visibilitychange'));
  record.stop();
  document.dispatchEvent(new Event('visibilitychange'));
  expect(record.toJSON().page.visibilityChanges).toBe(2);
});

describe('a method of the browser’s', () => {
  const original = Object.getOwnPropertyDescriptor(MediaDevices.prototype, 'getUserMedia');

  afterEach(() => {
    Reflect.deleteProperty(navigator, 'mediaDevices');
    Reflect.deleteProperty(navigator.mediaDevices, 'getUserMedia');
    if (original) Object.defineProperty(MediaDevices.prototype, 'getUserMedia', original);
  });

  const native = (): unknown => begin().toJSON().native;
  const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);

  test('is known as its own', () => {
    expect(native()).toEqual({ getUserMedia: true, enumerateDevices: true });
  });

  test.each<[what: string, replacement: unknown]>([
    ['a function', () => own()],
    ['a bound one', own],
    ['a proxy', new Proxy(own, {})],
    [
      'one that says it is native',
      Object.assign(() => own(), { toString: () => 'function getUserMedia() { [native code] }' }),
    ],
    ['another of the browser’s own', navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices)],
  ])('that is %s on the object, or on the prototype, is known as foreign', (_what, replacement) => {
    Object.defineProperty(navigator.mediaDevices, 'getUserMedia', { value: replacement, configurable: true });
    expect(native()).toEqual({ getUserMedia: false, enumerateDevices: true });
    Reflect.deleteProperty(navigator.mediaDevices, 'getUserMedia');
    Object.defineProperty(MediaDevices.prototype, 'getUserMedia', { value: replacement, configurable: true });
    expect(native()).toEqual({ getUserMedia: false, enumerateDevices: true });
  });

  test('that is missing is neither', () => {
    Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true });
    expect(native()).toEqual({ getUserMedia: null, enumerateDevices: null });
  });
});

test('tells that a program drives the browser, as the browser says', () => {
  // Playwright drives these tests.
  vi.spyOn(navigator, 'webdriver', 'get').mockReturnValue(true);
  expect(begin().toJSON().automation).toMatchObject({ webdriver: true });
  vi.spyOn(navigator, 'webdriver', 'get').mockReturnValue(false);
  vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue(
    'Mozilla/5.0 HeadlessChrome/141.0.0.0 Safari/537.36',
  );
  expect(begin().toJSON().automation).toMatchObject({ webdriver: false, headless: true });
});

test.each<[globals: readonly string[], driver: string | null]>([
  [['document', '$cdc_asdjflasutopfhvcZLmcfl_'], 'selenium'],
  [['cdc_adoQpoasnfa76pfcZLmcfl_Array'], 'selenium'],
  [['__webdriver_evaluate'], 'selenium'],
  [['__playwright__binding__', '__pwInitScripts'], 'playwright'],
  [['__puppeteer_evaluation_script__'], 'puppeteer'],
  [['callPhantom'], 'phantomjs'],
  [['__nightmare'], 'nightmare'],
  [['Cypress'], 'cypress'],
  [['document', 'navigator', 'cdc', 'pw', 'playwright', 'driver'], null],
])('%j are the marks of %s', (globals, driver) => {
  expect(driverOf(globals)).toBe(driver);
});
