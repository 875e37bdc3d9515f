import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

/** `scripts/with-browser.ts` sets it; without it Playwright's own Chromium is taken. */
const executablePath = process.env['CHROMIUM_PATH'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/{domain,server,package}/**/*.test.ts'],
        },
      },
      {
        server: { fs: { allow: ['.', '../shared'] } },
        test: {
          name: 'browser',
          include: ['test/{element,analysis}/**/*.test.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            provider: playwright({
              launchOptions: {
                ...(executablePath ? { executablePath } : {}),
                args: [
                  '--no-sandbox',
                  '--enable-unsafe-swiftshader',
                  '--use-fake-device-for-media-stream',
                  '--use-fake-ui-for-media-stream',
                  '--disable-background-networking',
                  '--disable-component-update',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
            screenshotFailures: false,
          },
        },
      },
    ],
  },
});
