import { decode } from 'jpeg-js';
import { LOOP_RATE } from '../../src/playwright/scene.ts';

/*
 * A fake camera that costs no more than a phone's: Chromium would decode a file of JPEGs anew for every frame, 15 ms
 * each on a slow machine, and the page would share its two processors with that.
 */

/**
 * A file of uncompressed frames, as Chromium's fake device takes it: YUV4MPEG2 with 4:2:0 planes.
 * @param frames JPEGs of one size, whose width and height are even; their planes are taken as they are
 * @throws RangeError where there is none
 */
export function y4mOf(frames: readonly Buffer[]): Buffer {
  const pictures = frames.map((frame) =>
    decode(frame, { colorTransform: false, formatAsRGBA: false, useTArray: true }),
  );
  const [first] = pictures;
  if (!first) throw new RangeError('There is no frame.');
  const header = `YUV4MPEG2 W${first.width} H${first.height} F${LOOP_RATE}:1 Ip A1:1 C420\n`;
  return Buffer.concat([
    Buffer.from(header),
    ...pictures.flatMap((picture) => [Buffer.from('FRAME\n'), planesOf(picture)]),
  ]);
}

/** Luma of every point, then blue and red difference of four points each. */
function planesOf({ width, height, data }: { width: number; height: number; data: Uint8Array }): Buffer {
  const planes = Buffer.alloc(1.5 * width * height);
  const value = (x: number, y: number, channel: number): number => data[3 * (y * width + x) + channel] ?? 0;
  let at = 0;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) planes[at++] = value(x, y, 0);
  for (const channel of [1, 2])
    for (let y = 0; y < height; y += 2)
      for (let x = 0; x < width; x += 2)
        planes[at++] =
          (value(x, y, channel) +
            value(x + 1, y, channel) +
            value(x, y + 1, channel) +
            value(x + 1, y + 1, channel)) /
          4;
  return planes;
}
