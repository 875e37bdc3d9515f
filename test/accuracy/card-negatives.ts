import { between, pick } from './brush.ts';
import {
  dealEffects,
  dealPhoto,
  dealGround,
  randomOf,
  type Random,
  type Stock,
  dealEmptyHand,
} from './card-deal.ts';
import type { Quad } from '../../src/domain/homography.ts';
import { extentOf, outlineOf } from './card-geometry.ts';
import { DRAWN_GROUNDS, type FlatObject, OBJECTS } from './card-ground.ts';
import { keptInside, poseFilling, PORTRAIT, type Scene } from './card-scene.ts';

/*
 * Scenes without a card: empty tables, papers, receipts, banknotes and phones.
 */

/** Cuts of each photo. */
const CUTS = 8;
/** Tables of each kind. */
const TABLES = 10;
/** Drawn things of each kind. */
const THINGS = 12;

const STILL = { velocity: { x: 0, y: 0 }, frame: PORTRAIT, kind: 'negative' } as const;

/** An empty or dark table is dark or bright too. */
const LIGHT_CODES = ['too-dark', 'too-bright'] as const;

/** Every scene without a card. Where a thing is no card, it is as right to say that there is none. */
export function dealNegatives(stock: Stock): readonly Scene[] {
  const photos = Array.from({ length: stock.grounds * CUTS }, (_, i): Scene => {
    const number = Math.floor(i / CUTS);
    const random = randomOf('cut', i);
    const ground = dealPhoto(number, random);
    return {
      ...STILL,
      name: `no card, photo ${number}, cut ${i % CUTS}`,
      part: number % 2 === 0 ? 'set' : 'check',
      ground,
      subject: null,
      quad: null,
      hold: null,
      effects: dealEffects(random, PORTRAIT),
      must: ['not-a-card'],
      may: ['no-card', ...LIGHT_CODES],
    };
  });
  const tables = DRAWN_GROUNDS.flatMap((top) =>
    Array.from({ length: TABLES }, (_, i): Scene => {
      const random = randomOf('table', top, i);
      const hand = i % 3 === 2 ? dealEmptyHand(random) : null;
      return {
        ...STILL,
        name: `no card, ${top} ${i}${hand === null ? '' : ', a hand'}`,
        part: i % 2 === 0 ? 'set' : 'check',
        ground: { kind: 'drawn', top, seed: 2000 + i },
        subject: null,
        quad: hand && outlineOf(poseFilling({ roll: 0, yaw: 0, pitch: 0 }, PORTRAIT, 0.8), PORTRAIT),
        hold: hand,
        effects: dealEffects(random, PORTRAIT),
        // Papers and pens lie on a desk: each of them is no card.
        must: [top === 'desk' ? 'not-a-card' : 'no-card'],
        may: top === 'desk' ? ['no-card', ...LIGHT_CODES] : LIGHT_CODES,
      };
    }),
  );
  const things = (Object.keys(OBJECTS) as FlatObject[]).flatMap((object) =>
    Array.from({ length: THINGS }, (_, i): Scene => {
      const random = randomOf('thing', object, i);
      const { ground, name } = dealGround({ ...stock, grounds: 0 }, random);
      return {
        ...STILL,
        name: `no card, ${object} ${i}, ${name}`,
        part: i % 2 === 0 ? 'set' : 'check',
        ground,
        subject: { kind: 'object', object, seed: i },
        quad: dealThing(random, object),
        hold: null,
        effects: dealEffects(random, PORTRAIT),
        must: ['not-a-card'],
        may: ['no-card', ...LIGHT_CODES],
      };
    }),
  );
  return [...photos, ...tables, ...things];
}

/** Most of the thing lies in the frame, about as a card would be shown. */
function dealThing(random: Random, object: FlatObject): Quad {
  const angles = {
    roll: between(random, -10, 10) + (OBJECTS[object] > 1 ? pick(random, [0, 90]) : 0),
    yaw: between(random, -8, 8),
    pitch: between(random, -8, 8),
  };
  const pose = poseFilling(angles, PORTRAIT, between(random, 0.7, 1), OBJECTS[object]);
  const middle = { x: 540 + between(random, -60, 60), y: 960 + between(random, -200, 200) };
  const quad = outlineOf({ ...pose, middle }, PORTRAIT, OBJECTS[object]);
  const { left, right } = extentOf(quad);
  return right - left < PORTRAIT.width ? keptInside(quad, PORTRAIT, 4) : quad;
}
