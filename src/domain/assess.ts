import { type Box, sharedArea } from './geometry.ts';
import type { CardMeasure } from './card-rules.ts';
import { poseOf, shareInside, sidesOf } from './homography.ts';
import type { CardObservation, CardOutline, Face, FaceObservation, Observation } from './observation.ts';
import type { GuidanceCode, Issue } from './result.ts';
import { type FaceMeasure, GUIDANCE_RULES, type GuidanceRule, type GuidanceRules } from './rules.ts';

/** A measure of a frame, or null where there is nothing to measure it on. */
type Measure<Seen> = (seen: Seen, guide: Box) => number | null;

/** Measures that need a face. */
const ofFace =
  (
    measure: (face: Face, observation: FaceObservation, guide: Box) => number | null,
  ): Measure<FaceObservation> =>
  (observation, guide) =>
    observation.face === null ? null : measure(observation.face, observation, guide);

/** A face that looks straight ahead is at least so many times as high as wide, from hairline to chin; a nod shortens it. */
const HEIGHT_PER_WIDTH = 1.2;

const FACE_MEASURES: Record<FaceMeasure, Measure<FaceObservation>> = {
  faces: ({ face }) => (face === null ? 0 : 1),
  otherFace: ({ faces: [main, other] }) => (main && other ? other.width / main.width : 0),
  heightAtLeast: ofFace(
    ({ box }, _, guide) => Math.max(box.height, HEIGHT_PER_WIDTH * box.width) / guide.height,
  ),
  heightAtMost: ofFace(({ box }, _, guide) => box.height / guide.height),
  outside: ofFace(
    ({ box }, _, guide) =>
      // A face larger than the guide is too close; how far off its middle it lies is another matter.
      1 - sharedArea(box, guide) / (Math.min(box.width, guide.width) * Math.min(box.height, guide.height)),
  ),
  cover: ofFace(({ cover }) => cover && cover.face),
  eyes: ofFace(({ cover }) => cover && cover.eyes),
  glasses: ofFace(({ cover }) => cover && cover.glasses),
  lids: ofFace(({ cover }) => cover && cover.closed),
  yaw: ofFace(({ yaw }) => yaw && Math.abs(yaw)),
  roll: ofFace(({ roll }) => Math.abs(roll)),
  chinUp: ofFace(({ pitch }) => pitch),
  chinDown: ofFace(({ pitch }) => pitch && -pitch),
  shoulders: ofFace(({ shoulders }) => shoulders && Math.abs(shoulders)),
  exposure: ofFace(({ light }) =>
    Math.max(light.highlight, SCLERA_SHARE * (light.sclera ?? 0), FRAME_SHARE * light.frameHighlight),
  ),
  mean: ofFace(({ light }) => light.mean),
  bright: ofFace(({ light }) => light.bright),
  clipped: ofFace(({ light }) => light.clipped),
  sides: ofFace(({ light }) => light.sides),
  levels: ofFace(({ light }) => light.levels),
  hollows: ofFace(({ light }) => light.hollows),
  behind: ofFace(({ light }) => light.behind),
  motion: ofFace(({ motion }) => motion),
  sharpness: ofFace(({ sharpness }) => sharpness),
};

/** The brightest part of light skin over the white of the eye, which lies in the shade of brow and lid. */
const SCLERA_SHARE = 1.25;
/** The brightest part of the darkest skin, over white in the same light, as the camera encodes them. */
const FRAME_SHARE = 0.55;

/** Measures that need an outline. */
const ofOutline =
  (
    measure: (outline: CardOutline, observation: CardObservation, guide: Box) => number | null,
  ): Measure<CardObservation> =>
  (observation, guide) =>
    observation.outline === null ? null : measure(observation.outline, observation, guide);

const CARD_MEASURES: Record<CardMeasure, Measure<CardObservation>> = {
  presence: ({ outline }) => outline?.support ?? 0,
  // Whoever has a portrait is printed, however blurred.
  print: ofOutline((_, { print, portrait }) =>
    portrait && Math.max(portrait.upright, portrait.turned) > 0 ? null : print,
  ),
  portrait: ofOutline((_, { portrait }) => portrait && Math.max(portrait.upright, portrait.turned)),
  turned: ofOutline(
    (_, { portrait }) => portrait && (portrait.turned > portrait.upright ? portrait.turned : 0),
  ),
  width: ofOutline(({ corners }, _, guide) => sidesOf(corners).width / guide.width),
  covered: ({ covered }) => covered,
  cutOff: ofOutline(({ corners }, { frame }) => 1 - shareInside(corners, frame)),
  tilt: ofOutline(({ corners }, { frame }) => poseOf(corners, frame)?.tilt ?? null),
  roll: ofOutline(({ corners }, { frame }) => Math.abs(poseOf(corners, frame)?.roll ?? 0)),
  highlight: ({ highlight }) => highlight,
  luma: ({ luma }) => luma,
  bright: ({ bright }) => bright,
  glare: ({ glare }) => glare,
  motion: ({ motion }) => motion,
  sharpness: ofOutline((_, { sharpness }) => sharpness),
};

/** A rule and what a frame measures against it. */
export interface Judged extends Issue {
  readonly measure: FaceMeasure | CardMeasure;
  readonly comparison: 'above' | 'below';
  /** Codes of faults beside which this one is not told. */
  readonly silentWhile: readonly GuidanceCode[];
  /** True where the frame breaks the rule. */
  readonly broken: boolean;
}

function judgeBy<Name extends FaceMeasure | CardMeasure, Seen>(
  rules: readonly GuidanceRule<Name>[],
  measures: Record<Name, Measure<Seen>>,
  seen: Seen,
  guide: Box,
): readonly Judged[] {
  return rules.flatMap(({ code, measure, comparison, threshold, unit, silentWhile = [] }) => {
    const value = measures[measure](seen, guide);
    if (value === null) return [];
    const broken = comparison === 'above' ? value > threshold : value < threshold;
    return [{ code, measure, comparison, value, threshold, unit, silentWhile, broken }];
  });
}

/**
 * Every rule that one frame can be held against, the most helpful first, broken or not.
 * @param guide px of the analysis frame: the box of the oval (3:4) for a face, of the card's outline for a card
 */
export function judge(
  observation: Observation,
  guide: Box,
  rules: GuidanceRules = GUIDANCE_RULES,
): readonly Judged[] {
  return observation.kind === 'face'
    ? judgeBy(rules.face, FACE_MEASURES, observation, guide)
    : judgeBy(rules.card, CARD_MEASURES, observation, guide);
}

/**
 * What is wrong with one frame, the most helpful first; nothing where the frame would make a good photo. One issue
 * per code.
 * @param guide as for `judge`
 */
export function assess(
  observation: Observation,
  guide: Box,
  rules: GuidanceRules = GUIDANCE_RULES,
): readonly Issue[] {
  const broken = judge(observation, guide, rules).filter((judged) => judged.broken);
  const told = broken.filter(({ silentWhile }) => !broken.some(({ code }) => silentWhile.includes(code)));
  return told
    .filter(({ code }, i) => told.findIndex((earlier) => earlier.code === code) === i)
    .map(({ code, value, threshold, unit }) => ({ code, value, threshold, unit }));
}

/** How sharp the frame is, to pick the best of several of the same kind; 0 where there is no face. */
export function sharpnessOf(observation: Observation): number {
  return observation.kind === 'face' ? (observation.face?.sharpness ?? 0) : observation.sharpness;
}

/** True where more is to be known of a face than was looked at. */
export function isPreliminary(observation: Observation): boolean {
  return observation.kind === 'face' && observation.preliminary === true;
}

/** Luma from which something is told from nothing: above what `dark` counts. */
const SHOWN_LUMA = 25;

/** True where a frame shows a face, or anything where the card belongs; a camera that delivers black shows neither. */
export function showsSomething(observation: Observation): boolean {
  return observation.kind === 'face' ? observation.faces.length > 0 : observation.highlight > SHOWN_LUMA;
}
