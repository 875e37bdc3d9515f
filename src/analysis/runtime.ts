import moduleFactory from '@mediapipe/tasks-vision/vision_wasm_module_internal.js';
import { CaptureError } from '../domain/result.ts';
import { releaseWebGl, type Surface } from './surface.ts';

/*
 * Starts tasks of MediaPipe, each with an instance of the runtime that was compiled once.
 */

/** What every task is created with. */
export interface TaskBase {
  readonly fileset: { readonly wasmLoaderPath: string; readonly wasmBinaryPath: string };
  /** What the task draws frames on. */
  readonly canvas: Surface;
}

/** A task that runs. */
export interface Started<Task> {
  readonly task: Task;
  /** Frees the instance and its canvas. */
  readonly close: () => void;
}

/** What the loader looks for on the global object, which on the main thread is the page's own. */
interface LoaderGlobals {
  ModuleFactory?: unknown;
  Module?: unknown;
  custom_dbg?: unknown;
}
const globals = globalThis as LoaderGlobals;

const silent = (): void => undefined;

/** A task that has not started after this long never will: a failing instantiation leaves its promise open for ever. ms. */
const START_TIMEOUT = 30_000;
globals.custom_dbg = silent;

/** The last creation: they share the globals, so one waits for the other. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Creates one task with its own instance of the runtime.
 * @param createCanvas makes what it draws frames on, which is given back with the task
 * @throws Error where it cannot be created
 */
export function startTask<Task extends { close(): void }>(
  runtime: WebAssembly.Module,
  createCanvas: () => Surface,
  create: (base: TaskBase) => Promise<Task>,
): Promise<Started<Task>> {
  const starting = last.catch(silent).then(() => startNow(runtime, createCanvas(), create));
  last = starting;
  return starting;
}

/** The loader forgets its factory after every creation, and an empty loader path makes it use ours instead of importing one. */
async function startNow<Task extends { close(): void }>(
  runtime: WebAssembly.Module,
  canvas: Surface,
  create: (base: TaskBase) => Promise<Task>,
): Promise<Started<Task>> {
  const before = globals.Module;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failure = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The runtime did not start in time.')), START_TIMEOUT);
    globals.ModuleFactory = moduleFactory;
    globals.Module = {
      // The runtime logs every start; that is nothing for the console of somebody else's page.
      print: silent,
      printErr: silent,
      instantiateWasm: (
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
      ) => {
        WebAssembly.instantiate(runtime, imports).then((instance) => done(instance, runtime), reject);
        return {};
      },
    };
  });
  const fileset = { wasmLoaderPath: '', wasmBinaryPath: '' };
  const creating = create({ fileset, canvas });
  try {
    const task = await Promise.race([creating, failure]);
    const close = (): void => {
      try {
        task.close();
      } finally {
        releaseWebGl(canvas);
      }
    };
    return { task, close };
  } catch (cause) {
    // It may come still, when nobody waits for it any more.
    creating.then((late) => late.close()).catch(silent);
    releaseWebGl(canvas);
    throw cause;
  } finally {
    clearTimeout(timer);
    delete globals.ModuleFactory;
    if (before === undefined) delete globals.Module;
    else globals.Module = before;
  }
}

/** True where the runtime itself broke off: by a function that the slim one lacks, or by a crash. That instance is lost. */
export function isTrap(error: unknown): boolean {
  if (error instanceof WebAssembly.RuntimeError) return true;
  return error instanceof Error && isTrap(error.cause);
}

interface Closable {
  close(): void;
}

/**
 * Starts what a rung needs.
 * @param start names to `keep` all that it has started: where a later one fails, they are closed
 * @throws CaptureError `analysis-failed`: the files are right, so it is this device that cannot
 */
export async function startingModels<T>(
  start: (keep: <Kept extends Closable>(started: Kept) => Kept) => Promise<T>,
): Promise<T> {
  const kept: Closable[] = [];
  const keep = <Kept extends Closable>(started: Kept): Kept => {
    kept.push(started);
    return started;
  };
  return start(keep).catch((cause: unknown) => {
    for (const started of kept) {
      try {
        started.close();
      } catch {
        // A runtime that has crashed cannot be closed; the others can.
      }
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CaptureError('analysis-failed', `The models could not be started: ${why}`, { cause });
  });
}
