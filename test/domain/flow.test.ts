import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { step } from '../../src/domain/flow.ts';
import { HOLD_MS } from '../../src/domain/guide.ts';
import { RUNGS } from '../../src/domain/ladder.ts';
import { NOT_STARTED, type Event, type Photo } from '../../src/domain/journey.ts';
import { CaptureError, type ErrorCode, type Issue, type Result, type Step } from '../../src/domain/result.ts';
import { MANUAL_SHUTTER_AFTER_MS } from '../../src/domain/limits.ts';
import { play } from './play.ts';

const SEED = 20261122;
const STEPS: readonly Step[] = ['selfie', 'ktp'];
const photo = (of: Step, issues: readonly Issue[] = []): Photo => ({
  step: of,
  width: 1200,
  height: 900,
  bytes: 1000,
  encodes: 1,
  issues,
  rung: 'worker',
});
const DARK: Issue = { code: 'too-dark', value: 10, threshold: 40, unit: 'luma' };
const dark = (now: number): Event => ({ type: 'observed', issues: [DARK], now });
const result: Result = {
  provider: 'identifai',
  verified: true,
  liveness: null,
  match: null,
  document: null,
  transactionId: null,
  refNumber: 'abcdef',
  raw: null,
};
const failed = (code: ErrorCode): Event => ({ type: 'failed', error: new CaptureError(code, 'test') });

const start: Event = { type: 'start', steps: STEPS };
const live: readonly Event[] = [
  { type: 'camera-live', now: 0 },
  { type: 'analyser-ready', rung: 'worker', now: 0 },
];
const take = (of: Step): readonly Event[] => [
  ...live,
  dark(MANUAL_SHUTTER_AFTER_MS[of]),
  { type: 'shutter' },
  { type: 'photo-taken', photo: photo(of, [DARK]) },
];
const goodFrames = (from: number): Event[] =>
  Array.from({ length: HOLD_MS / 100 + 2 }, (_, index) => ({
    type: 'observed',
    issues: [],
    now: from + index * 100,
  }));
const selfieTaken: readonly Event[] = [
  start,
  ...live,
  ...goodFrames(100),
  { type: 'photo-taken', photo: photo('selfie') },
];
const bothTaken: readonly Event[] = [...selfieTaken, { type: 'use' }, ...take('ktp'), { type: 'use' }];

describe('the straight way', () => {
  test('selfie, review, card, review, sending, done', () => {
    const { journey, effects } = play([...bothTaken, { type: 'completed', result }]);
    expect(journey.state).toEqual({ name: 'done', result });
    expect(effects.filter(({ type }) => type !== 'tell')).toEqual([
      { type: 'open', step: 'selfie' },
      { type: 'take', step: 'selfie', frame: 'sharpest' },
      { type: 'stop-camera' },
      { type: 'keep' },
      { type: 'open', step: 'ktp' },
      { type: 'take', step: 'ktp', frame: 'present' },
      { type: 'stop-camera' },
      { type: 'keep' },
      { type: 'submit' },
      { type: 'release', photos: 'forget' },
    ]);
    const news = effects.flatMap((effect) => (effect.type === 'tell' ? [effect.news.type] : []));
    expect(news).toEqual(['ready', 'feedback', 'capture', 'ready', 'feedback', 'capture', 'complete']);
  });

  test('a photo by hand keeps what may be wrong with it, for the page and for the review', () => {
    const { journey, effects } = play([...selfieTaken, { type: 'use' }, ...take('ktp')]);
    expect(journey.state).toEqual({ name: 'review', step: 'ktp' });
    expect(journey.photos).toMatchObject({ selfie: { issues: [] }, ktp: { issues: [DARK] } });
    expect(effects.at(-1)).toMatchObject({ news: { type: 'capture', photo: { issues: [DARK] } } });
  });

  test.each([[['selfie']], [['npwp']], [['ktp', 'selfie']], [['sim', 'selfie', 'npwp', 'ktp']]] as const)(
    'steps %o in the order of the page',
    (steps) => {
      const events = steps.flatMap((of) => [
        ...live,
        { type: 'photo-taken', photo: photo(of) } as const,
        { type: 'use' } as const,
      ]);
      const { effects } = play([{ type: 'start', steps }, ...events]);
      expect(effects.flatMap((effect) => (effect.type === 'open' ? [effect.step] : []))).toEqual(steps);
      expect(effects.at(-1)).toEqual({ type: 'submit' });
    },
  );

  test('retake drops only the photo under review', () => {
    const { journey } = play([...selfieTaken, { type: 'use' }, ...take('ktp'), { type: 'retake' }]);
    expect(Object.keys(journey.photos)).toEqual(['selfie']);
    expect(journey.state).toMatchObject({ name: 'opening', step: 'ktp' });
  });

  test('a vetoed submit goes back to the last review with every photo', () => {
    const { journey } = play([...bothTaken, { type: 'vetoed' }]);
    expect(journey.state).toEqual({ name: 'review', step: 'ktp' });
    expect(Object.keys(journey.photos)).toEqual(STEPS);
  });
});

describe('the shutter button', () => {
  test.each([
    ['selfie', 20_000],
    ['ktp', 10_000],
  ] as const)(
    'of the %s is not there until %i ms have gone by, and then stays beside the hint',
    (of, due) => {
      const begin: Event = { type: 'start', steps: [of] };
      const early = play([begin, ...live, dark(due - 1), { type: 'shutter' }]);
      expect(early.journey.state).toMatchObject({ manual: false, taking: false });
      expect(early.effects).not.toContainEqual(expect.objectContaining({ type: 'take' }));

      const shown = play([begin, ...live, dark(due)]);
      expect(shown.journey.state).toMatchObject({ manual: true, guide: { hint: 'too-dark' } });
      const pressed = play([dark(due + 100), { type: 'shutter' }], shown.journey);
      expect(pressed.journey.state).toMatchObject({
        taking: true,
        issues: [DARK],
        guide: { hint: 'too-dark' },
      });
      expect(pressed.effects).toEqual([{ type: 'take', step: of, frame: 'present' }]);
    },
  );

  test('begins to wait anew with a new photo', () => {
    const { journey } = play([
      start,
      ...take('selfie'),
      { type: 'retake' },
      { type: 'camera-live', now: 30_000 },
    ]);
    const again = play([{ type: 'analyser-ready', rung: 'worker', now: 30_000 }, dark(30_100)], journey);
    expect(again.journey.state).toMatchObject({ name: 'live', manual: false });
  });

  test('pressed twice takes one photo', () => {
    const { effects } = play([
      { type: 'start', steps: ['ktp'] },
      ...live,
      dark(MANUAL_SHUTTER_AFTER_MS.ktp),
      { type: 'shutter' },
      { type: 'shutter' },
    ]);
    expect(effects.filter(({ type }) => type === 'take')).toHaveLength(1);
  });
});

describe('faults', () => {
  const table: readonly [string, readonly Event[], ErrorCode, Step | 'sending' | 'start', readonly Step[]][] =
    [
      ['camera denied', [start], 'camera-denied', 'selfie', []],
      [
        'camera lost on the card',
        [...selfieTaken, { type: 'use' }, ...live],
        'camera-lost',
        'ktp',
        ['selfie'],
      ],
      ['token endpoint down', bothTaken, 'token-failed', 'sending', STEPS],
      ['connection broken', bothTaken, 'upload-failed', 'sending', STEPS],
      ['selfie refused', bothTaken, 'selfie-refused', 'selfie', ['ktp']],
      ['card refused', bothTaken, 'ktp-refused', 'ktp', ['selfie']],
      ['wrong attribute', [], 'configuration-invalid', 'start', []],
    ];
  test.each(table)('%s: photos are kept and trying again leads on', (_name, before, code, resumes, kept) => {
    const { journey, effects } = play([...before, failed(code)]);
    expect(journey.state.name).toBe('failed');
    expect(Object.keys(journey.photos)).toEqual(kept);
    expect(effects.filter(({ type }) => type === 'tell').at(-1)).toMatchObject({
      news: { type: 'error', error: { code } },
    });
    const again = play([{ type: 'retry' }], journey);
    if (resumes === 'start') expect(again.journey.state.name).toBe('start');
    else
      expect(again.effects).toEqual([
        resumes === 'sending' ? { type: 'submit' } : { type: 'open', step: resumes },
      ]);
  });

  test('late faults after the end change nothing', () => {
    const done = play([...bothTaken, { type: 'completed', result }]).journey;
    expect(play([failed('upload-failed')], done)).toEqual({ journey: done, effects: [] });
  });
});

test('no order of events loses an accepted photo, but retake, refusal, cancel and success', () => {
  const anyEvent = fc.oneof(
    ...[
      start,
      ...live,
      { type: 'shutter' } as const,
      { type: 'use' } as const,
      { type: 'retry' } as const,
    ].map((event) => fc.constant<Event>(event)),
    fc.constantFrom(...STEPS).map((of): Event => ({ type: 'photo-taken', photo: photo(of) })),
    fc.constantFrom<ErrorCode>('camera-lost', 'token-failed', 'upload-failed', 'assets-failed').map(failed),
    fc.integer({ min: 0, max: 60_000 }).map((now): Event => ({ type: 'observed', issues: [], now })),
    ...(['vetoed', 'hidden', 'shown', 'switch', 'choose', 'chosen'] as const).map((type) =>
      fc.constant<Event>({ type }),
    ),
    fc
      .constantFrom(...RUNGS)
      .map((rung): Event => ({ type: 'fell', rung, because: 'analysis-failed', after: 1 })),
    fc.constantFrom('muted', 'black', 'frozen', null).map((trouble): Event => ({ type: 'trouble', trouble })),
  );
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      let journey = NOT_STARTED;
      for (const event of events) {
        const [next] = step(journey, event);
        for (const of of STEPS) {
          if (journey.photos[of]) expect(next.photos[of], `${event.type} lost the ${of}`).toBeDefined();
        }
        journey = next;
      }
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('cancel from anywhere forgets the photos and releases everything', () => {
  for (let length = 0; length <= bothTaken.length; length++) {
    const { journey } = play(bothTaken.slice(0, length));
    const { journey: after, effects } = play([{ type: 'cancel' }], journey);
    expect(after.state.name).toBe('cancelled');
    expect(after.photos).toEqual({});
    expect(effects[0]).toEqual({ type: 'release', photos: 'forget' });
  }
});
