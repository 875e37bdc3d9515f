import type { Size } from '../../src/domain/geometry.ts';
import type { ProviderId, Step } from '../../src/domain/result.ts';
import type { BenchBrowser } from './browser.ts';
import type { PhotoTime } from './page/page.ts';
import type { Site } from './site.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** What photos of one kind cost. */
export interface PhotoFigures {
  readonly step: Step;
  readonly provider: ProviderId;
  /** The camera's picture, px. */
  readonly camera: Size;
  /** The camera's picture is grainy. */
  readonly noisy: boolean;
  /** It is a card that was cut out along its edges. */
  readonly straightened: boolean;
  /** From the shutter to the Blob, ms. */
  readonly took: Spread;
  /** Of the whole, the most that one photo took. */
  readonly encodes: number;
  /** Of the largest photo. */
  readonly bytes: number;
  /** Bytes that the provider takes at most. */
  readonly limit: number;
  /** Of the photo, px. */
  readonly photo: Size;
}

const CAMERAS: readonly Size[] = [
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
];
const PROVIDERS: readonly ProviderId[] = ['identifai', 'eendigo'];
/** Different pictures of the camera's loop, so that no cache helps. */
const PICTURES = 6;

/** Makes photos as the shutter does. */
export async function measurePhotos(
  browser: BenchBrowser,
  site: Site,
  quick: boolean,
): Promise<readonly PhotoFigures[]> {
  const figures: PhotoFigures[] = [];
  const { page } = await browser.newPage();
  try {
    await page.goto(site.benchPage);
    await page.waitForFunction(() => 'bench' in window);
    for (const camera of CAMERAS) {
      for (const step of ['selfie', 'ktp'] as const) {
        const name = `${step}-${camera.width}`;
        site.setFrames(name, (await browser.frames(step, camera)).slice(0, PICTURES));
        const pictures = Array.from({ length: PICTURES }, (_, index) => `/frames/${name}/${index}`);
        for (const provider of PROVIDERS) {
          for (const noisy of [false, true]) {
            const times = await page.evaluate((given) => window.bench.takePhotos(...given), [
              step,
              pictures,
              provider,
              { count: quick ? 10 : 20, noisy },
            ] as const);
            figures.push({ step, provider, camera, noisy, ...summed(times) });
          }
        }
      }
    }
    return figures;
  } finally {
    await page.context().close();
  }
}

function summed(times: readonly PhotoTime[]): Omit<PhotoFigures, 'step' | 'provider' | 'camera' | 'noisy'> {
  const [first] = times;
  if (!first) throw new Error('No photo was made.');
  return {
    straightened: times.every(({ straightened }) => straightened),
    took: spreadOf(times.map(({ took }) => took)),
    encodes: Math.max(...times.map(({ encodes }) => encodes)),
    bytes: Math.max(...times.map(({ bytes }) => bytes)),
    limit: first.limit,
    photo: { width: first.width, height: first.height },
  };
}
