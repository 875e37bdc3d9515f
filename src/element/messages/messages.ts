import type { Hint } from '../../domain/guide.ts';
import type { ErrorCode, Step } from '../../domain/result.ts';
import type { SendingPhase } from '../../domain/flow.ts';
import { en } from './en.ts';
import { id } from './id.ts';

/** Every sentence the person may read, in one language. Functions where a value is spliced in. */
export interface Messages {
  readonly start: {
    readonly title: string;
    readonly lead: string;
    /** What will happen, per step, in the page's order. */
    readonly steps: Record<Step, string>;
    readonly sending: string;
    readonly privacy: string;
    readonly begin: string;
  };
  /** The name of the screen, per step. */
  readonly camera: Record<Step, { readonly title: string; readonly fit: string }>;
  readonly loading: (percent: number) => string;
  readonly openingCamera: string;
  readonly hints: Record<Hint, string>;
  readonly shutter: Record<Step, string>;
  /** The switch of the camera's lamp; the same whether it is on or off. */
  readonly torch: string;
  readonly refocus: string;
  readonly review: {
    readonly title: Record<Step, string>;
    readonly check: Record<Step, string>;
    readonly photoOf: Record<Step, string>;
    /** Said of a photo by hand, before the hint that applied to it. */
    readonly doubt: string;
    readonly use: string;
    readonly retake: string;
  };
  readonly sending: Record<SendingPhase, string> & { readonly title: string };
  readonly done: {
    readonly verified: { readonly title: string; readonly text: string };
    readonly notVerified: { readonly title: string; readonly text: string };
  };
  readonly failed: {
    readonly title: string;
    /** Said where photos are waiting for the next try. */
    readonly kept: string;
    readonly retry: string;
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
