import type { Box, Point, Size } from './geometry.ts';
import type { Quad } from './homography.ts';

/**
 * What was seen in one analysed frame, in plain numbers. Coordinates are px of the analysis frame
 * (`frame`), never mirrored. Luma is Rec. 601, 0..255, as the camera encodes it. Where OFIQ /
 * ISO/IEC 29794-5:2025 has a component for a measure, the doc comment names it.
 */
export type Observation = FaceObservation | CardObservation;

/** One frame of the selfie step. */
export interface FaceObservation {
  readonly kind: 'face';
  readonly frame: Size;
  /**
   * Every face that was seen, the main one first, then the widest (SingleFacePresent). Others are looked for in one part
   * of the frame after the other: all within a second of close looks, and as long as nobody is found, near ones within a
   * second and far ones within three.
   */
  readonly faces: readonly Box[];
  /** The measures of the main face, or null where the landmarker found none. */
  readonly face: Face | null;
  /** True while the landmarks are still starting: the face is judged by its box alone, and no photo is taken of it. */
  readonly preliminary?: boolean;
  /** Where they were taken; only where it was asked for. */
  readonly detail?: FaceDetail;
}

/** A landmark in px of the analysis frame; `z` grows away from the camera, in the same unit, 0 about the head's middle. */
export interface Landmark extends Point {
  readonly z: number;
}

/** What the measures of a face were taken from, for those who want to see why. It never leaves the device. */
export interface FaceDetail {
  /** All landmarks, by MediaPipe's numbers. */
  readonly points: readonly Landmark[];
  /** Outlines of the places that were looked at, px of the analysis frame. */
  readonly regions: readonly { readonly name: string; readonly outline: readonly Point[] }[];
  /** The upright, scaled picture of the face: RGBA, row by row. */
  readonly patch: Size & { readonly data: Uint8ClampedArray };
}

/**
 * Measures of one face, taken on a face-aligned patch so that distance and resolution cancel out. What only landmarks
 * can tell is null on the rung `face-box`, which has none.
 */
export interface Face {
  /**
   * The box round all landmarks, px of the analysis frame (InterEyeDistance, HeadSize, crop of the face image). On
   * `face-box` where it would be by what the detector found.
   */
  readonly box: Box;
  /** Degrees from the line of sight, positive where the head turns to its own left (HeadPoseYaw). */
  readonly yaw: number | null;
  /** Degrees from the line of sight, positive where the chin goes up (HeadPosePitch). */
  readonly pitch: number | null;
  /** Degrees, positive clockwise in the unmirrored frame (HeadPoseRoll). */
  readonly roll: number;
  /**
   * Slope of the line through both shoulders against the frame's horizontal, degrees, positive clockwise in the
   * unmirrored frame; null where shoulders are not to be seen, or the mask of the person is not there yet. Measured a
   * few times a second.
   */
  readonly shoulders: number | null;
  /** Mean movement of the landmarks, or of the box, since the last frame, face widths a second. 0 on the first frame. */
  readonly motion: number;
  /** As cover and sharpness, of a frame up to half a second before where this one was given no more than a glance. */
  readonly light: FaceLight;
  readonly cover: FaceCover | null;
  /**
   * How steep the edges round the eyes are, relative to their own contrast, so that light and skin cancel out, in the
   * direction in which they are least so: about 0.4 over the blur's sigma, which is counted in inter-eye distances
   * (Sharpness).
   */
  readonly sharpness: number | null;
}

/** Light on the face, within the outline of the landmarks, or the ellipse in the box. */
export interface FaceLight {
  /** Mean luma (LuminanceMean). */
  readonly mean: number;
  /** Luma that 2 % of the face exceed: sclera, teeth, shine. Tells dark skin from little light. */
  readonly highlight: number;
  /** Luma between the darkest and the brightest 2 % of the face (DynamicRange). */
  readonly range: number;
  /** Fraction of the face with luma up to 25 (UnderExposurePrevention). */
  readonly dark: number;
  /** Fraction of the face with luma from 247 (OverExposurePrevention). */
  readonly bright: number;
  /** Fraction of the skin with any channel from 252: red clips first on skin, and takes its detail (OverExposurePrevention). */
  readonly clipped: number | null;
  /** Luma that a tenth of the eye's opening exceeds: its white is about the same under every skin (UnderExposurePrevention). */
  readonly sclera: number | null;
  /**
   * How steeply linear light falls across the face, from left to right or the other way round: its ratio over one eye
   * distance, 1 or more, after what evenly lit faces have (IlluminationUniformity).
   */
  readonly sides: number | null;
  /** The same down the face, from above or from below. */
  readonly levels: number | null;
  /** Linear light on the cheeks over that at the inner corners of the eyes and under the nose: 1.4 to 2.5 in even light, more under a high sun. */
  readonly hollows: number | null;
  /** Luma beside the face over `highlight`: far above 1 where the light is behind the person. */
  readonly behind: number;
  /** Luma that 2 % of the whole frame exceed: what the exposure would allow the face to have. */
  readonly frameHighlight: number;
}

/** What lies over the face: how certain two small networks are of it, 0..1. */
export interface FaceCover {
  /** Of mask, hand, scarf or other thing over nose, mouth or cheeks (FaceOcclusionPrevention, MouthOcclusionPrevention). */
  readonly face: number;
  /** Of dark glasses, brim or hair over the eyes (EyesVisible). */
  readonly eyes: number;
  /** Of clear glasses. */
  readonly glasses: number;
  /** Of lids that are shut (EyesOpen). */
  readonly closed: number;
}

/** A card's outline in a picture. */
export interface CardOutline {
  /** px of the frame, clockwise from the one that is top left in the picture; may lie outside of it. */
  readonly corners: Quad;
  /** Share of the sides in the picture along which there is an edge, 0..1. */
  readonly support: number;
}

/** One frame of a card step. Measured on the card, or inside the guide where none is found. */
export interface CardObservation {
  readonly kind: 'card';
  readonly frame: Size;
  /** What has the shape of a card, or null. */
  readonly outline: CardOutline | null;
  /**
   * How certain a portrait is at one end of the card, as it lies and turned by 180 degrees, 0..1; null for a card that
   * bears none.
   */
  readonly portrait: { readonly upright: number; readonly turned: number } | null;
  /**
   * How much something hides that reaches over the card's edge: the largest part of the line with the NIK, of all
   * fields, or of the portrait, 0..1.
   */
  readonly covered: number;
  /** Fraction of the card's cells that hold writing or other fine print, 0..1. */
  readonly print: number;
  /** Mean luma. */
  readonly luma: number;
  /** Luma that 2 % of the card exceeds. */
  readonly highlight: number;
  /** Fraction of pixels with luma up to 25. */
  readonly dark: number;
  /** Fraction of pixels whose three channels all reach 250. */
  readonly bright: number;
  /** Largest soft-edged clipped spot, fraction of the card's area. A white print has hard edges and is none. */
  readonly glare: number;
  /**
   * Steepness of the edges of the line with the NIK, or of all fields where it cannot be seen, over their contrast, in
   * the direction in which they are least so: about 0.4 over the blur's sigma, in thousandths of the card's width.
   */
  readonly sharpness: number;
  /** Movement of the corners since the last frame, card widths a second. 0 on the first frame with a card. */
  readonly motion: number;
}
