import { expect, test } from 'vitest';
import { surroundingsOf, type Browser, type InApp } from '../../src/session/surroundings.ts';

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const BLINK = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const IPHONE = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) ${WEBKIT}`;
const ANDROID = `Mozilla/5.0 (Linux; Android 10; K) ${BLINK}`;
const WEBVIEW = `Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A.240905.003; wv) ${BLINK} Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36`;
const WINDOWS = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${BLINK}`;
const MAC = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${WEBKIT} Version/17.4.1 Safari/605.1.15`;

/** As they came from devices. */
const SEEN: readonly (readonly [userAgent: string, browser: Browser, inApp: InApp | null])[] = [
  [`${ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36`, 'chrome-android', null],
  [
    `Mozilla/5.0 (Linux; Android 6.0.1; D6653 Build/23.5.A.0.575) ${BLINK} Chrome/58.0.3029.83 Mobile Safari/537.36`,
    'chrome-android',
    null,
  ],
  [`${ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`, 'samsung', null],
  ['Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'firefox-android', null],
  [`${ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36 EdgA/130.0.0.0`, 'other', null],
  [`${ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36 OPR/86.0.0.0`, 'other', null],
  [
    `Mozilla/5.0 (Linux; U; Android 13; id-id; 2201117TG Build/TKQ1.221114.001) ${BLINK} Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.9.1-gn`,
    'other',
    null,
  ],
  [`${IPHONE} Version/18.1 Mobile/15E148 Safari/604.1`, 'safari-ios', null],
  [`${IPHONE} CriOS/130.0.6723.37 Mobile/15E148 Safari/604.1`, 'chrome-ios', null],
  [`${IPHONE} FxiOS/130.1  Mobile/15E148 Safari/605.1.15`, 'other', null],
  [`${IPHONE} EdgiOS/128.0.2739.82 Version/18.0 Mobile/15E148 Safari/604.1`, 'other', null],
  [`${WINDOWS} Chrome/141.0.0.0 Safari/537.36`, 'chrome', null],
  [`${WINDOWS} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`, 'edge', null],
  [`${WINDOWS} Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0`, 'other', null],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox', null],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox', null],
  [MAC, 'safari', null],
  ['', 'other', null],

  [`${ANDROID} Chrome/141.0.7390.124 Mobile Safari/537.36 [WA4A/2.25.32.75;]`, 'chrome-android', 'whatsapp'],
  [`${IPHONE} Version/26.0.1 Mobile/15E148 Safari/604.1 [WAiOS/2.25.31]`, 'safari-ios', 'whatsapp'],
  [
    `${WEBVIEW} Instagram 355.1.0.44.103 Android (34/14; 420dpi; 1080x2205; Google/google; Pixel 8; shiba; shiba; en_US; 658190016)`,
    'chrome-android',
    'instagram',
  ],
  [
    `${IPHONE} Mobile/22B83 Instagram 354.0.0.29.90 (iPhone12,8; iOS 18_1; en_US; en; scale=2.00; 750x1334; 654111336; IABMV/1)`,
    'other',
    'instagram',
  ],
  [`${WEBVIEW} [FB_IAB/FB4A;FBAV/488.0.0.62.79;IABMV/1;]`, 'chrome-android', 'facebook'],
  [
    `${IPHONE} Mobile/22B83 [FBAN/FBIOS;FBAV/488.0.0.68.101;FBBV/658219612;FBDV/iPhone12,8;FBMD/iPhone;FBSN/iOS;FBSV/18.1;FBSS/2;FBID/phone;FBLC/en_US;FBOP/5;FBRV/0;IABMV/1]`,
    'other',
    'facebook',
  ],
  [`${IPHONE} Mobile/22G100 Safari/604.1 MetaIAB Facebook`, 'safari-ios', 'facebook'],
  [`${WEBVIEW} {useragents: [FB_IAB/MESSENGER;FBAV/118.0.0.19.82;]`, 'chrome-android', 'facebook'],
  [`${IPHONE} Mobile/14D27 [FBAN/MessengerForiOS;FBAV/117.0.0.36.70;FBID/phone;FBRV/0]`, 'other', 'facebook'],
  [`${WEBVIEW} Line/7.4.0/IAB`, 'chrome-android', 'line'],
  [`${IPHONE} Mobile/14D27 Safari Line/7.3.2`, 'other', 'line'],
  [
    `${WEBVIEW} musical_ly_2023303040 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/33.3.4 ByteLocale/en Region/US AppId/1233 AppVersion/33.3.4 BytedanceWebview/d8a21c6`,
    'chrome-android',
    'tiktok',
  ],
  [`${IPHONE} Mobile/15E148 Safari/604.1 musical_ly_41.9.0`, 'safari-ios', 'tiktok'],
  [`${WEBVIEW} trill_2023303040 JsSdk/1.0 AppName/trill`, 'chrome-android', 'tiktok'],
  [`${WEBVIEW} Reddit/Version 2024.41.0/Build 2102450/Android 14`, 'chrome-android', 'webview'],
  [`${IPHONE} Mobile/15E148`, 'other', 'webview'],
];

test.each(SEEN)('%s', (userAgent, browser, inApp) => {
  expect(surroundingsOf(userAgent, { maxTouchPoints: 0, telegram: false })).toEqual({ browser, inApp });
});

test('an iPad calls itself a Mac, but can be touched', () => {
  expect(surroundingsOf(MAC, { maxTouchPoints: 5, telegram: false })).toEqual({
    browser: 'safari-ios',
    inApp: null,
  });
});

test('Telegram is told by the page it shows', () => {
  const [[userAgent] = ['']] = SEEN;
  expect(surroundingsOf(userAgent, { maxTouchPoints: 5, telegram: true }).inApp).toBe('webview');
});
