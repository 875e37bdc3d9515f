import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ASSETS_FOLDER, sha256 } from '../../scripts/manifest.ts';
import { bundleWith } from '../../src/analysis/assets.ts';
import { faceModelForGpu } from './peers/face-model.ts';
import { packagesOf, PEERS, RUNTIME_FOLDER, runtimeOf, type Peer, type StandInKind } from './peers/field.ts';
import { rebuiltHandModel } from './peers/hand-model.ts';
import { install } from './peers/install.ts';
import { firstLine, startPeer, type PeerLive, type PeerStart } from './peers/measure.ts';
import { race, type Race } from './peers/race.ts';
import { servePeer, type PeerServer, type ServedFile, type StandIn } from './peers/serve.ts';
import { sizesOf, sumOfSizes, type FetchedFile, type Sizes } from './probe.ts';
import type { BenchBrowser } from './browser.ts';
import type { Site } from './site.ts';

/*
 * Other packages that guide a selfie in the browser, measured as the widget is: the same browser, the same person
 * before the camera, the same moments. They are installed for the run and are no part of the project.
 */

/** Median of the cold loads and of the warm ones, ms from the start of the peer. */
interface ColdAndWarm {
  readonly cold: number;
  readonly warm: number;
}

/** What a peer fetched before its first feedback, by the addresses that it asked. */
interface PeerBytes extends Sizes {
  readonly files: readonly FetchedFile[];
}

/** The figures of one peer. */
export interface PeerFigures {
  readonly name: string;
  readonly version: string;
  /** One line on why there are no figures; null where there are. */
  readonly skipped: string | null;
  /** What is different from the peer as its users have it; null where nothing is. */
  readonly note: string | null;
  /** What is taken for the first feedback. */
  readonly feedback: string;
  /** What the first feedback said in the last run. */
  readonly words: string | null;
  readonly cameraLive: ColdAndWarm | null;
  readonly firstFeedback: ColdAndWarm | null;
  /** Its warm starts beside those of the widget, by which the two are compared; null where it has none. */
  readonly race: Race | null;
  /** How long each run was watched after the first feedback, ms. */
  readonly watched: number | null;
  /** Tasks of the main thread over 50 ms in that time, ms. */
  readonly longTasks: { readonly total: number; readonly worst: number } | null;
  /** Longest time between two animation frames in that time, ms. */
  readonly worstFrameGap: number | null;
  readonly bytes: PeerBytes | null;
  /** JS heap after a collection, bytes. */
  readonly heap: number | null;
  /** Workers that the page made. */
  readonly workers: number;
}

/** What the peers are measured with. */
export interface PeersOptions {
  readonly browser: BenchBrowser;
  /** Serves the widget. */
  readonly site: Site;
  /** One run and 6 s of guidance instead of three and 25 s. */
  readonly quick: boolean;
  /** Path of Google's `face_landmarker.task`; null measures the peers with the project's rebuilt one. */
  readonly model: string | null;
}

/** Measures the peers one after the other. One that cannot be had, or does not run, is skipped with its reason. */
export async function measurePeers(options: PeersOptions): Promise<readonly PeerFigures[]> {
  const figures: PeerFigures[] = [];
  for (const peer of PEERS) figures.push(await measureOrSkip(peer, options));
  return figures;
}

async function measureOrSkip(peer: Peer, options: PeersOptions): Promise<PeerFigures> {
  if (peer.needsBlendshapes && options.model === null) {
    return notMeasured(
      peer,
      "needs the blendshapes of Google's face_landmarker.task, which was not given (--model FILE)",
    );
  }
  try {
    return await measure(peer, options);
  } catch (error) {
    return notMeasured(peer, firstLine(error instanceof Error ? error.message : String(error)));
  }
}

/** A peer without figures. */
export function notMeasured({ name, version, feedback }: Peer, reason: string): PeerFigures {
  return {
    name,
    version,
    skipped: reason,
    note: null,
    feedback,
    words: null,
    cameraLive: null,
    firstFeedback: null,
    race: null,
    watched: null,
    longTasks: null,
    worstFrameGap: null,
    bytes: null,
    heap: null,
    workers: 0,
  };
}

/** One cold load, and a warm one that is then watched. */
interface PeerRun {
  readonly cold: PeerStart;
  readonly warm: PeerStart;
  readonly live: PeerLive;
}

async function measure(peer: Peer, { browser, site, quick, model }: PeersOptions): Promise<PeerFigures> {
  const modules = join(await install(packagesOf(peer)), 'node_modules');
  const page = fileURLToPath(new URL(`peers/${peer.page}`, import.meta.url));
  const server = await servePeer(page, modules, await standInsOf(peer, model));
  const runs: PeerRun[] = [];
  let raced: Race;
  try {
    while (runs.length < (quick ? 1 : 3)) runs.push(await runOnce(peer, browser, server, quick));
    raced = await race(peer, { browser, site, server, quick });
  } finally {
    await server.close();
  }

  const [first] = runs;
  const last = runs.at(-1);
  if (!first || !last) throw new Error('no run');
  const files = first.cold.files.map((file) => fileOf(file, server.url));
  const coldAndWarm = (figure: (start: PeerStart) => number | null): ColdAndWarm | null => {
    const cold = medianOf(runs.map((run) => figure(run.cold)));
    const warm = medianOf(runs.map((run) => figure(run.warm)));
    return cold === null || warm === null ? null : { cold, warm };
  };
  const live = (figure: (live: PeerLive) => number | null): number | null =>
    medianOf(runs.map((run) => figure(run.live)));
  return {
    name: peer.name,
    version: peer.version,
    skipped: null,
    note: await noteOf(peer, model, server, last.live.ended),
    feedback: peer.feedback,
    words: last.warm.words,
    cameraLive: coldAndWarm(({ cameraLive }) => cameraLive),
    firstFeedback: coldAndWarm(({ firstFeedback }) => firstFeedback),
    race: raced,
    watched: live(({ mainThread }) => mainThread.duration),
    longTasks: {
      total: live(({ mainThread }) => mainThread.longTasks.total) ?? 0,
      worst: live(({ mainThread }) => mainThread.longTasks.worst) ?? 0,
    },
    worstFrameGap: live(({ mainThread }) => mainThread.worstFrameGap),
    bytes: { ...sumOfSizes(files), files },
    heap: live(({ heap }) => heap),
    workers: live(({ workers }) => workers) ?? 0,
  };
}

async function runOnce(
  peer: Peer,
  browser: BenchBrowser,
  server: PeerServer,
  quick: boolean,
): Promise<PeerRun> {
  const context = await browser.newProfile();
  try {
    const cold = await startPeer(peer, context, server);
    await cold.close();
    const warm = await startPeer(peer, context, server);
    const live = await warm.watch(quick ? 6_000 : 25_000);
    return { cold: cold.start, warm: warm.start, live };
  } finally {
    await context.close();
  }
}

async function standInsOf(peer: Peer, model: string | null): Promise<StandIn[]> {
  const contentOf: Record<StandInKind, () => Promise<StandIn['content']>> = {
    runtime: async () => ({ folder: join(await install([runtimeOf(peer)]), 'node_modules', RUNTIME_FOLDER) }),
    face: async () => ({
      bytes: model === null ? faceModelForGpu(await ownBundle()) : await readFile(model),
    }),
    detector: async () => ({ bytes: await readAsset('face_detector.tflite') }),
    hand: async () => ({ bytes: await rebuiltHandModel() }),
  };
  return Promise.all(
    Object.entries(peer.foreign).map(async ([prefix, kind]) => ({
      prefix,
      content: await contentOf[kind](),
    })),
  );
}

const ownBundle = async (): Promise<Uint8Array> =>
  bundleWith(await readAsset('face_detector.tflite'), await readAsset('face.task'));

const readAsset = (name: string): Promise<Buffer> => readFile(join(ASSETS_FOLDER, name));

/** What must be known to read the figures rightly. */
async function noteOf(
  peer: Peer,
  model: string | null,
  server: PeerServer,
  ended: string | null,
): Promise<string | null> {
  const kinds = Object.values(peer.foreign);
  const notes = [
    kinds.includes('face') ? await faceNoteOf(model) : null,
    kinds.includes('hand') ? 'with a hand model rebuilt from @mediapipe/hands' : null,
    kinds.includes('detector') ? 'with our copy of the short-range face detector, of rounded weights' : null,
    server.refused.size > 0 ? `without what it asked of ${hostsOf(server.refused)}` : null,
    ended === null ? null : `watched until ${ended}`,
  ].filter((note) => note !== null);
  return notes.length === 0 ? null : notes.join('; ');
}

/** Google's `face_landmarker.task`, of which there is one version. */
const GOOGLE_SHA256 = '64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff';

async function faceNoteOf(model: string | null): Promise<string | null> {
  if (model === null) return "with our rebuilt model, of rounded weights, in place of Google's";
  return sha256(await readFile(model)) === GOOGLE_SHA256
    ? null
    : "with the face bundle that was given, which is not Google's";
}

const hostsOf = (addresses: Iterable<string>): string =>
  [...new Set([...addresses].map((address) => new URL(address).host))].join(', ');

/** What the page's own host serves is told as of the origin of the page. */
function fileOf({ url, body }: ServedFile, page: string): FetchedFile {
  const address = new URL(url, page);
  return { url: address.href, origin: address.origin, ...sizesOf(Buffer.from(body)) };
}

/** Null where no run has the figure. */
function medianOf(figures: readonly (number | null)[]): number | null {
  const sorted = figures.filter((figure) => figure !== null).sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
