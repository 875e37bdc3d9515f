import { afterEach, describe, expect, test } from 'vitest';
import type { News } from '../../src/domain/journey.ts';
import type { AnalysisRung, Rung } from '../../src/domain/ladder.ts';
import type { FaceObservation } from '../../src/domain/observation.ts';
import { CaptureError, type Step } from '../../src/domain/result.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';
import type { KycCapture } from '../../src/index.ts';
import { openCamera } from '../../src/session/camera.ts';
import { Session } from '../../src/session/session.ts';
import { mount, nextError, noCamera, press, specimenInGuide, stripes, until } from './support.ts';

const CAMERA = { width: 1280, height: 720 };
const FRAME = { width: 640, height: 360 };

const NOBODY: FaceObservation = { kind: 'face', frame: FRAME, faces: [], face: null };

const sessions: Session[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

/** What an analyser of a rung does, in a session whose camera is real. */
type Behaviour = 'works' | 'works late' | 'cannot' | 'lacks files' | 'crashes later';

function begin(
  behaviours: Partial<Record<AnalysisRung, Behaviour>>,
  fallback: Rung = 'upload',
  persist: number | null = null,
) {
  const news: News[] = [];
  const opened: Rung[] = [];
  let closed = 0;
  const unused = (): never => {
    throw new Error('not here');
  };
  const session = new Session({
    configuration: () => ({
      provider: 'identifai',
      steps: ['selfie'],
      tokenEndpoint: new URL('https://example.test/'),
      tokenHeaders: {},
      analytics: ['face-liveness-v4'],
      faceId: null,
      context: {},
      providerBase: null,
      refNumber: 'abcdef',
      assetsBase: new URL('https://example.test/'),
      assetsIntegrity: null,
      cameraSource: () => Promise.resolve(stripes(CAMERA.width, CAMERA.height)),
      rules: GUIDANCE_RULES,
      straighten: true,
      fallback,
      persist,
      debug: false,
    }),
    onChange: () => undefined,
    onNews: (told) => news.push(told),
    onSighting: unused,
    onSubmit: unused,
    openCamera,
    createAnalyser: ({ rung }) => {
      opened.push(rung);
      const behaviour = behaviours[rung] ?? 'cannot';
      let frames = 0;
      let abandon: (reason: unknown) => void = () => undefined;
      return {
        open: () =>
          behaviour === 'works late'
            ? new Promise((resolve, reject) => {
                abandon = reject;
                setTimeout(resolve, 500);
              })
            : behaviour === 'cannot'
              ? Promise.reject(new CaptureError('analysis-failed', 'test'))
              : behaviour === 'lacks files'
                ? Promise.reject(new CaptureError('assets-failed', 'test'))
                : Promise.resolve(),
        analyse: (frame) => {
          frame.close();
          return behaviour === 'crashes later' && ++frames > 3
            ? Promise.reject(new CaptureError('analysis-failed', 'test'))
            : Promise.resolve(NOBODY);
        },
        close: () => {
          closed++;
          abandon(new DOMException('closed', 'AbortError'));
        },
      };
    },
    submit: unused,
    now: () => performance.now(),
  });
  sessions.push(session);
  session.start();
  const rungs = (): unknown[] =>
    news.flatMap((told) => (told.type === 'rung' ? [[told.rung, told.because]] : []));
  return { session, news, opened, rungs, closed: () => closed };
}

const state = (session: Session): string => session.journey.state.name;

describe('the ladder', () => {
  test('a device that cannot run it in a worker: the next rung, under the same camera', async () => {
    const { session, opened, rungs, news } = begin({ 'main-thread': 'works' });
    await until(() => state(session) === 'live');
    expect(opened).toEqual(['worker', 'main-thread']);
    expect(rungs()).toEqual([['main-thread', 'analysis-failed']]);
    expect(news.filter(({ type }) => type === 'ready')).toHaveLength(1);
  });

  test('a crash in mid-session goes down a rung, and the camera stays', async () => {
    const { session, opened, rungs, closed } = begin({
      worker: 'crashes later',
      'main-thread': 'crashes later',
      'face-box': 'works',
    });
    await until(() => session.journey.rung === 'face-box' && state(session) === 'live');
    expect(opened).toEqual(['worker', 'main-thread', 'face-box']);
    expect(rungs()).toEqual([
      ['main-thread', 'analysis-failed'],
      ['face-box', 'analysis-failed'],
    ]);
    expect(closed()).toBe(2);
    expect(session.camera?.video.srcObject).not.toBeNull();
  });

  test.each([
    ['no device could', {}, ['worker', 'main-thread', 'face-box'], 'analysis-failed'],
    ['its files cannot be had', { worker: 'lacks files' }, ['worker'], 'assets-failed'],
  ] as const)('without analysis, because %s: a photo by hand', async (_why, behaviours, tried, because) => {
    const { session, opened, rungs, news } = begin(behaviours);
    await until(() => state(session) === 'live');
    expect(opened).toEqual(tried);
    expect(rungs().at(-1)).toEqual(['manual', because]);
    session.dispatch({ type: 'shutter' });
    await until(() => state(session) === 'review');
    expect(news.at(-1)).toMatchObject({ type: 'capture', photo: { rung: 'manual', issues: [] } });
  });

  test('files that could not be had are asked for again with the next camera', async () => {
    const behaviours: Partial<Record<AnalysisRung, Behaviour>> = { worker: 'lacks files' };
    const { session, rungs } = begin(behaviours);
    await until(() => state(session) === 'live');
    behaviours.worker = 'works';
    session.dispatch({ type: 'switch' });
    await until(() => session.journey.rung === 'worker' && state(session) === 'live');
    expect(rungs()).toEqual([
      ['manual', 'assets-failed'],
      ['worker', null],
    ]);
  });

  test('cancelled and begun anew in one task: the new journey has an analysis of its own', async () => {
    const { session, opened, news } = begin({ worker: 'works late' });
    await until(() => opened.length === 1);
    session.dispatch({ type: 'cancel' });
    session.start();
    await until(() => state(session) === 'live');
    expect(opened).toEqual(['worker', 'worker']);
    expect(news.filter(({ type }) => type === 'error')).toEqual([]);
  });

  test('photos that nobody goes on with are forgotten', async () => {
    const { session, news } = begin({}, 'upload', 400);
    await until(() => state(session) === 'live');
    session.dispatch({ type: 'shutter' });
    await until(() => state(session) === 'review');
    expect(session.photo('selfie')).not.toBeNull();
    await until(() => state(session) === 'failed');
    expect(news.at(-1)).toMatchObject({ type: 'error', error: { code: 'photos-expired' } });
    expect(session.photo('selfie')).toBeNull();
  });

  test.each([
    ['worker', {}, 'analysis-failed'],
    ['face-box', {}, 'analysis-failed'],
    ['face-box', { worker: 'lacks files' }, 'assets-failed'],
  ] as const)('a page that accepts nothing below %s is told', async (fallback, behaviours, code) => {
    const { session, news } = begin(behaviours, fallback);
    await until(() => state(session) === 'failed');
    expect(news.at(-1)).toMatchObject({ type: 'error', error: { code } });
  });
});

function setVisibility(visibility: DocumentVisibilityState): void {
  Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => {
  Reflect.deleteProperty(document, 'visibilityState');
});

test('a page that is hidden lets the camera go, and takes it again when it is shown', async () => {
  const streams: MediaStream[] = [];
  const element = await mount({ steps: 'selfie', analytics: 'face-liveness-v4' }, () => {
    const stream = stripes(CAMERA.width, CAMERA.height);
    streams.push(stream);
    return Promise.resolve(stream);
  });
  press(element, 'start');
  await until(() => element.getAttribute('state') === 'live');
  setVisibility('hidden');
  expect(streams.map((stream) => stream.active)).toEqual([false]);
  expect(element.getAttribute('state')).toBe('opening');
  setVisibility('visible');
  await until(() => element.getAttribute('state') === 'live');
  expect(streams.map((stream) => stream.active)).toEqual([false, true]);
});

describe('photos that outlive a reload', () => {
  /** Goes as far as the first try to send, which nobody answers. Without models, because the photo is not the matter. */
  async function untilSending(attributes: Record<string, string> = {}): Promise<KycCapture> {
    const byHand = { steps: 'ktp', analytics: 'ocr-ktp', lang: 'en', 'assets-base': '/nowhere/' };
    const element = await mount({ ...byHand, ...attributes }, () => specimenInGuide(CAMERA));
    press(element, 'start');
    await until(() => element.getAttribute('state') === 'live');
    await element.updateComplete;
    press(element, 'shutter');
    await until(() => element.getAttribute('state') === 'review');
    await element.updateComplete;
    const error = nextError(element);
    press(element, 'use');
    expect((await error).code).toBe('token-failed');
    return element;
  }
  const sent = (element: KycCapture): Promise<readonly Step[]> =>
    new Promise((resolve) =>
      element.addEventListener(
        'kyc-submit',
        (event) => {
          event.preventDefault();
          resolve([...event.detail.photos.keys()]);
        },
        { once: true },
      ),
    );
  const again = async (attributes: Record<string, string> = {}): Promise<KycCapture> => {
    const element = await mount({ steps: 'ktp', analytics: 'ocr-ktp', lang: 'en', ...attributes }, noCamera);
    // Where nothing is kept there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await element.updateComplete;
    return element;
  };
  const goesOn = (element: KycCapture): boolean =>
    element.shadowRoot?.querySelector('[data-action="forget"]') != null;

  test('are offered again, and are sent without a camera', async () => {
    (await untilSending()).remove();
    const element = await again();
    await until(() => goesOn(element));
    const steps = sent(element);
    press(element, 'start');
    expect(await steps).toEqual(['ktp']);
  });

  test.each([
    ['start over', 'forget'],
    ['cancel', 'cancel'],
  ])('are gone after "%s"', async (_label, action) => {
    const first = await untilSending();
    await first.updateComplete;
    if (action === 'cancel') press(first, action);
    first.remove();
    const element = await again();
    if (action === 'forget') {
      await until(() => goesOn(element));
      press(element, action);
      await element.updateComplete;
      element.remove();
    }
    expect(goesOn(action === 'forget' ? await again() : element)).toBe(false);
  });

  test.each([
    ['the page wants nothing kept', { persist: 'none' }, { persist: 'none' }],
    ['in a kiosk', { kiosk: 'yes' }, { kiosk: 'yes' }],
    ['for another submission', { 'ref-number': 'SPECIMEN000001' }, { 'ref-number': 'SPECIMEN000002' }],
  ] as const)('are not offered %s', async (_why, first, second) => {
    (await untilSending(first)).remove();
    expect(goesOn(await again(second))).toBe(false);
  });
});
