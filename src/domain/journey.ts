import type { Guide } from './guide.ts';
import type { Size } from './geometry.ts';
import type { Rung } from './ladder.ts';
import type { CaptureError, ErrorCode, Issue, Result, Step } from './result.ts';

/** A photo that was taken; the picture itself stays with the session. */
export interface Photo extends Size {
  readonly step: Step;
  readonly bytes: number;
  /** Encodes of the whole that it took to meet the limits. */
  readonly encodes: number;
  /** What may be wrong with it, the most helpful first; nothing where the shutter went by itself. */
  readonly issues: readonly Issue[];
  /** How it came about; nobody judged a photo of `manual`. */
  readonly rung: Rung;
}

/**
 * What keeps a camera from giving a picture for the moment: another app or a call has it, it shows black and nothing
 * else, its frames have stopped.
 */
export type Trouble = 'muted' | 'black' | 'frozen';

/** What submitting is doing: asking for the token, sending, waiting for the provider, or for the network to come back. */
export type SendingPhase = 'token' | 'uploading' | 'waiting' | 'offline';

/** Photos by step; what is here is never lost but by retake, cancel or success. */
export type Photos = Readonly<Partial<Record<Step, Photo>>>;

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
      /** The page is hidden, and the camera off until it is shown again. */
      readonly away: boolean;
      /** As in `live`: the camera may be in trouble before the analysis is there. */
      readonly trouble: Trouble | null;
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
      /** What the person waits for, or has to mend. */
      readonly trouble: Trouble | null;
    }
  | {
      /** In place of the camera: the person chooses a file. */
      readonly name: 'choosing';
      readonly step: Step;
      /** One was chosen, and the photo is being made of it. */
      readonly taking: boolean;
    }
  | { readonly name: 'review'; readonly step: Step }
  | { readonly name: 'sending'; readonly phase: SendingPhase; readonly fraction: number }
  | { readonly name: 'done'; readonly result: Result }
  | { readonly name: 'failed'; readonly error: CaptureError; readonly resume: Resume }
  | { readonly name: 'cancelled' };

/** Where trying again leads. */
export type Resume =
  { readonly to: 'start' } | { readonly to: 'step'; readonly step: Step } | { readonly to: 'sending' };

/** The whole journey. */
export interface Journey {
  readonly steps: readonly Step[];
  /** Where the journey has not started: those that were kept from before a reload. */
  readonly photos: Photos;
  /** How photos come about at present. */
  readonly rung: Rung;
  readonly state: State;
}

/** What happens to a journey. Times are ms on one monotonic clock. */
export type Event =
  | { readonly type: 'restored'; readonly steps: readonly Step[]; readonly photos: Photos }
  | { readonly type: 'forget' }
  | { readonly type: 'start'; readonly steps: readonly Step[] }
  | { readonly type: 'assets-loading'; readonly fraction: number }
  | { readonly type: 'camera-live'; readonly now: number }
  | { readonly type: 'analyser-ready'; readonly rung: Rung; readonly now: number }
  | {
      readonly type: 'fell';
      /** What is tried next. */
      readonly rung: Rung;
      readonly because: ErrorCode;
      /** ms since the rung before was entered. */
      readonly after: number;
    }
  | {
      readonly type: 'observed';
      readonly issues: readonly Issue[];
      readonly now: number;
      /** As `FaceObservation` has it. */
      readonly preliminary?: boolean;
    }
  | { readonly type: 'trouble'; readonly trouble: Trouble | null }
  | { readonly type: 'hidden' }
  | { readonly type: 'shown' }
  | { readonly type: 'switch' }
  | { readonly type: 'shutter' }
  | { readonly type: 'choose' }
  | { readonly type: 'chosen' }
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
  | { readonly type: 'take'; readonly step: Step; readonly frame: 'sharpest' | 'present' | 'file' }
  | { readonly type: 'stop-camera' }
  | { readonly type: 'keep' }
  | { readonly type: 'wipe' }
  | { readonly type: 'submit' }
  | { readonly type: 'release'; readonly photos: 'keep' | 'forget' }
  | { readonly type: 'tell'; readonly news: News };

/** What the page is told, one for one the element's events. */
export type News =
  | { readonly type: 'ready'; readonly step: Step }
  | {
      readonly type: 'rung';
      readonly rung: Rung;
      /** Why it is another than before; null where a better one works again. */
      readonly because: ErrorCode | null;
      /** ms that the rung before was tried, or worked. */
      readonly after: number;
    }
  | { readonly type: 'trouble'; readonly trouble: Trouble | null }
  | { readonly type: 'feedback'; readonly step: Step; readonly issues: readonly Issue[] }
  | { readonly type: 'capture'; readonly photo: Photo }
  | { readonly type: 'progress'; readonly phase: 'loading' | SendingPhase; readonly fraction: number }
  | { readonly type: 'complete'; readonly result: Result }
  | { readonly type: 'error'; readonly error: CaptureError }
  | { readonly type: 'cancel' };

/** A journey that has not begun. */
export const NOT_STARTED: Journey = { steps: [], photos: {}, rung: 'worker', state: { name: 'start' } };
