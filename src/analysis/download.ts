import { CaptureError } from '../domain/result.ts';
import type { Begun } from './analyser.ts';
import { startWatch, type Watch } from './watch.ts';

/*
 * Files of the assets folder, each checked against its hash before anybody gets it.
 */

/** What a file has to be, as `manifest.json` says it. */
export interface FileEntry {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes of the same file compressed, which lies beside it as `NAME.gz`; absent where there is none. */
  readonly gzip?: number;
}

/** Every file of the folder by its name. */
export type Manifest = Readonly<Record<string, FileEntry>>;

/** Fetches files of one folder. A stall is one of all of them: servers may send one file after the other. */
export interface Downloads {
  /**
   * Fetches a file, compressed where it can be: few servers compress what they do not know. What fails by the network,
   * by a fault of the server or by a wrong hash (an old copy in a cache) is tried once more, as it is.
   * @param expected `bytes` is the most that may come
   * @throws CaptureError `assets-failed`
   */
  file(name: string, expected: FileEntry): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the requests under way. */
  readonly end: () => void;
}

/** Options of `startDownloads`. */
export interface DownloadOptions {
  readonly base: URL;
  /** After so long without a byte of any file the folder cannot be had, ms. */
  readonly stallAfter: number;
  /** Called with bytes that arrived; less than 0 where an attempt was for nothing. */
  readonly onBytes?: (count: number) => void;
  /** Requests that were made before; each is taken by the first attempt for its address. */
  readonly begun?: Begun | undefined;
  /** What is more urgent: answers are not read before it is settled, since inflating keeps the thread busy. */
  readonly after?: Promise<unknown>;
}

/** A pause before the second attempt, ms: a phone between two cells is back by then. */
const RETRY_AFTER = 1000;

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The SHA-256 that an integrity names (`sha256-` and base64), in hexadecimal; null where it names none. */
export function sha256In(integrity: string): string | null {
  const [, base64] = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(integrity) ?? [];
  return base64 === undefined ? null : hexOf(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

/** The file that holds another one compressed. */
export const packedName = (name: string): string => `${name}.gz`;

/** What an attempt asks for. */
interface Wanted {
  readonly name: string;
  /** The file that holds it. */
  readonly file: string;
  readonly expected: FileEntry;
  readonly cache: RequestCache;
}

/** What came of one attempt. */
type Attempt =
  { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly failure: CaptureError; readonly isFinal: boolean };

/** Opens a folder; nothing is requested yet. */
export function startDownloads({
  base,
  stallAfter,
  onBytes = () => undefined,
  begun,
  after,
}: DownloadOptions): Downloads {
  const ending = new AbortController();
  const underWay = new Set<string>();
  /** Runs while any file is under way. */
  let watch: Watch | undefined;
  const startWatching = (): Watch =>
    startWatch(stallAfter, () => {
      const names = [...underWay].join(', ');
      ending.abort(failed(names, `not a byte arrived for ${stallAfter / 1000} s`));
    });
  const stopWatching = (): void => {
    watch?.stop();
    watch = undefined;
  };

  const attempt = async ({ name, file, expected, cache }: Wanted): Promise<Attempt> => {
    let arrived = 0;
    const url = new URL(file, base);
    const early = begun?.get(url.href);
    begun?.delete(url.href);
    // Of its own, so that an attempt that fails lets go of its connection.
    const stopping = early?.stopping ?? new AbortController();
    const stop = (): void => stopping.abort(ending.signal.reason);
    ending.signal.addEventListener('abort', stop);
    const fails = (why: string, isFinal = false, cause?: unknown): Attempt => {
      onBytes(-arrived);
      stopping.abort();
      return { failure: failed(name, why, cause), isFinal };
    };
    try {
      const response = await (early?.response ?? fetch(url, { cache, signal: stopping.signal }));
      watch?.feed();
      const { status, body } = response;
      if (!response.ok || body === null) return fails(`status ${status}`, status >= 400 && status < 500);
      // A single page application answers every address with its page.
      if (response.headers.get('content-type')?.includes('text/html'))
        return fails('the server sent a page (text/html) in its place', true);
      await after;
      const counting = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          watch?.feed();
          arrived += chunk.length;
          onBytes(chunk.length);
          controller.enqueue(chunk);
        },
      });
      const reader = (await unpacked(body.pipeThrough(counting))).getReader();
      const whole = new Uint8Array(expected.bytes);
      let received = 0;
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const start = received;
        received += part.value.length;
        if (received > expected.bytes) break;
        whole.set(part.value, start);
      }
      const bytes = whole.subarray(0, received);
      if (received <= expected.bytes && (await isRight(bytes, expected))) return { bytes };
      return fails('it is not the file of this build (its hash is another)');
    } catch (cause) {
      if (ending.signal.aborted) throw ending.signal.reason;
      const elsewhere =
        base.origin === location.origin
          ? ''
          : `, or ${base.origin} does not allow this page to read it (CORS)`;
      return fails(`no answer${elsewhere}`, false, cause);
    } finally {
      ending.signal.removeEventListener('abort', stop);
    }
  };

  return {
    async file(name, expected) {
      ending.signal.throwIfAborted();
      underWay.add(name);
      watch ??= startWatching();
      try {
        const packs = expected.gzip !== undefined && typeof DecompressionStream !== 'undefined';
        const file = packs ? packedName(name) : name;
        const first = await attempt({ name, file, expected, cache: 'default' });
        if ('bytes' in first) return first.bytes;
        if (first.isFinal && !packs) throw first.failure;
        await new Promise((resolve) => setTimeout(resolve, first.isFinal ? 0 : RETRY_AFTER));
        ending.signal.throwIfAborted();
        // Past the browser's cache: after an update it may still have the file of the build before.
        const second = await attempt({ name, file: name, expected, cache: 'reload' });
        if ('bytes' in second) return second.bytes;
        throw second.failure;
      } finally {
        underWay.delete(name);
        if (underWay.size === 0) stopWatching();
      }
    },
    end() {
      ending.abort(new DOMException('The download was ended.', 'AbortError'));
    },
  };
}

/** The first bytes of everything that gzip has made. */
const GZIP = [0x1f, 0x8b];

/**
 * What a body holds, inflated where it is compressed: some servers tell the browser that a `.gz` is, which then inflates
 * it by itself.
 */
export async function unpacked(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (first.done) controller.close();
      else controller.enqueue(first.value);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const isPacked = !first.done && GZIP.every((byte, i) => first.value[i] === byte);
  return isPacked ? whole.pipeThrough(new DecompressionStream('gzip')) : whole;
}

const failed = (names: string, why: string, cause?: unknown): CaptureError =>
  new CaptureError('assets-failed', `${names} could not be loaded: ${why}. Is assets-base right?`, { cause });

async function isRight(bytes: Uint8Array<ArrayBuffer>, { sha256 }: FileEntry): Promise<boolean> {
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) === sha256.toLowerCase();
}

/** More than any manifest is long: whatever sends more sends something else. */
const MANIFEST_BYTES = 100_000;

/**
 * Fetches the list of all files, which is the only one whose hash somebody outside of the folder knows.
 * @param integrity `sha256-` and base64
 * @throws CaptureError `assets-failed`
 */
export async function fetchManifest(downloads: Downloads, integrity: string): Promise<Manifest> {
  // Browsers keep crypto.subtle from them; they have no camera either.
  if (!isSecureContext) throw failed('manifest.json', 'hashes cannot be checked on a page without https');
  const sha256 = sha256In(integrity);
  if (sha256 === null) throw failed('manifest.json', 'its integrity is not of the form sha256-BASE64');
  const bytes = await downloads.file('manifest.json', { bytes: MANIFEST_BYTES, sha256 });
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw failed('manifest.json', 'it is not JSON', cause);
  }
  if (!isManifest(manifest)) throw failed('manifest.json', 'it is no list of files with bytes and sha256');
  return manifest;
}

function isManifest(value: unknown): value is Manifest {
  const isRecord = (one: unknown): one is Record<string, unknown> => typeof one === 'object' && one !== null;
  return (
    isRecord(value) &&
    Object.values(value).every(
      (entry) =>
        isRecord(entry) &&
        typeof entry['bytes'] === 'number' &&
        typeof entry['sha256'] === 'string' &&
        ['number', 'undefined'].includes(typeof entry['gzip']),
    )
  );
}

/**
 * What the manifest says of a file.
 * @throws CaptureError `assets-failed`
 */
export function entryOf(manifest: Manifest, name: string): FileEntry {
  const entry = Object.hasOwn(manifest, name) ? manifest[name] : undefined;
  if (entry === undefined) throw failed(name, 'manifest.json does not list it');
  return entry;
}
