import type { Hint } from '../../domain/guide.ts';
import type { ErrorCode, Step } from '../../domain/result.ts';
import type { SendingPhase, Trouble } from '../../domain/journey.ts';
import type { Rung } from '../../domain/ladder.ts';
import { en } from './en.ts';
import { id } from './id.ts';

/** What the person reads in one step. */
export interface StepMessages {
  /** What will be done, on the start screen. */
  readonly plan: string;
  /** How it turns out well; said once where several steps have the same. */
  readonly advice: string;
  /** The name of the camera's screen. */
  readonly title: string;
  /** Said until the first hint. */
  readonly fit: string;
  /** The name of the shutter button. */
  readonly shutter: string;
  readonly review: {
    readonly title: string;
    /** What to look for in the photo. */
    readonly check: string;
    /** The photo's alternative text. */
    readonly photo: string;
  };
}

/** Every sentence the person may read, in one language. Functions where a value is spliced in. */
export interface Messages {
  readonly start: {
    readonly title: string;
    readonly lead: string;
    readonly sending: string;
    readonly privacy: string;
    readonly begin: string;
    /** Said where photos outlived a reload. */
    readonly kept: {
      readonly title: string;
      readonly text: string;
      readonly goOn: string;
      readonly forget: string;
    };
  };
  /** What is said of each step, and of no other. */
  readonly steps: Record<Step, StepMessages>;
  readonly loading: (percent: number) => string;
  readonly openingCamera: string;
  /** These name no card, because they are said of each. */
  readonly hints: Record<Hint, string>;
  /** Said in place of a hint while the camera gives no picture. */
  readonly troubles: Record<Trouble, string>;
  /** How guidance is less than it could be. */
  readonly rungs: Record<Exclude<Rung, 'worker'>, string>;
  /** In place of the camera. */
  readonly choosing: { readonly file: string; readonly camera: string; readonly judging: string };
  /** The switch of the camera's lamp; the same whether it is on or off. */
  readonly torch: string;
  readonly refocus: string;
  /** To the device's next camera. */
  readonly switch: string;
  readonly review: {
    /** Said of a photo by hand, before the hint that applied to it. */
    readonly doubt: string;
    readonly use: string;
    readonly retake: string;
  };
  readonly sending: Record<SendingPhase, string> & { readonly title: string };
  readonly done: {
    readonly verified: { readonly title: string; readonly text: string };
    /** Where no verdict was asked for. */
    readonly received: { readonly title: string; readonly text: string };
    readonly notVerified: { readonly title: string; readonly text: string };
  };
  readonly failed: {
    readonly title: string;
    /** Said where photos are waiting for the next try. */
    readonly kept: string;
    readonly retry: string;
    readonly choose: string;
    readonly errors: Record<ErrorCode, string>;
  };
  readonly cancelled: { readonly title: string; readonly text: string };
  readonly cancel: string;
  readonly restart: string;
  readonly stepOf: (step: number, steps: number) => string;
}

/** The languages, Bahasa Indonesia first. */
const LANGUAGES: Record<string, Messages> = { id, en };

/** The messages for a BCP 47 tag; Bahasa Indonesia where the language is not spoken here. */
export function messagesFor(language: string): { readonly language: string; readonly messages: Messages } {
  const primary = language.toLowerCase().split('-')[0] ?? '';
  const messages = LANGUAGES[primary];
  return messages ? { language: primary, messages } : { language: 'id', messages: id };
}
