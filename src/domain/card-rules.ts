import type { GuidanceCode } from './result.ts';
import type { GuidanceRule } from './rules.ts';

/** What `assess.ts` can measure of a card in the guide. */
export type CardMeasure =
  | 'presence'
  | 'print'
  | 'portrait'
  | 'turned'
  | 'width'
  | 'cutOff'
  | 'covered'
  | 'tilt'
  | 'roll'
  | 'highlight'
  | 'luma'
  | 'bright'
  | 'glare'
  | 'motion'
  | 'sharpness';

/** A portrait may not be recognised on a card that is seen like that. */
const UNCLEAR: readonly GuidanceCode[] = [
  'moving',
  'too-dark',
  'too-bright',
  'card-covered',
  'card-glare',
  'card-blurred',
];

/** How certain a portrait has to be, whichever way up, 0..1: banknotes and folds make up to 0.64, portraits on cards 0.85 and more. */
export const LEAST_PORTRAIT = 0.7;

/** Less fine print is none, fraction of the card. */
export const LEAST_PRINT = 0.03;

/** What a frame of a card has to be like, the most helpful first: light, without which nothing is found, then what is in view, how it lies, what it looks like. */
export const CARD_RULES: readonly GuidanceRule<CardMeasure>[] = [
  {
    code: 'too-dark',
    measure: 'highlight',
    comparison: 'below',
    threshold: 90,
    unit: 'luma',
    why: 'A card is printed on a light ground, so its brightest 2 % tell the light.',
  },
  {
    code: 'too-bright',
    measure: 'bright',
    comparison: 'above',
    threshold: 0.3,
    unit: 'fraction',
    why: 'Clipped in all channels: the ground of the card is gone; a spot is glare instead.',
  },
  {
    code: 'too-bright',
    measure: 'luma',
    comparison: 'above',
    threshold: 225,
    unit: 'luma',
    why: 'The light blue ground of a KTP has a luma of about 200 when exposed well.',
  },
  {
    code: 'no-card',
    measure: 'presence',
    comparison: 'below',
    threshold: 0.5,
    unit: 'fraction',
    why: 'Half of the sides of something that has the shape of a card, edges from corner to corner; fingers hide less.',
  },
  {
    code: 'no-card',
    measure: 'print',
    comparison: 'below',
    threshold: LEAST_PRINT,
    unit: 'fraction',
    why: 'Squares of a cloth and blank sheets make up to 0.02; print fills a third of a card, when blurred beyond reading 0.04 and more. A card with a portrait is not asked for it.',
  },
  {
    code: 'card-too-far',
    measure: 'width',
    comparison: 'below',
    threshold: 0.62,
    unit: 'ratio',
    why: 'Mean of upper and lower side over the guide: at 0.62 of it the card has 940 px in a 1920x1080 picture, about what OCR needs for the NIK (assumed).',
  },
  {
    code: 'card-cut-off',
    measure: 'cutOff',
    comparison: 'above',
    threshold: 0.013,
    unit: 'fraction',
    why: 'Of the area of the card outside of the picture. So little takes the rounded corners of one side, which hold no print.',
  },
  {
    code: 'not-a-card',
    measure: 'portrait',
    comparison: 'below',
    threshold: LEAST_PORTRAIT,
    unit: 'certainty',
    silentWhile: UNCLEAR,
    why: "Of the face detector at either end of the card, which is less certain of banknotes and folds: KTP and SIM have their holder's portrait there, paper, receipts and tables have none. Told after what lies far or outside, whose portrait may not be seen. Not judged of a card that bears none.",
  },
  {
    code: 'card-covered',
    measure: 'covered',
    comparison: 'above',
    threshold: 0.045,
    unit: 'fraction',
    why: 'Of the line with the NIK, of all fields, or of the portrait. Thumbs that only hold the card reach 0.03; a fifth of one of them hidden measures 0.07 and more, as soft rims of fingers are not counted.',
  },
  {
    code: 'card-upside-down',
    measure: 'turned',
    comparison: 'above',
    threshold: LEAST_PORTRAIT,
    unit: 'certainty',
    why: 'As for the portrait, where a turned face is more certain than an upright one.',
  },
  {
    code: 'card-tilted',
    measure: 'tilt',
    comparison: 'above',
    threshold: 28,
    unit: 'degrees',
    why: 'Angle between the line of sight and what stands upright on the card, by its corners. 90 real hand-held cards reach 25, as measured 27.1; beyond, the far side has less than nine tenths of the pixels.',
  },
  {
    code: 'card-tilted',
    measure: 'roll',
    comparison: 'above',
    threshold: 12,
    unit: 'degrees',
    why: 'Sides against the edges of the picture: the provider wants them parallel, a hand holds within a few degrees.',
  },
  {
    code: 'card-glare',
    measure: 'glare',
    comparison: 'above',
    threshold: 0.004,
    unit: 'fraction',
    why: 'A spot of 0.4 % of the card covers two letters of the name.',
  },
  {
    code: 'moving',
    measure: 'motion',
    comparison: 'above',
    threshold: 0.25,
    unit: 'ratio',
    why: 'Guide widths a second. At 1/30 s of exposure this smears 0.8 % of the card, about half a letter.',
  },
  {
    code: 'card-blurred',
    measure: 'sharpness',
    comparison: 'below',
    threshold: 0.138,
    unit: 'ratio',
    why: 'Calibrated on drawn and mock cards: sharp ones begin at 0.155, up to a sigma of 0.13 % of the card; a sigma of 0.5 % makes 0.12 at most, smear over 1.5 % 0.135.',
  },
];
