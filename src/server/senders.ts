import * as v from 'valibot';
import { CaptureError, type Result, type Step } from '../domain/result.ts';
import { buildEendigoForm, eendigo, type EendigoCredentials } from '../providers/eendigo.ts';
import { buildIdentifaiRequest, clientRefOf, identifai, toDataUrl } from '../providers/identifai.ts';
import { analyticOf, profileOf } from '../providers/profiles.ts';
import { type Answered } from '../providers/reading.ts';
import {
  parseBody,
  type Asked,
  type Outcome,
  type Provider,
  type ProviderAnswer,
} from '../providers/provider.ts';
import { combined } from '../providers/reading.ts';
import { checkRetired } from '../providers/retired.ts';
import { call, callSafely, NotSent, type CallTools } from './call.ts';

/** Where IdentifAI is and who asks. */
export interface IdentifaiOptions {
  /** `https://api.identifai.id` where it is left out. */
  readonly base?: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** `synchronous` waits for each answer on the line; `asynchronous` submits, then asks for a job. The latter. */
  readonly mode?: 'synchronous' | 'asynchronous';
  /** Age at which the HMAC headers are asked for anew, ms; their lifetime is not documented. 5 minutes. */
  readonly signatureRefresh?: number;
}

/** Where Eendigo is and who asks. */
export interface EendigoOptions extends EendigoCredentials {
  /** `https://api.eendigo.app` where it is left out. */
  readonly base?: string;
}

/** Photos and words that were checked and are worth a paid call. */
interface Submission {
  readonly refNumber: string;
  readonly photos: ReadonlyMap<Step, Uint8Array<ArrayBuffer>>;
  readonly context: Readonly<Record<string, string>>;
  /** The number under which the provider knows the face; null where no analytic needs it. */
  readonly faceId: string | null;
}

/** What one call asks for. */
interface Question extends Asked {
  /** The analytic, by the provider's name. */
  readonly name: string;
  /** Its place among those of one submission. */
  readonly place: number;
}

/** Speaks one provider's wire format with the customer's secrets. */
export interface Sender {
  readonly provider: Provider;
  /** Strings that must not get out, not even in a provider's own words. */
  readonly secrets: readonly string[];
  /**
   * @throws CaptureError `provider-failed` where there is no answer; never sent twice after that
   * @throws NotSent where the provider has received nothing that it could bill
   */
  submit(question: Question, submission: Submission): Promise<Outcome>;
  /** Asks for a job; only where the provider has polling. */
  poll(question: Question, job: string): Promise<Outcome>;
}

/** A job of one analytic. */
export type Job = readonly [name: string, job: string];

/** What came of all analytics of a submission. */
export type Whole =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'pending'; readonly jobs: readonly Job[] }
  | { readonly kind: 'error'; readonly error: CaptureError };

/** Asks for one analytic after the other; after an error no further one is paid for. */
export function submitAll(sender: Sender, names: readonly string[], submission: Submission): Promise<Whole> {
  return askAll(sender, names, submission.refNumber, async (question) => {
    try {
      return await sender.submit(question, submission);
    } catch (error) {
      // Those before it were sent.
      if (error instanceof NotSent && question.place > 0) throw new CaptureError(error.code, error.message);
      throw error;
    }
  });
}

/** Asks for all jobs of a submission. */
export function pollAll(sender: Sender, jobs: readonly Job[], refNumber: string): Promise<Whole> {
  const names = jobs.map(([name]) => name);
  return askAll(sender, names, refNumber, (question) =>
    sender.poll(question, jobs[question.place]?.[1] ?? ''),
  );
}

async function askAll(
  sender: Sender,
  names: readonly string[],
  refNumber: string,
  ask: (question: Question) => Promise<Outcome>,
): Promise<Whole> {
  const results: Answered[] = [];
  const jobs: Job[] = [];
  let isForgotten = false;
  for (const [place, name] of names.entries()) {
    const analytic = analyticOf(profileOf(sender.provider.id), name);
    const outcome = await ask({ name, place, analytic, refNumber });
    if (outcome.kind === 'error') return outcome;
    if (outcome.kind === 'pending') jobs.push([name, outcome.job]);
    else {
      const { result } = outcome;
      results.push({ name, analytic, result });
      // Asked for again together with those that go on, as nothing is kept here.
      if (result.transactionId === null) isForgotten = true;
      else jobs.push([name, result.transactionId]);
    }
  }
  if (results.length === names.length) return { kind: 'result', result: combined(results) };
  if (!isForgotten) return { kind: 'pending', jobs };
  const message = 'the provider gave one answer at once and no number to ask for it again';
  return { kind: 'error', error: new CaptureError('provider-failed', message) };
}

/** A sender that also hands out tokens for browsers. */
export interface IdentifaiSender extends Sender {
  /** IdentifAI's own answer, unchanged. */
  submissionToken(): Promise<{ readonly token: string; readonly body: string }>;
}

/** What a sender needs of the world. */
export interface SenderTools extends CallTools {
  readonly now: () => number;
}

const SignatureAnswer = v.object({
  token: v.string(),
  headers: v.object({ 'x-nodeflux-timestamp': v.pipe(v.string(), v.regex(/^\d{8}T\d{6}Z$/)) }),
});
const TokenAnswer = v.object({ submission_token: v.string() });

const SIGNATURE_REFRESH = 5 * 60_000;

/** @throws CaptureError `configuration-invalid` for a base that is no URL or on a retired host */
export function createIdentifaiSender(options: IdentifaiOptions, tools: SenderTools): IdentifaiSender {
  const base = toBase(options.base ?? identifai.bases.production);
  const { accessKey, secretKey, signatureRefresh = SIGNATURE_REFRESH, mode = 'asynchronous' } = options;
  const url = (path: string): URL => new URL(path, base);
  let cached: { readonly headers: Promise<Record<string, string>>; readonly at: number } | null = null;

  const askSignature = async (): Promise<Record<string, string>> => {
    const answer = await callSafely(tools, url(identifai.paths.signatures), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ access_key: accessKey, secret_key: secretKey }),
    });
    const parsed = v.safeParse(SignatureAnswer, parseBody(answer.body));
    if (!parsed.success || answer.status >= 400) throw refusedCredentials(answer);
    const { token, headers } = parsed.output;
    const timestamp = headers['x-nodeflux-timestamp'];
    const scope = `${accessKey}/${timestamp.slice(0, 8)}/nodeflux.api.v1beta1.ImageAnalytic/StreamImageAnalytic`;
    return {
      authorization: `NODEFLUX-HMAC-SHA256 Credential=${scope}, SignedHeaders=x-nodeflux-timestamp, Signature=${token}`,
      'x-nodeflux-timestamp': timestamp,
    };
  };
  const signature = (): Promise<Record<string, string>> => {
    if (!cached || tools.now() - cached.at >= signatureRefresh) {
      const headers = askSignature();
      const entry = { headers, at: tools.now() };
      cached = entry;
      // Whoever waits hears of it; the next one asks again.
      headers.catch(() => {
        if (cached === entry) cached = null;
      });
    }
    return cached.headers;
  };
  const submissionToken = async (): Promise<{ token: string; body: string }> => {
    let answer: ProviderAnswer | null = null;
    for (let attempt = 0; attempt < 2; attempt++) {
      answer = await callSafely(tools, url(identifai.paths.submissionTokens), {
        method: 'POST',
        headers: await signature(),
      });
      const parsed = v.safeParse(TokenAnswer, parseBody(answer.body));
      if (parsed.success && answer.status < 400) {
        return { token: parsed.output.submission_token, body: answer.body };
      }
      // The signature may have run out before its time.
      cached = null;
    }
    throw refusedCredentials(answer);
  };
  /** Submission tokens are documented for asynchronous requests and for jobs; the others carry the signature itself. */
  const authorised = async (): Promise<Record<string, string>> =>
    mode === 'synchronous' ? signature() : { authorization: (await submissionToken()).token };
  /** Sends with fresh headers, and once more where these were refused. */
  const send = async (asked: Asked, path: string, init: RequestInit): Promise<Outcome> => {
    const exchange = init.method === 'GET' ? callSafely : call;
    const attempt = async (): Promise<Outcome> => {
      const headers = { 'content-type': 'application/json', ...(await authorised().catch(notSent)) };
      return identifai.read(await exchange(tools, url(path), { ...init, headers }), asked);
    };
    const outcome = await attempt();
    if (outcome.kind !== 'error' || outcome.error.code !== 'token-expired') return outcome;
    if (mode === 'synchronous') cached = null;
    return attempt();
  };

  return {
    provider: identifai,
    secrets: [accessKey, secretKey],
    submissionToken,
    submit: (question, { photos, refNumber, faceId }) => {
      const { analytic, name, place } = question;
      const dataUrls = new Map<Step, string>();
      for (const step of analytic.photos) {
        const jpeg = photos.get(step);
        if (jpeg) dataUrls.set(step, toDataUrl(jpeg));
      }
      const request = buildIdentifaiRequest(analytic, dataUrls, clientRefOf(refNumber, place), faceId);
      // As bytes, which fetch would make of it anyway: the text, of many megabytes, need not outlive this line.
      const body = new TextEncoder().encode(JSON.stringify(request));
      return send(question, identifai.paths[mode] + name, { method: 'POST', body });
    },
    poll: (question, job) => send(question, identifai.paths.job + encodeURIComponent(job), { method: 'GET' }),
  };
}

/** What a client needs beside that. */
export interface ClientTools extends SenderTools {
  /** Waits before each poll, ms. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks IdentifAI from a server of the customer's own, without a relay or a person before a camera. */
export interface IdentifaiClient {
  /**
   * Has one analytic done and waits for its end: also `delete-enrollment`, which takes no photo.
   * @throws CaptureError as the relay answers them; `provider-timeout` after the last poll
   */
  run(name: string, submission: Partial<Submission> & { readonly refNumber: string }): Promise<Result>;
}

export function createIdentifaiClient(
  options: IdentifaiOptions,
  { fetch = globalThis.fetch, now = Date.now, timeout = 30_000, sleep = pause }: Partial<ClientTools> = {},
): IdentifaiClient {
  const sender = createIdentifaiSender(options, { fetch, now, timeout });
  return {
    async run(name, { refNumber, photos = new Map(), context = {}, faceId = null }) {
      let whole = await submitAll(sender, [name], { refNumber, photos, context, faceId });
      const { attempts, intervalMs } = identifai.polling;
      for (let attempt = 0; whole.kind === 'pending' && attempt < attempts; attempt++) {
        await sleep(intervalMs);
        whole = await pollAll(sender, whole.jobs, refNumber);
      }
      if (whole.kind === 'error') throw whole.error;
      if (whole.kind === 'result') return whole.result;
      throw new CaptureError('provider-timeout', `the job did not end within ${attempts} polls`);
    },
  };
}

/** Eendigo answers at once, so there is nothing to poll. */
export function createEendigoSender(options: EendigoOptions, tools: SenderTools): Sender {
  const base = toBase(options.base ?? eendigo.bases.production);
  return {
    provider: eendigo,
    secrets: [options.key, options.tenantCode],
    async submit(question, { photos, refNumber, context }) {
      const path = Object.entries(eendigo.paths).find(([name]) => name === question.name)?.[1];
      if (path === undefined) throw new CaptureError('configuration-invalid', 'Eendigo has no such analytic');
      const blobs = new Map(
        [...photos].map(([step, jpeg]) => [step, new Blob([jpeg], { type: 'image/jpeg' })]),
      );
      const body = buildEendigoForm(question.analytic, blobs, refNumber, context, options);
      return eendigo.read(await call(tools, new URL(path, base), { method: 'POST', body }), question);
    },
    poll: () => Promise.reject(new CaptureError('configuration-invalid', 'Eendigo has no jobs')),
  };
}

/** What fails before the paid call. */
function notSent(error: unknown): never {
  throw error instanceof CaptureError ? new NotSent(error.code, error.message) : error;
}

function toBase(text: string): URL {
  if (!URL.canParse(text)) throw new CaptureError('configuration-invalid', 'a provider base is not a URL');
  const base = new URL(text.replace(/\/?$/, '/'));
  checkRetired(base);
  return base;
}

/** Why IdentifAI gave no token: a refusal is about the keys, silence is not. */
function refusedCredentials(answer: ProviderAnswer | null): CaptureError {
  return answer && answer.status < 500
    ? new CaptureError('provider-credentials', 'IdentifAI refused the access key')
    : new CaptureError('provider-failed', 'IdentifAI gave no token');
}
