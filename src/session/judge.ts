import { type Analyser, type Attention, observe, type Sight } from '../analysis/analyser.ts';
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
  readonly attention: Attention;
}

/**
 * Judges a frame of the camera.
 * @throws CaptureError `analysis-failed`
 */
export type Judge = (step: Step, sight: Sight, options: JudgeOptions) => Promise<Judgement>;

/** A judge that gives an analyser one frame after the other, whoever asks. */
export function createJudge(analyser: Analyser): Judge {
  let last: Promise<unknown> = Promise.resolve();
  return async (step, sight, { rules, now, attention }) => {
    const observing = last.catch(() => undefined).then(() => observe(analyser, step, sight, now, attention));
    last = observing;
    const { observation, guide } = await observing;
    return {
      observation,
      guide,
      issues: assess(observation, guide, rules),
      card: cardIn(observation, sight.of),
    };
  };
}

/** Where the card lies in the camera's picture. */
function cardIn(observation: Observation, { width }: Size): Quad | null {
  const corners = cardCorners(observation);
  if (corners === null) return null;
  return enlarged(corners, width / observation.frame.width);
}
