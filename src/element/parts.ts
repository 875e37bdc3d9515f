import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import type { Step } from '../domain/result.ts';
import type { Action, View } from './views.ts';

/** Buttons with a text of their own. */
type Labelled = Exclude<Action, 'shutter' | 'torch' | 'switch' | 'refocus'>;

/** @param label in place of the action's usual text */
export function button(
  view: View,
  action: Labelled,
  look: 'primary' | 'secondary' | 'quiet',
  label?: string,
): TemplateResult {
  const { messages } = view;
  const labels: Record<Labelled, string> = {
    start: messages.start.begin,
    forget: messages.start.kept.forget,
    choose: messages.failed.choose,
    use: messages.review.use,
    retake: messages.review.retake,
    retry: messages.failed.retry,
    cancel: messages.cancel,
    restart: messages.restart,
  };
  return html`<button
    type="button"
    class=${look}
    part="button ${look}"
    data-action=${action}
    @click=${() => view.act(action)}
  >
    ${label ?? labels[action]}
  </button>`;
}

/** Which of the steps this is; nothing where there is only one. */
export function stepCount({ journey, messages }: View, step: Step): string {
  return journey.steps.length > 1
    ? messages.stepOf(journey.steps.indexOf(step) + 1, journey.steps.length)
    : '';
}

/** Line icons on a 24 px grid, drawn for this widget. */
export const ICONS = {
  selfie: icon(svg`<circle cx="12" cy="9" r="4"/><path d="M4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5"/>`),
  ktp: cardIcon(svg`<path d="M6 10h6M6 14h4"/><rect x="15" y="9" width="3.5" height="5" rx="1"/>`),
  sim: cardIcon(svg`<circle cx="8.5" cy="12" r="3"/><path d="M5.5 12h6M8.5 12v3M15 10h3.5M15 14h3.5"/>`),
  npwp: cardIcon(svg`<path d="M6 9h4M6 12.5h12M6 15.5h8"/>`),
  torch: icon(svg`<path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12Z"/>`),
  focus: icon(
    svg`<path d="M3.5 8V5A1.5 1.5 0 0 1 5 3.5h3M16 3.5h3A1.5 1.5 0 0 1 20.5 5v3M20.5 16v3a1.5 1.5 0 0 1-1.5 1.5h-3M8 20.5H5A1.5 1.5 0 0 1 3.5 19v-3"/><circle cx="12" cy="12" r="3"/>`,
  ),
  camera: icon(
    svg`<path d="M4 8h3l1.5-2.5h7L17 8h3v11H4Z"/><path d="M9 14a3 3 0 0 1 5-2.2M15 13a3 3 0 0 1-5 2.2"/>`,
  ),
  send: icon(svg`<path d="M12 19V6M6.5 11.5 12 6l5.5 5.5"/>`),
  lock: icon(
    svg`<rect x="5" y="10.5" width="14" height="9.5" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>`,
  ),
  check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`),
  alert: icon(svg`<path d="M12 4 2.5 20h19ZM12 10v4.5M12 17.2v.1"/>`),
};

function cardIcon(print: SVGTemplateResult): TemplateResult {
  return icon(svg`<rect x="2.5" y="5" width="19" height="14" rx="2"/>${print}`);
}

function icon(shape: SVGTemplateResult): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;
}
