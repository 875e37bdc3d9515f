import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/domain/result.ts';
import type { KycCapture } from '../../src/index.ts';
import { openCamera, type Camera } from '../../src/session/camera.ts';
import { mount, press, specimenInGuide, stripes, until, withLens } from './support.ts';

const LANDSCAPE = { width: 1280, height: 720 };
const PHONE = { torch: true, focusMode: ['manual', 'single-shot', 'continuous'] };
const MIDDLE = [{ x: 0.5, y: 0.5 }];

function open(stream: MediaStream, step: Step = 'ktp'): Promise<Camera> {
  return openCamera({
    step,
    facing: step === 'selfie' ? 'user' : 'environment',
    source: () => Promise.resolve(stream),
    signal: new AbortController().signal,
    memory: null,
    onTrouble: () => undefined,
    onLost: () => undefined,
  });
}

describe('the lamp', () => {
  test.each([
    [{ torch: true }, 'ktp', true],
    [{ torch: [false, true] }, 'ktp', true],
    [{ torch: [false] }, 'ktp', false],
    [{ torch: false }, 'ktp', false],
    [{}, 'ktp', false],
    [{ torch: true }, 'selfie', false],
  ] as const)('of a track with %j, for the %s: %s', async (lens, step, offered) => {
    const stream = stripes(1280, 720);
    withLens(stream, lens);
    const camera = await open(stream, step);
    expect(camera.light !== null).toBe(offered);
    camera.stop();
  });

  test('of a track that knows no capabilities is none', async () => {
    const stream = stripes(1280, 720);
    Object.assign(stream.getVideoTracks()[0] ?? {}, { getCapabilities: undefined });
    const camera = await open(stream);
    expect(camera.light).toBeNull();
    expect(camera.refocus).toBeNull();
    camera.stop();
  });

  test('is switched by that constraint alone, and is what the track then says it is', async () => {
    const stream = stripes(1280, 720);
    const answers = [true, false, false, undefined];
    const asked = withLens(stream, PHONE, () => Promise.resolve(answers[asked.length - 1]));
    const camera = await open(stream);
    const states: (boolean | undefined)[] = [camera.light?.isOn];
    for (const _answer of answers) {
      await camera.light?.toggle();
      states.push(camera.light?.isOn);
    }
    expect(asked).toEqual([{ torch: true }, { torch: false }, { torch: true }, { torch: true }]);
    // The third time it stays dark though it was told to shine; the last time nothing is said, so what was asked counts.
    expect(states).toEqual([false, true, false, false, true]);
    camera.stop();
  });

  test('that refuses stays as it is, and may be tried again', async () => {
    const stream = stripes(1280, 720);
    const asked = withLens(stream, PHONE, () =>
      asked.length === 1 ? Promise.reject(new DOMException('', 'OperationError')) : Promise.resolve(true),
    );
    const camera = await open(stream);
    await camera.light?.toggle();
    expect(camera.light?.isOn).toBe(false);
    await camera.light?.toggle();
    expect(camera.light?.isOn).toBe(true);
    camera.stop();
  });
});

describe('the focus', () => {
  test.each([
    [
      ['manual', 'single-shot', 'continuous'],
      ['manual', 'continuous'],
    ],
    [
      ['continuous', 'manual'],
      ['manual', 'continuous'],
    ],
    [
      ['single-shot', 'continuous'],
      ['single-shot', 'continuous'],
    ],
    [['manual', 'single-shot'], ['single-shot']],
    [['single-shot'], ['single-shot']],
  ])('of a track with %j is sought anew by %j, in the middle', async (focusMode, modes) => {
    const stream = stripes(1280, 720);
    const asked = withLens(stream, { focusMode });
    const camera = await open(stream);
    await camera.refocus?.();
    expect(asked).toEqual(modes.map((mode) => ({ focusMode: mode, pointsOfInterest: MIDDLE })));
    camera.stop();
  });

  test.each([[['continuous']], [['manual']], [['none']], [[]]])(
    'of a track with %j is left alone',
    async (focusMode) => {
      const stream = stripes(1280, 720);
      withLens(stream, { focusMode });
      const camera = await open(stream);
      expect(camera.refocus).toBeNull();
      camera.stop();
    },
  );

  test.each([
    { picture: { width: 1280, height: 720 }, aim: [{ x: 0.25, y: 0.75 }] },
    { picture: { width: 720, height: 1280 }, aim: MIDDLE },
  ])(
    'is sought at the point, but in an upright picture, whose sensor lies across, in the middle: $picture',
    async ({ picture, aim }) => {
      const stream = stripes(picture.width, picture.height);
      const asked = withLens(stream, { focusMode: ['single-shot'] });
      const camera = await open(stream);
      await camera.refocus?.({ x: 0.25, y: 0.75 });
      expect(asked).toEqual([{ focusMode: 'single-shot', pointsOfInterest: aim }]);
      camera.stop();
    },
  );

  test('leaves the lamp on', async () => {
    const stream = stripes(1280, 720);
    const asked = withLens(stream, PHONE);
    const camera = await open(stream);
    await camera.light?.toggle();
    await camera.refocus?.();
    expect(asked.map(({ torch, focusMode }) => [torch, focusMode])).toEqual([
      [true, undefined],
      [true, 'manual'],
      [true, 'continuous'],
    ]);
    camera.stop();
  });

  test('that refuses is no fault', async () => {
    const stream = stripes(1280, 720);
    const asked = withLens(stream, PHONE, () => Promise.reject(new DOMException('', 'OverconstrainedError')));
    const camera = await open(stream);
    await camera.refocus?.();
    expect(asked).toHaveLength(1);
    camera.stop();
  });
});

describe('on the screen', () => {
  const find = (element: KycCapture, action: string): HTMLButtonElement | null =>
    element.shadowRoot?.querySelector<HTMLButtonElement>(`[data-action="${action}"]`) ?? null;

  test('nothing is offered that the track does not offer', async () => {
    const element = await mount({ steps: 'ktp' }, () => specimenInGuide(LANDSCAPE));
    element.thresholds = { card: { luma: 1 } };
    press(element, 'start');
    await until(() => element.shadowRoot?.querySelector('.controls') != null);
    expect(find(element, 'torch')).toBeNull();
    expect(find(element, 'refocus')).toBeNull();
  });

  test('the lamp has a switch that is urged in the dark, follows the lamp, and is off with the next camera', async () => {
    const asked: Record<string, unknown>[][] = [];
    const element = await mount({ steps: 'ktp', lang: 'en' }, async () => {
      const stream = await specimenInGuide(LANDSCAPE);
      asked.push(withLens(stream, PHONE));
      return stream;
    });
    element.thresholds = { card: { highlight: 255 } };
    press(element, 'start');
    await until(() => find(element, 'torch')?.matches('.urged') ?? false);
    expect(find(element, 'torch')?.textContent.trim()).toBe('Light');
    expect(find(element, 'torch')?.getAttribute('aria-pressed')).toBe('false');

    press(element, 'torch');
    await until(() => find(element, 'torch')?.getAttribute('aria-pressed') === 'true');
    expect(find(element, 'torch')?.matches('.urged')).toBe(false);
    expect(asked).toEqual([[{ torch: true }]]);

    press(element, 'cancel');
    await element.updateComplete;
    press(element, 'restart');
    await until(() => find(element, 'torch') !== null);
    expect(find(element, 'torch')?.getAttribute('aria-pressed')).toBe('false');
    expect(asked).toEqual([[{ torch: true }], []]);
  });

  test.each([
    { step: 'ktp', seen: 0.3 },
    { step: 'selfie', seen: 0.7 },
  ] as const)(
    '$step: a touch on the picture asks for the focus there, the button in the middle',
    async ({ step, seen }) => {
      const stream = step === 'ktp' ? await specimenInGuide(LANDSCAPE) : stripes(1280, 720);
      const asked = withLens(stream, { focusMode: ['single-shot'] });
      const element = await mount({ steps: step }, () => Promise.resolve(stream));
      element.thresholds = { card: { luma: 1 } };
      press(element, 'start');
      await until(() => find(element, 'refocus') !== null);
      const picture = (): DOMRect =>
        element.shadowRoot?.querySelector('video')?.getBoundingClientRect() ?? new DOMRect();
      await until(() => Math.abs(picture().width / picture().height - 16 / 9) < 0.01);
      press(element, 'refocus');
      const { x, y, width, height } = picture();
      element.shadowRoot
        ?.querySelector('.outline')
        ?.dispatchEvent(
          new MouseEvent('click', { bubbles: true, clientX: x + 0.3 * width, clientY: y + 0.6 * height }),
        );
      await until(() => asked.length === 2);
      expect(asked[0]).toEqual({ focusMode: 'single-shot', pointsOfInterest: MIDDLE });
      const [point] = asked[1]?.['pointsOfInterest'] as { readonly x: number; readonly y: number }[];
      expect(point?.x).toBeCloseTo(seen, 2);
      expect(point?.y).toBeCloseTo(0.6, 2);
    },
  );
});
