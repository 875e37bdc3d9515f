import { FaceLandmarker } from '@mediapipe/tasks-vision';
import { describe, expect, test } from 'vitest';
import { bundleWith, fetchModel } from '../../src/analysis/assets.ts';
import { createPixelCanvas } from '../../src/analysis/pixel-canvas.ts';
import { createPixelReader, type Source } from '../../src/analysis/pixel-reader.ts';
import { startTask } from '../../src/analysis/runtime.ts';
import { createWebGlCanvas, type Surface } from '../../src/analysis/surface.ts';
import { assetsFolder, frameOf, loadAssets, media, sharedPhotos } from './support.ts';

/*
 * Pixels from memory beside those that have been in a texture of WebGL.
 */

/** What WebGL gives back of a picture. */
function byWebGl(picture: Source): Uint8ClampedArray {
  const gl = createWebGlCanvas().getContext('webgl2');
  if (gl === null) throw new Error('no WebGL');
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  const texture = gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture;
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const pixels = new Uint8Array(4 * picture.width * picture.height);
  gl.readPixels(0, 0, picture.width, picture.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return new Uint8ClampedArray(pixels.buffer);
}

const photos = new Map<string, string>([
  ...['audrey.jpg', 'franck_04117.jpg'].map((file): [string, string] => [file, media(file)]),
  ...[...sharedPhotos].filter((_, i) => i % 24 === 0),
]);

describe.each([...photos])('%s', (_, url) => {
  const kinds: readonly [string, (frame: OffscreenCanvas) => Promise<Source> | Source][] = [
    ['a frame', (frame) => createImageBitmap(frame)],
    ['a canvas', (frame) => frame],
    ['pixels', (frame) => createPixelReader().read(frame)],
  ];
  test.each(kinds)('as %s has the same pixels', async (_kind, kindOf) => {
    const picture = await kindOf(await frameOf(url));
    const { data, width, height } = createPixelReader().read(picture);
    expect([width, height]).toEqual([picture.width, picture.height]);
    expect(data.some((value) => value !== 0 && value !== 255)).toBe(true);
    const other = byWebGl(picture);
    expect(other).toHaveLength(data.length);
    // A matcher takes seconds for so many.
    expect(data.reduce((differing, value, i) => differing + Number(value !== other[i]), 0)).toBe(0);
  });

  test('has the same landmarks', async () => {
    const folder = await assetsFolder();
    const { runtime, detector } = await loadAssets();
    const bundle = bundleWith(detector, await fetchModel('landmarker', folder));
    const frame = await createImageBitmap(await frameOf(url));
    const landmarksOn = async (createCanvas: () => Surface): Promise<unknown> => {
      const { task, close } = await startTask(runtime, createCanvas, ({ fileset, canvas }) =>
        FaceLandmarker.createFromOptions(fileset, {
          baseOptions: { modelAssetBuffer: bundle, delegate: 'CPU' },
          runningMode: 'IMAGE',
          canvas,
        }),
      );
      const { faceLandmarks } = task.detect(frame);
      close();
      return faceLandmarks;
    };
    const fromMemory = await landmarksOn(() => createPixelCanvas(createPixelReader().read));
    expect(fromMemory).toHaveLength(1);
    expect(fromMemory).toEqual(await landmarksOn(createWebGlCanvas));
  });
});
