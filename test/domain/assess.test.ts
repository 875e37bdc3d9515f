import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assess, judge, sharpnessOf, showsSomething } from '../../src/domain/assess.ts';
import { type Box, cornersOf, ID1_RATIO } from '../../src/domain/geometry.ts';
import type { Quad } from '../../src/domain/homography.ts';
import type {
  CardObservation,
  Face,
  FaceCover,
  FaceObservation,
  Observation,
} from '../../src/domain/observation.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import { GUIDANCE_RULES } from '../../src/domain/rules.ts';

const GUIDE: Box = { x: 140, y: 0, width: 360, height: 480 };
const CARD_GUIDE: Box = { x: 40, y: 63, width: 560, height: 353 };

const GOOD_COVER: FaceCover = { face: 0.02, eyes: 0.01, glasses: 0.03, closed: 0.02 };
/** 0.8 of the guide's height, in its middle. */
const GOOD_FACE: Face = {
  box: { x: 170, y: 48, width: 300, height: 384 },
  yaw: 0,
  pitch: 0,
  roll: 0,
  motion: 0,
  light: {
    mean: 130,
    highlight: 190,
    range: 150,
    dark: 0,
    bright: 0,
    clipped: 0,
    sclera: 130,
    sides: 1.1,
    levels: 1.1,
    hollows: 2,
    behind: 1,
    frameHighlight: 230,
  },
  cover: GOOD_COVER,
  shoulders: 2,
  sharpness: 20,
};
const DETECTED: Box = { x: 180, y: 120, width: 280, height: 280 };
const GOOD: FaceObservation = {
  kind: 'face',
  frame: { width: 640, height: 480 },
  faces: [DETECTED],
  face: GOOD_FACE,
};
const GOOD_CARD: CardObservation = {
  kind: 'card',
  frame: { width: 640, height: 480 },
  outline: { corners: cornersOf(CARD_GUIDE), support: 0.95 },
  portrait: { upright: 0.9, turned: 0 },
  covered: 0,
  print: 0.7,
  luma: 180,
  highlight: 212,
  dark: 0.02,
  bright: 0,
  glare: 0,
  sharpness: 0.22,
  motion: 0,
};

const withFace = (change: Partial<Face>): FaceObservation => ({ ...GOOD, face: { ...GOOD_FACE, ...change } });
const withLight = (change: Partial<Face['light']>): FaceObservation =>
  withFace({ light: { ...GOOD_FACE.light, ...change } });
const withCover = (change: Partial<FaceCover>): FaceObservation =>
  withFace({ cover: { ...GOOD_COVER, ...change } });
const withCard = (change: Partial<CardObservation>): CardObservation => ({ ...GOOD_CARD, ...change });
/** A face whose landmark box is this part of the guide's height, in its middle. */
const filling = (part: number): FaceObservation => {
  const height = part * GUIDE.height;
  return {
    ...withFace({ box: { x: 320 - 0.39 * height, y: 240 - height / 2, width: 0.78 * height, height } }),
    faces: [],
  };
};
const shifted = (x: number, y: number): FaceObservation =>
  withFace({
    box: { ...GOOD_FACE.box, x: GOOD_FACE.box.x + x * GUIDE.width, y: GOOD_FACE.box.y + y * GUIDE.height },
  });
const withOther = (ratio: number): FaceObservation => ({
  ...GOOD,
  faces: [DETECTED, { x: 0, y: 0, width: ratio * DETECTED.width, height: ratio * DETECTED.width }],
});

const degrees = (angle: number): number => (angle * Math.PI) / 180;
const withSupport = (support: number): CardObservation =>
  withCard({ outline: { corners: cornersOf(CARD_GUIDE), support } });
const withPortrait = (upright: number, turned: number): CardObservation =>
  withCard({ portrait: { upright, turned } });
/** A card somewhere else: its width over the guide's, to the right by a share of its width, leaning back and rolled by degrees. */
const placed = ({ width = 0.8, right = 0, tilt = 0, roll = 0 }): CardObservation => {
  const [sine, cosine] = [Math.sin(degrees(tilt)), Math.cos(degrees(tilt))];
  // As a lens of the assumed focal length sees it, from so far that the size is right.
  const focal = 0.85 * 640;
  const corners = cornersOf({ x: -0.5, y: -0.5 / ID1_RATIO, width: 1, height: 1 / ID1_RATIO }).map(
    ({ x, y }) => {
      const [u, v] = [x + right, y * cosine];
      const scale = 1 / (focal / (width * CARD_GUIDE.width) + y * sine);
      const [across, down] = [
        (u * Math.cos(degrees(roll)) - v * Math.sin(degrees(roll))) * scale,
        (u * Math.sin(degrees(roll)) + v * Math.cos(degrees(roll))) * scale,
      ];
      return { x: 320 + focal * across, y: 240 + focal * down };
    },
  ) as unknown as Quad; // four in, four out
  return withCard({ outline: { corners, support: 1 } });
};

/** Each limit: what is just allowed, and what just breaks it. */
const LIMITS: readonly [GuidanceCode, string, allowed: Observation, broken: Observation][] = [
  ['no-face', 'a face, or none', GOOD, { ...GOOD, faces: [], face: null }],
  ['multiple-faces', 'another face a quarter as wide', withOther(0.25), withOther(0.26)],
  ['face-too-far', '0.42 of the guide', filling(0.421), filling(0.419)],
  ['face-too-close', '0.98 of the guide', filling(0.98), filling(0.99)],
  ['face-off-centre', 'to the side', shifted(0.1, 0), shifted(0.3, 0)],
  ['face-off-centre', 'up', shifted(0, -0.1), shifted(0, -0.3)],
  ['face-covered', 'a mask', withCover({ face: 0.6 }), withCover({ face: 0.61 })],
  ['eyes-covered', 'dark glasses', withCover({ eyes: 0.5 }), withCover({ eyes: 0.51 })],
  ['glasses', 'clear glasses', withCover({ glasses: 0.3 }), withCover({ glasses: 0.31 })],
  ['eyes-closed', 'lids', withCover({ closed: 0.5 }), withCover({ closed: 0.51 })],
  ['head-turned', 'to the left', withFace({ yaw: 18 }), withFace({ yaw: 18.1 })],
  ['head-turned', 'to the right', withFace({ yaw: -18 }), withFace({ yaw: -18.1 })],
  ['head-tilted', 'clockwise', withFace({ roll: 12 }), withFace({ roll: 12.1 })],
  ['head-tilted', 'anticlockwise', withFace({ roll: -12 }), withFace({ roll: -12.1 })],
  ['head-pitched', 'up', withFace({ pitch: 20 }), withFace({ pitch: 20.1 })],
  ['head-pitched', 'down', withFace({ pitch: -16 }), withFace({ pitch: -16.1 })],
  [
    'too-dark',
    'dim all over',
    withLight({ highlight: 116, sclera: 60, frameHighlight: 140 }),
    withLight({ highlight: 115, sclera: 60, frameHighlight: 140 }),
  ],
  [
    'too-dark',
    'dark skin in a well lit frame, against the same face in a dim one',
    withLight({ mean: 55, highlight: 90, sclera: 70, frameHighlight: 211 }),
    withLight({ mean: 55, highlight: 90, sclera: 70, frameHighlight: 210 }),
  ],
  [
    'too-dark',
    'dark skin before a dark wall, with bright and with dim eyes',
    withLight({ mean: 55, highlight: 90, sclera: 93, frameHighlight: 150 }),
    withLight({ mean: 55, highlight: 90, sclera: 92, frameHighlight: 150 }),
  ],
  ['too-bright', 'clipped', withLight({ bright: 0.12 }), withLight({ bright: 0.13 })],
  ['too-bright', 'clipped in red', withLight({ clipped: 0.6 }), withLight({ clipped: 0.61 })],
  ['too-bright', 'washed out', withLight({ mean: 210 }), withLight({ mean: 211 })],
  ['uneven-light', 'from one side', withLight({ sides: 2.5 }), withLight({ sides: 2.51 })],
  ['uneven-light', 'from above', withLight({ levels: 1.75 }), withLight({ levels: 1.76 })],
  ['uneven-light', 'from a high sun', withLight({ hollows: 8.5 }), withLight({ hollows: 8.6 })],
  ['uneven-light', 'from behind', withLight({ behind: 2.4 }), withLight({ behind: 2.41 })],
  ['body-tilted', 'to the right', withFace({ shoulders: 12.5 }), withFace({ shoulders: 12.6 })],
  ['body-tilted', 'to the left', withFace({ shoulders: -12.5 }), withFace({ shoulders: -12.6 })],
  ['body-tilted', 'in view, and not', withFace({ shoulders: null }), withFace({ shoulders: 20 })],
  ['moving', 'the head', withFace({ motion: 0.6 }), withFace({ motion: 0.61 })],
  ['blurred', 'the face', withFace({ sharpness: 14.5 }), withFace({ sharpness: 14.4 })],
  ['no-card', 'half of its sides', withSupport(0.5), withSupport(0.49)],
  ['no-card', 'nothing of its shape', GOOD_CARD, withCard({ outline: null })],
  ['no-card', 'print', withCard({ portrait: null, print: 0.03 }), withCard({ portrait: null, print: 0.029 })],
  ['no-card', 'print, or a portrait', withCard({ print: 0 }), withCard({ portrait: null, print: 0 })],
  ['not-a-card', 'a portrait', withPortrait(0.7, 0), withPortrait(0.69, 0)],
  ['card-upside-down', 'the portrait', withPortrait(0.8, 0.8), withPortrait(0.8, 0.81)],
  ['card-too-far', '0.62 of the guide', placed({ width: 0.621 }), placed({ width: 0.619 })],
  ['card-cut-off', '1.3 % of its area', placed({ right: 0.2265 }), placed({ right: 0.2285 })],
  ['card-tilted', 'leaning back', placed({ tilt: 27.8 }), placed({ tilt: 28.2 })],
  ['card-tilted', 'turned in its plane', placed({ roll: -11.9 }), placed({ roll: -12.1 })],
  ['too-dark', 'the card', withCard({ highlight: 90 }), withCard({ highlight: 89 })],
  ['too-bright', 'the card clips', withCard({ bright: 0.3 }), withCard({ bright: 0.31 })],
  ['too-bright', 'the card is washed out', withCard({ luma: 225 }), withCard({ luma: 226 })],
  ['card-glare', 'a lamp', withCard({ glare: 0.004 }), withCard({ glare: 0.0041 })],
  ['moving', 'the card', withCard({ motion: 0.25 }), withCard({ motion: 0.26 })],
  ['card-blurred', 'the writing', withCard({ sharpness: 0.138 }), withCard({ sharpness: 0.137 })],
  ['card-covered', 'fingers', withCard({ covered: 0.045 }), withCard({ covered: 0.046 })],
];

const guideFor = ({ kind }: Observation): Box => (kind === 'face' ? GUIDE : CARD_GUIDE);
const codesOf = (observation: Observation): readonly GuidanceCode[] =>
  assess(observation, guideFor(observation)).map(({ code }) => code);

describe('assess', () => {
  test.each([GOOD, GOOD_CARD])('finds nothing wrong with a good $kind', (observation) => {
    expect(codesOf(observation)).toEqual([]);
  });

  test.each(LIMITS)('%s: %s, just allowed', (_, __, allowed) => {
    expect(codesOf(allowed)).toEqual([]);
  });

  test.each(LIMITS)('%s: %s, just broken', (code, _, __, broken) => {
    expect(codesOf(broken)).toEqual([code]);
  });

  test.each<[string, Partial<CardObservation>, GuidanceCode[]]>([
    ['fills the guide', {}, []],
    ['is blank', { print: 0.01 }, ['no-card']],
    ['is not there', { outline: null }, ['no-card']],
    ['is dark', { highlight: 80 }, ['too-dark']],
  ])('a card that bears no portrait is not asked for one: it %s', (_, change, codes) => {
    expect(codesOf(withCard({ ...change, portrait: null }))).toEqual(codes);
  });

  test('every rule is in the table', () => {
    const rules = new Set([...GUIDANCE_RULES.face, ...GUIDANCE_RULES.card].map(({ code }) => code));
    expect(new Set(LIMITS.map(([code]) => code))).toEqual(rules);
  });

  const { light } = GOOD_FACE;
  const cover = GOOD_COVER;
  test.each<[GuidanceCode, GuidanceCode, Partial<Face>]>([
    ['eyes-covered', 'uneven-light', { cover: { ...cover, eyes: 1 }, light: { ...light, hollows: 19 } }],
    ['face-too-far', 'head-pitched', { box: { x: 270, y: 190, width: 80, height: 100 }, pitch: 30 }],
    ['head-turned', 'body-tilted', { yaw: 30, shoulders: 20 }],
    ['moving', 'blurred', { motion: 2, sharpness: 5 }],
    ['moving', 'glasses', { motion: 2, cover: { ...cover, glasses: 1 } }],
  ])('%s is told instead of %s, which it would distort', (told, silenced, change) => {
    expect(codesOf(withFace(change))).toEqual([told]);
    const alone = GUIDANCE_RULES.face.filter(({ code }) => code !== told);
    const issues = assess(withFace(change), GUIDE, { ...GUIDANCE_RULES, face: alone });
    expect(issues.map(({ code }) => code)).toEqual([silenced]);
  });

  describe('a face of which only box and pixels are known', () => {
    const boxed: Partial<Face> = {
      yaw: null,
      pitch: null,
      shoulders: null,
      cover: null,
      light: { ...light, clipped: null, sclera: null, sides: null, levels: null, hollows: null },
    };
    const measured = [
      'faces',
      'otherFace',
      'heightAtLeast',
      'heightAtMost',
      'outside',
      'roll',
      'exposure',
      'bright',
      'mean',
      'behind',
      'motion',
      'sharpness',
    ];

    test('is held against the rules that these can tell, and no other', () => {
      expect(judge(withFace(boxed), GUIDE).map(({ measure }) => measure)).toEqual(measured);
      expect(codesOf(withFace(boxed))).toEqual([]);
    });
    test.each<[GuidanceCode, Partial<Face>]>([
      ['face-too-far', { box: { x: 270, y: 190, width: 80, height: 100 } }],
      ['face-too-close', { box: { x: 120, y: -20, width: 400, height: 520 } }],
      ['head-tilted', { roll: -15 }],
      ['moving', { motion: 2 }],
      ['blurred', { sharpness: 5 }],
    ])('%s is told as of any other', (code, change) => {
      expect(codesOf(withFace({ ...boxed, ...change }))).toEqual([code]);
    });
    test('is as sharp as 0 where that is not known, and then not blurred', () => {
      const seen = withFace({ ...boxed, sharpness: null });
      expect(codesOf(seen)).toEqual([]);
      expect(sharpnessOf(seen)).toBe(0);
    });
    test('without the white of the eye the highlights tell how bright it is', () => {
      const dim = { ...light, sclera: null, highlight: 60, frameHighlight: 80 };
      expect(codesOf(withFace({ ...boxed, light: dim }))).toContain('too-dark');
    });
  });

  test('a face beside the main one counts by its width, a wider one too', () => {
    const passerBy = { x: 0, y: 0, width: 100, height: 100 };
    const widest = { x: 500, y: 200, width: 400, height: 400 };
    expect(codesOf({ ...GOOD, faces: [DETECTED, widest, passerBy] })).toEqual(['multiple-faces']);
    expect(assess({ ...GOOD, faces: [DETECTED, widest] }, GUIDE)[0]?.value).toBeCloseTo(400 / 280);
  });

  test('a lost face is the only thing that is said of nobody', () => {
    expect(codesOf({ ...GOOD, faces: [], face: null })).toEqual(['no-face']);
  });
});

describe('assess on whatever is seen', () => {
  const number = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
  const box = fc.record({
    x: number(-200, 700),
    y: number(-200, 700),
    width: number(1, 800),
    height: number(1, 800),
  });
  const point = fc.record({ x: number(-200, 900), y: number(-200, 700) });
  const light = fc.record({
    mean: number(0, 255),
    highlight: number(0, 255),
    range: number(0, 255),
    dark: number(0, 1),
    bright: number(0, 1),
    clipped: number(0, 1),
    sclera: number(0, 255),
    sides: number(1, 20),
    levels: number(1, 20),
    hollows: number(0.5, 20),
    behind: number(0, 30),
    frameHighlight: number(0, 255),
  });
  const face = fc.record({
    box,
    yaw: number(-90, 90),
    pitch: number(-90, 90),
    roll: number(-180, 180),
    motion: number(0, 10),
    light,
    cover: fc.record({ face: number(0, 1), eyes: number(0, 1), glasses: number(0, 1), closed: number(0, 1) }),
    shoulders: fc.option(number(-60, 60)),
    sharpness: number(0, 40),
  });
  const frame = fc.constant({ width: 640, height: 480 });
  const observation: fc.Arbitrary<Observation> = fc.oneof(
    fc.record({
      kind: fc.constant('face' as const),
      frame,
      faces: fc.array(box, { maxLength: 4 }),
      face: fc.option(face),
    }),
    fc.record({
      kind: fc.constant('card' as const),
      frame,
      outline: fc.option(fc.record({ corners: fc.tuple(point, point, point, point), support: number(0, 1) })),
      portrait: fc.option(fc.record({ upright: number(0, 1), turned: number(0, 1) })),
      covered: number(0, 1),
      print: number(0, 1),
      luma: number(0, 255),
      highlight: number(0, 255),
      dark: number(0, 1),
      bright: number(0, 1),
      glare: number(0, 1),
      sharpness: number(0, 1),
      motion: number(0, 10),
    }),
  );
  const SEED = { seed: 20_261_122, numRuns: 500 };

  test('every issue breaks its own rule, in the order of the rules, once per code', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const issues = assess(seen, guideFor(seen));
        const rules: readonly { code: GuidanceCode; comparison: string; threshold: number; unit: string }[] =
          GUIDANCE_RULES[seen.kind];
        const ranks = issues.map(({ code, value, threshold, unit }) => {
          const rank = rules.findIndex(
            (rule) =>
              rule.code === code &&
              rule.threshold === threshold &&
              rule.unit === unit &&
              (rule.comparison === 'above' ? value > threshold : value < threshold),
          );
          expect(rank).toBeGreaterThanOrEqual(0);
          return rank;
        });
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
        expect(new Set(issues.map(({ code }) => code)).size).toBe(issues.length);
      }),
      SEED,
    );
  });

  test('mirroring the head or turning it the other way changes nothing', () => {
    fc.assert(
      fc.property(face, (seen) => {
        const mirrored = { ...seen, yaw: -seen.yaw, roll: -seen.roll };
        expect(codesOf({ ...GOOD, face: mirrored })).toEqual(codesOf({ ...GOOD, face: seen }));
      }),
      SEED,
    );
  });

  test('sharpness is that of the face or the card, and 0 without a face', () => {
    fc.assert(
      fc.property(observation, (seen) => {
        const expected = seen.kind === 'card' ? seen.sharpness : (seen.face?.sharpness ?? 0);
        expect(sharpnessOf(seen)).toBe(expected);
      }),
      SEED,
    );
  });
});

describe('a frame', () => {
  const nobody: FaceObservation = { ...GOOD, faces: [], face: null };
  const dark = (highlight: number): CardObservation => ({ ...GOOD_CARD, outline: null, luma: 1, highlight });
  test.each([
    ['a face that is judged', GOOD, true],
    ['a face without landmarks', { ...GOOD, face: null }, true],
    ['nobody', nobody, false],
    ['a card', GOOD_CARD, true],
    ['a table without a card', dark(26), true],
    ['what may be the noise of a black picture', dark(25), false],
  ])('with %s', (_, observation: Observation, shown) => {
    expect(showsSomething(observation)).toBe(shown);
  });
});
