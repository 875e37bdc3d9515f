import type { BenchBrowser } from '../browser.ts';
import type { Site } from '../site.ts';
import { spreadOf } from '../statistics.ts';
import { elapsed, openTag } from '../tag.ts';
import type { Peer } from './field.ts';
import { startPeer } from './measure.ts';
import type { PeerServer } from './serve.ts';

/*
 * The widget and a peer started in turn, in one browser with everything in its cache: minutes apart, a shared machine is
 * slower or faster by more than lies between them.
 */

/** Medians up to the first hint, ms. */
export interface Race {
  readonly widget: number;
  readonly peer: number;
  /** How often each was started. */
  readonly starts: number;
}

/** Starts of each that are not counted: they fill the cache, and code is only kept compiled from the second on. */
const WARM_UP = 2;
/** A page that was closed still keeps the machine busy for a while, ms. */
const REST = 300;

/** Starts the two in turn, now the one first and now the other. */
export async function race(
  peer: Peer,
  { browser, site, server, quick }: { browser: BenchBrowser; site: Site; server: PeerServer; quick: boolean },
): Promise<Race> {
  const context = await browser.newProfile();
  const startWidget = async (): Promise<number> => {
    const opened = await openTag(browser, site, { context });
    const took = await elapsed(opened, 'upgrade', 'hint');
    await opened.page.close();
    return took;
  };
  const startOther = async (): Promise<number> => {
    const started = await startPeer(peer, context, server);
    await started.close();
    return started.start.firstFeedback;
  };
  const widget = { start: startWidget, times: [] as number[] };
  const other = { start: startOther, times: [] as number[] };
  const starts = quick ? 3 : 9;
  try {
    for (let turn = 0; turn < WARM_UP + starts; turn++) {
      for (const { start, times } of turn % 2 === 0 ? [widget, other] : [other, widget]) {
        const took = await start();
        if (turn >= WARM_UP) times.push(took);
        await new Promise((resolve) => setTimeout(resolve, REST));
      }
    }
  } finally {
    await context.close();
  }
  return { widget: spreadOf(widget.times).median, peer: spreadOf(other.times).median, starts };
}
