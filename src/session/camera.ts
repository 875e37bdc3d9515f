import type { Size } from '../domain/geometry.ts';
import type { Trouble } from '../domain/journey.ts';
import { CaptureError, type ErrorCode, type Step } from '../domain/result.ts';
import { lightOf, refocusOf, type Light, type Refocus } from './camera-controls.ts';
import { watchCamera } from './camera-trouble.ts';
import {
  betterLens,
  furtherLenses,
  lensOfTrack,
  listLenses,
  recall,
  remember,
  type Facing,
  type Lens,
  type Memory,
} from './lenses.ts';

/** What a page is asked for when it supplies the camera itself. */
export interface CameraRequest {
  readonly step: Step;
  /** The camera that suits the step: `user` for the selfie, `environment` for a card. */
  readonly facing: Facing;
}

/** Supplies a camera stream, in place of the browser's own. The widget stops its tracks. */
export type CameraSource = (request: CameraRequest) => Promise<MediaStream>;

/** A running camera. */
export interface Camera {
  /** Shows the stream; its frames are what is analysed and what is photographed. */
  readonly video: HTMLVideoElement;
  /** True where the preview has to be shown as in a mirror. */
  readonly mirrored: boolean;
  /** What the browser says of the track, for the capture context: numbers and the facing mode. */
  readonly settings: MediaTrackSettings;
  /** The name the system gives the camera; empty where it has none. */
  readonly label: string;
  /** null where the page supplies the camera, or the browser does not say. */
  readonly deviceId: string | null;
  /** Further cameras that `preferred` may name instead, the likeliest first. */
  readonly others: readonly Pick<Lens, 'deviceId'>[];
  /** The size of a frame, px. Changes when a phone is turned. */
  size(): Size;
  /** Resolves with the time, ms, of the next frame; never where none comes. */
  nextFrame(): Promise<number>;
  /** A frame has shown something. Who tells it once a second spares the page the drawing that looks for black. */
  readonly vouch: () => void;
  /** null where the browser offers none, and where the step wants the front camera. */
  readonly light: Light | null;
  /** null where the browser does not offer it. */
  readonly refocus: Refocus | null;
  stop(): void;
}

/** Options of `openCamera`. */
export interface CameraOptions extends CameraRequest {
  readonly source: CameraSource | null;
  readonly signal: AbortSignal;
  /** The `deviceId` of the camera that the person has just chosen; it is remembered for this facing. */
  readonly preferred?: string | undefined;
  /** Where that is kept, `localStorage` say; null keeps nothing. */
  readonly memory: Memory | null;
  /** Called with each change of what is wrong with the camera; null where it is well again. */
  readonly onTrouble: (trouble: Trouble | null) => void;
  /**
   * Called once, when the camera is no use any more: the track has ended (unplugged, taken by a call, permission
   * withdrawn), or a trouble did not end. `camera-lost` or `camera-black`.
   */
  readonly onLost: (error: CaptureError) => void;
}

/** Without a frame for so long, on a page that is seen, the camera is taken for broken, ms. */
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
 * @throws CaptureError `insecure-page`, `in-app-browser` or one of the `camera-` codes; the signal's reason when aborted
 */
export async function openCamera(options: CameraOptions): Promise<Camera> {
  const { signal, facing } = options;
  const stream = await requestStream(options);
  const stop = (): void => stopTracks(stream);
  const [track] = stream.getVideoTracks();
  if (signal.aborted || !track) {
    stop();
    signal.throwIfAborted();
    throw new CaptureError('camera-missing', 'The stream has no video track.');
  }
  // Ends all listeners and timers here, by `stop` or with the signal.
  const life = new AbortController();
  signal.addEventListener('abort', () => life.abort(signal.reason), { signal: life.signal });
  const ended = new CaptureError('camera-lost', 'The camera track ended.');
  let live = false;
  track.addEventListener(
    'ended',
    () => {
      life.abort(ended);
      if (live) options.onLost(ended);
    },
    { signal: life.signal },
  );

  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.autoplay = true;
  video.disablePictureInPicture = true;
  video.srcObject = stream;
  const close = (): void => {
    life.abort();
    stop();
    video.pause();
    video.srcObject = null;
  };
  try {
    // play() rejects where autoplay is held back; the first frame decides, not the promise.
    void video.play().catch(() => undefined);
    await firstFrame(video, life.signal);
  } catch (cause) {
    const { muted } = track;
    close();
    if (cause !== NO_FRAME) throw cause;
    throw muted
      ? new CaptureError('camera-busy', 'The system keeps the camera muted.')
      : new CaptureError('camera-failed', 'The camera delivered no frame.');
  }
  live = true;
  const watch = watchCamera({
    track,
    video,
    onTrouble: options.onTrouble,
    onLost: (trouble) =>
      options.onLost(
        trouble === 'black'
          ? new CaptureError('camera-black', 'The camera delivered nothing but black frames.')
          : new CaptureError('camera-lost', `The camera stayed ${trouble}.`),
      ),
  });
  life.signal.addEventListener('abort', watch.end, { once: true });

  const settings = track.getSettings();
  const deviceId = (options.source ? null : settings.deviceId) ?? null;
  const size = (): Size => ({ width: video.videoWidth, height: video.videoHeight });
  const light = facing === 'environment' ? lightOf(track) : null;
  const others = deviceId ? furtherLenses(deviceId, await listLenses(), facing) : [];
  return {
    video,
    settings,
    label: track.label,
    deviceId,
    others: others.map(({ deviceId }) => ({ deviceId })),
    light,
    refocus: refocusOf(track, light, size),
    mirrored: (settings.facingMode ?? facing) === 'user' && facing === 'user',
    size,
    vouch: watch.vouch,
    nextFrame: () => new Promise((resolve) => video.requestVideoFrameCallback(resolve)),
    stop: close,
  };
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function requestStream(options: CameraOptions): Promise<MediaStream> {
  const { source, step, facing } = options;
  try {
    if (source) return await source({ step, facing });
    // lib.dom says it is always there; on a page without https, and inside some apps, it is not.
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (!devices) throw new CaptureError('insecure-page', 'The camera needs https or localhost.');
    return await openLens(devices, options);
  } catch (cause) {
    throw await faultOf(cause);
  }
}

/** Opens the camera that the person chose, else the one that suits. */
async function openLens(
  devices: MediaDevices,
  { facing, preferred, memory, signal }: CameraOptions,
): Promise<MediaStream> {
  const request = (which: MediaTrackConstraints): Promise<MediaStream> =>
    devices.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 1920 }, height: { ideal: 1080 } },
    });
  const requestOne = (deviceId: string): Promise<MediaStream> => request({ deviceId: { exact: deviceId } });

  const chosen = preferred ?? recall(memory, facing);
  if (chosen !== null) {
    try {
      const stream = await requestOne(chosen);
      if (preferred !== undefined) remember(memory, facing, preferred);
      return stream;
    } catch (cause) {
      const code = codeOf(cause);
      if (code === 'camera-denied') throw cause;
      if (code === 'camera-missing' && chosen === recall(memory, facing)) remember(memory, facing, null);
    }
  }
  const stream = await request({ facingMode: { ideal: facing } });
  const [track] = stream.getVideoTracks();
  const better = track && betterLens(lensOfTrack(track), await listLenses(), facing);
  if (!better || signal.aborted) return stream;
  // First, because many phones open one camera at a time.
  stopTracks(stream);
  return requestOne(better.deviceId).catch(() => request({ facingMode: { ideal: facing } }));
}

/** Not every browser's faults are a DOMException, or an Error at all. */
const nameOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : '';

const codeOf = (cause: unknown): ErrorCode => FAULTS[nameOf(cause)] ?? 'camera-failed';

async function faultOf(cause: unknown): Promise<CaptureError> {
  const message = `The camera could not be opened: ${nameOf(cause) || 'unknown fault'}.`;
  const fault = cause instanceof CaptureError ? cause : new CaptureError(codeOf(cause), message, { cause });
  try {
    // Loaded only now, because most cameras open.
    const { reasonFor } = await import('./surroundings.ts');
    const reason = reasonFor(fault.code);
    return reason ? new CaptureError(reason.code, reason.message, { cause }) : fault;
  } catch {
    return fault;
  }
}

const NO_FRAME = new Error('no frame in time');

/** Resolves with the first frame. Rejects with NO_FRAME, or the signal's reason. */
function firstFrame(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const settle = (act: () => void) => (): void => {
      settled.abort();
      clearTimeout(timer);
      video.cancelVideoFrameCallback(handle);
      act();
    };
    const handle = video.requestVideoFrameCallback(settle(resolve));
    const late = settle(() => reject(NO_FRAME));
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A hidden page gets no frame, so the time counts anew once it is seen.
    const wait = (): void => {
      clearTimeout(timer);
      if (!document.hidden) timer = setTimeout(late, FIRST_FRAME_MS);
    };
    wait();
    document.addEventListener('visibilitychange', wait, { signal: settled.signal });
    const abort = settle(() => reject(signal.reason as Error));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { signal: settled.signal });
  });
}
