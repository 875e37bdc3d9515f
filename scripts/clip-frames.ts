/** Which frames of a clip. */
interface Choice {
  readonly most: number;
  /** From one to the next, s. */
  readonly step: number;
}

/**
 * Frames of a clip, in a browser.
 * @param clip its address
 * @throws Error where it cannot be played here
 */
export async function framesOf(clip: string, { most, step }: Choice): Promise<readonly ImageBitmap[]> {
  const video = Object.assign(document.createElement('video'), { muted: true, src: clip });
  await new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', resolve);
    video.addEventListener('error', () => reject(new Error(`${clip} cannot be played here.`)));
  });
  const frames: ImageBitmap[] = [];
  for (let i = 0; i < most && i * step < video.duration; i++) {
    video.currentTime = i * step;
    await new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    frames.push(await createImageBitmap(video));
  }
  return frames;
}
