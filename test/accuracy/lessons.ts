/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves */
import { COVER_PICTURE } from '../../src/analysis/cover.ts';
import { eyeLineOf } from '../../src/analysis/patch.ts';
import type { Landmark } from '../../src/domain/observation.ts';
import { paintCover } from './brush.ts';
import { TAUGHT_COVERS } from './covers.ts';
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

/** How far a head is turned at most, degrees: past what the rules still allow, and past what they say first. */
const TURNED = { yaw: 38, pitch: 34 };

/** The same face with the head turned. */
function posed({ face, points }: Upright, mesh: Mesh, random: Random): Upright {
  const context = canvasOf(CANVAS.width, CANVAS.height);
  context.drawImage(face, 0, 0);
  // Evenly within an ellipse: both at their utmost is nothing that a landmarker still finds.
  const way = 2 * Math.PI * random();
  const far = Math.sqrt(random());
  const angles = { yaw: TURNED.yaw * far * Math.cos(way), pitch: TURNED.pitch * far * Math.sin(way) };
  return upright(context.canvas, turnHead(context, points, mesh, angles));
}

/** Part of the lessons that show a far face, and how large the eye distance of one is, over that of the patch. */
const FAR = { share: 0.45, least: 0.34, most: 0.85 };

/** The face as a camera shows it: off the mark, out of focus, far away, noisy, sharpened, compressed. */
async function filmed(face: OffscreenCanvas, random: Random): Promise<OffscreenCanvasRenderingContext2D> {
  const [width, height] = [PATCH_SCALE * COVER_PICTURE.width, PATCH_SCALE * COVER_PICTURE.height];
  const far = random() < FAR.share ? between(random, FAR.least, FAR.most) : 1;
  // Some cameras see less than they tell, and enlarge it.
  const coarse = random() < 0.2 ? between(random, 0.5, 0.85) : 1;
  const scale = far * coarse;
  const seen = canvasOf(Math.round(width * scale), Math.round(height * scale));
  seen.save();
  seen.fillStyle = '#777';
  seen.fillRect(0, 0, seen.canvas.width, seen.canvas.height);
  seen.filter = `blur(${between(random, 0, random() < 0.6 ? 0.9 : 0.3) * scale}px)`;
  const { x, y } = COVER_PICTURE.eyesAt;
  seen.translate(
    (PATCH_SCALE * x + between(random, -4, 4)) * scale,
    (PATCH_SCALE * y + between(random, -4, 4)) * scale,
  );
  seen.rotate(between(random, -0.06, 0.06));
  seen.transform(1, between(random, -0.03, 0.03), between(random, -0.03, 0.03), 1, 0, 0);
  const size =
    ((PATCH_SCALE * COVER_PICTURE.eyeDistance) / CANVAS.eyeDistance) * between(random, 0.94, 1.06) * scale;
  seen.scale(size * between(random, 0.93, 1.03), size * between(random, 0.93, 1.07));
  seen.translate(-CANVAS.eyesAt.x, -CANVAS.eyesAt.y);
  seen.drawImage(face, 0, 0);
  seen.restore();
  const told = enlarged(seen, Math.round(width * far), Math.round(height * far), random);
  develop(told, random);
  await compress(told, random);
  return enlarged(told, width, height, random);
}

/** The picture at another size, enlarged well or badly. */
function enlarged(
  picture: OffscreenCanvasRenderingContext2D,
  width: number,
  height: number,
  random: Random,
): OffscreenCanvasRenderingContext2D {
  const { canvas } = picture;
  if (canvas.width === width) return picture;
  const out = canvasOf(width, height);
  const way = random();
  out.imageSmoothingEnabled = way > 0.2;
  out.imageSmoothingQuality = way < 0.6 ? 'low' : 'high';
  out.drawImage(canvas, 0, 0, width, height);
  return out;
}

/** What a camera does to its picture: haze of a cheap lens, grain, smoothing against it, sharpening, few colours. */
function develop(picture: OffscreenCanvasRenderingContext2D, random: Random): void {
  const haze = random() < 0.25 ? between(random, 0.05, 0.5) : 0;
  const white = between(random, 120, 215);
  const veil = [0, 1, 2].map(() => white + between(random, -14, 14));
  const grain = random() < 0.3 ? between(random, 2, 12) : 0;
  const [coloured, grey] = random() < 0.5 ? [0.7, 0.7] : [0, 1];
  // Neighbours that differ by less become one; the others keep their edge.
  const smoothed = random() < 0.25 ? between(random, 6, 30) : 0;
  const sharpened = random() < 0.3 ? between(random, 0.3, 1.6) : 0;
  const step = random() < 0.1 ? between(random, 10, 30) : 0;
  const dither = random() < 0.6 ? 1 : 0;
  if (haze + grain + smoothed + sharpened + step === 0) return;
  const { width, height } = picture.canvas;
  const image = picture.getImageData(0, 0, width, height);
  const { data } = image;
  if (haze + grain > 0)
    for (let i = 0; i < data.length; i += 4) {
      const noise = grey * grain * (random() + random() - 1);
      for (let c = 0; c < 3; c++) {
        const own = coloured === 0 ? 0 : coloured * grain * (random() + random() - 1);
        data[i + c]! += haze * (veil[c]! - data[i + c]!) + noise + own;
      }
    }
  if (smoothed + sharpened > 0) {
    const before = data.slice();
    const row = 4 * width;
    for (let y = 1; y < height - 1; y++)
      for (let i = row * y + 4, end = row * (y + 1) - 4; i < end; i++) {
        const value = before[i]!;
        let all = 0;
        let near = 0;
        let count = 0;
        for (let line = i - row; line <= i + row; line += row)
          for (let at = line - 4; at <= line + 4; at += 4) {
            const beside = before[at]!;
            all += beside;
            if (Math.abs(beside - value) > smoothed) continue;
            near += beside;
            count++;
          }
        data[i] = near / count + sharpened * (value - all / 9);
      }
  }
  if (step > 0)
    for (let i = 0; i < data.length; i++)
      if (i % 4 < 3) data[i] = step * Math.round(data[i]! / step + dither * (random() - 0.5));
  picture.putImageData(image, 0, 0);
}

/** As a still picture or a frame of a film is compressed: both keep colour at half the size. */
async function compress(picture: OffscreenCanvasRenderingContext2D, random: Random): Promise<void> {
  const way = random();
  if (way > 0.55) return;
  const options =
    way < 0.35
      ? { type: 'image/jpeg', quality: between(random, 0.3, 0.9) }
      : { type: 'image/webp', quality: between(random, 0.05, 0.7) };
  const compressed = await createImageBitmap(await picture.canvas.convertToBlob(options));
  picture.drawImage(compressed, 0, 0);
  compressed.close();
}

/** Light, 0..1, of what a picture stores. */
const LIGHTS = Float32Array.from({ length: 256 }, (_, value) => linear(value));

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
        const light = Math.min(1, LIGHTS[data[4 * (y * width + x) + c]!]! * here * tint);
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
const AS_PHOTOGRAPHED = 0.4;

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
    ...TAUGHT_COVERS.flatMap((cover) =>
      Array.from({ length: Math.round((cover.lessons ?? 1) * each) }, () => cover),
    ),
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
