import type { KycCapture } from '../src/element/kyc-capture.ts';
import type { Result, Step } from '../src/domain/result.ts';
import { SANDBOX_CASES } from '../src/server/sandbox-cases.ts';
import { openSandbox, playedHere } from './sandbox.ts';
import { sampleCamera } from './sample-camera.ts';
import { TEXTS, type Language, type Texts } from './texts.ts';

/**
 * Stands in for a customer's page: sets the tag's attributes, listens to its events, shows the
 * result. Everything else belongs to the widget.
 */

const capture = theWidget();
const settings = need('#settings') as HTMLFormElement;
/** Attributes of the widget that are written as they are. */
const WRITTEN = ['steps', 'analytics'] as const;
const written = (name: string): HTMLInputElement => settings.elements.namedItem(name) as HTMLInputElement;
const debugSwitch = settings.elements.namedItem('debug') as HTMLInputElement;
const log = need('#log');
const resultCard = need('#result');
const preparing = need('#preparing');

interface ShownPhoto {
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

let language: Language = 'id';
let result: Result | null = null;
const photos = new Map<Step, ShownPhoto>();

function theWidget(): KycCapture {
  const found = document.querySelector('kyc-capture');
  if (!found) throw new Error('The page lacks <kyc-capture>.');
  return found;
}

function need(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`The page lacks ${selector}.`);
  return found;
}

function node(tag: string, content: string | readonly Node[] = '', className = ''): HTMLElement {
  const created = document.createElement(tag);
  created.className = className;
  created.append(...(typeof content === 'string' ? [content] : content));
  return created;
}

function speak(chosen: Language): void {
  language = chosen;
  document.documentElement.lang = chosen;
  capture.lang = chosen;
  const texts: Texts = TEXTS[chosen];
  for (const place of document.querySelectorAll<HTMLElement>('[data-text]')) {
    const text = texts[place.dataset['text'] as keyof Texts];
    if (typeof text === 'string') place.textContent = text;
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset['language'] === chosen));
  }
  if (result) showResult(result);
}

/** Where the tab keeps the number of the journey under way, so that photos outlive a reload. */
const REFERENCE = 'kyc-demo-reference';

/** The reference number steers the simulator; its random end keeps every submission apart. */
function refNumber(prefix: string): string {
  const kept = sessionStorage.getItem(REFERENCE);
  const number = kept?.startsWith(prefix) ? kept : newRefNumber(prefix);
  sessionStorage.setItem(REFERENCE, number);
  return number;
}

function newRefNumber(prefix: string): string {
  const random = crypto.getRandomValues(new Uint32Array(3));
  return prefix + Array.from(random, (part) => part.toString(36)).join('');
}

function configure(): void {
  const provider = choice('provider').value;
  capture.toggleAttribute('debug', debugSwitch.checked);
  // Eendigo's key is a secret, so there is no way past the relay.
  choice('mode').disabled = provider === 'eendigo';
  const direct = provider === 'identifai' && choice('mode').value === 'direct';
  capture.setAttribute('provider', provider);
  for (const name of WRITTEN) {
    const { value } = written(name);
    if (value) capture.setAttribute(name, value);
    else capture.removeAttribute(name);
  }
  capture.setAttribute('token-endpoint', direct ? 'kyc/token/direct' : 'kyc/token');
  if (direct) capture.setAttribute('provider-base', 'sandbox/identifai');
  else capture.removeAttribute('provider-base');
  capture.setAttribute('ref-number', refNumber(choice('answer').value));
  capture.cameraSource =
    choice('camera').value === 'sample' ? (request) => sampleCamera(capture, request) : null;
}

function choice(name: string): HTMLSelectElement {
  return settings.elements.namedItem(name) as HTMLSelectElement;
}

function note(text: string): void {
  log.append(node('li', `${new Date().toLocaleTimeString('id-ID')}  ${text}`));
  while (log.childElementCount > 200) log.firstElementChild?.remove();
  log.scrollTop = log.scrollHeight;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000).toLocaleString(language)} kB`;
}

function check(passed: boolean | undefined, score: number | null, threshold: number | null): string {
  const texts = TEXTS[language];
  if (passed === undefined) return texts.unchecked;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  const measured = score === null ? '' : ` · ${number.format(score)}`;
  const limit = threshold === null ? '' : ` (${texts.threshold} ${number.format(threshold)})`;
  return `${passed ? texts.yes : texts.no}${measured}${limit}`;
}

function showResult(shown: Result): void {
  const texts = TEXTS[language];
  const { verified, liveness, match, document: card } = shown;
  const outcome = verified ? 'verified' : liveness || match ? 'notVerified' : 'received';
  const facts: readonly (readonly [string, string])[] = [
    [texts.liveness, check(liveness?.live, liveness?.score ?? null, liveness?.threshold ?? null)],
    [texts.match, check(match?.matched, match?.similarity ?? null, match?.threshold ?? null)],
    [texts.reference, shown.refNumber],
    [texts.transaction, shown.transactionId ?? '–'],
    ...Object.entries(card?.fields ?? {}),
  ];
  const again = node('button', texts.again);
  again.addEventListener('click', restart);
  resultCard.replaceChildren(
    node('header', [node('h2', texts[outcome]), node('p', texts[`${outcome}Lead`], 'small')]),
    node(
      'dl',
      facts.map(([term, value]) => node('div', [node('dt', term), node('dd', value)])),
      'facts',
    ),
    node(
      'div',
      [...photos].map(([step, photo]) => figure(texts.photo[step], photo)),
      'photos',
    ),
    node('details', [node('summary', texts.raw), node('pre', JSON.stringify(shown.raw, null, 2))]),
    again,
  );
  resultCard.classList.toggle('good', outcome !== 'notVerified');
  resultCard.hidden = false;
}

function figure(name: string, photo: ShownPhoto): HTMLElement {
  const image = document.createElement('img');
  image.src = photo.url;
  image.alt = name;
  const caption = `${name} · ${photo.width} × ${photo.height} · ${kilobytes(photo.bytes)}`;
  return node('figure', [image, node('figcaption', caption)]);
}

function forget(): void {
  for (const { url } of photos.values()) URL.revokeObjectURL(url);
  photos.clear();
  result = null;
  sessionStorage.removeItem(REFERENCE);
  resultCard.hidden = true;
  capture.hidden = false;
}

/** A fresh element: the page decides when a journey is over for good. */
function restart(): void {
  forget();
  configure();
  capture.start();
}

capture.addEventListener('kyc-ready', ({ detail }) => {
  note(`kyc-ready ${detail.step}`);
  capture.scrollIntoView({ block: 'nearest' });
});
capture.addEventListener('kyc-feedback', ({ detail }) => {
  const measured = detail.value === null ? '' : ` ${detail.value} / ${detail.threshold} ${detail.unit}`;
  note(`kyc-feedback ${detail.step} ${detail.code ?? 'hold-still'}${measured}`);
});
capture.addEventListener('kyc-capture', ({ detail }) => {
  const { step, blob, width, height, bytes } = detail;
  const before = photos.get(step);
  if (before) URL.revokeObjectURL(before.url);
  photos.set(step, { url: URL.createObjectURL(blob), width, height, bytes });
  note(`kyc-capture ${step} ${width}x${height} ${kilobytes(bytes)}`);
});
capture.addEventListener('kyc-progress', ({ detail }) => {
  if (detail.fraction === 0 || detail.fraction === 1) note(`kyc-progress ${detail.phase} ${detail.fraction}`);
});
capture.addEventListener('kyc-error', ({ detail }) => {
  note(`kyc-error ${detail.code}`);
  // Whoever clears the site's data in mid-journey removes the sandbox with it; a retry shall find it again.
  prepare();
});
capture.addEventListener('kyc-cancel', () => {
  note('kyc-cancel');
  forget();
  configure();
});
capture.addEventListener('kyc-complete', ({ detail }) => {
  note(`kyc-complete verified=${detail.verified}`);
  result = detail;
  sessionStorage.removeItem(REFERENCE);
  capture.hidden = true;
  showResult(detail);
  resultCard.scrollIntoView({ block: 'nearest' });
});

for (const button of document.querySelectorAll<HTMLElement>('[data-language]')) {
  button.addEventListener('click', () => speak(button.dataset['language'] === 'en' ? 'en' : 'id'));
}
settings.addEventListener('change', configure);

/** The address may preset the sandbox: `?provider=eendigo&steps=ktp&analytics=ocr-ktp&camera=sample&answer=NOTLIVE&debug`. */
function preset(): void {
  const answers = choice('answer');
  answers.append(
    option('demo', 'answerDefault'),
    ...SANDBOX_CASES.map(({ prefix, says }) => option(prefix, says)),
  );
  for (const [name, value] of new URLSearchParams(location.search)) {
    const control = settings.elements.namedItem(name);
    if (control === debugSwitch) debugSwitch.checked = true;
    else if (WRITTEN.some((known) => known === name)) written(name).value = value;
    else if (control instanceof HTMLSelectElement) control.value = value;
  }
}

function option(value: string, text: string): HTMLOptionElement {
  const created = new Option(text, value);
  if (text === 'answerDefault') created.dataset['text'] = text;
  return created;
}

/** Lets the person start once somebody answers. */
function prepare(): void {
  openSandbox(new URL('./', document.baseURI)).then(
    () => {
      if (!result) capture.hidden = false;
      preparing.hidden = true;
    },
    () => {
      preparing.dataset['text'] = 'unavailable';
      preparing.hidden = false;
      speak(language);
    },
  );
}

preset();
if (playedHere) need('.notice').dataset['text'] = 'noticeAlone';
preparing.dataset['text'] = 'preparing';
speak('id');
configure();
prepare();
