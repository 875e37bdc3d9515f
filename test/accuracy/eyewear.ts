import type { Landmark } from '../../src/domain/observation.ts';
import { between, type Brush, colourText, pick, type Point, type Rgb, rounded, tinted } from './brush.ts';

/*
 * What lies before the eyes or over them: dark and clear glasses, lids. Lengths as in `Brush`.
 */

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

export function sunglasses(brush: Brush): void {
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

export function clearGlasses(brush: Brush): void {
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

const UPPER_LIDS: readonly (readonly number[])[] = [
  [33, 246, 161, 160, 159, 158, 157, 173, 133],
  [263, 466, 388, 387, 386, 385, 384, 398, 362],
];
const LOWER_LIDS: readonly (readonly number[])[] = [
  [33, 7, 163, 144, 145, 153, 154, 155, 133],
  [263, 249, 390, 373, 374, 380, 381, 382, 362],
];

/** Pulls the skin above each eye down over it, and draws the lashes where the lids meet. */
export function closeLids({ source, context, random, points, eyeDistance }: Brush): void {
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
