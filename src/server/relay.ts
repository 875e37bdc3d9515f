import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import * as v from 'valibot';
import { CaptureError, PROVIDER_IDS, STEPS, type ErrorCode, type Step } from '../domain/result.ts';
import { PHOTO_LIMITS, withinLimits, type PhotoLimits } from '../domain/limits.ts';
import { toWireError } from '../providers/contract.ts';
import type { Outcome } from '../providers/provider.ts';
import { isJpeg, isWholeJpeg, readJpegSize } from './jpeg.ts';
import {
  createEendigoSender,
  createIdentifaiSender,
  type EendigoOptions,
  type IdentifaiOptions,
  type Sender,
  type Senders,
} from './senders.ts';
import {
  limitRate,
  limitWork,
  Refusal,
  RELAY_LIMITS,
  unavailable,
  type RateStore,
  type RelayLimits,
} from './throttle.ts';
import { createMemoryOneUse, createTokens, type OneUse, type TokenClaims } from './tokens.ts';

/** Options of the relay. Secrets come from here and from nowhere else. */
export interface RelayOptions {
  /** Signs the relay's own tokens; 32 characters or more, the same on every instance. */
  readonly secret: string;
  /** Left out where IdentifAI is not used. */
  readonly identifai?: IdentifaiOptions;
  /** Left out where Eendigo is not used. */
  readonly eendigo?: EendigoOptions;
  /** Whether this person may have a token; everybody may where it is left out. */
  readonly authorise?: (request: Request) => boolean | Promise<boolean>;
  /** Where used tokens are remembered; in this process where it is left out. */
  readonly oneUse?: OneUse;
  /** Where the requests of clients are counted, by the name of the limit; in this process where it is left out. */
  readonly rateStore?: (name: string) => RateStore;
  /** Whether what lies outside of this process answers, for `/health`. */
  readonly reachable?: () => Promise<boolean>;
  /** Who sends a request, such as an address; nobody's requests are counted where it is left out or answers null. */
  readonly clientOf?: (request: Request) => string | null;
  readonly limits?: Partial<RelayLimits>;
  /** Lifetime of a token, seconds. 300. */
  readonly tokenSeconds?: number;
  /** For one call to a provider, ms. Below the 30 s that the widget waits, so that it hears why. */
  readonly providerTimeout?: number;
  readonly fetch?: typeof fetch;
  /** ms since the epoch */
  readonly now?: () => number;
}

const TOKEN_SECONDS = 300;
const PROVIDER_TIMEOUT = 28_000;
/** Bytes of a multipart request beside the photos: boundaries, names and metadata. */
const FORM_BYTES = 64_000;
const TOKEN_REQUEST_BYTES = 8_000;
/** Longest metadata value, characters. */
const CONTEXT_LENGTH = 256;

const TokenRequest = v.object({
  refNumber: v.string(),
  provider: v.picklist(PROVIDER_IDS),
  steps: v.pipe(v.array(v.picklist(STEPS)), v.minLength(1)),
});

/** HTTP status of an error; everything that is not named is the provider's fault. */
const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  'configuration-invalid': 422,
  'token-refused': 401,
  'upload-refused': 422,
  'selfie-refused': 422,
  'ktp-refused': 422,
};

/** The customer's side of the contract: hands out tokens, checks photos and speaks to the providers. */
export function createRelay(options: RelayOptions): Hono {
  const now = options.now ?? Date.now;
  const tokenSeconds = options.tokenSeconds ?? TOKEN_SECONDS;
  const tools = {
    fetch: options.fetch ?? fetch.bind(globalThis),
    now,
    timeout: options.providerTimeout ?? PROVIDER_TIMEOUT,
  };
  const tokens = createTokens(options.secret, tokenSeconds, now);
  const oneUse = options.oneUse ?? createMemoryOneUse(now);
  const identifai = options.identifai ? createIdentifaiSender(options.identifai, tools) : null;
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const { clientOf = () => null, rateStore } = options;
  const rateOf = (name: string, perMinute: number, code: ErrorCode) =>
    limitRate({ perMinute, code, clientOf, store: rateStore && (() => rateStore(name)) });
  const senders: Senders = {
    ...(identifai ? { identifai } : {}),
    ...(options.eendigo ? { eendigo: createEendigoSender(options.eendigo, tools) } : {}),
  };

  /** The configured provider that a token request asks for. */
  const readTokenRequest = async (
    c: Context,
  ): Promise<v.InferOutput<typeof TokenRequest> & { sender: Sender }> => {
    if (options.authorise && !(await options.authorise(c.req.raw))) {
      throw new CaptureError('token-refused', 'this person may not have a token');
    }
    // A form of another site cannot send this type, so it cannot use the person's cookies.
    if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
      throw new CaptureError('configuration-invalid', 'the token request must be JSON');
    }
    const parsed = v.safeParse(TokenRequest, await c.req.json<unknown>().catch(() => null));
    if (!parsed.success)
      throw new CaptureError('configuration-invalid', 'the token request breaks the contract');
    const sender = senders[parsed.output.provider];
    if (!sender)
      throw new CaptureError('configuration-invalid', 'this relay has no account with the provider');
    if (!sender.provider.refNumber.test(parsed.output.refNumber)) {
      throw new CaptureError('configuration-invalid', 'the provider does not take this reference number');
    }
    const missing = sender.provider.photos.find(({ step }) => !parsed.output.steps.includes(step));
    if (missing)
      throw new CaptureError('configuration-invalid', `the provider needs the ${missing.step} photo`);
    return { ...parsed.output, sender };
  };
  const bearer = async (c: Context): Promise<TokenClaims | null> => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    return token === undefined ? null : tokens.verify(token);
  };
  /** A token whose use cannot be remembered could be used again, so it is not taken at all. */
  const claim = ({ id, expiresAt }: TokenClaims): Promise<boolean> =>
    oneUse.claim(id, expiresAt).catch(() => {
      throw unavailable('upload-failed');
    });
  const answer = async (
    c: Context,
    sender: Sender,
    outcome: Outcome,
    claims: TokenClaims,
    folder: string,
  ) => {
    switch (outcome.kind) {
      case 'result':
        return c.json({ ...outcome.result, raw: withoutSecrets(outcome.result.raw, sender.secrets) });
      case 'pending':
        return c.json({ result_url: `${folder}/${await tokens.signJob(outcome.job, claims)}` }, 202);
      case 'error': {
        const { code, message, guidance, raw } = outcome.error;
        throw new CaptureError(code, message, { guidance, raw: withoutSecrets(raw, sender.secrets) });
      }
    }
  };

  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.onError((error, c) => {
    const known =
      error instanceof CaptureError ? error : new CaptureError('provider-failed', 'the relay failed');
    if (known instanceof Refusal) {
      if (known.retryAfter !== null) c.header('retry-after', String(known.retryAfter));
      return c.json(toWireError(known), known.status);
    }
    return c.json(toWireError(known), STATUS[known.code] ?? 502);
  });

  app.get('/health', async (c) => {
    const ok = (await options.reachable?.()) ?? true;
    return c.json({ ok, providers: Object.keys(senders) }, ok ? 200 : 503);
  });

  const smallBody = bodyLimit({ maxSize: TOKEN_REQUEST_BYTES, onError: tooLarge });

  app.use('/token/*', rateOf('tokens', limits.tokensPerMinute, 'token-failed'));
  app.post('/token', smallBody, async (c) => {
    const { refNumber, provider, steps } = await readTokenRequest(c);
    return c.json({
      submission_token: await tokens.issue({ refNumber, provider, steps }),
      expires_in: tokenSeconds,
      upload_url: new URL(c.req.url).pathname.replace(/token$/, 'submissions'),
    });
  });

  app.post('/token/direct', smallBody, async (c) => {
    const { provider } = await readTokenRequest(c);
    if (provider !== 'identifai' || !identifai) {
      throw new CaptureError('configuration-invalid', 'only IdentifAI has tokens for browsers');
    }
    const { body } = await identifai.submissionToken();
    return c.body(body, 200, { 'content-type': 'application/json' });
  });

  const wholeBody = bodyLimit({
    maxSize: largestBody(Object.values(senders)),
    onError: tooLarge,
  });
  app.post(
    '/submissions',
    rateOf('submissions', limits.submissionsPerMinute, 'upload-failed'),
    // Before the body is read, so that nobody without a token can make the relay read one.
    async (c, next) => ((await bearer(c)) ? next() : tokenRefused(c)),
    async (c, next) =>
      /^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')
        ? next()
        : c.json(
            toWireError(new CaptureError('upload-refused', 'the upload must be multipart/form-data')),
            415,
          ),
    limitWork(limits),
    wholeBody,
    async (c) => {
      const claims = await bearer(c);
      const sender = claims ? senders[claims.provider] : undefined;
      // Claimed before the photos are read, so that one token buys one reading.
      if (!claims || !sender || !(await claim(claims))) return tokenRefused(c);

      // Not by `c.req`, which would keep the photos until there is an answer.
      const form = await c.req.raw.formData().catch(() => null);
      if (!form) throw new CaptureError('upload-refused', 'the upload cannot be read as a form');
      if (form.get('refNumber') !== claims.refNumber) {
        throw new CaptureError('upload-refused', 'the upload is not for the reference number of its token');
      }
      const photos = new Map<Step, Uint8Array<ArrayBuffer>>();
      for (const { step } of sender.provider.photos) {
        photos.set(step, await readPhoto(form, step, PHOTO_LIMITS[claims.provider][step]));
      }
      const context = readContext(form, sender.provider.contextFields);
      const outcome = await sender.submit({ refNumber: claims.refNumber, photos, context });
      return answer(c, sender, outcome, claims, new URL(c.req.url).pathname);
    },
  );

  const pollRate = rateOf('polls', limits.pollsPerMinute, 'upload-failed');
  app.get('/submissions/:id', pollRate, async (c) => {
    const claims = await bearer(c);
    const sender = claims ? senders[claims.provider] : undefined;
    if (!claims || !sender) return tokenRefused(c);
    const job = await tokens.readJob(c.req.param('id'), claims);
    if (job === null) throw new CaptureError('upload-refused', 'this token may not ask for this submission');
    const outcome = await sender.poll(job, claims.refNumber);
    return answer(c, sender, outcome, claims, new URL(c.req.url).pathname.replace(/\/[^/]*$/, ''));
  });

  return app;
}

function tokenRefused(c: Context): Response {
  return c.json(
    toWireError(new CaptureError('token-expired', 'the token is used, expired or not ours')),
    401,
  );
}

function tooLarge(c: Context): Response {
  return c.json(toWireError(new CaptureError('upload-refused', 'the request is too large')), 413);
}

/** Bytes of the largest request that can be right. */
function largestBody(senders: readonly Sender[]): number {
  const sums = senders.map(({ provider: { id, photos } }) =>
    photos.reduce((sum, { step }) => sum + PHOTO_LIMITS[id][step].maxBytes, 0),
  );
  return Math.max(0, ...sums) + FORM_BYTES;
}

/**
 * One photo that is worth a paid call.
 * @throws CaptureError `upload-refused` with the rule that it breaks
 */
async function readPhoto(form: FormData, step: Step, limits: PhotoLimits): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (why: string): CaptureError => new CaptureError('upload-refused', `${step}: ${why}`);
  const [file, second] = form.getAll(step);
  if (file === undefined || typeof file === 'string' || second !== undefined)
    throw refuse('exactly one file is needed');
  if (file.type !== 'image/jpeg') throw refuse('the file is not declared as image/jpeg');
  if (file.size > limits.maxBytes) throw refuse(`${file.size} bytes are more than ${limits.maxBytes}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!isJpeg(bytes)) throw refuse('the file is no JPEG');
  const size = readJpegSize(bytes);
  if (!size) throw refuse('the JPEG has no size');
  if (!withinLimits(size, limits)) throw refuse(`${size.width}x${size.height} px are outside the limits`);
  if (!isWholeJpeg(bytes)) throw refuse('the JPEG is damaged');
  return bytes;
}

/** The metadata that the provider takes. */
function readContext(form: FormData, fields: readonly string[]): Record<string, string> {
  const context: Record<string, string> = {};
  for (const field of fields) {
    const value = form.get(field);
    if (value === null) continue;
    if (typeof value !== 'string' || value.length > CONTEXT_LENGTH) {
      throw new CaptureError('upload-refused', `the field ${field} is too long or no text`);
    }
    context[field] = value;
  }
  return context;
}

/** A copy of a provider's body without the customer's secrets, should it quote them. */
function withoutSecrets(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') {
    return secrets.reduce(
      (text, secret) => (secret === '' ? text : text.replaceAll(secret, '[removed]')),
      value,
    );
  }
  if (Array.isArray(value)) return value.map((entry: unknown) => withoutSecrets(entry, secrets));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [name, withoutSecrets(entry, secrets)]),
    );
  }
  return value;
}
