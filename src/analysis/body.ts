/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Point } from '../domain/geometry.ts';
import type { Plane } from './pixels.ts';

/*
 * What the outline of the person tells of the body below the head. Lengths are in face widths.
 */

/** Confidence from which a pixel of the mask is the person. */
const PERSON = 0.5;

/** Distances from the chin, to either side, at which shoulders are looked for: from the neck to where the arms begin. */
const NEAR = 0.6;
const FAR = 1.4;
const STEP = 0.025;
/** How far below the chin a shoulder may lie: a long neck, and the lower end of a steep slope. */
const LOWEST = 1.7;
/** How far above it: shoulders that a near camera sees from below. Higher up is hair, or a scarf over the head. */
const HIGHEST = -0.75;
/** How steep the outline of a shoulder may run, outwards and down. Steeper are hair, the end of a scarf, and arms. */
const STEEPEST = 1.5;
/** How steep it may rise outwards, on the upper side of a slope. A lifted arm rises steeper. */
const RISING = -0.8;
/** Steepness is taken over this many steps to either side. */
const OVER = 2;
/** So many places, about a sixth of a face width, have to be shoulder on both sides. */
const ENOUGH = 7;
/** How far places may differ, as the interquartile range of their slopes: hair or an arm on one side alone bends the line. */
const SPREAD = 0.4;

/** A height below the chin; of a side that leaves the picture at the bottom, the height where it does so. */
interface Place {
  readonly height: number;
  readonly cut: boolean;
}

/**
 * Slope of the line through both shoulders against the frame's horizontal. Where one shoulder has left the frame at
 * the bottom and the other has not, the least slope that this takes.
 * @param mask confidence 0..1 that a pixel is the person, in any size of the frame's own shape
 * @param chin px of the mask
 * @param faceWidth width of the landmarks, px of the mask
 * @returns degrees, positive clockwise in the frame as it is; null where the mask does not show two shoulders
 */
export function shoulderSlope(mask: Plane, chin: Point, faceWidth: number): number | null {
  const outs = Array.from({ length: Math.round((FAR - NEAR) / STEP) + 1 }, (_, i) => NEAR + i * STEP);
  const left = shoulderLine(outs.map((out) => outlineAt(mask, chin, -out, faceWidth)));
  const right = shoulderLine(outs.map((out) => outlineAt(mask, chin, out, faceWidth)));
  const pairs = outs.flatMap((out, i) => {
    const [a, b] = [left[i], right[i]];
    // Where both are cut off, neither is known to lie higher.
    if (a == null || b == null || (a.cut && b.cut)) return [];
    return { slope: (b.height - a.height) / (2 * out), cut: a.cut || b.cut };
  });
  const whole = pairs.filter(({ cut }) => !cut);
  const slopes = (whole.length < ENOUGH ? pairs : whole).map(({ slope }) => slope);
  if (slopes.length < ENOUGH) return null;
  const sorted = Float64Array.from(slopes).sort();
  const at = (fraction: number): number => sorted[Math.round(fraction * (sorted.length - 1))]!;
  if (at(0.75) - at(0.25) > SPREAD) return null;
  return (Math.atan(at(0.5)) * 180) / Math.PI;
}

/** Where the person begins in one column; null where that is neither in the mask nor cut off by its lower border. */
function outlineAt(
  { data, width, height }: Plane,
  chin: Point,
  out: number,
  faceWidth: number,
): Place | null {
  const x = Math.round(chin.x + out * faceWidth);
  const lowest = Math.round(chin.y + LOWEST * faceWidth);
  let y = Math.min(height - 1, lowest);
  if (x < 0 || x >= width || y < 0) return null;
  const cut = data[y * width + x]! < PERSON;
  if (cut && lowest < height) return null;
  // From below, because hair and hands hang into the way from above.
  if (!cut) while (y > 0 && data[(y - 1) * width + x]! >= PERSON) y--;
  return { height: (y - chin.y) / faceWidth, cut };
}

/** Only what may be a shoulder. */
function shoulderLine(places: readonly (Place | null)[]): readonly (Place | null)[] {
  return places.map((place, i) => {
    const [inner, outer] = [places[Math.max(0, i - OVER)], places[Math.min(places.length - 1, i + OVER)]];
    if (place == null || inner == null || outer == null || place.height < HIGHEST) return null;
    if (place.cut || outer.cut) return place;
    const span = (Math.min(places.length - 1, i + OVER) - Math.max(0, i - OVER)) * STEP;
    const steepness = (outer.height - inner.height) / span;
    return steepness > RISING && steepness < STEEPEST ? place : null;
  });
}
