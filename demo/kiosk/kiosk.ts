import type { KycCapture } from '../../src/element/kyc-capture.ts';
import { openSandbox } from '../sandbox.ts';
import { TEXTS } from '../texts.ts';

/**
 * A kiosk's page: the widget fills the screen and begins by itself. The address may say
 * `?provider=eendigo&ref=…&direct`.
 */

/** How long the outcome stays for the person to read before the next one's turn, ms. */
const OUTCOME_STAYS_MS = 12_000;

const wishes = new URLSearchParams(location.search);
const capture = document.querySelector<KycCapture>('kyc-capture');
if (!capture) throw new Error('The page lacks <kyc-capture>.');

const direct = wishes.has('direct');
const reference = wishes.get('ref');
capture.setAttribute('provider', wishes.get('provider') ?? 'identifai');
capture.setAttribute('token-endpoint', direct ? '../kyc/token/direct' : '../kyc/token');
if (direct) capture.setAttribute('provider-base', '../sandbox/identifai');
if (reference) capture.setAttribute('ref-number', reference);

function begin(): void {
  capture?.start();
}

for (const end of ['kyc-complete', 'kyc-cancel'] as const) {
  capture.addEventListener(end, () => setTimeout(begin, OUTCOME_STAYS_MS));
}

await customElements.whenDefined('kyc-capture');
await capture.updateComplete;
await openSandbox(new URL('../', document.baseURI)).then(begin, () => {
  document.querySelector('.notice')?.replaceChildren(TEXTS.id.unavailable);
});
