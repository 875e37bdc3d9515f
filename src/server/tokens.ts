import { base64url, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { CaptureError } from '../domain/result.ts';
import type { Job } from './senders.ts';

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
  provider: v.string(),
  analytics: v.array(v.string()),
  face: v.nullish(v.string(), null),
});

const Jobs = v.array(v.tuple([v.string(), v.string()]));

/** What a relay token allows: one submission under this number, to have this done. */
export interface TokenClaims {
  readonly id: string;
  /** ms since the epoch */
  readonly expiresAt: number;
  readonly refNumber: string;
  readonly provider: string;
  readonly analytics: readonly string[];
  /** The number under which the provider knows the face; null where no analytic needs it. */
  readonly faceId: string | null;
}

/** Issues and checks everything the relay signs. */
export interface Tokens {
  issue(claims: Omit<TokenClaims, 'id' | 'expiresAt'>): Promise<string>;
  /** Null for a token that is forged, expired or for something else. */
  verify(token: string): Promise<TokenClaims | null>;
  /** Jobs as a part of a URL that only the same reference number may ask for. */
  signJobs(jobs: readonly Job[], claims: TokenClaims): Promise<string>;
  /** The jobs, or null where they are not this reference number's. */
  readJobs(signed: string, claims: TokenClaims): Promise<readonly Job[] | null>;
}

const AUDIENCE = 'kyc-capture-submission';
/** Bytes that HS256 needs at least (RFC 7518, 3.2). */
export const SMALLEST_SECRET = 32;

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
  const jobMessage = (jobs: string, { provider, refNumber }: TokenClaims): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(JSON.stringify(['jobs', provider, refNumber, jobs]));

  return {
    async issue({ refNumber, provider, analytics, faceId }) {
      const seconds = Math.floor(now() / 1000);
      return new SignJWT({ ref: refNumber, provider, analytics, face: faceId })
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
        const { jti, exp, ref, provider, analytics, face } = v.parse(Claims, payload);
        return { id: jti, expiresAt: exp * 1000, refNumber: ref, provider, analytics, faceId: face };
      } catch {
        return null;
      }
    },
    async signJobs(jobs, claims) {
      const text = JSON.stringify(jobs);
      const signature = await crypto.subtle.sign('HMAC', await key, jobMessage(text, claims));
      return `${base64url.encode(text)}.${base64url.encode(new Uint8Array(signature))}`;
    },
    async readJobs(signed, claims) {
      try {
        const [jobPart = '', signaturePart = ''] = signed.split('.');
        const text = new TextDecoder().decode(base64url.decode(jobPart));
        const signature = Uint8Array.from(base64url.decode(signaturePart));
        return (await crypto.subtle.verify('HMAC', await key, signature, jobMessage(text, claims)))
          ? v.parse(Jobs, JSON.parse(text))
          : null;
      } catch {
        return null;
      }
    },
  };
}
