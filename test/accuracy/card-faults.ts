import type { Point } from '../../src/domain/geometry.ts';
import { between, pick } from './brush.ts';
import type { Quad } from '../../src/domain/homography.ts';
import { CARD_HEIGHT, moved, outlineOf, turnedRound, visibleShare, widthOf } from './card-geometry.ts';
import {
  cardsOf,
  dealCard,
  dealHold,
  dealOutline,
  goodScene,
  type Random,
  randomOf,
  type Stock,
} from './card-deal.ts';
import {
  type CardCode,
  coveredShare,
  type Effects,
  type Finger,
  type Hold,
  joined,
  keptInside,
  nameOfCard,
  poseFilling,
  pushedOut,
  type Scene,
  truthOfOutline,
} from './card-scene.ts';
import { KTP_REGIONS } from './card-specimen.ts';
import { either } from './degradations.ts';
import type { Part } from './score.ts';

/*
 * Scenes with a fault of known strength, beyond doubt.
 */

/** A way to spoil a good scene. */
interface Fault {
  readonly code: CardCode;
  /** What is right to report too. */
  readonly may: readonly CardCode[];
  readonly name: string;
  /** What `steps` counts. */
  readonly unit: string;
  readonly steps: readonly number[];
  readonly spoil: (scene: Spoilable, step: number, random: Random) => Partial<Scene>;
}

/** A good scene with a card in it. */
type Spoilable = Scene & { readonly quad: Quad };

const withEffects = (scene: Scene, effects: Partial<Effects>): Partial<Scene> => ({
  effects: { ...scene.effects, ...effects },
});

const UPRIGHT = { roll: 0, yaw: 0, pitch: 0 };

/** An outline for a pose somewhere about the middle of the frame. */
function posed(
  { frame }: Scene,
  angles: typeof UPRIGHT,
  share: number,
  spread: number,
  random: Random,
): Quad {
  const pose = poseFilling(angles, frame, share);
  const middle = {
    x: frame.width * (0.5 + between(random, -spread, spread)),
    y: frame.height * (0.5 + between(random, -spread, spread)),
  };
  return keptInside(outlineOf({ ...pose, middle }, frame), frame, 0.012 * frame.width);
}

/** The same outline, nearer, until a share of it is outside the frame. */
function enlarged(quad: Quad, frame: Scene['frame'], share: number): Quad {
  const scaledBy = (factor: number): Quad => {
    const [p, q, r, s] = quad.map(({ x, y }) => ({
      x: frame.width / 2 + (x - frame.width / 2) * factor,
      y: frame.height / 2 + (y - frame.height / 2) * factor,
    })) as [Point, Point, Point, Point];
    return [p, q, r, s];
  };
  let [low, high] = [1, 6];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (visibleShare(scaledBy(middle), frame) > 1 - share) low = middle;
    else high = middle;
  }
  return scaledBy(high);
}

/** Seconds that a phone's shutter is open indoors. */
const SHUTTER = 1 / 50;

const FAULTS: readonly Fault[] = [
  {
    code: 'card-too-far',
    may: ['card-blurred'],
    name: 'far away',
    unit: "of the frame's smaller side",
    steps: [0.25, 0.35, 0.45],
    spoil: (scene, share, random) => ({
      quad: posed(
        scene,
        { roll: between(random, -5, 5), yaw: between(random, -6, 6), pitch: between(random, -6, 6) },
        // A landscape frame's height is met first, which a card meets with its own.
        scene.frame.width > scene.frame.height ? share * CARD_HEIGHT * 1.2 : share,
        0.1,
        random,
      ),
    }),
  },
  {
    code: 'card-cut-off',
    // The portrait may lie outside.
    may: ['not-a-card'],
    name: 'beyond a side',
    unit: 'of the area outside',
    steps: [0.06, 0.12, 0.2, 0.3],
    spoil: ({ quad, frame }, share, random) => ({
      quad: pushedOut(quad, frame, { x: either(random), y: between(random, -0.25, 0.25) }, share),
    }),
  },
  {
    code: 'card-cut-off',
    may: ['not-a-card'],
    name: 'beyond top or bottom',
    unit: 'of the area outside',
    steps: [0.06, 0.12, 0.2, 0.3],
    spoil: ({ quad, frame }, share, random) => ({
      quad: pushedOut(quad, frame, { x: 0, y: either(random) }, share),
    }),
  },
  {
    code: 'card-cut-off',
    may: ['not-a-card'],
    name: 'too near',
    unit: 'of the area outside',
    steps: [0.06, 0.12, 0.2, 0.3],
    spoil: ({ quad, frame }, share) => ({ quad: enlarged(quad, frame, share) }),
  },
  {
    code: 'card-tilted',
    may: [],
    name: 'top or bottom away',
    unit: 'degrees',
    steps: [30, 36, 42],
    spoil: (scene, degrees, random) => ({
      quad: posed(
        scene,
        { roll: between(random, -4, 4), yaw: 0, pitch: degrees * either(random) },
        0.93,
        0.01,
        random,
      ),
    }),
  },
  {
    code: 'card-tilted',
    may: [],
    name: 'a side away',
    unit: 'degrees',
    steps: [30, 36, 42],
    spoil: (scene, degrees, random) => ({
      quad: posed(
        scene,
        { roll: between(random, -4, 4), yaw: degrees * either(random), pitch: 0 },
        0.9,
        0.01,
        random,
      ),
    }),
  },
  {
    code: 'card-tilted',
    may: [],
    name: 'rolled',
    unit: 'degrees',
    steps: [20, 28],
    spoil: (scene, degrees, random) => ({
      quad: posed(scene, { ...UPRIGHT, roll: degrees * either(random) }, 0.95, 0.008, random),
    }),
  },
  {
    code: 'card-upside-down',
    may: [],
    name: 'turned',
    unit: 'degrees',
    steps: [180],
    spoil: ({ quad, hold }, _step, random) => ({
      quad: turnedRound(quad),
      hold: hold && dealHold(random, true),
    }),
  },
  {
    code: 'card-glare',
    may: ['too-bright'],
    name: 'a lamp mirrored',
    unit: 'of the area',
    steps: [0.01, 0.02, 0.035, 0.05],
    spoil: (scene, area, random) => withEffects(scene, { glare: [lampOf(area, random)] }),
  },
  {
    code: 'card-glare',
    may: ['too-bright'],
    name: 'two lamps mirrored',
    unit: 'of the area',
    steps: [0.02, 0.035, 0.05],
    spoil: (scene, area, random) =>
      withEffects(scene, { glare: [lampOf(0.7 * area, random), lampOf(0.3 * area, random)] }),
  },
  {
    code: 'card-blurred',
    may: [],
    name: 'out of focus',
    unit: "sigma over the card's width",
    steps: [0.005, 0.007, 0.009],
    spoil: (scene, defocus) => withEffects(scene, { defocus }),
  },
  {
    code: 'card-blurred',
    may: ['moving'],
    name: 'smeared',
    unit: "length over the card's width",
    steps: [0.015, 0.025, 0.04],
    spoil: (scene, length, random) => withEffects(scene, { smear: towards(Math.PI * random(), length) }),
  },
  {
    code: 'moving',
    may: ['card-blurred', 'card-too-far', 'card-cut-off'],
    name: 'moving past',
    unit: 'card widths a second',
    steps: [0.5, 0.8, 1.2, 1.5],
    spoil: (scene, speed, random) => {
      const middle = posed(scene, { ...UPRIGHT, roll: between(random, -5, 5) }, 0.66, 0.02, random);
      // A fast card would leave the frame across its short side.
      const [long, short] = scene.frame.height > scene.frame.width ? [Math.PI / 2, 0] : [0, Math.PI / 2];
      const along = speed > 0.8 || random() < 0.6 ? long : short;
      const angle = along + between(random, -0.25, 0.25) + (random() < 0.5 ? Math.PI : 0);
      const velocity = towards(angle, speed * widthOf(middle));
      return {
        velocity,
        // Half the way lies on either side of the middle.
        quad: moved(middle, { x: -0.2 * velocity.x, y: -0.2 * velocity.y }),
        ...withEffects(scene, { smear: towards(angle, speed * SHUTTER) }),
      };
    },
  },
  {
    code: 'too-dark',
    may: ['card-blurred', 'no-card'],
    name: 'little light',
    unit: 'times the light, with noise',
    steps: [0.05, 0.075, 0.1],
    spoil: (scene, gain, random) =>
      withEffects(scene, { gain, shadow: null, noise: between(random, 2.5, 5) }),
  },
  {
    code: 'too-bright',
    may: ['card-blurred', 'card-glare', 'no-card'],
    name: 'overexposed',
    unit: 'times the light',
    steps: [3, 4, 5.5],
    spoil: (scene, gain) =>
      withEffects(scene, { gain, shadow: null, warmth: 0, fall: { ...scene.effects.fall, ratio: 0.85 } }),
  },
  ...(['number', 'text', 'portrait'] as const).map((region): Fault => ({
    code: 'card-covered',
    may: [],
    name: `fingers over the ${region}`,
    unit: 'of it',
    steps: [0.2, 0.35, 0.5],
    spoil: (scene, share, random) => ({ hold: coverRegion(region, share, scene.hold, random) }),
  })),
];

const towards = (angle: number, length: number): Point => ({
  x: length * Math.cos(angle),
  y: length * Math.sin(angle),
});

const lampOf = (area: number, random: Random): Effects['glare'][number] => ({
  at: { x: between(random, 0.14, 0.86), y: between(random, 0.16, 0.84) * CARD_HEIGHT },
  area,
  stretch: between(random, 1, 3.5),
  degrees: 180 * random(),
  ripple: 6 * random(),
});

/** Where fingers reach each region from. */
const REACHED_FROM = {
  number: ['left', 'above'],
  text: ['left', 'below'],
  portrait: ['right', 'below', 'above'],
} as const;
/** Between neighbouring fingers, over their radius. */
const SPACING = 1.9;
/** Most fingers of a hand that lie over a card. */
const FINGERS = 4;

/** As many fingers, pushed in as far, as it takes to cover that share of a region. */
function coverRegion(
  region: keyof typeof KTP_REGIONS,
  share: number,
  held: Hold | null,
  random: Random,
): Hold {
  const box = KTP_REGIONS[region];
  const side = pick(random, REACHED_FROM[region]);
  const upright = side === 'above' || side === 'below';
  const radius = between(random, 0.085, 0.1);
  const lean = between(random, -0.2, 0.2);
  const place = between(random, 0.35, 0.65);
  const fingersAt = (count: number, depth: number): readonly Finger[] =>
    Array.from({ length: count }, (_, i) => {
      const across = (i - (count - 1) / 2) * SPACING * radius;
      // Middle fingers reach farther.
      const reach = depth - 0.035 * Math.abs(i - (count - 1) / 2) - 0.8 * radius;
      const x = upright
        ? box.x + place * box.width + across
        : side === 'left'
          ? box.x + reach
          : box.x + box.width - reach;
      const y = upright
        ? side === 'above'
          ? box.y + reach
          : box.y + box.height - reach
        : box.y + place * box.height + across;
      const out = { left: -0.75, right: 0.75, above: -0.75, below: 0.75 }[side];
      const from = upright ? { x: x + lean, y: y + out } : { x: x + out, y: y + lean + 0.1 };
      return { from, to: { x, y }, radius: radius * (0.94 + 0.06 * Math.cos(i)) };
    });
  for (let count = region === 'text' ? 2 : 1; ; count++) {
    let [low, high] = [0, 1];
    for (let i = 0; i < 24; i++) {
      const middle = (low + high) / 2;
      if (coveredShare(fingersAt(count, middle), box) < share) low = middle;
      else high = middle;
    }
    const fingers = fingersAt(count, high);
    if (coveredShare(fingers, box) < share && count < FINGERS) continue;
    const root = fingers[Math.floor(count / 2)]?.from ?? { x: 0, y: 0 };
    const beyond = upright
      ? { x: root.x + lean, y: root.y * 2 - 0.3 }
      : { x: root.x * 2 - 0.5, y: root.y + 0.3 };
    const palm = { from: beyond, to: root, radius: Math.max(0.2, 1.1 * count * radius) };
    return { skin: held?.skin ?? Math.floor(5 * random()), palms: [palm], fingers };
  }
}

/** Scenes per code and part. */
const SCENES_PER_CODE = 24;

/** Every code's scenes, with its ways and their steps in turn; each part gets the same mix. */
export function dealFaults(stock: Stock): readonly Scene[] {
  const codes = [...new Set(FAULTS.map(({ code }) => code))];
  return (['set', 'check'] as const).flatMap((part) =>
    codes.flatMap((code) =>
      Array.from({ length: SCENES_PER_CODE }, (_, i) => dealFault(stock, part, code, i)),
    ),
  );
}

function dealFault(stock: Stock, part: Part, code: CardCode, i: number): Scene {
  const random = randomOf('fault', part, code, i);
  const ways = FAULTS.filter((fault) => fault.code === code);
  const fault = ways[i % ways.length];
  const step = fault?.steps[Math.floor(i / ways.length) % fault.steps.length];
  if (fault === undefined || step === undefined) throw new Error('no such fault');
  // Where a KTP's fields and portrait lie is known; a mock card's are elsewhere.
  const specimens = cardsOf(stock, part).filter(({ kind }) => kind === 'specimen');
  const card = code === 'card-covered' ? pick(random, specimens) : dealCard(stock, part, random);
  const base = goodScene(stock, dealOutline(stock, random), card, random);
  if (base.quad === null) throw new Error('a good scene without a card');
  const spoilt: Scene = { ...base, ...fault.spoil({ ...base, quad: base.quad }, step, random) };
  const truth = spoilt.quad === null ? { must: [], may: [] } : truthOfOutline(spoilt.quad, spoilt.frame);
  const hint = `${nameOfCard(card)}, ${base.name.split(', ').slice(2).join(', ')}`;
  return {
    ...spoilt,
    ...joined({ must: [code], may: fault.may }, truth),
    kind: 'fault',
    name: `${code} ${part} ${i}: ${fault.name}, ${step} ${fault.unit}, ${base.name.split(', ')[0] ?? ''}, ${hint}`,
  };
}
