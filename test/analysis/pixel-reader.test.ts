import { afterEach, describe, expect, test, vi } from 'vitest';
import { createPixelReader } from '../../src/analysis/pixel-reader.ts';
import { frameOf, media } from './support.ts';

/*
 * Whichever way the pixels of a frame are got, they are those of the picture.
 */

const photo = media('audrey.jpg');
const bitmapOf = async (): Promise<ImageBitmap> => createImageBitmap(await frameOf(photo));

/** How many values differ, and the most by which one does. */
function differenceOf(
  some: ArrayLike<number>,
  others: ArrayLike<number>,
): { readonly count: number; readonly most: number } {
  expect(some).toHaveLength(others.length);
  let [count, most] = [0, 0];
  for (let i = 0; i < others.length; i++) {
    const by = Math.abs((some[i] ?? NaN) - (others[i] ?? NaN));
    if (by !== 0) count++;
    most = Math.max(most, by);
  }
  return { count, most };
}
const NONE = { count: 0, most: 0 };

/** As a canvas has them. */
async function pixelsOf(frame: ImageBitmap): Promise<Uint8ClampedArray> {
  const canvas = await frameOf(photo);
  const context = canvas.getContext('2d');
  Object.assign(canvas, { width: frame.width, height: frame.height });
  context?.drawImage(frame, 0, 0);
  return context?.getImageData(0, 0, frame.width, frame.height).data ?? new Uint8ClampedArray();
}

afterEach(() => vi.restoreAllMocks());

describe('a bitmap', () => {
  test('is read once, and the next one anew; a canvas may have been drawn on since', async () => {
    const { read } = createPixelReader();
    const canvas = await frameOf(photo);
    const first = await createImageBitmap(canvas);
    const reading = vi.spyOn(CanvasRenderingContext2D.prototype, 'getImageData');
    expect(read(first)).toBe(read(first));
    expect(reading).toHaveBeenCalledTimes(1);
    canvas.getContext('2d')?.fillRect(0, 0, canvas.width, canvas.height);
    const black = read(await createImageBitmap(canvas)).data;
    expect(black.every((value, i) => value === (i % 4 === 3 ? 255 : 0))).toBe(true);
    read(canvas);
    canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
    expect(read(canvas).data.every((value) => value === 0)).toBe(true);
  });

  test('is taken as it is, and closed with its release', async () => {
    const reader = createPixelReader();
    const bitmap = await bitmapOf();
    expect(await reader.take(bitmap)).toBe(bitmap);
    expect(differenceOf(reader.read(bitmap).data, await pixelsOf(bitmap))).toEqual(NONE);
    reader.release(bitmap);
    expect(bitmap.width).toBe(0);
  });
});

describe('a frame of the camera', () => {
  /** With a gradient in each channel, as the camera has it. */
  function cameraFrame(
    width: number,
    height: number,
  ): { readonly frame: VideoFrame; readonly data: Uint8Array } {
    const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => {
      const [x, y] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width)];
      return [(255 * x) / width, (255 * y) / height, (x * y) % 200, 255][i % 4] ?? 0;
    });
    const init = { format: 'RGBX', codedWidth: width, codedHeight: height, timestamp: 0 } as const;
    return { frame: new VideoFrame(data, init), data };
  }

  test.each([
    [1920, 1080, 640, 360],
    [1280, 720, 640, 360],
    [720, 1280, 360, 640],
    [640, 480, 640, 480],
    [320, 240, 320, 240],
  ])('of %i x %i is %i x %i: every pixel is the mean of those that it was', async (width, height, w, h) => {
    const { frame, data } = cameraFrame(width, height);
    const reader = createPixelReader();
    const bitmap = await reader.take(frame);
    expect([bitmap.width, bitmap.height]).toEqual([w, h]);
    expect(frame.format).toBeNull();
    const pixels = reader.read(bitmap).data;
    const factor = width / w;
    const means = new Float64Array(4 * w * h);
    data.forEach((value, i) => {
      const [x, y] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width)];
      const at = 4 * (Math.floor(y / factor) * w + Math.floor(x / factor)) + (i % 4);
      means[at] = (means[at] ?? NaN) + value / factor ** 2;
    });
    expect(differenceOf(pixels, means).most).toBeLessThanOrEqual(0.5 + 1e-3);
    // What is drawn of it is the same picture.
    expect(differenceOf(pixels, await pixelsOf(bitmap))).toEqual(NONE);
  });

  test.each([
    [1000, 700, 640, 448],
    [1366, 768, 640, 360],
  ])('of %i x %i, which is no multiple, is scaled by the browser', async (width, height, w, h) => {
    const { frame } = cameraFrame(width, height);
    const reader = createPixelReader();
    const bitmap = await reader.take(frame);
    expect([bitmap.width, bitmap.height]).toEqual([w, h]);
    expect(frame.format).toBeNull();
    expect(differenceOf(reader.read(bitmap).data, await pixelsOf(bitmap))).toEqual(NONE);
  });

  test('that cannot be copied is scaled by the browser', async () => {
    vi.spyOn(VideoFrame.prototype, 'copyTo').mockRejectedValue(new Error('no such format'));
    const { frame } = cameraFrame(1280, 720);
    const reader = createPixelReader();
    const bitmap = await reader.take(frame);
    expect([bitmap.width, bitmap.height]).toEqual([640, 360]);
    expect(differenceOf(reader.read(bitmap).data, await pixelsOf(bitmap))).toEqual(NONE);
  });

  test('has memory of its own until it is released; then the next one has it', async () => {
    const reader = createPixelReader();
    const first = await reader.take(cameraFrame(1280, 720).frame);
    const { data } = reader.read(first);
    const before = data.slice();
    const black = new VideoFrame(new Uint8Array(4 * 1280 * 720), {
      format: 'RGBX',
      codedWidth: 1280,
      codedHeight: 720,
      timestamp: 0,
    });
    const second = await reader.take(black);
    expect(reader.read(second).data.buffer).not.toBe(data.buffer);
    expect(differenceOf(data, before)).toEqual(NONE);
    reader.release(first);
    expect(first.width).toBe(0);
    const third = await reader.take(cameraFrame(1280, 720).frame);
    expect(reader.read(third).data.buffer).toBe(data.buffer);
    expect(differenceOf(reader.read(third).data, before)).toEqual(NONE);
  });
});
