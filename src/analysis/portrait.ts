/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import { LEAST_PORTRAIT } from '../domain/card-rules.ts';
import type { Box } from '../domain/geometry.ts';
import type { Detection } from './crowd.ts';
import type { Picture, Pixels } from './pixels.ts';

/*
 * The portrait on a card: at which end it is, and which way round.
 */

/** Finds faces in a picture; px of the picture. */
export type FindFaces = (picture: Picture) => readonly Detection[];

/** How certain a portrait is as the card lies, and turned by 180 degrees, 0..1, and whether the upright one is on the left. */
export interface Portrait {
  readonly upright: number;
  readonly turned: number;
  readonly onLeft: boolean;
}

export const NO_PORTRAIT: Portrait = { upright: 0, turned: 0, onLeft: false };

/** The part of the card's width at either end in which the portrait is looked for, and of its height. */
const END = { width: 0.34, top: 0.16, bottom: 0.86 };

/** Of upright portraits nearly all are as certain as this, of turned ones taken for upright none. */
const BEYOND_DOUBT = 0.85;

/**
 * Looks for a portrait at both ends of a straightened card. They are put side by side, so that one run of the detector,
 * which makes every picture small, sees both. It sees turned faces too, but is less certain of them.
 */
export function portraitOn(patch: Pixels, card: Box, findFaces: FindFaces): Portrait {
  const [left, right] = facesAtEnds(patch, card, findFaces, false);
  const upright = Math.max(left, right);
  const turned = upright >= BEYOND_DOUBT ? 0 : Math.max(...facesAtEnds(patch, card, findFaces, true));
  return { upright, turned, onLeft: left > right };
}

/** The surest face at the left and at the right end, 0 for none. */
function facesAtEnds(
  { data, width: stride }: Pixels,
  card: Box,
  findFaces: FindFaces,
  isTurned: boolean,
): readonly [left: number, right: number] {
  const width = Math.round(END.width * card.width);
  const top = card.y + Math.round(END.top * card.height);
  const height = Math.round((END.bottom - END.top) * card.height);
  const source = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  const sheet = new Uint32Array(2 * width * height);
  [card.x, card.x + card.width - width].forEach((left, end) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = source[(top + y) * stride + left + x]!; // the ends lie inside the card
        const [column, row] = isTurned ? [width - 1 - x, height - 1 - y] : [x, y];
        sheet[row * 2 * width + end * width + column] = pixel;
      }
    }
  });
  const faces = findFaces({ data: new Uint8ClampedArray(sheet.buffer), width: 2 * width, height });
  const surest = (isRight: boolean): number =>
    Math.max(
      0,
      ...faces
        .filter(({ x, width: w, score }) => score >= LEAST_PORTRAIT && x + w / 2 >= width === isRight)
        .map(({ score }) => score),
    );
  return [surest(false), surest(true)];
}
