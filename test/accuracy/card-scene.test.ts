import { describe, expect, it } from 'vitest';
import { dealGood, type Stock } from './card-deal.ts';
import { dealFaults } from './card-faults.ts';
import type { Quad } from '../../src/domain/homography.ts';
import {
  cornerError,
  mapPoint,
  outlineOf,
  placing,
  slantOf,
  turnedRound,
  visibleShare,
  widthOf,
} from './card-geometry.ts';
import { CARD_HEIGHT, inverse } from './card-geometry.ts';
import { parseCardManifest } from './card-manifest.ts';
import { dealNegatives } from './card-negatives.ts';
import { type CardOutcome, cardReport, cardScoreOf } from './card-report.ts';
import {
  CARD_CODES,
  coveredShare,
  nameOfCard,
  PORTRAIT,
  quadAt,
  type Scene,
  truthOfOutline,
} from './card-scene.ts';
import { KTP_REGIONS } from './card-specimen.ts';

const DRAWN: Stock = { outlines: [], mocks: 0, grounds: 0 };
const square = (left: number, top: number, width: number, height: number): Quad => [
  { x: left, y: top },
  { x: left + width, y: top },
  { x: left + width, y: top + height },
  { x: left, y: top + height },
];
const allOf = (stock: Stock): readonly Scene[] => [
  ...dealGood(stock, 20),
  ...dealNegatives(stock),
  ...dealFaults(stock),
];
const SCENES = allOf(DRAWN);
const cardOf = ({ subject }: Scene): string | null =>
  subject?.kind === 'card' ? nameOfCard(subject.card) : null;

describe('dealing', () => {
  it('gives the same scenes from the same stock, each with a name of its own', () => {
    expect(allOf(DRAWN)).toEqual(SCENES);
    expect(new Set(SCENES.map(({ name }) => name)).size).toBe(SCENES.length);
  });

  it('gives both parts 24 scenes of every code, and no card to both', () => {
    for (const code of CARD_CODES)
      for (const part of ['set', 'check'])
        expect(
          SCENES.filter((scene) => scene.part === part && scene.must.includes(code)).length,
          `${code} ${part}`,
        ).toBeGreaterThanOrEqual(24);
    const cards = (part: string): readonly (string | null)[] =>
      SCENES.filter((scene) => scene.part === part)
        .map(cardOf)
        .filter((card) => card !== null);
    expect(cards('set').filter((card) => cards('check').includes(card))).toEqual([]);
  });

  it('leaves good scenes in random poses without any fault', () => {
    for (const { name, must, may, quad } of dealGood(DRAWN, 40)) {
      expect([...must, ...may], name).toEqual([]);
      expect(quad && truthOfOutline(quad, PORTRAIT).must, name).not.toContain('card-upside-down');
    }
  });

  it('covers as much as it says, and moves as fast', () => {
    const shares = SCENES.filter(({ must }) => must.includes('card-covered')).map(({ name, hold }) => {
      const [, region = '', share = ''] = /over the (\w+), ([\d.]+)/.exec(name) ?? [];
      return { name, share: Number(share), covered: coveredShare(hold?.fingers ?? [], regionOf(region)) };
    });
    for (const { name, share, covered } of shares) expect(Math.abs(covered - share), name).toBeLessThan(0.03);
    for (const scene of SCENES.filter(({ must }) => must.includes('moving'))) {
      const quad = scene.quad ?? square(0, 0, 1, 1);
      const speed = Number(/past, ([\d.]+)/.exec(scene.name)?.[1]);
      const later = quadAt(scene, 1) ?? quad;
      const way = Math.hypot(later[0].x - quad[0].x, later[0].y - quad[0].y);
      expect(way / widthOf(quad), scene.name).toBeCloseTo(speed, 6);
    }
  });
});

const regionOf = (name: string): (typeof KTP_REGIONS)[keyof typeof KTP_REGIONS] =>
  name === 'number' || name === 'text' ? KTP_REGIONS[name] : KTP_REGIONS.portrait;

describe('where a card lies', () => {
  const pose = { roll: 12, yaw: 20, pitch: -15, depth: 1.9, middle: { x: 500, y: 1000 } };

  it('maps its corners to its outline and back', () => {
    const quad = outlineOf(pose, PORTRAIT);
    const place = placing(quad);
    expect(mapPoint(place, { x: 1, y: CARD_HEIGHT }).x).toBeCloseTo(quad[2].x, 6);
    expect(mapPoint(inverse(place), quad[3]).y).toBeCloseTo(CARD_HEIGHT, 6);
  });

  it.each([
    [{ roll: 0, yaw: 0, pitch: 0 }, 0],
    [{ roll: 7, yaw: 25, pitch: 0 }, 25],
    [{ roll: -160, yaw: 0, pitch: -36 }, 36],
    // Turned about both: cos 20 cos 30 = cos 35.5.
    [{ roll: 10, yaw: 20, pitch: 30 }, 35.53],
  ])('knows the slant of %o', (angles, tilt) => {
    const slant = slantOf(outlineOf({ ...pose, ...angles }, PORTRAIT), PORTRAIT);
    expect(slant.tilt).toBeCloseTo(tilt, 2);
    if (angles.yaw === 0 || angles.pitch === 0) expect(slant.roll).toBeCloseTo(angles.roll, 2);
  });

  it('knows what is outside the frame', () => {
    expect(visibleShare(square(100, 500, 800, 500), PORTRAIT)).toBe(1);
    expect(visibleShare(square(-80, 500, 800, 500), PORTRAIT)).toBeCloseTo(0.9, 9);
    expect(visibleShare(square(680, -250, 800, 500), PORTRAIT)).toBeCloseTo(0.25, 9);
    expect(truthOfOutline(square(-80, 500, 800, 505), PORTRAIT).must).toEqual(['card-cut-off']);
    expect(truthOfOutline(square(-8, 500, 800, 505), PORTRAIT)).toEqual({ must: [], may: ['card-cut-off'] });
  });

  it('knows an outline that is upside-down, and one that is small', () => {
    const straight = square(100, 600, 850, 536);
    expect(truthOfOutline(straight, PORTRAIT)).toEqual({ must: [], may: [] });
    expect(truthOfOutline(turnedRound(straight), PORTRAIT).must).toEqual(['card-upside-down']);
    expect(truthOfOutline(square(400, 800, 400, 252), PORTRAIT).must).toEqual(['card-too-far']);
  });

  it('measures corners in widths of the card, whichever way round they are told', () => {
    const truth = square(100, 600, 800, 505);
    const shifted = square(100, 616, 800, 505);
    expect(cornerError(shifted, truth)).toBeCloseTo(0.02, 9);
    expect(cornerError(turnedRound(shifted), truth)).toBeCloseTo(0.02, 9);
  });
});

describe('the score', () => {
  const outcome = (must: CardOutcome['must'], may: CardOutcome['may'], ...codes: string[]): CardOutcome => ({
    file: codes.join(' '),
    must,
    may,
    kind: null,
    part: 'set',
    quad: null,
    seen: {
      reported: codes.map((code) => ({ code, value: 1, threshold: 0 })),
      corners: null,
      frame: PORTRAIT,
      seconds: 0,
      observation: null,
    },
    nik: null,
  });

  it('takes no card for what is no card only where both are labelled, and knows what was taken for one', () => {
    const { codes, cardless } = cardScoreOf([
      outcome(['not-a-card'], ['no-card'], 'no-card'),
      outcome(['not-a-card'], ['no-card'], 'card-too-far'),
      outcome(['no-card'], [], 'not-a-card'),
    ]);
    expect(codes['not-a-card']).toEqual({ n: 2, recall: 0.5, falseAlarms: 1 });
    expect(codes['no-card']).toEqual({ n: 1, recall: 0, falseAlarms: 0 });
    expect(cardless).toEqual({ n: 3, taken: 1 });
  });

  it('counts good ones with an alarm that is not allowed, and faulty ones that nothing was said of', () => {
    const { good, faulty } = cardScoreOf([
      outcome([], ['moving'], 'moving'),
      outcome([], [], 'an-unknown-code'),
      outcome(['card-glare'], []),
    ]);
    expect(good).toEqual({ n: 2, alarmed: 1 });
    expect(faulty).toEqual({ n: 1, unstopped: 1 });
  });
});

describe('the numbers that were read', () => {
  it('count where there was one to read, and are told in text and JSON', () => {
    const outcome = (read: boolean | null): CardOutcome => ({
      file: `a scene, ${read}`,
      must: [],
      may: [],
      kind: 'good',
      part: 'set',
      quad: null,
      seen: { reported: [], corners: null, frame: PORTRAIT, seconds: 0, observation: null },
      nik: read === null ? null : { read, digits: read ? '3204102601620039' : '32?4', similarity: 0.9 },
    });
    const { results, json } = cardReport([outcome(true), outcome(false), outcome(null), outcome(true)], 1);
    expect(results).toContain('NIK read: 2 of 3 good scenes (66.7 %)');
    expect(results).toContain('a scene, false: NIK read as "32?4"');
    expect(json).toMatchObject({
      nik: { n: 3, read: 2 },
      photos: [{ nik: { read: true, similarity: 0.9 } }, {}, {}, {}],
    });
    expect(cardReport([outcome(null)], 1).results).not.toContain('NIK');
  });
});

describe('manifests', () => {
  it('reads codes and outlines', () => {
    const text = 'file\tmust\tmay\tquad\na.jpg\tcard-glare\t\t0 0 10 0 10 6 0 6\nb.jpg\t\t\t\n';
    expect(parseCardManifest(text)).toEqual([
      { file: 'a.jpg', must: ['card-glare'], may: [], quad: square(0, 0, 10, 6) },
      { file: 'b.jpg', must: [], may: [], quad: null },
    ]);
  });

  it.each([
    ['file\tmust\na.jpg\t', 'no column "may"'],
    ['file\tmust\tmay\na.jpg\tblue\t', 'unknown code "blue"'],
    ['file\tmust\tmay\tquad\na.jpg\t\t\t1 2 3', 'not eight numbers'],
    ['file\tmust\tmay\n', 'lists no photo'],
  ])('refuses %j in one sentence', (text, words) => {
    expect(() => parseCardManifest(text)).toThrow(words);
  });
});
