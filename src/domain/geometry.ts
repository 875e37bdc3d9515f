/** Width and height in px. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in px, origin top left, of whatever picture the context names. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** A point in px, origin top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** ISO/IEC 7810 ID-1: 85.60 x 53.98 mm. */
export const ID1_RATIO = 85.6 / 53.98;
