import axe from 'axe-core';
import { describe, expect, test } from 'vitest';
import type { Analyser, Attention } from '../../src/analysis/analyser.ts';
import { judge } from '../../src/domain/assess.ts';
import type { FaceObservation } from '../../src/domain/observation.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';
import { drawSighting, follow } from '../../src/element/debug.ts';
import type { FeedbackDetail, KycCapture } from '../../src/index.ts';
import { openCamera } from '../../src/session/camera.ts';
import type { Configuration, Sighting } from '../../src/session/options.ts';
import { Session } from '../../src/session/session.ts';
import { mount, press, specimenInGuide, stripes, until } from './support.ts';

const LANDSCAPE = { width: 1280, height: 720 };

/** A frame with one landmark, one region and nobody whose measures would have to be invented. */
const SEEN: FaceObservation = {
  kind: 'face',
  frame: { width: 640, height: 360 },
  faces: [],
  face: null,
  detail: {
    points: [{ x: 160, y: 90, z: 0 }],
    regions: [
      {
        name: 'nose',
        outline: [
          { x: 400, y: 200 },
          { x: 440, y: 200 },
          { x: 440, y: 240 },
          { x: 400, y: 240 },
        ],
      },
    ],
    patch: { width: 1, height: 1, data: new Uint8ClampedArray(4) },
  },
};
const GUIDE = { x: 220, y: 50, width: 200, height: 260 };
const sighting = (now: number, took: number): Sighting => ({
  observation: SEEN,
  guide: GUIDE,
  rules: GUIDANCE_RULES,
  judged: judge(SEEN, GUIDE),
  now,
  took,
});

/** The card step, live, with the real worker. */
async function liveCard(attributes: Readonly<Record<string, string>>): Promise<{
  element: KycCapture;
  told: FeedbackDetail[];
}> {
  const element = await mount({ steps: 'ktp', ...attributes }, () => specimenInGuide(LANDSCAPE));
  const told: FeedbackDetail[] = [];
  element.addEventListener('kyc-feedback', ({ detail }) => told.push(detail));
  return { element, told };
}

const rows = (element: KycCapture): Element[] => [
  ...(element.shadowRoot?.querySelectorAll('.debug li') ?? []),
];
const overlays = (element: KycCapture): number =>
  element.shadowRoot?.querySelectorAll('.debug, canvas').length ?? 0;

describe('what a page changes of the rules', () => {
  test('reaches the judgement, and a change counts from the next frame', async () => {
    const { element, told } = await liveCard({});
    element.thresholds = { card: { luma: 1 } };
    press(element, 'start');
    await until(() => told.length > 0);
    expect(told[0]).toMatchObject({ step: 'ktp', code: 'too-bright', threshold: 1, unit: 'luma' });
    expect(overlays(element)).toBe(0);

    element.thresholds = { card: { luma: 1, highlight: 255 } };
    await until(() => told.length > 1);
    expect(told[1]).toMatchObject({ code: 'too-dark', threshold: 255 });

    element.allow = 'too-bright, too-dark';
    await until(() => told.length > 2);
    expect(told[2]?.code).toBeNull();
    await until(() => element.getAttribute('state') === 'review');
  });
});

describe('debug', () => {
  test('lists every measure beside its threshold, and goes with the attribute', async () => {
    const { element, told } = await liveCard({ debug: 'debug', lang: 'en' });
    element.thresholds = { card: { luma: 1 } };
    press(element, 'start');
    await until(() => told.length > 0);
    await until(() => rows(element).length > 0);
    expect(rows(element).map((row) => row.getAttribute('data-measure'))).toEqual(
      GUIDANCE_RULES.card.map(({ measure }) => measure),
    );
    const broken = rows(element).filter((row) => row.matches('.broken'));
    expect(broken.map((row) => row.textContent.replaceAll(/\s+/g, ''))).toEqual([
      expect.stringMatching(/^too-brightluma\d+(\.\d)?≤1\/255$/),
    ]);
    await until(() =>
      /^[\d.]+ frames\/s, \d+ ms/.test(element.shadowRoot?.querySelector('.debug p')?.textContent ?? ''),
    );
    const stage = element.shadowRoot?.querySelector('.stage')?.getBoundingClientRect();
    const panel = element.shadowRoot?.querySelector('.debug')?.getBoundingClientRect();
    expect(panel?.top).toBeGreaterThanOrEqual(stage?.bottom ?? Infinity);
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
      [],
    );
    for (const detail of told)
      expect(Object.keys(detail)).toEqual(['step', 'code', 'value', 'threshold', 'unit']);

    element.removeAttribute('debug');
    await element.updateComplete;
    expect(overlays(element)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(overlays(element)).toBe(0);
    element.debug = true;
    await until(() => overlays(element) === 2);
    element.remove();
    await until(() => overlays(element) === 0);
  });

  test('the worker is asked for details only then, and nothing is told after the end', async () => {
    const asked: (Attention | undefined)[] = [];
    const sightings: Sighting[] = [];
    let debug = false;
    const analyser: Analyser = {
      open: () => Promise.resolve(),
      analyse: (frame, _kind, _guide, _now, attention) => {
        frame.close();
        asked.push(attention);
        return Promise.resolve(SEEN);
      },
      close: () => undefined,
    };
    const unused = (): never => {
      throw new Error('nothing is sent here');
    };
    const session = new Session({
      configuration: (): Configuration => ({
        provider: 'identifai',
        steps: ['selfie'],
        tokenEndpoint: new URL('https://example.test/'),
        tokenHeaders: {},
        analytics: ['face-match-liveness-v2'],
        faceId: null,
        context: {},
        providerBase: null,
        refNumber: 'abcdef',
        assetsBase: new URL('https://example.test/'),
        cameraSource: () => Promise.resolve(stripes(1280, 720)),
        rules: GUIDANCE_RULES,
        straighten: true,
        assetsIntegrity: null,
        fallback: 'worker',
        persist: null,
        debug,
      }),
      onChange: () => undefined,
      onNews: () => undefined,
      onSighting: (seen) => sightings.push(seen),
      onSubmit: unused,
      openCamera,
      createAnalyser: () => analyser,
      submit: unused,
      now: () => performance.now(),
    });
    session.start();
    await until(() => asked.length >= 3);
    expect(asked).not.toContain('detail');
    expect(sightings).toEqual([]);

    debug = true;
    await until(() => sightings.length >= 2);
    expect(asked.at(-1)).toBe('detail');
    expect(sightings[0]).toMatchObject({ observation: SEEN, rules: GUIDANCE_RULES });
    expect(sightings[0]?.judged.map(({ code, broken }) => ({ code, broken }))).toContainEqual({
      code: 'no-face',
      broken: true,
    });

    session.close();
    const told = sightings.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sightings).toHaveLength(told);
  });

  test.each([
    { mirrored: false, dot: 80, corner: 200 },
    { mirrored: true, dot: 240, corner: 120 },
  ])('marks lie where they were seen; mirrored: $mirrored', ({ mirrored, dot, corner }) => {
    const canvas = document.createElement('canvas');
    canvas.style.inlineSize = '320px';
    canvas.style.blockSize = '180px';
    document.body.append(canvas);
    drawSighting(canvas, sighting(0, 0), mirrored);
    const inked = (x: number, y: number): boolean => {
      const [left, top] = [(x - 2) * devicePixelRatio, (y - 2) * devicePixelRatio];
      const side = 4 * devicePixelRatio;
      const data = canvas.getContext('2d')?.getImageData(left, top, side, side).data ?? [];
      return data.some((value) => value > 0);
    };
    expect(inked(dot, 45)).toBe(true);
    expect(inked(320 - dot, 45)).toBe(false);
    expect(inked(corner, 100)).toBe(true);
    expect(inked(320 - corner, 120)).toBe(false);
    expect(inked(110, 25)).toBe(true);
  });

  test('the rate follows the last frames', () => {
    const first = follow(null, sighting(1000, 40));
    expect(first).toMatchObject({ interval: null, pace: 40 });
    const second = follow(first, sighting(1100, 40));
    expect(second).toMatchObject({ interval: 100, pace: 40 });
    let last = second;
    for (let frame = 1; frame <= 100; frame++) last = follow(last, sighting(1100 + frame * 50, 20));
    expect(last.interval).toBeCloseTo(50, 1);
    expect(last.pace).toBeCloseTo(20, 1);
  });
});
