import { LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { createAnalyser, trapsSoFar } from '../analysis/analyser.ts';
import { createPart } from '../analysis/part.ts';
import { NOT_STARTED, type News } from '../domain/journey.ts';
import { pictureInViewport, type Point, type Size } from '../domain/geometry.ts';
import { CaptureError, type ErrorCode, type Step } from '../domain/result.ts';
import { openCamera, type CameraSource } from '../session/camera.ts';
import type { Diagnosis } from '../session/diagnose.ts';
import { Session } from '../session/session.ts';
import { readConfiguration, readSteps, type Thresholds } from './configuration.ts';
import { Debugging } from './debugging.ts';
import { fire, tell } from './events.ts';
import { messagesFor } from './messages/messages.ts';
import { styles } from './styles.ts';
import { screen, type Action } from './views.ts';

/** The integrity of manifest.json as this build made it, put in by the build. */
declare const ASSETS_INTEGRITY: string | null;

/** Errors of which there is more to say in one browser than in another. */
const ADVISED: readonly ErrorCode[] = ['camera-denied', 'in-app-browser'];

/** Worker, WASM and models lie beside the script unless the page says otherwise. */
const SCRIPT_URL = import.meta.url;

// Named, so that the part needs no file of the bundler's own, which nobody would ask for anew.
const loadSubmit = createPart('submit', async () => {
  const { submit } = await import('../session/submit.ts');
  return { submit };
});
const loadDiagnose = createPart('diagnose', () => import('../session/diagnose.ts'));
const loadAdvice = createPart('advice', () => import('./messages/advice.ts'));

/**
 * `<kyc-capture>`: leads a person to a good selfie and good photos of KTP, SIM and NPWP, and sends selfie and KTP.
 *
 * @slot consent - what the person agrees to by starting
 * @csspart screen - the present screen
 * @csspart stage - the area that shows the camera
 * @csspart guide - the outline on the camera's picture
 * @csspart hint - the one hint while the camera runs
 * @csspart photo - the photo under review
 * @csspart warning - what may be wrong with a photo that was taken by hand
 * @csspart message - the sentence on the last and on the error screen
 */
export class KycCapture extends LitElement {
  static override readonly styles = styles;
  static override readonly properties = {
    provider: { type: String },
    analytics: { type: String },
    faceId: { type: String, attribute: 'face-id' },
    context: { attribute: false },
    tokenEndpoint: { type: String, attribute: 'token-endpoint' },
    providerBase: { type: String, attribute: 'provider-base' },
    steps: { type: String },
    refNumber: { type: String, attribute: 'ref-number' },
    assetsBase: { type: String, attribute: 'assets-base' },
    lang: { type: String, reflect: true },
    allow: { type: String },
    debug: { type: Boolean },
    tokenHeaders: { attribute: false },
    cameraSource: { attribute: false },
    thresholds: { attribute: false },
    straighten: { type: String },
    fallback: { type: String },
    persist: { type: String },
    kiosk: { type: Boolean },
    assetsIntegrity: { type: String, attribute: 'assets-integrity' },
    preload: { type: Boolean },
    viewport: { state: true },
  };

  /** `identifai` or `eendigo`. */
  declare provider: string | null;
  /** What the provider is asked for, by its own names, comma separated; absent: match with liveness. */
  declare analytics: string | null;
  /** The number, in digits, under which IdentifAI knows the face; for browsers that send to it directly. */
  declare faceId: string | null;
  /** Metadata for the provider, of the fields that it documents: `{officeCode: '0042'}`. */
  declare context: Readonly<Record<string, string>>;
  /** URL that gives submission tokens; the page's own server. */
  declare tokenEndpoint: string | null;
  /** Base URL of the provider, for browsers that send to it directly; absent: through the relay. */
  declare providerBase: string | null;
  /** What is taken, in this order, comma separated: `selfie,ktp,sim,npwp`; absent: `selfie,ktp`. */
  declare steps: string | null;
  /** The page's own number for this submission, 6 to 128 letters and digits; made up where absent. */
  declare refNumber: string | null;
  /** Folder of worker, WASM and models; absent: `assets/` beside the script. */
  declare assetsBase: string | null;
  /** Guidance codes that never hold the shutter back, comma separated: `glasses`. */
  declare allow: string | null;
  /** Draws on the camera's picture what was seen, and lists every measure beside its threshold. */
  declare debug: boolean;
  /** Headers for the token endpoint, such as an anti-forgery token. */
  declare tokenHeaders: Readonly<Record<string, string>>;
  /** Supplies the camera in place of the browser's own. */
  declare cameraSource: CameraSource | null;
  /** Thresholds in place of the built-in ones: `{face: {yaw: 25}, card: {glare: 0.01}}`. */
  declare thresholds: Thresholds | null;
  /** `off`: the photo of a card is cut along the picture's own edges, not along the card's. */
  declare straighten: string | null;
  /** The last rung that the page accepts: `worker`, `main-thread`, `face-box`, `manual`, `upload`; absent: `upload`. */
  declare fallback: string | null;
  /** Minutes that accepted photos outlive a reload, encrypted, or `none`; absent: 15, in a kiosk none. */
  declare persist: string | null;
  /** Everybody who comes is another person: nothing is remembered. */
  declare kiosk: boolean;
  /** What `manifest.json` in `assetsBase` has to be, `sha256-` and base64; absent: that of this build. */
  declare assetsIntegrity: string | null;
  /** Fetches and starts the analysis while the start screen is read, unless the person saves data. */
  declare preload: boolean;
  declare private viewport: Size;

  #session: Session | null = null;
  readonly #debugging = new Debugging(this, styles);
  /** How the fault on the screen is mended in this browser, or null. */
  #advice: string | null = null;
  #shownScreen = '';
  #observedStage: Element | null = null;
  readonly #stageObserver =
    typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(() => this.#measureStage());

  constructor() {
    super();
    this.provider = null;
    this.analytics = null;
    this.faceId = null;
    this.context = {};
    this.tokenEndpoint = null;
    this.providerBase = null;
    this.steps = null;
    this.refNumber = null;
    this.assetsBase = null;
    this.allow = null;
    this.debug = false;
    this.tokenHeaders = {};
    this.cameraSource = null;
    this.thresholds = null;
    this.straighten = null;
    this.fallback = null;
    this.persist = null;
    this.kiosk = false;
    this.assetsIntegrity = null;
    this.preload = false;
    this.viewport = { width: 390, height: 700 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.#session) {
      this.#session = this.#createSession();
      // Later, when the attributes are set.
      void this.updateComplete.then(() => this.#session?.restore());
    }
    this.#reflect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A page that only moves the element puts it back within the same task.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#session?.close();
      this.#session = null;
      this.#stageObserver?.disconnect();
      this.#observedStage = null;
      // The screen, too, lets go of what it showed.
      this.requestUpdate();
    });
  }

  /** Begins the journey, as the start button does. */
  start(): void {
    this.#act('start');
  }

  /** Ends the journey and forgets its photos, as the cancel button does. */
  cancel(): void {
    this.#act('cancel');
  }

  /**
   * What a developer or a help desk wants to know where a capture does not work: secure context, permission, cameras,
   * WebGL, WASM, policy violations, every asset with its type and hash. Asks for no permission, sends nothing, never
   * rejects but where its own code cannot be loaded. Taking the element off the page ends it with what is known by then.
   */
  async diagnose(): Promise<Diagnosis> {
    const { diagnose, tryOut } = await loadDiagnose();
    const { rung } = this.#session?.journey ?? NOT_STARTED;
    const folder = this.#assets();
    const judged = rung === 'manual' || rung === 'upload' ? 'worker' : rung;
    const ending = new AbortController();
    // A page that only moves the element puts it back within the same task.
    const removal = { hostDisconnected: () => queueMicrotask(() => this.isConnected || ending.abort()) };
    this.addController(removal);
    return diagnose({
      assetsBase: folder.base,
      integrity: folder.integrity ?? ASSETS_INTEGRITY,
      rung,
      traps: trapsSoFar,
      startAnalysis: (signal) => {
        const { base: assetsBase, integrity } = folder;
        return tryOut(createAnalyser({ assetsBase, integrity, rung: judged, signal }));
      },
      mayStore: folder.persist !== null,
      signal: ending.signal,
    }).finally(() => this.removeController(removal));
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!this.debug || this.#session?.journey.state.name !== 'live') this.#debugging.forget();
  }

  protected override render(): TemplateResult {
    const { camera = null, journey = NOT_STARTED, card = null } = this.#session ?? {};
    const { messages } = this.#messages();
    return screen({
      journey,
      messages,
      steps: this.#plannedSteps(),
      video: camera?.video ?? null,
      picture: camera?.size() ?? null,
      mirrored: camera?.mirrored ?? false,
      lit: camera?.light?.isOn ?? null,
      focuses: !!camera?.refocus,
      switches: !!camera?.others.length,
      uploads: this.#allowsUpload(),
      advice: this.#advice,
      card,
      viewport: this.viewport,
      debug: this.#debugging.panel(),
      photoUrl: (step) => this.#session?.photo(step)?.url ?? null,
      act: (action, at) => this.#act(action, at),
      choose: (file) => this.#session?.choose(file),
    });
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    // Many pages set attributes from a script of their own, after the element is there.
    if (changed.size > 0) void this.#session?.restore();
    if (this.preload && (this.kiosk || changed.size > 0)) this.#session?.prepare();
    this.#observeStage();
    this.#placePicture();
    this.#debugging.draw(this.#session?.camera?.mirrored ?? false);
    this.#focusNewScreen();
  }

  #createSession(): Session {
    return new Session({
      configuration: () => this.#configuration(),
      onChange: () => this.#reflect(),
      onNews: (news) => this.#tell(news),
      onSighting: (sighting) => void this.#debugging.follow(sighting),
      onSubmit: (submission) => fire(this, 'kyc-submit', submission),
      openCamera,
      createAnalyser,
      submit: async (request) => {
        const { submit } = await loadSubmit().catch(() => {
          throw new CaptureError('upload-failed', 'what sends the photos could not be loaded');
        });
        return submit(request);
      },
      now: () => performance.now(),
    });
  }

  #configuration(): ReturnType<typeof readConfiguration> {
    return readConfiguration(this, this.baseURI, new URL('assets/', SCRIPT_URL));
  }

  /** Those of this build, and nothing kept, where the page's attributes are wrong. */
  #assets(): { readonly base: URL; readonly integrity: string | null; readonly persist: number | null } {
    try {
      const { assetsBase, assetsIntegrity, persist } = this.#configuration();
      return { base: assetsBase, integrity: assetsIntegrity, persist };
    } catch {
      return { base: new URL('assets/', SCRIPT_URL), integrity: null, persist: null };
    }
  }

  #act(action: Action, at?: Point): void {
    const session = this.#session;
    if (!session) return;
    if (action === 'refocus') {
      void session.camera?.refocus?.(at);
    } else if (action === 'torch') {
      void session.camera?.light?.toggle().then(() => this.requestUpdate());
    } else if (action === 'start' || action === 'restart') {
      session.start();
      // Now, because the network may be gone when it is needed.
      loadSubmit().catch(() => undefined);
    } else if (action === 'switch') {
      session.switchCamera();
    } else {
      session.dispatch({ type: action });
    }
  }

  #tell(news: News): void {
    tell(this, news, (step) => this.#session?.photo(step)?.blob ?? null);
    if (news.type !== 'error') return;
    const { code } = news.error;
    this.#advice = null;
    if (ADVISED.includes(code)) void this.#advise(code);
  }

  /** Shows the journey on the host, for styles and drivers. */
  #reflect(): void {
    const { state, rung } = this.#session?.journey ?? {};
    if (!state || !rung) return;
    this.setAttribute('state', state.name);
    this.setAttribute('rung', rung);
    if ('step' in state) this.setAttribute('step', state.step);
    else this.removeAttribute('step');
    this.requestUpdate();
  }

  #messages(): ReturnType<typeof messagesFor> {
    return messagesFor(this.lang || this.parentElement?.closest('[lang]')?.getAttribute('lang') || '');
  }

  /** Says how it is mended here. Loaded only then: most people never need it. */
  async #advise(code: ErrorCode): Promise<void> {
    const { language } = this.#messages();
    try {
      const [{ adviceFor }, { surroundings }] = await Promise.all([
        loadAdvice(),
        import('../session/surroundings.ts'),
      ]);
      // Another fault may be on the screen by now.
      const { state } = this.#session?.journey ?? NOT_STARTED;
      if (state.name !== 'failed' || state.error.code !== code) return;
      this.#advice = adviceFor(code, surroundings(), language);
      this.requestUpdate();
    } catch {
      // The error's own sentence has to do.
    }
  }

  #allowsUpload(): boolean {
    return (this.fallback ?? 'upload') === 'upload';
  }

  #plannedSteps(): readonly Step[] {
    try {
      return readSteps(this.steps);
    } catch (error) {
      // The mistake is reported when the person starts; until then the plan is simply not shown.
      if (error instanceof CaptureError) return [];
      throw error;
    }
  }

  #observeStage(): void {
    const stage = this.renderRoot.querySelector('.stage');
    if (stage === this.#observedStage) return;
    this.#observedStage = stage;
    this.#stageObserver?.disconnect();
    if (stage) this.#stageObserver?.observe(stage);
  }

  #measureStage(): void {
    const stage = this.#observedStage;
    if (!stage || stage.clientWidth === 0) return;
    const { clientWidth: width, clientHeight: height } = stage;
    if (width === this.viewport.width && height === this.viewport.height) return;
    this.viewport = { width, height };
  }

  /** Through the object model, because a strict policy refuses style attributes in markup. */
  #placePicture(): void {
    const picture = this.renderRoot.querySelector<HTMLElement>('.picture');
    const { camera, journey } = this.#session ?? {};
    if (!picture || !camera || !journey || !('step' in journey.state)) return;
    const box = pictureInViewport(journey.state.step, this.viewport, camera.size());
    picture.style.left = `${box.x}px`;
    picture.style.top = `${box.y}px`;
    picture.style.width = `${box.width}px`;
    picture.style.height = `${box.height}px`;
  }

  /** A new screen takes the focus to its heading, so that a screen reader reads on from there. */
  #focusNewScreen(): void {
    const { state } = this.#session?.journey ?? {};
    if (!state) return;
    const shown = `${state.name === 'opening' ? 'live' : state.name} ${'step' in state ? state.step : ''}`;
    const isNew = this.#shownScreen !== '' && shown !== this.#shownScreen;
    this.#shownScreen = shown;
    if (isNew) this.renderRoot.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'kyc-capture': KycCapture;
  }
}
