/*
 * Time limits that hold for pages too: a phone that puts the page to sleep stops its timers and its work alike, and
 * the time it slept is nobody's stall.
 */

/** A limit that runs. */
export interface Watch {
  /** Something was heard: the limit begins anew. */
  feed(): void;
  stop(): void;
}

/** So many ticks make up a limit. However long the page slept, no more than one of them has passed. */
const TICKS = 8;

/** Calls `onExpiry` once, when nothing was heard for `limit` ms in which the page was awake. */
export function startWatch(limit: number, onExpiry: () => void): Watch {
  let left = TICKS;
  const stop = (): void => clearInterval(timer);
  const timer = setInterval(() => {
    if (--left > 0) return;
    stop();
    onExpiry();
  }, limit / TICKS);
  // One more, because the first of them is nearly over at times.
  return { feed: () => (left = TICKS + 1), stop };
}
