import type { Analyser, AnalyserOptions } from '../analysis/analyser.ts';
import type { Judged } from '../domain/assess.ts';
import type { Box } from '../domain/geometry.ts';
import type { Journey, News } from '../domain/journey.ts';
import type { Rung } from '../domain/ladder.ts';
import type { Observation } from '../domain/observation.ts';
import type { Result, Step } from '../domain/result.ts';
import type { GuidanceRules } from '../domain/rules.ts';
import type { Camera, CameraOptions, CameraSource } from './camera.ts';
import type { CaptureContext } from './capture-context.ts';
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
  /** The page's own number for the submission, or null for one that is made up. */
  readonly refNumber: string | null;
  /** The number, in digits, under which IdentifAI knows the face; for direct mode. */
  readonly faceId: string | null;
  /** Metadata for the provider; only what it documents is passed on to it. */
  readonly context: Readonly<Record<string, string>>;
  readonly assetsBase: URL;
  /** What the manifest in `assetsBase` has to be, `sha256-` and base64; null for that of this build. */
  readonly assetsIntegrity: string | null;
  readonly cameraSource: CameraSource | null;
  /** What a frame has to be like. */
  readonly rules: GuidanceRules;
  /** The photo of a card is cut along the card's own edges, and straightened. */
  readonly straighten: boolean;
  /** The last rung that the page accepts. */
  readonly fallback: Rung;
  /** How long accepted photos outlive a reload, ms; null: not at all, and nothing else is remembered either. */
  readonly persist: number | null;
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
  readonly onSubmit: (submission: Submission) => boolean;
  readonly openCamera: (options: CameraOptions) => Promise<Camera>;
  readonly createAnalyser: (options: AnalyserOptions) => Analyser;
  readonly submit: (request: SubmitRequest) => Promise<Result>;
  /** ms on the clock that frames are stamped with. */
  readonly now: () => number;
}

/** What is about to be sent. */
interface Submission {
  readonly provider: string;
  readonly refNumber: string;
  readonly steps: readonly Step[];
  readonly photos: ReadonlyMap<Step, Blob>;
  /** How the photos came about. */
  readonly captureContext: CaptureContext;
}
