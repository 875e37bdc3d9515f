import type { Context, Hono } from 'hono';
import * as v from 'valibot';
import { identifai, SUBMISSION_TOKEN_SECONDS } from '../providers/identifai.ts';
import { findCase, type SandboxCase } from './sandbox-cases.ts';
import { deliver, inspect, tellOrder, type Received } from './sandbox-stage.ts';
import { createMemoryOneUse } from './tokens.ts';

/** Largest picture of `face-match-liveness-v2`, bytes (documented). */
const IDENTIFAI_MAX_BYTES = 2_000_000;
/** Polls that find a slow job still going on. */
const SLOW_POLLS = 5;

const AnalyticRequest = v.object({
  images: v.pipe(v.array(v.pipe(v.string(), v.startsWith('data:image/jpeg;base64,'))), v.length(2)),
  additional_params: v.optional(v.record(v.string(), v.union([v.number(), v.boolean()]))),
  client_ref: v.optional(v.pipe(v.string(), v.regex(identifai.refNumber))),
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
  const jobs = new Map<string, { readonly play: SandboxCase; readonly refNumber: string; polls: number }>();
  const expiredOnce = new Set<string>();

  const refuse = (c: Context, status: 400 | 401 | 404, code: string, message: string): Response =>
    c.json({ code, errors: [], message, ok: false }, status);
  /** Why a submission token does not hold, or null. Uses it up. */
  const checkToken = async (c: Context): Promise<string | null> => {
    const token = c.req.header('authorization') ?? '';
    const expiry = tokens.get(token);
    if (expiry === undefined) return 'Submission token is invalid';
    if (expiry <= now()) return 'Submission token is expired';
    return (await used.claim(token, expiry)) ? null : 'Submission token has been used';
  };
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
    const timestamp = c.req.header('x-nodeflux-timestamp') ?? '';
    const scope = `${keys.accessKey}/${timestamp.slice(0, 8)}/nodeflux.api.v1beta1.ImageAnalytic/StreamImageAnalytic`;
    const signature = await sign(keys.secretKey, timestamp);
    const expected = `NODEFLUX-HMAC-SHA256 Credential=${scope}, SignedHeaders=x-nodeflux-timestamp, Signature=${signature}`;
    if (timestamp === '' || c.req.header('authorization') !== expected) {
      return refuse(c, 401, 'not-authenticate', 'Invalid signature');
    }
    const suffix = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 32).toString(32));
    const token = `${crypto.randomUUID()}-${suffix.join('').toUpperCase()}`;
    for (const [old, expiry] of tokens) if (expiry + 60_000 < now()) tokens.delete(old);
    tokens.set(token, now() + SUBMISSION_TOKEN_SECONDS * 1000);
    return c.json({ ok: true, submission_token: token });
  });

  app.post(`/${identifai.paths.submit}`, async (c) => {
    const refused = await checkToken(c);
    if (refused !== null) return refuse(c, 401, 'not-authenticate', refused);
    const body = v.safeParse(AnalyticRequest, await c.req.json<unknown>().catch(() => null));
    if (!body.success) return refuse(c, 400, 'invalid-argument', 'Parameter invalid');
    const { images, client_ref: refNumber = '', additional_params: params = {} } = body.output;
    const play = findCase(refNumber);
    if (playsExpiry(play, refNumber))
      return refuse(c, 401, 'not-authenticate', 'Submission token is expired');

    const pictures = images.map((image, place) =>
      inspect(`images[${place}]`, 'image/jpeg', fromBase64(image.slice(image.indexOf(',') + 1))),
    );
    const order = tellOrder(pictures);
    remember(refNumber, {
      provider: 'identifai',
      fields: ['client_ref', ...Object.keys(params)],
      images: pictures,
      order,
    });
    const wrong =
      (pictures.some(({ decoded }) => !decoded) && 'Parameter invalid: an image cannot be decoded') ||
      (pictures.some(({ bytes }) => bytes > IDENTIFAI_MAX_BYTES) && 'Image too large') ||
      (order?.[0] === 'selfie' && 'Parameter invalid: the images are not in the order KTP, selfie') ||
      (play.refusal?.at === 'request' && play.refusal.sentence);
    if (wrong) return refuse(c, 400, 'invalid-argument', wrong);

    const job = crypto.randomUUID().replaceAll('-', '');
    jobs.set(job, { play, refNumber, polls: 0 });
    return deliver(c, play, JSON.stringify({ job_id: job, ok: true }), 202);
  });

  app.get(`/${identifai.paths.job}:id`, async (c) => {
    const refused = await checkToken(c);
    if (refused !== null) return refuse(c, 401, 'not-authenticate', refused);
    const id = c.req.param('id');
    const job = jobs.get(id);
    if (!job) return refuse(c, 404, 'not-found', 'Job not found');
    const { play } = job;
    if (playsExpiry(play, `job ${id}`))
      return refuse(c, 401, 'not-authenticate', 'Submission token is expired');
    const wanted = play.polls === 'forever' ? Infinity : play.polls === 'slow' ? SLOW_POLLS : pollsBeforeEnd;
    const going = job.polls++ < wanted;
    const status = going ? 'on going' : play.refusal ? 'failed' : 'success';
    const message = going
      ? 'Job successfully submitted!'
      : (play.refusal?.sentence ??
        (play.live === false ? 'Face Liveness Underqualified' : 'Face Match Liveness Success'));
    return c.json({
      job: {
        id,
        result: {
          status,
          analytic_type: 'FACE_MATCH_LIVENESS',
          result: status === 'success' ? verdictsOfIdentifai(play) : [],
        },
      },
      message,
      ok: true,
    });
  });
}

function verdictsOfIdentifai({ live, matched = true, empty }: SandboxCase): object[] {
  if (empty) return [];
  const liveness = { face_liveness: { live: live !== false, live_score: live === false ? 0.12 : 0.84 } };
  // The document's own spelling.
  const match = { face_match: { match: matched, smimilarity: matched ? 0.94 : 0.21 } };
  return matched === null ? [liveness] : [liveness, match];
}

function fromBase64(text: string): Uint8Array {
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
