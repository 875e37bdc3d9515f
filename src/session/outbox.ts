import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';
import type { Photo } from '../domain/journey.ts';
import type { Step } from '../domain/result.ts';

/** What waits to be sent. */
export interface Parcel {
  readonly refNumber: string;
  /** Random; the relay answers the same key with the same answer. */
  readonly submissionKey: string;
  readonly steps: readonly Step[];
  readonly photos: ReadonlyMap<Step, { readonly photo: Photo; readonly blob: Blob }>;
}

/** Keeps one parcel over a reload of the tab. No method throws, and none takes longer than a few seconds. */
export interface Outbox {
  /** What this tab left here for the same scope, or null. What cannot be read is wiped. */
  restore(): Promise<Parcel | null>;
  /** Keeps it in place of the one before, for a lifetime from now; in memory only where nothing can be stored. */
  keep(parcel: Parcel): Promise<void>;
  wipe(): Promise<void>;
  /** Lets go of it without wiping: the element left the page. */
  close(): void;
}

/** What an outbox is made for. */
export interface OutboxOptions {
  /** A parcel is given back to the same scope only. */
  readonly scope: string;
  /** ms */
  readonly lifetime: number;
  /** The parcel has been wiped because its time was over. */
  readonly onExpired: () => void;
  /** ms since the epoch */
  readonly now?: () => number;
}

/** A record of the database. Whatever is personal is sealed. */
interface Sealed {
  /** HKDF, cannot be exported; useless without the salt, which only this tab has. */
  readonly master: CryptoKey;
  /** ms since the epoch */
  readonly expiresAt: number;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

/** What is sealed, before the bytes of the photos. */
interface Label extends Omit<Parcel, 'photos'> {
  readonly version: number;
  readonly scope: string;
  readonly photos: readonly { readonly photo: Photo; readonly type: string; readonly size: number }[];
}

/** Of what is sealed; a page of another version may have left it. */
const VERSION = 1;
/** Of locks, and of the salts in the tab's storage. */
const PREFIX = 'kyc-capture-outbox:';
/** The journey waits no longer for the database, ms. */
const PATIENCE = 2000;
/** A document that is being reloaded lets go of its locks a little later, ms. */
const LOCK_PATIENCE = 500;
/** Timers stand still while a phone sleeps, so the clock is asked this often, ms. */
const CLOCK_ASKED = 10_000;

/** What elements that left the page are still writing. */
const leaving = new Set<Promise<unknown>>();

let opened: UseStore | undefined;
/** One connection for all elements of a page. */
const database = (): UseStore => (opened ??= createStore('kyc-capture', 'outbox'));

/** Opens the outbox, and sweeps what any tab left too long. */
export function createOutbox({ scope, lifetime, onExpired, now = Date.now }: OutboxOptions): Outbox {
  let queue: Promise<unknown> = Promise.resolve();
  /** Counts what was asked for, so that what was overtaken is not done. */
  let latest = 0;
  let closed = false;
  const hasLeft = (): boolean => closed;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let held: Held | null = null;

  /** One after the other, however long the database takes; whoever asked does not wait for ever. */
  const inTurn = <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    const done = queue.then(work).catch(() => otherwise);
    // The value is not held on to.
    queue = done.then(() => undefined);
    return within(PATIENCE, done, otherwise);
  };
  const expireAt = (time: number): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(
      () => {
        if (now() < time) {
          expireAt(time);
          return;
        }
        void wipe();
        onExpired();
      },
      Math.min(Math.max(time - now(), 0), CLOCK_ASKED),
    );
  };
  const letGo = (): void => {
    held?.release();
    held = null;
  };
  const empty = async (): Promise<void> => {
    if (!held) return;
    try {
      await remove(held.id);
    } finally {
      letGo();
    }
  };
  const wipe = (): Promise<void> => {
    latest++;
    clearTimeout(timer);
    // At once: without its salt nobody reads the record, even where the database no longer answers.
    if (held) forgetSalt(held.id);
    return inTurn(empty, undefined);
  };

  void inTurn(() => sweep(now()), undefined);

  return {
    async restore() {
      const asked = ++latest;
      let waiting = true;
      const parcel = await inTurn(async () => {
        // Before it waits for others, one of which would be itself.
        if (hasLeft()) return null;
        // An element that was only moved on the page finds what it was keeping.
        await Promise.all(leaving);
        const found = held ? null : await findParcel(scope, now(), lifetime);
        if (!found) return null;
        held = found.held;
        if (waiting && asked === latest) return found;
        // Nobody will send it, so nobody shall find it later.
        if (!closed) await empty();
        return null;
      }, null);
      waiting = false;
      if (!parcel || asked !== latest || closed) return null;
      expireAt(parcel.expiresAt);
      return parcel.parcel;
    },
    keep(parcel) {
      const asked = ++latest;
      const expiresAt = now() + lifetime;
      expireAt(expiresAt);
      return inTurn(async () => {
        if (asked !== latest) return;
        try {
          held ??= await holdNew();
          const record = await seal(parcel, scope, held.id, expiresAt);
          // It was wiped while it was sealed.
          if (asked === latest) await set(held.id, record, database());
        } catch {
          // The one before must not come back in its place.
          await empty();
        }
      }, undefined);
    },
    wipe,
    close() {
      closed = true;
      clearTimeout(timer);
      const left = queue.then(letGo);
      queue = left;
      leaving.add(left);
      void left.then(() => leaving.delete(left));
    },
  };
}

/** A record that belongs to one outbox, until it lets go of it. */
interface Held {
  readonly id: string;
  readonly release: () => void;
}

/** Those of this document, for browsers without locks. */
const heldHere = new Set<string>();

/** Null where another element, or a copy of the tab, has it. */
async function hold(id: string): Promise<Held | null> {
  if (!('locks' in navigator)) {
    if (heldHere.has(id)) return null;
    heldHere.add(id);
    return { id, release: () => heldHere.delete(id) };
  }
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), LOCK_PATIENCE);
  return new Promise((resolve) => {
    navigator.locks
      .request(PREFIX + id, { signal: patience.signal }, () => {
        clearTimeout(timer);
        return new Promise<void>((release) => {
          resolve({ id, release });
        });
      })
      .catch(() => {
        resolve(null);
      });
  });
}

async function holdNew(): Promise<Held> {
  const held = await hold(crypto.randomUUID());
  if (!held) throw new Error('no lock');
  return held;
}

/** The newest parcel that this tab left for the scope. Older ones are wiped, and so is what cannot be read. */
async function findParcel(
  scope: string,
  time: number,
  lifetime: number,
): Promise<{ readonly held: Held; readonly parcel: Parcel; readonly expiresAt: number } | null> {
  let newest: Awaited<ReturnType<typeof findParcel>> = null;
  for (const id of saltedIds()) {
    const held = await hold(id);
    if (!held) continue;
    let found: Parcel | 'other-scope' | null = null;
    let expiresAt = 0;
    try {
      const record = await get<Sealed>(id, database());
      expiresAt = record?.expiresAt ?? 0;
      // A clock that was set back would keep it for longer than was promised.
      const lives = time < expiresAt && expiresAt <= time + lifetime;
      found = record && lives ? await unseal(record, scope, id) : null;
    } catch {
      // Tampered with, or of a key that the browser has lost.
    }
    if (found === 'other-scope') {
      held.release();
    } else if (found && expiresAt > (newest?.expiresAt ?? 0)) {
      if (newest) await remove(newest.held.id).finally(newest.held.release);
      newest = { held, parcel: found, expiresAt };
    } else {
      await remove(id).finally(held.release);
    }
  }
  return newest;
}

/** Wipes what has expired, of any tab. */
async function sweep(time: number): Promise<void> {
  for (const [id, record] of await entries<string, Partial<Sealed> | undefined>(database())) {
    // Written so that what is no record is wiped as well.
    if (!((record?.expiresAt ?? 0) > time)) await remove(id);
  }
}

async function remove(id: string): Promise<void> {
  forgetSalt(id);
  await del(id, database());
}

const saltedIds = (): string[] =>
  Object.keys(sessionStorage).flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));

function forgetSalt(id: string): void {
  try {
    sessionStorage.removeItem(PREFIX + id);
  } catch {
    // Where storage is forbidden there is no salt either.
  }
}

function readSalt(id: string): Uint8Array<ArrayBuffer> | null {
  const text = sessionStorage.getItem(PREFIX + id);
  return text === null ? null : Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The key of one record; both halves are needed, that of the database and that of the tab. */
function deriveKey(master: CryptoKey, salt: Uint8Array<ArrayBuffer>, id: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: new TextEncoder().encode(PREFIX + id) },
    master,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

/** What lies outside of the seal cannot be changed either. */
const cipherOf = (id: string, expiresAt: number, iv: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: new TextEncoder().encode(`${id} ${expiresAt}`),
});

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes));

async function seal(parcel: Parcel, scope: string, id: string, expiresAt: number): Promise<Sealed> {
  const { photos, ...words } = parcel;
  const blobs = [...photos.values()];
  const label: Label = {
    ...words,
    version: VERSION,
    scope,
    photos: blobs.map(({ photo, blob: { type, size } }) => ({ photo, type, size })),
  };
  const text = new TextEncoder().encode(JSON.stringify(label));
  const length = new Uint32Array([text.length]);
  const plain = await new Blob([length, text, ...blobs.map(({ blob }) => blob)]).arrayBuffer();
  const master = await crypto.subtle.importKey('raw', random(32), 'HKDF', false, ['deriveKey']);
  // The same for the next parcel, so that no moment of replacing one leaves a record without its salt.
  const salt = readSalt(id) ?? random(32);
  sessionStorage.setItem(PREFIX + id, String.fromCharCode(...salt));
  const iv = random(12);
  const key = await deriveKey(master, salt, id);
  const sealed = await crypto.subtle.encrypt(cipherOf(id, expiresAt, iv), key, plain);
  return { master, expiresAt, iv, sealed };
}

/** @throws Error where the key is another or anything was changed */
async function unseal(record: Sealed, scope: string, id: string): Promise<Parcel | 'other-scope' | null> {
  const { master, expiresAt, iv, sealed } = record;
  const salt = readSalt(id);
  if (!salt) return null;
  const key = await deriveKey(master, salt, id);
  const plain = await crypto.subtle.decrypt(cipherOf(id, expiresAt, iv), key, sealed);
  const [length = 0] = new Uint32Array(plain, 0, 1);
  let at = Uint32Array.BYTES_PER_ELEMENT + length;
  const text = new TextDecoder().decode(new Uint8Array(plain, Uint32Array.BYTES_PER_ELEMENT, length));
  // As it was written, because the seal is whole.
  const label = JSON.parse(text) as Label;
  if (label.version !== VERSION) return null;
  if (label.scope !== scope) return 'other-scope';
  const photos = new Map<Step, { photo: Photo; blob: Blob }>();
  for (const { photo, type, size } of label.photos) {
    photos.set(photo.step, { photo, blob: new Blob([plain.slice(at, (at += size))], { type }) });
  }
  const { refNumber, submissionKey, steps } = label;
  return { refNumber, submissionKey, steps, photos };
}

/** The promise's value, or another one where it takes longer, ms. */
function within<T>(milliseconds: number, promise: Promise<T>, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, otherwise);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
