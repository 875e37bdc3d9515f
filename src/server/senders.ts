import * as v from 'valibot';
import { CaptureError, type ProviderId, type Step } from '../domain/result.ts';
import { buildEendigoForm, eendigo, type EendigoCredentials } from '../providers/eendigo.ts';
import { buildIdentifaiRequest, checkIdentifaiBase, identifai, toDataUrl } from '../providers/identifai.ts';
import { parseBody, type Outcome, type Provider, type ProviderAnswer } from '../providers/provider.ts';
import { call, callSafely, type CallTools } from './call.ts';

/** Where IdentifAI is and who asks. */
export interface IdentifaiOptions {
  /** `https://api.identifai.id` where it is left out. */
  readonly base?: string;
  readonly accessKey: string;
  readonly secretKey: string;
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
}

/** Speaks one provider's wire format with the customer's secrets. */
export interface Sender {
  readonly provider: Provider;
  /** Strings that must not get out, not even in a provider's own words. */
  readonly secrets: readonly string[];
  /** @throws CaptureError `provider-failed` where there is no answer; never sent twice after that */
  submit(submission: Submission): Promise<Outcome>;
  /** Asks for a job; only where the provider has polling. */
  poll(job: string, refNumber: string): Promise<Outcome>;
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

/** @throws CaptureError `configuration-invalid` for a base on a retired host */
export function createIdentifaiSender(options: IdentifaiOptions, tools: SenderTools): IdentifaiSender {
  const base = toBase(options.base ?? identifai.bases.production);
  checkIdentifaiBase(base);
  const { accessKey, secretKey, signatureRefresh = SIGNATURE_REFRESH } = options;
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
  /** Sends with a fresh token, and once more where that was refused. */
  const send = async (refNumber: string, path: string, init: RequestInit): Promise<Outcome> => {
    const exchange = init.method === 'GET' ? callSafely : call;
    const attempt = async (): Promise<Outcome> => {
      const { token } = await submissionToken();
      const headers = { 'content-type': 'application/json', authorization: token };
      return identifai.read(await exchange(tools, url(path), { ...init, headers }), refNumber);
    };
    const outcome = await attempt();
    return outcome.kind === 'error' && outcome.error.code === 'token-expired' ? attempt() : outcome;
  };

  return {
    provider: identifai,
    secrets: [accessKey, secretKey],
    submissionToken,
    submit: ({ photos, refNumber }) => {
      const dataUrls = new Map([...photos].map(([step, jpeg]) => [step, toDataUrl(jpeg)]));
      // As bytes, which fetch would make of it anyway: the text, of many megabytes, need not outlive this line.
      const body = new TextEncoder().encode(JSON.stringify(buildIdentifaiRequest(dataUrls, refNumber)));
      return send(refNumber, identifai.paths.submit, { method: 'POST', body });
    },
    poll: (job, refNumber) =>
      send(refNumber, identifai.paths.job + encodeURIComponent(job), { method: 'GET' }),
  };
}

/** Eendigo answers at once, so there is nothing to poll. */
export function createEendigoSender(options: EendigoOptions, tools: SenderTools): Sender {
  const url = new URL(eendigo.paths.submit, toBase(options.base ?? eendigo.bases.production));
  return {
    provider: eendigo,
    secrets: [options.key, options.tenantCode],
    async submit({ photos, refNumber, context }) {
      const blobs = new Map(
        [...photos].map(([step, jpeg]) => [step, new Blob([jpeg], { type: 'image/jpeg' })]),
      );
      const body = buildEendigoForm(blobs, refNumber, context, options);
      return eendigo.read(await call(tools, url, { method: 'POST', body }), refNumber);
    },
    poll: () => Promise.reject(new CaptureError('configuration-invalid', 'Eendigo has no jobs')),
  };
}

/** Either kind of sender by its provider. */
export type Senders = { readonly [id in ProviderId]?: Sender };

function toBase(text: string): URL {
  if (!URL.canParse(text)) throw new CaptureError('configuration-invalid', 'a provider base is not a URL');
  return new URL(text.replace(/\/?$/, '/'));
}

/** Why IdentifAI gave no token: a refusal is about the keys, silence is not. */
function refusedCredentials(answer: ProviderAnswer | null): CaptureError {
  return answer && answer.status < 500
    ? new CaptureError('provider-credentials', 'IdentifAI refused the access key')
    : new CaptureError('provider-failed', 'IdentifAI gave no token');
}
