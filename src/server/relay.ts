import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import * as v from 'valibot';
import { CaptureError, STEPS, type ErrorCode, type Step } from '../domain/result.ts';
import { withinLimits, type PhotoLimits } from '../domain/limits.ts';
import { toWireError } from '../providers/contract.ts';
import { analyticOf, FACE_ID, profileOf, wantedOf, type Wanted } from '../providers/profiles.ts';
import { isJpeg, isWholeJpeg, readJpegSize } from './jpeg.ts';
import {
  createEendigoSender,
  createIdentifaiSender,
  type EendigoOptions,
  pollAll,
  submitAll,
  type IdentifaiOptions,
  type Sender,
  type Whole,
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
  /** Further providers, each of which was made known with `registerProvider`. */
  readonly senders?: readonly Sender[];
  /** What a page may ask for, by the providers' names; everything but changes of enrolments where it is left out. */
  readonly analytics?: readonly string[];
  /**
   * Whether browsers are given IdentifAI's own tokens, to send to it themselves. No, where it is left out: such a token is
   * bound to no analytic and to no face, so whoever holds one may also enrol a face, or delete one.
   */
  readonly direct?: boolean;
  /** The number, in digits, under which the provider knows this person's face; a page cannot say it. */
  readonly faceIdOf?: (request: Request) => string | null | Promise<string | null>;
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
  provider: v.string(),
  steps: v.pipe(v.array(v.picklist(STEPS)), v.minLength(1)),
  analytics: v.optional(v.array(v.string())),
});

/** They change what the provider holds of a person, so a relay allows them by name only. */
const CHANGING: readonly string[] = ['face-enrollment', 'delete-enrollment'];

/** HTTP status of an error; everything that is not named is the provider's fault. */
const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  'configuration-invalid': 422,
  'token-refused': 401,
  'upload-refused': 422,
  'selfie-refused': 422,
  'ktp-refused': 422,
  'sim-refused': 422,
  'npwp-refused': 422,
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
  const senders = new Map(
    [
      identifai,
      options.eendigo ? createEendigoSender(options.eendigo, tools) : null,
      ...(options.senders ?? []),
    ].flatMap((sender) => (sender ? [[sender.provider.id, sender] as const] : [])),
  );
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const { clientOf = () => null, rateStore } = options;
  const rateOf = (name: string, perMinute: number, code: ErrorCode) =>
    limitRate({ perMinute, code, clientOf, store: rateStore && (() => rateStore(name)) });

  /** The configured provider that a token request asks, and for what. */
  const readTokenRequest = async (
    c: Context,
  ): Promise<{ provider: string; refNumber: string; wanted: Wanted; faceId: string | null }> => {
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
    const { provider, refNumber, steps, analytics } = parsed.output;
    const sender = senders.get(provider);
    if (!sender)
      throw new CaptureError('configuration-invalid', 'this relay has no account with the provider');
    if (!sender.provider.refNumber.test(refNumber)) {
      throw new CaptureError('configuration-invalid', 'the provider does not take this reference number');
    }
    const wanted = wantedOf(profileOf(provider), analytics);
    const mayNot = wanted.names.find((name) =>
      options.analytics ? !options.analytics.includes(name) : CHANGING.includes(name),
    );
    if (mayNot !== undefined)
      throw new CaptureError('configuration-invalid', `this relay does not allow ${mayNot}`);
    const missing = wanted.steps.find((step) => !steps.includes(step));
    if (missing) throw new CaptureError('configuration-invalid', `the provider needs the ${missing} photo`);
    const faceId = wanted.needsFaceId ? ((await options.faceIdOf?.(c.req.raw)) ?? null) : null;
    if (wanted.needsFaceId && !FACE_ID.test(faceId ?? ''))
      throw new CaptureError('configuration-invalid', 'this relay knows no number of this face');
    return { provider, refNumber, wanted, faceId };
  };
  const bearer = async (c: Context): Promise<TokenClaims | null> => {
    const token = /^Bearer (\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const claims = token === undefined ? null : await tokens.verify(token);
    return claims && senders.has(claims.provider) ? claims : null;
  };
  /** A token whose use cannot be remembered could be used again, so it is not taken at all. */
  const claim = ({ id, expiresAt }: TokenClaims): Promise<boolean> =>
    oneUse.claim(id, expiresAt).catch(() => {
      throw unavailable('upload-failed');
    });
  const answer = async (c: Context, sender: Sender, outcome: Whole, claims: TokenClaims, folder: string) => {
    switch (outcome.kind) {
      case 'result':
        return c.json({ ...outcome.result, raw: withoutSecrets(outcome.result.raw, sender.secrets) });
      case 'pending':
        return c.json({ result_url: `${folder}/${await tokens.signJobs(outcome.jobs, claims)}` }, 202);
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
    return c.json({ ok, providers: [...senders.keys()] }, ok ? 200 : 503);
  });

  const smallBody = bodyLimit({ maxSize: TOKEN_REQUEST_BYTES, onError: tooLarge });

  app.use('/token/*', rateOf('tokens', limits.tokensPerMinute, 'token-failed'));
  app.post('/token', smallBody, async (c) => {
    const { refNumber, provider, wanted, faceId } = await readTokenRequest(c);
    return c.json({
      submission_token: await tokens.issue({ refNumber, provider, analytics: wanted.names, faceId }),
      expires_in: tokenSeconds,
      upload_url: new URL(c.req.url).pathname.replace(/token$/, 'submissions'),
    });
  });

  app.post('/token/direct', smallBody, async (c) => {
    const { provider } = await readTokenRequest(c);
    if (provider !== 'identifai' || !identifai || !options.direct) {
      throw new CaptureError('configuration-invalid', 'this relay has no tokens for browsers');
    }
    const { body } = await identifai.submissionToken();
    return c.body(body, 200, { 'content-type': 'application/json' });
  });

  app.post(
    '/submissions',
    rateOf('submissions', limits.submissionsPerMinute, 'upload-failed'),
    // Before the body is read, so that nobody without a token can make the relay read one.
    async (c, next) => {
      const claims = await bearer(c);
      if (!claims) return tokenRefused(c);
      if (!/^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')) {
        const error = new CaptureError('upload-refused', 'the upload must be multipart/form-data');
        return c.json(toWireError(error), 415);
      }
      return next();
    },
    limitWork(limits),
    async (c, next) => {
      const claims = await bearer(c);
      return claims
        ? bodyLimit({ maxSize: largestBody(claims), onError: tooLarge })(c, next)
        : tokenRefused(c);
    },
    async (c) => {
      const claims = await bearer(c);
      const sender = claims ? senders.get(claims.provider) : undefined;
      // Claimed before the photos are read, so that one token buys one reading.
      if (!claims || !sender || !(await claim(claims))) return tokenRefused(c);

      // Not by `c.req`, which would keep the photos until there is an answer.
      const form = await c.req.raw.formData().catch(() => null);
      if (!form) throw new CaptureError('upload-refused', 'the upload cannot be read as a form');
      if (form.get('refNumber') !== claims.refNumber) {
        throw new CaptureError('upload-refused', 'the upload is not for the reference number of its token');
      }
      const photos = new Map<Step, Uint8Array<ArrayBuffer>>();
      const profile = profileOf(claims.provider);
      const { names, steps } = wantedOf(profile, claims.analytics);
      for (const step of steps) {
        const takers = names
          .map((name) => analyticOf(profile, name))
          .filter(({ photos }) => photos.includes(step));
        const maxBytes = Math.min(
          profile.limits[step].maxBytes,
          ...takers.map((analytic) => analytic.maxBytes),
        );
        photos.set(step, await readPhoto(form, step, { ...profile.limits[step], maxBytes }));
      }
      const context = readContext(form, sender.provider.contextFields);
      const { refNumber, faceId } = claims;
      const outcome = await submitAll(sender, names, { refNumber, photos, context, faceId });
      return answer(c, sender, outcome, claims, new URL(c.req.url).pathname);
    },
  );

  const pollRate = rateOf('polls', limits.pollsPerMinute, 'upload-failed');
  app.get('/submissions/:id', pollRate, async (c) => {
    const claims = await bearer(c);
    const sender = claims ? senders.get(claims.provider) : undefined;
    if (!claims || !sender) return tokenRefused(c);
    const jobs = await tokens.readJobs(c.req.param('id'), claims);
    if (jobs === null) throw new CaptureError('upload-refused', 'this token may not ask for this submission');
    const outcome = await pollAll(sender, jobs, claims.refNumber);
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
function largestBody({ provider, analytics }: TokenClaims): number {
  const profile = profileOf(provider);
  const { steps } = wantedOf(profile, analytics);
  return steps.reduce((sum, step) => sum + profile.limits[step].maxBytes, FORM_BYTES);
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
