/* eslint-disable @typescript-eslint/no-non-null-assertion -- pixel loops read within bounds that they check themselves; a fallback at every read would cost time and hide a wrong bound */
import type { Box } from '../domain/geometry.ts';
import type { FaceCover } from '../domain/observation.ts';
import { COVER_WEIGHTS } from './cover-weights.ts';
import { createNetwork, decodeWeights, type Layer, type Network, type NetworkShape } from './network.ts';
import { FLOOR } from './patch.ts';
import { lumaOf, type Pixels, upperMedianOf } from './pixels.ts';

/*
 * What lies over a face. Two small networks look at the upright patch: one at the whole face, one at the eyes from
 * near by. `scripts/train-cover.ts` trains them, and tells on what.
 */

/** The part of the patch that is looked at, and its size once two by two of its pixels have become one. */
const CROP = { x: 16, y: 28, width: 80, height: 96 };
/** Where the picture for the networks puts the eyes, px, and their distance. */
export const COVER_PICTURE = {
  width: CROP.width,
  height: CROP.height,
  eyesAt: { x: 40, y: 36 },
  eyeDistance: 32,
};

/** What a network looks at, and what each of its outputs tells. */
export interface CoverNetwork {
  readonly heads: readonly (keyof FaceCover)[];
  /** Rows of the picture it sees, from and up to. */
  readonly rows: readonly [number, number];
  /** So many px of the picture become one of its own, each way. */
  readonly shrink: number;
  readonly shape: NetworkShape;
}

/** All layers but the last: halved four times, so that the last sums up the whole picture. */
const TRUNK: readonly Layer[] = [
  { type: 'conv', out: 10, stride: 2 },
  { type: 'conv', out: 18, stride: 2 },
  { type: 'conv', out: 28, stride: 2 },
  { type: 'conv', out: 28, stride: 2 },
  { type: 'dense', out: 16, relu: true },
];

export const COVER_NETWORKS = {
  face: {
    heads: ['face'],
    rows: [0, 96],
    shrink: 2,
    shape: {
      width: 40,
      height: 48,
      channels: 3,
      layers: [...TRUNK, { type: 'dense', out: 1, relu: false }],
    },
  },
  eyes: {
    heads: ['eyes', 'glasses', 'closed'],
    rows: [17, 55],
    shrink: 1,
    shape: {
      width: 80,
      height: 38,
      channels: 3,
      layers: [...TRUNK, { type: 'dense', out: 3, relu: false }],
    },
  },
} as const satisfies Record<string, CoverNetwork>;

/** What each network sees, px of the patch. */
export const COVER_BOXES: readonly { readonly name: string; readonly box: Box }[] = Object.entries(
  COVER_NETWORKS,
).map(([name, { rows }]) => ({
  name,
  box: { x: CROP.x, y: CROP.y + 2 * rows[0], width: 2 * CROP.width, height: 2 * (rows[1] - rows[0]) },
}));

/** The part of a patch that the networks see: red, green and blue of each pixel, row by row, 0..255. */
function coverPicture({ data, width }: Pixels): Float32Array {
  const picture = new Float32Array(CROP.width * CROP.height * 3);
  let to = 0;
  for (let y = 0; y < CROP.height; y++) {
    for (let x = 0; x < CROP.width; x++) {
      const i = 4 * ((CROP.y + 2 * y) * width + CROP.x + 2 * x);
      const below = i + 4 * width;
      for (let c = 0; c < 3; c++) {
        // Within: the crop lies inside the patch.
        picture[to++] = (data[i + c]! + data[i + 4 + c]! + data[below + c]! + data[below + 4 + c]!) / 4;
      }
    }
  }
  return picture;
}

/** What makes a step of one in the input: ln luma, ln (red / green), ln (blue / green). */
const STEPS = [0.5, 0.15, 0.15] as const;
/** Beyond so many steps from the middling value, further does not matter. */
const FARTHEST = 3;

/** Levels of brightness are told apart this finely: means of four and of sixteen bytes exactly. */
const PARTS = 16;
/** Logarithms of all levels. Made when the first face is looked at, because the first hint need not wait for them. */
let logarithms: Float64Array | null = null;

/**
 * What a network is given: brightness, redness and blueness as logarithms, from their own medians, so that neither
 * light nor skin shifts them.
 * @param picture as `coverPicture` gives it, 0..255
 */
export function coverInput(
  { rows: [from, to], shrink, shape: { width, height } }: CoverNetwork,
  picture: ArrayLike<number>,
): Float32Array {
  const count = width * height;
  const channels = STEPS.map(() => new Float32Array(count));
  const [light, red, blue] = channels as [Float32Array, Float32Array, Float32Array];
  const share = 1 / (shrink * shrink);
  const table = (logarithms ??= Float64Array.from({ length: 255 * PARTS + 1 }, (_, level) =>
    Math.log(level / PARTS + FLOOR),
  ));
  const logarithm = (level: number): number => table[(PARTS * level + 0.5) | 0]!; // within: 0..255
  for (let y = 0, i = 0; from + y < to; y += shrink) {
    for (let x = 0; x < COVER_PICTURE.width; x += shrink, i++) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let v = 0; v < shrink; v++) {
        for (let u = 0; u < shrink; u++) {
          const at = 3 * ((from + y + v) * COVER_PICTURE.width + x + u);
          r += share * picture[at]!; // within the picture, as are the next two
          g += share * picture[at + 1]!;
          b += share * picture[at + 2]!;
        }
      }
      const green = logarithm(g);
      light[i] = logarithm(lumaOf(r, g, b));
      red[i] = logarithm(r) - green;
      blue[i] = logarithm(b) - green;
    }
  }
  const input = new Float32Array(3 * count);
  channels.forEach((values, c) => {
    const median = upperMedianOf(values);
    for (let i = 0; i < count; i++) {
      const steps = (values[i]! - median) / STEPS[c]!; // one step a channel
      input[3 * i + c] = Math.min(FARTHEST, Math.max(-FARTHEST, steps));
    }
  });
  return input;
}

const certainty = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Looks at patches; the networks are made once. */
export function createCoverMeter(): (patch: Pixels) => FaceCover {
  const networks = (Object.keys(COVER_NETWORKS) as (keyof typeof COVER_NETWORKS)[]).map(
    (name): { network: Network; eye: CoverNetwork } => {
      const eye = COVER_NETWORKS[name];
      return { eye, network: createNetwork(eye.shape, decodeWeights(eye.shape, COVER_WEIGHTS[name])) };
    },
  );
  return (patch) => {
    const picture = coverPicture(patch);
    const cover = { face: 0, eyes: 0, glasses: 0, closed: 0 };
    for (const { network, eye } of networks) {
      const logits = network.run(coverInput(eye, picture));
      eye.heads.forEach((head, i) => (cover[head] = certainty(logits[i] ?? 0)));
    }
    return cover;
  };
}
