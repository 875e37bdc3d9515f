import { guide, readyForShutter, startGuide } from './guide.ts';
import {
  NOT_STARTED,
  type Effect,
  type Event,
  type Journey,
  type News,
  type Photo,
  type Photos,
  type Resume,
  type State,
  type Trouble,
} from './journey.ts';
import { MANUAL_SHUTTER_AFTER_MS } from './limits.ts';
import type { CaptureError, ErrorCode, Step } from './result.ts';

type Next = readonly [Journey, readonly Effect[]];

/**
 * One step of the journey. An event that does not belong to the state changes nothing: events come
 * from cameras, workers and networks, and may be late.
 */
export function step(journey: Journey, event: Event): Next {
  if (event.type === 'cancel') return cancel(journey);
  if (event.type === 'failed') return fail(journey, event.error);
  if (event.type === 'fell') return fall(journey, event);
  if (event.type === 'trouble') return trouble(journey, event.trouble);
  const { state } = journey;
  switch (state.name) {
    case 'start':
      return beginning(journey, event);
    case 'opening':
      return opening(journey, state, event);
    case 'live':
      return live(journey, state, event);
    case 'choosing':
      return choosing(journey, state, event);
    case 'review':
      return review(journey, state, event);
    case 'sending':
      return sending(journey, state, event);
    case 'failed':
      return ended(journey, state, event);
    case 'done':
    case 'cancelled':
      return event.type === 'start' ? open({ ...NOT_STARTED, steps: event.steps }) : stay(journey);
  }
}

type In<Name extends State['name']> = Extract<State, { name: Name }>;

function beginning(journey: Journey, event: Event): Next {
  switch (event.type) {
    case 'restored':
      return [{ ...journey, steps: event.steps, photos: event.photos }, []];
    case 'forget':
      return [NOT_STARTED, [{ type: 'release', photos: 'forget' }]];
    case 'start': {
      const kept = Object.entries(journey.photos).filter(([taken]) =>
        event.steps.some((wanted) => wanted === taken),
      );
      return open({ ...journey, steps: event.steps, photos: Object.fromEntries(kept) });
    }
    default:
      return stay(journey);
  }
}

function opening(journey: Journey, state: In<'opening'>, event: Event): Next {
  switch (event.type) {
    case 'assets-loading':
      return [
        { ...journey, state: { ...state, loaded: Math.max(state.loaded, event.fraction) } },
        [tell({ type: 'progress', phase: 'loading', fraction: event.fraction })],
      ];
    case 'camera-live':
      return goLive(journey, { ...state, cameraLive: true }, event.now);
    case 'analyser-ready': {
      const [next, effects] = goLive(
        { ...journey, rung: event.rung },
        { ...state, analyserReady: true },
        event.now,
      );
      const { rung } = event;
      return rung === journey.rung
        ? [next, effects]
        : [next, [tell({ type: 'rung', rung, because: null, after: 0 }), ...effects]];
    }
    case 'hidden':
      // Where the person is being asked for the camera, the question itself may cover the page.
      return state.cameraLive ? goAway(journey, state) : stay(journey);
    case 'shown':
      return state.away ? open(journey) : stay(journey);
    default:
      return stay(journey);
  }
}

/** The present rung does not hold: the next is opened, under the same camera. A photo under way is not disturbed. */
function fall(journey: Journey, { rung, because, after }: Extract<Event, { type: 'fell' }>): Next {
  const { state } = journey;
  // Who chooses files stays with files.
  if (journey.rung === 'upload' || state.name === 'done' || state.name === 'cancelled') return stay(journey);
  const effects = [tell({ type: 'rung', rung, because, after })];
  if (state.name === 'opening')
    return [{ ...journey, rung, state: { ...state, analyserReady: false } }, effects];
  if (state.name !== 'live' || state.taking) return [{ ...journey, rung }, effects];
  const { step, trouble } = state;
  return [{ ...journey, rung, state: { ...reopened(step), cameraLive: true, trouble } }, effects];
}

/** The camera gives no picture for the moment, or gives one again. */
function trouble(journey: Journey, now: Trouble | null): Next {
  const { state } = journey;
  if ((state.name !== 'opening' && state.name !== 'live') || state.trouble === now) return stay(journey);
  return [{ ...journey, state: { ...state, trouble: now } }, [tell({ type: 'trouble', trouble: now })]];
}

/** The trouble of a camera ends with it. */
const endTrouble = ({ trouble }: In<'opening'> | In<'live'>): readonly Effect[] =>
  trouble ? [tell({ type: 'trouble', trouble: null })] : [];

function goAway(journey: Journey, state: In<'opening'> | In<'live'>): Next {
  return [
    { ...journey, state: { ...reopened(state.step), away: true } },
    [{ type: 'stop-camera' }, ...endTrouble(state)],
  ];
}

function reopened(step: Step): In<'opening'> {
  return {
    name: 'opening',
    step,
    loaded: 0,
    cameraLive: false,
    analyserReady: false,
    away: false,
    trouble: null,
  };
}

function goLive(journey: Journey, state: In<'opening'>, now: number): Next {
  if (!state.cameraLive || !state.analyserReady) return [{ ...journey, state }, []];
  const live: State = {
    name: 'live',
    step: state.step,
    since: now,
    guide: startGuide(now),
    issues: [],
    manual: journey.rung === 'manual',
    taking: false,
    trouble: state.trouble,
  };
  return [{ ...journey, state: live }, [tell({ type: 'ready', step: state.step })]];
}

function live(journey: Journey, state: In<'live'>, event: Event): Next {
  switch (event.type) {
    case 'observed': {
      if (state.taking || state.trouble) return stay(journey);
      const guided = guide(state.guide, event.issues, event.now, event.preliminary);
      const taking = readyForShutter(guided);
      const manual = state.manual || event.now - state.since >= MANUAL_SHUTTER_AFTER_MS[state.step];
      const next: State = { ...state, guide: guided, issues: event.issues, taking, manual };
      const effects: Effect[] = [];
      if (guided.hint !== state.guide.hint) {
        effects.push(tell({ type: 'feedback', step: state.step, issues: event.issues }));
      }
      if (taking) effects.push({ type: 'take', step: state.step, frame: 'sharpest' });
      return [{ ...journey, state: next }, effects];
    }
    case 'hidden':
      return state.taking ? stay(journey) : goAway(journey, state);
    case 'switch': {
      if (state.taking) return stay(journey);
      const [next, effects] = open(journey);
      return [next, [...endTrouble(state), ...effects]];
    }
    case 'shutter':
      return state.taking || state.trouble || !state.manual
        ? stay(journey)
        : [
            { ...journey, state: { ...state, taking: true } },
            [{ type: 'take', step: state.step, frame: 'present' }],
          ];
    case 'photo-taken':
      return taken(journey, state.step, event.photo);
    default:
      return stay(journey);
  }
}

function taken(journey: Journey, step: Step, photo: Photo): Next {
  return [
    { ...journey, photos: { ...journey.photos, [step]: photo }, state: { name: 'review', step } },
    [{ type: 'stop-camera' }, tell({ type: 'capture', photo })],
  ];
}

function choosing(journey: Journey, state: In<'choosing'>, event: Event): Next {
  const { step } = state;
  switch (event.type) {
    case 'chosen':
      return state.taking
        ? stay(journey)
        : [{ ...journey, state: { ...state, taking: true } }, [{ type: 'take', step, frame: 'file' }]];
    case 'photo-taken':
      return taken(journey, step, event.photo);
    case 'retry':
      return open({ ...journey, rung: NOT_STARTED.rung });
    default:
      return stay(journey);
  }
}

function review(journey: Journey, state: In<'review'>, event: Event): Next {
  switch (event.type) {
    case 'use': {
      const [next, effects] = open(journey);
      return [next, [{ type: 'keep' }, ...effects]];
    }
    case 'retake':
      return open({ ...journey, photos: without(journey.photos, state.step) });
    default:
      return stay(journey);
  }
}

function sending(journey: Journey, state: In<'sending'>, event: Event): Next {
  switch (event.type) {
    case 'sending':
      return [
        { ...journey, state: { ...state, phase: event.phase, fraction: event.fraction } },
        [tell({ type: 'progress', phase: event.phase, fraction: event.fraction })],
      ];
    case 'completed':
      return [
        { ...journey, photos: {}, state: { name: 'done', result: event.result } },
        [{ type: 'release', photos: 'forget' }, tell({ type: 'complete', result: event.result })],
      ];
    case 'vetoed': {
      const last = journey.steps.at(-1);
      // They are the page's now.
      return last
        ? [{ ...journey, state: { name: 'review', step: last } }, [{ type: 'wipe' }]]
        : stay(journey);
    }
    default:
      return stay(journey);
  }
}

/** Opens the first step that has no photo, or sends when all have one. */
function open(journey: Journey): Next {
  const missing = journey.steps.find((wanted) => !journey.photos[wanted]);
  if (!missing) {
    return [{ ...journey, state: { name: 'sending', phase: 'token', fraction: 0 } }, [{ type: 'submit' }]];
  }
  if (journey.rung === 'upload') {
    return [{ ...journey, state: { name: 'choosing', step: missing, taking: false } }, []];
  }
  return [{ ...journey, state: reopened(missing) }, [{ type: 'open', step: missing }]];
}

/** Errors after which one photo has to be taken again; all others keep every photo. */
const RETAKES: Partial<Record<ErrorCode, Step>> = {
  'selfie-refused': 'selfie',
  'ktp-refused': 'ktp',
  'sim-refused': 'sim',
  'npwp-refused': 'npwp',
};

function fail(journey: Journey, error: CaptureError): Next {
  const { state } = journey;
  if (error.code === 'photos-expired') return expire(journey, error);
  if (state.name === 'done' || state.name === 'cancelled' || state.name === 'failed') return stay(journey);
  const effects: readonly Effect[] = [{ type: 'release', photos: 'keep' }, tell({ type: 'error', error })];
  const refused = RETAKES[error.code];
  if (refused && journey.photos[refused]) {
    const photos = without(journey.photos, refused);
    return [
      { ...journey, photos, state: { name: 'failed', error, resume: { to: 'step', step: refused } } },
      [...effects, { type: 'keep' }],
    ];
  }
  return [{ ...journey, state: { name: 'failed', error, resume: resumeFrom(state) } }, effects];
}

/** Nobody sent the photos in time. Those that are being sent at this moment are let go. */
function expire(journey: Journey, error: CaptureError): Next {
  const { state, photos } = journey;
  if (state.name === 'sending' || Object.keys(photos).length === 0) return stay(journey);
  const release: Effect = { type: 'release', photos: 'forget' };
  if (state.name === 'start') return [NOT_STARTED, [release]];
  return [
    { ...journey, photos: {}, state: { name: 'failed', error, resume: { to: 'start' } } },
    [release, tell({ type: 'error', error })],
  ];
}

function resumeFrom(state: State): Resume {
  switch (state.name) {
    case 'opening':
    case 'live':
    case 'choosing':
    case 'review':
      return { to: 'step', step: state.step };
    case 'sending':
      return { to: 'sending' };
    default:
      return { to: 'start' };
  }
}

function ended(journey: Journey, { error, resume }: In<'failed'>, event: Event): Next {
  switch (event.type) {
    case 'retry':
      return resume.to === 'start' ? [{ ...journey, state: { name: 'start' } }, []] : open(journey);
    case 'choose':
      return resume.to === 'step'
        ? [
            { ...journey, rung: 'upload', state: { name: 'choosing', step: resume.step, taking: false } },
            [tell({ type: 'rung', rung: 'upload', because: error.code, after: 0 })],
          ]
        : stay(journey);
    default:
      return stay(journey);
  }
}

function cancel(journey: Journey): Next {
  const { name } = journey.state;
  if (name === 'done' || name === 'cancelled') return stay(journey);
  return [
    { ...journey, photos: {}, state: { name: 'cancelled' } },
    [{ type: 'release', photos: 'forget' }, tell({ type: 'cancel' })],
  ];
}

function without(photos: Photos, dropped: Step): Photos {
  const { [dropped]: _dropped, ...kept } = photos;
  return kept;
}

function tell(news: News): Effect {
  return { type: 'tell', news };
}

function stay(journey: Journey): Next {
  return [journey, []];
}
