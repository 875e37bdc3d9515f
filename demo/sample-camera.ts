import { guideInPicture, type Box, type Size } from '../src/domain/geometry.ts';
import { STEP_TRAITS, type GuideShape } from '../src/domain/steps.ts';
import type { CameraRequest } from '../src/session/camera.ts';
import { svgUrl } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';

/** The photographed face: its file among those of a development dependency, and where its landmarks lie, px. */
export const SAMPLE_PHOTO = {
  file: 'franck_03909.jpg',
  face: { x: 282, y: 171, width: 259, height: 332 },
} satisfies { file: string; face: Box };
/** How much of the oval's height a face from forehead to chin takes when it fills it. */
export const FILLS = 0.84;

/** Width and height of the picture, px. The photo is small, so its frame is too; the card is drawn. */
const SIZES: Record<GuideShape, { readonly upright: Size; readonly landscape: Size }> = {
  oval: { upright: { width: 800, height: 960 }, landscape: { width: 1280, height: 720 } },
  'id-1': { upright: { width: 1080, height: 1440 }, landscape: { width: 1280, height: 720 } },
};
const FRAMES_PER_SECOND = 20;
/** What of a scene lies beyond each edge of the picture, px: it drifts by less. */
const MARGIN = 16;

/**
 * A camera for devices without one: a photographed face for the selfie, a drawn SPECIMEN on a table for
 * a card, both placed in the guide as a person would. Give it to `cameraSource`.
 */
export async function sampleCamera(element: HTMLElement, { step }: CameraRequest): Promise<MediaStream> {
  const size =
    SIZES[STEP_TRAITS[step].guide][element.clientHeight > element.clientWidth ? 'upright' : 'landscape'];
  // Drawn once: anew in every frame it would keep the page busy on a device without a graphics card.
  const scene = canvasOf({ width: size.width + 2 * MARGIN, height: size.height + 2 * MARGIN });
  const guide = guideInPicture(step, size);
  const within = { ...guide, x: guide.x + MARGIN, y: guide.y + MARGIN };
  await (step === 'selfie' ? drawFace(scene, within) : drawCard(scene, within, SPECIMENS[step]));

  const context = canvasOf(size);
  const began = performance.now();
  const draw = (): void => {
    const seconds = (performance.now() - began) / 1000;
    context.resetTransform();
    // A hand that holds a phone drifts slowly by a few pixels.
    context.translate(
      size.width / 2 + 2 * Math.sin(seconds * 1.1),
      size.height / 2 + 1.5 * Math.sin(seconds * 1.7),
    );
    context.rotate(0.004 * Math.sin(seconds * 0.8));
    context.drawImage(scene.canvas, -scene.canvas.width / 2, -scene.canvas.height / 2);
  };
  draw();
  const stream = context.canvas.captureStream(FRAMES_PER_SECOND);
  const timer = setInterval(() => {
    if (stream.active) draw();
    else clearInterval(timer);
  }, 1000 / FRAMES_PER_SECOND);
  return stream;
}

async function loadImage(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => {
    throw new DOMException('The sample picture cannot be loaded.', 'NotReadableError');
  });
  return image;
}

async function drawFace(scene: CanvasRenderingContext2D, guide: Box): Promise<void> {
  const photo = await loadImage(new URL('media/face.jpg', document.baseURI).href);
  const { face } = SAMPLE_PHOTO;
  const scale = (guide.height * FILLS) / face.height;
  const left = guide.x + guide.width / 2 - (face.x + face.width / 2) * scale;
  const top = guide.y + guide.height / 2 - (face.y + face.height / 2) * scale;
  const [width, height] = [photo.naturalWidth * scale, photo.naturalHeight * scale];
  scene.drawImage(photo, left, top, width, height);
  stretchEdges(scene, {
    x: Math.ceil(left),
    y: Math.ceil(top),
    width: Math.floor(width),
    height: Math.floor(height),
  });
}

/** Draws the outermost px of a picture on to the edges of the frame: the wall and the jersey go on. */
function stretchEdges(context: CanvasRenderingContext2D, { x, y, width, height }: Box): void {
  const { canvas } = context;
  const right = x + width - 2;
  const bottom = y + height - 2;
  if (x > 0) context.drawImage(canvas, x + 1, 0, 1, canvas.height, 0, 0, x + 1, canvas.height);
  if (right < canvas.width) {
    context.drawImage(canvas, right - 1, 0, 1, canvas.height, right, 0, canvas.width - right, canvas.height);
  }
  if (y > 0) context.drawImage(canvas, 0, y + 1, canvas.width, 1, 0, 0, canvas.width, y + 1);
  if (bottom < canvas.height) {
    // Through a few px only, so that the pattern of the jersey does not become stripes.
    const few = new OffscreenCanvas(12, 1);
    few.getContext('2d')?.drawImage(canvas, 0, bottom - 1, canvas.width, 1, 0, 0, few.width, 1);
    context.drawImage(few, 0, bottom, canvas.width, canvas.height - bottom);
  }
}

async function drawCard(scene: CanvasRenderingContext2D, guide: Box, svg: string): Promise<void> {
  const card = await loadImage(svgUrl(svg));
  drawTable(scene);
  const width = guide.width * 0.95;
  const height = (width * card.naturalHeight) / card.naturalWidth;
  scene.shadowColor = 'rgb(0 0 0 / 45%)';
  scene.shadowBlur = 18;
  scene.shadowOffsetY = 6;
  scene.drawImage(
    card,
    guide.x + (guide.width - width) / 2,
    guide.y + (guide.height - height) / 2,
    width,
    height,
  );
}

/** A wooden table: a flat tone would be unlike any camera's picture. */
function drawTable(context: CanvasRenderingContext2D): void {
  const { width, height } = context.canvas;
  context.fillStyle = '#7b5b40';
  context.fillRect(0, 0, width, height);
  for (let board = 0; board < 7; board++) {
    const y = (board * height) / 7;
    context.fillStyle = board % 2 ? 'rgb(40 22 10 / 14%)' : 'rgb(255 220 180 / 7%)';
    context.fillRect(0, y, width, height / 7);
    context.fillStyle = 'rgb(30 15 5 / 35%)';
    context.fillRect(0, y, width, 2);
  }
}

function canvasOf({ width, height }: Size): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new DOMException('No canvas.', 'NotReadableError');
  context.imageSmoothingQuality = 'high';
  return context;
}
