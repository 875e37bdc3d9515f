/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { type Box, ID1_RATIO, meanDistance, type Point, type Size } from '../domain/geometry.ts';
import { farCorners, mapQuad, poseOf, type Quad, shareInside, strangeness } from '../domain/homography.ts';
import { ROUNDED } from './fit.ts';
import type { Line } from './lines.ts';

/*
 * Quadrilaterals between two lines that lie and two that stand: better the more their sides are edges from corner to
 * corner, end there, and are what a camera sees of an ID-1 card. Up to two sides may lie outside of the picture.
 */

/** How widely a card is looked for. */
export interface Search {
  /** Edges that count lie in the guide and round it, so far away over its width. */
  readonly around: number;
  /** Farther from the middle of the guide, over its width, no card's middle is looked for. */
  readonly aside: number;
  /** Lines that lie, and lines that stand, that are tried. */
  readonly lines: number;
  /** Outlines whose grounds are compared, and of these the ones that are set on their edges before the best is chosen. */
  readonly compared: number;
  readonly refined: number;
  /** How many of the doubtful ones are told besides. */
  readonly doubtful: number;
}

/** Shortest side that is looked for, as part of the picture's short side. */
const SHORTEST = 0.12;
/** Width over height of what is looked at as an outline: perspective changes it from 1.59. */
const NARROWEST = 1.1;
const WIDEST = 2.3;
/** A side that is an edge on less of its length than this is none. */
const LEAST_SIDE = 0.3;
/** A card that reaches farther out of the picture than this part of its width is not looked for. */
const FARTHEST_OUTSIDE = 0.4;
/** An outline with less is none. */
const LEAST_SUPPORT = 0.55;
/** The same where two sides lie outside of the picture. */
const LEAST_OF_TWO = 0.75;
/** Outlines whose corners are nearer than this are one, px of the coarse picture; told ones differ more. */
export const ALIKE = 3;
/** Stranger outlines are no card's. Of 90 outlines of hand-held cards none is over 0.05. */
export const STRANGEST = 0.16;
/** An outline that is completed from what the picture shows lies no more aslant, degrees, and is shown for the most part. */
const COMPLETED = { tilt: 30, inside: 0.55 };
/** What a side outside of the picture costs. */
const MISSING = 0.15;
/** A card that leaves the picture is near: at least so wide, over the guide's width. */
const NEAR = 0.55;
/** How far lines may be off before outlines are set on their edges, px. */
const LINES_OFF = 4;
/** Stands for edges beyond the picture. */
const UNSEEN = 0.3;

/** What may be the outline of a card. */
export interface Candidate {
  readonly corners: Quad;
  readonly support: number;
  readonly score: number;
  /** Completed although a side that should leave the picture does not, whose end a finger may hide. */
  readonly isDoubtful: boolean;
}

/** The lines that the sides lie on; null for a side outside of the picture, so that the others tell where. */
type Sides = readonly [top: Line | null, right: Line | null, bottom: Line | null, left: Line | null];

interface Proposal {
  readonly corners: Quad;
  readonly sides: Sides;
  readonly isDoubtful: boolean;
}

const crossing = (lying: Line, standing: Line): Point => {
  const y = (lying.at + lying.slope * standing.at) / (1 - lying.slope * standing.slope);
  return { x: standing.at + standing.slope * y, y };
};

/** The point of a line at a place along it; x along and y across, as for a lying one. */
const pointOf = ({ at, slope }: Line, along: number): Point => ({ x: along, y: at + slope * along });

/** Part of a line that is looked at where it leaves the picture. */
const LEAVING = 0.08;

/** True for a line that is an edge up to the end of the picture: to its far side, or for a negative way to its near one. */
function leaves(line: Line, way: number): boolean {
  const length = line.sums.length - 1;
  const reach = LEAVING * length;
  const strength = way > 0 ? strengthAlong(line, length - reach, length - 1) : strengthAlong(line, 1, reach);
  return (strength ?? 0) >= LEAST_SUPPORT;
}

/** Mean strength along a line from one place to another, as far as they lie in the picture; null where nothing of it does. */
function strengthAlong({ sums }: Line, from: number, to: number): number | null {
  const last = sums.length - 1;
  const [a, b] = [Math.max(0, Math.ceil(Math.min(from, to))), Math.min(last, Math.floor(Math.max(from, to)))];
  return b - a < 4 ? null : (sums[b]! - sums[a]!) / (b - a);
}

/** How well a side of a quadrilateral is an edge: on its length, and not beyond its ends. */
function sideOf(
  line: Line,
  from: number,
  to: number,
): { readonly on: number; readonly beyond: number } | null {
  const cut = ROUNDED * (to - from);
  const on = strengthAlong(line, from + cut, to - cut);
  if (on === null) return null;
  const reach = 0.12 * (to - from);
  const before = strengthAlong(line, from - reach, from - 2);
  const after = strengthAlong(line, to + 2, to + reach);
  // What cannot be seen says as little against as for it.
  return { on, beyond: ((before ?? UNSEEN) + (after ?? UNSEEN)) / 2 };
}

/** How good an outline is; null where it is none. */
function judged(
  { corners, sides: [top, right, bottom, left], isDoubtful }: Proposal,
  frame: Size,
  guide: Box,
  aside: number,
): Candidate | null {
  const [p, q, r, s] = corners;
  const width = Math.min(Math.hypot(q.x - p.x, q.y - p.y), Math.hypot(r.x - s.x, r.y - s.y));
  const height = Math.min(Math.hypot(s.x - p.x, s.y - p.y), Math.hypot(r.x - q.x, r.y - q.y));
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  if (height < shortest || width < NARROWEST * height || width > WIDEST * height) return null;
  const away = Math.hypot(
    (p.x + q.x + r.x + s.x) / 4 - guide.x - guide.width / 2,
    (p.y + q.y + r.y + s.y) / 4 - guide.y - guide.height / 2,
  );
  if (away > aside * guide.width) return null;
  let support = 0;
  let beyond = 0;
  let seen = 0;
  const sides = [
    top && sideOf(top, p.x, q.x),
    right && sideOf(right, q.y, r.y),
    bottom && sideOf(bottom, s.x, r.x),
    left && sideOf(left, p.y, s.y),
  ];
  for (const side of sides) {
    if (side === null) continue;
    if (side.on < LEAST_SIDE) return null;
    seen++;
    support += side.on;
    beyond += side.beyond;
  }
  if (support < (seen < 3 ? LEAST_OF_TWO : LEAST_SUPPORT) * seen) return null;
  if (seen < 4 && width < NEAR * guide.width) return null;
  const pose = poseOf(corners, frame);
  if (pose === null) return null;
  // Lines are off by a little, which bends a small outline more.
  const strange = Math.max(0, strangeness(pose) - LINES_OFF / height);
  if (strange > STRANGEST) return null;
  if (seen < 4 && (pose.tilt > COMPLETED.tilt || shareInside(corners, frame) < COMPLETED.inside)) return null;
  const size = Math.min(1, Math.sqrt((width * height) / (guide.width * guide.height)));
  const missing = 4 - seen;
  return {
    corners,
    support: support / seen,
    isDoubtful,
    score: (support - 0.35 * beyond) / seen - 2 * strange + 0.3 * size - MISSING * missing,
  };
}

/** Two lines of one kind, px between them and where the middle between them is, along a line through the guide's middle. */
interface Pair {
  readonly a: Line;
  readonly b: Line;
  readonly gap: number;
  readonly middle: number;
}

/** Sides are looked at loosely before their corners are known: so much less of an edge is passed over. */
const LOOSELY = 0.85;

/** Whether lines can be the sides of an outline, roughly: nearly all pairs of pairs cannot. */
function isLikely(top: Line, bottom: Line, left: Line, right: Line, y: number): boolean {
  const [from, to] = [left.at + left.slope * y, right.at + right.slope * y];
  const upper = strengthAlong(top, from, to) ?? 1;
  const lower = strengthAlong(bottom, from, to) ?? 1;
  if (upper + lower < LOOSELY * (LEAST_SUPPORT * 4 - 2)) return false;
  const x = (from + to) / 2;
  const [above, below] = [top.at + top.slope * x, bottom.at + bottom.slope * x];
  const near = strengthAlong(left, above, below) ?? 1;
  const far = strengthAlong(right, above, below) ?? 1;
  return upper + lower + near + far >= LOOSELY * LEAST_SUPPORT * 4;
}

/** What is completed outside of the picture, in a picture as wide as `frame` along its lines. */
interface Completing {
  readonly frame: Size;
  /** Of the sides along the lines to the others. */
  readonly ratio: number;
  /** No corner lies farther outside, px. */
  readonly farthest: number;
  /** Of the ends that should reach the end of the picture, how many a finger may hide. */
  readonly hideable: number;
}

/** The rectangle between two lines that lie, both ends of which lie outside of the picture; null where they would not. */
function withoutEnds({ a, b, gap }: Pair, { frame, ratio, hideable }: Completing): Proposal | null {
  const slope = (a.slope + b.slope) / 2;
  const half = (ratio * gap) / 2 / (1 + slope * slope);
  const middle = (frame.width - 1) / 2;
  // Half of the other side moves the corners along, where the lines slope.
  if (half - (Math.abs(slope) * gap) / 2 < middle) return null;
  const hidden = [a, b].flatMap((line) => [-1, 1].filter((way) => !leaves(line, way))).length;
  if (hidden > hideable) return null;
  const between = (pointOf(a, middle).y + pointOf(b, middle).y) / 2;
  const endAt = (along: number): Line => ({
    at: along + slope * (between + slope * (along - middle)),
    slope: -slope,
    sums: a.sums,
  });
  const [near, far] = [endAt(middle - half), endAt(middle + half)];
  return {
    corners: [crossing(a, near), crossing(a, far), crossing(b, far), crossing(b, near)],
    sides: [a, null, b, null],
    isDoubtful: hidden > 0,
  };
}

/** The rectangles between two lines that lie and one that stands, whose other end lies outside of the picture. */
function withoutEnd(
  { a, b, gap }: Pair,
  standing: readonly Line[],
  completing: Completing,
): readonly Proposal[] {
  const { frame, ratio, farthest, hideable } = completing;
  const ways = [-1, 1].flatMap((way) => {
    const hidden = [a, b].filter((line) => !leaves(line, way)).length;
    return hidden > hideable ? [] : [{ way, isDoubtful: hidden > 0 }];
  });
  const found: Proposal[] = [];
  if (ways.length === 0) return found;
  for (const side of standing) {
    const [p, q] = [crossing(a, side), crossing(b, side)];
    if ((strengthAlong(side, p.y, q.y) ?? 0) < LEAST_SUPPORT) continue;
    for (const { way, isDoubtful } of ways) {
      // Too near to this side for the other to be outside.
      const end = (p.x + q.x) / 2 + way * 1.3 * ratio * gap;
      if (end > 0 && end < frame.width) continue;
      const onward = (line: Line, { x }: Point): Point => pointOf(line, x + way * frame.width);
      const far = farCorners([p, q], [onward(a, p), onward(b, q)], ratio, frame);
      if (far === null || !far.every((corner) => isOutside(corner, frame, farthest))) continue;
      found.push(
        way > 0
          ? { corners: [p, far[0], far[1], q], sides: [a, null, b, side], isDoubtful }
          : { corners: [far[0], p, q, far[1]], sides: [a, side, b, null], isDoubtful },
      );
    }
  }
  return found;
}

const isOutside = ({ x, y }: Point, { width, height }: Size, farthest: number): boolean =>
  (x < 1 || y < 1 || x > width - 2 || y > height - 2) && Math.max(-x, x - width, -y, y - height) < farthest;

/** The same with x and y of the picture swapped: what lies stands, and a clockwise outline stays one. */
function swapped({
  corners: [p, q, r, s],
  sides: [top, right, bottom, left],
  isDoubtful,
}: Proposal): Proposal {
  return {
    corners: mapQuad([p, s, r, q], ({ x, y }) => ({ x: y, y: x })),
    sides: [left, bottom, right, top],
    isDoubtful,
  };
}

/** One after the other, as there are thousands: all outlines between lying and standing lines whose sides are where the lines are edges. */
function* proposals(
  rows: readonly Pair[],
  columns: readonly Pair[],
  lying: readonly Line[],
  standing: readonly Line[],
  frame: Size,
  hideable: number,
): Generator<Proposal> {
  for (const { a: top, b: bottom, gap, middle } of rows) {
    for (const { a: left, b: right, gap: across } of columns) {
      if (across < NARROWEST * gap || across > WIDEST * gap) continue;
      if (!isLikely(top, bottom, left, right, middle)) continue;
      yield {
        corners: [crossing(top, left), crossing(top, right), crossing(bottom, right), crossing(bottom, left)],
        sides: [top, right, bottom, left],
        isDoubtful: false,
      };
    }
  }
  const farthest = FARTHEST_OUTSIDE * frame.width;
  const along: Completing = { frame, ratio: ID1_RATIO, farthest, hideable };
  for (const row of rows) {
    const both = withoutEnds(row, along);
    if (both !== null) yield both;
    yield* withoutEnd(row, standing, along);
  }
  const turned = { width: frame.height, height: frame.width };
  const upright: Completing = { frame: turned, ratio: 1 / ID1_RATIO, farthest, hideable };
  for (const column of columns) {
    const both = withoutEnds(column, upright);
    if (both !== null) yield swapped(both);
    for (const one of withoutEnd(column, lying, upright)) yield swapped(one);
  }
}

/** The best quadrilaterals between lying and standing lines, at most `search.compared` firm and as many doubtful ones. */
export function candidates(
  lying: readonly Line[],
  standing: readonly Line[],
  frame: Size,
  guide: Box,
  { aside, compared, doubtful }: Search,
): readonly Candidate[] {
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  const centre = { x: guide.x + guide.width / 2, y: guide.y + guide.height / 2 };
  // Pairs where they cross a line through the middle of the guide.
  const pairsOf = (lines: readonly Line[], at: number, held: number): readonly Pair[] =>
    lines.flatMap((a) =>
      lines.flatMap((b): readonly Pair[] => {
        const from = a.at + a.slope * at;
        const gap = b.at + b.slope * at - from;
        const middle = from + gap / 2;
        // Loosely, because a tilted card is not where its sides cross the middle of the guide.
        if (Math.abs(middle - held) >= 1.5 * aside * guide.width) return [];
        return gap < shortest || Math.abs(a.slope - b.slope) > 0.4 ? [] : [{ a, b, gap, middle }];
      }),
    );
  const rows = pairsOf(lying, centre.x, centre.y);
  const columns = pairsOf(standing, centre.y, centre.x);
  const found: Candidate[] = [];
  for (const proposal of proposals(rows, columns, lying, standing, frame, Math.min(1, doubtful))) {
    const candidate = judged(proposal, frame, guide, aside);
    if (candidate !== null) found.push(candidate);
  }
  return best(found, compared, compared, ALIKE);
}

/** The best of each kind, as lines are often found twice: so many firm ones, and so many doubtful ones behind them. */
export function best<Found extends Pick<Candidate, 'corners' | 'score' | 'isDoubtful'>>(
  found: readonly Found[],
  firm: number,
  doubtful: number,
  alike: number,
): readonly Found[] {
  return [false, true].flatMap((isDoubtful) => {
    const kept: Found[] = [];
    const most = isDoubtful ? doubtful : firm;
    for (const one of found.filter((of) => of.isDoubtful === isDoubtful).sort((a, b) => b.score - a.score)) {
      if (kept.length === most) break;
      if (!kept.some(({ corners }) => meanDistance(corners, one.corners) < alike)) kept.push(one);
    }
    return kept;
  });
}
