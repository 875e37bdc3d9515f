import { createPart } from '../analysis/part.ts';
import { step as advance } from '../domain/flow.ts';
import { NOT_STARTED, type Effect, type Event, type Journey } from '../domain/journey.ts';
import { CaptureError, type Step } from '../domain/result.ts';
import { createCaptureRecord } from './capture-context.ts';
import { Ladder } from './ladder.ts';
import type { SessionOptions } from './options.ts';
import type { Outbox, Parcel } from './outbox.ts';
import { Viewfinder, type MadePhoto } from './viewfinder.ts';

const loadOutbox = createPart('outbox', () => import('./outbox.ts'));

/** A photo with the address of its picture. */
interface KeptPhoto extends MadePhoto {
  readonly url: string;
}

/** How long photos wait for the person where none is stored, ms. Assumed: somebody in a kiosk has left by then. */
const UNSTORED_LIFETIME = 5 * 60_000;

/** What one submission is known by. */
type Names = Pick<Parcel, 'refNumber' | 'submissionKey'>;

/**
 * Owns camera, analysis, photos, outbox and the one AbortController behind them, and runs the effects that
 * the flow asks for. Decides nothing.
 */
export class Session {
  journey: Journey = NOT_STARTED;

  readonly #options: SessionOptions;
  readonly #life = new AbortController();
  readonly #ladder: Ladder;
  readonly #viewfinder: Viewfinder;
  readonly #record = createCaptureRecord();
  /** Everything that belongs to the step or the sending under way. */
  #activity = new AbortController();
  readonly #photos = new Map<Step, KeptPhoto>();
  #names: Names = newNames();
  /** Where accepted photos wait, and for what; it is made when it is first needed. */
  #outbox: { readonly scope: string; readonly opened: Promise<Outbox | null> } | null = null;
  /** What was looked for last. */
  #restored = '';
  /** The camera that the person switched to, for the next time one is opened. */
  #preferred: string | undefined;
  /** Cameras that were open since the last time that all have been. */
  readonly #seenCameras = new Set<string>();
  /** The file that the person chose. */
  #file: File = new File([], '');
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const dispatch = (event: Event): void => this.dispatch(event);
    this.#ladder = new Ladder({
      ...options,
      signal: this.#life.signal,
      onLoading: (fraction) => dispatch({ type: 'assets-loading', fraction }),
      onFall: (rung, because, after) => dispatch({ type: 'fell', rung, because, after }),
    });
    this.#viewfinder = new Viewfinder({
      ...options,
      ladder: this.#ladder,
      record: this.#record,
      dispatch,
      state: () => this.journey.state,
      onLost: (error) => {
        const { state } = this.journey;
        // Its frame is there already, and the review needs no camera.
        if (state.name !== 'live' || !state.taking) this.#fail(error);
      },
    });
    document.addEventListener(
      'visibilitychange',
      () => dispatch({ type: document.visibilityState === 'hidden' ? 'hidden' : 'shown' }),
      { signal: this.#life.signal },
    );
  }

  get camera(): Viewfinder['camera'] {
    return this.#viewfinder.camera;
  }

  get card(): Viewfinder['card'] {
    return this.#viewfinder.card;
  }

  /** The one way in: from the person, the camera, the worker and the network. */
  dispatch(event: Event): void {
    if (this.#life.signal.aborted) return;
    const [journey, effects] = advance(this.journey, event);
    const before = this.journey;
    if (journey !== before) {
      this.journey = journey;
      if (journey.photos !== before.photos || journey.state.name !== before.state.name) this.#allowTime();
      this.#forgetDropped();
      this.#options.onChange(journey);
    }
    for (const effect of effects) this.#run(effect);
  }

  /** Takes up what a reload left behind, where the page lets anything be kept. Asks once for each submission. */
  async restore(): Promise<void> {
    const scope = this.#scope()?.text;
    const hasBegun = (): boolean => this.journey.state.name !== 'start';
    if (scope === undefined || scope === this.#restored || hasBegun()) return;
    this.#restored = scope;
    const parcel = await (await this.#openOutbox())?.restore();
    if (!parcel || this.#life.signal.aborted) return;
    // Who has begun already begins anew.
    if (hasBegun()) {
      // What is kept from here on takes its place.
      if (Object.keys(this.journey.photos).length === 0) void this.#wipe();
      return;
    }
    this.#names = parcel;
    for (const [step, made] of parcel.photos) {
      this.#hold(step, made);
      this.#record.photo(step, made.photo.rung);
    }
    const photos = Object.fromEntries([...parcel.photos].map(([step, { photo }]) => [step, photo]));
    this.dispatch({ type: 'restored', steps: parcel.steps, photos });
  }

  /**
   * Fetches and starts the analysis ahead of the person, or of the next one, who is told of faults once they begin. Asks
   * once for each folder.
   */
  prepare(): void {
    const { connection } = navigator as { readonly connection?: { readonly saveData?: boolean } };
    const isIdle = ['start', 'done', 'cancelled'].includes(this.journey.state.name);
    if (isIdle && connection?.saveData !== true) this.#ladder.prepare();
  }

  /** Begins, goes on with the photos that were kept, or begins again after the end. */
  start(): void {
    if (this.#photos.size === 0) {
      this.#names = newNames();
      this.#record.reset();
    }
    try {
      this.dispatch({ type: 'start', steps: this.#options.configuration().steps });
    } catch (error) {
      this.dispatch({ type: 'failed', error: asCaptureError(error) });
    }
  }

  /** Takes the file for the photo of the present step. */
  choose(file: File): void {
    this.#file = file;
    this.dispatch({ type: 'chosen' });
  }

  /** Opens the next of the device's cameras. */
  switchCamera(): void {
    const { state } = this.journey;
    if (state.name !== 'live' || state.taking) return;
    const { deviceId, others = [] } = this.camera ?? {};
    if (deviceId) this.#seenCameras.add(deviceId);
    if (others.every((other) => this.#seenCameras.has(other.deviceId))) this.#seenCameras.clear();
    this.#preferred = others.find((other) => !this.#seenCameras.has(other.deviceId))?.deviceId;
    this.dispatch({ type: 'switch' });
  }

  /** The picture of a step's photo, or null. */
  photo(step: Step): { readonly blob: Blob; readonly url: string } | null {
    return this.#photos.get(step) ?? null;
  }

  /** Ends everything: tracks, worker, timers, listeners, object URLs. What waits in the outbox stays there. */
  close(): void {
    this.#life.abort();
    this.#stop();
    this.#ladder.close();
    this.#record.stop();
    clearTimeout(this.#expiry);
    this.#closeOutbox();
    for (const { url } of this.#photos.values()) URL.revokeObjectURL(url);
    this.#photos.clear();
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'open': {
        const preferred = this.#preferred;
        this.#preferred = undefined;
        this.#attempt((signal) => this.#viewfinder.observe(effect.step, preferred, signal));
        return;
      }
      case 'take':
        this.#guard((signal) => this.#take(effect.step, effect.frame, signal));
        return;
      case 'stop-camera':
        this.#stop();
        return;
      case 'keep':
        void this.#keep();
        return;
      case 'wipe':
        void this.#wipe();
        return;
      case 'submit':
        this.#attempt((signal) => this.#submit(signal));
        return;
      case 'release':
        this.#stop();
        if (effect.photos === 'keep') return;
        this.#ladder.reset();
        void this.#wipe();
        return;
      case 'tell':
        this.#options.onNews(effect.news);
        return;
    }
  }

  /** Starts an activity in place of the one under way. */
  #attempt(work: (signal: AbortSignal) => Promise<void>): void {
    this.#stop();
    this.#guard(work);
  }

  /** Does a part of the activity under way; its faults end up in the flow, unless the activity has ended. */
  #guard(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#activity;
    work(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    const failure = asCaptureError(error);
    if (failure.code === 'assets-failed' || failure.code === 'analysis-failed') this.#ladder.close();
    if (failure.settled) {
      this.#renewKey();
      void this.#keep();
    }
    this.dispatch({ type: 'failed', error: failure });
  }

  /** The relay answers for a key once; what is sent from here on is another submission. */
  #renewKey(): void {
    this.#names = { ...this.#names, submissionKey: newNumber() };
  }

  async #take(step: Step, from: 'sharpest' | 'present' | 'file', signal: AbortSignal): Promise<void> {
    const made = await this.#viewfinder.take(step, from === 'file' ? this.#file : from);
    if (signal.aborted) return;
    // What other photos were sent under is not what these are.
    this.#renewKey();
    this.#hold(step, made);
    this.dispatch({ type: 'photo-taken', photo: made.photo });
  }

  #hold(step: Step, made: MadePhoto): void {
    this.#photos.set(step, { ...made, url: URL.createObjectURL(made.blob) });
  }

  async #submit(signal: AbortSignal): Promise<void> {
    const configuration = this.#options.configuration();
    const refNumber = configuration.refNumber ?? this.#names.refNumber;
    const photos = new Map([...this.#photos].map(([step, { blob }]) => [step, blob]));
    const { provider, steps } = configuration;
    const captureContext = this.#record.toJSON();
    if (!this.#options.onSubmit({ provider, refNumber, steps, photos, captureContext })) {
      this.dispatch({ type: 'vetoed' });
      return;
    }
    const result = await this.#options.submit({
      ...configuration,
      refNumber,
      photos,
      submissionKey: this.#names.submissionKey,
      captureContext: { ...captureContext },
      signal,
      onProgress: ({ phase, fraction }) => this.dispatch({ type: 'sending', phase, fraction }),
    });
    if (!signal.aborted) this.dispatch({ type: 'completed', result });
  }

  /** Null where the page wants nothing kept, and where it cannot be. */
  #openOutbox(): Promise<Outbox | null> {
    const scope = this.#scope();
    if (scope === null) return Promise.resolve(null);
    if (this.#outbox?.scope !== scope.text) {
      // Nobody would find what was kept for another submission, but the next to ask for that one.
      void this.#wipe();
      this.#closeOutbox();
      const { text, lifetime } = scope;
      const opened = loadOutbox().then(
        ({ createOutbox }) =>
          this.#life.signal.aborted
            ? null
            : createOutbox({ scope: text, lifetime, onExpired: () => this.#expire() }),
        // A journey does not need it.
        () => null,
      );
      this.#outbox = { scope: text, opened };
    }
    return this.#outbox.opened;
  }

  /** For which submissions photos are kept, and how long, ms. A mistake of the page's is told when the person starts. */
  #scope(): { readonly text: string; readonly lifetime: number } | null {
    try {
      const { tokenEndpoint, provider, refNumber, persist } = this.#options.configuration();
      if (persist === null) return null;
      return { text: JSON.stringify([tokenEndpoint.href, provider, refNumber]), lifetime: persist };
    } catch {
      return null;
    }
  }

  async #keep(): Promise<void> {
    const { steps, photos: accepted } = this.journey;
    const photos = new Map([...this.#photos].filter(([step]) => accepted[step]));
    const outbox = await this.#openOutbox();
    await outbox?.keep({ ...this.#names, steps, photos });
  }

  async #wipe(): Promise<void> {
    await (await this.#outbox?.opened)?.wipe();
  }

  #closeOutbox(): void {
    void this.#outbox?.opened.then((outbox) => outbox?.close());
    this.#outbox = null;
  }

  /** Photos that nobody goes on with are forgotten, also where none was stored: the next person may stand there. */
  #allowTime(): void {
    clearTimeout(this.#expiry);
    if (Object.keys(this.journey.photos).length === 0) return;
    this.#expiry = setTimeout(() => this.#expire(), this.#scope()?.lifetime ?? UNSTORED_LIFETIME);
  }

  #expire(): void {
    this.#fail(new CaptureError('photos-expired', 'The photos were not sent in time, and are forgotten.'));
  }

  /** Ends the activity under way: camera, frames, requests. Photos and the worker stay. */
  #stop(): void {
    this.#activity.abort();
    this.#activity = new AbortController();
    this.#viewfinder.stop();
  }

  #forgetDropped(): void {
    for (const [step, { url }] of this.#photos) {
      if (this.journey.photos[step]) continue;
      URL.revokeObjectURL(url);
      this.#photos.delete(step);
    }
  }
}

/** 32 hexadecimal digits: unique, and within what both providers take. */
function newNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function newNames(): Names {
  return { refNumber: newNumber(), submissionKey: newNumber() };
}

function asCaptureError(error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  // The name alone: a message of the browser's may quote more than a page should log.
  const name = error instanceof Error ? error.name : typeof error;
  return new CaptureError('analysis-failed', `The session met a fault it does not know: ${name}.`, {
    cause: error,
  });
}
