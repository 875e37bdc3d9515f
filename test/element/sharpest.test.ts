import { describe, expect, test, vi } from 'vitest';
import { release, Sharpest, type Still } from '../../src/session/sharpest.ts';

/*
 * Of the frames of a hold one becomes the photo: the sharpest, and of that nothing is lost when the camera takes its
 * frame back or shows the next one.
 */

const SIZE = { width: 64, height: 48 };
const UNSETTLED = { settled: false, card: null };
const SETTLED = { settled: true, card: null };

function painted(colour: string, { width, height } = SIZE): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('No canvas.');
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return canvas;
}

/** The two kinds of frames: the camera's own, and those that the page made. */
const KINDS = {
  VideoFrame: (colour: string): Promise<VideoFrame> =>
    Promise.resolve(new VideoFrame(painted(colour), { timestamp: 0 })),
  ImageBitmap: (colour: string): Promise<ImageBitmap> => createImageBitmap(painted(colour)),
};

/** Red, green or blue, whichever the picture shows; null where its memory has been freed. */
function shown(still: Still | undefined): string | null {
  if (!still || still.width === 0) return null;
  const canvas = new OffscreenCanvas(SIZE.width, SIZE.height);
  const context = canvas.getContext('2d');
  context?.drawImage(still, 0, 0);
  const [red = 0, green = 0, blue = 0] = context?.getImageData(60, 40, 1, 1).data ?? [];
  return red > 200 ? 'red' : blue > 200 ? 'blue' : green > 100 ? 'green' : 'none';
}

describe.each(Object.entries(KINDS))('of frames as %s', (kind, frameOf) => {
  /** Offers a frame as the viewfinder does, which closes what was not kept. */
  async function offer(
    sharpest: Sharpest,
    colour: string,
    found: Parameters<Sharpest['offer']>[1],
  ): Promise<void> {
    const frame = await frameOf(colour);
    const kept = sharpest.offer(frame, found);
    if (kind === 'VideoFrame') expect(kept).toBe(false);
    if (!kept) frame.close();
  }

  test.each([
    { first: 1, second: 2, best: 'blue' },
    { first: 2, second: 1, best: 'red' },
    { first: 1, second: 1, best: 'red' },
  ])('sharpness $first and then $second: $best', async ({ first, second, best }) => {
    const sharpest = new Sharpest();
    await offer(sharpest, 'red', { ...SETTLED, sharpness: first });
    await offer(sharpest, 'blue', { ...SETTLED, sharpness: second });
    const taken = sharpest.take();
    expect(taken?.sharpness).toBe(Math.max(first, second));
    expect(taken?.still).toMatchObject(SIZE);
    expect(shown(taken?.still)).toBe(best);
  });

  test('one of the settled part of the hold is taken before a sharper one of its beginning', async () => {
    const sharpest = new Sharpest();
    await offer(sharpest, 'red', { ...UNSETTLED, sharpness: 9 });
    await offer(sharpest, 'green', { ...SETTLED, sharpness: 1 });
    await offer(sharpest, 'blue', { ...UNSETTLED, sharpness: 9 });
    expect(shown(sharpest.take()?.still)).toBe('green');
  });

  test('what was handed over stays as it is, whatever the camera shows then', async () => {
    const sharpest = new Sharpest();
    await offer(sharpest, 'red', { ...SETTLED, sharpness: 1 });
    const taken = sharpest.take();
    expect(sharpest.take()).toBeNull();
    await offer(sharpest, 'blue', { ...SETTLED, sharpness: 1 });
    sharpest.close();
    expect(shown(taken?.still)).toBe('red');
    if (taken) release(taken.still);
    expect(shown(taken?.still)).toBeNull();
  });

  test('a hold that broke leaves nothing, and the next one begins anew', async () => {
    const sharpest = new Sharpest();
    await offer(sharpest, 'red', { ...SETTLED, sharpness: 9 });
    sharpest.forget();
    expect(sharpest.take()).toBeNull();
    await offer(sharpest, 'blue', { ...SETTLED, sharpness: 1 });
    expect(shown(sharpest.take()?.still)).toBe('blue');
  });
});

test('a frame that there is no memory for is not kept, and the next one is', async () => {
  const sharpest = new Sharpest();
  const frame = await KINDS.VideoFrame('red');
  const losing = vi.spyOn(CanvasRenderingContext2D.prototype, 'isContextLost').mockReturnValue(true);
  sharpest.offer(frame, { ...SETTLED, sharpness: 1 });
  expect(sharpest.take()).toBeNull();
  losing.mockReturnValue(false);
  sharpest.offer(frame, { ...SETTLED, sharpness: 1 });
  losing.mockReturnValue(true);
  sharpest.offer(frame, { ...SETTLED, sharpness: 2 });
  // Nor is the one before, which was on the same canvas.
  expect(sharpest.take()).toBeNull();
  losing.mockRestore();
  sharpest.offer(frame, { ...SETTLED, sharpness: 1 });
  expect(shown(sharpest.take()?.still)).toBe('red');
  frame.close();
});

test('a camera that changes its size in the midst of a hold is kept at its new size', async () => {
  const sharpest = new Sharpest();
  const small = await KINDS.VideoFrame('red');
  sharpest.offer(small, { ...SETTLED, sharpness: 1 });
  const size = { width: 128, height: 96 };
  const large = new VideoFrame(painted('blue', size), { timestamp: 0 });
  sharpest.offer(large, { ...SETTLED, sharpness: 2 });
  expect(sharpest.take()?.still).toMatchObject(size);
  for (const frame of [small, large]) frame.close();
});
