import { guideInPicture, type Box, type Size } from '../src/domain/geometry.ts';
import { STEP_TRAITS, type GuideShape } from '../src/domain/steps.ts';
import type { CameraRequest } from '../src/session/camera.ts';
import { svgUrl } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';

/** A quiet passage of the clip, s: the man looks into the camera and hardly moves. */
const PASSAGE = { from: 64, to: 90 };
/** The part of the clip (360x288) that is shown: without what stands at its left edge. */
const SHOWN: Box = { x: 20, y: 2, width: 338, height: 284 };
/** His face, px of the clip. */
const FACE: Box = { x: 142, y: 75, width: 126, height: 182 };
/** Width and height of the picture, px. The clip is small, so its frame is too; the card is drawn. */
const SIZES: Record<GuideShape, { readonly upright: Size; readonly landscape: Size }> = {
  oval: { upright: { width: 800, height: 960 }, landscape: { width: 1280, height: 720 } },
  'id-1': { upright: { width: 1080, height: 1440 }, landscape: { width: 1280, height: 720 } },
};
const FRAMES_PER_SECOND = 20;

/** Draws one frame; `seconds` runs on. */
type Draw = (context: CanvasRenderingContext2D, guide: Box, seconds: number) => void;

/**
 * A camera for devices without one: a recorded face for the selfie, a drawn SPECIMEN on a table for
 * a card, both placed in the guide as a person would. Give it to `cameraSource`.
 */
export async function sampleCamera(element: HTMLElement, { step }: CameraRequest): Promise<MediaStream> {
  const size =
    SIZES[STEP_TRAITS[step].guide][element.clientHeight > element.clientWidth ? 'upright' : 'landscape'];
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new DOMException('No canvas.', 'NotReadableError');
  const source = step === 'selfie' ? await recordedFace() : await cardOnTable(SPECIMENS[step]);

  const began = performance.now();
  const draw = (): void => {
    source.draw(context, guideInPicture(step, size), (performance.now() - began) / 1000);
  };
  draw();
  const stream = canvas.captureStream(FRAMES_PER_SECOND);
  const timer = setInterval(() => {
    if (stream.active) {
      draw();
      return;
    }
    clearInterval(timer);
    source.stop();
  }, 1000 / FRAMES_PER_SECOND);
  return stream;
}

async function recordedFace(): Promise<{ draw: Draw; stop: () => void }> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.src = new URL('media/face.webm', document.baseURI).href;
  video.currentTime = PASSAGE.from;
  video.addEventListener('timeupdate', () => {
    if (video.currentTime > PASSAGE.to) video.currentTime = PASSAGE.from;
  });
  await video.play().catch(() => {
    throw new DOMException('The sample clip cannot be played.', 'NotReadableError');
  });
  return {
    draw: (context, guide) => {
      const { canvas } = context;
      const scale = (guide.height * 0.92) / FACE.height;
      const left = guide.x + guide.width / 2 - (FACE.x - SHOWN.x + FACE.width / 2) * scale;
      const top = guide.y + guide.height / 2 - (FACE.y - SHOWN.y + FACE.height / 2) * scale;
      const [width, height] = [SHOWN.width * scale, SHOWN.height * scale];
      context.imageSmoothingQuality = 'high';
      context.drawImage(video, SHOWN.x, SHOWN.y, SHOWN.width, SHOWN.height, left, top, width, height);
      stretchEdges(context, canvas, {
        x: Math.ceil(left),
        y: Math.ceil(top),
        width: Math.floor(width),
        height: Math.floor(height),
      });
    },
    stop: () => {
      video.pause();
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** Draws the outermost px of a picture on to the edges of the frame: the wall and the jersey go on. */
function stretchEdges(
  context: CanvasRenderingContext2D,
  canvas: HTMLCanvasElement,
  { x, y, width, height }: Box,
): void {
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

async function cardOnTable(svg: string): Promise<{ draw: Draw; stop: () => void }> {
  const card = new Image();
  card.src = svgUrl(svg);
  await card.decode();
  return {
    draw: (context, guide, seconds) => {
      const { width, height } = context.canvas;
      table(context, width, height);
      const shownWidth = guide.width * 0.95;
      context.save();
      // A hand that holds a phone drifts slowly by a few pixels.
      context.translate(
        guide.x + guide.width / 2 + 2 * Math.sin(seconds * 1.1),
        guide.y + guide.height / 2 + 1.5 * Math.sin(seconds * 1.7),
      );
      context.rotate(0.004 * Math.sin(seconds * 0.8));
      context.shadowColor = 'rgb(0 0 0 / 45%)';
      context.shadowBlur = 18;
      context.shadowOffsetY = 6;
      const shownHeight = (shownWidth * card.naturalHeight) / card.naturalWidth;
      context.imageSmoothingQuality = 'high';
      context.drawImage(card, -shownWidth / 2, -shownHeight / 2, shownWidth, shownHeight);
      context.restore();
    },
    stop: () => undefined,
  };
}

/** A wooden table: a flat tone would be unlike any camera's picture. */
function table(context: CanvasRenderingContext2D, width: number, height: number): void {
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
