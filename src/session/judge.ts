import { type Analyser, observe } from '../analysis/analyser.ts';
import { assess } from '../domain/assess.ts';
import type { Box, Size } from '../domain/geometry.ts';
import { enlarged, type Quad } from '../domain/homography.ts';
import type { Observation } from '../domain/observation.ts';
import { cardCorners } from '../domain/photo.ts';
import type { Issue, Step } from '../domain/result.ts';
import type { GuidanceRules } from '../domain/rules.ts';

/** What one frame was found to be. */
export interface Judgement {
  readonly observation: Observation;
  /** px of the analysis frame. */
  readonly guide: Box;
  /** What breaks the rules, the most helpful first. */
  readonly issues: readonly Issue[];
  /** The corners of the card, px of the camera's picture, clockwise from its own top left; null where it shows none. */
  readonly card: Quad | null;
}

/** What a frame is judged by. */
interface JudgeOptions {
  readonly rules: GuidanceRules;
  /** ms, monotonic. */
  readonly now: number;
  /** As for `Analyser.analyse`. */
  readonly detailed?: boolean;
  readonly hasty?: boolean;
}

/**
 * Judges a frame of the camera, which stays the caller's.
 * @throws CaptureError `analysis-failed`
 */
export type Judge = (step: Step, frame: ImageBitmap, options: JudgeOptions) => Promise<Judgement>;

/** A judge that gives an analyser one frame after the other, whoever asks. */
export function createJudge(analyser: Analyser): Judge {
  let last: Promise<unknown> = Promise.resolve();
  return async (step, frame, { rules, now, ...care }) => {
    const observing = last.catch(() => undefined).then(() => observe(analyser, step, frame, now, care));
    last = observing;
    const { observation, guide } = await observing;
    return {
      observation,
      guide,
      issues: assess(observation, guide, rules),
      card: cardIn(observation, frame),
    };
  };
}

/** Where the card lies in the camera's picture. */
function cardIn(observation: Observation, { width }: Size): Quad | null {
  const corners = cardCorners(observation);
  if (corners === null) return null;
  return enlarged(corners, width / observation.frame.width);
}
