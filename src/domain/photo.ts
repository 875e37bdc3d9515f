import { cornersOf, fitInside, growBox, ID1_RATIO, wholeOf, type Box, type Size } from './geometry.ts';
import { LEAST_PORTRAIT } from './card-rules.ts';
import { homographyTo, mapQuad, project, sidesOf, type Quad } from './homography.ts';
import type { Observation } from './observation.ts';
import { CaptureError, type Step } from './result.ts';
import { STEP_TRAITS, type GuideShape } from './steps.ts';
import { BYTE_MARGIN, type PhotoLimits } from './limits.ts';

/** One try of the encoder. */
export interface Encode extends Size {
  /** JPEG quality, 0..1. */
  readonly quality: number;
  /** True where some bands of the picture are encoded (`bandTops`), to learn what the whole would come to. */
  readonly sampled: boolean;
}

/** A try and what came of it; of a sample, what the whole would come to. */
export interface EncodeResult extends Encode {
  readonly bytes: number;
}

/** The encoder gives up after this many tries, samples aside. */
export const MOST_ENCODES = 4;

/**
 * What a grainy picture comes to at the first quality, bytes per px. Measured with Chromium's encoder on the camera's
 * pictures with the grain of a dark room: 0.50. A picture that could get too large by that is sampled first: an eighth
 * of an encode, which saves a whole one where it is as grainy as that.
 */
const GRAINY_BYTES_PER_PX = 0.5;

/** Height of a band, px: the rows of one block of JPEG. */
export const BAND_HEIGHT = 16;

/** Where the bands of a sample begin, px from the top: every eighth, evenly spread. */
export function bandTops(height: number): number[] {
  const count = Math.max(1, Math.floor(height / (8 * BAND_HEIGHT)));
  return Array.from({ length: count }, (_, band) =>
    Math.floor(((band + 0.5) * height) / count - BAND_HEIGHT / 2),
  );
}

/** JPEG qualities: the first try, and the lowest before the picture shrinks instead. Both assumed. */
const FIRST_QUALITY = 0.92;
const LOWEST_QUALITY = 0.5;

/**
 * How far quality has to fall for bytes to fall by a factor of e. Measured with Chromium's encoder on
 * faces, cards and tables, with and without noise: 0.13 to 0.25 near 0.92, 0.25 to 0.5 over the whole
 * range; each further try takes a longer step, because the curve flattens.
 */
const QUALITY_PER_EXCESS = 0.3;

/** The scale is lowered only after quality could not do it; each try aims a little under the limit. */
const AIM = 0.93;

/** What is kept round the guide on each side, as a share of the guide's own width and height. */
const CROP_MARGINS: Record<GuideShape, { horizontal: number; vertical: number }> = {
  oval: { horizontal: 0.35, vertical: 0.25 },
  'id-1': { horizontal: 0.04, vertical: 0.06 },
};

/**
 * The part of the camera's picture that becomes the photo, in whole px of the picture, or null
 * where the camera cannot reach the provider's smallest size in either orientation.
 */
export function cropOf(step: Step, picture: Size, guide: Box, limits: PhotoLimits): Box | null {
  const { long, short } = limits.smallest;
  const orientations: readonly Size[] = [
    { width: long, height: short },
    { width: short, height: long },
  ];
  const margins = CROP_MARGINS[STEP_TRAITS[step].guide];
  const wanted =
    limits.crop === 'frame' ? wholeOf(picture) : growBox(guide, margins.horizontal, margins.vertical);
  // A guide that is upright asks for an upright photo first; the other way round is better than none.
  const preferred = wanted.height > wanted.width ? orientations.toReversed() : orientations;
  const smallest = preferred.find((size) => size.width <= picture.width && size.height <= picture.height);
  return smallest ? fitInside(wanted, smallest, picture) : null;
}

/** The error for a camera whose frames cannot reach a provider's smallest photo. */
export function cameraTooSmall(frame: Size, limits: PhotoLimits): CaptureError {
  const { long, short } = limits.smallest;
  return new CaptureError(
    'camera-too-small',
    `The camera gives ${frame.width}x${frame.height}; the provider takes photos from ${long}x${short} px.`,
  );
}

/** The corners of the card in a frame, px of the frame, clockwise from the card's own top left; null where none is seen. */
export function cardCorners(observation: Observation): Quad | null {
  if (observation.kind !== 'card' || observation.outline === null) return null;
  const { upright, turned } = observation.portrait ?? { upright: 0, turned: 0 };
  const [p, q, r, s] = observation.outline.corners;
  return turned > upright && turned >= LEAST_PORTRAIT ? [r, s, p, q] : [p, q, r, s];
}

/** True where a card, by its corners from its own top left, stands on its head. */
export const isUpsideDown = ([p, , r]: Quad): boolean => p.x + p.y > r.x + r.y;

/** What is kept round a straightened card on each side, as a share of its width: the most that fits is taken. */
const CARD_MARGINS = [0.03, 0.015, 0];

/** A part of the camera's picture that lies aslant, and the size that it has when straightened. */
export interface Straightened extends Size {
  /** px of the picture, clockwise from the photo's top left. */
  readonly corners: Quad;
}

/**
 * The card and a small margin, with as many px as the camera saw of it; more of the table where the provider wants a
 * larger photo. null where the picture does not show enough round the card.
 */
export function straightenedCrop(card: Quad, picture: Size, limits: PhotoLimits): Straightened | null {
  const map = homographyTo(card);
  if (map === null) return null;
  // The card's own shape, whatever the tilt made of it; the nearer side would blow up the rest.
  const { width } = sidesOf(card);
  const height = width / ID1_RATIO;
  const { long, short } = limits.smallestCard ?? limits.smallest;
  const isInside = ({ x, y }: { readonly x: number; readonly y: number }): boolean =>
    x >= -0.5 && y >= -0.5 && x <= picture.width - 0.5 && y <= picture.height - 0.5;
  for (const margin of CARD_MARGINS) {
    const size = {
      width: Math.round(Math.max(width * (1 + 2 * margin), long)),
      height: Math.round(Math.max(height + 2 * margin * width, short)),
    };
    // In parts of the card, whose upper left corner is at 0, 0.
    const [across, down] = [size.width / width, size.height / height];
    const part = cornersOf({ x: (1 - across) / 2, y: (1 - down) / 2, width: across, height: down });
    const corners = mapQuad(part, (corner) => project(map, corner));
    if (corners.every(isInside)) return { corners, ...size };
  }
  return null;
}

/** The size at which a crop is drawn: within the provider's largest, never enlarged. */
export function photoSize(crop: Size, limits: PhotoLimits): Size {
  const long = Math.max(crop.width, crop.height);
  const short = Math.min(crop.width, crop.height);
  return scaled(crop, Math.min(1, limits.largest.long / long, limits.largest.short / short), limits);
}

/**
 * The next try of the encoder, or `done` where the last one fits, or `impossible` where four did
 * not. Quality falls first, by what a sample says where one is worth its time; then the picture shrinks.
 */
export function nextEncode(
  crop: Size,
  limits: PhotoLimits,
  tries: readonly EncodeResult[],
): Encode | 'done' | 'impossible' {
  const budget = limits.maxBytes * BYTE_MARGIN;
  const last = tries.at(-1);
  if (!last) {
    const size = photoSize(crop, limits);
    const sampled = size.width * size.height * GRAINY_BYTES_PER_PX > budget;
    return { ...size, quality: FIRST_QUALITY, sampled };
  }
  const { sampled } = last;
  const whole = { width: last.width, height: last.height, sampled: false };
  const excess = last.bytes / (budget * AIM);
  if (sampled && excess <= 1) return { ...whole, quality: last.quality };
  if (!sampled && last.bytes <= budget) return 'done';
  const encodes = wholeEncodes(tries);
  if (encodes >= MOST_ENCODES) return 'impossible';
  const quality = last.quality - (QUALITY_PER_EXCESS * Math.log(excess) * (Math.max(1, encodes) + 1)) / 2;
  if (quality >= LOWEST_QUALITY) return { ...whole, quality };
  if (last.quality > LOWEST_QUALITY + 0.05 && encodes < MOST_ENCODES - 1) {
    return { ...whole, quality: LOWEST_QUALITY };
  }
  const size = scaled(last, 1 / Math.sqrt(excess), limits);
  // The last try is the smallest picture that the provider takes: nothing smaller can be sent.
  const smaller = encodes === MOST_ENCODES - 1 ? scaled(size, 0, limits) : size;
  return { ...whole, ...smaller, quality: LOWEST_QUALITY };
}

/** Tries that encoded the whole picture. */
export const wholeEncodes = (tries: readonly EncodeResult[]): number =>
  tries.filter(({ sampled }) => !sampled).length;

/** Scales down, but not under the provider's smallest sides. */
function scaled(size: Size, factor: number, limits: PhotoLimits): Size {
  const long = Math.max(size.width, size.height);
  const short = Math.min(size.width, size.height);
  const kept = Math.max(factor, limits.smallest.long / long, limits.smallest.short / short);
  const applied = Math.min(1, kept);
  return { width: Math.round(size.width * applied), height: Math.round(size.height * applied) };
}
