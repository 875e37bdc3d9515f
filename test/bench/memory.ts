import type { Worker } from '@playwright/test';
import { inPage } from '../../src/playwright/in-page.ts';
import type { BenchBrowser, BenchPage } from './browser.ts';
import type { Site } from './site.ts';
import { MOMENTS, NEVER_SHARP, openTag, reach } from './tag.ts';

/** What the widget holds, bytes. */
export interface MemoryFigures {
  /** Sessions between the two looks at the heap. */
  readonly sessions: number;
  /** JavaScript heap of the page after a collection, at the first look and at the last. */
  readonly before: number;
  readonly after: number;
  readonly growth: number;
  /** Buffers that JavaScript holds outside its heap, by as much as they grew. */
  readonly bufferGrowth: number;
  /** In a live session: the page's heap. */
  readonly pageHeap: number;
  /** In a live session: the heaps of its workers. */
  readonly workerHeap: number;
  /** In a live session: the memory of the runtime's instances in the worker. */
  readonly wasm: number;
  readonly wasmInstances: number;
}

/** Sessions that are not counted: what is loaded once is loaded in them. */
const BEFORE = 2;

/** One session after another in the same page, each with an element of its own, up to its photo. */
export async function measureMemory(
  browser: BenchBrowser,
  site: Site,
  quick: boolean,
): Promise<MemoryFigures> {
  const live = await measureLiveMemory(browser, site);
  const opened = await openTag(browser, site);
  try {
    await reach(opened, 'capture');
    const sessions = quick ? 5 : 20;
    for (let session = 1; session < BEFORE; session++) await playSession(opened);
    const before = await heapOf(opened);
    for (let session = 0; session < sessions; session++) await playSession(opened);
    const after = await heapOf(opened);
    return {
      sessions,
      before: before.used,
      after: after.used,
      growth: after.used - before.used,
      bufferGrowth: after.buffers - before.buffers,
      ...live,
    };
  } finally {
    await opened.page.context().close();
  }
}

/** Takes the element away, puts a fresh one in its place and waits for its photo. */
async function playSession({ page }: BenchPage): Promise<void> {
  await page.evaluate(async () => {
    const old = document.querySelector('kyc-capture');
    if (!old) throw new Error('The tag is gone.');
    const fresh = document.createElement('kyc-capture');
    for (const { name, value } of old.attributes)
      if (!['state', 'step', 'rung', 'lang'].includes(name)) fresh.setAttribute(name, value);
    const taken = new Promise<void>((resolve, reject) => {
      fresh.addEventListener('kyc-capture', () => resolve());
      fresh.addEventListener('kyc-error', ({ detail }) => reject(new Error(detail.message)));
    });
    old.replaceWith(fresh);
    await fresh.updateComplete;
    fresh.start();
    await taken;
  });
}

async function heapOf({ cdp, page }: BenchPage): Promise<{ used: number; buffers: number }> {
  // What a session leaves to finalisers and to closing streams is gone after a moment.
  await page.waitForTimeout(500);
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize } = await cdp.send('Runtime.getHeapUsage');
  return { used: usedSize, buffers: backingStorageSize };
}

async function measureLiveMemory(
  browser: BenchBrowser,
  site: Site,
): Promise<Pick<MemoryFigures, 'pageHeap' | 'workerHeap' | 'wasm' | 'wasmInstances'>> {
  const context = await browser.newContext();
  const watched: Worker[] = [];
  context.on('page', (page) =>
    page.on('worker', (worker) => {
      watched.push(worker);
      worker.evaluate(inPage(keepMemories, 'benchMemories')).catch(() => undefined);
    }),
  );
  try {
    const opened = await openTag(browser, site, { context, thresholds: NEVER_SHARP });
    await reach(opened, MOMENTS.hint);
    // The person's mask has an instance of its own, which comes last.
    await opened.page.waitForTimeout(2000);
    const memories = (await Promise.all(watched.map((worker) => worker.evaluate(memoriesKept)))).flat();
    if (memories.length === 0) throw new Error('The runtime started before it could be watched.');
    const { used } = await heapOf(opened);
    return {
      pageHeap: used,
      workerHeap: await workerHeapOf(opened),
      wasm: memories.reduce((sum, bytes) => sum + bytes, 0),
      wasmInstances: memories.length,
    };
  } finally {
    await context.close();
  }
}

/** The heaps of a page's workers after a collection, bytes. */
async function workerHeapOf({ cdp }: BenchPage): Promise<number> {
  const heaps: Promise<number>[] = [];
  const answers = new Map<string, (answer: unknown) => void>();
  cdp.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
    const { id, result } = JSON.parse(message) as { id: number; result: unknown };
    answers.get(`${sessionId} ${id}`)?.(result);
  });
  cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type !== 'worker') return;
    let last = 0;
    const ask = (method: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const id = ++last;
        answers.set(`${sessionId} ${id}`, resolve);
        const message = JSON.stringify({ id, method });
        cdp.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
      });
    const heap = async (): Promise<number> => {
      await ask('HeapProfiler.collectGarbage');
      return ((await ask('Runtime.getHeapUsage')) as { usedSize: number }).usedSize;
    };
    heaps.push(heap());
  });
  // Workers that are there already are told of before this answers.
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false });
  if (heaps.length === 0) throw new Error('The live tag has no worker.');
  return (await Promise.all(heaps)).reduce((sum, bytes) => sum + bytes, 0);
}

/** Runs in a worker, before the runtime has arrived. */
function keepMemories(name: string): void {
  const kept: WebAssembly.Memory[] = [];
  Object.assign(globalThis, { [name]: kept });
  const instantiate = WebAssembly.instantiate as (...given: unknown[]) => Promise<unknown>;
  const keep = async (...given: unknown[]): Promise<unknown> => {
    const made = await instantiate(...given);
    if (made instanceof WebAssembly.Instance)
      for (const value of Object.values(made.exports))
        if (value instanceof WebAssembly.Memory) kept.push(value);
    return made;
  };
  Object.assign(WebAssembly, { instantiate: keep });
}

/** Runs in a worker: bytes of each memory. */
function memoriesKept(): number[] {
  const { benchMemories } = globalThis as unknown as { benchMemories?: WebAssembly.Memory[] };
  return (benchMemories ?? []).map(({ buffer }) => buffer.byteLength);
}
