import { startWatch } from './watch.ts';

/*
 * Code that not every page needs, or not at once. It comes over the same network as everything else, and a journey
 * must not end because one of its files did not come at the first attempt.
 */

/** Put in by the standalone build, where each part is a file `kyc-capture-NAME.js` beside this one. */
declare const STANDALONE: true | undefined;

const HERE = import.meta.url;

/** No answer for so long, and it is asked for anew, ms. The largest part has 22 kB. */
const PATIENCE = 15_000;
/** Before it is asked for anew, ms: a phone between two cells is back by then. */
const RETRY_AFTER = 1000;

/**
 * A part of this build that is loaded when it is first asked for, and kept. What fails or does not come is asked for
 * once more at once, and again whenever somebody asks.
 * @param name of its file in the standalone build
 * @returns rejects where it could not be loaded
 */
export function createPart<Part>(name: string, load: () => Promise<Part>): () => Promise<Part> {
  let loading: Promise<Part> | null = null;
  // Browsers from before the autumn of 2026 remember for the life of a page that an address failed, so it is another.
  const loadAnew = (): Promise<Part> =>
    typeof STANDALONE === 'undefined'
      ? load()
      : (import(
          /* @vite-ignore */ new URL(`kyc-capture-${name}.js?${Date.now()}`, HERE).href
        ) as Promise<Part>);
  const attempt = async (): Promise<Part> => {
    try {
      return await inTime(load());
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
      return inTime(loadAnew());
    }
  };
  return () =>
    (loading ??= attempt().catch((cause: unknown) => {
      loading = null;
      throw cause;
    }));
}

function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const watch = startWatch(PATIENCE, () => reject(new Error('no answer in time')));
    promise.then(resolve, reject).finally(() => watch.stop());
  });
}
