import { describe, expect, test } from 'vitest';
import { adviceFor } from '../../src/element/messages/advice.ts';
import type { Browser, InApp } from '../../src/session/surroundings.ts';

const BROWSERS: readonly Browser[] = [
  'chrome-android',
  'samsung',
  'firefox-android',
  'safari-ios',
  'chrome-ios',
  'chrome',
  'edge',
  'firefox',
  'safari',
  'other',
];
const APPS: readonly InApp[] = ['whatsapp', 'instagram', 'facebook', 'line', 'tiktok', 'webview'];

describe.each([
  { language: 'id', camera: 'Kamera', word: /browser|Chrome/ },
  { language: 'en', camera: 'amera', word: /browser|Chrome/ },
])('in $language', ({ language, camera, word }) => {
  test.each(BROWSERS)('a camera that was denied in %s', (browser) => {
    const advice = adviceFor('camera-denied', { browser, inApp: null }, language);
    expect(advice?.toLowerCase()).toContain(camera.toLowerCase());
  });

  test.each(APPS)('a page in %s', (inApp) => {
    const advice = adviceFor('in-app-browser', { browser: 'other', inApp }, language);
    expect(advice).toMatch(word);
  });

  test('a browser that is in no app that is known is left all the same', () => {
    const place = { browser: 'other', inApp: null } as const;
    expect(adviceFor('in-app-browser', place, language)).toBe(
      adviceFor('in-app-browser', { ...place, inApp: 'webview' }, language),
    );
  });
});

test('other errors say it all themselves, and another language is Bahasa Indonesia', () => {
  const place = { browser: 'chrome', inApp: null } as const;
  expect(adviceFor('camera-busy', place, 'id')).toBeNull();
  expect(adviceFor('camera-blocked', place, 'en')).toBeNull();
  expect(adviceFor('camera-denied', place, 'fr')).toBe(adviceFor('camera-denied', place, 'id'));
  expect(adviceFor('camera-denied', place, 'en')).not.toBe(adviceFor('camera-denied', place, 'id'));
});
