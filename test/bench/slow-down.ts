import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/*
 * A slower processor. Chromium's own emulation slows a page's main thread only (its workers ran as fast as before); here
 * whole processes are stopped and continued, by a process of its own whose timing little disturbs.
 */

/** How long processes may run before they are stopped again, ms. */
const RUN_MS = 5;
/** Part of it that is lost until they really run again, ms; measured on Linux. */
const WAKING_MS = 0.6;

/**
 * Lets processes run for part of the time only.
 * @param factor how many times slower they get
 * @returns ends it
 */
export async function slowDown(pids: readonly number[], factor: number): Promise<() => Promise<void>> {
  const child = fork(fileURLToPath(import.meta.url), [String(factor), ...pids.map(String)]);
  await once(child, 'message');
  return async () => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  }
}

/** Runs in the child. */
async function stopAndContinue(pids: readonly number[], factor: number): Promise<void> {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Only root may; without it the timing is a little less even.
  }
  const release = (): void => {
    signal(pids, 'SIGCONT');
    process.exit(0);
  };
  process.on('SIGTERM', release);
  process.on('disconnect', release);
  process.send?.('ready');
  const clock = new Int32Array(new SharedArrayBuffer(4));
  // Timers are a millisecond late or more; a wait on memory that nobody changes is not.
  const wait = (milliseconds: number): unknown => Atomics.wait(clock, 0, 0, milliseconds);
  for (;;) {
    const began = performance.now();
    signal(pids, 'SIGCONT');
    wait(RUN_MS);
    signal(pids, 'SIGSTOP');
    // On a busy machine they have run for longer than they should.
    wait((factor - 1) * (performance.now() - began - WAKING_MS));
    // Signals and the end of the parent are seen here.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [factor, ...pids] = process.argv.slice(2).map(Number);
  if (factor !== undefined) await stopAndContinue(pids, factor);
}
