import { setTimeout as later } from 'node:timers/promises';
import type { Result, Step } from '../../src/domain/result.ts';
import type { CapturedEvent, PageRecord } from '../../src/playwright/in-page.ts';
import type { TakenPhoto } from '../../src/playwright/index.ts';
import type { EnginePage } from './drivers.ts';
import { RECORD } from './host.ts';
import { WATCH, type PageWatch } from './watch.ts';

/** Between two looks at the element, ms. */
const LOOK_MS = 50;

/** What is looked at in the page. */
interface Seen {
  readonly element: HTMLElement | null;
  readonly record: PageRecord;
  readonly watch: PageWatch;
}

/** The element in a page of any engine, and what a person does with it. */
export class Widget {
  readonly #page: EnginePage;

  constructor(page: EnginePage) {
    this.#page = page;
  }

  /** `look` runs in the page; only its text travels there. */
  #look<Argument, Answer>(
    look: (seen: Seen, argument: Argument) => Answer | Promise<Answer>,
    argument: Argument,
  ): Promise<Answer> {
    const names = JSON.stringify([RECORD.tag, RECORD.record, WATCH]);
    return this.#page.evaluate(
      `(([tag, record, watch]) => {
        const seen = { element: document.querySelector(tag), record: window[record], watch: window[watch] };
        return ((__name) => (${look.toString()})(seen, ${JSON.stringify(argument)}))((named) => named);
      })(${names})`,
    );
  }

  /** `live selfie`; nothing before the element is there. */
  state(): Promise<string> {
    return this.#look(
      ({ element }) =>
        ['state', 'step']
          .map((name) => element?.getAttribute(name) ?? '')
          .join(' ')
          .trim(),
      null,
    );
  }

  /** Waits until the state begins with one of these words, and says which it is. */
  async waitFor(states: readonly string[], timeout: number): Promise<string> {
    const end = Date.now() + timeout;
    for (;;) {
      const state = await this.state();
      if (states.some((wanted) => state.startsWith(wanted))) return state;
      if (Date.now() > end)
        throw new Error(`Still "${state}" after ${timeout} ms; ${states.join(', ')} was waited for.`);
      await later(LOOK_MS);
    }
  }

  async press(action: string): Promise<void> {
    const pressed = await this.#look(({ element }, name) => {
      const button = element?.shadowRoot?.querySelector<HTMLButtonElement>(`[data-action="${name}"]`);
      button?.click();
      return Boolean(button);
    }, action);
    if (!pressed) throw new Error(`There is no button for ${action}; the state is "${await this.state()}".`);
  }

  /** Goes from the start to the end by the automatic shutter. `onState` is told of every state on the way. */
  async run(timeout: number, onState: (state: string) => Promise<void>): Promise<string> {
    const end = Date.now() + timeout;
    await this.waitFor(['start'], timeout);
    await onState('start');
    await this.press('start');
    for (let last = 'start'; ;) {
      const others = ['opening', 'live', 'review', 'sending', 'done', 'failed'].filter(
        (state) => state !== last,
      );
      const state = await this.waitFor(others, end - Date.now());
      await onState(state);
      last = state.split(' ')[0] ?? '';
      if (last === 'done' || last === 'failed') return state;
      if (last === 'review') await this.press('use');
    }
  }

  /** From here on no camera is found. */
  async loseCamera(): Promise<void> {
    await this.#look(({ watch: { devices } }) => {
      const none = (): Promise<never> => Promise.reject(new DOMException('', 'NotFoundError'));
      Object.assign(devices as object, { getUserMedia: none });
    }, null);
  }

  /**
   * Chooses a file of the host, where the element asks for one.
   * @returns the code with which it is refused, or `taken`
   */
  async chooseFile(place: number, type: string): Promise<string> {
    return this.#look(
      async ({ element }, file) => {
        const input = element?.shadowRoot?.querySelector<HTMLInputElement>('input[type="file"]');
        if (!element || !input) throw new Error('The element asks for no file.');
        const answer = await fetch(`/engines/file/${file.place}`);
        const chosen = new DataTransfer();
        chosen.items.add(new File([await answer.arrayBuffer()], 'SPECIMEN', { type: file.type }));
        input.files = chosen.files;
        const end = new Promise<string>((resolve) => {
          element.addEventListener('kyc-error', (event) =>
            resolve((event as CustomEvent<{ code: string }>).detail.code),
          );
          element.addEventListener('kyc-capture', () => resolve('taken'));
        });
        input.dispatchEvent(new Event('change'));
        return end;
      },
      { place, type },
    );
  }

  /** Every photo of a `kyc-capture` event, in order. */
  async photos(): Promise<TakenPhoto[]> {
    const photos = await this.#look(
      ({ record }) =>
        Promise.all(
          record.photos.map(async ({ step, blob }) => {
            const { width, height } = await createImageBitmap(blob);
            return { step: step as Step, type: blob.type, width, height, base64: await record.base64(blob) };
          }),
        ),
      null,
    );
    return photos.map(({ base64, ...photo }) => ({ ...photo, jpeg: Buffer.from(base64, 'base64') }));
  }

  /** The detail of the latest event of a type, or null. */
  async detail(type: 'kyc-error' | 'kyc-rung'): Promise<CapturedEvent['detail'] | null>;
  async detail(type: 'kyc-complete'): Promise<Result | null>;
  async detail(type: string): Promise<unknown> {
    return this.#look(
      ({ record }, wanted) => record.events.filter((event) => event.type === wanted).at(-1)?.detail ?? null,
      type,
    );
  }

  /** What the page complains of, and what the policy held back. */
  async troubles(): Promise<{ readonly complaints: string[]; readonly violations: string[] }> {
    return this.#look(({ watch: { complaints, violations } }) => ({ complaints, violations }), null);
  }

  /** Takes the element out of the page, and says what still runs after `grace` ms. */
  async remove(grace = 2_000): Promise<{ readonly tracks: number; readonly workers: number }> {
    return this.#look(async ({ element, record, watch }, patience) => {
      element?.remove();
      const end = performance.now() + patience;
      for (;;) {
        const tracks = record.tracks.filter(({ readyState }) => readyState === 'live').length;
        const running = { tracks, workers: watch.workers.size };
        if (performance.now() > end || running.tracks + running.workers === 0) return running;
        await new Promise((next) => void setTimeout(next, 50));
      }
    }, grace);
  }
}
