import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import type { BrowserCommand } from 'vitest/node';

/** `scripts/with-browser.ts` sets it; without it Playwright's own Chromium is taken. */
const executablePath = process.env['CHROMIUM_PATH'];

/** What tests ask of the browser from outside: answers that the server would never give, to the page and its workers. */
const breakFile: BrowserCommand<[file: string]> = ({ context }, file) =>
  context
    .route(`**/assets/${file}`, (route) => route.fulfill({ status: 200, body: 'broken' }))
    .then(() => undefined);
const mendFiles: BrowserCommand = ({ context }) => context.unrouteAll();

declare module 'vitest/browser' {
  interface BrowserCommands {
    /** The file of the assets folder arrives as rubbish from here on. */
    breakFile(file: string): Promise<void>;
    mendFiles(): Promise<void>;
  }
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          // Properties run hundreds of times, on machines that others use too.
          testTimeout: 60_000,
          include: ['test/{domain,server,package,accuracy}/**/*.test.ts'],
        },
      },
      {
        server: { fs: { allow: ['.', '../shared'] } },
        test: {
          name: 'browser',
          include: ['test/{element,analysis,runtime}/**/*.test.ts'],
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
            commands: { breakFile, mendFiles },
            instances: [{ browser: 'chromium' }],
            screenshotFailures: false,
          },
        },
      },
    ],
  },
});
