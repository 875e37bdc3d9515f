/** What a page of a peer says about itself. All times are ms on the page's own clock. */
export interface PeerReport {
  readonly started: number | null;
  /** The first frame of the camera in a video element. */
  readonly cameraLive: number | null;
  readonly feedback: number | null;
  /** The first feedback's own words. */
  readonly words: string | null;
  /** When and why it stopped guiding, where it did. */
  readonly ended: { readonly at: number; readonly why: string } | null;
  readonly failure: string | null;
}

/** How a page of a peer tells what it sees; each is heard once. */
interface PeerWitness {
  readonly report: PeerReport;
  /** Settles at the first feedback or failure. */
  readonly settled: Promise<void>;
  /** The peer's script has been loaded and is about to be started. */
  started(): void;
  feedback(words: string): void;
  ended(why: string): void;
  failed(message: string): void;
}

declare global {
  interface Window {
    peer: PeerWitness;
  }
}

/** Puts `peer` into the page before any script of its own. Self-contained, because only its text travels there. */
export function installWitness(): void {
  const report: { -readonly [Key in keyof PeerReport]: PeerReport[Key] } = {
    started: null,
    cameraLive: null,
    feedback: null,
    words: null,
    ended: null,
    failure: null,
  };
  let settle = (): void => undefined;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  window.peer = {
    report,
    settled,
    started: () => {
      report.started ??= performance.now();
    },
    feedback: (words) => {
      if (report.feedback !== null) return;
      report.feedback = performance.now();
      report.words = words;
      settle();
    },
    ended: (why) => {
      report.ended ??= { at: performance.now(), why };
    },
    failed: (message) => {
      report.failure ??= message;
      settle();
    },
  };

  // Media events leave no shadow root, so the element that is given the camera is listened to itself.
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  if (!property?.set) return;
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...property,
    set(this: HTMLMediaElement, source: MediaProvider | null) {
      const live = (): void => {
        report.cameraLive ??= performance.now();
      };
      if (source) this.addEventListener('loadeddata', live, { once: true });
      property.set?.call(this, source);
    },
  });
}
