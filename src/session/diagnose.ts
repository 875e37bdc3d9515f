import { simd } from 'wasm-feature-detect';
import type { Rung } from '../domain/ladder.ts';
import { CaptureError, type ErrorCode } from '../domain/result.ts';
import { kindNameOf, listLenses, virtualCameraOf, type Lens } from './lenses.ts';
import { policyAllowsCamera, surroundings, type Surroundings } from './surroundings.ts';

/** What came of one file of the assets folder. */
interface AssetDiagnosis {
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

/** Something that the page's Content-Security-Policy stopped. */
interface ViolationDiagnosis {
  readonly directive: string;
  /** The origin, or the policy's own word such as `inline` or `wasm-eval`. */
  readonly blocked: string;
  /** The script's name and line, or empty. */
  readonly source: string;
}

/** A camera without its label: that may hold its owner's name, as in "Budi's iPhone Camera". */
interface CameraDiagnosis extends Pick<Lens, 'facing' | 'megapixels'> {
  /** `several` lenses behind one name, or a `special` one: wide, tele, macro. */
  readonly lens: ReturnType<typeof kindNameOf>;
  /** The known program whose camera it is, such as `OBS`. */
  readonly virtual: string | null;
}

/** What a developer or a help desk wants to know where a capture does not work. Holds no name, label, path or id. */
export interface Diagnosis {
  readonly rung: Rung;
  readonly secureContext: boolean;
  readonly inFrame: boolean;
  readonly surroundings: Surroundings;
  readonly permission: PermissionState | 'unknown';
  readonly permissionPolicy: 'allowed' | 'forbidden' | 'unknown';
  readonly mediaDevices: boolean;
  /** All null until the camera was allowed once. */
  readonly cameras: readonly CameraDiagnosis[];
  /** WebGL 2 on the page, and on the canvas that a worker uses. */
  readonly webgl: { readonly page: boolean; readonly worker: boolean; readonly renderer: string | null };
  /** The page may compile WebAssembly; false where its policy has no `wasm-unsafe-eval`, too. */
  readonly wasm: boolean;
  readonly simd: boolean;
  readonly workers: boolean;
  /** The analysis was started on its rung and ended again; null where nobody asked for that. */
  readonly analysis: {
    readonly started: boolean;
    readonly code: ErrorCode | null;
    readonly message: string;
    readonly ms: number;
  } | null;
  /** IndexedDB takes a database; null where it was not tried, because the page wants nothing kept. */
  readonly storage: boolean | null;
  /** WebCrypto is there. */
  readonly crypto: boolean;
  readonly online: boolean;
  /** Where the browser keeps them, those before the diagnosis as well (Chromium). */
  readonly csp: readonly ViolationDiagnosis[];
  readonly assets: readonly AssetDiagnosis[];
}

/** Options of `diagnose`. */
export interface DiagnoseOptions {
  /** Absolute URL of the folder with worker, WASM and models; ends with a slash. */
  readonly assetsBase: URL;
  /** Of manifest.json, `sha256-` and base64; null checks it against nothing. */
  readonly integrity: string | null;
  /** The rung that the session is on, or would begin with. */
  readonly rung: Rung;
  /** Starts the analysis on that rung and ends it again; rejects where it does not start. null leaves it out. */
  readonly startAnalysis: ((signal: AbortSignal) => Promise<void>) | null;
  /** The page lets photos be kept, so a database may be made and deleted. */
  readonly mayStore: boolean;
  readonly signal: AbortSignal;
}

/** What a question to the browser may take, ms; some never answer, such as a blocked database. */
const ANSWER_MS = 3000;

/** A file of which nothing more has come for this long is given up, ms: slow is no fault, silent is. */
const SILENCE_MS = 20_000;

const MANIFEST = 'manifest.json';
const WORKER = 'worker.js';

/** The shortest module there is: its magic number and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Looks at everything that a capture needs. Never asks for permission, never rejects. */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { rung, startAnalysis, mayStore, signal } = options;
  const violations = watchViolations();
  const [permission, cameras, hasSimd, storage, assets] = await Promise.all([
    answer<Diagnosis['permission']>(askPermission, 'unknown'),
    answer(listLenses, []),
    answer(simd, false),
    mayStore ? answer(tryStorage, false) : null,
    fetchAll(options),
  ]);
  const analysis = startAnalysis ? await tryAnalysis(startAnalysis, signal) : null;
  const allowed = policyAllowsCamera();
  return {
    rung,
    secureContext: isSecureContext,
    inFrame: window !== window.top,
    surroundings: surroundings(),
    permission,
    permissionPolicy: allowed === null ? 'unknown' : allowed ? 'allowed' : 'forbidden',
    mediaDevices: hasMediaDevices(),
    cameras: cameras.map(diagnoseCamera),
    webgl: lookAtWebGl(),
    wasm: mayCompile(),
    simd: hasSimd,
    workers: typeof Worker !== 'undefined',
    analysis,
    storage,
    crypto: hasCrypto(),
    online: navigator.onLine,
    // The last, because each of the others may have been stopped.
    csp: await violations(),
    assets,
  };
}

/** The answer to a question, or the other one where it fails or does not come. */
function answer<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  const late = new Promise<T>((resolve) => setTimeout(resolve, ANSWER_MS, otherwise));
  const asked = Promise.resolve()
    .then(ask)
    .catch(() => otherwise);
  return Promise.race([asked, late]);
}

async function askPermission(): Promise<PermissionState> {
  // TypeScript's list of names has no camera, and Firefox refused it for long.
  const { state } = await navigator.permissions.query({ name: 'camera' });
  return state;
}

const diagnoseCamera = (lens: Lens): CameraDiagnosis => ({
  facing: lens.facing,
  megapixels: lens.megapixels,
  lens: kindNameOf(lens),
  virtual: virtualCameraOf(lens.label),
});

function tryStorage(): Promise<boolean> {
  const name = 'kyc-capture-diagnosis';
  return new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => resolve(false);
    opening.onsuccess = () => {
      opening.result.close();
      indexedDB.deleteDatabase(name);
      resolve(true);
    };
  });
}

// lib.dom says that both are always there; outside a secure context they are not.
const hasMediaDevices = (): boolean => (navigator.mediaDevices as MediaDevices | undefined) !== undefined;
const hasCrypto = (): boolean => (crypto.subtle as SubtleCrypto | undefined) !== undefined;

function mayCompile(): boolean {
  try {
    return new WebAssembly.Module(EMPTY_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

function lookAtWebGl(): Diagnosis['webgl'] {
  const look = (create: () => HTMLCanvasElement | OffscreenCanvas): WebGL2RenderingContext | null => {
    try {
      return create().getContext('webgl2');
    } catch {
      return null;
    }
  };
  const page = look(() => document.createElement('canvas'));
  const worker = look(() => new OffscreenCanvas(1, 1));
  const info = page?.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = info && page?.getParameter(info.UNMASKED_RENDERER_WEBGL);
  // A browser has few contexts to give.
  for (const context of [page, worker]) context?.getExtension('WEBGL_lose_context')?.loseContext();
  return {
    page: page !== null,
    worker: worker !== null,
    renderer: typeof renderer === 'string' ? renderer : null,
  };
}

async function tryAnalysis(
  start: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<Diagnosis['analysis']> {
  const began = performance.now();
  const since = (): number => Math.round(performance.now() - began);
  try {
    await start(signal);
    return { started: true, code: null, message: '', ms: since() };
  } catch (error) {
    const { code, message } = error instanceof CaptureError ? error : { code: null, message: nameOf(error) };
    return { started: false, code, message, ms: since() };
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/** What of a file the folder's manifest says. */
interface Entry {
  readonly sha256: string | null;
}

/** One after the other, so that each one's time is its own. */
async function fetchAll({
  assetsBase,
  integrity,
  signal,
}: DiagnoseOptions): Promise<readonly AssetDiagnosis[]> {
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
        return [file, { sha256: isEntry ? String(entry.sha256) : null }];
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
    content = await readBody(response, patience);
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
  if (file.endsWith('.wasm')) return 'WebAssembly';
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

/** What a report or an event says of a violation. */
interface Violation {
  readonly effectiveDirective: string;
  readonly blockedURI?: string;
  readonly blockedURL?: string | null;
  readonly sourceFile?: string | null;
  readonly lineNumber?: number | null;
}

/** Chromium's; TypeScript's libraries lack it. */
interface ReportingObserverLike {
  observe(): void;
  takeRecords(): readonly { readonly body: Violation | null }[];
  disconnect(): void;
}

/** Notes violations from now on, and earlier ones where the browser has kept them. @returns ends it, with all of them */
function watchViolations(): () => Promise<readonly ViolationDiagnosis[]> {
  const found = new Map<string, ViolationDiagnosis>();
  const note = (violation: Violation): void => {
    const { effectiveDirective: directive, blockedURI, blockedURL, sourceFile, lineNumber } = violation;
    const blocked = originOf(blockedURI ?? blockedURL ?? '');
    const [name = ''] = /[^/?#]+\.m?js(?=$|[?#])/.exec(sourceFile ?? '') ?? [];
    const source = name && `${name}:${lineNumber ?? 0}`;
    found.set([directive, blocked, source].join(' '), { directive, blocked, source });
  };
  document.addEventListener('securitypolicyviolation', note);
  const { ReportingObserver: Observer } = window as unknown as {
    readonly ReportingObserver?: new (
      callback: (reports: readonly { readonly body: Violation | null }[]) => void,
      options: { readonly types: readonly string[]; readonly buffered: boolean },
    ) => ReportingObserverLike;
  };
  const noteAll = (reports: readonly { readonly body: Violation | null }[]): void => {
    for (const { body } of reports) if (body) note(body);
  };
  const observer = Observer ? new Observer(noteAll, { types: ['csp-violation'], buffered: true }) : null;
  observer?.observe();
  return async () => {
    // They are told a moment after what was stopped.
    await new Promise((resolve) => setTimeout(resolve, 50));
    noteAll(observer?.takeRecords() ?? []);
    observer?.disconnect();
    document.removeEventListener('securitypolicyviolation', note);
    return [...found.values()];
  };
}

/** Paths may hold what is personal. */
function originOf(blocked: string): string {
  if (!blocked.includes(':')) return blocked;
  try {
    const { origin, protocol } = new URL(blocked);
    return origin === 'null' ? protocol : origin;
  } catch {
    return '';
  }
}
