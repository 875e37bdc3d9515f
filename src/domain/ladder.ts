/**
 * The ways a photo can come about, best first. What fails on one is tried on the next.
 * - `worker`: every frame is judged in a worker.
 * - `main-thread`: the same, where workers have no canvas; with pauses, so that the page stays usable.
 * - `face-box`: of a face only where it is and how large; cards as before.
 * - `manual`: no frame is judged, the person presses the shutter.
 * - `upload`: no camera, the person chooses a file.
 */
export const RUNGS = ['worker', 'main-thread', 'face-box', 'manual', 'upload'] as const;

/** One of them. */
export type Rung = (typeof RUNGS)[number];

/** Those on which frames are judged. */
export type AnalysisRung = Exclude<Rung, 'manual' | 'upload'>;

/** The next rung down, or null where the page accepts none below. */
export function rungBelow(rung: Rung, lowest: Rung): Rung | null {
  const below = RUNGS[RUNGS.indexOf(rung) + 1];
  return below !== undefined && isWithin(below, lowest) ? below : null;
}

/** True where the page accepts the rung. */
export function isWithin(rung: Rung, lowest: Rung): boolean {
  return RUNGS.indexOf(rung) <= RUNGS.indexOf(lowest);
}
