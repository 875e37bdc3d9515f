import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit';
import type { Journey, State } from '../domain/journey.ts';
import type { Point, Size } from '../domain/geometry.ts';
import { holdProgress } from '../domain/guide.ts';
import type { Quad } from '../domain/homography.ts';
import type { ErrorCode, Step } from '../domain/result.ts';
import { debugPanel, type Sighted } from './debug.ts';
import { guideOverlay } from './guide-overlay.ts';
import type { Messages } from './messages/messages.ts';

/** What the person can press; the `data-action` of the buttons. */
export type Action =
  | 'start'
  | 'forget'
  | 'torch'
  | 'switch'
  | 'refocus'
  | 'shutter'
  | 'choose'
  | 'use'
  | 'retake'
  | 'retry'
  | 'cancel'
  | 'restart';

/** All that a screen shows. */
export interface View {
  readonly journey: Journey;
  readonly messages: Messages;
  /** The steps the page asked for, shown on the start screen. */
  readonly steps: readonly Step[];
  /** The camera's picture, or null while it is not there. */
  readonly video: HTMLVideoElement | null;
  /** Size of the camera's frames, px, or null while there is none. */
  readonly picture: Size | null;
  readonly mirrored: boolean;
  /** Whether the camera's lamp is on, or null where there is none to switch. */
  readonly lit: boolean | null;
  /** The camera can be told to look for its focus anew. */
  readonly focuses: boolean;
  /** The device has another camera to switch to. */
  readonly switches: boolean;
  /** How the error is mended in this browser, or null. */
  readonly advice: string | null;
  /** The page accepts files in place of the camera. */
  readonly uploads: boolean;
  /** The corners of the card that is seen, px of the camera's frames, or null. */
  readonly card: Quad | null;
  /** Size of the area that shows the camera, CSS px. */
  readonly viewport: Size;
  /** What the last frame was found to be, where the page asks for it, else null. */
  readonly debug: Sighted | null;
  readonly photoUrl: (step: Step) => string | null;
  /** @param at where the picture was touched, in parts of its width and height */
  readonly act: (action: Action, at?: Point) => void;
  /** Takes a file for the photo. */
  readonly choose: (file: File) => void;
}

type In<Name extends State['name']> = Extract<State, { name: Name }>;

/** The screen for where the journey is. */
export function screen(view: View): TemplateResult {
  const { state } = view.journey;
  switch (state.name) {
    case 'start':
      return startScreen(view);
    case 'opening':
    case 'live':
      return cameraScreen(view, state);
    case 'choosing':
      return choosingScreen(view, state);
    case 'review':
      return reviewScreen(view, state);
    case 'sending':
      return sendingScreen(view, state);
    case 'done':
      return doneScreen(view, state);
    case 'failed':
      return failedScreen(view, state);
    case 'cancelled':
      return messageScreen('neutral', view.messages.cancelled, button(view, 'restart', 'primary'));
  }
}

function startScreen(view: View): TemplateResult {
  const { start } = view.messages;
  if (Object.keys(view.journey.photos).length > 0) {
    return messageScreen(
      'neutral',
      start.kept,
      html`${button(view, 'forget', 'secondary')} ${button(view, 'start', 'primary', start.kept.goOn)}`,
    );
  }
  return html`
    <section class="panel" part="screen">
      <h2 tabindex="-1">${start.title}</h2>
      <p class="lead">${start.lead}</p>
      <ol class="plan">
        ${view.steps.map((step, place) => html`<li><span class="badge">${ICONS[step]}</span><span>${planned(view, step, place)}</span></li>`)}
        <li><span class="badge">${ICONS.send}</span><span>${start.sending}</span></li>
      </ol>
      <p class="privacy">${ICONS.lock}<span>${start.privacy}</span></p>
      <div class="consent"><slot name="consent"></slot></div>
      <div class="actions">${button(view, 'start', 'primary')}</div>
    </section>
  `;
}

/** What a step asks for, with its advice where no step before has given the same. */
function planned({ messages, steps }: View, step: Step, place: number): string {
  const { plan, advice } = messages.steps[step];
  const isTold = steps.slice(0, place).some((earlier) => messages.steps[earlier].advice === advice);
  return isTold ? plan : `${plan} ${advice}`;
}

function cameraScreen(view: View, state: In<'opening'> | In<'live'>): TemplateResult {
  const { messages } = view;
  const { step } = state;
  const live = state.name === 'live' ? state : null;
  const hint = live?.guide.hint ?? null;
  const mood = hint === null ? 'waiting' : hint === 'hold-still' ? 'good' : 'wrong';
  const progress = live ? holdProgress(live.guide) : 0;
  const { rung } = view.journey;
  const trouble = live?.trouble;
  const text = trouble ? messages.troubles[trouble] : hint ? messages.hints[hint] : messages.steps[step].fit;
  return html`
    <section class="camera ${mood}" part="screen">
      <header>
        <div>
          <p class="count">${stepCount(view, step)}</p>
          <h2 tabindex="-1">${messages.steps[step].title}</h2>
        </div>
        ${view.switches && live ? switchButton(view) : nothing} ${button(view, 'cancel', 'quiet')}
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
      ${view.debug ? debugPanel(view.debug) : nothing}
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

/** What every browser here can be asked for; HEIC is converted by the phones that make it. */
const ACCEPTED_FILES = 'image/*';

function choosingScreen(view: View, { step, taking }: In<'choosing'>): TemplateResult {
  const { choosing, steps, rungs } = view.messages;
  const take = ({ currentTarget }: Event): void => {
    const input = currentTarget as HTMLInputElement;
    const file = input.files?.[0];
    // So that the same file can be chosen again.
    input.value = '';
    if (file) view.choose(file);
  };
  return html`
    <section class="panel message" part="screen">
      <p class="count">${stepCount(view, step)}</p>
      <span class="mark neutral">${ICONS[step]}</span>
      <h2 tabindex="-1">${steps[step].title}</h2>
      <p class="lead" part="message" role="status">
        ${taking ? choosing.judging : `${rungs.upload} ${steps[step].advice}`}
      </p>
      <input type="file" accept=${ACCEPTED_FILES} aria-label=${choosing.file} hidden @change=${take} />
      ${
        taking
          ? html`<progress aria-label=${choosing.judging}></progress>`
          : html`<div class="actions">
              ${button(view, 'retry', 'secondary', choosing.camera)}
              <button
                type="button"
                class="primary"
                part="button primary"
                data-action="file"
                @click=${openPicker}
              >
                ${choosing.file}
              </button>
            </div>`
      }
    </section>
  `;
}

function openPicker({ currentTarget }: Event): void {
  (currentTarget as HTMLElement).closest('section')?.querySelector('input')?.click();
}

function reviewScreen(view: View, { step }: In<'review'>): TemplateResult {
  const { title, check, photo } = view.messages.steps[step].review;
  const { hints, review } = view.messages;
  const doubt = view.journey.photos[step]?.issues[0];
  return html`
    <section class="panel review" part="screen">
      <p class="count">${stepCount(view, step)}</p>
      <h2 tabindex="-1">${title}</h2>
      <div class="photo">
        <img part="photo" src=${view.photoUrl(step) ?? ''} alt=${photo} />
      </div>
      ${
        doubt
          ? html`<p class="doubt" part="warning" data-code=${doubt.code}>
              ${ICONS.alert}<span>${review.doubt} ${hints[doubt.code]}.</span>
            </p>`
          : nothing
      }
      <p class="lead">${check}</p>
      <div class="actions">${button(view, 'retake', 'secondary')} ${button(view, 'use', 'primary')}</div>
    </section>
  `;
}

function sendingScreen(view: View, state: In<'sending'>): TemplateResult {
  const { sending } = view.messages;
  const percent = Math.round(state.fraction * 100);
  const text = sending[state.phase];
  // Only the upload has a measure; asking and waiting show a bar without one.
  const measured = state.phase === 'uploading';
  return html`
    <section class="panel message" part="screen">
      <span class="mark neutral">${ICONS.send}</span>
      <h2 tabindex="-1">${sending.title}</h2>
      ${
        measured
          ? html`<progress max="100" value=${percent} aria-label=${text}></progress>`
          : html`<progress aria-label=${text}></progress>`
      }
      <p role="status" aria-live="polite">
        ${text}${measured ? html` <span class="number">${percent}%</span>` : nothing}
      </p>
      <div class="actions">${button(view, 'cancel', 'secondary')}</div>
    </section>
  `;
}

function doneScreen(view: View, { result }: In<'done'>): TemplateResult {
  const { done } = view.messages;
  if (result.verified) return messageScreen('good', done.verified, nothing);
  // Fields that were read, or a face that was enrolled, are no verdict on the person.
  return result.liveness === null && result.match === null
    ? messageScreen('good', done.received, nothing)
    : messageScreen('wrong', done.notVerified, button(view, 'restart', 'primary'));
}

/** Errors of the camera and of what is made of its picture: a file may do instead. */
const FILE_HELPS: readonly ErrorCode[] = [
  'camera-denied',
  'camera-blocked',
  'camera-black',
  'in-app-browser',
  'camera-missing',
  'camera-busy',
  'camera-lost',
  'camera-failed',
  'camera-too-small',
  'assets-failed',
  'analysis-failed',
  'photo-failed',
  'photo-unreadable',
  'photo-too-small',
];

function failedScreen(view: View, { error }: In<'failed'>): TemplateResult {
  const { failed, hints } = view.messages;
  const reasons = error.guidance.map((code) => hints[code]);
  const kept = Object.keys(view.journey.photos).length > 0;
  return messageScreen(
    'wrong',
    { title: failed.title, text: failed.errors[error.code] },
    html`
      ${button(view, 'cancel', 'secondary')}
      ${view.uploads && FILE_HELPS.includes(error.code) ? button(view, 'choose', 'secondary') : nothing}
      ${button(view, 'retry', 'primary')}
    `,
    html`
      ${view.advice === null ? nothing : html`<p class="advice" part="advice">${view.advice}</p>`}
      ${
        reasons.length > 0
          ? html`<ul class="reasons">
              ${reasons.map((reason) => html`<li>${reason}</li>`)}
            </ul>`
          : nothing
      }
      ${kept ? html`<p class="privacy">${failed.kept}</p>` : nothing}
    `,
  );
}

function messageScreen(
  mood: 'good' | 'wrong' | 'neutral',
  { title, text }: { readonly title: string; readonly text: string },
  actions: unknown,
  more: unknown = nothing,
): TemplateResult {
  return html`
    <section class="panel message" part="screen">
      <span class="mark ${mood}"
        >${mood === 'good' ? ICONS.check : mood === 'wrong' ? ICONS.alert : ICONS.lock}</span
      >
      <h2 tabindex="-1">${title}</h2>
      <p class="lead" part="message" role="alert">${text}</p>
      ${more}
      <div class="actions">${actions}</div>
    </section>
  `;
}

/** Buttons with a text of their own. */
type Labelled = Exclude<Action, 'shutter' | 'torch' | 'switch' | 'refocus'>;

/** @param label in place of the action's usual text */
function button(
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

/** What there is to press while the camera runs, below the guide. */
function controls(view: View, { step, guide, manual, taking }: In<'live'>): TemplateResult {
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
      ${manual ? shutterButton(view, step, taking) : nothing}
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

function switchButton(view: View): TemplateResult {
  return html`<button
    type="button"
    class="switch"
    part="button tool"
    data-action="switch"
    aria-label=${view.messages.switch}
    @click=${() => view.act('switch')}
  >
    ${ICONS.camera}
  </button>`;
}

function shutterButton(view: View, step: Step, taking: boolean): TemplateResult {
  return html`<button
    type="button"
    class="round"
    part="shutter"
    data-action="shutter"
    aria-label=${view.messages.steps[step].shutter}
    ?disabled=${taking}
    @click=${() => view.act('shutter')}
  ></button>`;
}

function stepCount({ journey, messages }: View, step: Step): string {
  return journey.steps.length > 1
    ? messages.stepOf(journey.steps.indexOf(step) + 1, journey.steps.length)
    : '';
}

/** Line icons on a 24 px grid, drawn for this widget. */
const ICONS = {
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
