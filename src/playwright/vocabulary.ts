import type { BrowserContext, Page } from '@playwright/test';
import type { Size } from '../domain/geometry.ts';
import type { ErrorCode, GuidanceCode, Result, Step } from '../domain/result.ts';
import type { Scene } from './scene.ts';

/** Where the journey is, as the element's `state` attribute says. */
export type CaptureState =
  'start' | 'opening' | 'live' | 'choosing' | 'review' | 'sending' | 'done' | 'failed' | 'cancelled';

/** Buttons, by the element's `data-action`. */
export type Action =
  | 'start'
  | 'forget'
  | 'torch'
  | 'switch'
  | 'refocus'
  | 'shutter'
  | 'choose'
  | 'file'
  | 'use'
  | 'retake'
  | 'retry'
  | 'cancel'
  | 'restart';

/** One scene for the whole journey, or one for each step. */
export type Scenes = Scene | Readonly<Partial<Record<Step, Scene>>>;

/**
 * What the page gets when it asks for a camera. `device`: Chromium's own fake camera, with its
 * permission, constraints and device list. `canvas`: a drawn stream, which may change its picture
 * while it is open. A DOMException's name: the camera fails that way.
 */
export type CameraKind =
  'device' | 'canvas' | 'NotAllowedError' | 'NotFoundError' | 'NotReadableError' | 'AbortError';

/** How a page is opened. */
export interface OpenOptions {
  readonly scenes?: Scenes;
  readonly camera?: CameraKind;
  /** Size of the camera's picture, px. Default: the launch's. */
  readonly frame?: Size;
  /** Pictures a second of a canvas camera: 30, the default, or a part of it; 15 is a phone's in the evening. A device has 30. */
  readonly frameRate?: number;
  readonly viewport?: Size;
  /** False: the person refuses the camera. Default true. */
  readonly permission?: boolean;
  /** Language of the browser. Default `id-ID`. */
  readonly locale?: string;
  /** Called with the page before it is loaded: routes, time zones, whatever a test needs. */
  readonly prepare?: (page: Page, context: BrowserContext) => Promise<void>;
}

/** A photo as the page received it. */
export interface TakenPhoto extends Size {
  readonly step: Step;
  readonly type: string;
  readonly jpeg: Buffer;
}

/** One request as the network saw it. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text the browser sent, where there was any; Blobs are in `bodies()`. */
  readonly sent: string | null;
  readonly status: number | null;
  /** Body of an answer in text or JSON from an endpoint (not of scripts and styles). */
  readonly received: string | null;
}

/** One body as the page gave it to `fetch` or XMLHttpRequest. */
export interface SentBody {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: readonly { readonly name: string; readonly type: string; readonly content: Buffer }[];
}

/** How a journey ended. */
export type Outcome = {
  /** From pressing start to the end, ms. */
  readonly milliseconds: number;
  /** From the first live picture of a step to its photo, ms. */
  readonly photoMilliseconds: Readonly<Partial<Record<Step, number>>>;
  readonly photos: readonly TakenPhoto[];
} & (
  | { readonly ended: 'done'; readonly result: Result }
  | {
      readonly ended: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly guidance: readonly GuidanceCode[];
    }
  | { readonly ended: 'cancelled' }
);

/** How the driver makes a camera's picture. */
export interface CameraSource {
  /** Makes the fake device show the scene the next time it is opened. */
  load(scene: Scene, frame: Size): Promise<void>;
  /** The pictures of the scene's loop, so many a second. */
  frames(scene: Scene, frame: Size, rate: number): Promise<Buffer[]>;
}
