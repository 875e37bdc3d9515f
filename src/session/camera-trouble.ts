import type { Trouble } from '../domain/journey.ts';

/** How often the camera is looked at, ms. */
const LOOK_MS = 1000;

/** So many looks in a row find no frame, or a black one, before it is trouble: switching and focusing take a moment. */
const LOOKS_FOR_TROUBLE = 2;

/**
 * Looks, while the page is seen, after which the camera is given up. A browser that gets its camera back after a call
 * or the phone's sleep shows it within a few seconds; assumed, with a margin. Black is waited for longer, because a
 * phone that lies on its lens while the person fetches the card sees black, too.
 */
const LOOKS_UNTIL_LOST: Record<Trouble, number> = { muted: 10, frozen: 10, black: 30 };

/** Side of the picture that is looked at, px. */
const SAMPLE = 16;

/**
 * The brightest that any part of a black picture may be, 0..255. Video that counts from 16 turns into 0 to 2; the
 * noise of a sensor in a dark room, averaged over a part, lies above.
 */
const BLACK_LUMA = 3;

/** What the watch needs. */
interface Watched {
  readonly track: MediaStreamTrack;
  readonly video: HTMLVideoElement;
  /** Called with each change; null where the trouble is over. */
  readonly onTrouble: (trouble: Trouble | null) => void;
  /** Called once, where the trouble does not end; the watch has ended by then. */
  readonly onLost: (trouble: Trouble) => void;
}

/** The watch over a camera. */
interface Watch {
  /** A frame since the last look has shown something, so that this look need not draw one to find out. */
  readonly vouch: () => void;
  /** No timer and no listener is left. */
  readonly end: () => void;
}

/** Looks after a running camera. A hidden page gets no frames, which is no trouble, and counts for nothing. */
export function watchCamera({ track, video, onTrouble, onLost }: Watched): Watch {
  const life = new AbortController();
  const isBlack = createBlackTest(video);
  let trouble: Trouble | null = null;
  let looks = 0;
  let without = 0;
  let black = 0;
  let vouched = false;
  let rendered = false;
  let framed = false;
  let frameHandle = 0;
  let paintHandle = 0;

  /** Asks for one frame, and for one turn of the page's own drawing to compare with. */
  const ask = (): void => {
    video.cancelVideoFrameCallback(frameHandle);
    cancelAnimationFrame(paintHandle);
    framed = rendered = false;
    frameHandle = video.requestVideoFrameCallback(() => (framed = true));
    paintHandle = requestAnimationFrame(() => (rendered = true));
  };

  const become = (found: Trouble | null): void => {
    if (found === trouble) return;
    trouble = found;
    looks = 0;
    onTrouble(found);
  };

  const end = (): void => {
    life.abort();
    clearInterval(timer);
    video.cancelVideoFrameCallback(frameHandle);
    cancelAnimationFrame(paintHandle);
  };

  const judge = (): Trouble | null => {
    if (track.muted) return 'muted';
    if (without >= LOOKS_FOR_TROUBLE) return 'frozen';
    return black >= LOOKS_FOR_TROUBLE ? 'black' : null;
  };

  const look = (): void => {
    if (document.hidden) {
      without = black = 0;
      return;
    }
    // Some browsers pause it with the page, and do not start it again.
    if (video.paused) void video.play().catch(() => undefined);
    // Where the page is not drawn at all, in a frame out of sight say, no frame can be expected.
    if (framed) without = 0;
    else if (rendered) without++;
    if (framed) black = !vouched && isBlack() ? black + 1 : 0;
    vouched = false;
    if (framed || rendered) ask();
    become(judge());
    if (trouble === null || ++looks < LOOKS_UNTIL_LOST[trouble]) return;
    end();
    onLost(trouble);
  };

  const timer = setInterval(look, LOOK_MS);
  ask();
  const onMuteChange = (): void => {
    // What came before tells nothing of the frames that come now.
    without = black = 0;
    if (!document.hidden) become(judge());
  };
  track.addEventListener('mute', onMuteChange, { signal: life.signal });
  track.addEventListener('unmute', onMuteChange, { signal: life.signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      onMuteChange();
      if (!document.hidden) ask();
    },
    { signal: life.signal },
  );
  // It may have been muted while its first frame was awaited.
  if (track.muted) onMuteChange();
  return { end, vouch: () => void (vouched = true) };
}

/** Looks at a very small copy of the picture. A slow device draws it for 0.2 s. */
function createBlackTest(video: HTMLVideoElement): () => boolean {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SAMPLE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return () => {
    try {
      if (!context) return false;
      context.drawImage(video, 0, 0, SAMPLE, SAMPLE);
      const { data } = context.getImageData(0, 0, SAMPLE, SAMPLE);
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
        if (0.299 * red + 0.587 * green + 0.114 * blue > BLACK_LUMA) return false;
      }
      return true;
    } catch {
      // A stream of the page's own may hold pictures that must not be read; then nothing is known.
      return false;
    }
  };
}
