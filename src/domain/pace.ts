import type { GuidanceCode, Issue } from './result.ts';
import type { Subject } from './steps.ts';

/*
 * Which frames are looked at closely. The others serve the hint alone, at a third of the cost.
 */

/**
 * Faults that every frame tells by where and how the face is: as long as there is one, no frame can be the photo. Others
 * beside it and sloping shoulders are not among them, because they are seen with the close looks alone.
 */
const OUT_OF_PLACE: readonly GuidanceCode[] = [
  'no-face',
  'face-too-far',
  'face-too-close',
  'face-off-centre',
  'head-turned',
  'head-tilted',
  'head-pitched',
  'moving',
];

/** True where the face is not where and how it has to be, whatever it looks like. */
export const isOutOfPlace = (issues: readonly Issue[]): boolean =>
  issues.some(({ code }) => OUT_OF_PLACE.includes(code));

/**
 * A frame of a face may become the photo five times a second, ms: to keep it whole, to measure its light, cover and
 * sharpness and to look for others beside it costs more than all the rest, and they are slow. At most every third frame,
 * so that slow devices gain most, unless the last such is as long ago as `LONGEST`.
 */
const LOOK_EVERY = 190;
const FRAMES_BETWEEN = 2;
const LONGEST = 350;
/** As long as the face is not in place, no frame can be the photo, and light and cover are looked at for the hint alone. */
const OUT_OF_PLACE_EVERY = 500;

/** Tells of one frame after the other whether it may become the photo; `now` in ms, monotonic. */
export function createPace(subject: Subject): (now: number, outOfPlace: boolean) => boolean {
  let looked: number | null = null;
  let between = 0;
  return (now, outOfPlace) => {
    // The first hint comes sooner at a glance.
    looked ??= now;
    const age = now - looked;
    const isDue = outOfPlace
      ? age >= OUT_OF_PLACE_EVERY
      : age >= LONGEST || (age >= LOOK_EVERY && between >= FRAMES_BETWEEN);
    const looks = subject !== 'face' || isDue;
    between = looks ? 0 : between + 1;
    if (looks) looked = now;
    return looks;
  };
}
