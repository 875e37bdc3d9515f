import { COVER_PICTURE } from '../../src/analysis/cover.ts';
import { eyeLineOf } from '../../src/analysis/patch.ts';
import type { Landmark } from '../../src/domain/observation.ts';
import { paintCover } from './brush.ts';
import { COVERS } from './covers.ts';
import { linear, type Mesh, turnHead } from './paint.ts';
import { hashOf, randomFrom } from './score.ts';

/*
 * Pictures that the cover networks learn from: one face, with and without covers drawn over it, as worse cameras, other
 * light and landmarks a little off the mark would show it.
 */

/** Size of the face that covers are drawn on, px: finer than what the networks see. */
const CANVAS = { width: 360, height: 420, eyesAt: { x: 180, y: 165 }, eyeDistance: 96 };
/** The networks see half of the patch's resolution; blocks of JPEG have the patch's own. */
const PATCH_SCALE = 2;

type Random = () => number;
const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

function canvasOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  context.imageSmoothingQuality = 'high';
  return context;
}

/** A face upright on a canvas of its own, and its landmarks there. */
interface Upright {
  readonly face: OffscreenCanvas;
  readonly points: readonly Landmark[];
}

function upright(photo: CanvasImageSource, points: readonly Landmark[]): Upright {
  const { centre, across } = eyeLineOf(points);
  const [dx, dy] = [across.x, across.y];
  const scale = CANVAS.eyeDistance / Math.hypot(dx, dy);
  const [cos, sin] = [(dx / Math.hypot(dx, dy)) * scale, (dy / Math.hypot(dx, dy)) * scale];
  const { x: eyesX, y: eyesY } = CANVAS.eyesAt;
  const context = canvasOf(CANVAS.width, CANVAS.height);
  context.setTransform(
    cos,
    -sin,
    sin,
    cos,
    eyesX - centre.x * cos - centre.y * sin,
    eyesY + centre.x * sin - centre.y * cos,
  );
  context.drawImage(photo, 0, 0);
  return {
    face: context.canvas,
    points: points.map(({ x, y, z }) => ({
      x: eyesX + (x - centre.x) * cos + (y - centre.y) * sin,
      y: eyesY - (x - centre.x) * sin + (y - centre.y) * cos,
      z: z * scale,
    })),
  };
}

/** The same face with the head turned a little, as far as nobody would yet say so, and beyond. */
function posed({ face, points }: Upright, mesh: Mesh, random: Random): Upright {
  const context = canvasOf(CANVAS.width, CANVAS.height);
  context.drawImage(face, 0, 0);
  const angles = { yaw: between(random, -28, 28), pitch: between(random, -20, 20) };
  return upright(context.canvas, turnHead(context, points, mesh, angles));
}

/** The face as a camera shows it: off the mark, out of focus, far away, compressed. */
async function filmed(face: OffscreenCanvas, random: Random): Promise<OffscreenCanvasRenderingContext2D> {
  const [width, height] = [PATCH_SCALE * COVER_PICTURE.width, PATCH_SCALE * COVER_PICTURE.height];
  const out = canvasOf(width, height);
  const far = random() < 0.35 ? between(random, 0.35, 0.8) : 1;
  const small = far < 1 ? canvasOf(Math.round(width * far), Math.round(height * far)) : out;
  small.save();
  small.fillStyle = '#777';
  small.fillRect(0, 0, small.canvas.width, small.canvas.height);
  small.filter = `blur(${between(random, 0, random() < 0.6 ? 0.9 : 0.3) * far}px)`;
  const { x, y } = COVER_PICTURE.eyesAt;
  small.translate(
    (PATCH_SCALE * x + between(random, -4, 4)) * far,
    (PATCH_SCALE * y + between(random, -4, 4)) * far,
  );
  small.rotate(between(random, -0.06, 0.06));
  small.transform(1, between(random, -0.03, 0.03), between(random, -0.03, 0.03), 1, 0, 0);
  const scale =
    ((PATCH_SCALE * COVER_PICTURE.eyeDistance) / CANVAS.eyeDistance) * between(random, 0.94, 1.06) * far;
  small.scale(scale * between(random, 0.93, 1.03), scale * between(random, 0.93, 1.07));
  small.translate(-CANVAS.eyesAt.x, -CANVAS.eyesAt.y);
  small.drawImage(face, 0, 0);
  small.restore();
  if (far < 1) out.drawImage(small.canvas, 0, 0, width, height);
  if (random() < 0.4) {
    const type = 'image/jpeg';
    const blob = await out.canvas.convertToBlob({ type, quality: between(random, 0.4, 0.9) });
    const compressed = await createImageBitmap(blob);
    out.drawImage(compressed, 0, 0);
    compressed.close();
  }
  return out;
}

/** Other light: more or less of it, from a side, from above, of another colour. Red, green, blue of each px. */
function lit(picture: OffscreenCanvasRenderingContext2D, random: Random): Uint8Array {
  const { width, height } = COVER_PICTURE;
  const small = canvasOf(width, height);
  small.drawImage(picture.canvas, 0, 0, width, height);
  const { data } = small.getImageData(0, 0, width, height);
  const varied = random() < 0.75;
  const gain = varied ? Math.exp(between(random, -1.1, 0.35)) : 1;
  const side = varied ? between(random, -0.35, 0.35) * (random() < 0.4 ? 1.5 : 0.6) : 0;
  const above = varied ? between(random, -0.3, 0.3) : 0;
  const tints = varied
    ? [Math.exp(between(random, -0.12, 0.12)), 1, Math.exp(between(random, -0.15, 0.15))]
    : [1, 1, 1];
  const rgb = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = gain * Math.exp((side * (x - width / 2)) / 24 + (above * (y - height / 2)) / 32);
      for (const [c, tint] of tints.entries()) {
        const light = Math.min(1, linear(data[4 * (y * width + x) + c] ?? 0) * here * tint);
        rgb[to++] = Math.round(255 * light ** (1 / 2.2));
      }
    }
  }
  return rgb;
}

/** Lessons of one face: what was drawn on each (`plain`: nothing), and all pictures one after the other, in base64. */
export interface Lessons {
  readonly covers: readonly string[];
  readonly pictures: string;
}

/** How many ways each head is held besides its own. */
const POSES = 8;
/** Part of the lessons that show the head as it was photographed. */
const AS_PHOTOGRAPHED = 0.45;

/**
 * @param name what the random numbers follow from
 * @param plain how many without a cover
 * @param each how many of every family of covers
 */
export async function paintLessons(
  photo: ImageBitmap,
  landmarks: readonly Landmark[],
  mesh: Mesh,
  { name, plain, each }: { readonly name: string; readonly plain: number; readonly each: number },
): Promise<Lessons> {
  const own = upright(photo, landmarks);
  const pose = randomFrom(hashOf(`${name} pose`));
  const others = Array.from({ length: POSES }, () => posed(own, mesh, pose));
  const jobs = [
    ...Array.from({ length: plain }, () => null),
    ...COVERS.flatMap((cover) => Array.from({ length: each }, () => cover)),
  ];
  const size = COVER_PICTURE.width * COVER_PICTURE.height * 3;
  const all = new Uint8Array(jobs.length * size);
  for (const [i, cover] of jobs.entries()) {
    const random = randomFrom(hashOf(`${name} ${i}`));
    const other = others[Math.floor(random() * POSES)] ?? own;
    const { face, points } = random() < AS_PHOTOGRAPHED ? own : other;
    const drawn = canvasOf(CANVAS.width, CANVAS.height);
    drawn.drawImage(face, 0, 0);
    if (cover !== null) paintCover(drawn.canvas, points, random, cover.paint);
    all.set(lit(await filmed(drawn.canvas, random), random), i * size);
  }
  let text = '';
  for (let i = 0; i < all.length; i += 8192) text += String.fromCharCode(...all.subarray(i, i + 8192));
  return { covers: jobs.map((cover) => cover?.name ?? 'plain'), pictures: btoa(text) };
}
