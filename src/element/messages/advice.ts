import type { ErrorCode } from '../../domain/result.ts';
import type { Browser, InApp, Surroundings } from '../../session/surroundings.ts';

/** What a person can do about the camera where they are, in one language. */
interface Advice {
  /** How the camera is allowed in each browser. */
  readonly allow: Record<Browser, string>;
  /** How a page is opened outside of each app. */
  readonly outside: Record<InApp, string>;
}

const id: Advice = {
  allow: {
    'chrome-android':
      'Ketuk ikon di kiri alamat halaman, pilih Izin, lalu izinkan Kamera. Jika tidak ada, izinkan Kamera untuk Chrome di Setelan ponsel > Aplikasi.',
    samsung:
      'Ketuk ikon gembok di kiri alamat halaman, pilih Izin, lalu izinkan Kamera. Jika tidak ada, izinkan Kamera untuk Samsung Internet di Pengaturan ponsel > Aplikasi.',
    'firefox-android':
      'Ketuk ikon gembok di kiri alamat halaman, lalu izinkan Kamera. Jika tidak ada, izinkan Kamera untuk Firefox di Setelan ponsel > Aplikasi.',
    'safari-ios': 'Ketuk ikon di kiri alamat halaman, pilih Pengaturan Situs Web, lalu izinkan Kamera.',
    'chrome-ios': 'Buka Pengaturan iPhone > Chrome, aktifkan Kamera, lalu kembali ke halaman ini.',
    chrome: 'Klik ikon di kiri alamat halaman, lalu izinkan Kamera.',
    edge: 'Klik ikon gembok di kiri alamat halaman, lalu izinkan Kamera.',
    firefox: 'Klik ikon kamera di kiri alamat halaman, lalu hapus pemblokirannya.',
    safari: 'Di menu Safari, pilih Pengaturan untuk situs ini, lalu izinkan Kamera.',
    other: 'Buka izin situs di pengaturan browser, lalu izinkan Kamera untuk halaman ini.',
  },
  outside: {
    whatsapp: 'Ketuk tiga titik di pojok layar, lalu pilih “Buka di browser”.',
    instagram: 'Ketuk tiga titik di kanan atas, lalu pilih “Buka di browser eksternal”.',
    facebook: 'Ketuk tiga titik di pojok layar, lalu pilih “Buka di browser eksternal”.',
    line: 'Ketuk tiga titik di pojok layar, lalu pilih “Buka di browser lain”.',
    tiktok: 'Ketuk tiga titik di kanan atas, lalu pilih “Buka di browser”.',
    webview: 'Salin alamat halaman ini, lalu buka di Chrome atau Safari.',
  },
};

const en: Advice = {
  allow: {
    'chrome-android':
      'Tap the icon to the left of the page address, choose Permissions, then allow Camera. If it is not there, allow Camera for Chrome in the phone’s Settings > Apps.',
    samsung:
      'Tap the lock to the left of the page address, choose Permissions, then allow Camera. If it is not there, allow Camera for Samsung Internet in the phone’s Settings > Apps.',
    'firefox-android':
      'Tap the lock to the left of the page address, then allow Camera. If it is not there, allow Camera for Firefox in the phone’s Settings > Apps.',
    'safari-ios': 'Tap the icon to the left of the page address, choose Website Settings, then allow Camera.',
    'chrome-ios': 'Open the iPhone’s Settings > Chrome, turn on Camera, then come back to this page.',
    chrome: 'Click the icon to the left of the page address, then allow Camera.',
    edge: 'Click the lock to the left of the page address, then allow Camera.',
    firefox: 'Click the camera icon to the left of the page address, then remove the block.',
    safari: 'In the Safari menu choose Settings for This Website, then allow Camera.',
    other: 'Open the site permissions in the browser settings, then allow Camera for this page.',
  },
  outside: {
    whatsapp: 'Tap the three dots in the corner, then choose “Open in browser”.',
    instagram: 'Tap the three dots at the top right, then choose “Open in external browser”.',
    facebook: 'Tap the three dots in the corner, then choose “Open in external browser”.',
    line: 'Tap the three dots in the corner, then choose “Open in other browser”.',
    tiktok: 'Tap the three dots at the top right, then choose “Open in browser”.',
    webview: 'Copy the address of this page, then open it in Chrome or Safari.',
  },
};

const LANGUAGES: Record<string, Advice> = { id, en };

/**
 * What to do about an error where the page is shown, or null where the error's own sentence says it all.
 * @param language as `messagesFor` names it
 */
export function adviceFor(
  code: ErrorCode,
  { browser, inApp }: Surroundings,
  language: string,
): string | null {
  const { allow, outside } = LANGUAGES[language] ?? id;
  if (code === 'camera-denied') return allow[browser];
  return code === 'in-app-browser' ? outside[inApp ?? 'webview'] : null;
}
