/** How the demo's pages are served: what they may do, and who answers their requests. */

/**
 * What a careful page would allow itself. `wasm-unsafe-eval` is for the analysis; nothing inline, nothing from
 * elsewhere, no string that becomes a script. `kyc-demo` is the demo's own Trusted Types policy, for its service worker.
 * A static host sends no headers, so the pages bring it themselves, in a meta element.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob: mediastream:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types kyc-capture lit-html kyc-demo',
].join('; ');

/** A server that answers for relay and sandbox says so by this name; where it is missing, the page plays them itself. */
export const SERVER_ANSWERS = 'kyc-server-answers';
