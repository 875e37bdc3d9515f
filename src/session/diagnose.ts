import { simd } from 'wasm-feature-detect';
import type { Analyser } from '../analysis/analyser.ts';
import type { Rung } from '../domain/ladder.ts';
import { CaptureError, type ErrorCode } from '../domain/result.ts';
import { type AssetDiagnosis, type AssetsToLookAt, fetchAll, hasCrypto } from './diagnose-assets.ts';
import { kindNameOf, listLenses, virtualCameraOf, type Lens } from './lenses.ts';
import { policyAllowsCamera, surroundings, type Surroundings } from './surroundings.ts';

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
  /** How often on this page the slim runtime lacked something, and the full one took its place. */
  readonly traps: number;
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
export interface DiagnoseOptions extends AssetsToLookAt {
  /** The rung that the session is on, or would begin with. */
  readonly rung: Rung;
  /** How many there are so far; asked for once the analysis was started. */
  readonly traps: () => number;
  /** Starts the analysis on that rung and ends it again; rejects where it does not start. null leaves it out. */
  readonly startAnalysis: ((signal: AbortSignal) => Promise<void>) | null;
  /** The page lets photos be kept, so a database may be made and deleted. */
  readonly mayStore: boolean;
}

/** What a question to the browser may take, ms; some never answer, such as a blocked database. */
const ANSWER_MS = 3000;

/** The shortest module there is: its magic number and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Looks at everything that a capture needs. Never asks for permission, never rejects. */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { rung, traps, startAnalysis, mayStore, signal } = options;
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
    traps: traps(),
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

// lib.dom says that it is always there; outside a secure context it is not.
const hasMediaDevices = (): boolean => (navigator.mediaDevices as MediaDevices | undefined) !== undefined;

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

/** Starts an analysis, shows it one picture, and ends it. Rejects as it does. */
export async function tryOut(analyser: Analyser): Promise<void> {
  try {
    await analyser.open(() => undefined);
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
    canvas.getContext('2d')?.fillRect(0, 0, 64, 64);
    const guide = { x: 0, y: 0, width: 64, height: 64 };
    await analyser.analyse(await createImageBitmap(canvas), 'face', guide, 0, 'glance');
  } finally {
    analyser.close();
  }
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
