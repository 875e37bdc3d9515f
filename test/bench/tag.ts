import type { BrowserContext } from '@playwright/test';
import { inPage } from '../../src/playwright/in-page.ts';
import type { BenchBrowser, BenchPage } from './browser.ts';
import type { Site } from './site.ts';

/*
 * A page with nothing but the tag, which is started the moment that it is there, as by a person who is very quick, or
 * some time later.
 */

/** Moments of the tag, as the probe marks them. */
export const MOMENTS = {
  /** The element is defined. */
  upgrade: 'upgrade',
  /** The start button is pressed, at the same moment where the person is quick. */
  pressed: 'pressed',
  /** The camera's picture is on the screen. */
  camera: 'camera',
  /** The camera is judged. */
  ready: 'ready',
  /** The first `kyc-feedback`. */
  hint: 'hint',
  /** The first photo. */
  capture: 'capture',
} as const;

/** What the page is told before its scripts run. */
interface Preparation {
  readonly moments: typeof MOMENTS;
  readonly thresholds: unknown;
  /** How long the start screen is read, ms. */
  readonly reads: number;
}

/** Attributes of a tag that sends to the sandbox and keeps nothing, so that a second load is like the first. */
const ATTRIBUTES = {
  provider: 'identifai',
  'token-endpoint': '/kyc/token',
  persist: 'none',
  steps: 'selfie',
};

/** Thresholds that nobody meets: the guidance goes on without end. */
export const NEVER_SHARP = { face: { sharpness: 1000 } } as const;

/**
 * Opens the tag, which starts by itself.
 * @param options `thresholds` as the element's property has them; `preload` for a tag that makes use of the time, ms, in
 * which its start screen is read
 */
export async function openTag(
  browser: BenchBrowser,
  site: Site,
  options: {
    readonly context?: BrowserContext;
    readonly thresholds?: unknown;
    readonly preload?: number;
  } = {},
): Promise<BenchPage> {
  const opened = await browser.newPage(options.context);
  const { thresholds = null, preload } = options;
  const preparation: Preparation = { moments: MOMENTS, thresholds, reads: preload ?? 0 };
  await opened.page.addInitScript(inPage(startAtOnce, preparation));
  const attributes = preload === undefined ? ATTRIBUTES : { ...ATTRIBUTES, preload: '' };
  await opened.page.goto(site.tagPage(attributes), { waitUntil: 'commit' });
  return opened;
}

/** A tag that has not come so far after this long does not, ms. */
const PATIENCE = 60_000;

/** Waits until the tag has come so far. */
export async function reach({ page, errors }: BenchPage, moment: keyof typeof MOMENTS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<'overdue'>((resolve) => {
    timer = setTimeout(() => resolve('overdue'), PATIENCE);
  });
  const reached = page.evaluate((name) => window.benchProbe.reached(name), MOMENTS[moment]);
  const first = await Promise.race([reached, overdue]).finally(() => clearTimeout(timer));
  if (first !== 'overdue') return;
  // It fails once the page is closed.
  reached.catch(() => undefined);
  const marks = JSON.stringify(await page.evaluate(() => window.benchProbe.marks));
  throw new Error(`The tag did not come to "${moment}" (${marks}; ${errors.join('; ')}).`);
}

/** ms between two moments of the tag; waits for the second. */
export async function elapsed(
  opened: BenchPage,
  from: keyof typeof MOMENTS,
  to: keyof typeof MOMENTS,
): Promise<number> {
  await reach(opened, to);
  const marks = await opened.page.evaluate(() => window.benchProbe.marks);
  const [began, came] = [marks[MOMENTS[from]], marks[MOMENTS[to]]];
  if (began === undefined || came === undefined) throw new Error(`The tag did not come to "${from}" before.`);
  return came - began;
}

/** Runs in the page before any script of its own; self-contained, because only its text travels there. */
function startAtOnce({ moments, thresholds, reads }: Preparation): void {
  type Tag = HTMLElement & { thresholds: unknown; start(): void };
  const events = { 'kyc-ready': moments.ready, 'kyc-feedback': moments.hint, 'kyc-capture': moments.capture };
  for (const [event, moment] of Object.entries(events))
    document.addEventListener(event, () => window.benchProbe.mark(moment));
  // When something changes, not with every frame: that would have the page draw all of them.
  const lookForCamera = ({ shadowRoot }: Tag): void => {
    if (shadowRoot === null) return;
    const look = (): void => {
      const video = shadowRoot.querySelector('video');
      if (!video || video.readyState < video.HAVE_CURRENT_DATA) return;
      window.benchProbe.mark(moments.camera);
      observer.disconnect();
    };
    const observer = new MutationObserver(look);
    observer.observe(shadowRoot, { childList: true, subtree: true });
    // It does not bubble, and is heard on its way down.
    shadowRoot.addEventListener('loadeddata', look, true);
  };
  void customElements.whenDefined('kyc-capture').then(() => {
    const tag = document.querySelector<Tag>('kyc-capture');
    if (tag === null) return;
    window.benchProbe.mark(moments.upgrade);
    if (thresholds !== null) tag.thresholds = thresholds;
    const press = (): void => {
      window.benchProbe.mark(moments.pressed);
      tag.start();
      lookForCamera(tag);
    };
    if (reads === 0) press();
    else setTimeout(press, reads);
  });
}
