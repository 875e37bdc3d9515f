import { defineConfig } from '@playwright/test';
import { ORIGIN, PORT } from './test/e2e/server.ts';

/** Only the runner is used: the browser is launched by the project's own driver. */
export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results/e2e',
  // The analysis needs the processor for itself; two at a time would test the machine's patience.
  workers: 1,
  timeout: 120_000,
  reporter: 'list',
  webServer: {
    command: `tsx demo/serve.ts --port ${PORT}`,
    url: ORIGIN,
    reuseExistingServer: false,
  },
});
