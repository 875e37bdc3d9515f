import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CameraFrame, takesFrames, type TakeFrame } from '../../src/session/frames.ts';

/*
 * What a camera's video is made into: the camera's own frame where the analysis can read it, else a small picture.
 */

let video: HTMLVideoElement;

beforeEach(async () => {
  video = document.createElement('video');
  video.muted = true;
  const wanted = { video: { width: 1280, height: 720 } };
  video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
  await video.play();
});
afterEach(() => {
  vi.restoreAllMocks();
  if (video.srcObject instanceof MediaStream) for (const track of video.srcObject.getTracks()) track.stop();
});

const takes = (): TakeFrame => takesFrames(video, 'face', () => false);
const OF = { width: 1280, height: 720 };

/** Frames at 30 a second: now and then one may become the photo. */
async function takeSome(take: TakeFrame): Promise<readonly CameraFrame[]> {
  const frames: CameraFrame[] = [];
  for (let i = 0; i < 12; i++) frames.push(await take(1000 + 33 * i));
  expect(frames.map(({ now }) => now)).toEqual(frames.map((_, i) => 1000 + 33 * i));
  const wholes = frames.filter(({ whole }) => whole !== null).length;
  expect(wholes).toBeGreaterThan(0);
  expect(wholes).toBeLessThan(frames.length / 2);
  return frames;
}

test('the frame is the camera’s own, and so is that which may become the photo', async () => {
  for (const { sight, whole } of await takeSome(takes())) {
    expect(sight?.of).toEqual(OF);
    expect(sight?.frame).toBeInstanceOf(VideoFrame);
    sight?.frame.close();
    if (whole === null) continue;
    expect(whole).toBeInstanceOf(VideoFrame);
    // It outlives what is analysed.
    expect(await createImageBitmap(whole)).toMatchObject(OF);
    whole.close();
  }
});

describe('where the analysis cannot read it', () => {
  const reasons: readonly [string, () => void][] = [
    [
      'because it lies with the graphics card',
      () => void vi.spyOn(VideoFrame.prototype, 'format', 'get').mockReturnValue(null),
    ],
    [
      'because the browser gives it in its own format only',
      () => void vi.spyOn(VideoFrame.prototype, 'allocationSize').mockReturnValue(1.5 * 1280 * 720),
    ],
    [
      'because it is not the picture that the video shows',
      () => void vi.spyOn(VideoFrame.prototype, 'displayWidth', 'get').mockReturnValue(720),
    ],
  ];
  test.each(reasons)('it is drawn, %s', async (_, spoil) => {
    spoil();
    const closing = vi.spyOn(VideoFrame.prototype, 'close');
    for (const { sight, whole } of await takeSome(takes())) {
      expect(sight?.of).toEqual(OF);
      expect(sight?.frame).toBeInstanceOf(ImageBitmap);
      expect(sight?.frame).toMatchObject({ width: 640, height: 360 });
      if (whole !== null) expect(whole).toMatchObject(OF);
      sight?.frame.close();
      whole?.close();
    }
    // Asked once, and given back.
    expect(closing).toHaveBeenCalledTimes(1);
  });

  test('a video without a picture gives none', async () => {
    const take = takesFrames(document.createElement('video'), 'face', () => false);
    expect(await take(1000)).toEqual({ now: 1000, sight: null, whole: null });
  });
});
