import type { Point, Size } from '../domain/geometry.ts';
import { CaptureError, type ErrorCode, type Step } from '../domain/result.ts';

/** What a page is asked for when it supplies the camera itself. */
export interface CameraRequest {
  readonly step: Step;
  /** The camera that suits the step: `user` for the selfie, `environment` for a card. */
  readonly facing: 'user' | 'environment';
}

/** Supplies a camera stream, in place of the browser's own. The widget stops its tracks. */
export type CameraSource = (request: CameraRequest) => Promise<MediaStream>;

/** The lamp beside the lens. It goes out with the camera. */
interface Light {
  /** What the browser says of it. */
  readonly isOn: boolean;
  /** Never rejects; a lamp that refuses stays as it is. */
  toggle(): Promise<void>;
}

/** A running camera. */
export interface Camera {
  /** Shows the stream; its frames are what is analysed and what is photographed. */
  readonly video: HTMLVideoElement;
  /** True where the preview has to be shown as in a mirror. */
  readonly mirrored: boolean;
  /** What the browser says of the track, for the capture context: numbers and the facing mode. */
  readonly settings: MediaTrackSettings;
  /** The size of a frame, px. Changes when a phone is turned. */
  size(): Size;
  /** Resolves with the time, ms, of the next frame; never where none comes. */
  nextFrame(): Promise<number>;
  /** null where the browser offers none, and where the step wants the front camera. */
  readonly light: Light | null;
  /**
   * Makes the camera look for its focus anew: at a point, in parts of the picture's width and height, or in the
   * middle. Never rejects. null where the browser does not offer it.
   */
  readonly refocus: ((at?: Point) => Promise<void>) | null;
  stop(): void;
}

/** Options of `openCamera`. */
export interface CameraOptions extends CameraRequest {
  readonly source: CameraSource | null;
  readonly signal: AbortSignal;
  /** Called once, when a track ends by itself: unplugged, taken by a call, permission withdrawn. */
  readonly onLost: (error: CaptureError) => void;
}

/** Without a frame for so long the camera is taken for broken, ms. */
const FIRST_FRAME_MS = 10_000;

/** What `getUserMedia` rejects with, as the page sees it. */
const FAULTS: Record<string, ErrorCode> = {
  NotAllowedError: 'camera-denied',
  SecurityError: 'camera-denied',
  NotFoundError: 'camera-missing',
  OverconstrainedError: 'camera-missing',
  NotReadableError: 'camera-busy',
  AbortError: 'camera-busy',
};

/**
 * Opens the camera and waits for its first frame.
 * @throws CaptureError `insecure-page` or one of the `camera-` codes; the signal's reason when aborted
 */
export async function openCamera(options: CameraOptions): Promise<Camera> {
  const { signal } = options;
  const stream = await requestStream(options);
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  const [track] = stream.getVideoTracks();
  if (signal.aborted || !track) {
    stop();
    signal.throwIfAborted();
    throw new CaptureError('camera-missing', 'The stream has no video track.');
  }
  const lost = new AbortController();
  track.addEventListener(
    'ended',
    () => {
      lost.abort();
      options.onLost(new CaptureError('camera-lost', 'The camera track ended.'));
    },
    { signal },
  );

  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.autoplay = true;
  video.disablePictureInPicture = true;
  video.srcObject = stream;
  const close = (): void => {
    stop();
    video.pause();
    video.srcObject = null;
  };
  try {
    // play() rejects where autoplay is held back; the first frame decides, not the promise.
    void video.play().catch(() => undefined);
    await firstFrame(video, AbortSignal.any([signal, lost.signal, AbortSignal.timeout(FIRST_FRAME_MS)]));
  } catch (cause) {
    close();
    signal.throwIfAborted();
    throw lost.signal.aborted
      ? new CaptureError('camera-lost', 'The camera track ended before its first frame.')
      : new CaptureError('camera-failed', 'The camera delivered no frame.', { cause });
  }
  const settings = track.getSettings();
  const size = (): Size => ({ width: video.videoWidth, height: video.videoHeight });
  const light = options.facing === 'environment' ? lightOf(track) : null;
  return {
    video,
    settings,
    light,
    refocus: refocusOf(track, light, size),
    mirrored: (settings.facingMode ?? options.facing) === 'user' && options.facing === 'user',
    size,
    nextFrame: () => new Promise((resolve) => video.requestVideoFrameCallback(resolve)),
    stop: close,
  };
}

async function requestStream({ source, step, facing }: CameraOptions): Promise<MediaStream> {
  try {
    if (source) return await source({ step, facing });
    // lib.dom says it is always there; on a page without https it is not.
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (!devices) throw new CaptureError('insecure-page', 'The camera needs https or localhost.');
    return await devices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: facing }, width: { ideal: 1920 }, height: { ideal: 1080 } },
    });
  } catch (cause) {
    if (cause instanceof CaptureError) throw cause;
    const name = cause instanceof DOMException ? cause.name : '';
    throw new CaptureError(
      FAULTS[name] ?? 'camera-failed',
      `The camera could not be opened: ${name || 'unknown fault'}.`,
      {
        cause,
      },
    );
  }
}

type FocusMode = 'none' | 'manual' | 'single-shot' | 'continuous';

/** What a track can do beyond TypeScript's list (W3C MediaStream Image Capture); in the draft `torch` becomes a list. */
interface LensCapabilities {
  readonly torch?: boolean | readonly boolean[];
  readonly focusMode?: readonly FocusMode[];
}

/** What a track is asked for beyond TypeScript's list. */
interface LensConstraints extends MediaTrackConstraintSet {
  torch?: boolean;
  focusMode?: FocusMode;
  pointsOfInterest?: readonly Point[];
}

/** Firefox has had no capabilities for long. */
const capabilitiesOf = (track: MediaStreamTrack): LensCapabilities =>
  (track as { getCapabilities?: () => LensCapabilities }).getCapabilities?.() ?? {};

/** Without size and rate, which Chromium refuses beside these; it and Safari keep those as they are. */
const applyToLens = (track: MediaStreamTrack, constraints: LensConstraints): Promise<void> =>
  track.applyConstraints({ advanced: [constraints] });

function lightOf(track: MediaStreamTrack): Light | null {
  if (![capabilitiesOf(track).torch].flat().includes(true)) return null;
  let isOn = false;
  return {
    get isOn() {
      return isOn;
    },
    async toggle() {
      const wanted = !isOn;
      await applyToLens(track, { torch: wanted }).then(
        () => (isOn = track.getSettings().torch ?? wanted),
        () => undefined,
      );
    },
  };
}

/** So that the lens has begun to move before it is told to follow again, ms. Assumed: some frames, and no scan's end. */
const REFOCUS_MS = 300;
const MIDDLE: Point = { x: 0.5, y: 0.5 };

/**
 * Chromium on Android does nothing on `single-shot` but for a still photo (VideoCaptureCamera2); there, leaving
 * `continuous` and coming back starts the search, as it does on webcams.
 */
function refocusOf(track: MediaStreamTrack, light: Light | null, size: () => Size): Camera['refocus'] {
  const { focusMode = [] } = capabilitiesOf(track);
  const follows = focusMode.includes('continuous');
  const mode = follows && focusMode.includes('manual') ? 'manual' : 'single-shot';
  if (!focusMode.includes(mode)) return null;
  // No browser lists it among the capabilities.
  const aims = 'pointsOfInterest' in navigator.mediaDevices.getSupportedConstraints();
  return async (at = MIDDLE) => {
    const { width, height } = size();
    // Chromium on Android counts along the sensor, which lies across an upright picture; the middle is the same.
    const point = width > height ? at : MIDDLE;
    const aim = aims ? { pointsOfInterest: [point] } : {};
    const turnTo = (focusMode: FocusMode): Promise<void> =>
      applyToLens(track, { ...(light?.isOn ? { torch: true } : {}), focusMode, ...aim });
    try {
      await turnTo(mode);
      if (!follows) return;
      await new Promise((resolve) => setTimeout(resolve, REFOCUS_MS));
      await turnTo('continuous');
    } catch {
      // The focus stays where it was, which the person sees.
    }
  };
}

function firstFrame(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      video.cancelVideoFrameCallback(handle);
      reject(signal.reason as Error);
    };
    const handle = video.requestVideoFrameCallback(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
