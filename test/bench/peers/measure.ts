import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { inPage } from '../../../src/playwright/in-page.ts';
import type { MainThread } from '../probe.ts';
import type { Peer } from './field.ts';
import { installWitness, type PeerReport } from './in-page.ts';
import type { PeerServer, ServedFile } from './serve.ts';

/** A peer that has said nothing by then is given up. */
const PATIENCE_MS = 60_000;

/** One load of a peer's page up to the first feedback. Times are ms from its start. */
export interface PeerStart {
  readonly cameraLive: number | null;
  readonly firstFeedback: number;
  /** What that feedback said. */
  readonly words: string;
  /** What the page fetched until then, every address once, without the page itself. */
  readonly files: readonly ServedFile[];
}

/** How a page fared while the peer guided. */
export interface PeerLive {
  readonly mainThread: MainThread;
  /** Workers that the page made. */
  readonly workers: number;
  /** JS heap of the page after a collection, bytes. */
  readonly heap: number;
  /** Why it stopped guiding before the time was up, if it did. */
  readonly ended: string | null;
}

/** A page of a peer that has given its first feedback. */
export interface StartedPeer {
  readonly start: PeerStart;
  /** Watches it for some ms more. */
  watch(milliseconds: number): Promise<PeerLive>;
  close(): Promise<void>;
}

/**
 * Loads a peer's page and waits for its first feedback.
 * @throws Error with one line about what went wrong
 */
export async function startPeer(
  peer: Peer,
  context: BrowserContext,
  server: PeerServer,
): Promise<StartedPeer> {
  const page = await context.newPage();
  try {
    await page.addInitScript({ content: inPage(installWitness, null) });
    const session = await context.newCDPSession(page);
    await server.redirect(session);
    const before = server.served.length;
    const failed = failureOf(page, peer);
    await page.goto(server.url);
    await Promise.race([page.evaluate(() => window.peer.settled), failed]);
    const files = server.served.slice(before);
    const start = startOf(await reportOf(page), files);
    return {
      start,
      watch: (milliseconds) => watch(page, session, milliseconds),
      close: () => page.close(),
    };
  } catch (error) {
    await page.close();
    throw error;
  }
}

/** Settles, by failing, where the peer tells of its failure on the console only, or tells nothing at all. */
function failureOf(page: Page, peer: Peer): Promise<never> {
  return new Promise((_resolve, reject) => {
    const giveUp = (message: string): void => reject(new Error(firstLine(message)));
    const timer = setTimeout(
      () => giveUp(`no feedback within ${PATIENCE_MS / 1000} s, and no word why`),
      PATIENCE_MS,
    );
    page.on('close', () => clearTimeout(timer));
    page.on('pageerror', ({ message }) => giveUp(message));
    page.on('console', (message) => {
      if (peer.failure?.test(message.text())) giveUp(message.text());
    });
  });
}

const reportOf = (page: Page): Promise<PeerReport> => page.evaluate(() => window.peer.report);

function startOf(report: PeerReport, files: readonly ServedFile[]): PeerStart {
  const { started, feedback, cameraLive } = report;
  if (report.failure !== null) throw new Error(firstLine(report.failure));
  if (started === null || feedback === null) throw new Error('its page never started it');
  const once = new Map(files.map((file) => [file.url, file]));
  once.delete('/');
  return {
    cameraLive: cameraLive === null ? null : cameraLive - started,
    firstFeedback: feedback - started,
    words: report.words ?? '',
    files: [...once.values()],
  };
}

async function watch(page: Page, session: CDPSession, milliseconds: number): Promise<PeerLive> {
  const mainThread = await page.evaluate<MainThread>(inPage(watchMainThread, milliseconds));
  const workers = await page.evaluate(() => window.benchProbe.workersMade());
  const { ended } = await reportOf(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return { mainThread, workers, heap: usedSize, ended: ended?.why ?? null };
}

/** Runs in the page, until the time is up or the peer has ended; self-contained, because only its text travels there. */
async function watchMainThread(milliseconds: number): Promise<MainThread> {
  window.benchProbe.begin();
  const until = performance.now() + milliseconds;
  while (performance.now() < until && window.peer.report.ended === null)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return window.benchProbe.end();
}

/** The first line of a message, short enough for one line of a table. */
export function firstLine(message: string): string {
  const line = message.split('\n', 1).join('').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
