import { html, nothing, type TemplateResult } from 'lit';
import { holdProgress } from '../domain/guide.ts';
import type { State } from '../domain/journey.ts';
import type { Step } from '../domain/result.ts';
import { guideOverlay } from './guide-overlay.ts';
import { button, ICONS, stepCount } from './parts.ts';
import type { View } from './views.ts';

type In<Name extends State['name']> = Extract<State, { name: Name }>;

/** The screen while the camera opens and runs. */
export function cameraScreen(view: View, state: In<'opening'> | In<'live'>): TemplateResult {
  const { messages } = view;
  const { step } = state;
  const live = state.name === 'live' ? state : null;
  const hint = live?.guide.hint ?? null;
  const mood = hint === null ? 'waiting' : hint === 'hold-still' ? 'good' : 'wrong';
  const progress = live ? holdProgress(live.guide) : 0;
  const { rung } = view.journey;
  const { trouble } = state;
  const text = trouble ? messages.troubles[trouble] : hint ? messages.hints[hint] : messages.steps[step].fit;
  return html`
    <section class="camera ${mood}" part="screen">
      <header>
        <div>
          <p class="count">${stepCount(view, step)}</p>
          <h2 tabindex="-1">${messages.steps[step].title}</h2>
        </div>
        ${view.switches && live ? switchButton(view, live.taking) : nothing}
        ${button(view, 'cancel', 'quiet')}
      </header>
      <div class="stage" part="stage">
        <div class="picture ${view.mirrored ? 'mirrored' : ''}">
          ${view.video ?? nothing} ${view.debug ? html`<canvas aria-hidden="true"></canvas>` : nothing}
        </div>
        ${guideOverlay(view, step, progress)}
        <p class="hint" part="hint" data-code=${hint ?? ''} role="status" aria-live="polite">
          ${trouble || hint ? (hint === 'hold-still' && !trouble ? ICONS.check : ICONS.alert) : nothing}<span
            >${text}</span
          >
        </p>
        ${state.name === 'opening' ? openingProgress(view, state) : nothing}
        ${live ? controls(view, live) : nothing}
      </div>
      <p class="rung" role="status" .textContent=${rung === 'worker' ? '' : messages.rungs[rung]}></p>
      ${view.debug ?? nothing}
    </section>
  `;
}

function openingProgress({ messages }: View, state: In<'opening'>): TemplateResult {
  const percent = Math.round(state.loaded * 100);
  const waitsForCamera = !state.cameraLive && (state.analyserReady || percent === 100);
  const text = waitsForCamera ? messages.openingCamera : messages.loading(percent);
  return html`
    <div class="loading">
      <progress max="100" value=${percent} aria-label=${text}></progress>
      <p>${text}</p>
    </div>
  `;
}

/** What there is to press while the camera runs, below the guide. */
function controls(view: View, { step, guide, manual, taking, trouble }: In<'live'>): TemplateResult {
  const { lit, focuses, messages } = view;
  return html`
    <div class="controls">
      ${
        lit === null
          ? nothing
          : html`<button
              type="button"
              class="tool ${!lit && guide.hint === 'too-dark' ? 'urged' : ''}"
              part="button tool"
              data-action="torch"
              aria-pressed=${lit ? 'true' : 'false'}
              @click=${() => view.act('torch')}
            >
              ${ICONS.torch}${messages.torch}
            </button>`
      }
      ${manual ? shutterButton(view, step, taking || trouble !== null) : nothing}
      ${
        focuses
          ? html`<button
              type="button"
              class="tool"
              part="button tool"
              data-action="refocus"
              @click=${() => view.act('refocus')}
            >
              ${ICONS.focus}${messages.refocus}
            </button>`
          : nothing
      }
    </div>
  `;
}

function switchButton(view: View, taking: boolean): TemplateResult {
  return html`<button
    type="button"
    class="switch"
    part="button tool"
    data-action="switch"
    aria-label=${view.messages.switch}
    ?disabled=${taking}
    @click=${() => view.act('switch')}
  >
    ${ICONS.camera}
  </button>`;
}

function shutterButton(view: View, step: Step, disabled: boolean): TemplateResult {
  return html`<button
    type="button"
    class="round"
    part="shutter"
    data-action="shutter"
    aria-label=${view.messages.steps[step].shutter}
    ?disabled=${disabled}
    @click=${() => view.act('shutter')}
  ></button>`;
}
