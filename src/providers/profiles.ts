import { PHOTO_LIMITS, type PhotoLimits } from '../domain/limits.ts';
import { CaptureError, STEPS, type DocumentType, type Step } from '../domain/result.ts';

/*
 * What page, widget and relay have to know of a provider alike: what it can be asked for, and which photos that takes.
 */

/** A verdict that a provider gives. */
export type Check = 'liveness' | 'match';

/** One thing that a provider does with photos. */
export interface Analytic {
  /** The photos it takes, in the provider's order; none of where it only knows a face by its number. */
  readonly photos: readonly Step[];
  /** The verdicts that it gives. All of them have to be yes. */
  readonly checks: readonly Check[];
  /** The card whose fields it reads. */
  readonly document: DocumentType | null;
  /** Parameters that it takes beside the photos, by the provider's own names. */
  readonly parameters: readonly AnalyticParameter[];
  /** Largest photo, bytes; 1 MB is 1,000,000. */
  readonly maxBytes: number;
}

/** What analytics may be told; `face_id` is the number, in digits, under which a face is enrolled. */
export type AnalyticParameter =
  'liveness_threshold' | 'similarity_threshold' | 'auto_orientation' | 'get_main_face' | 'face_id';

/** The number under which a face is enrolled, as IdentifAI takes it; how long it may be is assumed. */
export const FACE_ID = /^\d{1,64}$/;

/** How often and how far apart a job is asked for where nobody says otherwise. */
export const POLLING = { attempts: 10, intervalMs: 1000 } as const;

/** A provider, as far as a browser knows it. */
export interface ProviderProfile {
  readonly id: string;
  readonly analytics: Readonly<Record<string, Analytic>>;
  /** What is asked for where the page does not say. */
  readonly defaultAnalytics: readonly string[];
  readonly limits: Readonly<Record<Step, PhotoLimits>>;
}

const LIVENESS: Analytic = {
  photos: ['selfie'],
  checks: ['liveness'],
  document: null,
  parameters: ['liveness_threshold', 'auto_orientation', 'get_main_face'],
  maxBytes: 1_000_000,
};
const MATCH_LIVENESS: Analytic = {
  photos: ['ktp', 'selfie'],
  checks: ['liveness', 'match'],
  document: null,
  parameters: ['similarity_threshold', 'liveness_threshold', 'auto_orientation', 'get_main_face'],
  maxBytes: 2_000_000,
};
const ocr = (document: DocumentType): Analytic => ({
  photos: [document],
  checks: [],
  document,
  parameters: [],
  maxBytes: 800_000,
});

/**
 * IdentifAI's analytics (`providers.md`). Documented: slugs, order and limits of liveness and match with liveness, 800 KB
 * for KTP and SIM. Seen: order of `face-match`. Assumed: the other limits.
 */
export const IDENTIFAI_ANALYTICS = {
  'face-match': {
    photos: ['selfie', 'ktp'],
    checks: ['match'],
    document: null,
    parameters: ['similarity_threshold', 'auto_orientation'],
    maxBytes: 2_000_000,
  },
  'face-match-enrollment': {
    photos: ['selfie'],
    checks: ['match'],
    document: null,
    parameters: ['face_id', 'auto_orientation', 'get_main_face'],
    maxBytes: 1_000_000,
  },
  'face-enrollment': {
    photos: ['selfie'],
    checks: [],
    document: null,
    parameters: ['face_id', 'auto_orientation'],
    maxBytes: 1_000_000,
  },
  'delete-enrollment': { photos: [], checks: [], document: null, parameters: ['face_id'], maxBytes: 0 },
  'face-liveness-v4': LIVENESS,
  'face-liveness-v1': LIVENESS,
  'face-match-liveness-v2': MATCH_LIVENESS,
  'face-match-liveness-v1': MATCH_LIVENESS,
  'ocr-ktp': ocr('ktp'),
  'ocr-sim': ocr('sim'),
  'ocr-npwp': ocr('npwp'),
} as const satisfies Record<string, Analytic>;

/** Eendigo's: one verification, and the OCR that was seen in use; limits as in its photo rules. */
export const EENDIGO_ANALYTICS = {
  facecompareliveness: {
    photos: ['selfie', 'ktp'],
    checks: ['liveness', 'match'],
    document: null,
    parameters: [],
    maxBytes: 3_000_000,
  },
  'ocr-ktp': { ...ocr('ktp'), maxBytes: 2_000_000 },
  'ocr-npwp': { ...ocr('npwp'), maxBytes: 2_000_000 },
} as const satisfies Record<string, Analytic>;

const profiles = new Map<string, ProviderProfile>(
  (
    [
      ['identifai', IDENTIFAI_ANALYTICS, 'face-match-liveness-v2'],
      ['eendigo', EENDIGO_ANALYTICS, 'facecompareliveness'],
    ] as const
  ).map(([id, analytics, first]) => [
    id,
    { id, analytics, defaultAnalytics: [first], limits: PHOTO_LIMITS[id] },
  ]),
);

/** Makes a further provider known to widget and relay; a browser reaches it through a relay. */
export function registerProvider(profile: ProviderProfile): void {
  profiles.set(profile.id, profile);
}

/** The names of all providers that are known. */
export const providerIds = (): readonly string[] => [...profiles.keys()];

/** @throws CaptureError `configuration-invalid` for a provider that nobody made known */
export function profileOf(id: string): ProviderProfile {
  const profile = profiles.get(id);
  if (!profile) throw new CaptureError('configuration-invalid', 'no provider of this name is known');
  return profile;
}

/** The analytics of these names, of a submission by one person. */
export interface Wanted {
  readonly names: readonly string[];
  /** Every photo that one of them takes, in the order of a journey. */
  readonly steps: readonly Step[];
  /** Every verdict that one of them gives. */
  readonly checks: readonly Check[];
  readonly document: DocumentType | null;
  readonly needsFaceId: boolean;
}

/**
 * What these analytics of a provider need and give together.
 * @param names the provider's usual ones where they are left out
 * @throws CaptureError `configuration-invalid` for what one submission cannot ask for
 */
export function wantedOf(profile: ProviderProfile, names = profile.defaultAnalytics): Wanted {
  if (names.length === 0 || new Set(names).size < names.length)
    throw new CaptureError('configuration-invalid', 'analytics have to be named, each once');
  const all = names.map((name) => analyticOf(profile, name));
  const documents = all.flatMap(({ document }) => document ?? []);
  if (documents.length > 1)
    throw new CaptureError('configuration-invalid', 'one submission has the fields of one card read');
  if (all.some(({ photos }) => photos.length === 0))
    throw new CaptureError('configuration-invalid', 'an analytic without photos is asked for by a server');
  const photos = new Set(all.flatMap(({ photos }) => photos));
  return {
    names,
    steps: STEPS.filter((step) => photos.has(step)),
    checks: [...new Set(all.flatMap(({ checks }) => checks))],
    document: documents[0] ?? null,
    needsFaceId: all.some(({ parameters }) => parameters.includes('face_id')),
  };
}

/** @throws CaptureError `configuration-invalid` */
export function analyticOf(profile: ProviderProfile, name: string): Analytic {
  const analytic = Object.hasOwn(profile.analytics, name) ? profile.analytics[name] : undefined;
  if (!analytic) {
    const choices = Object.keys(profile.analytics).join(', ');
    throw new CaptureError('configuration-invalid', `${profile.id} has no such analytic; it has ${choices}`);
  }
  return analytic;
}
