import { between, type Brush, colourText, pick, type Point, type Rgb, rounded, tinted } from './brush.ts';

/*
 * Cloth, hands, hair and things, drawn along the landmarks of a face. Lengths as in `Brush`.
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
export function mask(brush: Brush, top: number): void {
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
export function veil(brush: Brush, top: number): void {
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
export function hand(brush: Brush, at: Point, angle: number): void {
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

/** Length of each finger over that of the longest, from the one beside the thumb. */
const FINGERS = [0.9, 1, 0.95, 0.75];

/** A whole hand, fingers together or apart, in about the tone of the face; `at` is where the longest finger ends. */
export function openHand(brush: Brush, at: Point, angle: number): void {
  const { context, random } = brush;
  const skin = tinted(brush.skin(random), between(random, 0.85, 1.15));
  const handed = random() < 0.5 ? -1 : 1;
  const width = between(random, 0.24, 0.36);
  const spread = random() < 0.4 ? 0 : between(random, 0.05, 0.3);
  const length = between(random, 0.85, 1.35);
  const edge = between(random, 0.65, 0.95);
  const half = 2 * width * between(random, 0.95, 1.1);
  context.translate(...at);
  context.rotate(angle);
  context.scale(handed, 1);
  context.shadowColor = `rgba(0,0,0,${between(random, 0, 0.6)})`;
  context.shadowBlur = brush.eyeDistance * between(random, 0.02, 0.15);
  const digit = (x: number, y: number, lean: number, long: number, thick: number): void => {
    context.save();
    context.translate(x, y);
    context.rotate(lean);
    const round = context.createLinearGradient(-thick / 2, 0, thick / 2, 0);
    round.addColorStop(0, colourText(tinted(skin, edge * between(random, 0.9, 1.05))));
    round.addColorStop(between(random, 0.35, 0.65), colourText(tinted(skin, between(random, 1, 1.1))));
    round.addColorStop(1, colourText(tinted(skin, edge * between(random, 0.9, 1.05))));
    context.fillStyle = round;
    context.beginPath();
    context.roundRect(-thick / 2, -long, thick, long + 0.3, thick / 2);
    context.fill();
    context.restore();
  };
  if (random() < 0.7) {
    const reach = between(random, 0.3, 1.1);
    digit(-half * 0.75, length + 0.75, -reach, 0.7 + 0.3 * reach, 1.15 * width);
  }
  const palm = context.createLinearGradient(-half, 0, half, 0);
  palm.addColorStop(0, colourText(tinted(skin, between(random, 0.75, 1.05))));
  palm.addColorStop(1, colourText(tinted(skin, between(random, 0.75, 1.05))));
  context.fillStyle = palm;
  rounded(brush, [
    [-half, length - 0.1],
    [half, length - 0.1],
    [half * 1.05, length + 0.8],
    [half * 0.6, length + 1.5],
    [half * 0.6, length + 4],
    [-half * 0.6, length + 4],
    [-half * 0.6, length + 1.5],
    [-half * 1.05, length + 0.8],
  ]);
  context.fill();
  // One finger over the next throws little shade.
  context.shadowBlur /= 3;
  FINGERS.forEach((share, k) => {
    const place = k - (FINGERS.length - 1) / 2;
    const bent = random() < 0.12 ? 0.5 : 1;
    const lean = spread * place + between(random, -0.06, 0.06);
    digit(
      place * width,
      length + 0.15,
      lean,
      (length + 0.15) * share * bent,
      width * between(random, 0.85, 1),
    );
  });
}

/** A phone, a cup, a sheet of paper: something with a straight edge before the face. */
export function thing(brush: Brush, at: Point): void {
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
export function strands(brush: Brush, low: number, from: number, to: number, thick: number): void {
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

/** A hat pulled down: brim and its shade to below the eyes. */
export function brim(brush: Brush): void {
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

/** A headscarf or hood that leaves the face free. */
export function headscarf(brush: Brush): void {
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
