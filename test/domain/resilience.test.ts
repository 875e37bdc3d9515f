import { describe, expect, test } from 'vitest';
import { HOLD_MS } from '../../src/domain/guide.ts';
import { NOT_STARTED, type Effect, type Event, type Photo } from '../../src/domain/journey.ts';
import { isWithin, RUNGS, rungBelow, type Rung } from '../../src/domain/ladder.ts';
import { CaptureError, type ErrorCode, type Step } from '../../src/domain/result.ts';
import { play } from './play.ts';

/** What the journey does when something gives way under it. */

const photo = (of: Step, rung: Rung = 'worker'): Photo => ({
  step: of,
  width: 1200,
  height: 900,
  bytes: 1000,
  encodes: 1,
  issues: [],
  rung,
});
const failed = (code: ErrorCode): Event => ({ type: 'failed', error: new CaptureError(code, 'test') });
const start: Event = { type: 'start', steps: ['selfie', 'ktp'] };
const cameraLive: Event = { type: 'camera-live', now: 0 };
const ready = (rung: Rung): Event => ({ type: 'analyser-ready', rung, now: 0 });
const fell = (rung: Rung): Event => ({ type: 'fell', rung, because: 'analysis-failed', after: 1234 });
const newsOf = (effects: readonly Effect[]): unknown[] =>
  effects.flatMap((effect) => (effect.type === 'tell' ? [effect.news] : []));

describe('the ladder', () => {
  test('has every rung below the one before, as far down as the page accepts', () => {
    for (const lowest of RUNGS) {
      const way: Rung[] = ['worker'];
      for (;;) {
        const below = rungBelow(way.at(-1) ?? 'worker', lowest);
        if (below === null) break;
        way.push(below);
      }
      expect(way).toEqual(RUNGS.slice(0, RUNGS.indexOf(lowest) + 1));
      expect(way.every((rung) => isWithin(rung, lowest))).toBe(true);
    }
  });

  test('a rung that fails while the camera runs: the next is opened under the same camera, and the page is told', () => {
    const { journey, effects } = play([start, cameraLive, ready('worker'), fell('main-thread')]);
    expect(journey).toMatchObject({
      rung: 'main-thread',
      state: { name: 'opening', step: 'selfie', cameraLive: true, analyserReady: false },
    });
    expect(newsOf(effects).at(-1)).toEqual({
      type: 'rung',
      rung: 'main-thread',
      because: 'analysis-failed',
      after: 1234,
    });
    expect(effects.some(({ type }) => type === 'stop-camera')).toBe(false);
    const again = play([ready('main-thread')], journey);
    expect(again.journey.state.name).toBe('live');
    expect(newsOf(again.effects)).toEqual([{ type: 'ready', step: 'selfie' }]);
  });

  test.each([
    [[cameraLive, fell('manual'), ready('manual')]],
    [[fell('manual'), ready('manual'), cameraLive]],
  ])('on the rung without analysis the shutter is there at once', (events) => {
    const { journey } = play([start, ...events]);
    expect(journey.state).toMatchObject({ name: 'live', manual: true });
    const { effects } = play([{ type: 'shutter' }], journey);
    expect(effects).toEqual([{ type: 'take', step: 'selfie', frame: 'present' }]);
  });

  test('a better rung that works again is told', () => {
    const manual = play([start, cameraLive, fell('manual'), ready('manual')]).journey;
    const { journey, effects } = play(
      [
        { type: 'shutter' },
        { type: 'photo-taken', photo: photo('selfie', 'manual') },
        { type: 'use' },
        cameraLive,
        ready('worker'),
      ],
      manual,
    );
    expect(journey).toMatchObject({ rung: 'worker', state: { name: 'live', step: 'ktp', manual: false } });
    expect(newsOf(effects)).toContainEqual({ type: 'rung', rung: 'worker', because: null, after: 0 });
  });

  test('a photo under way is not disturbed', () => {
    const frames = Array.from({ length: HOLD_MS / 100 + 2 }, (_, index): Event => ({
      type: 'observed',
      issues: [],
      now: 100 * index,
    }));
    const taking = play([start, cameraLive, ready('worker'), ...frames]).journey;
    expect(taking.state).toMatchObject({ name: 'live', taking: true });
    const fallen = play([fell('manual')], taking);
    expect(fallen.journey).toEqual({ ...taking, rung: 'manual' });
    expect(newsOf(fallen.effects)).toMatchObject([{ type: 'rung', rung: 'manual' }]);
    for (const event of [{ type: 'hidden' }, { type: 'switch' }] as const) {
      expect(play([event], taking)).toEqual({ journey: taking, effects: [] });
    }
  });
});

describe('the page is hidden', () => {
  test('the camera goes out, and on again with the page, in the same step', () => {
    const hidden = play([{ type: 'hidden' }], play([start, cameraLive, ready('worker')]).journey);
    expect(hidden.effects).toEqual([{ type: 'stop-camera' }]);
    expect(hidden.journey.state).toMatchObject({ name: 'opening', step: 'selfie', away: true });
    const shown = play([{ type: 'shown' }], hidden.journey);
    expect(shown.effects).toEqual([{ type: 'open', step: 'selfie' }]);
    expect(shown.journey.state).toMatchObject({ name: 'opening', away: false });
  });

  test.each([
    ['while the person is asked for the camera', [start]],
    ['on the first screen', []],
    ['while sending', [start, cameraLive, ready('worker'), failed('camera-lost')]],
  ] as const)('%s nothing changes', (_when, before) => {
    const { journey } = play(before);
    expect(play([{ type: 'hidden' }, { type: 'shown' }], journey)).toEqual({ journey, effects: [] });
  });
});

test('a camera in trouble: no frame counts and no photo is taken until it is over', () => {
  const { journey } = play([start, cameraLive, ready('worker'), { type: 'trouble', trouble: 'muted' }]);
  const frames = Array.from({ length: 40 }, (_, index): Event => ({
    type: 'observed',
    issues: [],
    now: 100 * index,
  }));
  const troubled = play([...frames, { type: 'trouble', trouble: 'muted' }, { type: 'shutter' }], journey);
  expect(troubled.effects).toEqual([]);
  const over = play([{ type: 'trouble', trouble: null }, ...frames], troubled.journey);
  expect(newsOf(over.effects)[0]).toEqual({ type: 'trouble', trouble: null });
  expect(over.effects).toContainEqual({ type: 'take', step: 'selfie', frame: 'sharpest' });
});

test('a camera in trouble before the analysis is there is still in trouble then, and no more with another camera', () => {
  const { journey } = play([start, cameraLive, { type: 'trouble', trouble: 'black' }, ready('manual')]);
  expect(journey.state).toMatchObject({ name: 'live', trouble: 'black' });
  expect(play([{ type: 'shutter' }], journey).effects).toEqual([]);
  expect(play([fell('manual')], journey).journey.state).toMatchObject({ name: 'opening', trouble: 'black' });
  for (const event of [{ type: 'hidden' }, { type: 'switch' }] as const) {
    const { journey: next, effects } = play([event], journey);
    expect(next.state).toMatchObject({ name: 'opening', trouble: null });
    expect(newsOf(effects)).toEqual([{ type: 'trouble', trouble: null }]);
  }
});

test('a rung that fails while nothing is judged is told with its reason', () => {
  const { journey, effects } = play([start, failed('camera-denied'), fell('main-thread')]);
  expect(journey).toMatchObject({ rung: 'main-thread', state: { name: 'failed' } });
  expect(newsOf(effects).at(-1)).toMatchObject({ rung: 'main-thread', because: 'analysis-failed' });
  const choosing = play([{ type: 'choose' }], journey).journey;
  expect(play([fell('manual')], choosing)).toEqual({ journey: choosing, effects: [] });
});

test('another camera is opened in the same step', () => {
  const { journey, effects } = play([{ type: 'switch' }], play([start, cameraLive, ready('worker')]).journey);
  expect(journey.state).toMatchObject({ name: 'opening', step: 'selfie', cameraLive: false });
  expect(effects).toEqual([{ type: 'open', step: 'selfie' }]);
});

describe('a file in place of the camera', () => {
  const choosing = play([start, failed('camera-missing'), { type: 'choose' }]);

  test('is offered after the camera failed, and the page is told why', () => {
    expect(choosing.journey).toMatchObject({ rung: 'upload', state: { name: 'choosing', step: 'selfie' } });
    expect(newsOf(choosing.effects).at(-1)).toEqual({
      type: 'rung',
      rung: 'upload',
      because: 'camera-missing',
      after: 0,
    });
  });

  test('leads to the review and the next file, to the end', () => {
    const chosen = play([{ type: 'chosen' }, { type: 'chosen' }], choosing.journey);
    expect(chosen.effects).toEqual([{ type: 'take', step: 'selfie', frame: 'file' }]);
    const { journey, effects } = play(
      [
        { type: 'photo-taken', photo: photo('selfie', 'upload') },
        { type: 'use' },
        { type: 'chosen' },
        { type: 'photo-taken', photo: photo('ktp', 'upload') },
        { type: 'retake' },
        { type: 'chosen' },
        { type: 'photo-taken', photo: photo('ktp', 'upload') },
        { type: 'use' },
      ],
      chosen.journey,
    );
    expect(journey.state.name).toBe('sending');
    expect(effects.some(({ type }) => type === 'open')).toBe(false);
  });

  test('that cannot be read loses nothing, and another may be chosen', () => {
    const { journey } = play([{ type: 'chosen' }, failed('photo-unreadable')], choosing.journey);
    expect(journey.state).toMatchObject({ name: 'failed', resume: { to: 'step', step: 'selfie' } });
    expect(play([{ type: 'choose' }], journey).journey.state).toMatchObject({
      name: 'choosing',
      taking: false,
    });
  });

  test('may be left for the camera', () => {
    const { journey, effects } = play([{ type: 'retry' }], choosing.journey);
    expect(journey).toMatchObject({ rung: 'worker', state: { name: 'opening' } });
    expect(effects).toEqual([{ type: 'open', step: 'selfie' }]);
  });
});

describe('photos that outlived a reload', () => {
  const restored = play([
    { type: 'restored', steps: ['selfie', 'ktp'], photos: { selfie: photo('selfie') } },
  ]).journey;

  test('are gone on with at the first step that lacks one', () => {
    const { journey, effects } = play([start], restored);
    expect(effects).toEqual([{ type: 'open', step: 'ktp' }]);
    expect(Object.keys(journey.photos)).toEqual(['selfie']);
  });

  test('are sent where none is missing', () => {
    const both = play([
      { type: 'restored', steps: ['selfie', 'ktp'], photos: { selfie: photo('selfie'), ktp: photo('ktp') } },
    ]).journey;
    expect(play([start], both).effects).toEqual([{ type: 'submit' }]);
  });

  test('do not count for a step that is not asked for any more', () => {
    const { journey } = play([{ type: 'start', steps: ['ktp'] }], restored);
    expect(journey.photos).toEqual({});
  });

  test('are forgotten where the person wants to start over', () => {
    const { journey, effects } = play([{ type: 'forget' }], restored);
    expect(journey).toEqual(NOT_STARTED);
    expect(effects).toEqual([{ type: 'release', photos: 'forget' }]);
  });

  test('come too late for who has begun', () => {
    const begun = play([start]).journey;
    const late: Event = { type: 'restored', steps: ['selfie'], photos: { selfie: photo('selfie') } };
    expect(play([late], begun)).toEqual({ journey: begun, effects: [] });
  });
});

describe('photos that nobody sent in time', () => {
  const expired = failed('photos-expired');
  const taken: readonly Event[] = [
    start,
    cameraLive,
    ready('manual'),
    { type: 'shutter' },
    { type: 'photo-taken', photo: photo('selfie') },
    { type: 'use' },
  ];

  test.each([
    ['in the next step', []],
    ['after a fault', [failed('camera-lost')]],
  ] as const)('are forgotten %s, and the person begins anew', (_when, events) => {
    const { journey, effects } = play([...events, expired], play(taken).journey);
    expect(journey).toMatchObject({ photos: {}, state: { name: 'failed', resume: { to: 'start' } } });
    expect(effects).toContainEqual({ type: 'release', photos: 'forget' });
    expect(play([{ type: 'retry' }], journey).journey.state.name).toBe('start');
  });

  test('are forgotten on the first screen without a word', () => {
    const restored: Event = { type: 'restored', steps: ['selfie'], photos: { selfie: photo('selfie') } };
    const { journey, effects } = play([restored, expired]);
    expect(journey).toEqual(NOT_STARTED);
    expect(newsOf(effects)).toEqual([]);
  });

  test('are let go where they are being sent', () => {
    const sending = play([
      { type: 'restored', steps: ['selfie'], photos: { selfie: photo('selfie') } },
      { type: 'start', steps: ['selfie'] },
    ]).journey;
    expect(play([expired], sending)).toEqual({ journey: sending, effects: [] });
  });
});
