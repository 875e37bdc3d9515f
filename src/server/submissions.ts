import { base64url, CompactEncrypt, compactDecrypt } from 'jose';
import { CaptureError } from '../domain/result.ts';
import { NotSent } from './call.ts';
import { Refusal, unavailable } from './throttle.ts';
import type { TokenClaims } from './tokens.ts';

/**
 * Remembers what became of submissions, for a time. One instance of the relay may keep it in memory; several must share
 * it. The relay gives it nothing that can be read: names are hashes, answers are encrypted.
 */
export interface SubmissionMemory {
  /**
   * Writes where nothing is written yet, in one step.
   * @param lifetime ms, after which it is forgotten
   * @returns true where it has written
   */
  take(name: string, value: string, lifetime: number): Promise<boolean>;
  /**
   * Writes where nothing or this very value is written, in one step; leaves another's value alone.
   * @param lifetime ms, from now
   */
  hold(name: string, value: string, lifetime: number): Promise<void>;
  read(name: string): Promise<string | null>;
  write(name: string, value: string, lifetime: number): Promise<void>;
  /** Forgets where this very value is written, in one step. */
  drop(name: string, value: string): Promise<void>;
}

/** What the relay answers to an upload. */
export interface Answer {
  readonly status: number;
  /** JSON */
  readonly body: string;
}

/** Lets each submission happen once. */
export interface Submissions {
  /**
   * Does the work of a submission, or gives the answer that it had before.
   * @param key of the widget's choice, good for one provider and reference number
   * @param signal of the request, so that nothing waits for a sender who has gone
   * @param work calls `sending` right before the provider is asked; what it throws before that, or as `NotSent`, leaves
   * the key free
   * @throws Refusal while another request does it
   * @throws CaptureError `upload-failed`, settled, where nobody knows what became of it
   */
  once(
    key: string,
    claims: TokenClaims,
    signal: AbortSignal,
    work: (sending: () => Promise<void>) => Promise<Answer>,
  ): Promise<Answer>;
}

/** What a key may be: of 96 random bits or more, and good in a header. */
export const SUBMISSION_KEY = /^[\w-]{16,128}$/;

/**
 * An answer is remembered for longer than any widget keeps photos, ms: a page may let them lie for 60 minutes (`persist`),
 * and what is sent in the last of them may take a while.
 */
const REMEMBERED = 75 * 60_000;
/** Whoever does the work says so again and again; after this silence he is taken for dead, ms. */
const LEASE = 15_000;
/** A repeated request waits here for the answer of the first, ms; far below the 30 s that the widget waits. */
const LONGEST_LOOK = 8000;
const LOOKS_APART = 250;
/** Then it is asked to come again, s. */
const RETRY_AFTER = 1;
/** In place of an answer, from the moment that the provider may have received something. */
const SENT = 'sent';

/** Remembers in memory, and forgets what has expired. */
export function createSubmissionMemory(now: () => number): SubmissionMemory {
  const written = new Map<string, { readonly value: string; readonly expiresAt: number }>();
  let sweptAt = now();
  const read = (name: string): string | null => {
    const entry = written.get(name);
    return entry && entry.expiresAt > now() ? entry.value : null;
  };
  const write = (name: string, value: string, lifetime: number): void => {
    if (now() - sweptAt >= LEASE) {
      sweptAt = now();
      for (const [old, { expiresAt }] of written) if (expiresAt <= sweptAt) written.delete(old);
    }
    written.set(name, { value, expiresAt: now() + lifetime });
  };
  return {
    take: (name, value, lifetime) => {
      const isFree = read(name) === null;
      if (isFree) write(name, value, lifetime);
      return Promise.resolve(isFree);
    },
    hold: (name, value, lifetime) => {
      if ((read(name) ?? value) === value) write(name, value, lifetime);
      return Promise.resolve();
    },
    read: (name) => Promise.resolve(read(name)),
    write: (name, value, lifetime) => {
      write(name, value, lifetime);
      return Promise.resolve();
    },
    drop: (name, value) => {
      if (read(name) === value) written.delete(name);
      return Promise.resolve();
    },
  };
}

/** @param secret the relay's own, the same on every instance */
export function createSubmissions(secret: string, memory: SubmissionMemory): Submissions {
  const secretKey = crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, [
    'deriveBits',
  ]);
  /** Two values that only whoever has the submission key can know; the second needs the relay's secret as well. */
  const namesOf = async (key: string, { provider, refNumber }: TokenClaims) => {
    const info = new TextEncoder().encode(JSON.stringify(['submission', provider, refNumber, key]));
    const hash = await crypto.subtle.digest('SHA-256', info);
    const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
    const sealing = new Uint8Array(await crypto.subtle.deriveBits(derivation, await secretKey, 256));
    return { id: base64url.encode(new Uint8Array(hash)), sealing };
  };
  /** A memory that cannot be asked could let a submission happen twice, so nothing happens at all. */
  const sure = <T>(asked: Promise<T>): Promise<T> =>
    asked.catch(() => {
      throw unavailable('upload-failed');
    });
  const underWay = (): Refusal =>
    new Refusal('upload-failed', 'the submission is under way', 409, RETRY_AFTER);

  return {
    async once(key, claims, signal, work) {
      const { id, sealing } = await namesOf(key, claims);
      const turn = `${id}:turn`;
      // Whoever stalls for longer than the lease finds another's here, and must leave it to him.
      const owner = crypto.randomUUID();
      const remembered = async (): Promise<string | null> => sure(memory.read(id));

      for (let waited = 0; ; waited += LOOKS_APART) {
        const before = await remembered();
        if (before !== null && before !== SENT) return unseal(before, sealing);
        if (await sure(memory.take(turn, owner, LEASE))) break;
        if (waited >= LONGEST_LOOK || signal.aborted) throw underWay();
        await new Promise((resolve) => setTimeout(resolve, LOOKS_APART));
      }

      let begun = false;
      const hasBegun = (): boolean => begun;
      let renewing: Promise<unknown> = Promise.resolve();
      const lease = setInterval(() => {
        // Where it fails, `sending` sees whether another has begun.
        renewing = memory.hold(turn, owner, LEASE).catch(() => undefined);
      }, LEASE / 3);
      try {
        const before = await remembered();
        if (before === SENT) {
          const message = 'nobody knows whether the provider has received the submission';
          throw new CaptureError('upload-failed', message, { settled: true });
        }
        if (before !== null) return await unseal(before, sealing);
        const answer = await work(async () => {
          if (!(await sure(memory.take(id, SENT, REMEMBERED)))) throw underWay();
          begun = true;
        });
        // Without it a repeated request is told that nobody knows, which is true of this memory.
        await memory.write(id, await seal(answer, sealing), REMEMBERED).catch(() => undefined);
        return answer;
      } catch (error) {
        if (error instanceof NotSent && hasBegun()) await memory.drop(id, SENT).catch(() => undefined);
        throw error;
      } finally {
        clearInterval(lease);
        await renewing;
        await memory.drop(turn, owner).catch(() => undefined);
      }
    },
  };
}

/** An answer may hold what was read on a card, so it lies nowhere in the clear. */
function seal(answer: Answer, sealing: Uint8Array): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(sealing);
}

async function unseal(sealed: string, sealing: Uint8Array): Promise<Answer> {
  const { plaintext } = await compactDecrypt(sealed, sealing);
  return JSON.parse(new TextDecoder().decode(plaintext)) as Answer;
}
