/** Every step, in the order of a usual journey: the face, the identity card, the driving licence, the tax card. */
export const STEPS = ['selfie', 'ktp', 'sim', 'npwp'] as const;

/** A photo the journey takes. */
export type Step = (typeof STEPS)[number];

/** A card whose fields can be read. */
export type DocumentType = Exclude<Step, 'selfie'>;

/** What the person is told while the camera runs; one vocabulary for hints, events and reports. */
export const GUIDANCE_CODES = [
  'no-face',
  'multiple-faces',
  'face-too-far',
  'face-too-close',
  'face-off-centre',
  'too-dark',
  'too-bright',
  'uneven-light',
  'head-tilted',
  'head-turned',
  'head-pitched',
  'body-tilted',
  'face-covered',
  'eyes-covered',
  'glasses',
  'eyes-closed',
  'blurred',
  'moving',
  'no-card',
  'not-a-card',
  'card-too-far',
  'card-cut-off',
  'card-tilted',
  'card-upside-down',
  'card-glare',
  'card-blurred',
  'card-covered',
] as const;

/** One of them. */
export type GuidanceCode = (typeof GUIDANCE_CODES)[number];

/** One broken rule in one frame. */
export interface Issue {
  readonly code: GuidanceCode;
  /** What was measured. */
  readonly value: number;
  /** The limit it broke. */
  readonly threshold: number;
  /** Unit of both: `degrees`, `ratio`, `fraction`, `luma` (0..255), `count`, `certainty` (0..1). */
  readonly unit: Unit;
}

/** Units that a measure may have. */
export type Unit = 'degrees' | 'ratio' | 'fraction' | 'luma' | 'count' | 'certainty';

/** The providers that are built in. */
export const PROVIDER_IDS = ['identifai', 'eendigo'] as const;

/** One of the providers that are built in. */
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** Whatever the provider answered, in one shape. `null` where it did not say, or was not asked. */
export interface Result {
  readonly provider: string;
  /** True only where every requested check said yes in words that the provider documents. */
  readonly verified: boolean;
  readonly liveness: {
    readonly live: boolean;
    readonly score: number | null;
    readonly threshold: number | null;
  } | null;
  readonly match: {
    readonly matched: boolean;
    readonly similarity: number | null;
    readonly threshold: number | null;
  } | null;
  /**
   * What the provider read on the card: fields by one spelling for all providers, those of a KTP named as on the card
   * (`nik`, `nama`, `tempat_lahir`, `tanggal_lahir`, `rt_rw` …).
   */
  readonly document: {
    readonly type: DocumentType;
    readonly fields: Readonly<Record<string, string>>;
  } | null;
  /** The provider's own number for reconciliation (Eendigo's `X-Trx-No`, IdentifAI's job id). */
  readonly transactionId: string | null;
  readonly refNumber: string;
  /** The provider's body as it came, for the page's own records; of several analytics one for each, by its name. */
  readonly raw: unknown;
}

/**
 * Everything that can go wrong, as the page sees it. The sentence for the person is in `messages/`.
 */
export type ErrorCode =
  | 'configuration-invalid' // an attribute or property is missing or wrong
  | 'insecure-page' // no camera API outside https and localhost
  | 'in-app-browser' // the browser inside another app gives no camera
  | 'camera-denied' // by the person, or by the system on their behalf
  | 'camera-blocked' // by the page's permission policy: an iframe without allow="camera"
  | 'camera-missing'
  | 'camera-busy'
  | 'camera-lost' // the track ended in mid-session, or stayed muted or frozen
  | 'camera-black' // nothing but black frames
  | 'camera-failed' // anything else the browser says of the camera
  | 'camera-too-small' // cannot reach the provider's smallest photo
  | 'assets-failed' // worker, WASM or a model could not be loaded
  | 'analysis-failed' // the analysis broke while it ran
  | 'photo-failed' // the photo could not be encoded within the limits
  | 'photo-unreadable' // the file that was chosen is no whole picture that this browser can read, or also something else
  | 'photo-too-large' // or has more bytes or pixels than a phone can decode
  | 'photo-too-small' // the file that was chosen cannot reach the provider's smallest photo
  | 'photos-expired' // nobody sent the photos in time, and they are forgotten
  | 'offline' // no network
  | 'token-refused' // the token endpoint answered 401 or 403
  | 'token-failed' // the token endpoint answered another error, or nothing
  | 'token-invalid' // the token endpoint's answer is not what the contract says
  | 'token-expired' // a fresh token was refused as well
  | 'upload-refused' // the relay or provider refused the request as malformed or too large
  | 'upload-failed' // the connection broke, or no answer in time
  | 'selfie-refused' // the provider could not use the selfie; `guidance` tells why
  | 'ktp-refused' // the provider could not read the KTP; `guidance` may tell why
  | 'sim-refused' // the same of the driving licence
  | 'npwp-refused' // and of the tax card
  | 'provider-balance'
  | 'provider-credentials'
  | 'provider-parameter'
  | 'provider-failed' // the provider ended without an answer
  | 'provider-timeout' // the job did not end within the polls
  | 'answer-unreadable'; // the provider's answer cannot be understood

/** What may accompany an error. Never an image, a landmark, a token or a personal datum. */
export interface CaptureErrorDetails {
  /** Why the provider refused a photo, in our own words. */
  readonly guidance?: readonly GuidanceCode[];
  /** The provider's body where it could not be understood. */
  readonly raw?: unknown;
  /** The relay has given its last word on this submission: another try needs a submission key of its own. */
  readonly settled?: boolean;
  readonly cause?: unknown;
}

/** The one error of this package. `message` is English, for developers, and holds nothing personal. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: ErrorCode;
  readonly guidance: readonly GuidanceCode[];
  readonly raw: unknown;
  readonly settled: boolean;

  constructor(code: ErrorCode, message: string, details: CaptureErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.guidance = details.guidance ?? [];
    this.raw = details.raw;
    this.settled = details.settled ?? false;
  }
}
