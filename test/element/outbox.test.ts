import { createStore, entries, get, set } from 'idb-keyval';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Photo } from '../../src/domain/journey.ts';
import { createOutbox, type Outbox, type OutboxOptions, type Parcel } from '../../src/session/outbox.ts';

/* Photos that wait, in the browser's own database. A reload is a new outbox with the same tab storage. */

const REF = 'SPECIMEN-REF-0001';
const LIFETIME = 15 * 60_000;
const store = createStore('kyc-capture', 'outbox');
const records = () => entries<string, Record<string, unknown>>(store);
const salts = (): string[] => Object.keys(sessionStorage).filter((name) => name.startsWith('kyc-capture'));

let clock = Date.now();
let outboxes: Outbox[] = [];
const open = (changes: Partial<OutboxOptions> = {}): Outbox => {
  const options = { scope: 'one', lifetime: LIFETIME, onExpired: () => undefined, now: () => clock };
  const outbox = createOutbox({ ...options, ...changes });
  outboxes.push(outbox);
  return outbox;
};

const photoOf = (step: Photo['step']): Photo => ({
  step,
  width: 600,
  height: 640,
  bytes: 5000,
  encodes: 1,
  rung: 'worker' as const,
  issues: [{ code: 'blurred', value: 0.2, threshold: 0.3, unit: 'ratio' }],
});
/** Looks like a JPEG, with its mark all over. */
const jpeg = (seed: number): Blob =>
  new Blob([Uint8Array.from({ length: 5000 }, (_, at) => [0xff, 0xd8, 0xff, seed][at % 4] ?? 0)], {
    type: 'image/jpeg',
  });
const parcel = (changes: Partial<Parcel> = {}): Parcel => ({
  refNumber: REF,
  submissionKey: 'SPECIMEN-SUBMISSION-KEY',
  steps: ['selfie', 'ktp'],
  photos: new Map([
    ['selfie', { photo: photoOf('selfie'), blob: jpeg(1) }],
    ['ktp', { photo: photoOf('ktp'), blob: jpeg(2) }],
  ]),
  ...changes,
});
/** A parcel as data that can be compared. */
async function told({ photos, ...words }: Parcel): Promise<unknown> {
  const pictures = await Promise.all(
    [...photos].map(async ([step, { photo, blob }]) => [step, photo, blob.type, [...(await bytesOf(blob))]]),
  );
  return { ...words, pictures };
}
const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
const settled = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 50));

beforeEach(() => {
  clock = Date.now();
  sessionStorage.clear();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const outbox of outboxes) {
    await outbox.wipe();
    outbox.close();
  }
  outboxes = [];
  clock = Infinity;
  await open().wipe();
  sessionStorage.clear();
  expect(await records()).toEqual([]);
});

test('a parcel comes back after a reload, as it was, and again after the next', async () => {
  const kept = parcel();
  const first = open();
  expect(await first.restore()).toBeNull();
  await first.keep(kept);
  for (let reload = 0; reload < 2; reload++) {
    outboxes.at(-1)?.close();
    const found = await open().restore();
    expect(await told(found ?? parcel({ refNumber: 'none' }))).toEqual(await told(kept));
  }
});

test('the last parcel counts, and lies there alone', async () => {
  const outbox = open();
  for (const submissionKey of ['SPECIMEN-KEY-ONE', 'SPECIMEN-KEY-TWO', 'SPECIMEN-KEY-END']) {
    void outbox.keep(parcel({ submissionKey }));
  }
  await outbox.keep(parcel({ submissionKey: 'SPECIMEN-KEY-OUT', steps: ['selfie'] }));
  expect(await records()).toHaveLength(1);
  expect(salts()).toHaveLength(1);
  outbox.close();
  expect(await open().restore()).toMatchObject({ submissionKey: 'SPECIMEN-KEY-OUT', steps: ['selfie'] });
});

test('another tab, which has no salt, gets nothing and takes nothing away', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  outbox.close();
  const mine = salts().map((name) => [name, sessionStorage.getItem(name) ?? ''] as const);
  sessionStorage.clear();
  expect(await open().restore()).toBeNull();
  expect(await records()).toHaveLength(1);
  for (const [name, value] of mine) sessionStorage.setItem(name, value);
  expect(await open().restore()).not.toBeNull();
});

test('a second element and a copy of the tab get nothing while the first has it', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  expect(await open().restore()).toBeNull();
  expect(await records()).toHaveLength(1);
  outbox.close();
  expect(await open().restore()).toMatchObject({ refNumber: REF });
});

test('the same without Web Locks', async () => {
  const { locks } = navigator;
  // Deleted from the prototype, where the property is.
  const described = Object.getOwnPropertyDescriptor(Navigator.prototype, 'locks');
  Reflect.deleteProperty(Navigator.prototype, 'locks');
  try {
    expect('locks' in navigator).toBe(false);
    const outbox = open();
    await outbox.keep(parcel());
    expect(await open().restore()).toBeNull();
    outbox.close();
    await settled();
    expect(await open().restore()).toMatchObject({ refNumber: REF });
  } finally {
    if (described) Object.defineProperty(Navigator.prototype, 'locks', described);
  }
  expect(navigator.locks).toBe(locks);
});

test('two elements of different scopes keep apart', async () => {
  const [one, other] = [open(), open({ scope: 'other' })];
  await one.keep(parcel());
  await other.keep(parcel({ refNumber: 'SPECIMEN-OTHER' }));
  one.close();
  other.close();
  expect(await open({ scope: 'third' }).restore()).toBeNull();
  expect(await open({ scope: 'other' }).restore()).toMatchObject({ refNumber: 'SPECIMEN-OTHER' });
  expect(await open().restore()).toMatchObject({ refNumber: REF });
});

test('one that is closed before it has looked holds up nobody', async () => {
  // A page that sets its attributes one after the other asks for one submission, then for another.
  const early = open();
  const looking = early.restore();
  void early.wipe();
  early.close();
  expect(await looking).toBeNull();
  const outbox = open({ scope: 'two' });
  await outbox.keep(parcel());
  outbox.close();
  expect(await open({ scope: 'two' }).restore()).not.toBeNull();
});

test('of several parcels of one scope the newest counts; the others are wiped', async () => {
  for (const submissionKey of ['SPECIMEN-KEY-OLD', 'SPECIMEN-KEY-NEW']) {
    const outbox = open();
    await outbox.keep(parcel({ submissionKey }));
    outbox.close();
    clock += 1000;
  }
  expect(await records()).toHaveLength(2);
  expect(await open().restore()).toMatchObject({ submissionKey: 'SPECIMEN-KEY-NEW' });
  expect(await records()).toHaveLength(1);
});

const flipBit = (bytes: Uint8Array, at: number): void => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
};
const TAMPERED: [string, (record: Record<string, unknown>) => void][] = [
  ['one bit of the ciphertext', ({ sealed }) => flipBit(new Uint8Array(sealed as ArrayBuffer), 99)],
  ['its last byte', (record) => (record['sealed'] = (record['sealed'] as ArrayBuffer).slice(0, -1))],
  ['the iv', ({ iv }) => flipBit(iv as Uint8Array, 0)],
  ['a later expiry', (record) => (record['expiresAt'] = Number(record['expiresAt']) - 1)],
  ['an expiry of years', (record) => (record['expiresAt'] = Number(record['expiresAt']) + 1e12)],
  ['no key', (record) => delete record['master']],
  ['nothing at all', (record) => Object.keys(record).forEach((name) => Reflect.deleteProperty(record, name))],
];
test.each(TAMPERED)('a record with %s is wiped', async (_, tamper) => {
  const outbox = open();
  await outbox.keep(parcel());
  outbox.close();
  const [[id, record] = ['', {}]] = await records();
  tamper(record);
  await set(id, record, store);
  expect(await open().restore()).toBeNull();
  expect([await records(), salts()]).toEqual([[], []]);
});

test('a record with the key of another parcel is wiped', async () => {
  const [one, other] = [open(), open()];
  await one.keep(parcel());
  await other.keep(parcel());
  outboxes.forEach((outbox) => outbox.close());
  const [[id, record] = ['', {}], [, foreign] = ['', {}]] = await records();
  await set(id, { ...record, master: foreign['master'] }, store);
  await open().restore();
  expect((await records()).map(([left]) => left)).not.toContain(id);
});

test('nothing personal lies open: neither ref number nor photo, and the key cannot be had', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  const [[id, record] = ['', {}]] = await records();
  expect(Object.keys(record).sort()).toEqual(['expiresAt', 'iv', 'master', 'sealed']);
  const sealed = new Uint8Array(record['sealed'] as ArrayBuffer);
  const text = Array.from(sealed, (byte) => String.fromCharCode(byte)).join('');
  for (const [what, trace] of [
    ['JPEG', '\xff\xd8\xff\x01'],
    ['ref number', REF],
    ['submission key', 'SPECIMEN-SUBMISSION-KEY'],
    ['issue', 'blurred'],
  ] as const) {
    expect([what, text.includes(trace)]).toEqual([what, false]);
    expect([what, JSON.stringify([id, sessionStorage]).includes(trace)]).toEqual([what, false]);
  }
  // 10,000 bytes of photos beside their label and the seal.
  expect(sealed.length).toBeGreaterThan(10_000);
  const master = record['master'] as CryptoKey;
  expect([master.extractable, master.algorithm.name, master.usages]).toEqual([false, 'HKDF', ['deriveKey']]);
  await expect(crypto.subtle.exportKey('raw', master)).rejects.toThrow();
});

test('every parcel has a key of its own', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  const first = (await records())[0]?.[1];
  await outbox.keep(parcel());
  const second = (await records())[0]?.[1];
  expect(first?.['iv']).not.toEqual(second?.['iv']);
  // The first ciphertext cannot be read any more.
  const [id] = (await records())[0] ?? [''];
  await set(id, { ...second, sealed: first?.['sealed'], iv: first?.['iv'] }, store);
  outbox.close();
  expect(await open().restore()).toBeNull();
});

test('its time ends: it is wiped, and the page is told once', async () => {
  const onExpired = vi.fn();
  const outbox = open({ lifetime: 40, now: Date.now, onExpired });
  await outbox.keep(parcel());
  await vi.waitFor(() => expect(onExpired).toHaveBeenCalledOnce());
  await vi.waitFor(async () => expect([await records(), salts()]).toEqual([[], []]));
  await settled();
  expect(onExpired).toHaveBeenCalledOnce();
  outbox.close();
  expect(await open().restore()).toBeNull();
});

test('its time goes on over a reload, and is not begun anew', async () => {
  const outbox = open({ lifetime: 400, now: Date.now });
  await outbox.keep(parcel());
  const expiresAt = (await records())[0]?.[1]['expiresAt'];
  outbox.close();
  const onExpired = vi.fn();
  expect(await open({ lifetime: 400, now: Date.now, onExpired }).restore()).not.toBeNull();
  expect((await records())[0]?.[1]['expiresAt']).toBe(expiresAt);
  await vi.waitFor(() => expect(onExpired).toHaveBeenCalledOnce(), 3000);
  await vi.waitFor(async () => expect(await records()).toEqual([]));
});

test('what is closed or wiped does not expire', async () => {
  const onExpired = vi.fn();
  const [one, other] = [0, 1].map(() => open({ lifetime: 30, now: Date.now, onExpired }));
  await Promise.all([one?.keep(parcel()), other?.keep(parcel())]);
  one?.close();
  await other?.wipe();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(onExpired).not.toHaveBeenCalled();
});

test('the next outbox of any tab sweeps what has expired, and nothing else', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  outbox.close();
  sessionStorage.clear();
  await set('rubbish', 'no record', store);
  const lives = open({ lifetime: 2 * LIFETIME });
  await lives.keep(parcel({ refNumber: 'SPECIMEN-LIVES' }));
  clock += LIFETIME + 1;
  await open({ scope: 'somebody' }).restore();
  expect(await records()).toHaveLength(1);
  lives.close();
  expect(await open({ lifetime: 2 * LIFETIME }).restore()).toMatchObject({ refNumber: 'SPECIMEN-LIVES' });
});

test('a wipe after a keep that is under way leaves nothing, at whatever moment it comes', async () => {
  for (let wait = 0; wait < 12; wait++) {
    const outbox = open();
    const keeping = outbox.keep(parcel());
    for (let tick = 0; tick < wait; tick++) {
      await (wait % 2 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve)));
    }
    await Promise.all([outbox.wipe(), keeping]);
    expect([await records(), salts()]).toEqual([[], []]);
    // And it can be used again.
    await outbox.keep(parcel());
    expect(await records()).toHaveLength(1);
    await outbox.wipe();
    expect([await records(), salts()]).toEqual([[], []]);
  }
});

test('a wipe while it is being restored gives nothing back', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  outbox.close();
  const next = open();
  const restoring = next.restore();
  await next.wipe();
  expect(await restoring).toBeNull();
  expect([await records(), salts()]).toEqual([[], []]);
});

test('an element that is moved on the page finds what it was just keeping', async () => {
  const outbox = open();
  void outbox.keep(parcel());
  outbox.close();
  expect(await open().restore()).toMatchObject({ refNumber: REF });
});

const FAULTS: [string, () => void][] = [
  [
    'a full disk',
    () => {
      vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
        throw new DOMException('full', 'QuotaExceededError');
      });
    },
  ],
  [
    'no database',
    () => {
      vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
        throw new DOMException('closing', 'InvalidStateError');
      });
    },
  ],
  [
    'no storage for the tab',
    () => {
      vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
        throw new DOMException('forbidden', 'SecurityError');
      });
    },
  ],
  [
    'keys that the database does not take',
    () => {
      vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
        throw new DOMException('could not be cloned', 'DataCloneError');
      });
    },
  ],
  ['no cryptography', () => void vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new Error('none'))],
];
test.each(FAULTS)(
  '%s: nothing throws, nothing is stored, and the one before does not come back',
  async (_, fail) => {
    const outbox = open();
    await outbox.keep(parcel({ submissionKey: 'SPECIMEN-KEY-OLD' }));
    fail();
    await outbox.keep(parcel());
    vi.restoreAllMocks();
    outbox.close();
    expect(await open().restore()).toBeNull();
    expect(salts()).toEqual([]);
  },
);

test('a database that never answers holds nobody; what it does later leaves nothing', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  // A transaction that goes on and on blocks every other one.
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open('kyc-capture');
    request.onsuccess = () => resolve(request.result);
  });
  let blocks = true;
  const blocker = database.transaction('outbox', 'readwrite');
  const busy = blocker.objectStore('outbox');
  const ended = new Promise((resolve) => (blocker.oncomplete = resolve));
  const spin = (): void => {
    if (blocks) busy.get('nothing').onsuccess = spin;
  };
  spin();
  const onExpired = vi.fn();
  const blocked = open({ scope: 'other', onExpired });
  expect(await blocked.restore()).toBeNull();
  await blocked.keep(parcel({ refNumber: 'SPECIMEN-BLOCKED' }));
  await Promise.all([blocked.wipe(), outbox.wipe()]);
  // Nothing is readable from here on, whatever still lies on the disk.
  expect(salts()).toEqual([]);
  blocks = false;
  await ended;
  database.close();
  await vi.waitFor(async () => expect([await records(), salts()]).toEqual([[], []]), 3000);
});

test('a slow database that finds the parcel too late wipes it', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  outbox.close();
  await settled();
  let answers: (() => void) | undefined;
  const real = crypto.subtle.deriveKey.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, 'deriveKey').mockImplementation(async (...asked) => {
    await new Promise<void>((resolve) => (answers = resolve));
    return real(...asked);
  });
  expect(await open().restore()).toBeNull();
  answers?.();
  await vi.waitFor(async () => expect([await records(), salts()]).toEqual([[], []]), 3000);
});

test('the record of a parcel is what the id in the tab names', async () => {
  const outbox = open();
  await outbox.keep(parcel());
  const [name = ''] = salts();
  expect(await get(name.slice('kyc-capture-outbox:'.length), store)).toBeDefined();
});
