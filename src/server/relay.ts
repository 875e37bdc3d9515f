import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import * as v from 'valibot';
import { CaptureError, STEPS, type ErrorCode } from '../domain/result.ts';
import { readError, toWireError } from '../providers/contract.ts';
import { parseBody } from '../providers/provider.ts';
import { FACE_ID, profileOf, wantedOf, type Wanted } from '../providers/profiles.ts';
import { NotSent } from './call.ts';
import { largestBody, readCaptureContext, readContext, readPhotos } from './form.ts';
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
  createSubmissionMemory,
  createSubmissions,
  SUBMISSION_KEY,
  type Answer,
  type SubmissionMemory,
} from './submissions.ts';
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
  /** Where the answers of submissions are remembered, encrypted; in this process where it is left out. */
  readonly submissions?: SubmissionMemory;
  /**
   * Takes what the widget says of how the photos came about: signals, no verdict. It is awaited before the provider is
   * asked, and where it throws nothing is sent.
   */
  readonly onCaptureContext?: (
    context: Readonly<Record<string, unknown>>,
    submission: { readonly refNumber: string; readonly provider: string },
  ) => void | Promise<void>;
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
const TOKEN_REQUEST_BYTES = 8_000;

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
  const submissions = createSubmissions(options.secret, options.submissions ?? createSubmissionMemory(now));
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
  /** @param folder path that jobs are asked for below */
  const answerOf = async (
    sender: Sender,
    outcome: Whole,
    claims: TokenClaims,
    folder: string,
  ): Promise<Answer> => {
    switch (outcome.kind) {
      case 'result': {
        const result = { ...outcome.result, raw: withoutSecrets(outcome.result.raw, sender.secrets) };
        return { status: 200, body: JSON.stringify(result) };
      }
      case 'pending': {
        const result_url = `${folder}/${await tokens.signJobs(outcome.jobs, claims)}`;
        return { status: 202, body: JSON.stringify({ result_url }) };
      }
      case 'error': {
        const { code, message, guidance } = outcome.error;
        const raw = withoutSecrets(outcome.error.raw, sender.secrets);
        return answerWith(new CaptureError(code, message, { guidance, raw, settled: true }));
      }
    }
  };
  /** Reads the upload and sends it on. */
  const submitForm = async (
    request: Request,
    sender: Sender,
    claims: TokenClaims,
    sending: () => Promise<void>,
  ): Promise<Answer> => {
    const form = await request.formData().catch(() => null);
    if (!form) throw new CaptureError('upload-refused', 'the upload cannot be read as a form');
    const { refNumber, provider, faceId } = claims;
    if (form.get('refNumber') !== refNumber) {
      throw new CaptureError('upload-refused', 'the upload is not for the reference number of its token');
    }
    const photos = await readPhotos(form, claims);
    const context = readContext(form, sender.provider.contextFields);
    const captureContext = readCaptureContext(form);
    if (captureContext && options.onCaptureContext) {
      try {
        await options.onCaptureContext(captureContext, { refNumber, provider });
      } catch {
        throw new CaptureError('upload-failed', 'the capture context could not be taken');
      }
    }
    await sending();
    const { names } = wantedOf(profileOf(provider), claims.analytics);
    try {
      const outcome = await submitAll(sender, names, { refNumber, photos, context, faceId });
      return await answerOf(sender, outcome, claims, new URL(request.url).pathname);
    } catch (error) {
      if (error instanceof NotSent) throw error;
      const { code, message, guidance, raw } = asCaptureError(error);
      return answerWith(new CaptureError(code, message, { guidance, raw, settled: true }));
    }
  };

  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.onError((error, c) => {
    const known = asCaptureError(error);
    if (known instanceof Refusal) {
      if (known.retryAfter !== null) c.header('retry-after', String(known.retryAfter));
      return c.json(toWireError(known), known.status);
    }
    return respond(c, answerWith(known));
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
      idempotent: true,
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
      if (!isKeyOrNone(c.req.header('idempotency-key'))) {
        throw new CaptureError('upload-refused', 'the idempotency key is none');
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
      const { raw } = c.req;
      const key = c.req.header('idempotency-key');
      if (key === undefined)
        return respond(c, await submitForm(raw, sender, claims, () => Promise.resolve()));
      const work = (sending: () => Promise<void>): Promise<Answer> =>
        submitForm(raw, sender, claims, sending);
      return respond(c, await submissions.once(key, claims, raw.signal, work));
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
    const folder = new URL(c.req.url).pathname.replace(/\/[^/]*$/, '');
    return respond(c, await answerOf(sender, outcome, claims, folder));
  });

  return app;
}

const isKeyOrNone = (key: string | undefined): boolean => key === undefined || SUBMISSION_KEY.test(key);

function asCaptureError(error: unknown): CaptureError {
  return error instanceof CaptureError ? error : new CaptureError('provider-failed', 'the relay failed');
}

function answerWith(error: CaptureError): Answer {
  return { status: STATUS[error.code] ?? 502, body: JSON.stringify(toWireError(error)) };
}

function respond(c: Context, { status, body }: Answer): Response {
  // For whoever logs; it may be an answer of long ago.
  if (status >= 400) c.error = readError(parseBody(body)) ?? undefined;
  return c.body(body, status as ContentfulStatusCode, { 'content-type': 'application/json' });
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
