import type { GuidanceCode } from '../../src/domain/result.ts';
import { between, type Paint, paintCover } from './brush.ts';
import { brim, hand, headscarf, mask, openHand, strands, thing, veil } from './cloth.ts';
import type { Degradation } from './degradations.ts';
import { clearGlasses, closeLids, sunglasses } from './eyewear.ts';

/*
 * The families of things that may lie over a face, and those that leave it free.
 */

/** A family of covers. */
export interface Cover {
  readonly name: string;
  /** What has to be reported; null: the face is still free, and nothing may be. */
  readonly code: 'face-covered' | 'eyes-covered' | 'glasses' | 'eyes-closed' | null;
  readonly may: readonly GuidanceCode[];
  /** So many times as many lessons as of other families; 1 where absent. */
  readonly lessons?: number;
  readonly paint: Paint;
}

/** Hands are the hardest to tell from a face. */
const HAND_LESSONS = 1.5;

/** What cannot be told of eyes that are not seen. */
const UNSEEN_EYES: readonly GuidanceCode[] = ['face-covered', 'glasses', 'eyes-closed'];

/** Every family. What each draws follows from the random numbers. */
const COVERS: readonly Cover[] = [
  {
    name: 'mask',
    code: 'face-covered',
    may: [],
    paint: (b) => mask(b, b.nose * between(b.random, 0.35, 0.85)),
  },
  {
    name: 'mask under the nose',
    code: 'face-covered',
    may: [],
    paint: (b) => mask(b, b.nose + between(b.random, 0.16, 0.3)),
  },
  {
    name: 'scarf',
    code: 'face-covered',
    may: [],
    paint: (b) => veil(b, between(b.random, b.nose * 0.4, b.nose + 0.25)),
  },
  {
    name: 'hand from below',
    code: 'face-covered',
    may: [],
    lessons: HAND_LESSONS,
    paint: (b) =>
      hand(
        b,
        [between(b.random, -0.3, 0.3), b.mouth - between(b.random, 0.15, 0.6)],
        between(b.random, -0.5, 0.5),
      ),
  },
  {
    name: 'hand from the side',
    code: 'face-covered',
    may: [],
    lessons: HAND_LESSONS,
    paint: (b) => {
      const from = b.random() < 0.5 ? -1 : 1;
      hand(
        b,
        [from * -between(b.random, 0.3, 0.6), b.mouth + between(b.random, -0.35, 0.1)],
        -from * between(b.random, 1, 1.9),
      );
    },
  },
  {
    name: 'hand on the forehead',
    code: 'face-covered',
    may: ['eyes-covered', 'glasses', 'eyes-closed'],
    lessons: HAND_LESSONS,
    paint: (b) =>
      hand(
        b,
        [between(b.random, -0.4, 0.4), between(b.random, -0.25, 0.25)],
        Math.PI + between(b.random, -1.2, 1.2),
      ),
  },
  {
    name: 'thing',
    code: 'face-covered',
    may: [],
    paint: (b) => thing(b, [between(b.random, -0.3, 0.3), between(b.random, b.nose, b.mouth + 0.3)]),
  },
  { name: 'sunglasses', code: 'eyes-covered', may: UNSEEN_EYES, paint: sunglasses },
  { name: 'hat brim', code: 'eyes-covered', may: UNSEEN_EYES, paint: brim },
  {
    name: 'hair over the eyes',
    code: 'eyes-covered',
    may: UNSEEN_EYES,
    paint: (b) => strands(b, between(b.random, 0.35, 0.7), -1, 1, 160),
  },
  { name: 'clear glasses', code: 'glasses', may: [], paint: clearGlasses },
  { name: 'closed lids', code: 'eyes-closed', may: [], paint: closeLids },
  {
    name: 'fringe',
    code: null,
    may: [],
    paint: (b) => strands(b, -between(b.random, 0.45, 0.65), -1, 1, Math.floor(between(b.random, 30, 130))),
  },
  { name: 'headscarf', code: null, may: [], paint: headscarf },
];

/** A whole hand from above, from a side or from below. */
const openHands: Paint = (b) => {
  const from = b.random() < 0.5 ? -1 : 1;
  const way = b.random();
  if (way < 0.45)
    openHand(
      b,
      [between(b.random, -0.5, 0.5), between(b.random, -0.3, 0.3)],
      Math.PI + between(b.random, -1.4, 1.4),
    );
  else if (way < 0.75)
    openHand(
      b,
      [from * between(b.random, -0.6, 0.1), between(b.random, -0.4, b.mouth + 0.1)],
      -from * between(b.random, 0.9, 2),
    );
  else
    openHand(
      b,
      [between(b.random, -0.4, 0.4), b.mouth - between(b.random, 0.1, 0.7)],
      between(b.random, -0.6, 0.6),
    );
};

/** What the networks learn from: every family, and more of those that are hard to tell from the face. */
export const TAUGHT_COVERS: readonly Cover[] = [
  ...COVERS,
  {
    name: 'open hand',
    code: 'face-covered',
    may: ['eyes-covered', 'glasses', 'eyes-closed'],
    lessons: HAND_LESSONS,
    paint: openHands,
  },
];

/** How many copies of each family a run deals out at most. */
const DRAWINGS = [1, 2, 3, 4, 5, 6];

/** The covers as degradations; each step is another drawing of the family. */
export const COVER_DEGRADATIONS: readonly Degradation[] = COVERS.map(({ name, code, may, paint }) => ({
  code,
  may,
  name,
  unit: 'drawing',
  steps: DRAWINGS,
  paint: ({ context, points, random }) => paintCover(context.canvas, points, random, paint),
}));
