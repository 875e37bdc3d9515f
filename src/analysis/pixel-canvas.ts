import type { ReadPixels, Source } from './pixel-reader.ts';
import { createSurface, type Surface } from './surface.ts';

/*
 * A canvas that gives pixels to MediaPipe. Its tasks put every frame into a texture of WebGL and
 * read that back, also where they calculate on the processor; the detector and the landmarker ask WebGL for nothing else
 * (seen with 0.10.35). From memory they have the same pixels without a way through the graphics process and back, and
 * where workers have no WebGL.
 */

/** A texture, and what it shows. */
interface Texture {
  source: Source | null;
}

/** Numbers of WebGL that Tasks takes from its context, by the names that the standard gives them. */
const NUMBERS = { TEXTURE_2D: 0x0de1, RGBA: 0x1908, UNSIGNED_BYTE: 0x1401 };
const [RENDERER, VERSION, MAX_VERTEX_ATTRIBS] = [0x1f01, 0x1f02, 0x8869] as const;
/** What the runtime asks while it starts: it refuses a version below 2, and makes a list as long as the attributes. */
const PARAMETERS: Readonly<Record<number, unknown>> = {
  [RENDERER]: 'memory',
  [VERSION]: 'WebGL 2.0',
  [MAX_VERTEX_ATTRIBS]: 16,
};

const nothing = (): void => undefined;
const none = (): null => null;

/**
 * A canvas for one task that calculates on the processor. Whatever it asks of WebGL besides fails as a function that is
 * missing does.
 */
export function createPixelCanvas(read: ReadPixels): Surface {
  let bound: Texture | null = null;
  let attached: Texture | null = null;
  const context = {
    ...NUMBERS,
    getExtension: none,
    getSupportedExtensions: () => [],
    getContextAttributes: () => ({}),
    getError: () => 0,
    getParameter: (name: number) => PARAMETERS[name] ?? null,
    activeTexture: nothing,
    texParameteri: nothing,
    createTexture: (): Texture => ({ source: null }),
    bindTexture: (_target: number, texture: Texture | null) => {
      bound = texture;
    },
    texImage2D: (
      _target: number,
      _level: number,
      _internalFormat: number,
      _format: number,
      _type: number,
      source: Source,
    ) => {
      if (bound !== null) bound.source = source;
    },
    createFramebuffer: () => ({}),
    bindFramebuffer: nothing,
    framebufferTexture2D: (_target: number, _attachment: number, _kind: number, texture: Texture | null) => {
      attached = texture;
    },
    readPixels: (
      _x: number,
      _y: number,
      width: number,
      height: number,
      _format: number,
      _type: number,
      memory: Uint8Array,
      offset: number,
    ) => {
      const source = attached?.source ?? null;
      if (source?.width !== width || source.height !== height)
        throw new Error('Pictures are read as a whole.');
      memory.set(read(source).data, offset);
    },
    fenceSync: () => ({}),
    deleteSync: nothing,
    deleteTexture: nothing,
    deleteFramebuffer: nothing,
  };
  return Object.assign(createSurface(), { getContext: () => context });
}
