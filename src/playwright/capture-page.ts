import type { BrowserContext, Locator, Page, Request } from '@playwright/test';
import type { Size } from '../domain/geometry.ts';
import type { Trouble } from '../domain/journey.ts';
import { STEPS, type ErrorCode, type GuidanceCode, type Result, type Step } from '../domain/result.ts';
import type {
  CapturedEvent,
  CapturedState,
  CameraAnswer,
  CameraQuestion,
  PageNames,
  PageRecord,
} from './in-page.ts';
import { inPage, record } from './in-page.ts';
import { filmOf, fitToGuide, LOOP_RATE, type Film, type Scene } from './scene.ts';
import type {
  Action,
  CameraKind,
  CameraSource,
  CaptureState,
  Exchange,
  OpenOptions,
  Outcome,
  Scenes,
  SentBody,
  TakenPhoto,
} from './vocabulary.ts';

const TAG = 'kyc-capture';
const NAMES: PageNames = {
  record: '__kycCaptureRecord',
  askDriver: '__kycCaptureCamera',
  tag: TAG,
  events: [
    'kyc-ready',
    'kyc-rung',
    'kyc-trouble',
    'kyc-feedback',
    'kyc-capture',
    'kyc-submit',
    'kyc-progress',
    'kyc-complete',
    'kyc-error',
    'kyc-cancel',
  ],
};

/** Longest wait where the caller names none, ms. Loading the models is the longest part. */
const PATIENCE_MS = 60_000;

/** A page with the tag, and everything a person in front of it, or a tester behind it, would do. */
export class CapturePage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The element. Playwright's locators look into its shadow root. */
  readonly element: Locator;
  /** What the console and uncaught errors said. */
  readonly console: string[] = [];
  readonly #source: CameraSource;
  readonly #requests: Request[] = [];
  #scenes: Scenes | null;
  #camera: CameraKind;
  #frame: Size;
  readonly #rate: number;

  private constructor(page: Page, source: CameraSource, frame: Size, options: OpenOptions) {
    this.page = page;
    this.context = page.context();
    this.element = page.locator(TAG);
    this.#source = source;
    this.#scenes = options.scenes ?? null;
    this.#camera = options.camera ?? 'device';
    this.#frame = frame;
    this.#rate = options.frameRate ?? LOOP_RATE;
    page.on('console', (message) => this.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.console.push(`uncaught: ${error.message}`));
    page.on('request', (request) => this.#requests.push(request));
  }

  /** Prepares an empty page and loads `url` in it. */
  static async open(
    context: BrowserContext,
    source: CameraSource,
    frame: Size,
    url: string,
    options: OpenOptions,
  ): Promise<CapturePage> {
    const page = await context.newPage();
    const opened = new CapturePage(page, source, frame, options);
    await page.exposeFunction(NAMES.askDriver, (question: CameraQuestion) => opened.#answer(question));
    await page.addInitScript(inPage(record, NAMES));
    await options.prepare?.(page, context);
    await page.goto(url);
    return opened;
  }

  async #answer(question: CameraQuestion): Promise<CameraAnswer> {
    const step = stepAsked(question);
    const scene = this.#sceneFor(step);
    switch (this.#camera) {
      case 'device':
        if (scene) await this.#source.load(this.#fit(scene, step), this.#frame);
        return { kind: 'device' };
      case 'canvas':
        return { kind: 'canvas', ...this.#frame, rate: this.#rate, film: await this.#film(scene, step) };
      default:
        return { kind: 'fault', name: this.#camera };
    }
  }

  #sceneFor(step: Step): Scene | undefined {
    if (!this.#scenes || 'layers' in this.#scenes) return this.#scenes ?? undefined;
    return this.#scenes[step];
  }

  async #film(scene: Scene | undefined, step: Step): Promise<Film> {
    return filmOf(scene ? await this.#source.frames(this.#fit(scene, step), this.#frame, this.#rate) : []);
  }

  #fit(scene: Scene, step: Step): Scene {
    return fitToGuide(scene, step, this.#frame);
  }

  /**
   * Puts something else before the camera. A canvas shows it at once, a device from the next time
   * it is opened.
   */
  async show(scenes: Scenes): Promise<void> {
    this.#scenes = scenes;
    if (this.#camera !== 'canvas') return;
    const step = (await this.step()) ?? 'selfie';
    const scene = this.#sceneFor(step);
    if (scene) await this.#inRecord((kept, film) => kept.show(film), await this.#film(scene, step));
  }

  /** Changes what the page gets the next time it asks for a camera. */
  setCamera(camera: CameraKind, frame: Size = this.#frame): void {
    this.#camera = camera;
    this.#frame = frame;
  }

  /** Takes the camera away while it runs, as a pulled cable does. */
  async loseCamera(): Promise<void> {
    await this.#inRecord((kept) => {
      for (const track of kept.tracks.filter((each) => each.readyState === 'live')) {
        track.stop();
        // A track that is stopped by the page itself tells nobody; one that is lost does.
        track.dispatchEvent(new Event('ended'));
      }
    }, null);
  }

  /**
   * Troubles a canvas camera while it runs, or ends the trouble: another app takes it (`muted`), its pictures are
   * black, or none comes any more (`frozen`).
   */
  async troubleCamera(trouble: Trouble | null): Promise<void> {
    await this.#inRecord((kept, told) => kept.trouble(told), trouble);
  }

  /** Turns the phone: the canvas cameras that are open, and those to come, have another size, px. */
  async turnCamera(frame: Size): Promise<void> {
    this.#frame = frame;
    await this.#inRecord((kept, { width, height }) => kept.turn(width, height), frame);
  }

  /** Hides the page, as another tab or the phone's home screen does, or shows it again. */
  async hide(hidden: boolean): Promise<void> {
    await this.#inRecord((kept, told) => kept.hide(told), hidden);
  }

  /** Gives the element a file in place of a photo of the camera. */
  async chooseFile(file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
    await this.element.locator('input[type="file"]').setInputFiles(file);
  }

  /** Presses one of the element's buttons, once it is there. */
  async press(action: Action, timeout = PATIENCE_MS): Promise<void> {
    await this.button(action).click({ timeout });
  }

  button(action: Action): Locator {
    return this.element.locator(`[data-action="${action}"]`);
  }

  async state(): Promise<CaptureState> {
    return (await this.element.getAttribute('state')) as CaptureState;
  }

  /** The step that the element is in, or null where it is in none. */
  async step(): Promise<Step | null> {
    return (await this.element.getAttribute('step')) as Step | null;
  }

  /** Waits for one of the states, and says which it is. */
  async waitForState(
    states: CaptureState | readonly CaptureState[],
    timeout = PATIENCE_MS,
  ): Promise<CaptureState> {
    const wanted = typeof states === 'string' ? [states] : states;
    await this.#waitFor(
      wanted.map((state) => `[state="${state}"]`),
      timeout,
    );
    return this.state();
  }

  /** Waits until a step is in a state: `('ktp', 'live')`. */
  async waitForStep(step: Step, state: CaptureState, timeout = PATIENCE_MS): Promise<void> {
    await this.#waitFor([`[step="${step}"][state="${state}"]`], timeout);
  }

  async #waitFor(attributes: readonly string[], timeout: number): Promise<void> {
    const selector = attributes.map((attribute) => `${TAG}${attribute}`).join(', ');
    await this.page.locator(selector).first().waitFor({ state: 'attached', timeout });
  }

  /** The hint that is shown: its code, or the empty string where none is. */
  async hint(): Promise<string> {
    const [hint] = await this.element.locator('[part="hint"]').all();
    return (await hint?.getAttribute('data-code')) ?? '';
  }

  /** What the person reads, or the empty string. */
  async hintText(): Promise<string> {
    const [hint] = await this.element.locator('[part="hint"]').all();
    return (await hint?.innerText())?.trim() ?? '';
  }

  /** Waits until a hint is shown. */
  async waitForHint(code: GuidanceCode | 'hold-still', timeout = PATIENCE_MS): Promise<void> {
    await this.element.locator(`[part="hint"][data-code="${code}"]`).waitFor({ state: 'attached', timeout });
  }

  /** Goes the whole way: start, every photo by the automatic shutter, use, send. */
  async run(timeout = 120_000): Promise<Outcome> {
    const began = Date.now();
    const left = (): number => Math.max(1, timeout - (Date.now() - began));
    if ((await this.state()) === 'start') await this.press('start', left());
    for (;;) {
      const state = await this.waitForState(['review', 'done', 'failed', 'cancelled'], left());
      if (state !== 'review') return this.#outcome(state, Date.now() - began);
      const step = await this.step();
      await this.press('use', left());
      // Until the next state is there, the review that was just answered would be seen again.
      await this.page
        .locator(`${TAG}[state="review"][step="${step}"]`)
        .waitFor({ state: 'detached', timeout: left() });
    }
  }

  async #outcome(state: CaptureState, milliseconds: number): Promise<Outcome> {
    const common = {
      milliseconds,
      photoMilliseconds: await this.#photoTimes(),
      photos: await this.photos(),
    };
    if (state === 'done') return { ended: 'done', result: await this.result(), ...common };
    if (state === 'cancelled') return { ended: 'cancelled', ...common };
    const error = (await this.events('kyc-error')).at(-1)?.detail ?? {};
    return {
      ended: 'failed',
      code: error['code'] as ErrorCode,
      message: String(error['message']),
      guidance: (error['guidance'] ?? []) as GuidanceCode[],
      ...common,
    };
  }

  async #photoTimes(): Promise<Partial<Record<Step, number>>> {
    const times: Partial<Record<Step, number>> = {};
    let live: CapturedState | null = null;
    for (const state of await this.states()) {
      if (state.state === 'live') live = state;
      else if (state.state === 'review' && live?.step)
        times[live.step as Step] = Math.round(state.at - live.at);
    }
    return times;
  }

  /** The detail of `kyc-complete`, as soon as it has been sent. */
  async result(timeout = PATIENCE_MS): Promise<Result> {
    const event = await this.waitForEvent('kyc-complete', timeout);
    return event.detail as unknown as Result;
  }

  /** Waits for an event that has been or will be sent; with several, the latest. */
  async waitForEvent(type: string, timeout = PATIENCE_MS): Promise<CapturedEvent> {
    const end = Date.now() + timeout;
    for (;;) {
      const event = (await this.events(type)).at(-1);
      if (event) return event;
      if (Date.now() > end)
        throw new Error(`No ${type} within ${timeout} ms; state is ${await this.state()}.`);
      await new Promise((later) => setTimeout(later, 50));
    }
  }

  /** The element's events so far, all or of one type. */
  async events(type?: string): Promise<CapturedEvent[]> {
    const events = await this.#inRecord((kept) => kept.events, null);
    return type ? events.filter((event) => event.type === type) : events;
  }

  /** Every state and step the element has been in, with times. */
  async states(): Promise<CapturedState[]> {
    return this.#inRecord((kept) => kept.states, null);
  }

  /** Every photo of a `kyc-capture` event, in order. */
  async photos(): Promise<TakenPhoto[]> {
    const photos = await this.#inRecord(async (kept) => {
      const read: { step: string; type: string; width: number; height: number; base64: string }[] = [];
      for (const { step, blob } of kept.photos) {
        const { width, height } = await createImageBitmap(blob);
        read.push({
          step,
          type: blob.type,
          width,
          height,
          base64: await kept.base64(blob),
        });
      }
      return read;
    }, null);
    return photos.map(({ step, type, width, height, base64 }) => ({
      step: step as Step,
      type,
      width,
      height,
      jpeg: Buffer.from(base64, 'base64'),
    }));
  }

  /** Every body the page has sent, Blobs included (which the network view does not hold). */
  async bodies(): Promise<SentBody[]> {
    const requests = await this.#inRecord(async (kept) => {
      const read = [];
      for (const { parts, ...request } of kept.requests) {
        const contents = [];
        for (const { name, type, content } of parts) {
          contents.push({ name, type, base64: await kept.base64(content) });
        }
        read.push({ ...request, parts: contents });
      }
      return read;
    }, null);
    return requests.map((request) => ({
      ...request,
      parts: request.parts.map(({ name, type, base64 }) => ({
        name,
        type,
        content: Buffer.from(base64, 'base64'),
      })),
    }));
  }

  /** Every request of the page and its workers so far, the page itself and its files among them. */
  async exchanges(): Promise<Exchange[]> {
    return Promise.all(
      this.#requests.map(async (request) => {
        const response = await request.response().catch(() => null);
        const type = response?.headers()['content-type'] ?? '';
        const readable =
          /^(application\/json|text\/(html|plain))/.test(type) && request.resourceType() !== 'document';
        return {
          method: request.method(),
          url: request.url(),
          headers: await request.allHeaders().catch(() => request.headers()),
          sent: request.postData(),
          status: response?.status() ?? null,
          received: readable ? ((await response?.text().catch(() => null)) ?? null) : null,
        };
      }),
    );
  }

  /** Camera tracks that run at this moment, clones included. */
  async liveTracks(): Promise<number> {
    return this.#inRecord((kept) => kept.tracks.filter((track) => track.readyState === 'live').length, null);
  }

  /** Workers that run at this moment. */
  workers(): number {
    return this.page.workers().length;
  }

  /** Takes the element out of the page, and says what is still running after `grace` ms. */
  async remove(grace = 2_000): Promise<{ readonly tracks: number; readonly workers: number }> {
    await this.element.evaluate((element) => element.remove());
    const end = Date.now() + grace;
    for (;;) {
      const running = { tracks: await this.liveTracks(), workers: this.workers() };
      if (Date.now() > end || running.tracks + running.workers === 0) return running;
      await new Promise((later) => setTimeout(later, 50));
    }
  }

  /** A picture of the page, or of the element alone. */
  async screenshot(path: string, of: 'page' | 'element' = 'page'): Promise<void> {
    await (of === 'page' ? this.page : this.element).screenshot({ path });
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  async #inRecord<Argument, Answer>(
    work: (kept: PageRecord, argument: Argument) => Answer | Promise<Answer>,
    argument: Argument,
  ): Promise<Answer> {
    const text = `((__name) => (${work.toString()})(window[${JSON.stringify(NAMES.record)}], ${JSON.stringify(argument)}))((named) => named)`;
    return this.page.evaluate<Answer>(text);
  }
}

/** The element's own step; a page that asks for a camera without the element tells by the side alone. */
function stepAsked({ facing, step }: CameraQuestion): Step {
  return STEPS.find((known) => known === step) ?? (facing === 'environment' ? 'ktp' : 'selfie');
}
