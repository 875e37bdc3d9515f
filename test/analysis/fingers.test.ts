import { describe, expect, test } from 'vitest';
import { FINGER_CELL, hiddenOn } from '../../src/analysis/fingers.ts';
import type { Pixels } from '../../src/analysis/pixels.ts';
import type { Box } from '../../src/domain/geometry.ts';
import { noise } from './support.ts';

type Rgb = readonly [number, number, number];
const CARD: Box = { x: 12, y: 12, width: 480, height: 303 };
const SIZE = { width: 504, height: 327 };
const GROUND: Rgb = [190, 212, 230];
const INK: Rgb = [40, 44, 60];
const GREY: Rgb = [120, 118, 116];
const SKINS: readonly Rgb[] = [
  [226, 178, 148],
  [176, 122, 86],
  [98, 64, 46],
];

/** A straightened card with rows of print on a table, with boxes over it, in px of the patch. */
function cardWith(boxes: readonly (readonly [Rgb, Box])[], table: Rgb = GREY, shade = 1): Pixels {
  const random = noise(5);
  const data = new Uint8ClampedArray(4 * SIZE.width * SIZE.height);
  const isIn = (box: Box, x: number, y: number): boolean =>
    x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      const onCard = isIn(CARD, x, y);
      const isPrint = onCard && x > 40 && x < 330 && y > 60 && y % 20 < 9 && (x * 7 + y) % 5 < 2;
      const over = boxes.findLast(([, box]) => isIn(box, x, y))?.[0];
      const colour = over ?? (isPrint ? INK : onCard ? GROUND : table);
      // Shade falls off to the right.
      const light = 1 - (1 - shade) * (x / SIZE.width);
      data.set(
        [...colour.map((value) => value * light + 4 * (random() - 0.5)), 255],
        4 * (y * SIZE.width + x),
      );
    }
  }
  return { ...SIZE, data };
}

/** Part of the card that is hidden. */
const shareHidden = (pixels: Pixels, isSeen: (x: number) => boolean = () => true): number => {
  const { data } = hiddenOn(pixels, CARD, isSeen);
  return data.reduce((sum, cell) => sum + cell, 0) / data.length;
};
const partOfCard = ({ width, height }: Box): number => (width * height) / (CARD.width * CARD.height);

describe('what lies over a card', () => {
  test.each(SKINS)('a finger of the colour %i %i %i from below', (...skin) => {
    const finger = { x: 200, y: 220, width: 60, height: 107 };
    const over = { ...finger, height: CARD.y + CARD.height - finger.y };
    const share = shareHidden(cardWith([[skin, finger]]));
    expect(share).toBeGreaterThan(0.8 * partOfCard(over));
    expect(share).toBeLessThan(1.2 * partOfCard(over));
  });

  test('its nail counts, whatever its colour', () => {
    const finger = { x: 200, y: 200, width: 66, height: 127 };
    const nail: readonly [Rgb, Box] = [[240, 225, 222], { x: 216, y: 216, width: 30, height: 30 }];
    const [skin] = SKINS as [Rgb];
    expect(shareHidden(cardWith([[skin, finger], nail]))).toBeGreaterThan(
      0.8 * partOfCard({ ...finger, height: 115 }),
    );
  });

  test('a finger that comes from beyond the picture', () => {
    const finger = { x: 0, y: 120, width: 140, height: 60 };
    const [skin] = SKINS as [Rgb];
    const seen = (x: number): boolean => x > 13;
    expect(shareHidden(cardWith([[skin, finger]]), seen)).toBeGreaterThan(0.04);
  });

  test.each<[string, Pixels]>([
    ['nothing', cardWith([])],
    ['a table in the colour of skin', cardWith([], [205, 152, 116])],
    ['a shadow across', cardWith([], GREY, 0.35)],
    [
      'a portrait, which reaches no edge',
      cardWith([[[205, 152, 116], { x: 370, y: 90, width: 90, height: 120 }]]),
    ],
    [
      'a coloured stripe of the card that ends at its edge',
      cardWith([[[200, 60, 50], { x: 12, y: 12, width: 480, height: 30 }]]),
    ],
  ])('is not seen in %s', (_, pixels) => {
    expect(shareHidden(pixels)).toBe(0);
  });

  test('is told in cells', () => {
    const { width, height } = hiddenOn(cardWith([]), CARD, () => true);
    expect([width, height]).toEqual([Math.floor(480 / FINGER_CELL), Math.floor(303 / FINGER_CELL)]);
  });
});
