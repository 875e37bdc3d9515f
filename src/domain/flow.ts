import { guide, readyForShutter, startGuide, type Guide } from './guide.ts';
import type { Size } from './geometry.ts';
import type { CaptureError, ErrorCode, Issue, Result, Step } from './result.ts';
import { MANUAL_SHUTTER_AFTER_MS } from './limits.ts';

/** A photo that was taken; the picture itself stays with the session. */
export interface Photo extends Size {
  readonly step: Step;
  readonly bytes: number;
  /** Encodes it took to meet the limits. */
  readonly encodes: number;
  /** What may be wrong with it, the most helpful first; nothing where the shutter went by itself. */
  readonly issues: readonly Issue[];
}

/** What submitting is doing: asking for the token, sending, waiting for the provider, or for the network to come back. */
export type SendingPhase = 'token' | 'uploading' | 'waiting' | 'offline';

/** Photos by step; what is here is never lost but by retake, cancel or success. */
type Photos = Readonly<Partial<Record<Step, Photo>>>;

/** Where the journey is. */
export type State =
  | { readonly name: 'start' }
  | {
      readonly name: 'opening';
      readonly step: Step;
      /** Fraction 0..1 of the assets' bytes. */
      readonly loaded: number;
      /** The camera has delivered its first frame. */
      readonly cameraLive: boolean;
      readonly analyserReady: boolean;
    }
  | {
      readonly name: 'live';
      readonly step: Step;
      readonly since: number;
      readonly guide: Guide;
      readonly issues: readonly Issue[];
      /** The person may press the shutter. */
      readonly manual: boolean;
      /** The shutter has fired and the photo is being made. */
      readonly taking: boolean;
    }
  | { readonly name: 'review'; readonly step: Step }
  | { readonly name: 'sending'; readonly phase: SendingPhase; readonly fraction: number }
  | { readonly name: 'done'; readonly result: Result }
  | { readonly name: 'failed'; readonly error: CaptureError; readonly resume: Resume }
  | { readonly name: 'cancelled' };

/** Where trying again leads. */
type Resume =
  { readonly to: 'start' } | { readonly to: 'step'; readonly step: Step } | { readonly to: 'sending' };

/** The whole journey. */
export interface Journey {
  readonly steps: readonly Step[];
  readonly photos: Photos;
  readonly state: State;
}

/** What happens to a journey. Times are ms on one monotonic clock. */
export type Event =
  | { readonly type: 'start'; readonly steps: readonly Step[] }
  | { readonly type: 'assets-loading'; readonly fraction: number }
  | { readonly type: 'camera-live'; readonly now: number }
  | { readonly type: 'analyser-ready'; readonly now: number }
  | { readonly type: 'observed'; readonly issues: readonly Issue[]; readonly now: number }
  | { readonly type: 'shutter' }
  | { readonly type: 'photo-taken'; readonly photo: Photo }
  | { readonly type: 'use' }
  | { readonly type: 'retake' }
  | { readonly type: 'vetoed' }
  | { readonly type: 'sending'; readonly phase: SendingPhase; readonly fraction: number }
  | { readonly type: 'completed'; readonly result: Result }
  | { readonly type: 'failed'; readonly error: CaptureError }
  | { readonly type: 'retry' }
  | { readonly type: 'cancel' };

/** What the session has to do. */
export type Effect =
  | { readonly type: 'open'; readonly step: Step }
  | { readonly type: 'take'; readonly step: Step; readonly frame: 'sharpest' | 'present' }
  | { readonly type: 'stop-camera' }
  | { readonly type: 'submit' }
  | { readonly type: 'release'; readonly photos: 'keep' | 'forget' }
  | { readonly type: 'tell'; readonly news: News };

/** What the page is told, one for one the element's events. */
export type News =
  | { readonly type: 'ready'; readonly step: Step }
  | { readonly type: 'feedback'; readonly step: Step; readonly issues: readonly Issue[] }
  | { readonly type: 'capture'; readonly photo: Photo }
  | { readonly type: 'progress'; readonly phase: 'loading' | SendingPhase; readonly fraction: number }
  | { readonly type: 'complete'; readonly result: Result }
  | { readonly type: 'error'; readonly error: CaptureError }
  | { readonly type: 'cancel' };

/** A journey that has not begun. */
export const NOT_STARTED: Journey = { steps: [], photos: {}, state: { name: 'start' } };

type Next = readonly [Journey, readonly Effect[]];

/**
 * One step of the journey. An event that does not belong to the state changes nothing: events come
 * from cameras, workers and networks, and may be late.
 */
export function step(journey: Journey, event: Event): Next {
  if (event.type === 'cancel') return cancel(journey);
  if (event.type === 'failed') return fail(journey, event.error);
  const { state } = journey;
  switch (state.name) {
    case 'start':
      return event.type === 'start' ? open({ ...journey, steps: event.steps }) : stay(journey);
    case 'opening':
      return opening(journey, state, event);
    case 'live':
      return live(journey, state, event);
    case 'review':
      return review(journey, state, event);
    case 'sending':
      return sending(journey, state, event);
    case 'failed':
      return event.type === 'retry' ? resume(journey, state.resume) : stay(journey);
    case 'done':
    case 'cancelled':
      return event.type === 'start' ? open({ steps: event.steps, photos: {}, state }) : stay(journey);
  }
}

type In<Name extends State['name']> = Extract<State, { name: Name }>;

function opening(journey: Journey, state: In<'opening'>, event: Event): Next {
  switch (event.type) {
    case 'assets-loading':
      return [
        { ...journey, state: { ...state, loaded: Math.max(state.loaded, event.fraction) } },
        [tell({ type: 'progress', phase: 'loading', fraction: event.fraction })],
      ];
    case 'camera-live':
      return goLive(journey, { ...state, cameraLive: true }, event.now);
    case 'analyser-ready':
      return goLive(journey, { ...state, analyserReady: true }, event.now);
    default:
      return stay(journey);
  }
}

function goLive(journey: Journey, state: In<'opening'>, now: number): Next {
  if (!state.cameraLive || !state.analyserReady) return [{ ...journey, state }, []];
  const live: State = {
    name: 'live',
    step: state.step,
    since: now,
    guide: startGuide(now),
    issues: [],
    manual: false,
    taking: false,
  };
  return [{ ...journey, state: live }, [tell({ type: 'ready', step: state.step })]];
}

function live(journey: Journey, state: In<'live'>, event: Event): Next {
  switch (event.type) {
    case 'observed': {
      if (state.taking) return stay(journey);
      const guided = guide(state.guide, event.issues, event.now);
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
    case 'shutter':
      return state.taking || !state.manual
        ? stay(journey)
        : [
            { ...journey, state: { ...state, taking: true } },
            [{ type: 'take', step: state.step, frame: 'present' }],
          ];
    case 'photo-taken':
      return [
        {
          ...journey,
          photos: { ...journey.photos, [state.step]: event.photo },
          state: { name: 'review', step: state.step },
        },
        [{ type: 'stop-camera' }, tell({ type: 'capture', photo: event.photo })],
      ];
    default:
      return stay(journey);
  }
}

function review(journey: Journey, state: In<'review'>, event: Event): Next {
  switch (event.type) {
    case 'use':
      return open(journey);
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
      return last ? [{ ...journey, state: { name: 'review', step: last } }, []] : stay(journey);
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
  return [
    {
      ...journey,
      state: { name: 'opening', step: missing, loaded: 0, cameraLive: false, analyserReady: false },
    },
    [{ type: 'open', step: missing }],
  ];
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
  if (state.name === 'done' || state.name === 'cancelled' || state.name === 'failed') return stay(journey);
  const effects: readonly Effect[] = [{ type: 'release', photos: 'keep' }, tell({ type: 'error', error })];
  const refused = RETAKES[error.code];
  if (refused && journey.photos[refused]) {
    const photos = without(journey.photos, refused);
    return [
      { ...journey, photos, state: { name: 'failed', error, resume: { to: 'step', step: refused } } },
      effects,
    ];
  }
  return [{ ...journey, state: { name: 'failed', error, resume: resumeFrom(state) } }, effects];
}

function resumeFrom(state: State): Resume {
  switch (state.name) {
    case 'opening':
    case 'live':
    case 'review':
      return { to: 'step', step: state.step };
    case 'sending':
      return { to: 'sending' };
    default:
      return { to: 'start' };
  }
}

function resume(journey: Journey, to: Resume): Next {
  return to.to === 'start' ? [{ ...journey, state: { name: 'start' } }, []] : open(journey);
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
