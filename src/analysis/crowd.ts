import { type Box, sharedArea, type Size } from '../domain/geometry.ts';

/*
 * Who is there beside the main face. The detector looks at 128 px of whatever it is given, so that a face too small for
 * it in the whole frame is found in a quarter; each frame has one part looked at, and the others' faces remembered.
 * Once nobody is in any of them, every other part is the whole frame, where newcomers that are near show.
 */

/** A face that the detector found, px of the part that it was shown, and its score, 0..1. */
export interface Detection extends Box {
  readonly score: number;
}

export interface Crowd {
  /**
   * Looks at the next part of the frame, or at none where a newcomer can wait.
   * @param now ms, on any one clock
   * @param main the main face, px of the frame; null where there is none
   * @param detect finds the faces in a part of the frame, px
   * @returns the faces beside the main one that this part has now and the others had last, the widest first
   */
  look(
    frame: Size,
    now: number,
    main: Box | null,
    detect: (part: Box) => readonly Detection[],
  ): readonly Box[];
}

/** The parts, as fractions of the frame. The quarters overlap by more than a face that needs them is wide. */
export const CROWD_PARTS = [
  { x: 0, y: 0, width: 1, height: 1 },
  { x: 0, y: 0, width: 0.6, height: 0.6 },
  { x: 0.4, y: 0.4, width: 0.6, height: 0.6 },
  { x: 0.4, y: 0, width: 0.6, height: 0.6 },
  { x: 0, y: 0.4, width: 0.6, height: 0.6 },
] as const satisfies readonly Box[];

/** In a quarter, dots of a scarf and folds at a neck are as large as faces: they score 0.5 to 0.73, faces 0.8 and more. */
const SURE_IN_A_QUARTER = 0.75;
/** Where nobody is beside the main face, a part is looked at so often, ms: it costs two thirds of a frame. */
const NEWCOMERS_EVERY = 300;
/** After a longer pause between two looks, those who were there are forgotten, ms. */
const FORGET_AFTER = 1000;
/** Two boxes that share more than this of the smaller one are the same face: of somebody behind, more is to be seen. */
const SAME_FACE = 0.3;

export function createCrowd(): Crowd {
  let seen: readonly (readonly Box[])[] = [];
  let turn = 0;
  /** Looks in a row with nobody beside the main face. */
  let alone = 0;
  let last = -Infinity;
  let detected = -Infinity;

  /** The next part, by its number; null for none. */
  const next = (now: number): number | null => {
    const waiting = alone - CROWD_PARTS.length;
    if (waiting < 0) return turn;
    if (now - detected < NEWCOMERS_EVERY) return null;
    return waiting % 2 === 0 ? 0 : 1 + (((waiting - 1) / 2) % (CROWD_PARTS.length - 1));
  };

  return {
    look(frame, now, main, detect) {
      if (now < last || now - last > FORGET_AFTER) [seen, turn, alone] = [[], 0, 0];
      // One of the faces that are found while there is no main face may become it.
      last = main === null ? -Infinity : now;
      const at = next(now);
      if (at === null) return [];
      detected = now;
      const part = partOf(frame, CROWD_PARTS[at] ?? CROWD_PARTS[0]);
      const found = detect(part)
        .filter(({ score }) => at === 0 || score >= SURE_IN_A_QUARTER)
        .map(({ x, y, width, height }) => ({ x: part.x + x, y: part.y + y, width, height }))
        .filter((box) => !isCutOff(box, part, frame));
      // Told apart now, because the main face may be elsewhere when the other parts have their turn.
      const others = found.filter((box) => main === null || !areSameFace(box, main));
      seen = CROWD_PARTS.map((_, i) => (i === at ? others : (seen[i] ?? [])));
      alone = seen.some((faces) => faces.length > 0) ? 0 : alone + 1;
      turn = (at + 1) % CROWD_PARTS.length;
      return seen
        .flat()
        .sort((a, b) => b.width - a.width)
        .filter((box, i, all) => !all.slice(0, i).some((wider) => areSameFace(box, wider)));
    },
  };
}

const partOf = ({ width, height }: Size, share: Box): Box => ({
  x: Math.round(share.x * width),
  y: Math.round(share.y * height),
  width: Math.round(share.width * width),
  height: Math.round(share.height * height),
});

/** True for what reaches over an edge of the part inside the frame: the rest of a face that another part shows whole. */
const isCutOff = (box: Box, part: Box, frame: Size): boolean =>
  (part.x > 0 && box.x <= part.x) ||
  (part.y > 0 && box.y <= part.y) ||
  (part.x + part.width < frame.width && box.x + box.width >= part.x + part.width) ||
  (part.y + part.height < frame.height && box.y + box.height >= part.y + part.height);

const areSameFace = (a: Box, b: Box): boolean =>
  sharedArea(a, b) > SAME_FACE * Math.min(a.width * a.height, b.width * b.height);
