import type { Step } from './result.ts';

/** What a photo shows, as far as it matters for what is looked for in it. */
export type Subject = 'face' | 'card' | 'card-without-portrait';

/** What the person lays face or card into: an oval of 3:4, or the outline of an ID-1 card. */
export type GuideShape = 'oval' | 'id-1';

/** What a step is of, and with which camera. */
export interface StepTraits {
  readonly subject: Subject;
  /** The camera that suits it: `user` looks at the person, `environment` away from them. */
  readonly facing: 'user' | 'environment';
  readonly guide: GuideShape;
}

/**
 * The traits of every step. A further ID-1 card is one line here, and what the compiler then asks for: its texts in
 * every language, its photo limits, its icon.
 */
export const STEP_TRAITS: Record<Step, StepTraits> = {
  selfie: { subject: 'face', facing: 'user', guide: 'oval' },
  ktp: { subject: 'card', facing: 'environment', guide: 'id-1' },
  sim: { subject: 'card', facing: 'environment', guide: 'id-1' },
  npwp: { subject: 'card-without-portrait', facing: 'environment', guide: 'id-1' },
};

/** What is taken where the page does not say. */
export const DEFAULT_STEPS: readonly Step[] = ['selfie', 'ktp'];
