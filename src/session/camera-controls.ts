import type { Point, Size } from '../domain/geometry.ts';

/** The lamp beside the lens. It goes out with the camera. */
export interface Light {
  /** What the browser says of it. */
  readonly isOn: boolean;
  /** Never rejects; a lamp that refuses stays as it is. */
  toggle(): Promise<void>;
}

/**
 * Makes the camera look for its focus anew: at a point, in parts of the picture's width and height, or in the middle.
 * Never rejects.
 */
export type Refocus = (at?: Point) => Promise<void>;

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

/** The lamp that belongs to a track, or null where the browser offers none. */
export function lightOf(track: MediaStreamTrack): Light | null {
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
export function refocusOf(track: MediaStreamTrack, light: Light | null, size: () => Size): Refocus | null {
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
