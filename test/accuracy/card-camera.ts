import type { Quad } from '../../src/domain/homography.ts';
import { CARD_HEIGHT, mapPoint, placing } from './card-geometry.ts';
import { drawGround, drawObject, OBJECTS } from './card-ground.ts';
import { drawFingers, drawPalms } from './card-hand.ts';
import {
  cover,
  dazzle,
  defocus,
  expose,
  illuminate,
  lay,
  type Light,
  lightOf,
  smear,
  type Texture,
  textureOf,
} from './card-paint.ts';
import {
  type CardPicture,
  type Ground,
  nameOfCard,
  quadAt,
  type Scene,
  sceneSeed,
  type Subject,
} from './card-scene.ts';
import {
  CARD_PIXELS,
  CORNER_RADIUS,
  drawSpecimen,
  type Portrait,
  roundCorners,
  type Specimen,
} from './card-specimen.ts';
import { randomFrom } from './score.ts';

/*
 * From a scene's data to the frame that a camera would give of it.
 */

/** Where pictures are found that are not drawn. */
export interface Sources {
  /** Photos of tables. */
  readonly grounds: readonly string[];
  /** Scans of mock cards. */
  readonly mocks: readonly string[];
  /** Photos of people for the specimens, in their order; a face is drawn where there is none. */
  readonly portraits: readonly { readonly url: string; readonly female: boolean }[];
}

type Context = OffscreenCanvasRenderingContext2D;

function canvasOf(width: number, height: number): { canvas: OffscreenCanvas; context: Context } {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return { canvas, context };
}

export async function loadPicture(url: string): Promise<ImageBitmap> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  return createImageBitmap(await response.blob());
}

/** Textures that are kept: one takes 40 MB. */
const KEPT = 4;

/** Takes pictures of scenes. */
export interface Camera {
  /** The frame that is taken some time after the first one. */
  take(scene: Scene, seconds: number): Promise<ImageBitmap>;
  /** What a specimen looks like that no camera has seen. */
  original(specimen: number): Promise<Specimen>;
}

export function createCamera(sources: Sources): Camera {
  const textures = new Map<string, Texture>();
  const photos = new Map<number, ImageBitmap>();
  let painted: { readonly scene: string; readonly table: OffscreenCanvas } | null = null;

  const source = <Item>(items: readonly Item[], i: number): Item => {
    const item = items[i % Math.max(1, items.length)];
    if (item === undefined) throw new Error('a scene needs a picture that is not there');
    return item;
  };

  async function original(specimen: number): Promise<Specimen> {
    const from = sources.portraits[specimen];
    const portrait: Portrait | null = from
      ? { picture: await loadPicture(from.url), female: from.female }
      : null;
    return drawSpecimen(specimen, portrait);
  }

  async function drawCard({ kind, number }: CardPicture): Promise<OffscreenCanvas> {
    if (kind === 'specimen') return (await original(number)).drawing;
    const scan = await loadPicture(source(sources.mocks, number));
    const { canvas, context } = canvasOf(CARD_PIXELS.width, CARD_PIXELS.height);
    roundCorners(context);
    context.imageSmoothingQuality = 'high';
    context.drawImage(scan, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  async function textureFor(subject: Subject): Promise<Texture> {
    const name = subject.kind === 'card' ? nameOfCard(subject.card) : `${subject.object} ${subject.seed}`;
    const texture =
      textures.get(name) ??
      textureOf(
        subject.kind === 'card' ? await drawCard(subject.card) : drawObject(subject.object, subject.seed),
      );
    // The least recently used one is the first.
    textures.delete(name);
    textures.set(name, texture);
    for (const oldest of textures.keys()) if (textures.size > KEPT) textures.delete(oldest);
    return texture;
  }

  async function paintTable(context: Context, ground: Ground): Promise<void> {
    if (ground.kind === 'drawn') {
      drawGround(context, ground.top, ground.seed);
      return;
    }
    const { number, turns, mirrored, zoom, cut } = ground;
    const photo = photos.get(number) ?? (await loadPicture(source(sources.grounds, number)));
    photos.set(number, photo);
    const { width, height } = context.canvas;
    const [across, down] = turns % 2 === 0 ? [width, height] : [height, width];
    const scale = zoom * Math.max(across / photo.width, down / photo.height);
    const [shownWidth, shownHeight] = [across / scale, down / scale];
    context.save();
    context.imageSmoothingQuality = 'high';
    context.translate(width / 2, height / 2);
    context.rotate((turns * Math.PI) / 2);
    context.scale(mirrored ? -1 : 1, 1);
    context.drawImage(
      photo,
      cut.x * (photo.width - shownWidth),
      cut.y * (photo.height - shownHeight),
      shownWidth,
      shownHeight,
      -across / 2,
      -down / 2,
      across,
      down,
    );
    context.restore();
  }

  /** The table, the same for all frames of a scene. */
  async function tableOf({ name, frame, ground }: Scene): Promise<OffscreenCanvas> {
    if (painted?.scene === name) return painted.table;
    const { canvas, context } = canvasOf(frame.width, frame.height);
    await paintTable(context, ground);
    painted = { scene: name, table: canvas };
    return canvas;
  }

  async function lightFrom(scene: Scene, quad: Quad | null): Promise<Light> {
    const { frame, hold, subject } = scene;
    const { canvas, context } = canvasOf(frame.width, frame.height);
    context.drawImage(await tableOf(scene), 0, 0);
    if (quad === null) return lightOf(canvas);
    const height = subject?.kind === 'object' ? OBJECTS[subject.object] : CARD_HEIGHT;
    const place = placing(quad, height);
    if (hold !== null) drawPalms(context, hold, place);
    if (subject !== null) throwShadow(context, quad, subject.kind === 'card' ? CORNER_RADIUS : 0.004, height);
    const light = lightOf(canvas);
    if (subject !== null) lay(light, await textureFor(subject), quad);
    if (hold !== null) cover(light, drawFingers(hold, place, frame));
    return light;
  }

  return {
    original,
    async take(scene, seconds) {
      const quad = quadAt(scene, seconds);
      const { effects, frame } = scene;
      const light = await lightFrom(scene, quad);
      illuminate(light, effects);
      const width = quad === null ? 0.85 * Math.min(frame.width, frame.height) : cardScale(quad);
      if (quad !== null) for (const glare of effects.glare) dazzle(light, quad, glare);
      defocus(light, effects.defocus * width);
      smear(light, { x: effects.smear.x * width, y: effects.smear.y * width });
      const { canvas, context } = canvasOf(frame.width, frame.height);
      expose(light, context, effects.noise, randomFrom(sceneSeed(scene) + Math.round(1000 * seconds)));
      const jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: effects.quality });
      return createImageBitmap(jpeg);
    },
  };
}

/** Width of the card, px: its longest side, so that a tilt does not change what a lens does. */
const cardScale = ([p, q, r, s]: Quad): number =>
  Math.max(Math.hypot(q.x - p.x, q.y - p.y), Math.hypot(r.x - s.x, r.y - s.y));

/** Points round each corner of a shadow. */
const ROUND = 6;

/** The shadow of something thin, with round corners, that lies on the table or is held above it. */
function throwShadow(context: Context, quad: Quad, radius: number, height: number): void {
  const width = cardScale(quad);
  const place = placing(quad, height);
  const outline = [
    { x: 1 - radius, y: radius, from: -Math.PI / 2 },
    { x: 1 - radius, y: height - radius, from: 0 },
    { x: radius, y: height - radius, from: Math.PI / 2 },
    { x: radius, y: radius, from: Math.PI },
  ].flatMap(({ x, y, from }) =>
    Array.from({ length: ROUND }, (_, i) => {
      const angle = from + (Math.PI / 2) * (i / (ROUND - 1));
      return mapPoint(place, { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) });
    }),
  );
  for (const [blur, down, strength] of [
    [0.004, 0.002, 0.5],
    [0.022, 0.01, 0.35],
  ] as const) {
    context.filter = `blur(${(blur * width).toFixed(1)}px)`;
    context.fillStyle = `rgba(0,0,0,${strength})`;
    context.beginPath();
    for (const { x, y } of outline) context.lineTo(x + 0.5 * down * width, y + down * width);
    context.fill();
  }
  context.filter = 'none';
}
