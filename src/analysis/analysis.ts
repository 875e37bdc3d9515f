import type { AnalysisRung } from '../domain/ladder.ts';
import { CaptureError } from '../domain/result.ts';
import type { Analyser, AnalyserOptions, AnalysisLimits, Begun } from './analyser.ts';
import { type AssetBytes, type Assets, compiled, fetchAssets, type RuntimeName } from './assets.ts';
import { entryOf, fetchManifest, type Manifest, startDownloads } from './download.ts';
import { type Host, obstacleTo, type Place, PLACES, startHost, WORKER_FILE } from './host.ts';
import { startWatch, type Watch } from './watch.ts';
import type { OpenNews, Reply } from './worker.ts';

/*
 * From a rung to an analysis that runs: the checked files, the thread, and the limits after which it is given up.
 */

/** The manifest of the assets as this build made them, put in by the build; null where they are not built. */
declare const ASSETS_MANIFEST: Manifest | null;

/**
 * Measured on two busy cores: a frame 60 ms, a start 1.6 s. A phone ten times as slow takes 0.6 s and 16 s. Frames more
 * than 1 s apart never make a hold, so where one takes 8 s nobody would get a photo anyway. The first frames compile what
 * they need, and the person's mask starts with the first face.
 */
const LIMITS: AnalysisLimits = { download: 15_000, start: 30_000, firstFrames: 20_000, frame: 8000 };

/** The worker's code goes before the assets for no longer, ms. */
const LONGEST_WAIT = 1000;

/** So many frames are the first ones. */
const FIRST_FRAMES = 5;

/** What an analysis is started with besides. */
interface StartOptions extends AnalyserOptions {
  /** The runtime to begin with. */
  readonly runtime: RuntimeName;
  /** As `DownloadOptions` has it. */
  readonly begun: Begun;
  /** Called where the slim runtime lacked something. */
  readonly onTrap: () => void;
}

/** The analysis of a rung; the signal ends it. */
export function startAnalysis({
  assetsBase,
  integrity,
  rung,
  faces = false,
  runtime,
  begun,
  onTrap,
  signal,
  limits = LIMITS,
}: StartOptions): Omit<Analyser, 'close'> {
  const downloads = startDownloads({ base: assetsBase, stallAfter: limits.download, begun });
  const ending = new AbortController();
  let host: Host | undefined;
  let ended: { readonly reason: unknown } | undefined;
  const isEnded = (): boolean => ended !== undefined;
  let answered = 0;
  const frameLimit = (): number => (answered < FIRST_FRAMES ? limits.firstFrames : limits.frame);
  const underWay = new Set<(reason: unknown) => void>();
  /** The limit of what the host does at present: a start, or a frame. */
  let watch: Watch | undefined;

  /** Everything that waits for the host learns that it is gone; its own promises would stay open for ever. */
  const drop = (reason: unknown): void => {
    host?.stop();
    host = undefined;
    for (const reject of underWay) reject(reason);
    underWay.clear();
  };
  const end = (reason: unknown): void => {
    if (ended !== undefined) return;
    ended = { reason };
    signal.removeEventListener('abort', onAbort);
    downloads.end();
    ending.abort(reason);
    drop(reason);
  };
  const onAbort = (): void => end(signal.reason);
  signal.addEventListener('abort', onAbort);

  /** Settles with the work, or as soon as the host is dropped. */
  async function unlessDropped<T>(work: () => Promise<T>): Promise<T> {
    if (ended !== undefined) throw ended.reason;
    let abandon: (reason: unknown) => void = () => undefined;
    const dropped = new Promise<never>((_, reject) => underWay.add((abandon = reject)));
    try {
      return await Promise.race([work(), dropped]);
    } finally {
      underWay.delete(abandon);
    }
  }

  /** Everything of the folder is under way once its manifest is known. */
  async function openFolder(onProgress: (fraction: number) => void): Promise<Folder> {
    const manifest = integrity === null ? ASSETS_MANIFEST : await fetchManifest(downloads, integrity);
    if (manifest === null) throw new CaptureError('assets-failed', 'This build was made without its assets.');
    const worker = downloads.file(WORKER_FILE, entryOf(manifest, WORKER_FILE));
    // It is started while the others are inflated.
    const patience = new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
    const folder = {
      base: assetsBase,
      begun,
      after: Promise.race([worker.catch(() => undefined), patience]),
      manifest,
      stallAfter: limits.download,
      signal: ending.signal,
      onProgress: (fraction: number) => {
        // As long as bytes arrive, no start is overdue.
        watch?.feed();
        onProgress(fraction);
      },
    };
    // Compiled while the worker starts, in the time in which the bytes would be copied to it; a page may forbid what its
    // worker may do.
    const assets = fetchAssets(runtime, folder).then((bytes) => compiled(bytes).catch(() => bytes));
    // Whoever waits for them is told; nobody may, where the other fails first.
    for (const each of [worker, assets]) each.catch(() => undefined);
    return { manifest, worker, assets };
  }

  /** Starts the host on a thread while the assets arrive; whatever fails, no host is left. */
  async function openOn(place: Place, { manifest, worker, assets }: Folder): Promise<void> {
    let over = false;
    const starting = (watch = startWatch(limits.start, () =>
      drop(broken(`The analysis did not start (${place}): nothing was heard for ${limits.start} ms.`)),
    ));
    const begin = async (): Promise<void> => {
      const started = await startHost(place, {
        url: new URL(WORKER_FILE, assetsBase),
        bytes: await worker,
        frameLimit,
        onBroken: (why) => (over ? end : drop)(broken(why)),
      });
      if (over) {
        started.stop();
        return;
      }
      host = started;
      const request = {
        assetsBase: assetsBase.href,
        manifest,
        rung,
        faces,
        runtime,
        assets: await assets,
        stallAfter: limits.download,
      };
      const hear = (news: OpenNews): void => {
        watch?.feed();
        if (news === 'trap') onTrap();
      };
      valueOf(await started.api.open(request, hear));
    };
    try {
      await unlessDropped(begin);
    } catch (error) {
      drop(error);
      if (error instanceof CaptureError || isEnded()) throw error;
      throw broken(`${WORKER_FILE} could not be started (${place}).`, error);
    } finally {
      over = true;
      starting.stop();
    }
  }

  return {
    async open(onProgress) {
      try {
        const opening = unlessDropped(() => openFolder(onProgress));
        // Which is told below, where the places are not at fault.
        opening.catch(() => undefined);
        const places = await placesFor(rung);
        const folder = await opening;
        for (const place of places) {
          try {
            await openOn(place, folder);
            break;
          } catch (error) {
            if (place === places.at(-1) || !isBroken(error)) throw error;
          }
        }
      } catch (error) {
        end(error);
        throw error;
      }
      downloads.end();
      onProgress(1);
    },
    async analyse(frame, subject, guide, now, attention = 'study') {
      const { api } = host ?? {};
      if (api === undefined) frame.close();
      if (ended !== undefined) throw ended.reason;
      if (api === undefined) throw broken('The analysis is not open.');
      const limit = frameLimit();
      const answering = (watch = startWatch(limit, () =>
        end(broken(`A frame was not answered for ${limit} ms.`)),
      ));
      try {
        const reply = await unlessDropped(() => api.analyse(frame, subject, guide, now, attention));
        answered++;
        return valueOf(reply);
      } catch (cause) {
        // A bitmap that is closed already fails on the way to the worker, before any reply.
        const isForeign = !isEnded() && !(cause instanceof CaptureError);
        throw isForeign ? broken('The frame did not reach the worker.', cause) : cause;
      } finally {
        answering.stop();
      }
    },
  };
}

const broken = (message: string, cause?: unknown): CaptureError =>
  new CaptureError('analysis-failed', message, { cause });

const forbidden = (why: string): CaptureError =>
  broken(`This browser or page cannot run the analysis (${why}).`);

const isBroken = (error: unknown): boolean =>
  error instanceof CaptureError && error.code === 'analysis-failed';

function valueOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw new CaptureError(reply.code, reply.message);
}

/**
 * The threads on which a rung may run here.
 * @throws CaptureError `analysis-failed` where it may on none
 */
async function placesFor(rung: AnalysisRung): Promise<readonly Place[]> {
  const looked = await Promise.all(
    PLACES[rung].map(async (place) => ({ place, obstacle: await obstacleTo(place) })),
  );
  const places = looked.filter(({ obstacle }) => obstacle === null).map(({ place }) => place);
  if (places.length > 0) return places;
  throw forbidden(looked.map(({ place, obstacle }) => `${place}: ${obstacle ?? ''}`).join('; '));
}

/** A folder whose manifest was checked, and what is on its way out of it. */
interface Folder {
  readonly manifest: Manifest;
  readonly worker: Promise<Uint8Array<ArrayBuffer>>;
  readonly assets: Promise<AssetBytes | Assets>;
}
