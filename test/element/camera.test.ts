import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ErrorCode } from '../../src/domain/result.ts';
import { openCamera, type Camera, type CameraOptions } from '../../src/session/camera.ts';
import { painted, stripes, until } from './support.ts';

const cameras: Camera[] = [];

afterEach(() => {
  for (const camera of cameras.splice(0)) camera.stop();
  vi.restoreAllMocks();
});

async function open(options: Partial<CameraOptions> = {}): Promise<Camera> {
  const camera = await openCamera({
    step: 'ktp',
    facing: 'environment',
    source: null,
    signal: new AbortController().signal,
    memory: null,
    onTrouble: () => undefined,
    onLost: () => undefined,
    ...options,
  });
  cameras.push(camera);
  return camera;
}

interface FakeCamera {
  readonly deviceId: string;
  readonly label: string;
  readonly facing?: 'user' | 'environment';
}

/**
 * A device with these cameras. Asked for a facing, it opens the first that looks so, else the first of all.
 * @param refused camera by id -> the name of the fault it answers with
 */
function install(
  list: readonly FakeCamera[],
  refused: Readonly<Record<string, string>> = {},
): { readonly asked: string[]; readonly opened: string[]; readonly tracks: MediaStreamTrack[] } {
  const asked: string[] = [];
  const opened: string[] = [];
  const tracks: MediaStreamTrack[] = [];
  const find = (wish: MediaTrackConstraints): FakeCamera => {
    const id = (wish.deviceId as ConstrainDOMStringParameters | undefined)?.exact;
    const facing = (wish.facingMode as ConstrainDOMStringParameters | undefined)?.ideal;
    const camera =
      id === undefined
        ? (list.find((one) => one.facing === facing) ?? list[0])
        : list.find(({ deviceId }) => deviceId === id);
    // Not every browser's OverconstrainedError is a DOMException.
    asked.push(String(id ?? facing));
    if (!camera) throw Object.assign(new Error('not here'), { name: 'OverconstrainedError' });
    const fault = refused[camera.deviceId];
    if (fault !== undefined) throw new DOMException('', fault);
    return camera;
  };
  vi.spyOn(navigator.mediaDevices, 'getUserMedia').mockImplementation((constraints) => {
    // Most phones open one camera at a time.
    if (tracks.some(({ readyState }) => readyState === 'live'))
      return Promise.reject(new DOMException('', 'NotReadableError'));
    try {
      const { deviceId, label, facing } = find(constraints?.video as MediaTrackConstraints);
      opened.push(deviceId);
      const stream = stripes(640, 480);
      const [track] = stream.getVideoTracks();
      if (!track) throw new Error('no track');
      tracks.push(track);
      const settings = { ...track.getSettings(), deviceId, ...(facing ? { facingMode: facing } : {}) };
      Object.defineProperty(track, 'label', { value: label });
      Object.assign(track, { getSettings: () => settings });
      return Promise.resolve(stream);
    } catch (fault) {
      // The browser's own faults are what is under test.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      return Promise.reject(fault);
    }
  });
  vi.spyOn(navigator.mediaDevices, 'enumerateDevices').mockImplementation(() =>
    Promise.resolve(
      list.map(({ deviceId, label }): MediaDeviceInfo => {
        const device = { deviceId, label, groupId: '', kind: 'videoinput' as const };
        return { ...device, toJSON: () => device };
      }),
    ),
  );
  return { asked, opened, tracks };
}

/** A storage of its own, so that nothing is left behind. */
function memoryOf(kept: Record<string, string> = {}): Storage {
  const map = new Map(Object.entries(kept));
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
    clear: () => map.clear(),
    key: () => null,
    get length() {
      return map.size;
    },
  };
}

const KEY = 'kyc-capture:camera:environment';
const WIDE: FakeCamera = { deviceId: 'wide', label: 'Back Ultra Wide Camera', facing: 'environment' };
const MAIN: FakeCamera = { deviceId: 'main', label: 'Back Camera', facing: 'environment' };
const FRONT: FakeCamera = { deviceId: 'front', label: 'Front Camera', facing: 'user' };

describe('the lens', () => {
  test('that is too wide gives way to the plain one, and the first is closed before', async () => {
    const { opened, tracks } = install([FRONT, WIDE, MAIN]);
    const camera = await open();
    expect(opened).toEqual(['wide', 'main']);
    expect(camera).toMatchObject({ label: 'Back Camera', deviceId: 'main' });
    expect(camera.others).toEqual([{ deviceId: 'wide' }]);
    expect(tracks.map(({ readyState }) => readyState)).toEqual(['ended', 'live']);
  });

  test('that is plain is opened once', async () => {
    const { opened } = install([MAIN, WIDE, FRONT]);
    await open();
    expect(opened).toEqual(['main']);
  });

  test('stays where the better one will not open', async () => {
    const { opened } = install([WIDE, MAIN], { main: 'NotReadableError' });
    const camera = await open();
    expect(opened).toEqual(['wide', 'wide']);
    expect(camera.deviceId).toBe('wide');
  });

  test('stays where the browser lists no cameras', async () => {
    const { opened } = install([WIDE, MAIN]);
    vi.spyOn(navigator.mediaDevices, 'enumerateDevices').mockRejectedValue(
      new DOMException('', 'NotAllowedError'),
    );
    const camera = await open();
    expect(opened).toEqual(['wide']);
    expect(camera.others).toEqual([]);
  });

  test('of a stream of the page’s own is never second-guessed', async () => {
    const { opened } = install([WIDE, MAIN]);
    const stream = stripes(640, 480);
    Object.defineProperty(stream.getVideoTracks()[0] ?? {}, 'label', { value: 'Back Ultra Wide Camera' });
    const camera = await open({ source: () => Promise.resolve(stream) });
    expect(opened).toEqual([]);
    expect(camera).toMatchObject({ label: 'Back Ultra Wide Camera', deviceId: null, others: [] });
  });
});

describe('a camera that the person chose', () => {
  test('is opened, though it is a wide one, and again the next time', async () => {
    const { opened } = install([MAIN, WIDE]);
    const memory = memoryOf();
    (await open({ preferred: 'wide', memory })).stop();
    expect(memory.getItem(KEY)).toBe('wide');
    expect((await open({ memory })).deviceId).toBe('wide');
    expect(opened).toEqual(['wide', 'wide']);
  });

  test('for cards is not the one for the face', async () => {
    const { opened } = install([MAIN, WIDE, FRONT]);
    const memory = memoryOf();
    (await open({ preferred: 'wide', memory })).stop();
    await open({ step: 'selfie', facing: 'user', memory });
    expect(opened).toEqual(['wide', 'front']);
  });

  test('and that has gone is forgotten', async () => {
    const { opened } = install([MAIN, WIDE]);
    const memory = memoryOf({ [KEY]: 'gone' });
    expect((await open({ memory })).deviceId).toBe('main');
    expect(opened).toEqual(['main']);
    expect(memory.getItem(KEY)).toBeNull();
  });

  test('and that another app holds is kept in mind for the next time', async () => {
    install([MAIN, WIDE], { wide: 'NotReadableError' });
    const memory = memoryOf({ [KEY]: 'wide' });
    expect((await open({ memory })).deviceId).toBe('main');
    expect(memory.getItem(KEY)).toBe('wide');
  });

  test('is not asked for twice where the person refuses', async () => {
    const { asked } = install([MAIN], { main: 'NotAllowedError' });
    await expect(open({ preferred: 'main' })).rejects.toMatchObject({ code: 'camera-denied' });
    expect(asked).toEqual(['main']);
  });
});

describe('a camera that does not open', () => {
  const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';
  const CHROME = `Mozilla/5.0 (Linux; Android 10; K) ${BLINK} Chrome/141.0.0.0 Mobile Safari/537.36`;
  const WHATSAPP = `${CHROME} [WA4A/2.25.32.75;]`;
  const forbid = (): void => {
    const policy = { allowsFeature: (feature: string) => feature !== 'camera' };
    Object.defineProperty(document, 'permissionsPolicy', { value: policy, configurable: true });
  };

  afterEach(() => {
    Reflect.deleteProperty(document, 'permissionsPolicy');
    Reflect.deleteProperty(navigator, 'mediaDevices');
  });

  test.each<[fault: string, userAgent: string, forbidden: boolean, code: ErrorCode]>([
    ['NotAllowedError', CHROME, false, 'camera-denied'],
    ['NotAllowedError', CHROME, true, 'camera-blocked'],
    ['NotAllowedError', WHATSAPP, false, 'in-app-browser'],
    ['NotAllowedError', WHATSAPP, true, 'camera-blocked'],
    ['NotFoundError', CHROME, true, 'camera-missing'],
    ['NotFoundError', WHATSAPP, false, 'in-app-browser'],
    ['NotSupportedError', CHROME, false, 'camera-failed'],
    ['NotSupportedError', WHATSAPP, false, 'in-app-browser'],
    ['NotReadableError', WHATSAPP, false, 'camera-busy'],
  ])('with %s in %s, forbidden by the policy: %s, is %s', async (fault, userAgent, forbidden, code) => {
    install([MAIN], { main: fault });
    vi.spyOn(navigator, 'userAgent', 'get').mockReturnValue(userAgent);
    if (forbidden) forbid();
    await expect(open()).rejects.toMatchObject({ name: 'CaptureError', code });
  });

  test.each([
    [true, 'in-app-browser'],
    [false, 'insecure-page'],
  ] as const)('because there is no interface for it, on a secure page: %s, is %s', async (secure, code) => {
    Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true });
    vi.spyOn(window, 'isSecureContext', 'get').mockReturnValue(secure);
    await expect(open()).rejects.toMatchObject({ code });
  });

  test('in an iframe whose allow does not let the camera in, by the browser’s own refusal, is camera-blocked', async () => {
    const frame = document.createElement('iframe');
    frame.allow = "camera 'none'";
    document.body.append(frame);
    const inner = frame.contentWindow;
    const source = (): Promise<MediaStream> =>
      inner?.navigator.mediaDevices.getUserMedia({ video: true }) ?? Promise.reject(new Error('no frame'));
    // As seen from outside of the frame, where the policy is not known, it is the person's refusal.
    await expect(open({ source })).rejects.toMatchObject({ code: 'camera-denied' });
    const policy: unknown = Reflect.get(inner?.document ?? {}, 'featurePolicy');
    Object.defineProperty(document, 'permissionsPolicy', { value: policy, configurable: true });
    await expect(open({ source })).rejects.toMatchObject({ code: 'camera-blocked' });
    frame.remove();
  });
});

test('a phone that is turned changes the size of the frames', async () => {
  const size = { width: 640, height: 360 };
  const stream = painted(size, (context, tick) => {
    context.fillStyle = tick % 2 ? '#888' : '#777';
    context.fillRect(0, 0, 640, 640);
  });
  const camera = await open({ source: () => Promise.resolve(stream) });
  expect(camera.size()).toEqual(size);
  const canvas = document.querySelector('canvas');
  if (canvas) [canvas.width, canvas.height] = [360, 640];
  await until(() => camera.size().height === 640);
  expect(camera.size()).toEqual({ width: 360, height: 640 });
});

test('a journey that ends while the camera opens leaves no camera behind', async () => {
  const { tracks } = install([MAIN]);
  const journey = new AbortController();
  const opening = open({ signal: journey.signal });
  journey.abort();
  await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  expect(tracks.map(({ readyState }) => readyState)).toEqual(['ended']);
});
