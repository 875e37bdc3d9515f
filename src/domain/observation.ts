import type { Box, Size } from './geometry.ts';

/**
 * What was seen in one analysed frame, in plain numbers. Coordinates are px of the analysis frame
 * (`frame`), never mirrored. Where OFIQ / ISO/IEC 29794-5:2025 has a component for a measure, the
 * doc comment names it.
 */
export type Observation = FaceObservation | CardObservation;

/** One frame of the selfie step. */
export interface FaceObservation {
  readonly kind: 'face';
  readonly frame: Size;
  /** Every face the detector saw, widest first (SingleFacePresent). */
  readonly faces: readonly Box[];
  /** The measures of the main face, or null where the landmarker found none. */
  readonly face: Face | null;
}

/** Measures of one face, taken on a face-aligned patch so that distance and resolution cancel out. */
export interface Face {
  /** The box round all landmarks, px of the analysis frame. */
  readonly box: Box;
  /** Degrees, positive where the head turns to its own left (HeadPoseYaw). */
  readonly yaw: number;
  /** Degrees, positive where the chin goes up (HeadPosePitch). */
  readonly pitch: number;
  /** Degrees, positive clockwise in the unmirrored frame (HeadPoseRoll). */
  readonly roll: number;
  /** How sharp the face patch is (Sharpness). */
  readonly sharpness: number;
}

/** One frame of a card step. */
export interface CardObservation {
  readonly kind: 'card';
  readonly frame: Size;
  /** How sharp the writing is. */
  readonly sharpness: number;
}
