import { between, colourText, pick, type Rgb } from './brush.ts';
import { CARD_HEIGHT } from './card-geometry.ts';
import { inventPerson, type Person } from './card-people.ts';
import { hashOf, randomFrom } from './score.ts';

/*
 * Specimens of the KTP: invented people on a card that is laid out as the real one is, with SPECIMEN across it.
 */

/** Size of a card's picture, px: 20 a millimetre. */
export const CARD_PIXELS = { width: 1712, height: 1080 } as const;
/** Radius of a card's rounded corners over its width: 3.18 of 85.60 mm. */
export const CORNER_RADIUS = 3.18 / 85.6;

/** Where things are on a KTP, in widths of the card: the digits of the number, all fields, the portrait. */
export const KTP_REGIONS = {
  number: { x: 0.225, y: 0.215 * CARD_HEIGHT, width: 0.47, height: 0.085 * CARD_HEIGHT },
  text: { x: 0.03, y: 0.215 * CARD_HEIGHT, width: 0.68, height: 0.755 * CARD_HEIGHT },
  portrait: { x: 0.75, y: 0.28 * CARD_HEIGHT, width: 0.21, height: 0.46 * CARD_HEIGHT },
} as const;

type Context = OffscreenCanvasRenderingContext2D;

/** A photo of somebody, to be put on a card. */
export interface Portrait {
  readonly picture: ImageBitmap;
  readonly female: boolean;
}

const PRINT = 'Arial, "Liberation Sans", sans-serif';
const DIGITS = '"OCR A Extended", "DejaVu Sans Mono", monospace';
const INK = '#1b1d22';
const PHOTO_RED: Rgb = [190, 34, 44];
const PHOTO_BLUE: Rgb = [38, 92, 168];

/** How the number is printed: where its base line begins, and the room that it has, px of the card's picture. */
export const NUMBER_PRINT = {
  x: 0.228 * CARD_PIXELS.width,
  y: 0.286 * CARD_PIXELS.height,
  width: 0.465 * CARD_PIXELS.width,
  font: `bold 76px ${DIGITS}`,
} as const;

/** A drawn card, and the 16 digits that stand on it. */
export interface Specimen {
  readonly drawing: OffscreenCanvas;
  readonly nik: string;
}

/**
 * Draws specimen number `number`: the same number gives the same card.
 * @param portrait null: a face is drawn
 */
export function drawSpecimen(number: number, portrait: Portrait | null): Specimen {
  const random = randomFrom(hashOf(`specimen ${number}`));
  const female = portrait?.female ?? random() < 0.5;
  const person = inventPerson(random, female);
  const canvas = new OffscreenCanvas(CARD_PIXELS.width, CARD_PIXELS.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  roundCorners(context);
  paintGround(context, random);
  paintFields(context, person);
  paintPhoto(context, portrait, person.bornInOddYear ? PHOTO_RED : PHOTO_BLUE, random);
  paintIssue(context, person, random);
  paintMark(context);
  return { drawing: canvas, nik: person.number };
}

/** Nothing that is painted later leaves the card's outline. */
export function roundCorners(context: Context): void {
  const { width, height } = context.canvas;
  context.beginPath();
  context.roundRect(0, 0, width, height, CORNER_RADIUS * width);
  context.clip();
}

/** Light blue with waves and a shape like a map of islands. */
function paintGround(context: Context, random: () => number): void {
  const { width, height } = CARD_PIXELS;
  const ground = context.createLinearGradient(0, 0, width, height);
  ground.addColorStop(0, '#c3dff0');
  ground.addColorStop(0.5, '#d6e9f4');
  ground.addColorStop(1, '#aed2ea');
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
  context.fillStyle = 'rgba(120,176,214,0.28)';
  for (let island = 0; island < 7; island++) {
    const [x, y] = [width * (0.1 + 0.13 * island), height * (0.5 + 0.12 * Math.sin(2.2 * island + random()))];
    context.beginPath();
    for (let i = 0; i <= 24; i++) {
      const angle = (2 * Math.PI * i) / 24;
      const radius = between(random, 0.7, 1.15) * (island % 3 === 1 ? 150 : 95);
      context.lineTo(x + 1.25 * radius * Math.cos(angle), y + 0.75 * radius * Math.sin(angle));
    }
    context.fill();
  }
  context.lineWidth = 1.6;
  for (let line = 0; line < 74; line++) {
    const blush = line % 5 === 0;
    context.strokeStyle = blush ? 'rgba(205,150,170,0.3)' : 'rgba(88,150,196,0.32)';
    context.beginPath();
    for (let x = -10; x <= width + 10; x += 18) {
      const y =
        line * 16 -
        40 +
        22 * Math.sin(x / 95 + line * 0.13) +
        13 * Math.sin(x / 37 - line * 0.31) * Math.sin(line * 0.2);
      context.lineTo(x, y);
    }
    context.stroke();
  }
}

function paintFields(context: Context, { place, number, fields }: Person): void {
  const { width, height } = CARD_PIXELS;
  context.fillStyle = INK;
  context.textAlign = 'center';
  context.font = `bold 66px ${PRINT}`;
  context.fillText(`PROVINSI ${place.province}`, width / 2, 0.085 * height);
  context.fillText(place.regency, width / 2, 0.158 * height);
  context.textAlign = 'left';
  context.font = `bold 72px ${PRINT}`;
  context.fillText('NIK', 0.034 * width, 0.286 * height);
  context.fillText(':', 0.2 * width, 0.286 * height);
  context.font = NUMBER_PRINT.font;
  context.fillText(number, NUMBER_PRINT.x, NUMBER_PRINT.y, NUMBER_PRINT.width);
  fields.forEach(([label, value, second], i) => {
    const y = (0.352 + 0.0545 * i) * height;
    context.font = `44px ${PRINT}`;
    context.fillText(label, 0.034 * width, y);
    context.fillText(':', 0.262 * width, y);
    context.font = `${i === 0 ? 'bold ' : ''}45px ${PRINT}`;
    context.fillText(value, 0.28 * width, y, 0.44 * width);
    if (second !== undefined) context.fillText(second, 0.545 * width, y);
  });
}

function paintPhoto(context: Context, portrait: Portrait | null, ground: Rgb, random: () => number): void {
  const { width } = CARD_PIXELS;
  const { portrait: box } = KTP_REGIONS;
  const size = { width: Math.round(box.width * width), height: Math.round(box.height * width) };
  const layer = new OffscreenCanvas(size.width, size.height);
  const ink = layer.getContext('2d', { willReadFrequently: true });
  if (ink === null) throw new Error('no 2D canvas');
  if (portrait === null) drawFace(ink, ground, random);
  else {
    const { picture } = portrait;
    const cut = { width: 0.62 * picture.width, height: (0.62 * picture.width * size.height) / size.width };
    ink.imageSmoothingQuality = 'high';
    ink.drawImage(
      picture,
      (picture.width - cut.width) / 2,
      0.05 * picture.height,
      cut.width,
      cut.height,
      0,
      0,
      size.width,
      size.height,
    );
    replaceGround(ink, ground);
  }
  context.drawImage(layer, box.x * width, box.y * width);
}

/** Largest distance, summed over the channels, between neighbours of one plain ground. */
const GROUND_STEP = 26;
/** Largest distance, summed over the channels, from the mean of the upper corners. */
const GROUND_SPREAD = 105;

/** Colours what hangs together with the upper corners and looks like them: the wall behind the person. */
function replaceGround(context: Context, [r, g, b]: Rgb): void {
  const { width, height } = context.canvas;
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  const valueAt = (i: number, channel: number): number => data[4 * i + channel] ?? 0;
  const far = (i: number, j: number): number =>
    [0, 1, 2].reduce((sum, channel) => sum + Math.abs(valueAt(i, channel) - valueAt(j, channel)), 0);
  const wall = new Uint8Array(width * height);
  const queue = [3 * width + 3, 4 * width - 4];
  const seeds = [...queue];
  for (const i of queue) wall[i] = 1;
  for (const i of queue)
    for (const step of [1, -1, width, -width]) {
      const next = i + step;
      if (wall[next] !== 0 || far(i, next) > GROUND_STEP) continue;
      if (Math.min(...seeds.map((seed) => far(seed, next))) > GROUND_SPREAD) continue;
      wall[next] = 1;
      queue.push(next);
    }
  const mask = new OffscreenCanvas(width, height);
  const ink = mask.getContext('2d');
  if (ink === null) throw new Error('no 2D canvas');
  const cover = ink.createImageData(width, height);
  wall.forEach((is, i) => cover.data.set([r, g, b, 255 * is], 4 * i));
  ink.putImageData(cover, 0, 0);
  context.filter = 'blur(1.2px)';
  context.drawImage(mask, 0, 0);
  context.filter = 'none';
}

/** A face where there are no photos. */
function drawFace(context: Context, ground: Rgb, random: () => number): void {
  const { width, height } = context.canvas;
  const skin = pick(random, [
    [224, 178, 140],
    [198, 146, 106],
    [160, 110, 76],
    [236, 196, 164],
  ] as const);
  context.fillStyle = colourText(ground);
  context.fillRect(0, 0, width, height);
  const oval = (x: number, y: number, rx: number, ry: number, colour: string): void => {
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse(x * width, y * height, rx * width, ry * height, 0, 0, 2 * Math.PI);
    context.fill();
  };
  const shirt = pick(random, ['#e8e8ea', '#30435e', '#6b3a3a', '#3d5c46']);
  oval(0.5, 1.08, 0.52, 0.3, shirt);
  oval(0.5, 0.74, 0.14, 0.14, colourText(skin, 1));
  oval(0.5, 0.38, 0.33, 0.29, '#1c1714');
  oval(0.5, 0.47, 0.27, 0.27, colourText(skin));
  for (const side of [-1, 1]) {
    oval(0.5 + 0.11 * side, 0.45, 0.045, 0.014, '#f4f1ec');
    oval(0.5 + 0.11 * side, 0.45, 0.02, 0.014, '#2a1c14');
    oval(0.5 + 0.11 * side, 0.405, 0.06, 0.009, '#241a14');
    oval(0.5 + 0.27 * side, 0.47, 0.03, 0.05, colourText(skin));
  }
  oval(0.5, 0.54, 0.035, 0.02, 'rgba(90,50,30,0.4)');
  oval(0.5, 0.62, 0.085, 0.016, '#a4574e');
}

/** Where and when it was issued, and the holder's signature. */
function paintIssue(context: Context, { issued }: Person, random: () => number): void {
  const { width, height } = CARD_PIXELS;
  const middle = 0.855 * width;
  context.fillStyle = INK;
  context.textAlign = 'center';
  context.font = `40px ${PRINT}`;
  context.fillText(issued[0], middle, 0.79 * height, 0.24 * width);
  context.fillText(issued[1], middle, 0.835 * height);
  context.strokeStyle = INK;
  context.lineWidth = 4;
  context.beginPath();
  context.moveTo(middle - 110, 0.91 * height);
  for (let i = 0; i < 7; i++)
    context.quadraticCurveTo(
      middle - 110 + 32 * i + between(random, -30, 30),
      (0.91 + between(random, -0.05, 0.05)) * height,
      middle - 80 + 32 * i,
      (0.91 + between(random, -0.02, 0.02)) * height,
    );
  context.stroke();
}

function paintMark(context: Context): void {
  const { width, height } = CARD_PIXELS;
  context.save();
  context.translate(0.385 * width, 0.64 * height);
  context.rotate(-0.3);
  context.fillStyle = 'rgba(178,28,48,0.3)';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `bold 250px ${PRINT}`;
  context.fillText('SPECIMEN', 0, 0, 0.72 * width);
  context.restore();
}
