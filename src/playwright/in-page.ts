import type { Film } from './scene.ts';

/**
 * Source text that calls `work(argument)` in a page. Loaders built on esbuild wrap named functions
 * in a helper `__name`, which exists in Node only; the text brings its own.
 */
export function inPage<Argument>(work: (argument: Argument) => unknown, argument: Argument): string {
  return `((__name) => (${work.toString()})(${JSON.stringify(argument)}))((named) => named)`;
}

/** One event of the element. A Blob in its detail is replaced by its size and type. */
export interface CapturedEvent {
  readonly type: string;
  /** ms since the page began. */
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One change of the element's `state` or `step`. */
export interface CapturedState {
  readonly at: number;
  readonly state: string;
  readonly step: string | null;
}

/** One body the page gave to `fetch` or XMLHttpRequest, kept in the page. */
interface PageRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly parts: { name: string; type: string; content: Blob | string }[];
}

/** What the driver keeps in the page under test. */
export interface PageRecord {
  readonly events: CapturedEvent[];
  readonly states: CapturedState[];
  readonly photos: { step: string; blob: Blob }[];
  readonly tracks: MediaStreamTrack[];
  readonly requests: PageRequest[];
  /** The bytes of a Blob or text, in base64. */
  base64(content: Blob | string): Promise<string>;
  /** Replaces the picture of every canvas camera that is open. */
  show(film: Film): Promise<void>;
  /** Disturbs every canvas camera that is open. */
  trouble(trouble: 'muted' | 'black' | 'frozen' | null): void;
  /** Changes the size of every canvas camera that is open, px: the phone is turned. */
  turn(width: number, height: number): void;
  /** Makes the page believe that nobody sees it. */
  hide(hidden: boolean): void;
}

/** What the driver answers when the page asks for a camera. */
export type CameraAnswer =
  | { readonly kind: 'device' }
  | {
      readonly kind: 'canvas';
      readonly width: number;
      readonly height: number;
      /** Pictures a second. */
      readonly rate: number;
      /** Without pictures nothing is drawn. */
      readonly film: Film;
    }
  | { readonly kind: 'fault'; readonly name: string };

/** What the page tells the driver when it asks for a camera. */
export interface CameraQuestion {
  readonly facing: string | null;
  readonly step: string | null;
}

/** Names shared by the driver and the page. */
export interface PageNames {
  readonly record: string;
  readonly askDriver: string;
  readonly tag: string;
  readonly events: readonly string[];
}

/**
 * Runs in the page before any script of its own: records the element's events and states, the
 * tracks and the request bodies, and asks the driver which camera a `getUserMedia` call gets.
 * Self-contained, because only its text travels into the page.
 */
export function record(names: PageNames): void {
  const page = window as unknown as Record<string, unknown>;
  const ask = page[names.askDriver] as ((question: CameraQuestion) => Promise<CameraAnswer>) | undefined;
  if (page[names.record]) return;

  let shown: ImageBitmap[] = [];
  let disturbance: string | null = null;
  const canvases = new Set<HTMLCanvasElement>();
  /** One picture for each frame of the loop. */
  const decode = async ({ pictures, loop }: Film): Promise<ImageBitmap[]> => {
    const blobs = pictures.map((text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
    const decoded = await Promise.all(blobs.map((blob) => createImageBitmap(blob)));
    return loop.flatMap((index) => decoded[index] ?? []);
  };

  const kept: PageRecord = {
    events: [],
    states: [],
    photos: [],
    tracks: [],
    requests: [],
    base64: async (content) => {
      const reader = new FileReader();
      const read = new Promise((done) => reader.addEventListener('load', done));
      reader.readAsDataURL(new Blob([content]));
      await read;
      return (reader.result as string).split(',')[1] ?? '';
    },
    show: async (film) => {
      shown = await decode(film);
    },
    trouble: (trouble) => {
      const wasMuted = disturbance === 'muted';
      disturbance = trouble;
      for (const track of kept.tracks) {
        if (wasMuted === (trouble === 'muted')) continue;
        Object.defineProperty(track, 'muted', { value: trouble === 'muted', configurable: true });
        track.dispatchEvent(new Event(trouble === 'muted' ? 'mute' : 'unmute'));
      }
    },
    turn: (width, height) => {
      for (const canvas of canvases) Object.assign(canvas, { width, height });
    },
    hide: (hidden) => {
      const state = hidden ? 'hidden' : 'visible';
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    },
  };
  Object.defineProperty(window, names.record, { value: kept });

  for (const type of names.events) {
    document.addEventListener(
      type,
      (event) => {
        const detail = ((event as CustomEvent).detail ?? {}) as Record<string, unknown>;
        const { blob } = detail;
        if (blob instanceof Blob) kept.photos.push({ step: String(detail['step']), blob });
        const plain = JSON.stringify(detail, (_key, value: unknown) =>
          value instanceof Blob ? { size: value.size, type: value.type } : value,
        );
        kept.events.push({
          type,
          at: performance.now(),
          detail: JSON.parse(plain) as Record<string, unknown>,
        });
      },
      true,
    );
  }

  const noteState = (): void => {
    const element = document.querySelector(names.tag);
    const state = element?.getAttribute('state');
    if (!element || !state) return;
    const step = element.getAttribute('step');
    const last = kept.states.at(-1);
    if (last?.state === state && last.step === step) return;
    kept.states.push({ at: performance.now(), state, step });
  };
  const options = { subtree: true, childList: true, attributes: true, attributeFilter: ['state', 'step'] };
  new MutationObserver(noteState).observe(document, options);

  const keepTracks = (stream: MediaStream): MediaStream => {
    for (const track of stream.getTracks()) kept.tracks.push(track);
    return stream;
  };
  // Methods are taken off their prototypes only to be called on the object again.
  /* eslint-disable @typescript-eslint/unbound-method */
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function (this: MediaStreamTrack) {
    const copy = clone.call(this);
    kept.tracks.push(copy);
    return copy;
  };
  const captureStream = HTMLCanvasElement.prototype.captureStream;
  const openRequest = XMLHttpRequest.prototype.open;
  const setHeader = XMLHttpRequest.prototype.setRequestHeader;
  const sendRequest = XMLHttpRequest.prototype.send;
  const send = window.fetch;
  /* eslint-enable @typescript-eslint/unbound-method */
  HTMLCanvasElement.prototype.captureStream = function (this: HTMLCanvasElement, rate?: number) {
    return keepTracks(rate === undefined ? captureStream.call(this) : captureStream.call(this, rate));
  };

  const openCanvas = async (answer: CameraAnswer & { kind: 'canvas' }): Promise<MediaStream> => {
    shown = await decode(answer.film);
    const canvas = document.createElement('canvas');
    canvas.width = answer.width;
    canvas.height = answer.height;
    canvases.add(canvas);
    const context = canvas.getContext('2d');
    let frame = 0;
    const draw = (): void => {
      // A canvas that is not drawn on gives no frames.
      if (disturbance === 'muted' || disturbance === 'frozen') return;
      const picture = shown[frame++ % Math.max(1, shown.length)];
      if (disturbance === 'black') context?.fillRect(0, 0, canvas.width, canvas.height);
      else if (picture) context?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    };
    draw();
    const stream = canvas.captureStream(answer.rate);
    const [track] = stream.getVideoTracks();
    const timer = setInterval(() => {
      if (track?.readyState === 'live') {
        draw();
        return;
      }
      clearInterval(timer);
      canvases.delete(canvas);
    }, 1000 / answer.rate);
    return stream;
  };

  // Outside a secure context there is no camera to ask for.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices) {
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const video = constraints?.video;
      const wish = typeof video === 'object' ? video.facingMode : undefined;
      const facing = typeof wish === 'object' && !Array.isArray(wish) ? (wish.ideal ?? wish.exact) : wish;
      const step = document.querySelector(names.tag)?.getAttribute('step') ?? null;
      const question = { facing: typeof facing === 'string' ? facing : null, step };
      const answer: CameraAnswer = ask ? await ask(question) : { kind: 'device' };
      if (answer.kind === 'fault') throw new DOMException('Set by the test driver.', answer.name);
      if (answer.kind === 'canvas') return openCanvas(answer);
      return keepTracks(await open(constraints));
    };
  }

  const partsOf = (body: unknown): PageRequest['parts'] => {
    if (body instanceof FormData) {
      return [...body].map(([name, content]) => ({
        name,
        type: typeof content === 'string' ? 'text/plain' : content.type,
        content,
      }));
    }
    if (body instanceof Blob) return [{ name: '', type: body.type, content: body }];
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
      return [{ name: '', type: '', content: new Blob([body as BlobPart]) }];
    }
    const text = typeof body === 'string' ? body : body instanceof URLSearchParams ? body.toString() : null;
    return text === null ? [] : [{ name: '', type: 'text/plain', content: text }];
  };
  window.fetch = (input, init) => {
    // A Request that is given is only read: wrapping it would use up its body.
    const given = input instanceof Request ? input : null;
    kept.requests.push({
      method: init?.method ?? given?.method ?? 'GET',
      url: input instanceof Request ? input.url : new URL(input, document.baseURI).href,
      headers: Object.fromEntries(new Headers(init?.headers ?? given?.headers)),
      parts: partsOf(init?.body),
    });
    return send(input, init);
  };
  const opened = new WeakMap<XMLHttpRequest, PageRequest>();
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, method: string, url: string | URL) {
    opened.set(this, { method, url: new URL(url, document.baseURI).href, headers: {}, parts: [] });
    // The two-argument form is the asynchronous one, the only one that may be used on a page.
    openRequest.call(this, method, url, true);
  };
  XMLHttpRequest.prototype.setRequestHeader = function (this: XMLHttpRequest, name: string, value: string) {
    const request = opened.get(this);
    if (request) request.headers[name.toLowerCase()] = value;
    setHeader.call(this, name, value);
  };
  XMLHttpRequest.prototype.send = function (
    this: XMLHttpRequest,
    body?: Document | XMLHttpRequestBodyInit | null,
  ) {
    const request = opened.get(this);
    if (request) {
      request.parts.push(...partsOf(body));
      kept.requests.push(request);
    }
    sendRequest.call(this, body);
  };
}
