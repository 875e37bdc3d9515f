import { sightSize, type Box, type Size } from '../domain/geometry.ts';

/*
 * Canvases where the analysis runs: in a worker off screen, on the page's main thread elements, because engines that
 * cannot do it in a worker lack other things off screen as well.
 */

/** A canvas of either kind. The types of a worker know no elements; what is used of one here both have. */
export type Surface = OffscreenCanvas;

/** There is one on the main thread only. */
const { document: page } = globalThis as {
  readonly document?: { createElement(name: 'canvas'): Surface };
};

/** A new canvas, off screen or an element that is in no page. */
export function createSurface(width = 1, height = 1): Surface {
  if (page === undefined) return new OffscreenCanvas(width, height);
  return Object.assign(page.createElement('canvas'), { width, height });
}

/** Gives a canvas its size; setting the same one again would wipe it and cost as much. */
export function resize(surface: Pick<Surface, 'width' | 'height'>, { width, height }: Size): void {
  if (surface.width === width && surface.height === height) return;
  surface.width = width;
  surface.height = height;
}

/**
 * A picture at the size at which it is analysed, scaled by the browser.
 * @param of the size of the picture, px
 */
export function scaledToSight(picture: ImageBitmap | VideoFrame, of: Size): Promise<ImageBitmap> {
  const { width, height } = sightSize(of);
  return createImageBitmap(picture, { resizeWidth: width, resizeHeight: height, resizeQuality: 'medium' });
}

/** Extensions that Tasks looks for by their names. */
const EXTENSIONS = [
  'EXT_color_buffer_float',
  'EXT_color_buffer_half_float',
  'EXT_float_blend',
  'OES_texture_float_linear',
];
/** That by which a context is given back. */
const LOSE_CONTEXT = 'WEBGL_lose_context';

/**
 * A canvas for a task that calculates with WebGL. The runtime's loader enables every extension that it is told of, each by
 * a question to the graphics process, which took 15 ms on two cores: it is told of those that somebody uses.
 * @throws Error where there is no WebGL 2
 */
export function createWebGlCanvas(): Surface {
  const canvas = createSurface();
  // As Tasks asks for it; who asks first decides.
  const context = canvas.getContext('webgl2', { antialias: false, powerPreference: 'high-performance' });
  if (context === null) throw new Error('There is no WebGL 2 here.');
  const enable = context.getExtension.bind(context) as (name: string) => unknown;
  const known = [...EXTENSIONS, LOSE_CONTEXT];
  Object.assign(context, {
    getExtension: (name: string) => (known.includes(name) ? enable(name) : null),
    getSupportedExtensions: () => EXTENSIONS.filter((name) => enable(name) !== null),
  });
  return canvas;
}

/** Frees the memory that a canvas has for WebGL, if any, which the browser would keep until it collects the canvas. */
export function releaseWebGl(surface: Surface): void {
  surface.getContext('webgl2')?.getExtension(LOSE_CONTEXT)?.loseContext();
}

/** A canvas that parts of frames are drawn on for the models. */
export interface Easel {
  readonly canvas: Surface;
  /** Draws a part of the frame at a size, px. */
  draw(frame: ImageBitmap, part: Box, size: Size): void;
}

export function createEasel(): Easel {
  const canvas = createSurface();
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return {
    canvas,
    draw(frame, { x, y, width, height }, size) {
      if (context === null) throw new Error('No 2D canvas here.');
      resize(canvas, size);
      context.drawImage(frame, x, y, width, height, 0, 0, size.width, size.height);
    },
  };
}
