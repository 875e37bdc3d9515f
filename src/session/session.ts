import type { Analyser, AnalyserOptions } from '../analysis/analyser.ts';
import { judge, sharpnessOf, type Judged } from '../domain/assess.ts';
import {
  NOT_STARTED,
  step as advance,
  type Effect,
  type Event,
  type Journey,
  type News,
} from '../domain/flow.ts';
import { guideInPicture, type Box } from '../domain/geometry.ts';
import { holdProgress } from '../domain/guide.ts';
import type { Quad } from '../domain/homography.ts';
import type { Observation } from '../domain/observation.ts';
import { cropOf, isUpsideDown } from '../domain/photo.ts';
import { CaptureError, type GuidanceCode, type Result, type Step } from '../domain/result.ts';
import type { GuidanceRules } from '../domain/rules.ts';
import { STEP_TRAITS } from '../domain/steps.ts';
import { profileOf } from '../providers/profiles.ts';
import type { Camera, CameraOptions, CameraSource } from './camera.ts';
import { cameraTooSmall, takePhoto } from './capture.ts';
import { createJudge, type Judge, type Judgement } from './judge.ts';
import type { SubmitRequest } from './submit.ts';

/** What the page has asked for, checked. Read anew at each use, so that a mended attribute counts. */
export interface Configuration {
  readonly provider: string;
  /** What the provider is asked for, by its own names. */
  readonly analytics: readonly string[];
  readonly steps: readonly Step[];
  readonly tokenEndpoint: URL;
  readonly tokenHeaders: Readonly<Record<string, string>>;
  /** Base URL of the provider where the browser talks to it itself, else null. */
  readonly providerBase: URL | null;
  readonly refNumber: string;
  /** The number, in digits, under which IdentifAI knows the face; for direct mode. */
  readonly faceId: string | null;
  /** Metadata for the provider; only what it documents is passed on to it. */
  readonly context: Readonly<Record<string, string>>;
  readonly assetsBase: URL;
  readonly cameraSource: CameraSource | null;
  /** What a frame has to be like. */
  readonly rules: GuidanceRules;
  /** The photo of a card is cut along the card's own edges, and straightened. */
  readonly straighten: boolean;
  /** The page wants to see why each frame was judged as it was. */
  readonly debug: boolean;
}

/** All that one frame was found to be. It holds a picture of the face and never leaves the device. */
export interface Sighting {
  readonly observation: Observation;
  /** px of the analysis frame. */
  readonly guide: Box;
  readonly rules: GuidanceRules;
  readonly judged: readonly Judged[];
  /** When the camera gave the frame, ms. */
  readonly now: number;
  /** From the camera to the verdict, ms. */
  readonly took: number;
}

/** What a session needs from outside. */
export interface SessionOptions {
  /** @throws CaptureError `configuration-invalid` */
  readonly configuration: () => Configuration;
  readonly onChange: (journey: Journey) => void;
  readonly onNews: (news: News) => void;
  /** Called for each frame while the configuration says `debug`, and never after `close`. */
  readonly onSighting: (sighting: Sighting) => void;
  /** The page's last word before anything is sent; false keeps the photos here. */
  readonly onSubmit: (configuration: Configuration, photos: ReadonlyMap<Step, Blob>) => boolean;
  readonly openCamera: (options: CameraOptions) => Promise<Camera>;
  readonly createAnalyser: (options: AnalyserOptions) => Analyser;
  readonly submit: (request: SubmitRequest) => Promise<Result>;
  /** ms on the clock that frames are stamped with. */
  readonly now: () => number;
}

interface Candidate {
  readonly frame: ImageBitmap;
  readonly sharpness: number;
  /** True where the hold had lasted for a while: its first frames are just within the limits, people still move then. */
  readonly settled: boolean;
  /** The corners of the card, as `Judgement` has them. */
  readonly card: Quad | null;
}

/** A photo by hand waits no longer for the judgement of its frame, ms. */
const JUDGED_WITHIN_MS = 1000;

/** What is found in a frame with one of these may not be the card. */
const DOUBTED: readonly GuidanceCode[] = ['no-card', 'not-a-card', 'card-cut-off'];

/** Part of the hold after which its frames are the ones to choose from. */
const SETTLED_AT = 0.4;

const isBetter = (a: Candidate, b: Candidate): boolean =>
  a.settled === b.settled ? a.sharpness >= b.sharpness : a.settled;

/**
 * Owns camera, worker, photos and the one AbortController behind them, and runs the effects that
 * the flow asks for. Decides nothing.
 */
export class Session {
  journey: Journey = NOT_STARTED;
  camera: Camera | null = null;
  /** The corners of the card that the last frame showed, as `Judgement` has them. */
  card: Quad | null = null;

  readonly #options: SessionOptions;
  readonly #life = new AbortController();
  /** Everything that belongs to the step or the sending under way. */
  #activity = new AbortController();
  #analyser: { readonly analyser: Analyser; readonly judge: Judge; readonly opened: Promise<void> } | null =
    null;
  #best: Candidate | null = null;
  readonly #photos = new Map<Step, { readonly blob: Blob; readonly url: string }>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The one way in: from the person, the camera, the worker and the network. */
  dispatch(event: Event): void {
    if (this.#life.signal.aborted) return;
    const [journey, effects] = advance(this.journey, event);
    if (journey !== this.journey) {
      this.journey = journey;
      this.#forgetDropped();
      this.#options.onChange(journey);
    }
    for (const effect of effects) this.#run(effect);
  }

  /** Begins, or begins again after the end. */
  start(): void {
    try {
      this.dispatch({ type: 'start', steps: this.#options.configuration().steps });
    } catch (error) {
      this.dispatch({ type: 'failed', error: asCaptureError(error) });
    }
  }

  /** The picture of a step's photo, or null. */
  photo(step: Step): { readonly blob: Blob; readonly url: string } | null {
    return this.#photos.get(step) ?? null;
  }

  /** Ends everything: tracks, worker, timers, listeners, object URLs. */
  close(): void {
    this.#life.abort();
    this.#stop();
    this.#closeAnalyser();
    for (const { url } of this.#photos.values()) URL.revokeObjectURL(url);
    this.#photos.clear();
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'open':
        this.#attempt((signal) => this.#open(effect.step, signal));
        return;
      case 'take':
        this.#guard((signal) => this.#take(effect.step, effect.frame, signal));
        return;
      case 'stop-camera':
        this.#stop();
        return;
      case 'submit':
        this.#attempt((signal) => this.#submit(signal));
        return;
      case 'release':
        this.#stop();
        if (effect.photos === 'forget') this.#closeAnalyser();
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
    if (failure.code === 'assets-failed' || failure.code === 'analysis-failed') this.#closeAnalyser();
    this.dispatch({ type: 'failed', error: failure });
  }

  async #open(step: Step, signal: AbortSignal): Promise<void> {
    const configuration = this.#options.configuration();
    const [camera, judgeFrame] = await Promise.all([
      this.#openCamera(step, configuration, signal),
      this.#openAnalyser(configuration).then((judgeFrame) => {
        signal.throwIfAborted();
        this.dispatch({ type: 'analyser-ready', now: this.#options.now() });
        return judgeFrame;
      }),
    ]);
    while (!signal.aborted && !this.#isTaking()) await this.#observe(step, camera, judgeFrame, signal);
  }

  async #openCamera(step: Step, configuration: Configuration, signal: AbortSignal): Promise<Camera> {
    const camera = await this.#options.openCamera({
      step,
      facing: STEP_TRAITS[step].facing,
      source: configuration.cameraSource,
      signal,
      onLost: (error) => this.#fail(error),
    });
    if (signal.aborted) {
      camera.stop();
      signal.throwIfAborted();
    }
    this.camera = camera;
    const limits = profileOf(configuration.provider).limits[step];
    const size = camera.size();
    if (!cropOf(step, size, guideInPicture(step, size), limits)) throw cameraTooSmall(size, limits);
    this.dispatch({ type: 'camera-live', now: this.#options.now() });
    return camera;
  }

  async #openAnalyser({ assetsBase }: Configuration): Promise<Judge> {
    if (!this.#analyser) {
      const analyser = this.#options.createAnalyser({
        assetsBase,
        integrity: null,
        rung: 'worker',
        signal: this.#life.signal,
      });
      const opened = analyser.open((fraction) => this.dispatch({ type: 'assets-loading', fraction }));
      this.#analyser = { analyser, judge: createJudge(analyser), opened };
    }
    const { judge, opened } = this.#analyser;
    await opened;
    return judge;
  }

  /** One frame, from the camera to the flow. Frames that come while it is analysed are dropped. */
  async #observe(step: Step, camera: Camera, judgeFrame: Judge, signal: AbortSignal): Promise<void> {
    const now = await camera.nextFrame();
    signal.throwIfAborted();
    if (this.#isTaking()) return;
    const frame = await createImageBitmap(camera.video);
    let kept = false;
    try {
      const began = this.#options.now();
      const { rules, debug } = this.#options.configuration();
      const judgement = await judgeFrame(step, frame, { rules, now, detailed: debug });
      const { observation, guide, issues, card } = judgement;
      signal.throwIfAborted();
      this.card = card;
      if (debug) {
        const judged = judge(observation, guide, rules);
        this.#options.onSighting({
          observation,
          guide,
          rules,
          judged,
          now,
          took: this.#options.now() - began,
        });
      }
      kept = this.#keepSharpest(
        issues.length === 0
          ? { frame, sharpness: sharpnessOf(observation), settled: this.#isSettled(), card }
          : null,
      );
      this.dispatch({ type: 'observed', issues, now });
    } catch (error) {
      // The photo under way comes about without the worker as well.
      if (!this.#isTaking()) throw error;
    } finally {
      if (!kept) frame.close();
    }
  }

  /**
   * Keeps the sharpest frame of an unbroken hold, of its settled part once there is one; null breaks the hold.
   * @returns true where the candidate was kept, and so is closed here or by the shutter
   */
  #keepSharpest(candidate: Candidate | null): boolean {
    if (candidate && this.#best && isBetter(this.#best, candidate)) return false;
    this.#best?.frame.close();
    this.#best = candidate;
    return candidate !== null;
  }

  #isSettled(): boolean {
    const { state } = this.journey;
    return state.name === 'live' && holdProgress(state.guide) >= SETTLED_AT;
  }

  #isTaking(): boolean {
    const { state } = this.journey;
    return state.name === 'live' && state.taking;
  }

  async #take(step: Step, which: 'sharpest' | 'present', signal: AbortSignal): Promise<void> {
    const best = which === 'sharpest' ? this.#best : null;
    if (best) this.#best = null;
    const frame = best?.frame ?? (await this.#presentFrame());
    try {
      const { card, issues } = best ? { card: best.card, issues: [] } : await this.#judgePhoto(step, frame);
      const guide = guideInPicture(step, frame);
      const { provider, straighten } = this.#options.configuration();
      const limits = profileOf(provider).limits[step];
      const { photo, blob } = await takePhoto({ step, frame, guide, card, straighten, limits });
      if (signal.aborted) return;
      this.#photos.set(step, { blob, url: URL.createObjectURL(blob) });
      this.dispatch({ type: 'photo-taken', photo: { ...photo, issues } });
    } finally {
      frame.close();
    }
  }

  /** Judges a photo by hand as the very frame it is. Where that cannot be done in time, the last frame's issues have to do. */
  async #judgePhoto(step: Step, frame: ImageBitmap): Promise<Pick<Judgement, 'card' | 'issues'>> {
    const { state } = this.journey;
    const unknown = { card: null, issues: state.name === 'live' ? state.issues : [] };
    const { rules } = this.#options.configuration();
    const judging = this.#analyser?.judge(step, frame, { rules, now: this.#options.now(), detailed: false });
    const late = new Promise<null>((resolve) => setTimeout(resolve, JUDGED_WITHIN_MS, null));
    const judged = judging?.catch((error: unknown) => {
      // The next step gets a fresh one, unless it was only that this frame has gone.
      if (error instanceof CaptureError) this.#closeAnalyser();
      return null;
    });
    const { card, issues } = (await Promise.race([judged, late])) ?? unknown;
    // Cut along what may be none, a photo could lose the card.
    if (issues.some(({ code }) => DOUBTED.includes(code))) return { card: null, issues };
    // The photo is turned upright.
    const turned = card !== null && isUpsideDown(card);
    return { card, issues: issues.filter(({ code }) => !(turned && code === 'card-upside-down')) };
  }

  #presentFrame(): Promise<ImageBitmap> {
    if (!this.camera) throw new CaptureError('camera-lost', 'There is no camera to photograph with.');
    return createImageBitmap(this.camera.video);
  }

  async #submit(signal: AbortSignal): Promise<void> {
    const configuration = this.#options.configuration();
    const photos = new Map([...this.#photos].map(([step, { blob }]) => [step, blob]));
    if (!this.#options.onSubmit(configuration, photos)) {
      this.dispatch({ type: 'vetoed' });
      return;
    }
    const result = await this.#options.submit({
      ...configuration,
      photos,
      signal,
      onProgress: ({ phase, fraction }) => this.dispatch({ type: 'sending', phase, fraction }),
    });
    if (!signal.aborted) this.dispatch({ type: 'completed', result });
  }

  /** Ends the activity under way: camera, frames, requests. Photos and the worker stay. */
  #stop(): void {
    this.#activity.abort();
    this.#activity = new AbortController();
    this.camera?.stop();
    this.camera = null;
    this.card = null;
    this.#keepSharpest(null);
  }

  #closeAnalyser(): void {
    this.#analyser?.analyser.close();
    this.#analyser = null;
  }

  #forgetDropped(): void {
    for (const [step, { url }] of this.#photos) {
      if (this.journey.photos[step] || this.journey.state.name === 'live') continue;
      URL.revokeObjectURL(url);
      this.#photos.delete(step);
    }
  }
}

function asCaptureError(error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  // The name alone: a message of the browser's may quote more than a page should log.
  const name = error instanceof Error ? error.name : typeof error;
  return new CaptureError('analysis-failed', `The session met a fault it does not know: ${name}.`, {
    cause: error,
  });
}
