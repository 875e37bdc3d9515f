import { base64url, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { CaptureError, PROVIDER_IDS, STEPS, type ProviderId, type Step } from '../domain/result.ts';

/** Remembers what may happen once. One instance of the relay may keep it in memory; several must share it. */
export interface OneUse {
  /**
   * @param expiresAt ms since the epoch, after which the id may be forgotten
   * @returns true the first time only
   */
  claim(id: string, expiresAt: number): Promise<boolean>;
}

/** Remembers in memory, and forgets what has expired. */
export function createMemoryOneUse(now: () => number): OneUse {
  const claimed = new Map<string, number>();
  return {
    claim: (id, expiresAt) => {
      // The oldest claims come first, and every token lives as long, so whoever follows one that lives may wait.
      for (const [old, expiry] of claimed) {
        if (expiry >= now()) break;
        claimed.delete(old);
      }
      const first = !claimed.has(id);
      claimed.set(id, expiresAt);
      return Promise.resolve(first);
    },
  };
}

const Claims = v.object({
  jti: v.string(),
  exp: v.number(),
  ref: v.string(),
  provider: v.picklist(PROVIDER_IDS),
  steps: v.array(v.picklist(STEPS)),
});

/** What a relay token allows: one submission of these photos under this number. */
export interface TokenClaims {
  readonly id: string;
  /** ms since the epoch */
  readonly expiresAt: number;
  readonly refNumber: string;
  readonly provider: ProviderId;
  readonly steps: readonly Step[];
}

/** Issues and checks everything the relay signs. */
export interface Tokens {
  issue(claims: Pick<TokenClaims, 'refNumber' | 'provider' | 'steps'>): Promise<string>;
  /** Null for a token that is forged, expired or for something else. */
  verify(token: string): Promise<TokenClaims | null>;
  /** A job as a part of a URL that only the same reference number may ask for. */
  signJob(job: string, claims: TokenClaims): Promise<string>;
  /** The job, or null where it is not this reference number's. */
  readJob(signed: string, claims: TokenClaims): Promise<string | null>;
}

const AUDIENCE = 'kyc-capture-submission';
const SMALLEST_SECRET = 32;

/**
 * @param secret at least 32 characters; every instance of a relay needs the same
 * @param lifetime seconds
 * @throws CaptureError `configuration-invalid` where the secret is too short for HS256
 */
export function createTokens(secret: string, lifetime: number, now: () => number): Tokens {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < SMALLEST_SECRET) {
    throw new CaptureError(
      'configuration-invalid',
      `the relay's secret needs ${SMALLEST_SECRET} characters or more`,
    );
  }
  const key = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  // A prefix that no JWT begins with, so that neither signature can pass for the other.
  const jobMessage = (job: string, { provider, refNumber }: TokenClaims): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(JSON.stringify(['job', provider, refNumber, job]));

  return {
    async issue({ refNumber, provider, steps }) {
      const seconds = Math.floor(now() / 1000);
      return new SignJWT({ ref: refNumber, provider, steps })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(AUDIENCE)
        .setJti(crypto.randomUUID())
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + lifetime)
        .sign(await key);
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, await key, {
          algorithms: ['HS256'],
          audience: AUDIENCE,
          currentDate: new Date(now()),
          requiredClaims: ['exp', 'jti'],
        });
        const { jti, exp, ref, provider, steps } = v.parse(Claims, payload);
        return { id: jti, expiresAt: exp * 1000, refNumber: ref, provider, steps };
      } catch {
        return null;
      }
    },
    async signJob(job, claims) {
      const signature = await crypto.subtle.sign('HMAC', await key, jobMessage(job, claims));
      return `${base64url.encode(job)}.${base64url.encode(new Uint8Array(signature))}`;
    },
    async readJob(signed, claims) {
      try {
        const [jobPart = '', signaturePart = ''] = signed.split('.');
        const job = new TextDecoder().decode(base64url.decode(jobPart));
        const signature = Uint8Array.from(base64url.decode(signaturePart));
        return (await crypto.subtle.verify('HMAC', await key, signature, jobMessage(job, claims)))
          ? job
          : null;
      } catch {
        return null;
      }
    },
  };
}
