import { afterEach } from 'vitest';
import { specimenUrl } from '../../demo/specimen.ts';
import { growBox, guideInPicture, type Size } from '../../src/domain/geometry.ts';
import type { CameraSource, ErrorDetail, KycCapture } from '../../src/index.ts';
import '../../src/index.ts';

const elements: KycCapture[] = [];

afterEach(() => {
  for (const element of elements.splice(0)) element.remove();
});

/** Puts an element on the page; the models are built by `npm run models`. */
export async function mount(
  attributes: Readonly<Record<string, string>>,
  cameraSource: CameraSource | null = null,
): Promise<KycCapture> {
  const element = document.createElement('kyc-capture');
  const defaults = { provider: 'identifai', 'token-endpoint': '/token', 'assets-base': '/assets/' };
  for (const [name, value] of Object.entries({ ...defaults, ...attributes })) {
    if (value !== '') element.setAttribute(name, value);
  }
  element.cameraSource = cameraSource;
  document.body.append(element);
  elements.push(element);
  await element.updateComplete;
  return element;
}

export function nextError(element: KycCapture): Promise<ErrorDetail> {
  return new Promise((resolve) =>
    element.addEventListener('kyc-error', ({ detail }) => resolve(detail), { once: true }),
  );
}

export function press(element: KycCapture, action: string): void {
  const button = element.shadowRoot?.querySelector<HTMLButtonElement>(`[data-action="${action}"]`);
  if (!button) throw new Error(`no button for ${action} on ${element.getAttribute('state') ?? '?'}`);
  button.click();
}

export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain for ${String(condition)}`);
}

export const noCamera: CameraSource = () => Promise.reject(new DOMException('', 'NotFoundError'));

/** A living picture: a real MediaStream with real frames. */
export function painted(
  { width, height }: Size,
  paint: (context: CanvasRenderingContext2D, tick: number) => void,
): MediaStream {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  let tick = 0;
  const draw = (): void => {
    if (!context || !canvas.isConnected) return;
    paint(context, tick++);
    requestAnimationFrame(draw);
  };
  document.body.append(canvas);
  draw();
  return canvas.captureStream(30);
}

/** What a phone's camera offers beside its picture. */
interface Lens {
  readonly torch?: boolean | readonly boolean[];
  readonly focusMode?: readonly string[];
}

/**
 * Gives the track of a stream a lens.
 * @param answer to each request: what the track says of its torch from then on, if anything
 * @returns what the track is asked for, one after the other
 */
export function withLens(
  stream: MediaStream,
  lens: Lens,
  answer: () => Promise<boolean | undefined> = () => Promise.resolve(undefined),
): Record<string, unknown>[] {
  const [track] = stream.getVideoTracks();
  if (!track) throw new Error('no track');
  const asked: Record<string, unknown>[] = [];
  const settings = track.getSettings();
  let torch: boolean | undefined;
  Object.assign(track, {
    getCapabilities: () => lens,
    getSettings: () => ({ ...settings, torch }),
    applyConstraints: async ({ advanced: [lensWish] = [], ...others }: MediaTrackConstraints) => {
      asked.push({ ...others, ...lensWish });
      torch = await answer();
    },
  });
  return asked;
}

/** Two greys in turn. */
export function stripes(width: number, height: number): MediaStream {
  return painted({ width, height }, (context, tick) => {
    context.fillStyle = tick % 2 ? '#888' : '#777';
    context.fillRect(0, 0, width, height);
  });
}

/** The specimen on a table, as it should be photographed. */
export async function specimenInGuide(size: Size): Promise<MediaStream> {
  const card = new Image();
  card.src = specimenUrl();
  await card.decode();
  const { x, y, width, height } = growBox(guideInPicture('ktp', size), -0.025, -0.025);
  return painted(size, (context, tick) => {
    // A hair of light, because a canvas that never changes gives no frames.
    context.fillStyle = tick % 2 ? '#7b5b40' : '#7b5b41';
    context.fillRect(0, 0, size.width, size.height);
    context.drawImage(card, x, y, width, height);
  });
}

afterEach(() => {
  for (const canvas of document.querySelectorAll('canvas')) canvas.remove();
});
