/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { LEAST_PORTRAIT, LEAST_PRINT } from '../domain/card-rules.ts';
import { type Box, cornersOf, ID1_RATIO, meanDistance, type Point, type Size } from '../domain/geometry.ts';
import { frameOf, type PatchFrame, placeIn, type Quad, sidesOf } from '../domain/homography.ts';
import type { CardObservation } from '../domain/observation.ts';
import { type Hidden, hiddenOn, FINGER_CELL } from './fingers.ts';
import { ANYWHERE, findOutlines, NEAR_GUIDE, type RatedOutline } from './outline.ts';
import {
  blockExtremes,
  fractionWithin,
  histogramOf,
  lumaPlane,
  meanOf,
  percentile,
  type Pixels,
  type Plane,
  samplePatch,
} from './pixels.ts';
import { type FindFaces, NO_PORTRAIT, type Portrait, portraitOn } from './portrait.ts';
import type { Search } from './quadrilaterals.ts';
import { leastSteepness } from './sharpness.ts';

/*
 * From pixels to the measures of a card. The card, or the guide where none is found, is straightened and scaled to one
 * size, so that distance, tilt and resolution cancel out.
 */

/** Width of the straightened card, px: about that of the guide in a 640 px frame, so that no sharpness is lost. */
const CARD_WIDTH = 480;
/** Rim round the card that is sampled as well, px: a glare fades beyond the edge. */
const RIM = 12;
/** Side of the cells in which print is looked for, px of the straightened card. */
const CELL = 24;
/** Luma span that makes a cell hold something. Sensor noise and paper grain stay below. */
const CELL_SPAN = 40;
/** An edge through a cell changes sides once on each of its lines; print does so more often. */
const PRINTED = 1.25 * CELL;
/** Clipped in all three channels. */
const CLIPPED = 250;

/** Where the card lies in the straightened picture. */
const INSIDE: Box = { x: RIM, y: RIM, width: CARD_WIDTH, height: Math.round(CARD_WIDTH / ID1_RATIO) };

/**
 * Where a KTP has what must be seen, in parts of its width and height: the line with the NIK, all fields, the portrait.
 * Cards with the portrait on the left have their fields on the right.
 */
const NUMBER: Box = { x: 0.2, y: 0.19, width: 0.52, height: 0.135 };
const FIELDS: Box = { x: 0.03, y: 0.2, width: 0.68, height: 0.77 };
const PORTRAIT: Box = { x: 0.77, y: 0.3, width: 0.18, height: 0.42 };

const mirrored = (box: Box): Box => ({ ...box, x: 1 - box.x - box.width });

/** Measures cards frame after frame; remembers the last frame to tell movement. */
export interface CardMeter {
  /** @param findFaces null for a card that bears no portrait */
  observe(pixels: Pixels, guide: Box, now: number, findFaces: FindFaces | null): CardObservation;
}

/** After so long without a frame everything is forgotten, ms: another step has begun, perhaps with another card. */
const FORGET_AFTER = 3000;

/** The first frame of a meter, and one whose card was not found in the frame before, has no movement. */
export function createCardMeter(): CardMeter {
  let last: { readonly corners: Quad; readonly now: number } | null = null;
  let finder = createFinder();
  let observedAt = -Infinity;
  return {
    observe(pixels, guide, now, findFaces) {
      if (now - observedAt > FORGET_AFTER) [last, finder] = [null, createFinder()];
      observedAt = now;
      const { view, isElsewhere } = finder(pixels, guide, findFaces, last?.corners ?? null);
      const { outline, corners, place, patch, plane, card, print, portrait } = view;
      const { width } = sidesOf(corners);
      const isFound = isCard(view);
      // What may be no card tells nothing of the light.
      const tellsLight = outline === null || (isFound && width > SMALLEST_LIT * guide.width);
      const lit = (tellsLight ? null : straightened(pixels, cornersOf(guide))) ?? view;
      const cardHistogram = histogramOf(card);
      const histogram = lit === view ? cardHistogram : histogramOf(lit.card);
      const clipped = clippedIn(lit.patch, INSIDE);
      const onLeft = portrait?.onLeft ?? false;
      const seconds = last === null ? 0 : (now - last.now) / 1000;
      const motion = last === null || outline === null ? 0 : meanDistance(last.corners, corners) / width;
      last = outline === null || isElsewhere ? null : { corners, now };
      return {
        kind: 'card',
        frame: { width: pixels.width, height: pixels.height },
        outline: outline && { corners, support: outline.support },
        portrait: portrait && { upright: portrait.upright, turned: portrait.turned },
        covered: outline === null ? 0 : coveredOn(hiddenOn(patch, INSIDE, isIn(pixels, place)), onLeft),
        print,
        luma: meanOf(histogram),
        highlight: percentile(histogram, 0.98),
        dark: fractionWithin(histogram, 0, 25),
        bright: clipped.fraction,
        glare: glareIn(clipped.mask, lit.plane, INSIDE) / (INSIDE.width * INSIDE.height),
        // A card that is small in the frame is enlarged, which blurs; the root takes that back in part.
        sharpness:
          (CARD_WIDTH / 1000) *
          Math.sqrt(Math.max(1, CARD_WIDTH / width)) *
          writingSharpness(plane, cardHistogram, onLeft),
        motion: seconds <= 0 ? 0 : motion / seconds,
      };
    },
  };
}

/** What lies within corners, straightened. */
interface Straightened {
  readonly place: PatchFrame;
  /** With a rim. */
  readonly patch: Pixels;
  readonly plane: Plane;
  /** Luma within the rim. */
  readonly card: Plane;
}

/** A card as it lies in the picture, or the guide where there is none. */
interface View extends Straightened {
  readonly outline: RatedOutline | null;
  readonly corners: Quad;
  readonly print: number;
  readonly portrait: Portrait | null;
}

/**
 * Where none is found, a card is looked for in one way for so many frames before it is in the other: both ways in each
 * frame would take long, and what is found in either way is not the same where there is no card.
 */
const MOST_MISSES = 3;
/**
 * Near the guide a card is found in a quarter of the time, but not always the right outline. So it is first looked for in
 * the whole picture, and again where what is near the guide is farther than this from where the card was, of its width.
 */
const SAME_PLACE = 0.1;
/** Where the two differed, the whole picture is searched for so many frames more. */
const WARY_FOR = 8;
/** Sides that leave the picture by more, px, are followed in the search of the whole picture alone. */
const SCARCELY = 5;

/** What a finder finds in a frame. */
interface Found {
  readonly view: View;
  /** True where what is seen is no card, and the next frame is searched in the other way. */
  readonly isElsewhere: boolean;
}

/** Finds the card in one frame after the other; `last` is where it was in the one before, null where it was not. */
function createFinder(): (
  pixels: Pixels,
  guide: Box,
  findFaces: FindFaces | null,
  last: Quad | null,
) => Found {
  let search = ANYWHERE;
  let misses = 0;
  let wary = 0;
  return (pixels, guide, findFaces, last) => {
    const look = (how: Search): View => viewOf(pixels, guide, findOutlines(pixels, guide, how), findFaces);
    let view = look(search);
    if (search === NEAR_GUIDE && last !== null && !isAt(view, last)) {
      const whole = look(ANYWHERE);
      if (isCard(whole) && !isAt(view, whole.corners)) [view, search, wary] = [whole, ANYWHERE, WARY_FOR];
    }
    const { outline, corners } = view;
    const isFound = isCard(view);
    misses = isFound || mayBeCard(view, pixels) ? 0 : misses + 1;
    const isElsewhere = misses > 0 && (outline === null || misses === MOST_MISSES);
    const isPlain = isFound && !outline?.isDoubtful;
    if (isElsewhere) [misses, search] = [0, search === NEAR_GUIDE ? ANYWHERE : NEAR_GUIDE];
    else if (wary > 0) wary--;
    else if (isPlain && corners.every((corner) => isWithin(corner, pixels, SCARCELY))) search = NEAR_GUIDE;
    return { view, isElsewhere };
  };
}

/** Whether a view shows an outline in a place. */
const isAt = ({ outline, corners }: View, place: Quad): boolean =>
  outline !== null && meanDistance(corners, place) < SAME_PLACE * sidesOf(place).width;

/** Light is measured on cards of at least this width, over the guide's: washed out ones leave only their portraits. */
const SMALLEST_LIT = 0.4;

/** A card bears a portrait, or print where no portrait is looked for. A doubtful outline holds a certain portrait. */
function isCard({ outline, portrait, print }: View): boolean {
  if (outline === null) return false;
  const { isDoubtful } = outline;
  if (portrait === null) return !isDoubtful && print >= LEAST_PRINT;
  return Math.max(portrait.upright, portrait.turned) > (isDoubtful ? LEAST_PORTRAIT : 0);
}

/** An outline that looks like this much of a card's is not looked for in another way: 49 of 50 good scenes do. */
const SURE_SCORE = 1.65;
/** So much of a card's width at either end has to be in the picture for a portrait to be missed there. */
const END_SEEN = 0.1;

/** Whether what is printed may be a card though its portrait is not seen: covered, or outside of the picture. */
const mayBeCard = ({ outline, print, place }: View, frame: Size): boolean =>
  outline !== null &&
  print >= LEAST_PRINT &&
  (outline.score > SURE_SCORE ||
    [END_SEEN, 1 - END_SEEN].some(
      (share) => !isIn(frame, place)(INSIDE.x + share * INSIDE.width, INSIDE.y + INSIDE.height / 2),
    ));

/** Of several outlines the one that holds what a card does: lines of a cloth or a paper may look more like a card's. */
function viewOf(
  pixels: Pixels,
  guide: Box,
  outlines: readonly RatedOutline[],
  findFaces: FindFaces | null,
): View {
  const views: View[] = [];
  for (const outline of outlines) {
    const view = viewAlong(pixels, outline.corners, outline, findFaces);
    if (view === null) continue;
    if (isCard(view)) return view;
    if (!outline.isDoubtful) views.push(view);
  }
  const view =
    views.find(({ print }) => print >= LEAST_PRINT) ??
    views[0] ??
    viewAlong(pixels, cornersOf(guide), null, findFaces);
  if (view === null) throw new RangeError('The guide has no area.');
  return view;
}

function viewAlong(
  pixels: Pixels,
  corners: Quad,
  outline: RatedOutline | null,
  findFaces: FindFaces | null,
): View | null {
  const flat = straightened(pixels, corners);
  if (flat === null) return null;
  const portrait = findFaces && (outline === null ? NO_PORTRAIT : portraitOn(flat.patch, INSIDE, findFaces));
  return { ...flat, outline, corners, print: printIn(flat.card), portrait };
}

function straightened(pixels: Pixels, corners: Quad): Straightened | null {
  const place = frameOf(corners, INSIDE, RIM);
  if (place === null) return null;
  const patch = samplePatch(pixels, place, INSIDE.width + 2 * RIM, INSIDE.height + 2 * RIM);
  const plane = lumaPlane(patch);
  return { place, patch, plane, card: crop(plane, INSIDE) };
}

/** Whether the picture shows a place of the patch. */
const isIn =
  (picture: Size, place: PatchFrame) =>
  (x: number, y: number): boolean =>
    isWithin(placeIn(place, { x, y }), picture);

/** Whether a point lies in a picture, or no more than so many px beyond. */
const isWithin = ({ x, y }: Point, { width, height }: Size, beyond = 0): boolean =>
  Math.min(x, y, width - 1 - x, height - 1 - y) >= -beyond;

/** The largest part that is hidden of the number, of all fields, or of the portrait. */
function coveredOn({ data, width, height }: Hidden, onLeft: boolean): number {
  const shares = [NUMBER, FIELDS, PORTRAIT].map((part) => {
    const box = onLeft ? mirrored(part) : part;
    let [all, covered] = [0, 0];
    for (let y = 0; y < height; y++) {
      const down = ((y + 0.5) * FINGER_CELL) / INSIDE.height - box.y;
      if (down < 0 || down > box.height) continue;
      for (let x = 0; x < width; x++) {
        const across = ((x + 0.5) * FINGER_CELL) / INSIDE.width - box.x;
        if (across < 0 || across > box.width) continue;
        all++;
        covered += data[y * width + x]!; // within
      }
    }
    return covered / all;
  });
  return Math.max(...shares);
}

/** Contrast of writing, as part of the luma between the darkest and the brightest of the card, and the least. */
const WRITING = { range: 0.25, least: 20 };

/** Steepness of the edges of writing: on the line with the NIK, or on all fields where it has none to be seen. */
function writingSharpness(plane: Plane, histogram: Uint32Array, onLeft: boolean): number {
  const range = percentile(histogram, 0.98) - percentile(histogram, 0.02);
  const edges = { reach: 6, minSpan: Math.max(WRITING.least, WRITING.range * range), quantile: 0.97 };
  // Where the portrait is on the left, the card is none whose number has a known place.
  for (const part of onLeft ? [mirrored(FIELDS)] : [NUMBER, FIELDS]) {
    const box = {
      x: INSIDE.x + Math.round(part.x * INSIDE.width),
      y: INSIDE.y + Math.round(part.y * INSIDE.height),
      width: Math.round(part.width * INSIDE.width),
      height: Math.round(part.height * INSIDE.height),
    };
    const steepness = leastSteepness(plane, box, edges);
    if (steepness !== null) return steepness;
  }
  return 0;
}

function crop(plane: Plane, box: Box): Plane {
  const data = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const start = (y + box.y) * plane.width + box.x;
    data.set(plane.data.subarray(start, start + box.width), y * box.width);
  }
  return { data, width: box.width, height: box.height };
}

/**
 * Fraction of the cells that hold writing or other fine print: contrast that changes sides again and again, while the
 * edge of a pattern crosses a cell once.
 */
function printIn(inside: Plane): number {
  const { low, high } = blockExtremes(inside, CELL);
  let printed = 0;
  for (let i = 0; i < low.data.length; i++) {
    const [dark, light] = [low.data[i]!, high.data[i]!]; // within: both have the same size
    if (light - dark < CELL_SPAN) continue;
    const start = Math.floor(i / low.width) * CELL * inside.width + (i % low.width) * CELL;
    const most = Math.max(
      changesIn(inside, start, (dark + light) / 2, 1, inside.width),
      changesIn(inside, start, (dark + light) / 2, inside.width, 1),
    );
    if (most > PRINTED) printed++;
  }
  return printed / Math.max(1, low.data.length);
}

/** How often luma crosses a level from one px to the next along all lines of a cell. */
function changesIn({ data }: Plane, start: number, level: number, step: number, line: number): number {
  let changes = 0;
  for (let k = 0; k < CELL; k++) {
    for (let i = start + k * line, end = i + (CELL - 1) * step; i < end; i += step)
      if (data[i]! < level !== data[i + step]! < level) changes++; // the cell lies inside
  }
  return changes;
}

/** Which pixels of the patch clip inside the guide, and what part of the guide they are. */
function clippedIn(
  { data, width }: Pixels,
  inside: Box,
): { readonly mask: Uint8Array; readonly fraction: number } {
  const mask = new Uint8Array(data.length / 4);
  let count = 0;
  for (let y = inside.y; y < inside.y + inside.height; y++) {
    for (let x = inside.x; x < inside.x + inside.width; x++) {
      const i = y * width + x;
      // Within: the guide lies inside the patch.
      if (Math.min(data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!) < CLIPPED) continue;
      mask[i] = 1;
      count++;
    }
  }
  return { mask, fraction: count / (inside.width * inside.height) };
}

/** A print ends within two px, and a glare fades: how far outside of the spot that is looked at, px. */
const NEAR = 3;
const FAR = 10;
/** Luma that noise may add to the fall. */
const FALL_NOISE = 4;
/** A larger part of the guide that clips is no spot but too much light. */
const LARGEST_SPOT = 0.3;

/** Area of the largest clipped spot with a soft rim, px. Marks what it has seen in `mask`. */
function glareIn(mask: Uint8Array, plane: Plane, card: Size): number {
  const { width } = plane;
  let largest = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== 1) continue;
    const spot: number[] = [start];
    mask[start] = 2;
    let rim = 0;
    let soft = 0;
    for (const i of spot) {
      for (const step of [-1, 1, -width, width]) {
        const next = i + step;
        if (mask[next] === 1) {
          mask[next] = 2;
          spot.push(next);
        } else if (mask[next] === 0) {
          const near = 255 - (plane.data[i + step * NEAR] ?? 0);
          const far = 255 - (plane.data[i + step * FAR] ?? 0);
          rim++;
          if (near <= far / 2 + FALL_NOISE) soft++;
        }
      }
    }
    const isSpot = soft > rim / 2 && spot.length < LARGEST_SPOT * card.width * card.height;
    if (isSpot) largest = Math.max(largest, spot.length);
  }
  return largest;
}
