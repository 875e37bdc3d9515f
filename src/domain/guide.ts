import type { GuidanceCode, Issue } from './result.ts';

/** What the person reads while the camera runs. */
export type Hint = GuidanceCode | 'hold-still';

/** A hint stays at least this long, ms (`guidance.md`). */
export const HINT_STAYS_MS = 800;
/** A new state must have held this long before its hint is shown, ms (`guidance.md`). */
export const HINT_SETTLES_MS = 250;
/** How long a pose must hold before the shutter, ms. Long enough for several frames on a slow phone. */
export const HOLD_MS = 1200;
/** A hold needs this many frames: the sharpest of them is taken, and more faces are looked for in one part of the frame after the other. */
export const HOLD_FRAMES = 5;
/** A longer pause between two frames (page hidden, phone busy) breaks a hold, ms. */
const LONGEST_GAP_MS = 1000;

/** Issues over time. Made by `startGuide`, advanced by `guide`; times are ms on any one clock. */
export interface Guide {
  readonly hint: Hint | null;
  readonly shownSince: number;
  /** What the latest frames ask for, not shown until it has settled. */
  readonly wanted: Hint | null;
  readonly wantedSince: number;
  /** Since when and in how many frames no rule was broken. */
  readonly hold: { readonly since: number; readonly frames: number } | null;
  readonly lastFrame: number;
}

export function startGuide(now: number): Guide {
  return { hint: null, shownSince: now, wanted: null, wantedSince: now, hold: null, lastFrame: now };
}

/**
 * Takes in one frame's issues, most helpful first.
 * @param preliminary true where not all was looked at: no hold begins with it
 */
export function guide(before: Guide, issues: readonly Issue[], now: number, preliminary = false): Guide {
  const wanted = issues[0]?.code ?? 'hold-still';
  const wantedSince = wanted === before.wanted ? before.wantedSince : now;
  const settled = now - wantedSince >= HINT_SETTLES_MS && now - before.shownSince >= HINT_STAYS_MS;
  const changes = wanted !== before.hint && (settled || before.hint === null);
  return {
    hint: changes ? wanted : before.hint,
    shownSince: changes ? now : before.shownSince,
    wanted,
    wantedSince,
    hold: issues.length > 0 || preliminary ? null : longerHold(before, now),
    lastFrame: now,
  };
}

function longerHold({ hold, lastFrame }: Guide, now: number): Guide['hold'] {
  return hold && now - lastFrame <= LONGEST_GAP_MS
    ? { since: hold.since, frames: hold.frames + 1 }
    : { since: now, frames: 1 };
}

/** How much of the hold is done, 0..1. */
export function holdProgress(state: Guide): number {
  if (!state.hold) return 0;
  return Math.min(1, (state.lastFrame - state.hold.since) / HOLD_MS);
}

/** True where the pose has held long enough, in enough frames, for the shutter. */
export function readyForShutter(state: Guide): boolean {
  return state.hold !== null && state.hold.frames >= HOLD_FRAMES && holdProgress(state) >= 1;
}
