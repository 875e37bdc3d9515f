import { afterEach, describe, expect, test, vi } from 'vitest';
import { createPixelReader } from '../../src/analysis/pixel-reader.ts';
import { randomFrom } from '../accuracy/score.ts';
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

  /** Of squares of so many pixels. */
  function meansOf(data: Uint8Array, width: number, height: number, factor: number): Float64Array {
    const means = new Float64Array(data.length / factor ** 2);
    expect(means).toHaveLength((4 * width * height) / factor ** 2);
    data.forEach((value, i) => {
      const [x, y] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width)];
      const at = 4 * (Math.floor(y / factor) * (width / factor) + Math.floor(x / factor)) + (i % 4);
      means[at] = (means[at] ?? NaN) + value / factor ** 2;
    });
    return means;
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
    const means = meansOf(data, width, height, width / w);
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

  describe.each(['I420', 'NV12'] as const)('in the planes of %s', (format) => {
    const LIMITED = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false } as const;

    /** Noise in colours that there are: others would be cut off, of each pixel in the browser, here of their mean. */
    function planesFrame(width: number, height: number, colorSpace: VideoColorSpaceInit): VideoFrame {
      const random = randomFrom(20261130);
      const data = Uint8Array.from({ length: 1.5 * width * height }, (_, i) =>
        i < width * height ? 90 + 80 * random() : 112 + 32 * random(),
      );
      return new VideoFrame(data, {
        format,
        codedWidth: width,
        codedHeight: height,
        timestamp: 0,
        colorSpace,
      });
    }

    async function coloursOf(frame: VideoFrame): Promise<Uint8Array> {
      const colours = new Uint8Array(4 * frame.displayWidth * frame.displayHeight);
      await frame.copyTo(colours, { format: 'RGBA' });
      return colours;
    }

    // Chromium's own blue of BT.709 in the limited range is a twentieth too weak.
    describe.each([
      { of: 'BT.709', colorSpace: LIMITED, within: 2.6 },
      { of: 'BT.709, full range', colorSpace: { ...LIMITED, fullRange: true }, within: 1 },
      { of: 'BT.601', colorSpace: { ...LIMITED, matrix: 'smpte170m' }, within: 1 },
      { of: 'BT.601, full range', colorSpace: { ...LIMITED, matrix: 'bt470bg', fullRange: true }, within: 1 },
    ] as const)('of $of', ({ colorSpace, within }) => {
      test.each([
        { width: 1280, height: 24, factor: 2 },
        { width: 24, height: 1280, factor: 2 },
        { width: 1920, height: 36, factor: 3 },
        { width: 36, height: 1920, factor: 3 },
      ])(
        '$width x $height: the means of the colours that the browser makes',
        async ({ width, height, factor }) => {
          const copying = vi.spyOn(VideoFrame.prototype, 'copyTo');
          const frame = planesFrame(width, height, colorSpace);
          const means = meansOf(await coloursOf(frame), width, height, factor);
          const reader = createPixelReader();
          const bitmap = await reader.take(frame);
          expect([bitmap.width, bitmap.height]).toEqual([width / factor, height / factor]);
          expect(differenceOf(reader.read(bitmap).data, means).most).toBeLessThanOrEqual(within + 1e-3);
          expect(copying.mock.lastCall?.[1]).toHaveProperty('layout');
        },
      );
    });

    // TypeScript's libraries do not have it yet.
    const BT2020 = { ...LIMITED, matrix: 'bt2020-ncl' as 'bt709' };

    test.each([
      { width: 640, height: 12, colorSpace: LIMITED, why: 'is not shrunk' },
      { width: 20, height: 1280, colorSpace: LIMITED, why: 'is no multiple of four columns' },
      { width: 2560, height: 48, colorSpace: LIMITED, why: 'is four times as large' },
      { width: 1280, height: 24, colorSpace: BT2020, why: 'is of other colours' },
    ])('one that $why has the colours of the browser', async ({ width, height, colorSpace }) => {
      const copying = vi.spyOn(VideoFrame.prototype, 'copyTo');
      const frame = planesFrame(width, height, colorSpace);
      const reader = createPixelReader();
      const colours = await coloursOf(frame);
      const bitmap = await reader.take(frame);
      const means = meansOf(colours, width, height, width / bitmap.width);
      expect(differenceOf(reader.read(bitmap).data, means).most).toBeLessThanOrEqual(0.5 + 1e-3);
      expect(copying.mock.lastCall?.[1]).toHaveProperty('format');
    });
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
