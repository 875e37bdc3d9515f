import axe from 'axe-core';
import { LitElement, render } from 'lit';
import { beforeAll, describe, expect, test } from 'vitest';
import { NOT_STARTED, type Journey, type Photo, type State, type Trouble } from '../../src/domain/journey.ts';
import type { Rung } from '../../src/domain/ladder.ts';
import { startGuide, type Hint } from '../../src/domain/guide.ts';
import { CaptureError, STEPS, type ErrorCode, type Result, type Step } from '../../src/domain/result.ts';
import { messagesFor } from '../../src/element/messages/messages.ts';
import { styles } from '../../src/element/styles.ts';
import { screen } from '../../src/element/views.ts';

const LANGUAGES = ['id', 'en'] as const;
const HINTS = Object.keys(messagesFor('id').messages.hints) as Hint[];
const ERRORS = Object.keys(messagesFor('id').messages.failed.errors) as ErrorCode[];
const SIZES = [
  { width: 320, height: 568 },
  { width: 390, height: 760 },
  { width: 720, height: 640 },
];
const CAMERAS = [
  { width: 1080, height: 1920 },
  { width: 1280, height: 720 },
];

const result = (live: boolean | null): Result => ({
  provider: 'eendigo',
  verified: live === true,
  liveness: live === null ? null : { live, score: 0.5, threshold: null },
  match: null,
  document: null,
  transactionId: null,
  refNumber: 'abcdef',
  raw: null,
});
const live = (step: Step, hint: Hint | null, manual: boolean, trouble: Trouble | null = null): State => ({
  name: 'live',
  step,
  since: 0,
  guide: { ...startGuide(0), hint, hold: hint === 'hold-still' ? { since: -600, frames: 4 } : null },
  issues: [],
  manual,
  taking: false,
  trouble,
});

const DOUBTFUL: Photo = {
  step: 'ktp',
  width: 1600,
  height: 1009,
  bytes: 500_000,
  encodes: 1,
  issues: [
    { code: 'card-glare', value: 0.02, threshold: 0.004, unit: 'fraction' },
    { code: 'card-blurred', value: 0.05, threshold: 0.1, unit: 'ratio' },
  ],
  rung: 'manual',
};

const STATES: readonly (readonly [string, State])[] = [
  ['start', { name: 'start' }],
  [
    'opening',
    {
      name: 'opening',
      step: 'selfie',
      loaded: 0.42,
      cameraLive: true,
      analyserReady: false,
      away: false,
      trouble: null,
    },
  ],
  ['trouble', live('selfie', 'too-dark', true, 'black')],
  ['choosing', { name: 'choosing', step: 'ktp', taking: false }],
  ['judging a file', { name: 'choosing', step: 'selfie', taking: true }],
  [
    'no camera',
    {
      name: 'failed',
      error: new CaptureError('camera-denied', 'test'),
      resume: { to: 'step', step: 'selfie' },
    },
  ],
  ...STEPS.flatMap((step) => [
    [`live ${step}`, live(step, 'too-dark', true)] as const,
    [`hold ${step}`, live(step, 'hold-still', false)] as const,
    [`review ${step}`, { name: 'review', step }] as const,
  ]),
  ['token', { name: 'sending', phase: 'token', fraction: 0 }],
  ['uploading', { name: 'sending', phase: 'uploading', fraction: 0.5 }],
  ['verified', { name: 'done', result: result(true) }],
  ['not verified', { name: 'done', result: result(false) }],
  ['received', { name: 'done', result: result(null) }],
  [
    'refused',
    {
      name: 'failed',
      error: new CaptureError('selfie-refused', 'test', { guidance: ['too-dark', 'face-covered', 'moving'] }),
      resume: { to: 'step', step: 'selfie' },
    },
  ],
  ['cancelled', { name: 'cancelled' }],
];

/** A host with the widget's own styles, so that the screens are laid out as in the element. */
class Frame extends LitElement {
  static override readonly styles = styles;
}

beforeAll(() => {
  customElements.define('screen-frame', Frame);
});

async function show(
  state: State,
  language: string,
  size = { width: 390, height: 760 },
  camera = { width: 1080, height: 1920 },
  rung: Rung = 'worker',
): Promise<ShadowRoot> {
  document.documentElement.lang = language;
  document.title = 'screens';
  document.body.replaceChildren();
  const frame = new Frame();
  frame.style.inlineSize = `${size.width}px`;
  frame.style.setProperty('--kyc-block-size', `${size.height}px`);
  document.body.append(frame);
  await frame.updateComplete;
  const photos = state.name === 'start' ? {} : { ktp: DOUBTFUL };
  const journey: Journey = { ...NOT_STARTED, steps: STEPS, photos, rung, state };
  const root = frame.shadowRoot;
  if (!root) throw new Error('no shadow root');
  render(
    screen({
      journey,
      messages: messagesFor(language).messages,
      steps: STEPS,
      video: null,
      picture: camera,
      mirrored: false,
      lit: false,
      focuses: true,
      switches: true,
      uploads: true,
      advice: null,
      card: null,
      viewport: { width: size.width, height: size.height - 70 },
      debug: null,
      photoUrl: () => 'data:image/gif;base64,R0lGODlhAQABAAAAACw=',
      act: () => undefined,
      choose: () => undefined,
    }),
    root,
  );
  return root;
}

const text = (element: Element | null): string => element?.textContent.replace(/\s+/g, ' ').trim() ?? '';

describe.each(LANGUAGES)('in %s', (language) => {
  test.each(STATES)('%s: nothing for axe to complain of', async (_name, state) => {
    await show(state, language, undefined, undefined, 'manual');
    const { violations } = await axe.run(document.body, { rules: { region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
      [],
    );
  });

  test.each(STATES)('%s: every text and button lies inside the frame', async (_name, state) => {
    for (const size of SIZES) {
      const root = await show(state, language, size, undefined, 'face-box');
      for (const element of root.querySelectorAll('h2, p, li, button, progress')) {
        const box = element.getBoundingClientRect();
        expect(box.left, `${element.outerHTML} at ${size.width}`).toBeGreaterThanOrEqual(0);
        expect(box.right, `${element.outerHTML} at ${size.width}`).toBeLessThanOrEqual(size.width + 0.5);
      }
    }
  });

  test.each(HINTS)('hint %s has a sentence that does not cover the guide', async (hint) => {
    for (const size of SIZES) {
      for (const step of STEPS) {
        for (const camera of CAMERAS) {
          const root = await show(live(step, hint, false), language, size, camera);
          const shown = root.querySelector('[part="hint"]');
          expect(text(shown)).not.toBe('');
          const outline = root.querySelector('.outline')?.getBoundingClientRect();
          expect(shown?.getBoundingClientRect().bottom).toBeLessThanOrEqual((outline?.top ?? 0) + 1);
        }
      }
    }
  });

  test.each(['muted', 'black', 'frozen'] as const)(
    'trouble %s has a sentence that does not cover the guide',
    async (trouble) => {
      for (const size of SIZES) {
        for (const step of STEPS) {
          for (const camera of CAMERAS) {
            const root = await show(live(step, 'too-dark', false, trouble), language, size, camera);
            const shown = root.querySelector('[part="hint"]');
            expect(text(shown)).toBe(messagesFor(language).messages.troubles[trouble]);
            const outline = root.querySelector('.outline')?.getBoundingClientRect();
            expect(shown?.getBoundingClientRect().bottom).toBeLessThanOrEqual((outline?.top ?? 0) + 1);
          }
        }
      }
    },
  );

  test.each(ERRORS)('error %s has one sentence and a way on', async (code) => {
    const root = await show(
      { name: 'failed', error: new CaptureError(code, 'test'), resume: { to: 'start' } },
      language,
    );
    expect(text(root.querySelector('[part="message"]'))).toMatch(/^\p{Lu}.*[.)]$/u);
    expect(root.querySelector('[data-action="retry"]')).not.toBeNull();
    expect(root.querySelector('[data-action="cancel"]')).not.toBeNull();
  });
});

describe.each(LANGUAGES)('the steps in %s', (language) => {
  const { hints, steps } = messagesFor(language).messages;
  const NAMES: Record<Step, RegExp> = { selfie: /selfie/i, ktp: /KTP/, sim: /SIM/, npwp: /NPWP/ };
  const others = (step: Step): readonly RegExp[] =>
    STEPS.filter((other) => other !== step).map((other) => NAMES[other]);

  test.each(STEPS)('%s is called by its own name wherever it is named', async (step) => {
    const { plan, title, shutter, review } = steps[step];
    for (const sentence of [plan, title, shutter, review.title, review.photo])
      expect(sentence).toMatch(NAMES[step]);
    for (const state of [
      live(step, null, true),
      live(step, 'too-dark', true),
      { name: 'review', step } as const,
    ]) {
      const shown = await show(state, language);
      const labels = [...shown.querySelectorAll('[aria-label], [alt]')].map(
        (each) => each.getAttribute('aria-label') ?? each.getAttribute('alt'),
      );
      const all = `${shown.textContent} ${labels.join(' ')}`;
      expect(all).toMatch(NAMES[step]);
      for (const other of others(step)) expect(all).not.toMatch(other);
    }
  });

  test('hints name no card, because they are said of each', () => {
    for (const sentence of Object.values(hints)) {
      for (const step of STEPS) expect(sentence).not.toMatch(NAMES[step]);
    }
  });

  test('the plan has every step in order, and each advice once', async () => {
    const plan = [...(await show({ name: 'start' }, language)).querySelectorAll('.plan li')].map(text);
    STEPS.forEach((step, place) => expect(plan[place]).toContain(steps[step].plan));
    for (const advice of new Set(STEPS.map((step) => steps[step].advice)))
      expect(plan.filter((line) => line.includes(advice))).toHaveLength(1);
  });
});

test.each(LANGUAGES)(
  'in %s: a doubtful photo is told of in the words of its most helpful hint',
  async (language) => {
    const { hints, review } = messagesFor(language).messages;
    const root = await show({ name: 'review', step: 'ktp' }, language);
    const warning = root.querySelector('[part="warning"]');
    expect(text(warning)).toBe(`${review.doubt} ${hints['card-glare']}.`);
    expect(warning?.getAttribute('data-code')).toBe('card-glare');
    const selfie = await show({ name: 'review', step: 'selfie' }, language);
    expect(selfie.querySelector('[part="warning"]')).toBeNull();
  },
);

test.each([...SIZES, { width: 1060, height: 704 }, { width: 844, height: 416 }])(
  'what is pressed while the camera runs is large enough and clear of the guide at %o',
  async (size) => {
    for (const step of STEPS) {
      for (const camera of CAMERAS) {
        const root = await show(live(step, 'too-dark', true), 'id', size, camera);
        const boxes = [...root.querySelectorAll('.controls button')].map((button) =>
          button.getBoundingClientRect(),
        );
        const outline = root.querySelector('.outline')?.getBoundingClientRect();
        expect(boxes).toHaveLength(3);
        for (const [index, box] of boxes.entries()) {
          expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
          expect(
            Math.max(box.top - (outline?.bottom ?? 0), box.left - (outline?.right ?? 0)),
          ).toBeGreaterThan(-1);
          const before = boxes[index - 1];
          if (before) expect(Math.max(box.top - before.bottom, box.left - before.right)).toBeGreaterThan(0);
        }
      }
    }
  },
);

test('each language speaks for itself', () => {
  const { messages: id } = messagesFor('id');
  const { messages: en } = messagesFor('en');
  for (const hint of HINTS) expect(en.hints[hint]).not.toBe(id.hints[hint]);
  for (const code of ERRORS) expect(en.failed.errors[code]).not.toBe(id.failed.errors[code]);
});

test.each([
  ['id-ID', 'id'],
  ['en-GB', 'en'],
  ['fr', 'id'],
  ['', 'id'],
])('the tag %s is spoken to in %s', (tag, language) => {
  expect(messagesFor(tag).language).toBe(language);
});
