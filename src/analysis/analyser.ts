import { proxy, releaseProxy, transfer, wrap } from 'comlink';
import { type Box, fitLongSide, guideInPicture, scaleBox } from '../domain/geometry.ts';
import type { Observation } from '../domain/observation.ts';
import { CaptureError, type ErrorCode, type Step } from '../domain/result.ts';
import { STEP_TRAITS, type Subject } from '../domain/steps.ts';
import type { Reply, WorkerApi } from './worker.ts';

/** What the page's session asks of the analysis. One implementation runs in a module worker. */
export interface Analyser {
  /**
   * Loads runtime and models and runs one warm-up inference.
   * @param onProgress fraction 0..1 of all asset bytes that have arrived; 1 once the models are ready.
   * @throws CaptureError `assets-failed`
   */
  open(onProgress: (fraction: number) => void): Promise<void>;
  /**
   * Judges one frame. Takes ownership of the bitmap and closes it. One call at a time.
   * @param frame picture of the camera, unmirrored, long side about 640 px
   * @param subject what is looked for
   * @param guide the guide in px of `frame`
   * @param now ms, monotonic
   * @param detailed true adds the `detail` of a face, which costs a copy of it
   * @throws CaptureError `analysis-failed`
   */
  analyse(
    frame: ImageBitmap,
    subject: Subject,
    guide: Box,
    now: number,
    detailed?: boolean,
  ): Promise<Observation>;
  /** Ends the worker. May be called at any time, more than once; calls under way reject with an AbortError. */
  close(): void;
}

/** Options of `createAnalyser`. */
export interface AnalyserOptions {
  /** Absolute URL of the folder with worker.js, the WASM and the models; ends with a slash. */
  readonly assetsBase: URL;
  readonly signal: AbortSignal;
}

/** Long side of the frames that are analysed, px: enough for a far face, small enough for a cheap phone. */
const ANALYSIS_LONG_SIDE = 640;

/**
 * Judges one picture of the camera, whatever its size, with the guide where the person sees it.
 * @param frame stays the caller's
 * @param now ms, monotonic
 * @returns what was seen, and the guide in px of the analysis frame
 * @throws CaptureError `analysis-failed`
 */
export async function observe(
  analyser: Analyser,
  step: Step,
  frame: ImageBitmap,
  now: number,
  detailed = false,
): Promise<{ observation: Observation; guide: Box }> {
  const size = fitLongSide(frame, ANALYSIS_LONG_SIDE);
  const small = await createImageBitmap(frame, {
    resizeWidth: size.width,
    resizeHeight: size.height,
    resizeQuality: 'medium',
  });
  const guide = scaleBox(guideInPicture(step, frame), size.width / frame.width);
  const { subject } = STEP_TRAITS[step];
  return { observation: await analyser.analyse(small, subject, guide, now, detailed), guide };
}

const WORKER_FILE = 'worker.js';

/** The part of the Trusted Types API that is used here; TypeScript's libraries do not have it. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

let policy: { createScriptURL(url: string): string } | undefined;

/** The Worker constructor is a Trusted Types sink; a page that demands them allows the policy `kyc-capture`. */
function trusted(url: URL): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url.href;
  // Kept, because a page may forbid a second policy of the same name.
  policy ??= trustedTypes.createPolicy('kyc-capture', {
    createScriptURL: (candidate) => {
      if (!new URL(candidate).pathname.endsWith(`/${WORKER_FILE}`))
        throw new TypeError('Only the analysis worker.');
      return candidate;
    },
  });
  return policy.createScriptURL(url.href);
}

/** An analyser in a module worker of its own. The worker starts with `open`. */
export function createAnalyser({ assetsBase, signal }: AnalyserOptions): Analyser {
  let worker: Worker | undefined;
  let remote: ReturnType<typeof wrap<WorkerApi>> | undefined;
  let opened = false;
  let ended: { readonly reason: unknown } | undefined;
  const underWay = new Set<(reason: unknown) => void>();

  const end = (reason: unknown): void => {
    if (ended !== undefined) return;
    ended = { reason };
    signal.removeEventListener('abort', onAbort);
    remote?.[releaseProxy]();
    worker?.terminate();
    for (const reject of underWay) reject(reason);
    underWay.clear();
  };
  const onAbort = (): void => end(signal.reason);
  signal.addEventListener('abort', onAbort);

  const launch = (): ReturnType<typeof wrap<WorkerApi>> => {
    worker = new Worker(trusted(new URL(WORKER_FILE, assetsBase)), { type: 'module', name: 'kyc-capture' });
    const broken = (event: Event): void => {
      // Ours to report, so the browser need not write it into the page's console as well.
      event.preventDefault();
      const code: ErrorCode = opened ? 'analysis-failed' : 'assets-failed';
      end(
        new CaptureError(
          code,
          opened ? 'The analysis worker crashed.' : `${WORKER_FILE} could not be started.`,
        ),
      );
    };
    worker.addEventListener('error', broken);
    worker.addEventListener('messageerror', broken);
    return wrap<WorkerApi>(worker);
  };

  /** Settles with the worker's reply, or as soon as the worker is gone, whose own promise would stay open for ever. */
  async function call<T>(ask: () => Promise<Reply<T>>): Promise<T> {
    if (ended !== undefined) throw ended.reason;
    let abandon: (reason: unknown) => void = () => undefined;
    const gone = new Promise<never>((_, reject) => underWay.add((abandon = reject)));
    try {
      const reply = await Promise.race([ask(), gone]);
      if (reply.ok) return reply.value;
      throw new CaptureError(reply.code, reply.message);
    } finally {
      underWay.delete(abandon);
    }
  }

  return {
    async open(onProgress) {
      if (signal.aborted) end(signal.reason);
      if (ended !== undefined) throw ended.reason;
      try {
        remote = launch();
      } catch (cause) {
        throw new CaptureError('assets-failed', `${WORKER_FILE} could not be started.`, { cause });
      }
      const api = remote;
      await call(() => api.open(assetsBase.href, proxy(onProgress))).catch((error: unknown) => {
        end(error);
        throw error;
      });
      opened = true;
      onProgress(1);
    },
    async analyse(frame, subject, guide, now, detailed = false) {
      const api = remote;
      if (api === undefined || ended !== undefined) frame.close();
      if (ended !== undefined) throw ended.reason;
      if (api === undefined) throw new CaptureError('analysis-failed', 'The analysis is not open.');
      const ask = (): Promise<Reply<Observation>> =>
        api.analyse(transfer(frame, [frame]), subject, guide, now, detailed);
      return call(ask).catch((cause: unknown) => {
        // A bitmap that is closed already fails on the way to the worker, before any reply.
        const foreign = ended === undefined && !(cause instanceof CaptureError);
        throw foreign
          ? new CaptureError('analysis-failed', 'The frame did not reach the worker.', { cause })
          : cause;
      });
    },
    close() {
      end(new DOMException('The analysis was closed.', 'AbortError'));
    },
  };
}
