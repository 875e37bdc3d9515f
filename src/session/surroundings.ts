import type { ErrorCode } from '../domain/result.ts';

/** Browsers that differ in how a person allows the camera. */
export type Browser =
  | 'chrome-android'
  | 'samsung'
  | 'firefox-android'
  | 'safari-ios'
  | 'chrome-ios'
  | 'chrome'
  | 'edge'
  | 'firefox'
  | 'safari'
  | 'other';

/** Apps that show pages in a browser of their own; `webview`: one that does not say which. */
export type InApp = 'whatsapp' | 'instagram' | 'facebook' | 'line' | 'tiktok' | 'webview';

/** Where the page is shown. */
export interface Surroundings {
  readonly browser: Browser;
  /** The app around it, or null in a browser proper. */
  readonly inApp: InApp | null;
}

/** What tells more than the user agent does. */
export interface PlatformHints {
  /** An iPad calls itself a Mac, but a Mac has no touch screen. */
  readonly maxTouchPoints: number;
  /** Telegram names itself in the page, not in its user agent. */
  readonly telegram: boolean;
}

/** In this order: Instagram and Messenger bring marks of Facebook's, and all of them those of a web view. */
const APPS: readonly (readonly [app: InApp, mark: RegExp])[] = [
  ['whatsapp', /\b(WA4A|WAiOS|WhatsApp)\//],
  ['instagram', /\bInstagram\b/],
  ['tiktok', /\bmusical_ly|BytedanceWebview|\btrill_/i],
  ['line', /\bLine\/\d/],
  ['facebook', /\bFB(AN|AV|_IAB)\/|MetaIAB Facebook/],
];

/** In this order: most browsers carry the marks of Chrome and Safari as well. */
const ANDROID: readonly (readonly [browser: Browser, mark: RegExp])[] = [
  ['firefox-android', /Firefox\//],
  ['samsung', /SamsungBrowser\//],
  ['other', /(MiuiBrowser|HeyTapBrowser|VivoBrowser|HuaweiBrowser|UCBrowser|OPR|EdgA|YaBrowser)\//],
  ['chrome-android', /Chrome\//],
];
const IOS: readonly (readonly [browser: Browser, mark: RegExp])[] = [
  ['chrome-ios', /CriOS\//],
  ['other', /(FxiOS|EdgiOS|OPT|OPiOS|YaBrowser|GSA|DuckDuckGo)\//],
  ['safari-ios', /Safari\//],
];
const DESKTOP: readonly (readonly [browser: Browser, mark: RegExp])[] = [
  ['firefox', /Firefox\//],
  ['edge', /Edg\//],
  ['other', /(OPR|YaBrowser|Vivaldi)\//],
  ['chrome', /Chrome\//],
  ['safari', /Version\/.*Safari\//],
];

/** What a user agent and the platform tell of browser and app. Pure. */
export function surroundingsOf(userAgent: string, { maxTouchPoints, telegram }: PlatformHints): Surroundings {
  const isAndroid = userAgent.includes('Android');
  const isIos = /iPhone|iPad|iPod/.test(userAgent) || (userAgent.includes('Macintosh') && maxTouchPoints > 1);
  const browsers = isAndroid ? ANDROID : isIos ? IOS : DESKTOP;
  const [browser = 'other'] = browsers.find(([, mark]) => mark.test(userAgent)) ?? [];
  const [app = null] = APPS.find(([, mark]) => mark.test(userAgent)) ?? [];
  // Only browsers proper end in Safari on iOS, and an Android web view says so.
  const isWebView =
    telegram || (isAndroid && /; wv\)/.test(userAgent)) || (isIos && !userAgent.includes('Safari/'));
  return { browser, inApp: app ?? (isWebView ? 'webview' : null) };
}

/** Where this page is shown. */
export function surroundings(): Surroundings {
  const telegram = 'TelegramWebview' in window || 'TelegramWebviewProxy' in window;
  return surroundingsOf(navigator.userAgent, { maxTouchPoints: navigator.maxTouchPoints, telegram });
}

/** What a document may do, by its older or its present name; TypeScript's libraries have neither. */
interface DocumentWithPolicy {
  readonly permissionsPolicy?: { allowsFeature(feature: string): boolean };
  readonly featurePolicy?: { allowsFeature(feature: string): boolean };
}

/**
 * Whether the permission policy of this page, and of the pages around it, allows a camera. null where the browser does
 * not say, as Firefox and Safari: there a refusal by the policy cannot be told from one by the person.
 */
export function policyAllowsCamera(): boolean | null {
  const { permissionsPolicy, featurePolicy } = document as DocumentWithPolicy;
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature('camera') ?? null;
}

/** What the browser inside an app answers where the app does not pass the camera on. */
const FAULTS_OF_APPS: readonly ErrorCode[] = ['camera-denied', 'camera-missing', 'camera-failed'];

/** The reason behind a camera's fault, where page or app can be seen to be at fault; else null. */
export function reasonFor(code: ErrorCode): { readonly code: ErrorCode; readonly message: string } | null {
  if (code === 'camera-denied' && policyAllowsCamera() === false) {
    const message = 'The permission policy forbids the camera. Does the iframe have allow="camera"?';
    return { code: 'camera-blocked', message };
  }
  const { inApp } = surroundings();
  // No camera interface on a secure page: no browser proper is like that.
  const isUnsupported = code === 'insecure-page' && isSecureContext;
  if (!isUnsupported && (inApp === null || !FAULTS_OF_APPS.includes(code))) return null;
  const message = `The browser inside the app (${inApp ?? 'unknown'}) gives no camera: ${code}.`;
  return { code: 'in-app-browser', message };
}
