import type { Rung } from '../domain/ladder.ts';
import type { Step } from '../domain/result.ts';
import { virtualCameraOf } from './lenses.ts';

/** The camera that a journey used last. */
interface CameraContext {
  /** The name the system gives it; empty where it has none. */
  readonly label: string;
  readonly settings: {
    /** px. */
    readonly width: number | null;
    readonly height: number | null;
    /** Frames a second. */
    readonly frameRate: number | null;
    readonly facingMode: string | null;
  };
  /** The virtual camera that the label names, or null where it names none that is known. */
  readonly virtual: string | null;
  /** `page`: the page supplied the stream itself. */
  readonly source: 'browser' | 'page';
}

/** Whether a function is the browser's own; null where the browser has none. */
type Nativeness = boolean | null;

/**
 * How a capture came about. Signals for whoever decides, not verdicts: each of them can be false, and each can be
 * forged by somebody who owns the browser. Holds no image, no landmark, no token, no device id.
 */
export interface CaptureContext {
  readonly camera: CameraContext | null;
  readonly native: { readonly getUserMedia: Nativeness; readonly enumerateDevices: Nativeness };
  /** Of the frames that the session looked at. A still picture played to the camera is oddly regular. */
  readonly frames: {
    readonly count: number;
    /** ms between two frames; null below two frames. */
    readonly medianGapMs: number | null;
    readonly p90GapMs: number | null;
    /** Frames with the time stamp of the one before. */
    readonly repeated: number;
  };
  readonly automation: {
    /** The browser says that a program drives it (WebDriver). */
    readonly webdriver: boolean;
    /** The user agent says that it has no window. */
    readonly headless: boolean;
    /** The globals that a driver leaves in its pages, by its name. */
    readonly driver: string | null;
  };
  readonly page: {
    readonly inFrame: boolean;
    /** How often the page was hidden or shown since the record began. */
    readonly visibilityChanges: number;
  };
  /** In the order in which they were taken; of a photo taken again only the last. */
  readonly photos: readonly PhotoContext[];
}

/** How one photo came about. */
interface PhotoContext {
  readonly step: Step;
  readonly rung: Rung;
  readonly source: 'camera' | 'file';
}

/** Collects the context of one journey. */
export interface CaptureRecord {
  /** A camera has been opened. */
  camera(
    camera: { readonly label: string; readonly settings: MediaTrackSettings },
    source: 'browser' | 'page',
  ): void;
  /** @param now ms, the camera's own time of the frame */
  frame(now: number): void;
  photo(step: Step, rung: Rung): void;
  /** A new journey begins. */
  reset(): void;
  /** The context so far: plain data. */
  toJSON(): CaptureContext;
  /** Ends the record's one listener. */
  stop(): void;
}

/** The gaps that are kept for the figures, the newest: some 20 s at 30 frames a second. */
const GAPS = 600;

/** What drivers leave in the pages they drive. */
const DRIVERS: readonly (readonly [name: string, mark: RegExp])[] = [
  ['selenium', /^(\$?cdc_[a-zA-Z0-9]+_|__(web)?driver_|__selenium_|_selenium|webdriver-evaluate)/],
  ['playwright', /^__(playwright_|playwright__|pw[A-Z_])/],
  ['puppeteer', /^__puppeteer_/],
  ['phantomjs', /^(callPhantom|_phantom)$/],
  ['nightmare', /^__nightmare$/],
  ['cypress', /^(__)?Cypress$/],
];

/** Begins a record. */
export function createCaptureRecord(): CaptureRecord {
  let gaps: number[] = [];
  const photos = new Map<Step, PhotoContext>();
  let context: CameraContext | null = null;
  let count = 0;
  let repeated = 0;
  let last: number | null = null;
  let visibilityChanges = 0;
  const onVisibility = (): void => {
    visibilityChanges++;
  };
  document.addEventListener('visibilitychange', onVisibility);

  return {
    camera({ label, settings }, source) {
      const { width = null, height = null, frameRate = null, facingMode = null } = settings;
      context = {
        label,
        settings: { width, height, frameRate, facingMode },
        virtual: virtualCameraOf(label),
        source,
      };
      // What lies between two cameras is no gap.
      last = null;
    },
    frame(now) {
      count++;
      if (last !== null) {
        if (now === last) repeated++;
        gaps.push(now - last);
        if (gaps.length > GAPS) gaps.shift();
      }
      last = now;
    },
    photo(step, rung) {
      photos.delete(step);
      photos.set(step, { step, rung, source: rung === 'upload' ? 'file' : 'camera' });
    },
    reset() {
      gaps = [];
      photos.clear();
      context = null;
      [count, repeated, visibilityChanges] = [0, 0, 0];
      last = null;
    },
    toJSON: () => ({
      camera: context,
      native: {
        getUserMedia: isNativeMethod('getUserMedia'),
        enumerateDevices: isNativeMethod('enumerateDevices'),
      },
      frames: { count, medianGapMs: quantile(gaps, 0.5), p90GapMs: quantile(gaps, 0.9), repeated },
      automation: {
        webdriver: navigator.webdriver,
        headless: /Headless/.test(navigator.userAgent),
        driver: driverOf(Object.getOwnPropertyNames(window).concat(Object.getOwnPropertyNames(document))),
      },
      page: { inFrame: window !== window.top, visibilityChanges },
      photos: [...photos.values()],
    }),
    stop: () => document.removeEventListener('visibilitychange', onVisibility),
  };
}

/** The smallest value that so large a part of the values does not exceed, to a tenth. */
function quantile(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** The driver whose marks are among the names of a page's globals, or null. */
export function driverOf(globals: readonly string[]): string | null {
  return DRIVERS.find(([, mark]) => globals.some((name) => mark.test(name)))?.[0] ?? null;
}

/**
 * True where the page calls the browser's own method: nothing lies before the prototype's, and that one is native code
 * under its own name, which neither a bound function nor a proxy has.
 */
function isNativeMethod(method: 'getUserMedia' | 'enumerateDevices'): Nativeness {
  // Missing outside a secure context, and inside some apps.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const called: unknown = devices && Reflect.get(devices, method);
  if (!devices || typeof called !== 'function') return null;
  const source = Function.prototype.toString.call(called);
  const native = /^function (\w+)\(\)\s*\{\s*\[native code\]\s*\}$/.exec(source);
  return native?.[1] === method && !Object.hasOwn(devices, method);
}
