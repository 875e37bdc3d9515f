/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { type Box, ID1_RATIO, meanDistance, type Point, scaleBox, type Size } from '../domain/geometry.ts';
import {
  enlarged,
  farCorners,
  mapQuad,
  poseOf,
  type Quad,
  shareInside,
  sidesOf,
  strangeness,
} from '../domain/homography.ts';
import type { CardOutline } from '../domain/observation.ts';
import { groundWithin, refine, ROUNDED } from './fit.ts';
import { coarse, edgesOf, type Line, linesOf } from './lines.ts';
import type { Pixels } from './pixels.ts';

/*
 * Finds what may be the outline of a card: straight edges of the picture vote for lines, and quadrilaterals between two
 * lines that lie and two that stand are better the more their sides are edges from corner to corner, end there, part one
 * ground from another, and are what a camera sees of an ID-1 card. Fingers may hide parts of a side; up to two sides may
 * lie outside of the picture. test/accuracy/FINDING-CARDS.md compares this with other ways.
 */

/** Long side of the picture in which lines are looked for, px; corners are then set in the whole picture. */
const COARSE = 320;
/** Shortest side that is looked for, as part of the picture's short side. */
const SHORTEST = 0.12;
/** A side that is an edge on less of its length than this is none. */
const LEAST_SIDE = 0.3;
/** A card that reaches farther out of the picture than this part of its width is not looked for. */
const FARTHEST_OUTSIDE = 0.4;
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
}
/** Where a hand holds a card. */
export const NEAR_GUIDE: Search = { around: 0.3, aside: 0.4, lines: 20, compared: 20, refined: 5 };
/** In the whole picture, which takes longer. */
export const ANYWHERE: Search = { around: 2, aside: 2, lines: 40, compared: 64, refined: 8 };
/** An outline with less is none. */
const LEAST_SUPPORT = 0.55;
/** The same where two sides lie outside of the picture. */
const LEAST_OF_TWO = 0.75;
/** Stranger outlines are no card's. Of 90 outlines of hand-held cards none is over 0.05. */
const STRANGEST = 0.16;

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

interface Candidate {
  readonly corners: Quad;
  readonly support: number;
  readonly score: number;
}

/** A side that lies outside of the picture, so that the others tell where. */
type Sides = readonly [top: Line | null, right: Line | null, bottom: Line | null, left: Line | null];

/** How good an outline is; null where it is none. */
function judged(
  corners: Quad,
  [top, right, bottom, left]: Sides,
  frame: Size,
  guide: Box,
  aside: number,
): Candidate | null {
  const [p, q, r, s] = corners;
  const width = Math.min(Math.hypot(q.x - p.x, q.y - p.y), Math.hypot(r.x - s.x, r.y - s.y));
  const height = Math.min(Math.hypot(s.x - p.x, s.y - p.y), Math.hypot(r.x - q.x, r.y - q.y));
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  if (height < shortest || width < 1.1 * height || width > 2.3 * height) return null;
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
    score: (support - 0.35 * beyond) / seen - 2 * strange + 0.3 * size - MISSING * missing,
  };
}

/**
 * The rectangle of a known shape between two lines, both ends of which lie outside of the picture; null where they
 * would not. As for lying lines: x along, y across.
 * @param ratio of the sides along the lines to the others
 */
function withoutEnds(a: Line, b: Line, gap: number, length: number, ratio: number): Quad | null {
  const slope = (a.slope + b.slope) / 2;
  const half = (ratio * gap) / 2 / (1 + slope * slope);
  const middle = (length - 1) / 2;
  // Half of the other side moves the corners along, where the lines slope.
  if (half - (Math.abs(slope) * gap) / 2 < middle) return null;
  if (![a, b].every((line) => leaves(line, 1) && leaves(line, -1))) return null;
  const between = (pointOf(a, middle).y + pointOf(b, middle).y) / 2;
  const endAt = (along: number): Line => ({
    at: along + slope * (between + slope * (along - middle)),
    slope: -slope,
    sums: a.sums,
  });
  const [near, far] = [endAt(middle - half), endAt(middle + half)];
  return [crossing(a, near), crossing(a, far), crossing(b, far), crossing(b, near)];
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

/** The best quadrilaterals between lying and standing lines. */
function candidates(
  lying: readonly Line[],
  standing: readonly Line[],
  frame: Size,
  guide: Box,
  { aside, compared }: Search,
): readonly Candidate[] {
  const shortest = SHORTEST * Math.min(frame.width, frame.height);
  const pairsOf = (lines: readonly Line[], at: number): readonly Pair[] =>
    lines.flatMap((a) =>
      lines.flatMap((b): readonly Pair[] => {
        const from = a.at + a.slope * at;
        const gap = b.at + b.slope * at - from;
        if (gap < shortest || Math.abs(a.slope - b.slope) > 0.4) return [];
        return [{ a, b, gap, middle: from + gap / 2 }];
      }),
    );
  const found: Candidate[] = [];
  const keep = (candidate: Candidate | null): void => {
    if (candidate !== null) found.push(candidate);
  };
  const isOutside = (far: readonly Point[]): boolean =>
    far.every(({ x, y }) => x < 1 || y < 1 || x > frame.width - 2 || y > frame.height - 2) &&
    far.every(
      ({ x, y }) =>
        Math.max(-x, x - frame.width) < FARTHEST_OUTSIDE * frame.width &&
        Math.max(-y, y - frame.height) < FARTHEST_OUTSIDE * frame.width,
    );
  const centre = { x: guide.x + guide.width / 2, y: guide.y + guide.height / 2 };
  // Loosely, because a tilted card is not where its sides cross the middle of the guide.
  const isHeld = (place: number, middle: number): boolean =>
    Math.abs(place - middle) < 1.5 * aside * guide.width;
  const rows = pairsOf(lying, centre.x).filter(({ middle }) => isHeld(middle, centre.y));
  const columns = pairsOf(standing, centre.y).filter(({ middle }) => isHeld(middle, centre.x));
  for (const { a: top, b: bottom, gap, middle: upright } of rows) {
    for (const { a: left, b: right, gap: across } of columns) {
      if (across < 1.1 * gap || across > 2.3 * gap) continue;
      if (!isLikely(top, bottom, left, right, upright)) continue;
      const corners: Quad = [
        crossing(top, left),
        crossing(top, right),
        crossing(bottom, right),
        crossing(bottom, left),
      ];
      keep(judged(corners, [top, right, bottom, left], frame, guide, aside));
    }
    // Both ends outside: how far the card reaches is told by how far its other sides are apart.
    const across = withoutEnds(top, bottom, gap, frame.width, ID1_RATIO);
    if (across !== null) keep(judged(across, [top, null, bottom, null], frame, guide, aside));
    // A side that lies outside of the picture is where the shape of the card has it.
    for (const side of standing) {
      const [a, b] = [crossing(top, side), crossing(bottom, side)];
      if ((strengthAlong(side, a.y, b.y) ?? 0) < LEAST_SUPPORT) continue;
      for (const reach of [-frame.width, frame.width]) {
        // Too near to this side for the other to be outside.
        const end = (a.x + b.x) / 2 + Math.sign(reach) * 1.3 * ID1_RATIO * gap;
        if (end > 0 && end < frame.width) continue;
        if (!leaves(top, reach) || !leaves(bottom, reach)) continue;
        const onward = (line: Line, { x }: Point): Point => pointOf(line, x + reach);
        const far = farCorners([a, b], [onward(top, a), onward(bottom, b)], ID1_RATIO, frame);
        if (far === null || !isOutside(far)) continue;
        keep(
          reach > 0
            ? judged([a, far[0], far[1], b], [top, null, bottom, side], frame, guide, aside)
            : judged([far[0], a, b, far[1]], [top, side, bottom, null], frame, guide, aside),
        );
      }
    }
  }
  const standingAt = (line: Line, y: number): Point => {
    const { x, y: along } = pointOf(line, y);
    return { x: along, y: x };
  };
  for (const { a: left, b: right, gap } of columns) {
    const across = withoutEnds(left, right, gap, frame.height, 1 / ID1_RATIO);
    if (across !== null) {
      const [p, q, r, s] = mapQuad(across, ({ x, y }) => ({ x: y, y: x }));
      keep(judged([p, s, r, q], [null, right, null, left], frame, guide, aside));
    }
    for (const side of lying) {
      const [a, b] = [crossing(side, left), crossing(side, right)];
      if ((strengthAlong(side, a.x, b.x) ?? 0) < LEAST_SUPPORT) continue;
      for (const reach of [-frame.height, frame.height]) {
        const end = (a.y + b.y) / 2 + (Math.sign(reach) * 1.3 * gap) / ID1_RATIO;
        if (end > 0 && end < frame.height) continue;
        if (!leaves(left, reach) || !leaves(right, reach)) continue;
        const onward = (line: Line, { y }: Point): Point => standingAt(line, y + reach);
        const far = farCorners([a, b], [onward(left, a), onward(right, b)], 1 / ID1_RATIO, frame);
        if (far === null || !isOutside(far)) continue;
        keep(
          reach > 0
            ? judged([a, b, far[1], far[0]], [side, right, null, left], frame, guide, aside)
            : judged([far[0], far[1], b, a], [null, right, side, left], frame, guide, aside),
        );
      }
    }
  }
  return distinct(
    found.sort((a, b) => b.score - a.score),
    compared,
    ALIKE,
  );
}

/** The first of each kind: lines are often found twice. */
function distinct<Found extends { readonly corners: Quad }>(
  found: readonly Found[],
  most: number,
  alike: number,
): readonly Found[] {
  const kept: Found[] = [];
  for (const one of found) {
    if (kept.some(({ corners }) => meanDistance(corners, one.corners) < alike)) continue;
    kept.push(one);
    if (kept.length === most) break;
  }
  return kept;
}

/** Outlines whose corners are nearer than this are one, px of the coarse picture; told ones differ more. */
const ALIKE = 3;
/** An outline less high than this, px, may be left as the lines have it. */
const SMALL = 90;
/** Outlines that are told. */
const MOST_GIVEN = 4;
/** An outline that has less of one ground within, and another beyond, is no card's: 0.66 is the least of drawn ones. */
const LEAST_GROUND = 0.5;
/** What one ground within, and another beyond, counts for beside the sides themselves. */
const GROUND = 1;

/** An outline, and how much it looks like a card's: up to about 2.2. */
export interface RatedOutline extends CardOutline {
  readonly score: number;
}

/**
 * What may be the outline of the card in a picture, the likeliest first.
 * @param guide where the person was asked to hold it, px: one as large is preferred
 */
export function findOutlines(pixels: Pixels, guide: Box, search: Search): readonly RatedOutline[] {
  const sorted = fittedOutlines(pixels, guide, search).toSorted((a, b) => b.score - a.score);
  return distinct(sorted, MOST_GIVEN, 4 * ALIKE);
}

function fittedOutlines(pixels: Pixels, guide: Box, search: Search): readonly RatedOutline[] {
  const factor = Math.max(1, Math.round(Math.max(pixels.width, pixels.height) / COARSE));
  const held = scaleBox(guide, 1 / factor);
  const room = search.around * held.width;
  const edges = edgesOf(coarse(pixels, factor, held, room));
  const linesAlong = (lying: boolean): readonly Line[] => linesOf(edges, lying, held, room, search.lines);
  const found = candidates(linesAlong(true), linesAlong(false), edges, held, search);
  const compared = found.map(({ corners, score, support }) => {
    const scaled = enlarged(corners, factor);
    const rank = score + GROUND * groundWithin(pixels, scaled);
    return { corners: scaled, support, score: score - support, rank };
  });
  compared.sort((a, b) => b.rank - a.rank);
  return compared.slice(0, search.refined).flatMap((rough): readonly RatedOutline[] => {
    // Setting it on its edges may bend a small outline out of shape.
    const isSmall = sidesOf(rough.corners).height < SMALL;
    const fitted = refine(pixels, rough.corners);
    for (const { corners, support } of isSmall ? [fitted, rough] : [fitted]) {
      const pose = poseOf(corners, pixels);
      const strange = pose === null ? 1 : strangeness(pose);
      if (strange > STRANGEST) continue;
      const ground = groundWithin(pixels, corners);
      if (ground < LEAST_GROUND) return [];
      return [{ corners, support, score: rough.score + support - 2 * strange + GROUND * ground }];
    }
    return [];
  });
}
