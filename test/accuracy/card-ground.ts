import { between, colourText, pick, type Rgb, tinted } from './brush.ts';
import { hashOf, randomFrom } from './score.ts';

/*
 * What cards lie on, and what is no card: table tops and flat things, drawn.
 */

type Context = OffscreenCanvasRenderingContext2D;

/** Table tops that are drawn. */
export const DRAWN_GROUNDS = ['plain', 'dark', 'wood', 'weave', 'checks', 'desk'] as const;
export type DrawnGround = (typeof DRAWN_GROUNDS)[number];

/** Fills the context's canvas with a table top; the same seed gives the same one. */
export function drawGround(context: Context, ground: DrawnGround, seed: number): void {
  const random = randomFrom(hashOf(`${ground} ${seed}`));
  PAINTERS[ground](context, random);
  stain(context, random);
  grain(context, random);
}

const LIGHT: readonly Rgb[] = [
  [232, 230, 224],
  [205, 200, 190],
  [214, 196, 164],
  [176, 190, 196],
  [222, 206, 200],
  [150, 158, 150],
];
const DARK: readonly Rgb[] = [
  [38, 38, 42],
  [58, 46, 38],
  [28, 44, 66],
  [66, 74, 70],
  [74, 30, 34],
];
const WOODS: readonly Rgb[] = [
  [196, 152, 104],
  [150, 96, 56],
  [222, 190, 146],
  [96, 60, 40],
  [176, 122, 78],
];
const CLOTHS: readonly Rgb[] = [
  [70, 92, 130],
  [180, 172, 156],
  [128, 60, 66],
  [92, 110, 84],
  [210, 206, 198],
  [52, 52, 58],
];

const PAINTERS: Record<DrawnGround, (context: Context, random: () => number) => void> = {
  plain: (context, random) => fill(context, pick(random, LIGHT)),
  dark: (context, random) => fill(context, pick(random, DARK)),
  wood: paintWood,
  weave: paintWeave,
  checks: paintChecks,
  desk: paintDesk,
};

function fill(context: Context, colour: Rgb): void {
  context.fillStyle = colourText(colour);
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

/** Paints on a plane that is turned about the canvas's middle and larger than the canvas. */
function turned(context: Context, degrees: number, paint: (reach: number) => void): void {
  const { width, height } = context.canvas;
  context.save();
  context.translate(width / 2, height / 2);
  context.rotate((degrees * Math.PI) / 180);
  paint(Math.hypot(width, height) / 2);
  context.restore();
}

function paintWood(context: Context, random: () => number): void {
  const base = pick(random, WOODS);
  fill(context, base);
  turned(context, pick(random, [0, 90]) + between(random, -12, 12), (reach) => {
    const plank = between(random, 260, 620);
    for (let top = -reach; top < reach; top += plank) {
      context.fillStyle = colourText(tinted(base, between(random, 0.88, 1.08)));
      context.fillRect(-reach, top, 2 * reach, plank);
      const [swing, length, phase] = [between(random, 4, 26), between(random, 260, 700), 7 * random()];
      // Lines that wander beyond the plank's far side are painted over by the next one.
      for (let y = top + 1.4 * swing; y < top + plank; y += between(random, 3, 15)) {
        context.strokeStyle = colourText(
          tinted(base, between(random, 0.55, 0.9)),
          between(random, 0.08, 0.42),
        );
        context.lineWidth = between(random, 0.8, 4);
        const own = between(random, 0.6, 1.4);
        context.beginPath();
        for (let x = -reach; x <= reach; x += 40)
          context.lineTo(x, y + own * swing * Math.sin(x / length + phase + y / 400));
        context.stroke();
      }
      context.fillStyle = 'rgba(20,10,5,0.45)';
      context.fillRect(-reach, top, 2 * reach, 3);
    }
  });
}

function paintWeave(context: Context, random: () => number): void {
  const base = pick(random, CLOTHS);
  fill(context, base);
  const pitch = between(random, 6, 13);
  turned(context, between(random, -40, 40), (reach) => {
    for (const across of [true, false])
      for (let at = -reach; at < reach; at += pitch) {
        context.fillStyle = colourText(tinted(base, between(random, 0.7, 1.25)), 0.38);
        if (across) context.fillRect(-reach, at, 2 * reach, 0.6 * pitch);
        else context.fillRect(at, -reach, 0.6 * pitch, 2 * reach);
      }
  });
  paintFolds(context, random);
}

/** Folds are so soft that they are painted at an eighth of the size. */
const FOLD_SCALE = 8;

function paintFolds(context: Context, random: () => number): void {
  const [width, height] = [context.canvas.width / FOLD_SCALE, context.canvas.height / FOLD_SCALE];
  const small = new OffscreenCanvas(width, height);
  const ink = small.getContext('2d', { willReadFrequently: true });
  if (ink === null) throw new Error('no 2D canvas');
  for (let i = 0; i < 3; i++) {
    ink.filter = `blur(${between(random, 3, 7).toFixed(1)}px)`;
    ink.strokeStyle = i % 2 === 0 ? 'rgba(0,0,0,0.22)' : 'rgba(255,255,255,0.16)';
    ink.lineWidth = between(random, 5, 14);
    ink.beginPath();
    ink.moveTo(-6, height * random());
    ink.bezierCurveTo(
      width * random(),
      height * random(),
      width * random(),
      height * random(),
      width + 6,
      height * random(),
    );
    ink.stroke();
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, context.canvas.width, context.canvas.height);
}

function paintChecks(context: Context, random: () => number): void {
  const side = between(random, 55, 150);
  const colour = pick(random, [
    [196, 40, 48],
    [44, 84, 150],
    [60, 120, 80],
    [70, 66, 62],
  ] as const);
  fill(context, [238, 234, 226]);
  turned(context, between(random, -35, 35), (reach) => {
    context.fillStyle = colourText(colour, 0.48);
    for (let at = -reach; at < reach; at += 2 * side) {
      context.fillRect(-reach, at, 2 * reach, side);
      context.fillRect(at, -reach, side, 2 * reach);
    }
    context.fillStyle = 'rgba(255,255,255,0.06)';
    for (let at = -reach; at < reach; at += 5) context.fillRect(-reach, at, 2 * reach, 2);
  });
}

/** A table with a keyboard at one end and a notebook at the other. */
function paintDesk(context: Context, random: () => number): void {
  if (random() < 0.5) paintWood(context, random);
  else fill(context, pick(random, LIGHT));
  const { width, height } = context.canvas;
  turned(context, pick(random, [0, 180]) + between(random, -9, 9), (reach) => {
    const key = between(random, 74, 104);
    const top = -height * between(random, 0.36, 0.54);
    const dark = random() < 0.6;
    shadowed(context, () => {
      context.fillStyle = dark ? '#2b2c30' : '#d5d6d9';
      context.fillRect(-reach, top - 5.4 * key, 2 * reach, 5.7 * key);
    });
    for (let row = 0; row < 5; row++)
      for (let x = -reach + (row * key) / 3; x < reach; x += key) {
        context.fillStyle = dark ? '#17181b' : '#f1f1f2';
        context.beginPath();
        context.roundRect(x + 5, top - (5 - row) * key, key - 10, key - 10, 9);
        context.fill();
        context.fillStyle = dark ? '#d8d8d8' : '#333';
        context.font = `${Math.round(0.32 * key)}px sans-serif`;
        context.fillText(
          String.fromCharCode(65 + Math.floor(26 * random())),
          x + 0.2 * key,
          top - (5 - row) * key + 0.42 * key,
        );
      }
    paintNotebook(context, random, {
      x: width * between(random, -0.6, 0.1),
      y: height * between(random, 0.3, 0.42),
    });
    shadowed(context, () => {
      context.strokeStyle = pick(random, ['#1d4ea8', '#b3202a', '#222']);
      context.lineWidth = 17;
      context.lineCap = 'round';
      context.beginPath();
      context.moveTo(width * between(random, -0.45, -0.2), height * between(random, 0.2, 0.3));
      context.lineTo(width * between(random, 0.2, 0.45), height * between(random, 0.2, 0.33));
      context.stroke();
    });
  });
}

function paintNotebook(context: Context, random: () => number, { x, y }: { x: number; y: number }): void {
  shadowed(context, () => {
    context.fillStyle = '#f3f1e8';
    context.fillRect(x, y, 900, 900);
  });
  context.fillStyle = 'rgba(60,90,170,0.5)';
  for (let line = 1; line < 20; line++) context.fillRect(x, y + 44 * line, 900, 2);
  context.strokeStyle = '#28304a';
  context.lineWidth = 3;
  for (let line = 1; line < 8; line++) {
    context.beginPath();
    for (let at = 30; at < between(random, 300, 860); at += 11)
      context.lineTo(x + at, y + 44 * line - between(random, 2, 24));
    context.stroke();
  }
}

/** What lies on a table throws a soft shadow. */
function shadowed(context: Context, paint: () => void): void {
  context.save();
  context.shadowColor = 'rgba(0,0,0,0.45)';
  context.shadowBlur = 22;
  context.shadowOffsetY = 8;
  paint();
  context.restore();
}

/** Large, faint spots: no table is one colour. */
function stain(context: Context, random: () => number): void {
  const { width, height } = context.canvas;
  for (let i = 0; i < 7; i++) {
    const [x, y, radius] = [width * random(), height * random(), between(random, 0.2, 0.6) * width];
    const spot = context.createRadialGradient(x, y, 0, x, y, radius);
    spot.addColorStop(0, i % 2 === 0 ? 'rgba(0,0,0,0.07)' : 'rgba(255,255,255,0.07)');
    spot.addColorStop(1, 'rgba(128,128,128,0)');
    context.fillStyle = spot;
    context.fillRect(0, 0, width, height);
  }
}

/** The grain of the surface itself. */
function grain(context: Context, random: () => number): void {
  const side = 256;
  const tile = new OffscreenCanvas(side, side);
  const ink = tile.getContext('2d');
  if (ink === null) throw new Error('no 2D canvas');
  const image = ink.createImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const value = random() < 0.5 ? 0 : 255;
    image.data.set([value, value, value, 26 * random()], 4 * i);
  }
  ink.putImageData(image, 0, 0);
  const pattern = context.createPattern(tile, 'repeat');
  if (pattern === null) throw new Error('no pattern');
  context.save();
  context.scale(1.7, 1.7);
  context.fillStyle = pattern;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.restore();
}

/** Flat things that are no cards, with their height in their own widths as they are drawn. */
export const OBJECTS = { sheet: 1.414, receipt: 2.3, banknote: 1 / 2.2, phone: 1 / 2.1 } as const;
export type FlatObject = keyof typeof OBJECTS;

/** Draws the thing on a canvas of its own shape. */
export function drawObject(object: FlatObject, seed: number): OffscreenCanvas {
  const random = randomFrom(hashOf(`${object} ${seed}`));
  const long = 1600;
  const height = OBJECTS[object];
  const canvas =
    height > 1
      ? new OffscreenCanvas(Math.round(long / height), long)
      : new OffscreenCanvas(long, Math.round(long * height));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  OBJECT_PAINTERS[object](context, random);
  return canvas;
}

const OBJECT_PAINTERS: Record<FlatObject, (context: Context, random: () => number) => void> = {
  sheet: (context, random) => paintPrint(context, random, 0.09, 26, 'serif'),
  receipt: (context, random) => paintPrint(context, random, 0.07, 34, 'monospace'),
  banknote: paintBanknote,
  phone: paintPhone,
};

const WORDS =
  'yang dan untuk dengan pada dari ini itu adalah tidak dalam akan surat harga jumlah total nama barang';

function paintPrint(
  context: Context,
  random: () => number,
  margin: number,
  size: number,
  font: string,
): void {
  const { width, height } = context.canvas;
  const words = WORDS.split(' ');
  context.fillStyle = pick(random, ['#fbfaf6', '#f2f3f5', '#f6f1e6']);
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#26272b';
  context.font = `bold ${2 * size}px ${font}`;
  context.fillText(pick(random, words).toUpperCase(), margin * width, 0.07 * height);
  context.font = `${size}px ${font}`;
  for (let y = 0.12 * height; y < between(random, 0.7, 0.94) * height; y += 1.5 * size) {
    let line = '';
    while (context.measureText(line).width < between(random, 0.3, 0.95) * (1 - 2 * margin) * width)
      line += `${pick(random, words)} `;
    if (random() > 0.12) context.fillText(line, margin * width, y, (1 - 2 * margin) * width);
  }
}

function paintBanknote(context: Context, random: () => number): void {
  const { width, height } = context.canvas;
  const colour = pick(random, [
    [206, 84, 92],
    [72, 112, 178],
    [94, 146, 96],
    [170, 116, 66],
  ] as const);
  fill(context, tinted(colour, 1.35));
  context.lineWidth = 2.5;
  for (let line = 0; line < 60; line++) {
    context.strokeStyle = colourText(tinted(colour, 0.8), 0.42);
    context.beginPath();
    for (let x = 0; x <= width; x += 14)
      context.lineTo(x, line * 14 + 34 * Math.sin(x / 90 + line / 4) * Math.cos(line / 9));
    context.stroke();
  }
  context.fillStyle = colourText(tinted(colour, 0.45));
  context.font = `bold ${Math.round(0.2 * height)}px serif`;
  const value = pick(random, ['5000', '10000', '50000', '100000']);
  context.fillText(value, 0.05 * width, 0.24 * height);
  context.fillText(value, 0.72 * width, 0.92 * height);
  context.font = `bold ${Math.round(0.09 * height)}px serif`;
  context.fillText('UANG CONTOH', 0.3 * width, 0.14 * height);
  context.beginPath();
  context.ellipse(0.53 * width, 0.53 * height, 0.13 * width, 0.33 * height, 0, 0, 2 * Math.PI);
  context.fillStyle = colourText(tinted(colour, 0.65), 0.9);
  context.fill();
  context.beginPath();
  context.ellipse(0.53 * width, 0.47 * height, 0.05 * width, 0.16 * height, 0, 0, 2 * Math.PI);
  context.fillStyle = colourText(tinted(colour, 1.5), 0.9);
  context.fill();
}

function paintPhone(context: Context, random: () => number): void {
  const { width, height } = context.canvas;
  context.beginPath();
  context.roundRect(0, 0, width, height, 0.09 * width);
  context.clip();
  fill(context, pick(random, [[26, 27, 30] as const, [44, 46, 52] as const, [18, 24, 38] as const]));
  const glass = context.createLinearGradient(0, 0, width, height);
  glass.addColorStop(0, '#0c0d10');
  glass.addColorStop(0.5, '#20242b');
  glass.addColorStop(1, '#0a0b0d');
  context.fillStyle = glass;
  context.beginPath();
  context.roundRect(0.02 * width, 0.035 * height, 0.96 * width, 0.93 * height, 0.07 * width);
  context.fill();
}
