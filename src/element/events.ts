import type { News, SendingPhase, Trouble } from '../domain/journey.ts';
import type { CaptureContext } from '../session/capture-context.ts';
import type { Rung } from '../domain/ladder.ts';
import type { ErrorCode, GuidanceCode, Issue, Result, Step, Unit } from '../domain/result.ts';

/** The camera of a step is live and judged. */
export interface ReadyDetail {
  readonly step: Step;
}

/** The hint has changed. `code` is the most helpful broken rule, or null where all rules hold. */
export interface FeedbackDetail {
  readonly step: Step;
  readonly code: GuidanceCode | null;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly unit: Unit | null;
}

/** A photo was taken. The Blob is a JPEG without EXIF. */
export interface CaptureDetail {
  readonly step: Step;
  readonly blob: Blob;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** Encodes of the whole that it took to meet the provider's limits. */
  readonly encodes: number;
  /** Rules that a photo by hand breaks, the most helpful first; empty where the shutter went by itself. */
  readonly issues: readonly Issue[];
  /** How the photo came about; nobody judged one of `manual`. */
  readonly rung: Rung;
}

/** Photos come about in another way from here on. */
export interface RungDetail {
  readonly rung: Rung;
  /** Why the rung before was left; null where a better one works again. */
  readonly because: ErrorCode | null;
  /** ms that the rung before was tried, or worked. */
  readonly after: number;
}

/** The camera gives no picture for the moment, or null: it does again. */
export interface TroubleDetail {
  readonly trouble: Trouble | null;
}

/**
 * All photos are accepted, and those of the providers' verification (selfie and KTP) are about to be sent;
 * `preventDefault()` keeps them here. Photos of further cards go no further than this event.
 */
export interface SubmitDetail {
  readonly provider: string;
  readonly refNumber: string;
  readonly steps: readonly Step[];
  readonly photos: ReadonlyMap<Step, Blob>;
  /** How the photos came about: signals for whoever decides, not verdicts. */
  readonly captureContext: CaptureContext;
}

/** How far loading or sending is; fraction 0..1 of the phase. */
export interface ProgressDetail {
  readonly phase: 'loading' | SendingPhase;
  readonly fraction: number;
}

/** Something went wrong. */
export interface ErrorDetail {
  readonly code: ErrorCode;
  /** English, for developers; holds nothing personal. */
  readonly message: string;
  /** True where trying again without a change to page or device may help. */
  readonly retryable: boolean;
  /** Why the provider refused a photo, in guidance codes. */
  readonly guidance: readonly GuidanceCode[];
  /** The provider's body where it could not be understood, else null. */
  readonly raw: unknown;
}

/** The events of `<kyc-capture>`: all bubble and are composed; only `kyc-submit` can be cancelled. */
export interface KycEventMap {
  'kyc-ready': CustomEvent<ReadyDetail>;
  'kyc-rung': CustomEvent<RungDetail>;
  'kyc-trouble': CustomEvent<TroubleDetail>;
  'kyc-feedback': CustomEvent<FeedbackDetail>;
  'kyc-capture': CustomEvent<CaptureDetail>;
  'kyc-submit': CustomEvent<SubmitDetail>;
  'kyc-progress': CustomEvent<ProgressDetail>;
  'kyc-complete': CustomEvent<Result>;
  'kyc-error': CustomEvent<ErrorDetail>;
  'kyc-cancel': CustomEvent<null>;
}

/** Errors that stay until the page or the device is changed. */
const NOT_RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'configuration-invalid',
  'insecure-page',
  'in-app-browser',
  'camera-blocked',
  'camera-too-small',
  'provider-credentials',
  'provider-parameter',
  'provider-balance',
]);

/** Dispatches one of the widget's events. @returns false where a listener prevented it */
export function fire<Name extends keyof KycEventMap>(
  target: EventTarget,
  name: Name,
  detail: KycEventMap[Name]['detail'],
): boolean {
  return target.dispatchEvent(
    new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: name === 'kyc-submit' }),
  );
}

/**
 * Dispatches the event for a piece of news.
 * @param photoOf the picture of a step's photo, or null
 */
export function tell(target: EventTarget, news: News, photoOf: (step: Step) => Blob | null): void {
  switch (news.type) {
    case 'ready':
      fire(target, 'kyc-ready', { step: news.step });
      return;
    case 'rung':
      fire(target, 'kyc-rung', { rung: news.rung, because: news.because, after: Math.round(news.after) });
      return;
    case 'trouble':
      fire(target, 'kyc-trouble', { trouble: news.trouble });
      return;
    case 'feedback': {
      const { code = null, value = null, threshold = null, unit = null } = news.issues[0] ?? {};
      fire(target, 'kyc-feedback', { step: news.step, code, value, threshold, unit });
      return;
    }
    case 'capture': {
      const blob = photoOf(news.photo.step);
      if (blob) fire(target, 'kyc-capture', { ...news.photo, blob });
      return;
    }
    case 'progress':
      fire(target, 'kyc-progress', { phase: news.phase, fraction: news.fraction });
      return;
    case 'complete':
      fire(target, 'kyc-complete', news.result);
      return;
    case 'error': {
      const { code, message, guidance, raw } = news.error;
      const retryable = !NOT_RETRYABLE.has(code);
      fire(target, 'kyc-error', { code, message, guidance, raw: raw ?? null, retryable });
      return;
    }
    case 'cancel':
      fire(target, 'kyc-cancel', null);
      return;
  }
}

declare global {
  // Interface merging is how listeners on the element and its ancestors get these types.
  interface HTMLElementEventMap extends KycEventMap {}
}
