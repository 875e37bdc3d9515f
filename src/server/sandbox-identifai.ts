import type { Context, Hono } from 'hono';
import * as v from 'valibot';
import { identifai, SUBMISSION_TOKEN_SECONDS } from '../providers/identifai.ts';
import { FACE_ID, IDENTIFAI_ANALYTICS, type Analytic } from '../providers/profiles.ts';
import { findCase, type SandboxCase } from './sandbox-cases.ts';
import {
  cardFields,
  deliver,
  inspect,
  refusalOf,
  tellOrder,
  type Received,
  type ReceivedImage,
} from './sandbox-stage.ts';
import { createMemoryOneUse } from './tokens.ts';

/** Polls that find a slow job still going on. */
const SLOW_POLLS = 5;
/** A signature is good for so long, ms. Its lifetime is not documented; clients refresh it every 5 minutes. */
const SIGNATURE_LIFETIME = 10 * 60_000;
/** What OCR takes, px, whichever way round; cards lie. */
const OCR_SIZES = { smallest: [300, 400], largest: [4000, 3000] } as const;

const AnalyticRequest = v.object({
  images: v.optional(v.array(v.pipe(v.string(), v.startsWith('data:image/jpeg;base64,'))), []),
  additional_params: v.optional(v.record(v.string(), v.union([v.number(), v.boolean(), v.string()])), {}),
  client_ref: v.optional(v.pipe(v.string(), v.regex(identifai.refNumber)), ''),
});

/** What the play of IdentifAI needs. */
export interface IdentifaiStage {
  readonly keys: { readonly accessKey: string; readonly secretKey: string };
  readonly now: () => number;
  readonly pollsBeforeEnd: number;
  readonly remember: (refNumber: string, entry: Received) => void;
}

/** Adds IdentifAI's paths to the app. */
export function playIdentifai(app: Hono, { keys, now, pollsBeforeEnd, remember }: IdentifaiStage): void {
  const tokens = new Map<string, number>();
  const used = createMemoryOneUse(now);
  const jobs = new Map<string, { readonly play: SandboxCase; readonly end: End; polls: number }>();
  const expiredOnce = new Set<string>();
  const enrolled = new Set<string>();

  const refuse = (c: Context, status: 400 | 401 | 404 | 504, code: string, message: string): Response =>
    c.json({ code, errors: [], message, ok: false }, status);
  /** Why a submission token does not hold, or null. Uses it up. */
  const checkToken = async (c: Context): Promise<string | null> => {
    const token = c.req.header('authorization') ?? '';
    const expiry = tokens.get(token);
    if (expiry === undefined) return 'Submission token is invalid';
    if (expiry <= now()) return 'Submission token is expired';
    return (await used.claim(token, expiry)) ? null : 'Submission token has been used';
  };
  /** Why the signature in the headers does not hold, or null. */
  const checkSignature = async (c: Context): Promise<string | null> => {
    const timestamp = c.req.header('x-nodeflux-timestamp') ?? '';
    const at = Date.parse(timestamp.replace(TIMESTAMP, '$1-$2-$3T$4:$5:$6Z'));
    const scope = `${keys.accessKey}/${timestamp.slice(0, 8)}/nodeflux.api.v1beta1.ImageAnalytic/StreamImageAnalytic`;
    const signature = await sign(keys.secretKey, timestamp);
    const expected = `NODEFLUX-HMAC-SHA256 Credential=${scope}, SignedHeaders=x-nodeflux-timestamp, Signature=${signature}`;
    if (Number.isNaN(at) || c.req.header('authorization') !== expected) return 'Invalid signature';
    return Math.abs(now() - at) > SIGNATURE_LIFETIME ? 'Signature is expired' : null;
  };
  const isSigned = (c: Context): boolean => c.req.header('x-nodeflux-timestamp') !== undefined;
  const playsExpiry = (play: SandboxCase, key: string): boolean => {
    if (play.tokenExpires === 'always') return true;
    if (play.tokenExpires === undefined || expiredOnce.has(key)) return false;
    expiredOnce.add(key);
    return true;
  };

  app.post(`/${identifai.paths.signatures}`, async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    const known = v.safeParse(
      v.object({ access_key: v.literal(keys.accessKey), secret_key: v.literal(keys.secretKey) }),
      body,
    );
    if (!known.success) return refuse(c, 401, 'not-authenticate', 'Invalid access key');
    const timestamp = new Date(now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const token = await sign(keys.secretKey, timestamp);
    return c.json({ ok: true, token, headers: { 'x-nodeflux-timestamp': timestamp } });
  });

  app.post(`/${identifai.paths.submissionTokens}`, async (c) => {
    const refused = await checkSignature(c);
    if (refused !== null) return refuse(c, 401, 'not-authenticate', refused);
    const suffix = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 32).toString(32));
    const token = `${crypto.randomUUID()}-${suffix.join('').toUpperCase()}`;
    for (const [old, expiry] of tokens) if (expiry + 60_000 < now()) tokens.delete(old);
    tokens.set(token, now() + SUBMISSION_TOKEN_SECONDS * 1000);
    return c.json({ ok: true, submission_token: token });
  });

  /** Why a request is refused, or null. Enrolments happen here, as they do whether or not anybody asks for the job. */
  const judge = (
    name: string,
    analytic: Analytic,
    pictures: readonly ReceivedImage[],
    faceId: unknown,
  ): string | null => {
    const wrong = judgePhotos(analytic, pictures);
    if (wrong !== null || !analytic.parameters.includes('face_id')) return wrong;
    if (typeof faceId !== 'string' || !FACE_ID.test(faceId))
      return 'Parameter invalid: face_id must be digits';
    if (name === 'face-enrollment') enrolled.add(faceId);
    else if (!enrolled.has(faceId)) return 'Face ID not found';
    else if (name === 'delete-enrollment') enrolled.delete(faceId);
    return null;
  };

  const submit = async (c: Context, mode: 'synchronous' | 'asynchronous'): Promise<Response> => {
    const name = c.req.param('slug') ?? '';
    const analytic = Object.entries<Analytic>(IDENTIFAI_ANALYTICS).find(([slug]) => slug === name)?.[1];
    if (!analytic) return refuse(c, 404, 'not-found', 'Analytic not found');
    const signed = isSigned(c);
    // Submission tokens are documented for asynchronous requests only.
    const refused = signed || mode === 'synchronous' ? await checkSignature(c) : await checkToken(c);
    if (refused !== null) return refuse(c, 401, 'not-authenticate', refused);
    const body = v.safeParse(AnalyticRequest, await c.req.json<unknown>().catch(() => null));
    const isKnown = (parameter: string): boolean => analytic.parameters.some((known) => known === parameter);
    if (
      !body.success ||
      body.output.images.length !== analytic.photos.length ||
      !Object.keys(body.output.additional_params).every(isKnown)
    )
      return refuse(c, 400, 'invalid-argument', 'Parameter invalid');
    const { images, client_ref: refNumber, additional_params: parameters } = body.output;
    const play = findCase(refNumber);
    if (!signed && playsExpiry(play, refNumber))
      return refuse(c, 401, 'not-authenticate', 'Submission token is expired');

    const pictures = await Promise.all(
      images.map((image, place) =>
        inspect(`images[${place}]`, 'image/jpeg', fromBase64(image.slice(image.indexOf(',') + 1))),
      ),
    );
    remember(refNumber, {
      provider: 'identifai',
      analytic: name,
      fields: ['client_ref', ...Object.keys(parameters)],
      images: pictures,
      order: tellOrder(pictures),
    });
    const refusal = refusalOf(play, analytic);
    const wrong =
      judge(name, analytic, pictures, parameters['face_id']) ??
      (refusal?.at === 'request' ? refusal.sentence : null);
    if (wrong !== null) return refuse(c, 400, 'invalid-argument', wrong);

    const end = endOf(play, name, analytic);
    if (mode === 'synchronous') {
      if (play.polls === 'forever') return refuse(c, 504, 'timeout', 'Job took too long');
      return deliver(c, play, JSON.stringify({ ok: true, ...end }), 200);
    }
    const id = crypto.randomUUID().replaceAll('-', '');
    jobs.set(id, { play, end, polls: 0 });
    const message = 'Job successfully submitted!';
    const accepted = signed
      ? {
          job: { id, result: { status: 'on going', analytic_type: typeOf(name), result: [] } },
          message,
          ok: true,
        }
      : { job_id: id, ok: true };
    return deliver(c, play, JSON.stringify(accepted), signed ? 201 : 202);
  };
  app.post(`/${identifai.paths.asynchronous}:slug`, (c) => submit(c, 'asynchronous'));
  app.post(`/${identifai.paths.synchronous}:slug`, (c) => submit(c, 'synchronous'));

  app.get(`/${identifai.paths.job}:id`, async (c) => {
    const refused = isSigned(c) ? await checkSignature(c) : await checkToken(c);
    if (refused !== null) return refuse(c, 401, 'not-authenticate', refused);
    const id = c.req.param('id');
    const job = jobs.get(id);
    if (!job) return refuse(c, 404, 'not-found', 'Job not found');
    const { play, end } = job;
    if (!isSigned(c) && playsExpiry(play, `job ${id}`))
      return refuse(c, 401, 'not-authenticate', 'Submission token is expired');
    const wanted = play.polls === 'forever' ? Infinity : play.polls === 'slow' ? SLOW_POLLS : pollsBeforeEnd;
    const { message, ...result } =
      job.polls++ < wanted
        ? { ...end, status: 'on going', result: [], message: 'Job successfully submitted!' }
        : end;
    return c.json({ job: { id, result }, message, ok: true });
  });
}

const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

const typeOf = (name: string): string => name.replace(/-v\d$/, '').replaceAll('-', '_').toUpperCase();

/** Why an analytic takes no such photos, or null. */
function judgePhotos(analytic: Analytic, pictures: readonly ReceivedImage[]): string | null {
  if (pictures.some(({ decoded }) => !decoded)) return 'Parameter invalid: an image cannot be decoded';
  if (pictures.some(({ bytes }) => bytes > analytic.maxBytes)) return 'Image too large';
  const [first] = tellOrder(pictures) ?? analytic.photos;
  if (first !== analytic.photos[0])
    return `Parameter invalid: the images are not in the order ${analytic.photos.join(', ')}`;
  if (analytic.document === null) return null;
  const { smallest, largest } = OCR_SIZES;
  const isWrong = pictures.some(({ width, height }) => {
    const [long, short] = [Math.max(width ?? 0, height ?? 0), Math.min(width ?? 0, height ?? 0)];
    return short < smallest[0] || long < smallest[1] || long > largest[0] || short > largest[1];
  });
  if (isWrong) return 'Parameter invalid: the size of the image';
  return pictures.some(({ width, height }) => (width ?? 0) <= (height ?? 0))
    ? 'Parameter invalid: the card has to lie'
    : null;
}

/** What a job comes to. */
interface End {
  readonly status: string;
  readonly analytic_type: string;
  readonly result: readonly object[];
  readonly message: string;
}

function endOf(play: SandboxCase, name: string, analytic: Analytic): End {
  const refusal = refusalOf(play, analytic);
  const { live, matched = true } = play;
  const isLive = live !== false;
  const asDocumented = name.startsWith('face-match-liveness');
  const liveness = {
    face_liveness: { live: isLive, [asDocumented ? 'live_score' : 'liveness']: isLive ? 0.84 : 0.12 },
  };
  const match = {
    // The document's own spelling.
    face_match: { match: matched, [asDocumented ? 'smimilarity' : 'similarity']: matched ? 0.94 : 0.21 },
  };
  const verdicts = analytic.checks.flatMap((check): readonly object[] => {
    if (check === 'liveness') return [liveness];
    return matched === null ? [] : [match];
  });
  const fields = analytic.document === null ? [] : [cardFields(analytic.document, 'printed')];
  const underqualified = !isLive && analytic.checks.includes('liveness');
  const isEmpty = play.empty === true || refusal !== null;
  return {
    status: refusal ? 'failed' : 'success',
    analytic_type: typeOf(name),
    result: isEmpty ? [] : [...verdicts, ...fields],
    message: refusal?.sentence ?? (underqualified ? 'Face Liveness Underqualified' : `${name} success`),
  };
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

async function sign(secret: string, message: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(message)));
  return Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
