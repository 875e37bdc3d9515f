import type { Context } from 'hono';
import type { Step } from '../domain/result.ts';
import { decodes, isJpeg, readJpegSize } from './jpeg.ts';
import type { SandboxCase } from './sandbox-cases.ts';

/** What arrived as one picture; never the picture. */
export interface ReceivedImage {
  /** The name or place in the request. */
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly decoded: boolean;
}

/** What arrived in one submission. */
export interface Received {
  readonly provider: 'identifai' | 'eendigo';
  /** Names of all fields beside the pictures, in their order. */
  readonly fields: readonly string[];
  readonly images: readonly ReceivedImage[];
  /** Which photo came first, as far as the shapes tell; null where they do not. */
  readonly order: readonly Step[] | null;
}

/** What a fault sends instead of JSON. */
export const PAGE = '<!doctype html><html><body><h1>SPECIMEN: not what you asked for</h1></body></html>';

/** Between the first half of an answer that is cut off and its end, ms. */
const TEAR_AFTER = 50;

/** Sends the answer, or what its case makes of it on the way. */
export function deliver(c: Context, { answer }: SandboxCase, body: string, status: 200 | 202): Response {
  if (answer === 'nonsense') return c.html(PAGE);
  const headers = { 'content-type': 'application/json' };
  if (answer !== 'cut-off') return c.body(body, status, headers);
  let sent = false;
  const torn = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent) {
        // A server holds the first bytes back for a moment; only what breaks after that breaks on the wire.
        await new Promise((resolve) => setTimeout(resolve, TEAR_AFTER));
        controller.error(new Error('SPECIMEN: connection cut off'));
      } else {
        controller.enqueue(new TextEncoder().encode(body.slice(0, body.length / 2)));
        sent = true;
      }
    },
  });
  return c.body(torn, status, headers);
}

/** What can be told of a picture without keeping it. */
export function inspect(name: string, type: string, bytes: Uint8Array): ReceivedImage {
  const size = readJpegSize(bytes);
  const small = size !== null && size.width * size.height <= 12_000_000;
  return {
    name,
    type,
    bytes: bytes.length,
    width: size?.width ?? null,
    height: size?.height ?? null,
    decoded: isJpeg(bytes) && small && decodes(bytes),
  };
}

/** Which photo came first. A card is 1.586 times as wide as high, and upright pictures are none. */
export function tellOrder(pictures: readonly ReceivedImage[]): readonly Step[] | null {
  const cards = pictures
    .map(({ width, height }) => (width ?? 0) / (height ?? 1))
    .map((ratio) => ({
      sure: Math.abs(ratio - 1.586) < 0.05,
      never: ratio <= 1,
    }));
  const [first, second] = cards;
  if (!first || !second) return null;
  if ((first.sure && !second.sure) || (second.never && !first.never)) return ['ktp', 'selfie'];
  if ((second.sure && !first.sure) || (first.never && !second.never)) return ['selfie', 'ktp'];
  return null;
}

/** Waits, but not for somebody who has gone. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
