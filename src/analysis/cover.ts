import type { FaceCover } from '../domain/observation.ts';
import { type Aligned, colourOf, FLOOR, lumaOfColour, type Place } from './patch.ts';
import type { Colour } from './pixels.ts';

/** Redness (ln red over green), blueness (ln blue over green) and brightness (ln luma) of a colour. */
function tone(colour: Colour): { red: number; blue: number; light: number } {
  return {
    red: Math.log((colour.r + FLOOR) / (colour.g + FLOOR)),
    blue: Math.log((colour.b + FLOOR) / (colour.g + FLOOR)),
    light: Math.log(lumaOfColour(colour) + FLOOR),
  };
}

/** How much brightness counts against hue: shadow under a nose is no cover, a change of hue nearly always is. */
const LIGHT_WEIGHT = 0.35;

function distance(a: Colour, b: Colour): number {
  const ta = tone(a);
  const tb = tone(b);
  return Math.hypot(ta.red - tb.red, ta.blue - tb.blue, LIGHT_WEIGHT * (ta.light - tb.light));
}

/** A cheek in black shadow must not make the eye above it look bright. Luma. */
const DARK_CHEEK = 20;

/** What lies over an aligned face. */
export function coverOf(aligned: Aligned): FaceCover {
  const colours = (name: Place): Colour => colourOf(aligned, name);
  const mouth = [colours('lips'), colours('chin')];
  const middle = [colours('nose'), colours('upperLip')];
  // Fringe, scarf or glasses may lie over one of them, so that the nearest tells.
  const references = [colours('forehead'), colours('bridge'), colours('underEyes')];
  const nearest = (colour: Colour): number =>
    Math.min(...references.map((reference) => distance(colour, reference)));
  const openness = (eye: Place, cheek: Place): number =>
    lumaOfColour(colours(eye)) / Math.max(DARK_CHEEK, lumaOfColour(colours(cheek)));
  return {
    paleness:
      Math.min(...references.map((colour) => tone(colour).red)) -
      Math.max(...mouth.map((colour) => tone(colour).red)),
    difference: Math.min(...middle.map(nearest)),
    eyes: Math.max(openness('roundRightEye', 'rightCheek'), openness('roundLeftEye', 'leftCheek')),
  };
}
