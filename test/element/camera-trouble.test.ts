import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CaptureError } from '../../src/domain/result.ts';
import { openCamera, type Camera } from '../../src/session/camera.ts';
import type { Trouble } from '../../src/domain/journey.ts';
import { painted } from './support.ts';

const SIZE = { width: 320, height: 240 };
const open: Camera[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  for (const camera of open.splice(0)) camera.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Paint = (context: CanvasRenderingContext2D, tick: number) => void;
const fill =
  (...styles: readonly string[]): Paint =>
  (context, tick) => {
    context.fillStyle = styles[tick % styles.length] ?? '';
    context.fillRect(0, 0, SIZE.width, SIZE.height);
  };
const GREY = fill('#777', '#888');
/** Two blacks, so that every drawing is a frame. */
const BLACK = fill('#000', '#010101');
/** The noise of a sensor in a room without light. */
const NIGHT: Paint = (context) => {
  const noise = context.createImageData(SIZE.width, SIZE.height);
  for (let at = 0; at < noise.data.length; at += 4) {
    noise.data.fill(Math.random() * 16, at, at + 3);
    noise.data[at + 3] = 255;
  }
  context.putImageData(noise, 0, 0);
};
/** Draws nothing, so no frame comes. */
const NOTHING: Paint = () => undefined;

const draw = window.requestAnimationFrame.bind(window);
/** Long enough for a frame, had there been one. */
const drawn = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise(draw);
};

/** A camera whose picture can be changed while it runs. */
async function start(first: Paint = GREY) {
  let paint = first;
  const stream = painted(SIZE, (context, tick) => paint(context, tick));
  const [track] = stream.getVideoTracks();
  if (!track) throw new Error('no track');
  let muted = false;
  Object.defineProperty(track, 'muted', { get: () => muted });
  const troubles: (Trouble | null)[] = [];
  const lost: CaptureError[] = [];
  const journey = new AbortController();
  const camera = await openCamera({
    step: 'ktp',
    facing: 'environment',
    source: () => Promise.resolve(stream),
    signal: journey.signal,
    memory: null,
    onTrouble: (trouble) => troubles.push(trouble),
    onLost: (error) => lost.push(error),
  });
  open.push(camera);
  return {
    camera,
    journey,
    stream,
    track,
    troubles,
    lost,
    show: (next: Paint) => (paint = next),
    mute: (now: boolean) => {
      muted = now;
      track.dispatchEvent(new Event(now ? 'mute' : 'unmute'));
    },
    /** So many looks at the camera, with time for frames before each. */
    look: async (times: number) => {
      for (let look = 0; look < times; look++) {
        const late = new Promise((resolve) => setTimeout(resolve, 300));
        await (paint === NOTHING ? drawn() : Promise.race([camera.nextFrame(), late]));
        vi.advanceTimersByTime(1000);
      }
    },
  };
}

function hide(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

test('a camera that is well is left alone', async () => {
  const { troubles, lost, look } = await start();
  await look(8);
  expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
});

test('a dark room is no trouble', async () => {
  const { troubles, lost, look } = await start(NIGHT);
  await look(6);
  expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
});

describe('muted', () => {
  test('is told at once, and so is its end', async () => {
    const { troubles, lost, look, mute } = await start();
    mute(true);
    expect(troubles).toEqual(['muted']);
    await look(9);
    mute(false);
    await look(3);
    expect({ troubles, lost }).toEqual({ troubles: ['muted', null], lost: [] });
  });

  test('for long is a lost camera, told once', async () => {
    const { troubles, lost, look, mute } = await start();
    mute(true);
    await look(15);
    expect(troubles).toEqual(['muted']);
    expect(lost.map(({ code }) => code)).toEqual(['camera-lost']);
  });

  test('while the page is hidden is only told once it is seen', async () => {
    const { troubles, lost, look, mute } = await start();
    hide(true);
    mute(true);
    await look(15);
    expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
    hide(false);
    expect(troubles).toEqual(['muted']);
    mute(false);
    expect(troubles).toEqual(['muted', null]);
  });
});

test.each([
  ['black', BLACK],
  ['frozen', NOTHING],
] as const)('%s is told, and so is its end', async (trouble, picture) => {
  const { troubles, lost, look, show } = await start();
  show(picture);
  await look(5);
  expect(troubles).toEqual([trouble]);
  show(GREY);
  await look(2);
  expect({ troubles, lost }).toEqual({ troubles: [trouble, null], lost: [] });
});

describe('black', () => {
  test('for longer than it takes to fetch a card is a code of its own', async () => {
    const { troubles, lost, look } = await start(BLACK);
    await look(25);
    expect(lost).toEqual([]);
    await look(10);
    expect(troubles).toEqual(['black']);
    expect(lost.map(({ code }) => code)).toEqual(['camera-black']);
  });

  test('is not looked for by drawing as long as frames are known to show something', async () => {
    const { camera, troubles, look } = await start(BLACK);
    const drawings = vi.spyOn(CanvasRenderingContext2D.prototype, 'getImageData');
    for (let turn = 0; turn < 4; turn++) {
      camera.vouch();
      await look(1);
    }
    expect({ troubles, drawings: drawings.mock.calls.length }).toEqual({ troubles: [], drawings: 0 });
    // Each word is good for one look.
    await look(3);
    expect(troubles).toEqual(['black']);
  });
});

describe('frozen', () => {
  test('for long is a lost camera', async () => {
    const { lost, look, show } = await start();
    show(NOTHING);
    await look(16);
    expect(lost.map(({ code }) => code)).toEqual(['camera-lost']);
  });

  test('is no word for a hidden page, which gets no frames', async () => {
    const { troubles, lost, look, show } = await start();
    show(NOTHING);
    hide(true);
    await look(15);
    hide(false);
    show(GREY);
    await look(3);
    expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
  });

  test('is no word for a page that is not drawn, as in a frame out of sight', async () => {
    const { troubles, lost, look, show } = await start();
    show(NOTHING);
    const undrawn = vi.spyOn(window, 'requestAnimationFrame').mockReturnValue(0);
    // The look that is under way has been drawn already.
    await look(1);
    await look(15);
    expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
    undrawn.mockRestore();
  });
});

test('a video that the browser has paused with the page goes on', async () => {
  const { camera, look } = await start();
  camera.video.pause();
  await look(2);
  expect(camera.video.paused).toBe(false);
});

test.each(['stop', 'abort'] as const)('after %s there is no timer, and no word', async (way) => {
  const { camera, journey, track, troubles, lost, look, mute, show } = await start();
  expect(vi.getTimerCount()).toBe(1);
  if (way === 'stop') camera.stop();
  else journey.abort();
  expect(vi.getTimerCount()).toBe(0);
  show(BLACK);
  mute(true);
  hide(true);
  hide(false);
  track.dispatchEvent(new Event('ended'));
  await look(3);
  expect({ troubles, lost }).toEqual({ troubles: [], lost: [] });
});

test('a track that ends is lost once, whatever was wrong before', async () => {
  const { track, troubles, lost, look, mute } = await start();
  mute(true);
  track.dispatchEvent(new Event('ended'));
  track.dispatchEvent(new Event('ended'));
  await look(15);
  expect(troubles).toEqual(['muted']);
  expect(lost.map(({ code }) => code)).toEqual(['camera-lost']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a page that is hidden before the first frame is waited for', async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  hide(true);
  let paint = NOTHING;
  const stream = painted(SIZE, (context, tick) => paint(context, tick));
  let opened: Camera | null = null;
  const opening = openCamera({
    step: 'ktp',
    facing: 'environment',
    source: () => Promise.resolve(stream),
    signal: new AbortController().signal,
    memory: null,
    onTrouble: () => undefined,
    onLost: () => undefined,
  }).then((camera) => (opened = camera));
  await Promise.resolve();
  vi.advanceTimersByTime(60_000);
  hide(false);
  paint = GREY;
  open.push(await opening);
  expect(opened).not.toBeNull();
});

test.each([
  [true, 'camera-busy'],
  [false, 'camera-failed'],
])('no first frame from a track that is muted: %s, is %s', async (muted, code) => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stream = painted(SIZE, NOTHING);
  Object.defineProperty(stream.getVideoTracks()[0] ?? {}, 'muted', { value: muted });
  // An empty canvas gives one frame; a source that gives none gets none through.
  vi.spyOn(HTMLVideoElement.prototype, 'requestVideoFrameCallback').mockReturnValue(1);
  const opening = openCamera({
    step: 'ktp',
    facing: 'environment',
    source: () => Promise.resolve(stream),
    signal: new AbortController().signal,
    memory: null,
    onTrouble: () => undefined,
    onLost: () => undefined,
  });
  const refused = expect(opening).rejects.toMatchObject({ code });
  await new Promise((resolve) => requestAnimationFrame(resolve));
  vi.advanceTimersByTime(10_000);
  await refused;
  expect(stream.getVideoTracks()[0]?.readyState).toBe('ended');
});
