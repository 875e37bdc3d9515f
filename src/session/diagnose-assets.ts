/** What came of one file of the assets folder. */
export interface AssetDiagnosis {
  readonly file: string;
  /** HTTP status; null where no answer came, or none in time. */
  readonly status: number | null;
  /** What the server calls it; empty where it says nothing. */
  readonly type: string;
  /** Bytes that arrived, unpacked. */
  readonly bytes: number;
  /** Against the manifest, or the manifest against the build; `unknown` where there is nothing to hold it against. */
  readonly hash: 'right' | 'wrong' | 'unknown';
  /** From the request to its last byte, ms; a browser's cache answers at once. */
  readonly ms: number;
  /** What is wrong with it, in English, or null. */
  readonly trouble: string | null;
}

/** The folder to look at. */
export interface AssetsToLookAt {
  /** Absolute URL of the folder with worker, WASM and models; ends with a slash. */
  readonly assetsBase: URL;
  /** Of manifest.json, `sha256-` and base64; null checks it against nothing. */
  readonly integrity: string | null;
  /** Ends the look with what is known by then. */
  readonly signal: AbortSignal;
}

/** A file of which nothing more has come for this long is given up, ms: slow is no fault, silent is. */
const SILENCE_MS = 20_000;

const MANIFEST = 'manifest.json';
const WORKER = 'worker.js';

/** lib.dom says that it is always there; outside a secure context it is not. */
export const hasCrypto = (): boolean => (crypto.subtle as SubtleCrypto | undefined) !== undefined;

/** What of a file the folder's manifest says. */
interface Entry {
  readonly sha256: string | null;
}

/** The first bytes of a compressed file. */
const GZIP = [0x1f, 0x8b];

/** Looks at every file of the folder, one after the other, so that each one's time is its own. */
export async function fetchAll({
  assetsBase,
  integrity,
  signal,
}: AssetsToLookAt): Promise<readonly AssetDiagnosis[]> {
  const manifest = await fetchOne(assetsBase, MANIFEST, hexOfIntegrity(integrity), signal);
  const diagnoses = [manifest.diagnosis];
  const entries = readManifest(manifest.content);
  if (!entries)
    diagnoses[0] = { ...manifest.diagnosis, trouble: manifest.diagnosis.trouble ?? 'it is not JSON' };
  // Older folders do not list it.
  const files = new Map<string, Entry>([[WORKER, { sha256: null }], ...(entries ?? [])]);
  for (const [file, { sha256 }] of files)
    diagnoses.push((await fetchOne(assetsBase, file, sha256, signal)).diagnosis);
  return diagnoses;
}

function readManifest(content: ArrayBuffer | null): ReadonlyMap<string, Entry> | null {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(content ?? new ArrayBuffer()));
    if (typeof parsed !== 'object' || parsed === null) return null;
    return new Map(
      Object.entries(parsed).map(([file, entry]: [string, unknown]) => {
        const isEntry = typeof entry === 'object' && entry !== null && 'sha256' in entry;
        // As the analysis asks for it.
        const isPacked = isEntry && 'gzip' in entry && 'DecompressionStream' in window;
        return [isPacked ? `${file}.gz` : file, { sha256: isEntry ? String(entry.sha256) : null }];
      }),
    );
  } catch {
    return null;
  }
}

async function fetchOne(
  base: URL,
  file: string,
  sha256: string | null,
  signal: AbortSignal,
): Promise<{ readonly diagnosis: AssetDiagnosis; readonly content: ArrayBuffer | null }> {
  const began = performance.now();
  let status: number | null = null;
  let type = '';
  let content: ArrayBuffer | null = null;
  const patience = listen(signal);
  try {
    const response = await patience.for(fetch(new URL(file, base), { signal: patience.signal }));
    status = response.status;
    type = response.headers.get('content-type') ?? '';
    content = await inflated(await readBody(response, patience));
  } catch {
    // Told below by what is missing: the browser does not say more to a page.
  } finally {
    patience.end();
  }
  const ms = Math.round(performance.now() - began);
  const hash = await compare(content, sha256);
  const bytes = content?.byteLength ?? 0;
  const diagnosis = { file, status, type, bytes, hash, ms };
  const trouble = patience.why() ?? troubleOf(diagnosis, content !== null);
  return { diagnosis: { ...diagnosis, trouble }, content };
}

/** Waits for what a server sends, as long as it goes on to send and the diagnosis is wanted. */
interface Patience {
  /** Aborts when the patience is over. */
  readonly signal: AbortSignal;
  /** What a promise brings. @throws Error where the patience is over before */
  for<T>(promise: Promise<T>): Promise<T>;
  /** Why it was over, in English, or null. */
  why(): string | null;
  /** Waits no longer, and lets go of what still comes. */
  end(): void;
}

function listen(wanted: AbortSignal): Patience {
  const ending = new AbortController();
  let reason: string | null = null;
  const stop = (why: string): void => {
    reason ??= why;
    ending.abort();
  };
  const unwanted = (): void => stop('the diagnosis was ended');
  if (wanted.aborted) unwanted();
  else wanted.addEventListener('abort', unwanted);
  return {
    signal: ending.signal,
    async for(promise) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const over = new Promise<never>((_, reject) => {
        const give = (): void => reject(new Error('over'));
        if (ending.signal.aborted) give();
        ending.signal.addEventListener('abort', give);
        timer = setTimeout(() => stop(`nothing came for ${SILENCE_MS / 1000} s`), SILENCE_MS);
      });
      return Promise.race([promise, over]).finally(() => clearTimeout(timer));
    },
    why: () => reason,
    end() {
      wanted.removeEventListener('abort', unwanted);
      ending.abort();
    },
  };
}

async function readBody({ body }: Response, patience: Patience): Promise<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = body?.getReader();
  for (;;) {
    const { value, done = true } = (await (reader && patience.for(reader.read()))) ?? {};
    if (done) return new Blob(parts).arrayBuffer();
    if (value) parts.push(value);
  }
}

/** What a file holds; some servers have had the browser inflate it already. */
async function inflated(content: ArrayBuffer): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(content);
  if (GZIP.some((byte, i) => bytes[i] !== byte)) return content;
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

async function compare(content: ArrayBuffer | null, sha256: string | null): Promise<AssetDiagnosis['hash']> {
  if (!content || sha256 === null || !hasCrypto()) return 'unknown';
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', content))) === sha256 ? 'right' : 'wrong';
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The hexadecimal hash that an integrity names, or null. */
function hexOfIntegrity(integrity: string | null): string | null {
  const [, base64] = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(integrity ?? '') ?? [];
  return base64 === undefined ? null : hexOf(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

/** What a file is meant to be, by its ending. */
function kindOf(file: string): string {
  if (file.endsWith('.js')) return 'a module';
  if (/\.wasm(\.gz)?$/.test(file)) return 'WebAssembly';
  return file.endsWith('.json') ? 'JSON' : 'a model';
}

function troubleOf(
  { file, status, type, hash }: Omit<AssetDiagnosis, 'trouble'>,
  isWhole: boolean,
): string | null {
  if (status === null) return 'no answer: offline, stopped by a policy, or another origin without CORS';
  if (status < 200 || status > 299) return `status ${status}`;
  if (!isWhole) return 'the answer broke off';
  const [mime = ''] = type.split(';');
  // Browsers run modules of a script's type only; the other files are read as bytes, whatever they are called.
  const isWrong = file.endsWith('.js')
    ? !/^(text|application)\/(java|ecma)script$/.test(mime)
    : mime === 'text/html';
  if (isWrong) return `${mime || 'no type'} instead of ${kindOf(file)}`;
  return hash === 'wrong' ? 'another hash than the one that was built' : null;
}
