import type { Frame } from '../analysis/analyser.ts';
import { resize } from '../analysis/surface.ts';
import type { Quad } from '../domain/homography.ts';

/*
 * The frame of a hold that becomes the photo.
 */

/** A picture that nothing else draws on or closes. */
export type Still = ImageBitmap | HTMLCanvasElement;

/** What is to be known of a frame that may become the photo. */
export interface Found {
  readonly sharpness: number;
  /** True where the hold had lasted for a while: its first frames are just within the limits, people still move then. */
  readonly settled: boolean;
  /** The corners of the card, as `Judgement` has them. */
  readonly card: Quad | null;
}

/** A frame that may become the photo. */
export interface Candidate extends Found {
  readonly still: Still;
}

/** Keeps the sharpest frame of an unbroken hold, of its settled part once there is one. */
export class Sharpest {
  #best: Candidate | null = null;
  /** Frames of a camera are drawn on it, one over the other: memory that is there already costs a third of fresh one. */
  #canvas: HTMLCanvasElement | null = null;

  /**
   * Looks at one more frame of the hold.
   * @returns true where the frame itself is kept, and is not the caller's any more
   */
  offer(frame: Frame, found: Found): boolean {
    if (this.#best && isBetter(this.#best, found)) return false;
    const isOurs = frame instanceof ImageBitmap;
    // A camera has few frames, so that one is not kept but drawn. Another will do where there is no memory for it.
    const still = isOurs ? frame : this.#draw(frame);
    if (still === null) return false;
    if (this.#best?.still !== still) this.forget();
    this.#best = { ...found, still };
    return isOurs;
  }

  /** Hands over what was kept, which the caller has to release. */
  take(): Candidate | null {
    const best = this.#best;
    this.#best = null;
    if (best?.still === this.#canvas) this.#canvas = null;
    return best;
  }

  /** The hold is broken. */
  forget(): void {
    if (this.#best?.still instanceof ImageBitmap) this.#best.still.close();
    this.#best = null;
  }

  /** Frees all memory. */
  close(): void {
    this.forget();
    if (this.#canvas) release(this.#canvas);
    this.#canvas = null;
  }

  #draw(frame: VideoFrame): HTMLCanvasElement | null {
    const canvas = (this.#canvas ??= document.createElement('canvas'));
    resize(canvas, { width: frame.displayWidth, height: frame.displayHeight });
    const context = canvas.getContext('2d', { alpha: false });
    context?.drawImage(frame, 0, 0);
    if (context?.isContextLost() === false) return canvas;
    // Without memory nothing is drawn, and nobody told; what was drawn before is lost as well.
    this.close();
    return null;
  }
}

/** Frees the memory of a picture, which the browser would keep until it collects it. */
export function release(still: Still): void {
  if (still instanceof ImageBitmap) still.close();
  else still.width = 0;
}

const isBetter = (a: Found, b: Found): boolean =>
  a.settled === b.settled ? a.sharpness >= b.sharpness : a.settled;
