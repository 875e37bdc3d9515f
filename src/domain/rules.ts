import { CARD_RULES, type CardMeasure } from './card-rules.ts';
import type { GuidanceCode, Unit } from './result.ts';

/*
 * Guidance: what a frame has to be like. Figures called "calibrated" lie between what the good and the faulty ones of
 * about 150 labelled photos, and degraded copies of them, measured (`npm run accuracy`).
 */

/** What `assess.ts` can measure of a face and its place in the guide. */
export type FaceMeasure =
  | 'faces'
  | 'otherFace'
  | 'heightAtLeast'
  | 'heightAtMost'
  | 'outside'
  | 'cover'
  | 'eyes'
  | 'glasses'
  | 'lids'
  | 'yaw'
  | 'roll'
  | 'chinUp'
  | 'chinDown'
  | 'shoulders'
  | 'exposure'
  | 'mean'
  | 'bright'
  | 'clipped'
  | 'sides'
  | 'levels'
  | 'hollows'
  | 'behind'
  | 'motion'
  | 'sharpness';

/** One limit. A frame breaks it where `measure` is strictly `comparison` the threshold. */
export interface GuidanceRule<Measure> {
  readonly code: GuidanceCode;
  readonly measure: Measure;
  readonly comparison: 'above' | 'below';
  readonly threshold: number;
  readonly unit: Unit;
  /** Faults that take away what the measure stands on: while a frame has one of them, it is told instead. */
  readonly silentWhile?: readonly GuidanceCode[];
  /** Why this value. */
  readonly why: string;
}

/** The rules of each kind of frame, the most helpful first. */
export interface GuidanceRules {
  readonly face: readonly GuidanceRule<FaceMeasure>[];
  readonly card: readonly GuidanceRule<CardMeasure>[];
}

/** What a page may change of the rules. */
export interface RuleChanges {
  /** Codes that are never reported. */
  readonly allow?: readonly GuidanceCode[];
  /** Thresholds in place of ours, in the rule's own unit. */
  readonly thresholds?: {
    readonly face?: Partial<Record<FaceMeasure, number>>;
    readonly card?: Partial<Record<CardMeasure, number>>;
  };
}

/** The rules as a page wants them. */
export function changedRules(
  rules: GuidanceRules,
  { allow = [], thresholds = {} }: RuleChanges,
): GuidanceRules {
  const changed = <Measure extends string>(
    list: readonly GuidanceRule<Measure>[],
    own: Partial<Record<Measure, number>> = {},
  ): readonly GuidanceRule<Measure>[] =>
    list
      .filter(({ code }) => !allow.includes(code))
      .map((rule) => ({ ...rule, threshold: own[rule.measure] ?? rule.threshold }));
  return { face: changed(rules.face, thresholds.face), card: changed(rules.card, thresholds.card) };
}

/** Landmarks lag behind a face that moves. */
const LAGGING: readonly GuidanceCode[] = ['moving'];
/** Dark glasses and a brim take light off the upper half of the face. Covers below are told from skin by their colour. */
const NO_BARE_SKIN: readonly GuidanceCode[] = ['moving', 'eyes-covered'];
/** The nod of a face of few pixels is off by several degrees. */
const COARSE: readonly GuidanceCode[] = ['moving', 'face-too-far'];
/** Of shoulders seen from the side, the nearer one lies lower in the picture. */
const FROM_THE_SIDE: readonly GuidanceCode[] = ['moving', 'head-turned'];

/** Every limit, the most helpful first: what is in view, then where it is, then what it looks like. */
export const GUIDANCE_RULES: GuidanceRules = {
  face: [
    {
      code: 'no-face',
      measure: 'faces',
      comparison: 'below',
      threshold: 1,
      unit: 'count',
      why: 'A face must be in view.',
    },
    {
      code: 'multiple-faces',
      measure: 'otherFace',
      comparison: 'above',
      threshold: 0.25,
      unit: 'ratio',
      why: 'Width of the next face over that of the main one: the providers refuse a crowd, but not a poster or a passer-by far off.',
    },
    {
      code: 'face-too-far',
      measure: 'heightAtLeast',
      comparison: 'below',
      threshold: 0.42,
      unit: 'ratio',
      why: 'Landmarks reach from hairline to chin (1.2 of their width where a nod makes that less), the head is about 1.35 times as high: at 0.42 of the oval it has the 300 px that IdentifAI wants in a 1280x720 picture. Labelled photos: far ones up to 0.40, good ones from 0.43.',
    },
    {
      code: 'face-too-close',
      measure: 'heightAtMost',
      comparison: 'above',
      threshold: 0.98,
      unit: 'ratio',
      why: 'Beyond it forehead or chin leave the oval, and with a near camera the nose grows. Good photos reach 0.90.',
    },
    {
      code: 'face-off-centre',
      measure: 'outside',
      comparison: 'above',
      threshold: 0.15,
      unit: 'fraction',
      why: "Part of the landmarks' box that lies outside the oval's and need not: a small face may lie anywhere in it, one that fills it may not move. Good photos reach 0.12, two people side by side have 0.76 and more.",
    },
    {
      code: 'face-covered',
      measure: 'cover',
      comparison: 'above',
      threshold: 0.6,
      unit: 'certainty',
      silentWhile: LAGGING,
      why: 'Of a small network that learned from drawn and real covers. Labelled photos: masks 0.98 and more, hands over the mouth 0.68 and 0.86, at the forehead 0.17 and 0.80; good faces up to 0.35, with hijab, beard or fringe too; small webcam faces that turn 0.54 to 0.92, a far one 0.87.',
    },
    {
      code: 'eyes-covered',
      measure: 'eyes',
      comparison: 'above',
      threshold: 0.5,
      unit: 'certainty',
      silentWhile: LAGGING,
      why: 'As for covers. Labelled photos: dark glasses 0.99 and more, all others up to 0.03.',
    },
    {
      code: 'glasses',
      measure: 'glasses',
      comparison: 'above',
      threshold: 0.3,
      unit: 'certainty',
      silentWhile: LAGGING,
      why: 'As for covers. Labelled photos: clear glasses 0.99 and more, faces without up to 0.06; drawn rims in the colour of the skin 0.3 to 0.5. Of real stock portraits that taught nothing in a trial, eight in ten of those with glasses made more than 0.5, none of those without.',
    },
    {
      code: 'head-turned',
      measure: 'yaw',
      comparison: 'above',
      threshold: 18,
      unit: 'degrees',
      why: 'The providers want a look straight ahead; to either side, 15 that people cannot tell from 0, and 2 to 3 of measuring error. Labelled good photos reach 14, turned ones begin at 25; heads rendered anew at 28 measure about 21.',
    },
    {
      code: 'head-tilted',
      measure: 'roll',
      comparison: 'above',
      threshold: 12,
      unit: 'degrees',
      why: 'The providers want the head upright. ISO/IEC 19794-5 asks for 8 in passport photos; selfies by hand need more.',
    },
    {
      code: 'head-pitched',
      measure: 'chinUp',
      comparison: 'above',
      threshold: 20,
      unit: 'degrees',
      silentWhile: COARSE,
      why: 'A phone or webcam below the face makes up to 15 on photos that are good (two webcam frames 18 and 19); heads rendered anew at 28 measure about 25.',
    },
    {
      code: 'head-pitched',
      measure: 'chinDown',
      comparison: 'above',
      threshold: 16,
      unit: 'degrees',
      silentWhile: COARSE,
      why: 'A phone held above the face makes up to 10.5 on photos that are good, stock portraits reach 15; from 18 the forehead is the nearest part of the face.',
    },
    {
      code: 'body-tilted',
      measure: 'shoulders',
      comparison: 'above',
      threshold: 12.5,
      unit: 'degrees',
      silentWhile: FROM_THE_SIDE,
      why: 'Calibrated: shoulders on good photos slope by up to 9.5, one in twenty by more than 6.5, and 12 with the camera held 5 aslant; leaning by 15 makes 13 and more where shoulders are seen at all.',
    },
    {
      code: 'eyes-closed',
      measure: 'lids',
      comparison: 'above',
      threshold: 0.5,
      unit: 'certainty',
      silentWhile: LAGGING,
      why: 'As for covers, but that real closed eyes were hardly to be had: drawn lids. Labelled photos reach 0.27.',
    },
    {
      code: 'too-dark',
      measure: 'exposure',
      comparison: 'below',
      threshold: 116,
      unit: 'luma',
      why: 'Brightest 2 % of the face, 1.25 of the white of the eye, or 0.55 of the brightest 2 % of the frame, whichever is most: dark skin in good light passes by the latter two. Calibrated: good photos begin at 139, the darkest skin among them, and at 117 with 0.7 of the light; a dim webcam makes 108 to 113, a quarter of the light 101 in the middle.',
    },
    {
      code: 'too-bright',
      measure: 'bright',
      comparison: 'above',
      threshold: 0.12,
      unit: 'fraction',
      why: 'Luma from 247 has lost its detail (OFIQ OverExposurePrevention); shine on nose and forehead stays below a tenth.',
    },
    {
      code: 'too-bright',
      measure: 'clipped',
      comparison: 'above',
      threshold: 0.6,
      unit: 'fraction',
      why: 'Red clips first on skin. Calibrated: good photos reach 0.03, strongly lit stock portraits 0.53; light that clips a third of the face makes 0.72 and more.',
    },
    {
      code: 'too-bright',
      measure: 'mean',
      comparison: 'above',
      threshold: 210,
      unit: 'luma',
      why: 'Calibrated: the palest well lit faces have a mean of 170.',
    },
    {
      code: 'uneven-light',
      measure: 'sides',
      comparison: 'above',
      threshold: 2.5,
      unit: 'ratio',
      silentWhile: NO_BARE_SKIN,
      why: 'Calibrated: light from a window makes up to 2.3 on good photos; a half of the face with a quarter of the light of the other 2.4 and more, a shadow or hard sun on labelled photos 2.8 to 4.3.',
    },
    {
      code: 'uneven-light',
      measure: 'levels',
      comparison: 'above',
      threshold: 1.75,
      unit: 'ratio',
      silentWhile: NO_BARE_SKIN,
      why: 'Calibrated: good photos reach 1.5, ceiling light among them; a quarter of the light on the upper or lower half of the face makes 2.1 and more.',
    },
    {
      code: 'uneven-light',
      measure: 'hollows',
      comparison: 'above',
      threshold: 8.5,
      unit: 'ratio',
      silentWhile: NO_BARE_SKIN,
      why: 'Calibrated on few: hard midday sun on a labelled photo makes 10.5, good faces with deep-set eyes and a moustache up to 6.9.',
    },
    {
      code: 'uneven-light',
      measure: 'behind',
      comparison: 'above',
      threshold: 2.4,
      unit: 'ratio',
      silentWhile: LAGGING,
      why: 'Beside the face over brightest 2 % of the face: the darkest skin before a white wall makes 2.1, a sixth of the light before a white background 2.6 and more.',
    },
    {
      code: 'moving',
      measure: 'motion',
      comparison: 'above',
      threshold: 0.6,
      unit: 'ratio',
      why: 'Face widths a second. At 1/30 s of exposure this smears 2 % of the face width, about the blur that is refused.',
    },
    {
      code: 'blurred',
      measure: 'sharpness',
      comparison: 'below',
      threshold: 14.5,
      unit: 'ratio',
      silentWhile: LAGGING,
      why: 'Calibrated: sharp photos begin at 15.3, grainy, dim and small faces too; a sigma of 3 % of the eye distance makes 14.5 at most, of 4 % 12.6, smear over 10 % of it 12 to 14.',
    },
  ],
  card: CARD_RULES,
};
