import type { Size } from './geometry.ts';
import type { ProviderId, Step } from './result.ts';

/** What a provider takes as one photo. Sizes hold for either orientation: long side x short side. */
export interface PhotoLimits {
  /** Smallest long and short side, px. */
  readonly smallest: { readonly long: number; readonly short: number };
  /** The same of a card that is cut out and straightened, where the provider takes less of it than of a camera's picture. */
  readonly smallestCard?: { readonly long: number; readonly short: number };
  /** Largest long and short side, px. */
  readonly largest: { readonly long: number; readonly short: number };
  /** Largest file, bytes, before the safety margin. 1 MB is 1,000,000. */
  readonly maxBytes: number;
  /** `frame`: the whole picture, as the provider asks for; `guide`: cut round the guide. */
  readonly crop: 'frame' | 'guide';
  /** Where these figures come from. */
  readonly source: string;
}

/** What IdentifAI takes of any card. */
const IDENTIFAI_CARD: PhotoLimits = {
  smallest: { long: 960, short: 720 },
  smallestCard: { long: 400, short: 300 },
  largest: { long: 1600, short: 1080 },
  maxBytes: 800_000,
  crop: 'guide',
  source:
    'IdentifAI OCR (ocr-ktp, ocr-sim, ocr-npwp): 300x400 to 4000x3000, landscape, tight crop, 800 KB for KTP and SIM; assumed for the NPWP, of which nothing is said. About 1600x1009 suits both providers. A camera has to give as much as for Eendigo.',
};

/** What Eendigo takes of any card. */
const EENDIGO_CARD: PhotoLimits = {
  smallest: { long: 960, short: 720 },
  largest: { long: 1920, short: 1080 },
  maxBytes: 800_000,
  crop: 'guide',
  source:
    'Eendigo photo rules of the KTP: 960x720 to 1920x1080, 2 MB; 800 KB so that the same photo serves OCR. Assumed for SIM and NPWP, of which nothing is said.',
};

/** Photo limits of every provider and step (`providers.md`). */
export const PHOTO_LIMITS: Record<ProviderId, Record<Step, PhotoLimits>> = {
  identifai: {
    selfie: {
      smallest: { long: 600, short: 600 },
      largest: { long: 1920, short: 1080 },
      maxBytes: 1_000_000,
      crop: 'frame',
      source:
        'IdentifAI: original, uncropped selfie, face at least 300x300 px; 2 MB for face match with liveness, 1 MB for liveness alone; the smaller is kept so that one photo serves both. The smallest side is ours: a face of 300 px in the guide needs a frame of 600.',
    },
    ktp: IDENTIFAI_CARD,
    sim: IDENTIFAI_CARD,
    npwp: IDENTIFAI_CARD,
  },
  eendigo: {
    selfie: {
      smallest: { long: 600, short: 600 },
      largest: { long: 1920, short: 1080 },
      maxBytes: 3_000_000,
      crop: 'guide',
      source: 'Eendigo photo rules: 600x600 to 1920x1080, 3 MB.',
    },
    ktp: EENDIGO_CARD,
    sim: EENDIGO_CARD,
    npwp: EENDIGO_CARD,
  },
};

/** Part of `maxBytes` that a photo may really use (the margin is ours: multipart and base64 rounding). */
export const BYTE_MARGIN = 0.95;

/** How long the camera guides before the person may press the shutter, ms: the way out where no frame passes. */
export const MANUAL_SHUTTER_AFTER_MS: Record<Step, number> = {
  selfie: 20_000,
  ktp: 10_000,
  sim: 10_000,
  npwp: 10_000,
};

/** True where a photo of this size is within the limits, in either orientation. */
export function withinLimits(
  size: Size,
  { smallest, smallestCard = smallest, largest }: PhotoLimits,
): boolean {
  const long = Math.max(size.width, size.height);
  const short = Math.min(size.width, size.height);
  return (
    long >= smallestCard.long && short >= smallestCard.short && long <= largest.long && short <= largest.short
  );
}
