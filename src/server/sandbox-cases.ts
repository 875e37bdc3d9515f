import type { ErrorCode } from '../domain/result.ts';

/** What the widget makes of a case: a result, verified or not, or an error. */
export type Expectation = 'verified' | 'not-verified' | ErrorCode;

/** Why a provider refuses, in its own words, and what that is about. */
export interface Refusal {
  /** The request at once, or the job in its end. */
  readonly at: 'request' | 'job';
  readonly sentence: string;
  /** The request as a whole; the selfie; the portrait on the card; what is printed on the card. */
  readonly of: 'request' | 'selfie' | 'portrait' | 'print';
}

/** What the sandbox does with a reference number of this prefix. Fields that are left out mean success. */
export interface SandboxCase {
  /** Upper-case letters and digits; the longest prefix that fits counts. */
  readonly prefix: string;
  /** For the demo's list of cases. */
  readonly says: string;
  /** The verdict on liveness. */
  readonly live?: boolean;
  /** The verdict on the match; null where the provider gives none. */
  readonly matched?: boolean | null;
  /** Success without any verdict. */
  readonly empty?: true;
  readonly refusal?: Refusal;
  /** Polls that find the job going on; `slow` answers also take longer where there is no job. */
  readonly polls?: 'slow' | 'forever';
  /** What becomes of the answer on its way. */
  readonly answer?: 'nonsense' | 'cut-off';
  /** IdentifAI refuses the submission token: the first of each kind of request, or every one. */
  readonly tokenExpires?: 'once' | 'always';
  /** What the token endpoint in front of the relay does. */
  readonly tokenEndpoint?: 401 | 500 | 'html' | 'nothing';
  /** What comes of it: through the relay, and for IdentifAI in direct mode where that differs. */
  readonly expected: {
    readonly identifai: Expectation;
    readonly direct?: Expectation;
    readonly eendigo: Expectation;
    /** Where the fields of a card are asked for and nothing else, which gives no verdict, and that differs. */
    readonly document?: 'read' | ErrorCode;
  };
}

const both = (expectation: Expectation): SandboxCase['expected'] => ({
  identifai: expectation,
  eendigo: expectation,
});

/**
 * The prefixes of `refNumber` that steer the sandbox. Eendigo's sentences are its own; IdentifAI documents
 * none, so it is given the same.
 */
export const SANDBOX_CASES: readonly SandboxCase[] = [
  {
    prefix: 'NOTLIVE',
    says: 'the selfie is not of a living person',
    live: false,
    expected: both('not-verified'),
  },
  {
    prefix: 'NOMATCH',
    says: 'selfie and card show two people',
    matched: false,
    expected: both('not-verified'),
  },
  {
    prefix: 'UNDERQUALIFIED',
    says: 'not live, and no verdict on the match',
    live: false,
    matched: null,
    expected: both('not-verified'),
  },
  {
    prefix: 'COVERED',
    says: 'the face is covered',
    refusal: { at: 'job', sentence: 'the face is covered; ', of: 'selfie' },
    expected: { ...both('selfie-refused'), document: 'read' },
  },
  {
    prefix: 'DIM',
    says: 'too dark, and shaken',
    refusal: { at: 'job', sentence: 'The light is too dim; do not shake ', of: 'selfie' },
    expected: { ...both('selfie-refused'), document: 'read' },
  },
  {
    prefix: 'CARDUNREADABLE',
    says: 'no readable face on the card',
    refusal: { at: 'job', sentence: 'Input Image Invalid', of: 'portrait' },
    expected: { ...both('ktp-refused'), document: 'read' },
  },
  {
    prefix: 'CARDBLURRED',
    says: 'the print on the card cannot be read',
    refusal: {
      at: 'job',
      sentence:
        'Image is out of focus/blurry; Light reflection detected; Image is noisy; Image is unreadable;',
      of: 'print',
    },
    expected: { ...both('verified'), document: 'ktp-refused' },
  },
  {
    prefix: 'CARDNOTFOUND',
    says: 'no card in the photo of the card',
    refusal: { at: 'job', sentence: 'KTP NOT FOUND', of: 'print' },
    expected: { ...both('verified'), document: 'ktp-refused' },
  },
  {
    prefix: 'BALANCE',
    says: 'the account is empty',
    refusal: { at: 'request', sentence: 'Insufficient balance', of: 'request' },
    expected: both('provider-balance'),
  },
  {
    prefix: 'CREDENTIALS',
    says: 'the provider does not know the key',
    refusal: { at: 'request', sentence: 'Invalid API key or tenant code', of: 'request' },
    expected: both('provider-credentials'),
  },
  {
    prefix: 'PARAMETER',
    says: 'a parameter is refused',
    refusal: { at: 'request', sentence: 'Parameter invalid, please check your request', of: 'request' },
    expected: both('provider-parameter'),
  },
  {
    prefix: 'JOBFAILED',
    says: 'the provider ends without a reason',
    refusal: { at: 'job', sentence: 'Internal error', of: 'request' },
    expected: both('provider-failed'),
  },
  {
    prefix: 'EMPTYRESULT',
    says: 'success without a verdict',
    empty: true,
    expected: { ...both('provider-failed'), document: 'ktp-refused' },
  },
  { prefix: 'SLOW', says: 'success, but late', polls: 'slow', expected: both('verified') },
  {
    prefix: 'JOBNEVERENDS',
    says: 'the job goes on and on',
    polls: 'forever',
    expected: { identifai: 'provider-timeout', eendigo: 'provider-failed' },
  },
  {
    prefix: 'NONSENSE',
    says: 'a web page instead of JSON',
    answer: 'nonsense',
    expected: both('answer-unreadable'),
  },
  {
    prefix: 'CUTOFF',
    says: 'the connection breaks in mid-answer',
    answer: 'cut-off',
    expected: { identifai: 'provider-failed', direct: 'upload-failed', eendigo: 'provider-failed' },
  },
  {
    prefix: 'EXPIREDONCE',
    says: 'the first submission token is refused as expired',
    tokenExpires: 'once',
    expected: both('verified'),
  },
  {
    prefix: 'EXPIRED',
    says: 'every submission token is refused as expired',
    tokenExpires: 'always',
    expected: { identifai: 'token-expired', eendigo: 'verified' },
  },
  {
    prefix: 'TOKEN401',
    says: 'the token endpoint refuses the person',
    tokenEndpoint: 401,
    expected: both('token-refused'),
  },
  {
    prefix: 'TOKEN500',
    says: 'the token endpoint breaks',
    tokenEndpoint: 500,
    expected: both('token-failed'),
  },
  {
    prefix: 'TOKENHTML',
    says: 'the token endpoint answers a web page',
    tokenEndpoint: 'html',
    expected: both('token-invalid'),
  },
  {
    prefix: 'TOKENNOTHING',
    says: 'the token endpoint never answers',
    tokenEndpoint: 'nothing',
    expected: both('token-failed'),
  },
];

const SUCCESS: SandboxCase = { prefix: '', says: 'verified', expected: both('verified') };

/** The case that a reference number asks for; success where none fits. */
export function findCase(refNumber: string): SandboxCase {
  return SANDBOX_CASES.reduce(
    (best, entry) =>
      refNumber.startsWith(entry.prefix) && entry.prefix.length > best.prefix.length ? entry : best,
    SUCCESS,
  );
}
