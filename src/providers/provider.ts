import type { CaptureError, Result } from '../domain/result.ts';
import type { Analytic, Check } from './profiles.ts';

/** How a provider is spoken to: data, and one function that reads its answers. Its request builder stands beside it. */
export interface Provider {
  /** As in its profile. */
  readonly id: string;
  /** Base URLs, without a trailing slash. Any other base may be configured, for a sandbox or a proxy. */
  readonly bases: { readonly production: string; readonly test: string | null };
  /** Paths below the base, without a leading slash. */
  readonly paths: Readonly<Record<string, string>>;
  /** The thresholds the provider is asked to use; null where it uses its own and says so in its answer. */
  readonly thresholds: { readonly liveness: number | null; readonly similarity: number | null };
  /** What it takes as reference number. */
  readonly refNumber: RegExp;
  /** Metadata that it takes; everything else is dropped by the relay. */
  readonly contextFields: readonly string[];
  /** How often and how far apart a job is asked for; null for a provider that answers at once. */
  readonly polling: Polling | null;
  /** Reads any answer, of a submission or of a job. Never throws. */
  read(answer: ProviderAnswer, asked: Asked): Outcome;
}

/** What an answer answers. */
export interface Asked {
  readonly analytic: Analytic;
  readonly refNumber: string;
}

/** How a job is asked for. */
interface Polling {
  readonly attempts: number;
  readonly intervalMs: number;
}

/** An HTTP answer, whoever received it. */
export interface ProviderAnswer {
  readonly status: number;
  readonly body: string;
  /** Value of a header by its lower-case name, or null. */
  header(name: string): string | null;
}

/** What an answer means. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'pending'; readonly job: string }
  | { readonly kind: 'error'; readonly error: CaptureError };

/** An answer of the provider's that was understood, before it becomes a `Result`. */
export type Checks = Pick<Result, Check>;

/**
 * Parses JSON and tolerates a comma before a closing bracket, as Eendigo's own sample has one.
 * @returns undefined where the text is not JSON even so
 */
export function parseBody(text: string): unknown {
  for (const readable of [(): string => text, (): string => withoutLastCommas(text)]) {
    try {
      return JSON.parse(readable()) as unknown;
    } catch {
      // The repaired text gets its turn; if that fails as well, undefined says so.
    }
  }
  return undefined;
}

/** Splitting at the quotes keeps this in step with the text's length, whatever the text is. */
function withoutLastCommas(text: string): string {
  let inside = false;
  return text
    .split(/(\\.|")/s)
    .map((part) => {
      if (part === '"') inside = !inside;
      return inside ? part : part.replace(/,(\s*[}\]])/g, '$1');
    })
    .join('');
}

/** Whether a result gives this verdict, and it is a yes. */
export const saysYes = ({ liveness, match }: Checks, check: Check): boolean =>
  check === 'liveness' ? liveness?.live === true : match?.matched === true;
