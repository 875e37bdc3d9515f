import type { Analyser } from '../analysis/analyser.ts';
import { isWithin, RUNGS, rungBelow, type AnalysisRung, type Rung } from '../domain/ladder.ts';
import { CaptureError, type ErrorCode } from '../domain/result.ts';
import { STEP_TRAITS } from '../domain/steps.ts';
import { createJudge, type Judge } from './judge.ts';
import type { SessionOptions } from './options.ts';

/** What a ladder needs. */
interface LadderOptions extends Pick<SessionOptions, 'configuration' | 'createAnalyser' | 'now'> {
  readonly signal: AbortSignal;
  /** Fraction 0..1 of the assets' bytes. */
  readonly onLoading: (fraction: number) => void;
  /** @param after ms since the rung that fails was entered */
  readonly onFall: (rung: Rung, because: ErrorCode, after: number) => void;
}

/** An analyser that is starting or has started. */
interface Opened {
  readonly analyser: Analyser;
  readonly judge: Judge;
  readonly ready: Promise<void>;
}

const [BEST] = RUNGS;

/** Owns the analyser of the best rung that holds, and goes down where one fails. */
export class Ladder {
  /** Where it stands. */
  rung: Rung = BEST;

  readonly #options: LadderOptions;
  /** Where it begins the next time: files that could not be had now may be had then. */
  #base: Rung = BEST;
  #entered = 0;
  /** The folder that was prepared last. */
  #prepared = '';
  #opened: Opened | null = null;

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  /** The judge of the present rung, where one is open. */
  get judge(): Judge | null {
    return this.#opened?.judge ?? null;
  }

  /**
   * Opens the best rung that holds.
   * @returns null where frames are not judged
   * @throws CaptureError of the rung that failed, where the page accepts none below
   */
  async climb(): Promise<Judge | null> {
    this.rung = this.#base;
    for (;;) {
      const { rung } = this;
      if (rung === 'manual' || rung === 'upload') return null;
      const opened = (this.#opened ??= this.#open(rung));
      try {
        await opened.ready;
        return opened.judge;
      } catch (error) {
        // Another caller may have left this rung, or begun anew, while both waited for it.
        const isOurs = opened === this.#opened;
        if (isOurs ? this.fall(error) : error instanceof CaptureError) continue;
        if (isOurs) this.close();
        throw error;
      }
    }
  }

  /** Opens the best rung before anybody climbs; another folder takes the place of one that was prepared before. */
  prepare(): void {
    let folder: string;
    try {
      const { assetsBase, assetsIntegrity } = this.#options.configuration();
      folder = `${assetsBase.href} ${assetsIntegrity ?? ''}`;
    } catch {
      // Told when the person starts.
      return;
    }
    if (folder === this.#prepared) return;
    this.reset();
    this.#prepared = folder;
    this.climb().catch(() => undefined);
  }

  /**
   * Leaves the present rung, because it failed.
   * @returns false where the page accepts none below, or the fault is not the rung's
   */
  fall(error: unknown): boolean {
    if (!(error instanceof CaptureError) || this.#options.signal.aborted) return false;
    this.close();
    const { fallback } = this.#options.configuration();
    // Without its files no rung that judges can be had.
    const lacksFiles = error.code === 'assets-failed';
    const below = lacksFiles ? 'manual' : rungBelow(this.rung, fallback);
    if (below === null || below === 'upload' || !isWithin(below, fallback)) return false;
    const left = this.#options.now();
    this.rung = below;
    if (!lacksFiles) this.#base = below;
    this.#options.onFall(below, error.code, left - this.#entered);
    this.#entered = left;
    return true;
  }

  /** Ends the analyser of a judge that failed, unless another is there already. */
  drop(judge: Judge | null): void {
    if (this.judge === judge) this.close();
  }

  /** Ends the analyser; the next climb opens another. */
  close(): void {
    this.#opened?.analyser.close();
    this.#opened = null;
  }

  /** Ends the analyser, and forgets what failed. */
  reset(): void {
    this.close();
    this.#base = BEST;
    this.#prepared = '';
  }

  #open(rung: AnalysisRung): Opened {
    const { createAnalyser, configuration, now, signal, onLoading } = this.#options;
    const { assetsBase, assetsIntegrity, steps } = configuration();
    this.#entered = now();
    const analyser = createAnalyser({
      assetsBase,
      integrity: assetsIntegrity,
      rung,
      faces: steps.some((step) => STEP_TRAITS[step].subject === 'face'),
      signal,
    });
    return { analyser, judge: createJudge(analyser), ready: analyser.open(onLoading) };
  }
}
