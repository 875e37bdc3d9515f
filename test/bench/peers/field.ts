import type { Packages } from './install.ts';

/** What stands in here for a file that a peer fetches from a foreign host. */
export type StandInKind =
  /** The folder of WASM files of the package `runtime`. */
  | 'runtime'
  /** The face bundle that was given, else the project's own in a form for the delegate GPU, which all these ask for. */
  | 'face'
  /** The project's own face detector. */
  | 'detector'
  /** A hand model rebuilt from a package. */
  | 'hand';

/** What there is to know about a peer in order to measure it. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** The page beside this file that starts it as its README says. */
  readonly page: string;
  /** What it imports by name and does not carry, with exact versions. */
  readonly needs: readonly string[];
  /** Exact version of `@mediapipe/tasks-vision` whose WASM it is given. */
  readonly runtime: string;
  /** How the addresses of its foreign files begin. */
  readonly foreign: Readonly<Record<string, StandInKind>>;
  /** What is taken for its first feedback. */
  readonly feedback: string;
  /** Reads blendshapes, which the rebuilt face bundle does not have, and gives no hint without them. */
  readonly needsBlendshapes: boolean;
  /** What it writes on the console when its start has failed and it only waits. */
  readonly failure: RegExp | null;
}

const TASKS = '@mediapipe/tasks-vision';
/** What npm's tag `latest` of the package names, and so what an address with `@latest` is answered with. */
const LATEST = '20230920.0.0';
const TASKS_WASM = `https://cdn.jsdelivr.net/npm/${TASKS}@latest/wasm/`;
const MODELS = 'https://storage.googleapis.com/mediapipe-models';

/** The package that every peer's WASM comes from. */
export const runtimeOf = ({ runtime }: Peer): string => `${TASKS}@${runtime}`;

/** Where that package keeps it, below `node_modules`. */
export const RUNTIME_FOLDER = `${TASKS}/wasm`;

/** What is installed for a peer; its own package first. */
export function packagesOf({ name, version, needs }: Peer): Packages {
  return [`${name}@${version}`, ...needs];
}

/** The peers, in the order in which they are measured. */
export const PEERS: readonly Peer[] = [
  {
    name: 'face-validator-sdk',
    version: '1.3.4',
    page: 'face-validator-sdk.html',
    needs: [`${TASKS}@0.10.35`],
    runtime: LATEST,
    foreign: {
      [TASKS_WASM]: 'runtime',
      [`${MODELS}/face_landmarker/`]: 'face',
      [`${MODELS}/hand_landmarker/`]: 'hand',
    },
    feedback: 'the first status after INITIALIZING, which is shown as a text at once',
    needsBlendshapes: false,
    failure: null,
  },
  {
    name: '@smileid/web-components',
    version: '11.4.0',
    page: 'smile-id.html',
    needs: [],
    // Its own host names no version; its range, `^0.10.22-rc.20250304`, resolves to this one.
    runtime: '0.10.35',
    foreign: {
      'https://web-models.smileidentity.com/mediapipe-tasks-vision-wasm/': 'runtime',
      'https://web-models.smileidentity.com/face_landmarker/': 'face',
    },
    feedback: 'the first text of the alert below the camera picture',
    needsBlendshapes: true,
    failure: /Failed to load Mediapipe/,
  },
  {
    name: '@face-auth/face-detector',
    version: '0.0.6',
    page: 'face-auth.html',
    needs: [`${TASKS}@0.10.22-rc.20250304`],
    runtime: LATEST,
    foreign: {
      [TASKS_WASM]: 'runtime',
      [`${MODELS}/face_detector/`]: 'detector',
    },
    feedback: 'the first call of the onDetection callback',
    needsBlendshapes: false,
    failure: null,
  },
];
