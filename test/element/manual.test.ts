import { afterEach, describe, expect, test, vi } from 'vitest';
import type { News, Photo } from '../../src/domain/journey.ts';
import { cornersOf, guideInPicture, ID1_RATIO, type Size } from '../../src/domain/geometry.ts';
import { PHOTO_LIMITS } from '../../src/domain/limits.ts';
import type { CardObservation } from '../../src/domain/observation.ts';
import { cropOf } from '../../src/domain/photo.ts';
import { CaptureError } from '../../src/domain/result.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';
import type { CaptureDetail } from '../../src/index.ts';
import { openCamera } from '../../src/session/camera.ts';
import { Session } from '../../src/session/session.ts';
import { mount, press, specimenInGuide, stripes, until } from './support.ts';

/** The widget's clock runs so far behind that of the frames that the button is due with the first of them, ms. */
const BEHIND_MS = 60_000;
const sessions: Session[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const session of sessions.splice(0)) session.close();
});

/** A frame of a card whose only fault is its blur. */
const seen = (changes: Partial<CardObservation> = {}): CardObservation => ({
  kind: 'card',
  frame: { width: 640, height: 360 },
  outline: { corners: cornersOf({ x: 120, y: 54, width: 400, height: 400 / ID1_RATIO }), support: 1 },
  portrait: { upright: 0.9, turned: 0 },
  covered: 0,
  print: 0.5,
  luma: 180,
  highlight: 240,
  dark: 0,
  bright: 0,
  glare: 0,
  sharpness: 0.05,
  motion: 0,
  ...changes,
});

const CAMERA = { width: 1280, height: 720 };
const ratioOf = ({ width, height }: Size): number => width / height;
/** With a margin of 3 % of the width on each side. */
const STRAIGHTENED = 1.06 / (1 / ID1_RATIO + 0.06);
const ALONG_GUIDE = ratioOf(
  cropOf('ktp', CAMERA, guideInPicture('ktp', CAMERA), PHOTO_LIMITS.identifai.ktp) ?? CAMERA,
);

/** A session whose worker answers the n-th question, n from 0, as a test wants it. */
function begin(answer: (index: number) => Promise<CardObservation>) {
  const count = { asked: 0, atOnce: 0, most: 0, made: 0, closed: 0 };
  const news: News[] = [];
  const unused = (): never => {
    throw new Error('not here');
  };
  const session = new Session({
    configuration: () => ({
      provider: 'identifai',
      steps: ['ktp'],
      tokenEndpoint: new URL('https://example.test/'),
      tokenHeaders: {},
      analytics: ['face-match-liveness-v2'],
      faceId: null,
      context: {},
      providerBase: null,
      refNumber: 'abcdef',
      assetsBase: new URL('https://example.test/'),
      cameraSource: () => Promise.resolve(stripes(CAMERA.width, CAMERA.height)),
      rules: GUIDANCE_RULES,
      straighten: true,
      debug: false,
      assetsIntegrity: null,
      fallback: 'worker',
      persist: null,
    }),
    onChange: () => undefined,
    onNews: (told) => news.push(told),
    onSighting: unused,
    onSubmit: unused,
    openCamera,
    createAnalyser: () => {
      count.made++;
      return {
        open: () => Promise.resolve(),
        analyse: async (frame) => {
          frame.close();
          count.most = Math.max(count.most, ++count.atOnce);
          try {
            return await answer(count.asked++);
          } finally {
            count.atOnce--;
          }
        },
        close: () => {
          count.closed++;
        },
      };
    },
    submit: unused,
    now: () => performance.now() - BEHIND_MS,
  });
  sessions.push(session);
  const untilManual = (): Promise<void> =>
    until(() => session.journey.state.name === 'live' && session.journey.state.manual);
  const pressShutter = async (): Promise<Photo> => {
    session.dispatch({ type: 'shutter' });
    await until(() => session.journey.state.name === 'review');
    const photo = session.journey.photos.ktp;
    if (!photo) throw new Error('no photo');
    return photo;
  };
  session.start();
  return { session, news, count, untilManual, pressShutter };
}

describe('a photo by hand', () => {
  test('is judged as the very frame it is, after the one before', async () => {
    const { news, count, untilManual, pressShutter } = begin(async (index) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen({ sharpness: 0.01 + index / 1e6 });
    });
    await untilManual();
    // While the next frame is with the worker.
    await until(() => count.atOnce === 1);
    const photo = await pressShutter();
    const issue = {
      code: 'card-blurred',
      value: 0.01 + (count.asked - 1) / 1e6,
      threshold: 0.138,
      unit: 'ratio',
    };
    expect(photo.issues).toEqual([issue]);
    expect(news.at(-1)).toMatchObject({ type: 'capture', photo: { issues: [issue] } });
    expect(count.most).toBe(1);
    expect(ratioOf(photo)).toBeCloseTo(STRAIGHTENED, 2);
    // The card has 800 px in the camera's picture.
    expect(photo.width).toBe(848);
  });

  test('of a frame that breaks no rule has nothing against it', async () => {
    let sharpness = 0.05;
    const { untilManual, pressShutter } = begin(() => Promise.resolve(seen({ sharpness })));
    await untilManual();
    sharpness = 0.3;
    expect((await pressShutter()).issues).toEqual([]);
  });

  test('of a card upside-down is turned, so that is not told of', async () => {
    const upsideDown = seen({ portrait: { upright: 0, turned: 0.9 } });
    const { session, untilManual, pressShutter } = begin(() => Promise.resolve(upsideDown));
    await untilManual();
    expect(session.journey.state).toMatchObject({ issues: [{ code: 'card-upside-down' }, {}] });
    expect((await pressShutter()).issues.map(({ code }) => code)).toEqual(['card-blurred']);
  });

  test('is taken along the guide where its frame cannot be judged, and the next try has a new worker', async () => {
    let breaks = false;
    const { session, count, untilManual, pressShutter } = begin(() =>
      breaks ? Promise.reject(new CaptureError('analysis-failed', 'test')) : Promise.resolve(seen()),
    );
    await untilManual();
    breaks = true;
    const photo = await pressShutter();
    expect(photo.issues).toMatchObject([{ code: 'card-blurred' }]);
    expect(ratioOf(photo)).toBeCloseTo(ALONG_GUIDE, 2);
    expect(count).toMatchObject({ made: 1, closed: 1 });
    breaks = false;
    session.dispatch({ type: 'retake' });
    await untilManual();
    expect(count.made).toBe(2);
  });

  test('does not wait for a worker that never answers', async () => {
    let hangs = false;
    const { untilManual, pressShutter } = begin(() =>
      hangs ? new Promise(() => undefined) : Promise.resolve(seen()),
    );
    await untilManual();
    hangs = true;
    const photo = await pressShutter();
    expect(photo.issues).toMatchObject([{ code: 'card-blurred' }]);
    expect(ratioOf(photo)).toBeCloseTo(ALONG_GUIDE, 2);
  });
});

test('page and person are told what may be wrong with a photo by hand', async () => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() - BEHIND_MS);
  const element = await mount({ steps: 'ktp', lang: 'en' }, () => specimenInGuide(CAMERA));
  const taken: CaptureDetail[] = [];
  element.addEventListener('kyc-capture', ({ detail }) => taken.push(detail));
  element.thresholds = { card: { luma: 1 } };
  const find = (selector: string): Element | null => element.shadowRoot?.querySelector(selector) ?? null;
  press(element, 'start');
  await until(() => find('[data-action="shutter"]') !== null);
  expect(find('[part="hint"]')?.getAttribute('data-code')).toBe('too-bright');
  press(element, 'shutter');
  await until(() => find('[part="warning"]') !== null);
  expect(find('[part="warning"]')?.textContent.replaceAll(/\s+/g, ' ').trim()).toBe(
    'This photo may not be good enough. Too bright, avoid direct light.',
  );
  expect(taken).toMatchObject([
    { step: 'ktp', issues: [{ code: 'too-bright', threshold: 1, unit: 'luma' }] },
  ]);

  element.thresholds = null;
  press(element, 'retake');
  await until(() => taken.length === 2);
  await element.updateComplete;
  expect(taken[1]?.issues).toEqual([]);
  expect(find('[part="warning"]')).toBeNull();
});
