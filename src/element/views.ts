import { html, nothing, type TemplateResult } from 'lit';
import type { Journey, State } from '../domain/journey.ts';
import type { Point, Size } from '../domain/geometry.ts';
import type { Quad } from '../domain/homography.ts';
import type { ErrorCode, Step } from '../domain/result.ts';
import { cameraScreen } from './camera-screen.ts';
import type { Messages } from './messages/messages.ts';
import { button, ICONS, stepCount } from './parts.ts';

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
  readonly debug: TemplateResult | null;
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
      ${taking ? html`<progress aria-label=${choosing.judging}></progress>` : nothing}
      <div class="actions">
        ${button(view, 'cancel', 'quiet')}
        ${
          taking
            ? nothing
            : html`${button(view, 'retry', 'secondary', choosing.camera)}
                <button
                  type="button"
                  class="primary"
                  part="button primary"
                  data-action="file"
                  @click=${openPicker}
                >
                  ${choosing.file}
                </button>`
        }
      </div>
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
  'photo-too-large',
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
      <p class="advice" part="advice" role="status" .textContent=${view.advice ?? ''}></p>
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
