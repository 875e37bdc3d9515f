import type { Point, Size } from '../../src/domain/geometry.ts';
import { between, pick } from './brush.ts';
import type { Quad } from '../../src/domain/homography.ts';
import { CARD_HEIGHT, outlineOf, slantOf } from './card-geometry.ts';
import { DRAWN_GROUNDS } from './card-ground.ts';
import {
  type CardPicture,
  coveredShare,
  type Effects,
  type Finger,
  type Ground,
  type Hold,
  keptInside,
  LANDSCAPE,
  nameOfCard,
  partOfGroup,
  poseFilling,
  PORTRAIT,
  type Scene,
  truthOfOutline,
} from './card-scene.ts';
import { KTP_REGIONS } from './card-specimen.ts';
import { hashOf, type Part, randomFrom } from './score.ts';

/*
 * What scenes are put together from: cards, outlines, grounds, hands and light, dealt at random from a seed.
 */

/** What there is to make scenes of; without the shared folder, only what is drawn. */
export interface Stock {
  /** Outlines of real cards in real hands, px of a `PORTRAIT` frame. */
  readonly outlines: readonly { readonly name: string; readonly quad: Quad }[];
  /** How many scans of mock cards and photos of tables there are. */
  readonly mocks: number;
  readonly grounds: number;
}

/** What all scenes follow from. */
export const CARD_SEED = 41;
/** Specimens that are drawn. */
export const SPECIMENS = 24;

export type Random = () => number;

export const randomOf = (...words: readonly (string | number)[]): Random =>
  randomFrom(hashOf([CARD_SEED, ...words].join(' ')));

/** All cards of one part. */
export function cardsOf(stock: Stock, part: Part): readonly CardPicture[] {
  const numbered = (kind: CardPicture['kind'], count: number): readonly CardPicture[] =>
    Array.from({ length: count }, (_, i) => ({ kind, number: i }));
  return [...numbered('specimen', SPECIMENS), ...numbered('mock', stock.mocks)].filter(
    (card) => partOfGroup(nameOfCard(card)) === part,
  );
}

/** A mock card every so many cards. */
const MOCK_EVERY = 6;

/** A card of one part, mocks more often than their number. */
export function dealCard(stock: Stock, part: Part, random: Random): CardPicture {
  const cards = cardsOf(stock, part);
  const mocks = cards.filter(({ kind }) => kind === 'mock');
  const specimens = cards.filter(({ kind }) => kind === 'specimen');
  return pick(random, mocks.length > 0 && random() < 1 / MOCK_EVERY ? mocks : specimens);
}

/** A table top: photos for a third, where there are any. */
export function dealGround(stock: Stock, random: Random): { readonly ground: Ground; readonly name: string } {
  if (stock.grounds > 0 && random() < 0.34) {
    const number = Math.floor(stock.grounds * random());
    return { ground: dealPhoto(number, random), name: `photo ${number}` };
  }
  const top = pick(random, DRAWN_GROUNDS);
  return { ground: { kind: 'drawn', top, seed: Math.floor(1000 * random()) }, name: top };
}

/** A cut of a photo of a table. */
export const dealPhoto = (number: number, random: Random): Ground => ({
  kind: 'photo',
  number,
  turns: Math.floor(4 * random()),
  mirrored: random() < 0.5,
  zoom: between(random, 1, 1.7),
  cut: { x: random(), y: random() },
});

/** Light, lens and sensor of a good picture. */
export function dealEffects(random: Random, frame: Size): Effects {
  const shadow = {
    ratio: between(random, 0.55, 0.85),
    degrees: 360 * random(),
    at: { x: between(random, 0.25, 0.75), y: between(random, 0.38, 0.62) },
    soft: between(random, 0.04, 0.25) * frame.width,
  };
  return {
    gain: between(random, 0.62, 1.08),
    warmth: between(random, -0.1, 0.14),
    fall: { ratio: between(random, 0.6, 1), degrees: 360 * random() },
    shadow: random() < 0.25 ? shadow : null,
    glare: [],
    defocus: between(random, 0.0005, 0.0013),
    smear: { x: 0, y: 0 },
    noise: between(random, 0.8, 3),
    quality: between(random, 0.78, 0.93),
  };
}

const rod = (from: Point, to: Point, radius: number): Finger => ({ from, to, radius });

/** Thumbs over an edge may hide this share of the fields and of the portrait, and none of the number. */
const HARMLESS_COVER = { text: 0.04, portrait: 0.02, number: 0.02 };

const turnedRod = ({ from, to, radius }: Finger): Finger => ({
  from: { x: 1 - from.x, y: CARD_HEIGHT - from.y },
  to: { x: 1 - to.x, y: CARD_HEIGHT - to.y },
  radius,
});

/**
 * A hand from the left, the right, both, or below, with its thumb over the edge of the card.
 * @param turned for a card that is upside-down in the hand
 */
export function dealHold(random: Random, turned = false): Hold {
  for (;;) {
    const upright = tryHold(random);
    const hold = turned
      ? { ...upright, palms: upright.palms.map(turnedRod), fingers: upright.fingers.map(turnedRod) }
      : upright;
    const share = (region: keyof typeof KTP_REGIONS): number =>
      coveredShare(hold.fingers, KTP_REGIONS[region]);
    if (
      share('text') <= HARMLESS_COVER.text &&
      share('portrait') <= HARMLESS_COVER.portrait &&
      share('number') <= HARMLESS_COVER.number
    )
      return hold;
  }
}

function tryHold(random: Random): Hold {
  const sides = pick(random, [['left'], ['right'], ['left', 'right'], ['below']] as const);
  const palms: Finger[] = [];
  const fingers: Finger[] = [];
  for (const side of sides) {
    const radius = between(random, 0.085, 0.11);
    const reach = between(random, 0.01, 0.07);
    if (side === 'below') {
      const x = between(random, 0.5, 0.92);
      fingers.push(
        rod({ x: x + between(random, -0.1, 0.25), y: 1.15 }, { x, y: 0.63 + 0.4 * radius - reach }, radius),
      );
      palms.push(rod({ x: x + 0.2, y: 1.5 }, { x: x - 0.05, y: 0.85 }, 0.3));
      continue;
    }
    const out = side === 'left' ? -1 : 1;
    const edge = side === 'left' ? 0 : 1;
    const y = between(random, 0.18, 0.56);
    const tip = { x: edge + out * (0.5 * radius - reach), y };
    const root = { x: edge + out * 0.55, y: y + between(random, 0.15, 0.45) };
    fingers.push(rod(root, tip, radius));
    palms.push(rod({ x: edge + out * 0.7, y: y + 0.75 }, { x: edge + out * 0.2, y: y + 0.22 }, 0.27));
  }
  return { skin: Math.floor(5 * random()), palms, fingers };
}

/** An outline, with a name and the frame that it is in. */
export interface Placed {
  readonly name: string;
  readonly quad: Quad;
  readonly frame: Size;
}

/** A card that lies as well as anybody would hold it: tilt at most 10 degrees, roll at most 6. */
function dealPose(random: Random, frame = random() < 0.15 ? LANDSCAPE : PORTRAIT): Quad {
  const tilt = between(random, 0, 10);
  const direction = 2 * Math.PI * random();
  const angles = {
    roll: between(random, -6, 6),
    yaw: tilt * Math.cos(direction),
    pitch: tilt * Math.sin(direction),
  };
  const share = frame === LANDSCAPE ? between(random, 0.72, 0.95) : between(random, 0.78, 0.96);
  const pose = poseFilling(angles, frame, share);
  const middle = {
    x: frame.width * between(random, 0.44, 0.56),
    y: frame.height * between(random, 0.42, 0.58),
  };
  // A card off the middle shows a little more of its tilt.
  return keptInside(outlineOf({ ...pose, middle }, frame), frame, 0.012 * frame.width);
}

/** An outline that nothing is to be said of: one of the real ones, or a random pose. */
export function dealOutline(stock: Stock, random: Random): Placed {
  const fine = stock.outlines.filter(({ quad }) => {
    const { must, may } = truthOfOutline(quad, PORTRAIT);
    return must.length + may.length === 0;
  });
  if (fine.length > 0 && random() < 0.4) return { ...pick(random, fine), frame: PORTRAIT };
  const frame = random() < 0.15 ? LANDSCAPE : PORTRAIT;
  const quad = dealPose(random, frame);
  const { roll, tilt } = slantOf(quad, frame);
  return { name: `pose ${roll.toFixed(1)}/${tilt.toFixed(1)}`, quad, frame };
}

/** A good scene with this card in this outline. */
export function goodScene(stock: Stock, placed: Placed, card: CardPicture, random: Random): Scene {
  const { ground, name } = dealGround(stock, random);
  const { quad, frame } = placed;
  const hold = random() < 0.4 ? dealHold(random) : null;
  return {
    name: `${placed.name}, ${nameOfCard(card)}, ${name}${hold === null ? '' : ', held'}`,
    kind: 'good',
    part: partOfGroup(nameOfCard(card)),
    frame,
    ground,
    subject: { kind: 'card', card },
    quad,
    hold,
    effects: dealEffects(random, frame),
    velocity: { x: 0, y: 0 },
    ...truthOfOutline(quad, frame),
  };
}

/** Good scenes: every real outline, and random poses. */
export function dealGood(stock: Stock, poses: number): readonly Scene[] {
  const real = stock.outlines.map(({ name, quad }, i) => {
    const random = randomOf('outline', name);
    const card = dealCard(stock, i % 2 === 0 ? 'set' : 'check', random);
    const scene = goodScene(stock, { name: `quad ${name}`, quad, frame: PORTRAIT }, card, random);
    return scene.must.length > 0 ? { ...scene, kind: 'fault' as const } : scene;
  });
  const random = randomOf('poses');
  const posed = Array.from({ length: poses }, (_, i) => {
    const frame = i % 6 === 5 ? LANDSCAPE : PORTRAIT;
    const card = dealCard(stock, i % 2 === 0 ? 'set' : 'check', random);
    return goodScene(stock, { name: `pose ${i}`, quad: dealPose(random, frame), frame }, card, random);
  });
  return [...real, ...posed];
}

/** An open hand that holds nothing, in widths of a card that would fill the frame. */
export function dealEmptyHand(random: Random): Hold {
  const x = between(random, 0.3, 0.7);
  const y = between(random, 0.35, 0.6);
  const spread = [-0.24, -0.08, 0.08, 0.24].map((across, i) =>
    rod(
      { x: x + 0.75 * across, y: y + 0.1 },
      { x: x + 1.25 * across, y: y - between(random, 0.32, 0.4) + 0.05 * Math.abs(i - 1.5) },
      0.078,
    ),
  );
  const side = random() < 0.5 ? -1 : 1;
  const thumb = rod({ x: x + 0.2 * side, y: y + 0.35 }, { x: x + 0.46 * side, y: y + 0.06 }, 0.085);
  return {
    skin: Math.floor(5 * random()),
    palms: [rod({ x, y: y + 1.3 }, { x, y: y + 0.9 }, 0.2), rod({ x, y: y + 0.5 }, { x, y: y + 0.22 }, 0.31)],
    fingers: [thumb, ...spread],
  };
}
