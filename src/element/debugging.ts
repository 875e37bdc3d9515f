import { adoptStyles, type CSSResult, type LitElement, type TemplateResult } from 'lit';
import { createPart } from '../analysis/part.ts';
import type { Sighting } from '../session/options.ts';
import type { Sighted } from './debug.ts';

const loadDebug = createPart('debug', () => import('./debug.ts'));
type Part = Awaited<ReturnType<typeof loadDebug>>;

/** Shows what `debug` asks for. Only developers ask, so what draws it is loaded with the first frame that is told. */
export class Debugging {
  readonly #host: LitElement;
  readonly #styles: readonly CSSResult[];
  #part: Part | null = null;
  #sighted: Sighted | null = null;

  /** @param styles those that the host has */
  constructor(host: LitElement, styles: readonly CSSResult[]) {
    this.#host = host;
    this.#styles = styles;
  }

  /** Shows a frame; it is left out where what draws it cannot be loaded. */
  async follow(sighting: Sighting): Promise<void> {
    this.#part ??= await this.#load();
    this.#sighted = this.#part?.follow(this.#sighted, sighting) ?? null;
    this.#host.requestUpdate();
  }

  /** The measures of the last frame, or null. */
  panel(): TemplateResult | null {
    return this.#part && this.#sighted ? this.#part.debugPanel(this.#sighted) : null;
  }

  /** Draws the last frame's marks over the picture, once the screen has a canvas. */
  draw(mirrored: boolean): void {
    const canvas = this.#host.renderRoot.querySelector('canvas');
    if (canvas && this.#sighted) this.#part?.drawSighting(canvas, this.#sighted, mirrored);
  }

  /** Forgets the frames so far. */
  forget(): void {
    this.#sighted = null;
  }

  async #load(): Promise<Part | null> {
    const part = await loadDebug().catch(() => null);
    const { shadowRoot } = this.#host;
    if (part && shadowRoot) adoptStyles(shadowRoot, [...this.#styles, part.debugStyles]);
    return part;
  }
}
