import { sightOf } from '../analysis/analyser.ts';
import { createPart } from '../analysis/part.ts';
import { isPreliminary, judge, sharpnessOf, showsSomething } from '../domain/assess.ts';
import { guideInPicture, wholeOf, type Box } from '../domain/geometry.ts';
import { holdProgress } from '../domain/guide.ts';
import type { Quad } from '../domain/homography.ts';
import type { Event, Photo, State } from '../domain/journey.ts';
import { isOutOfPlace } from '../domain/pace.ts';
import { cameraTooSmall, cropOf, isUpsideDown } from '../domain/photo.ts';
import { CaptureError, type GuidanceCode, type Step } from '../domain/result.ts';
import { STEP_TRAITS } from '../domain/steps.ts';
import { profileOf } from '../providers/profiles.ts';
import type { Camera } from './camera.ts';
import type { CaptureRecord } from './capture-context.ts';
import { type CameraFrame, type TakeFrame, takesFrames } from './frames.ts';
import type { Judge, Judgement } from './judge.ts';
import type { Ladder } from './ladder.ts';
import type { Configuration, SessionOptions } from './options.ts';
import { release, Sharpest, type Still } from './sharpest.ts';

const loadCapture = createPart('capture', () => import('./capture.ts'));
const loadUpload = createPart('upload', () => import('./upload.ts'));

/** What a viewfinder needs. */
interface ViewfinderOptions extends Pick<
  SessionOptions,
  'configuration' | 'onSighting' | 'openCamera' | 'now'
> {
  readonly ladder: Ladder;
  readonly record: CaptureRecord;
  readonly dispatch: (event: Event) => void;
  readonly state: () => State;
  readonly onLost: (error: CaptureError) => void;
}

/** A photo that was made, and its picture. */
export interface MadePhoto {
  readonly photo: Photo;
  readonly blob: Blob;
}

/** What a still picture was found to be. */
type Verdict = Pick<Judgement, 'card' | 'issues'>;

/** A photo by hand waits no longer for the judgement of its frame, ms. */
const JUDGED_WITHIN_MS = 1000;

/** A file of a face is looked at so often: more faces are looked for in one part of the picture after the other. */
const LOOKS = 5;
/** ms that are said to lie between two looks. */
const LOOK_EVERY_MS = 250;

/** Frames in a row that may be missed, and the pause after each, ms. Assumed: two seconds are too long to be passing. */
const MOST_MISSES = 20;
const MISS_PAUSE_MS = 100;

/** What is found in a frame with one of these may not be the card. */
const DOUBTED: readonly GuidanceCode[] = ['no-card', 'not-a-card', 'card-cut-off'];

/** Part of the hold after which its frames are the ones to choose from. */
const SETTLED_AT = 0.4;

/** Looks through the camera, has every frame judged, and makes the photo of the best. Decides nothing. */
export class Viewfinder {
  camera: Camera | null = null;
  /** The corners of the card that the last frame showed, as `Judgement` has them. */
  card: Quad | null = null;

  readonly #options: ViewfinderOptions;
  readonly #sharpest = new Sharpest();
  /** How often in a row the camera's frame could not be taken. */
  #misses = 0;

  constructor(options: ViewfinderOptions) {
    this.#options = options;
  }

  /**
   * Opens camera and analysis side by side, and observes until a photo is taken or the signal aborts.
   * @param preferred the camera to open, by its `deviceId`; else the one that suits the step
   * @throws CaptureError, and the signal's reason
   */
  async observe(step: Step, preferred: string | undefined, signal: AbortSignal): Promise<void> {
    const { ladder, dispatch, now, configuration } = this.#options;
    let opened: TakeFrame | null = null;
    let next: Promise<CameraFrame> | null = null;
    const open = async (): Promise<{ camera: Camera; take: TakeFrame }> => {
      const camera = await this.#openCamera(step, preferred, configuration(), signal);
      const take = (opened = takesFrames(camera.video, STEP_TRAITS[step].subject, () =>
        isOutOfPlace(this.#issues()),
      ));
      return { camera, take };
    };
    const climb = async (): Promise<Judge | null> => {
      const judgeFrame = await ladder.climb();
      signal.throwIfAborted();
      // Before the screen is drawn anew, which takes longer.
      if (judgeFrame) next ??= opened?.(now()) ?? null;
      dispatch({ type: 'analyser-ready', rung: ladder.rung, now: now() });
      return judgeFrame;
    };
    const [{ camera, take }, first] = await Promise.all([open(), climb()]);
    let judgeFrame = first;
    try {
      while (judgeFrame && !signal.aborted && !this.#isTaking()) {
        const frame = await (next ?? take(now()));
        // Taken while this one is judged.
        next = take(camera.nextFrame());
        try {
          await this.#look(step, frame, judgeFrame, signal);
        } catch (error) {
          if (this.#isTaking()) {
            // The photo under way comes about without the analysis as well; the next step gets a fresh one.
            if (error instanceof CaptureError) ladder.drop(judgeFrame);
            return;
          }
          if (!ladder.fall(error)) throw error;
          judgeFrame = await climb();
        }
      }
    } finally {
      void next?.then(closeFrame);
    }
  }

  /**
   * Makes a photo: of the sharpest frame of the hold, of the one that the camera shows at present, or of a file.
   * @throws CaptureError
   */
  async take(step: Step, from: 'sharpest' | 'present' | File): Promise<MadePhoto> {
    if (from instanceof File) return this.#takeFile(step, from);
    const { rung } = this.#options.ladder;
    const best = from === 'sharpest' ? this.#sharpest.take() : null;
    if (best) {
      const { still, card } = best;
      const made = this.#make(step, still, guideInPicture(step, still), { card, issues: [] }, rung);
      return made.finally(() => release(still));
    }
    const frame = await this.#presentFrame();
    try {
      const verdict = await this.#judgeByHand(step, frame);
      return await this.#make(step, frame, guideInPicture(step, frame), verdict, rung);
    } finally {
      frame.close();
    }
  }

  /** Lets go of the camera and of the frame that was kept. */
  stop(): void {
    this.camera?.stop();
    this.camera = null;
    this.card = null;
    this.#sharpest.close();
  }

  async #openCamera(
    step: Step,
    preferred: string | undefined,
    { cameraSource, persist, provider }: Configuration,
    signal: AbortSignal,
  ): Promise<Camera> {
    const { openCamera, dispatch, onLost, now, record } = this.#options;
    const camera = await openCamera({
      step,
      facing: STEP_TRAITS[step].facing,
      source: cameraSource,
      signal,
      preferred,
      memory: persist === null ? null : storage(),
      onTrouble: (trouble) => dispatch({ type: 'trouble', trouble }),
      onLost,
    });
    if (signal.aborted) {
      camera.stop();
      signal.throwIfAborted();
    }
    this.camera = camera;
    record.camera(camera, cameraSource ? 'page' : 'browser');
    const limits = profileOf(provider).limits[step];
    const size = camera.size();
    if (!cropOf(step, size, guideInPicture(step, size), limits)) throw cameraTooSmall(size, limits);
    dispatch({ type: 'camera-live', now: now() });
    // Before the shutter, which asks again where it did not come.
    loadCapture().catch(() => undefined);
    return camera;
  }

  /** One frame, from the camera to the flow. Frames that come while it is analysed are dropped, but for one. */
  async #look(step: Step, frame: CameraFrame, judgeFrame: Judge, signal: AbortSignal): Promise<void> {
    const { configuration, onSighting, dispatch, record } = this.#options;
    const { sight, whole, now } = frame;
    if (signal.aborted || this.#isTaking()) {
      closeFrame(frame);
      signal.throwIfAborted();
      return;
    }
    record.frame(now);
    if (!sight) {
      await this.#afterMiss();
      return;
    }
    this.#misses = 0;
    let kept = false;
    const began = this.#options.now();
    try {
      const { rules, debug } = configuration();
      const attention = debug ? 'detail' : whole ? 'look' : 'glance';
      const judgement = await judgeFrame(step, sight, { rules, now, attention });
      const { observation, guide, issues, card } = judgement;
      signal.throwIfAborted();
      this.card = card;
      if (showsSomething(observation)) this.camera?.vouch();
      const took = this.#options.now() - began;
      if (debug)
        onSighting({ observation, guide, rules, judged: judge(observation, guide, rules), now, took });
      const preliminary = isPreliminary(observation);
      if (issues.length > 0 || preliminary) this.#sharpest.forget();
      else if (whole) {
        const found = { sharpness: sharpnessOf(observation), settled: this.#isSettled(), card };
        kept = this.#sharpest.offer(whole, found);
      }
      dispatch({ type: 'observed', issues, now, preliminary });
    } finally {
      if (!kept) whole?.close();
    }
  }

  /** Short of memory, or between two pictures, a browser may refuse one frame; not many. */
  async #afterMiss(): Promise<void> {
    if (++this.#misses > MOST_MISSES)
      throw new CaptureError('camera-failed', 'The frames of the camera cannot be taken.');
    await new Promise((resolve) => setTimeout(resolve, MISS_PAUSE_MS));
  }

  #isSettled(): boolean {
    const state = this.#options.state();
    return state.name === 'live' && holdProgress(state.guide) >= SETTLED_AT;
  }

  /** Of the last frame. */
  #issues(): Verdict['issues'] {
    const state = this.#options.state();
    return state.name === 'live' ? state.issues : [];
  }

  #isTaking(): boolean {
    const state = this.#options.state();
    return state.name === 'live' && state.taking;
  }

  #presentFrame(): Promise<ImageBitmap> {
    if (!this.camera) throw new CaptureError('camera-lost', 'There is no camera to photograph with.');
    return createImageBitmap(this.camera.video);
  }

  /** Judges a photo by hand as the very frame it is. Where that cannot be done in time, the last frame's issues have to do. */
  async #judgeByHand(step: Step, frame: ImageBitmap): Promise<Verdict> {
    const { ladder, configuration, now } = this.#options;
    const unknown = { card: null, issues: this.#issues() };
    const { rules } = configuration();
    const { judge: judgeFrame } = ladder;
    const judging =
      judgeFrame &&
      sightOf(frame).then((sight) => judgeFrame(step, sight, { rules, now: now(), attention: 'study' }));
    const late = new Promise<null>((resolve) => setTimeout(resolve, JUDGED_WITHIN_MS, null));
    const judged = judging?.catch((error: unknown) => {
      // The next step gets a fresh one, unless it was only that this frame has gone.
      if (error instanceof CaptureError) ladder.drop(judgeFrame);
      return null;
    });
    return certain((await Promise.race([judged, late])) ?? unknown);
  }

  async #takeFile(step: Step, file: File): Promise<MadePhoto> {
    const { ladder, configuration } = this.#options;
    const { pictureIn } = await loadUpload().catch((cause: unknown) => {
      throw new CaptureError('assets-failed', 'What reads a file could not be loaded.', { cause });
    });
    const frame = await pictureIn(file);
    try {
      const whole = wholeOf(frame);
      const limits = profileOf(configuration().provider).limits[step];
      if (!cropOf(step, frame, whole, limits)) {
        const { long, short } = limits.smallest;
        throw new CaptureError(
          'photo-too-small',
          `The file has ${frame.width}x${frame.height}; the provider takes photos from ${long}x${short} px.`,
        );
      }
      let verdict: Verdict = { card: null, issues: [] };
      for (;;) {
        const judgeFrame = await ladder.climb();
        if (!judgeFrame) break;
        try {
          verdict = await this.#judgeFile(step, frame, judgeFrame);
          break;
        } catch (error) {
          if (!ladder.fall(error)) throw error;
        }
      }
      // Nobody laid it into a guide, so that nothing of it may be cut off but round a card that was found.
      return await this.#make(
        step,
        frame,
        verdict.card ? guideInPicture(step, frame) : whole,
        verdict,
        'upload',
      );
    } finally {
      frame.close();
    }
  }

  async #judgeFile(step: Step, frame: ImageBitmap, judgeFrame: Judge): Promise<Verdict> {
    const { configuration, now } = this.#options;
    const { rules } = configuration();
    const began = now();
    const looks = STEP_TRAITS[step].subject === 'face' ? LOOKS : 1;
    for (let look = 1; ; look++) {
      const options = { rules, now: began + look * LOOK_EVERY_MS, attention: 'study' } as const;
      const judgement = await judgeFrame(step, await sightOf(frame), options);
      if (look >= looks) return certain(judgement);
    }
  }

  async #make(
    step: Step,
    frame: Still,
    guide: Box,
    { card, issues }: Verdict,
    rung: Photo['rung'],
  ): Promise<MadePhoto> {
    const { configuration, record } = this.#options;
    const { provider, straighten } = configuration();
    const limits = profileOf(provider).limits[step];
    record.photo(step, rung);
    const { takePhoto } = await loadCapture().catch((cause: unknown) => {
      throw new CaptureError('assets-failed', 'What makes the photo could not be loaded.', { cause });
    });
    const { photo, blob } = await takePhoto({ step, frame, guide, card, straighten, limits });
    return { photo: { ...photo, issues, rung }, blob };
  }
}

function closeFrame({ sight, whole }: CameraFrame): void {
  sight?.frame.close();
  whole?.close();
}

/** Null where the browser forbids it. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** Without a card that may be none: cut along it, a photo could lose the real one. A photo is turned upright. */
function certain({ card, issues }: Verdict): Verdict {
  if (issues.some(({ code }) => DOUBTED.includes(code))) return { card: null, issues };
  const turned = card !== null && isUpsideDown(card);
  return { card, issues: issues.filter(({ code }) => !(turned && code === 'card-upside-down')) };
}
