import type { Landmark } from '../../src/domain/observation.ts';
import type { GuidanceCode } from '../../src/domain/result.ts';
import { type Brush, colourText, type Paint, paintCover, type Rgb, tinted } from './brush.ts';
import type { Degradation } from './degradations.ts';

/*
 * Things that lie over a face, drawn along its landmarks: masks, scarves, hands, phones, hair, glasses, closed lids.
 * Lengths are in distances between the eyes, measured from the middle between them: the eyes lie at x = -0.5 and 0.5,
 * y grows towards the chin.
 */

/** Fabrics and their patterns. */
const FABRICS: readonly Rgb[] = [
  [236, 238, 238],
  [150, 190, 220],
  [90, 130, 190],
  [120, 190, 180],
  [30, 30, 34],
  [70, 74, 80],
  [150, 150, 150],
  [225, 180, 190],
  [200, 170, 140],
  [170, 120, 90],
  [120, 40, 45],
  [40, 90, 70],
  [190, 60, 70],
  [230, 215, 190],
  [60, 50, 110],
];

type Point = readonly [number, number];

/** A closed outline through points, rounded at each. */
function rounded({ context }: Brush, points: readonly Point[]): void {
  const middle = (a: Point, b: Point): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const last = points.at(-1) ?? [0, 0];
  context.beginPath();
  context.moveTo(...middle(last, points[0] ?? last));
  points.forEach((point, i) => {
    context.quadraticCurveTo(...point, ...middle(point, points[(i + 1) % points.length] ?? last));
  });
  context.closePath();
}

function between(random: () => number, low: number, high: number): number {
  return low + (high - low) * random();
}

function pick<T>(random: () => number, items: readonly [T, ...T[]] | readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Light and shade across what was just outlined, and the weave, folds or print of a cloth. */
function cloth(brush: Brush, base: Rgb, box: { x: number; y: number; width: number; height: number }): void {
  const { context, random } = brush;
  context.save();
  context.clip();
  const lit = context.createLinearGradient(box.x, 0, box.x + box.width, between(random, -0.3, 0.3));
  const side = between(random, 0.6, 0.95);
  const [first, last] = random() < 0.5 ? [1, side] : [side, 1];
  lit.addColorStop(0, colourText(tinted(base, first * between(random, 0.6, 0.9))));
  lit.addColorStop(between(random, 0.35, 0.65), colourText(tinted(base, 1)));
  lit.addColorStop(1, colourText(tinted(base, last * between(random, 0.6, 0.9))));
  context.fillStyle = lit;
  context.fillRect(box.x - 1, box.y - 1, box.width + 2, box.height + 2);
  const print = random();
  if (print < 0.25) {
    const ink = pick(random, FABRICS);
    for (let k = 0; k < 60; k++) {
      context.fillStyle = colourText(ink, between(random, 0.4, 0.9));
      context.beginPath();
      context.arc(
        box.x + box.width * random(),
        box.y + box.height * random(),
        between(random, 0.02, 0.1),
        0,
        2 * Math.PI,
      );
      context.fill();
    }
  } else if (print < 0.4) {
    const ink = pick(random, FABRICS);
    const across = random() < 0.5;
    const step = between(random, 0.08, 0.25);
    context.fillStyle = colourText(ink, 0.8);
    for (let at = 0; at < (across ? box.height : box.width); at += 2 * step) {
      if (across) context.fillRect(box.x - 1, box.y + at, box.width + 2, step);
      else context.fillRect(box.x + at, box.y - 1, step, box.height + 2);
    }
  }
  const folds = Math.floor(between(random, 0, 9));
  for (let k = 0; k < folds; k++) {
    const y = box.y + box.height * random();
    context.strokeStyle =
      random() < 0.6 ? `rgba(0,0,0,${between(random, 0.08, 0.3)})` : 'rgba(255,255,255,0.15)';
    context.lineWidth = between(random, 0.015, 0.07);
    context.beginPath();
    context.moveTo(box.x - 0.1, y + between(random, -0.3, 0.3));
    context.quadraticCurveTo(
      box.x + box.width / 2,
      y + between(random, -0.4, 0.4),
      box.x + box.width + 0.1,
      y + between(random, -0.3, 0.3),
    );
    context.stroke();
  }
  context.restore();
}

/** A mask from `top` (on the midline) to below the chin; worn low it leaves the nose free. */
function mask(brush: Brush, top: number): void {
  const { context, random, chin, side } = brush;
  const base = tinted(pick(random, FABRICS), brush.exposure);
  const half = side(0.95) * between(random, 0.82, 1);
  const rise = between(random, -0.05, 0.28);
  const bottom = chin + between(random, -0.02, 0.2);
  context.strokeStyle = colourText(tinted(base, 0.95));
  context.lineWidth = between(random, 0.02, 0.05);
  for (const x of [-1, 1]) {
    context.beginPath();
    context.moveTo(x * half, top + rise);
    context.quadraticCurveTo(x * half * 1.15, top, x * side(0.2) * 1.06, between(random, -0.1, 0.3));
    context.moveTo(x * half * 0.95, bottom - 0.5);
    context.lineTo(x * side(0.2) * 1.06, 0.6);
    context.stroke();
  }
  const beak = random() < 0.25;
  const outline: Point[] = [
    [-half, top + rise],
    [-half * 0.45, top + (beak ? 0.2 : 0.08)],
    [0, top - between(random, 0.02, 0.14)],
    [half * 0.45, top + (beak ? 0.2 : 0.08)],
    [half, top + rise],
    [half * between(random, 0.9, 1.02), (top + bottom) / 2 + 0.2],
    [half * 0.62, bottom - 0.1],
    [0, bottom + 0.08],
    [-half * 0.62, bottom - 0.1],
    [-half * between(random, 0.9, 1.02), (top + bottom) / 2 + 0.2],
  ];
  context.shadowColor = 'rgba(0,0,0,0.45)';
  context.shadowBlur = brush.eyeDistance * between(random, 0, 0.12);
  rounded(brush, outline);
  context.fillStyle = colourText(base);
  context.fill();
  context.shadowColor = 'transparent';
  rounded(brush, outline);
  cloth(brush, base, { x: -half, y: top - 0.2, width: 2 * half, height: bottom - top + 0.3 });
  if (random() < 0.5) {
    rounded(brush, outline);
    context.strokeStyle = colourText(tinted(base, random() < 0.5 ? 0.75 : 1.15), 0.8);
    context.lineWidth = between(random, 0.015, 0.04);
    context.stroke();
  }
}

/** A scarf or veil over the lower face, as wide as the head and down to the shoulders. */
function veil(brush: Brush, top: number): void {
  const { random, chin } = brush;
  const base = tinted(pick(random, FABRICS), brush.exposure);
  const outline: Point[] = [
    [-1.5, top - between(random, -0.1, 0.3)],
    [-0.6, top + between(random, -0.05, 0.1)],
    [0, top - between(random, 0, 0.12)],
    [0.6, top + between(random, -0.05, 0.1)],
    [1.5, top - between(random, -0.1, 0.3)],
    [1.8, chin + 1.2],
    [0, chin + 1.8],
    [-1.8, chin + 1.2],
  ];
  rounded(brush, outline);
  cloth(brush, base, { x: -1.6, y: top - 0.4, width: 3.2, height: chin + 2 - top });
}

/** Fingers side by side, of somebody's skin, with the shade between them; `at` is the middle of their tips. */
function hand(brush: Brush, at: Point, angle: number): void {
  const { context, random } = brush;
  const own = brush.skin(random);
  const tone = between(random, 0.75, 1.2);
  const skin: Rgb = [
    own[0] * tone * between(random, 0.98, 1.08),
    own[1] * tone * between(random, 0.93, 1.03),
    own[2] * tone * between(random, 0.9, 1.05),
  ];
  const fingers = Math.floor(between(random, 2, 5));
  const width = between(random, 0.24, 0.4);
  const fist = random() < 0.35;
  context.translate(...at);
  context.rotate(angle);
  context.shadowColor = `rgba(0,0,0,${between(random, 0.3, 0.7)})`;
  context.shadowBlur = brush.eyeDistance * between(random, 0.03, 0.15);
  const palmAt = fist ? between(random, 0.35, 0.55) : between(random, 0.8, 1.3);
  const spread = between(random, 0, 0.12);
  const tips: { x: number; y: number; lean: number }[] = [];
  for (let k = 0; k < fingers; k++) {
    const x = (k - (fingers - 1) / 2) * width * (0.96 + spread);
    tips.push({ x, y: between(random, -0.12, 0.12), lean: spread * (k - (fingers - 1) / 2) });
  }
  context.fillStyle = colourText(tinted(skin, 0.92));
  const palmHalf = (fingers * width) / 2;
  rounded(brush, [
    [-palmHalf, palmAt - 0.1],
    [palmHalf, palmAt - 0.1],
    [palmHalf * 1.15, palmAt + 0.7],
    [palmHalf * 0.8, palmAt + 2.6],
    [-palmHalf * 0.8, palmAt + 2.6],
    [-palmHalf * 1.25, palmAt + 0.6],
  ]);
  context.fill();
  for (const tip of tips) {
    const round = context.createLinearGradient(tip.x - width / 2, 0, tip.x + width / 2, 0);
    round.addColorStop(0, colourText(tinted(skin, between(random, 0.5, 0.8))));
    round.addColorStop(between(random, 0.35, 0.65), colourText(tinted(skin, between(random, 1, 1.12))));
    round.addColorStop(1, colourText(tinted(skin, between(random, 0.5, 0.8))));
    context.fillStyle = round;
    context.beginPath();
    context.roundRect(tip.x - width / 2, tip.y, width, palmAt + 0.25 - tip.y, width / 2);
    context.fill();
    context.shadowColor = 'transparent';
    context.strokeStyle = colourText(tinted(skin, 0.6), between(random, 0.2, 0.7));
    context.lineWidth = between(random, 0.01, 0.025);
    for (const joint of fist ? [0.3] : [0.35, 0.4, 0.75]) {
      context.beginPath();
      context.moveTo(tip.x - 0.32 * width, tip.y + joint);
      context.lineTo(tip.x + 0.32 * width, tip.y + joint + between(random, -0.02, 0.02));
      context.stroke();
    }
    if (!fist && random() < 0.5) {
      context.fillStyle = colourText(tinted([skin[0] * 1.05, skin[1], skin[2]], 1.1), 0.7);
      context.beginPath();
      context.roundRect(tip.x - 0.28 * width, tip.y + 0.04, 0.56 * width, 0.16, 0.06);
      context.fill();
    }
  }
}

/** A phone, a cup, a sheet of paper: something with a straight edge before the face. */
function thing(brush: Brush, at: Point): void {
  const { context, random } = brush;
  const base = tinted(pick(random, FABRICS), brush.exposure);
  const width = between(random, 0.7, 1.5);
  const height = between(random, 0.7, 1.8);
  context.translate(...at);
  context.rotate(between(random, -0.5, 0.5));
  context.beginPath();
  context.roundRect(-width / 2, -height / 2, width, height, between(random, 0, 0.2));
  context.fillStyle = colourText(base);
  context.shadowColor = 'rgba(0,0,0,0.5)';
  context.shadowBlur = brush.eyeDistance * 0.08;
  context.fill();
  context.shadowColor = 'transparent';
  cloth(brush, base, { x: -width / 2, y: -height / 2, width, height });
  context.beginPath();
  context.arc(between(random, -0.2, 0.2), -height * 0.3, between(random, 0.04, 0.12), 0, 2 * Math.PI);
  context.fillStyle = colourText(tinted(base, random() < 0.5 ? 0.4 : 1.5), 0.8);
  context.fill();
}

const HAIR: readonly Rgb[] = [
  [20, 18, 18],
  [45, 32, 26],
  [90, 62, 42],
  [160, 130, 90],
  [120, 120, 122],
];

/** Strands from above the forehead down to `low`; `from`..`to` is the part of the face's width they hang over. */
function strands(brush: Brush, low: number, from: number, to: number, thick: number): void {
  const { context, random } = brush;
  const base = tinted(pick(random, HAIR), brush.exposure);
  for (let k = 0; k < thick; k++) {
    const x = between(random, from, to);
    context.strokeStyle = colourText(tinted(base, between(random, 0.5, 1.7)), between(random, 0.7, 1));
    context.lineWidth = between(random, 0.02, 0.08);
    context.beginPath();
    context.moveTo(x * 0.7 + between(random, -0.1, 0.1), -1.7);
    context.quadraticCurveTo(
      x + between(random, -0.2, 0.2),
      -0.6,
      x + between(random, -0.2, 0.2),
      low - between(random, 0, 0.25),
    );
    context.stroke();
  }
}

/** The shape of one lens round its own middle; every real frame lies between these. */
function lensShape(random: () => number): (mirror: number) => readonly Point[] {
  const width = between(random, 0.36, 0.5);
  const height = between(random, 0.22, 0.42) * (random() < 0.15 ? 1.2 : 1);
  const square = between(random, 0.75, 1.35);
  const lift = between(random, -0.06, 0.14);
  const drop = random() < 0.3 ? between(random, 0.02, 0.14) : 0;
  return (mirror) =>
    (
      [
        [0, -height],
        [width * 0.75 * square, -height * square * 0.85 - lift],
        [width * 1.05, -height * 0.2 - lift],
        [width * 0.85 * square, height * 0.75 * square],
        [0, height + drop],
        [-width * 0.8 * square, height * 0.7 * square],
        [-width, -height * 0.1],
        [-width * 0.75 * square, -height * 0.85 * square],
      ] satisfies Point[]
    ).map(([x, y]) => [mirror * x, y]);
}

interface Frames {
  readonly tint: Rgb;
  readonly tintOpacity: readonly [number, number];
  readonly stroke: Rgb;
  readonly strokeWidth: number;
  /** Part of the rim that is drawn: the whole, the upper half, or none. */
  readonly rim: 'whole' | 'upper' | 'none';
  readonly reflections: number;
}

/** Two lenses, bridge and temples. */
function spectacles(
  brush: Brush,
  { tint, tintOpacity, stroke, strokeWidth, rim, reflections }: Frames,
): void {
  const { context, random, side } = brush;
  const shape = lensShape(random);
  const apart = between(random, 0.5, 0.58);
  const y = between(random, -0.02, 0.16);
  const ink = colourText(tinted(stroke, brush.exposure), between(random, 0.75, 1));
  context.lineWidth = strokeWidth;
  for (const x of [-1, 1]) {
    context.save();
    context.translate(x * apart, y);
    if (random() < 0.6) {
      rounded(brush, shape(x));
      context.save();
      context.translate(0, between(random, 0.02, 0.06));
      context.strokeStyle = 'rgba(0,0,0,0.15)';
      context.lineWidth = strokeWidth * 1.6;
      context.stroke();
      context.restore();
    }
    rounded(brush, shape(x));
    const glass = context.createLinearGradient(0, -0.3, 0, 0.35);
    glass.addColorStop(0, colourText(tint, tintOpacity[0]));
    glass.addColorStop(1, colourText(tint, tintOpacity[1]));
    context.fillStyle = glass;
    context.fill();
    context.save();
    context.clip();
    for (let k = 0; k < reflections; k++) {
      context.fillStyle = `rgba(${between(random, 200, 255)},255,255,${between(random, 0.12, 0.6)})`;
      const at = between(random, -0.35, 0.35);
      const wide = between(random, 0.03, 0.25);
      const lean = between(random, -0.3, 0.3);
      context.beginPath();
      context.moveTo(at, -0.5);
      context.lineTo(at + wide, -0.5);
      context.lineTo(at + wide + lean, between(random, -0.1, 0.5));
      context.lineTo(at + lean, 0.5);
      context.fill();
    }
    context.restore();
    context.strokeStyle = ink;
    context.lineWidth = strokeWidth;
    if (rim !== 'none') {
      context.save();
      if (rim === 'upper') {
        context.beginPath();
        context.rect(-1, -1, 2, 1.02);
        context.clip();
      }
      rounded(brush, shape(x));
      context.stroke();
      context.restore();
    }
    context.beginPath();
    context.moveTo(x * 0.42, -0.1);
    context.quadraticCurveTo(
      x * 0.6,
      -0.14,
      x * (side(0) - apart) * between(random, 0.98, 1.08),
      between(random, -0.15, 0.05),
    );
    context.lineWidth = strokeWidth * between(random, 0.8, 1.5);
    context.strokeStyle = ink;
    context.stroke();
    context.restore();
  }
  context.strokeStyle = ink;
  context.lineWidth = strokeWidth * between(random, 0.8, 1.3);
  context.beginPath();
  const bridge = y + between(random, -0.16, 0.02);
  context.moveTo(-apart + 0.36, bridge + 0.04);
  context.quadraticCurveTo(0, bridge - between(random, 0.02, 0.14), apart - 0.36, bridge + 0.04);
  context.stroke();
}

const RIMS: readonly Rgb[] = [
  [20, 20, 22],
  [30, 26, 30],
  [70, 45, 30],
  [120, 80, 45],
  [180, 150, 80],
  [170, 172, 176],
  [110, 112, 118],
  [150, 40, 50],
  [40, 60, 110],
];

const DARK_LENSES: readonly Rgb[] = [
  [12, 12, 14],
  [26, 22, 20],
  [50, 34, 20],
  [20, 34, 26],
  [30, 34, 60],
  [90, 60, 30],
  [60, 90, 130],
];

function sunglasses(brush: Brush): void {
  const { random } = brush;
  const top = between(random, 0.85, 1);
  spectacles(brush, {
    tint: tinted(pick(random, DARK_LENSES), Math.max(0.5, brush.exposure)),
    tintOpacity: [top, top * between(random, 0.8, 1)],
    stroke: pick(random, RIMS),
    strokeWidth: between(random, 0.02, 0.12),
    rim: pick(random, ['whole', 'whole', 'upper', 'none']),
    reflections: Math.floor(between(random, 0, 3)),
  });
}

function clearGlasses(brush: Brush): void {
  const { random } = brush;
  const opacity = between(random, 0, 0.12);
  const kind = random();
  spectacles(brush, {
    tint: pick(random, [
      [255, 255, 255],
      [200, 220, 255],
      [60, 60, 70],
    ] as const),
    tintOpacity: [opacity * between(random, 0.5, 2), opacity],
    stroke: pick(random, RIMS),
    strokeWidth: kind < 0.5 ? between(random, 0.045, 0.11) : between(random, 0.018, 0.045),
    rim: kind < 0.8 ? 'whole' : kind < 0.93 ? 'upper' : 'none',
    reflections: random() < 0.4 ? Math.floor(between(random, 1, 4)) : 0,
  });
}

/** A hat pulled down: brim and its shade to below the eyes. */
function brim(brush: Brush): void {
  const { random } = brush;
  const base = tinted(pick(random, FABRICS), brush.exposure * between(random, 0.3, 1));
  const low = between(random, 0.16, 0.34);
  const outline: Point[] = [
    [-1.5, -2],
    [1.5, -2],
    [1.5, low - between(random, 0, 0.3)],
    [0, low + between(random, 0.05, 0.2)],
    [-1.5, low - between(random, 0, 0.3)],
  ];
  rounded(brush, outline);
  cloth(brush, base, { x: -1.6, y: -2, width: 3.2, height: 2.5 });
}

const UPPER_LIDS: readonly (readonly number[])[] = [
  [33, 246, 161, 160, 159, 158, 157, 173, 133],
  [263, 466, 388, 387, 386, 385, 384, 398, 362],
];
const LOWER_LIDS: readonly (readonly number[])[] = [
  [33, 7, 163, 144, 145, 153, 154, 155, 133],
  [263, 249, 390, 373, 374, 380, 381, 382, 362],
];

/** Pulls the skin above each eye down over it, and draws the lashes where the lids meet. */
function closeLids({ source, context, random, points, eyeDistance }: Brush): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  const meet = between(random, 0.75, 1.05);
  const lash = between(random, 0.012, 0.035) * eyeDistance;
  const darkness = between(random, 0.35, 0.85);
  UPPER_LIDS.forEach((upper, eye) => {
    const lower = LOWER_LIDS[eye] ?? [];
    const line = (indices: readonly number[]): Landmark[] =>
      indices.flatMap((index) => points[index] ?? []).sort((a, b) => a.x - b.x);
    const top = line(upper);
    const bottom = line(lower);
    const yAt = (places: readonly Landmark[], x: number): number => {
      const next = places.findIndex((place) => place.x >= x);
      const b = places[Math.max(1, next)];
      const a = places[Math.max(1, next) - 1];
      if (!a || !b) return x;
      return a.y + ((b.y - a.y) * (x - a.x)) / Math.max(1e-3, b.x - a.x);
    };
    const from = Math.floor((top[0]?.x ?? 0) - 0.02 * eyeDistance);
    const to = Math.ceil((top.at(-1)?.x ?? 0) + 0.02 * eyeDistance);
    const seam: [number, number][] = [];
    for (let x = from; x <= to; x++) {
      const lid = yAt(top, x);
      const end = lid + meet * Math.max(0, yAt(bottom, x) - lid) + 0.02 * eyeDistance;
      const start = lid - 0.2 * eyeDistance;
      const skinEnds = lid - 0.045 * eyeDistance;
      context.drawImage(source, x, start, 1, skinEnds - start, x, start, 1, end - start);
      seam.push([x, end]);
    }
    context.strokeStyle = `rgba(25,15,12,${darkness})`;
    context.lineWidth = lash;
    context.lineCap = 'round';
    context.beginPath();
    seam.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.stroke();
    context.lineWidth = lash / 3;
    for (let k = 0; k < seam.length; k += Math.max(1, Math.round(0.02 * eyeDistance))) {
      const [x, y] = seam[k] ?? [0, 0];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(
        x + between(random, -0.03, 0.03) * eyeDistance,
        y + between(random, 0.02, 0.06) * eyeDistance,
      );
      context.stroke();
    }
  });
}

/** A headscarf or hood that leaves the face free. */
function headscarf(brush: Brush): void {
  const { context, random, chin } = brush;
  const base = tinted(pick(random, FABRICS), brush.exposure);
  const brow = -between(random, 0.62, 0.95);
  const wide = brush.side(0.4) * between(random, 0.93, 1.04);
  const under = chin + between(random, -0.03, 0.08);
  context.beginPath();
  context.rect(-4, -4, 8, 9);
  context.ellipse(0, (brow + under) / 2, wide, (under - brow) / 2, 0, 0, 2 * Math.PI);
  context.save();
  context.clip('evenodd');
  rounded(brush, [
    [0, -2.4],
    [1.7, -1.6],
    [1.7, chin],
    [2.4, chin + 2],
    [-2.4, chin + 2],
    [-1.7, chin],
    [-1.7, -1.6],
  ]);
  cloth(brush, base, { x: -2.4, y: -2.4, width: 4.8, height: chin + 5 });
  context.restore();
}

/** A family of covers. */
export interface Cover {
  readonly name: string;
  /** What has to be reported; null: the face is still free, and nothing may be. */
  readonly code: 'face-covered' | 'eyes-covered' | 'glasses' | 'eyes-closed' | null;
  readonly may: readonly GuidanceCode[];
  readonly paint: Paint;
}

/** What cannot be told of eyes that are not seen. */
const UNSEEN_EYES: readonly GuidanceCode[] = ['face-covered', 'glasses', 'eyes-closed'];

/** Every family. What each draws follows from the random numbers. */
export const COVERS: readonly Cover[] = [
  {
    name: 'mask',
    code: 'face-covered',
    may: [],
    paint: (b) => mask(b, b.nose * between(b.random, 0.35, 0.85)),
  },
  {
    name: 'mask under the nose',
    code: 'face-covered',
    may: [],
    paint: (b) => mask(b, b.nose + between(b.random, 0.16, 0.3)),
  },
  {
    name: 'scarf',
    code: 'face-covered',
    may: [],
    paint: (b) => veil(b, between(b.random, b.nose * 0.4, b.nose + 0.25)),
  },
  {
    name: 'hand from below',
    code: 'face-covered',
    may: [],
    paint: (b) =>
      hand(
        b,
        [between(b.random, -0.3, 0.3), b.mouth - between(b.random, 0.15, 0.6)],
        between(b.random, -0.5, 0.5),
      ),
  },
  {
    name: 'hand from the side',
    code: 'face-covered',
    may: [],
    paint: (b) => {
      const from = b.random() < 0.5 ? -1 : 1;
      hand(
        b,
        [from * -between(b.random, 0.3, 0.6), b.mouth + between(b.random, -0.35, 0.1)],
        -from * between(b.random, 1, 1.9),
      );
    },
  },
  {
    name: 'hand on the forehead',
    code: 'face-covered',
    may: ['eyes-covered', 'glasses', 'eyes-closed'],
    paint: (b) =>
      hand(
        b,
        [between(b.random, -0.4, 0.4), between(b.random, -0.25, 0.25)],
        Math.PI + between(b.random, -1.2, 1.2),
      ),
  },
  {
    name: 'thing',
    code: 'face-covered',
    may: [],
    paint: (b) => thing(b, [between(b.random, -0.3, 0.3), between(b.random, b.nose, b.mouth + 0.3)]),
  },
  { name: 'sunglasses', code: 'eyes-covered', may: UNSEEN_EYES, paint: sunglasses },
  { name: 'hat brim', code: 'eyes-covered', may: UNSEEN_EYES, paint: brim },
  {
    name: 'hair over the eyes',
    code: 'eyes-covered',
    may: UNSEEN_EYES,
    paint: (b) => strands(b, between(b.random, 0.35, 0.7), -1, 1, 160),
  },
  { name: 'clear glasses', code: 'glasses', may: [], paint: clearGlasses },
  { name: 'closed lids', code: 'eyes-closed', may: [], paint: closeLids },
  {
    name: 'fringe',
    code: null,
    may: [],
    paint: (b) => strands(b, -between(b.random, 0.45, 0.65), -1, 1, Math.floor(between(b.random, 30, 130))),
  },
  { name: 'headscarf', code: null, may: [], paint: headscarf },
];

/** How many copies of each family a run deals out at most. */
const DRAWINGS = [1, 2, 3, 4, 5, 6];

/** The covers as degradations; each step is another drawing of the family. */
export const COVER_DEGRADATIONS: readonly Degradation[] = COVERS.map(({ name, code, may, paint }) => ({
  code,
  may,
  name,
  unit: 'drawing',
  steps: DRAWINGS,
  paint: ({ context, points, random }) => paintCover(context.canvas, points, random, paint),
}));
