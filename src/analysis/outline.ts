import { type Box, scaleBox } from '../domain/geometry.ts';
import { enlarged, poseOf, sidesOf, strangeness } from '../domain/homography.ts';
import type { CardOutline } from '../domain/observation.ts';
import { groundWithin, refine } from './fit.ts';
import { coarse, edgesOf, type Line, linesOf } from './lines.ts';
import type { Pixels } from './pixels.ts';
import { ALIKE, best, type Candidate, candidates, type Search, STRANGEST } from './quadrilaterals.ts';

/*
 * Finds what may be the outline of a card: quadrilaterals between straight edges of the picture, set on these to a
 * fraction of a px, are better the more they part one ground from another. test/accuracy/FINDING-CARDS.md compares this
 * with other ways.
 */

/** Long side of the picture in which lines are looked for, px; corners are then set in the whole picture. */
const COARSE = 320;
/** Where a hand holds a card. */
export const NEAR_GUIDE: Search = {
  around: 0.3,
  aside: 0.4,
  lines: 20,
  compared: 20,
  refined: 5,
  doubtful: 0,
};
/** In the whole picture, which takes longer. */
export const ANYWHERE: Search = { around: 2, aside: 2, lines: 40, compared: 64, refined: 8, doubtful: 2 };
/** An outline less high than this, px, may be left as the lines have it. */
const SMALL = 90;
/** Outlines that are told. */
const MOST_GIVEN = 4;
/** An outline that has less of one ground within, and another beyond, is no card's: 0.66 is the least of drawn ones. */
const LEAST_GROUND = 0.5;
/** What one ground within, and another beyond, counts for beside the sides themselves. */
const GROUND = 1;

/** How much an outline looks like a card's: a `score` of up to about 2.2. Of a doubtful one only what it holds tells. */
export type RatedOutline = CardOutline & Pick<Candidate, 'score' | 'isDoubtful'>;

/**
 * What may be the outline of the card in a picture, the likeliest first.
 * @param guide where the person was asked to hold it, px: one as large is preferred
 */
export function findOutlines(pixels: Pixels, guide: Box, search: Search): readonly RatedOutline[] {
  return best(fittedOutlines(pixels, guide, search), MOST_GIVEN, search.doubtful, 4 * ALIKE);
}

function fittedOutlines(pixels: Pixels, guide: Box, search: Search): readonly RatedOutline[] {
  const factor = Math.max(1, Math.round(Math.max(pixels.width, pixels.height) / COARSE));
  const held = scaleBox(guide, 1 / factor);
  const room = search.around * held.width;
  const edges = edgesOf(coarse(pixels, factor, held, room));
  const linesAlong = (lying: boolean): readonly Line[] => linesOf(edges, lying, held, room, search.lines);
  const found = candidates(linesAlong(true), linesAlong(false), edges, held, search);
  const ranked = found.map((one) => {
    const corners = enlarged(one.corners, factor);
    return {
      ...one,
      corners,
      score: one.score + GROUND * groundWithin(pixels, corners),
      shape: one.score - one.support,
    };
  });
  return best(ranked, search.refined, search.doubtful, 0).flatMap((rough): readonly RatedOutline[] => {
    // Setting it on its edges may bend a small outline out of shape.
    const isSmall = sidesOf(rough.corners).height < SMALL;
    const fitted = refine(pixels, rough.corners);
    for (const { corners, support } of isSmall ? [fitted, rough] : [fitted]) {
      const pose = poseOf(corners, pixels);
      const strange = pose === null ? 1 : strangeness(pose);
      if (strange > STRANGEST) continue;
      const ground = groundWithin(pixels, corners);
      if (ground < LEAST_GROUND) return [];
      return [
        {
          corners,
          support,
          isDoubtful: rough.isDoubtful,
          score: rough.shape + support - 2 * strange + GROUND * ground,
        },
      ];
    }
    return [];
  });
}
