import type { FrameFigures } from './frames.ts';
import type { LiveFigures } from './live.ts';
import type { MemoryFigures } from './memory.ts';
import type { PeerFigures } from './peers.ts';
import type { PhotoFigures } from './photo.ts';
import type { Sizes } from './probe.ts';
import type { ByteFigures, StartFigures } from './start.ts';

/** Everything that one run has measured; null where it was not. */
export interface Figures {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly frames: FrameFigures | null;
  readonly live: LiveFigures | null;
  readonly start: StartFigures | null;
  /** Until the first hint, with nothing in the cache. */
  readonly bytes: ByteFigures | null;
  /** Of the element's own code, without models and worker. */
  readonly element: Sizes;
  readonly photo: readonly PhotoFigures[] | null;
  readonly memory: MemoryFigures | null;
  /** Those that could not be had among them. */
  readonly peers: readonly PeerFigures[] | null;
}

/** Where it was measured. */
interface Machine {
  /** Day, as in 2026-11-23. */
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  /** Load of the last minute at the beginning, in cores: what else the machine had to do. */
  readonly load: number;
  readonly chromium: string;
}
