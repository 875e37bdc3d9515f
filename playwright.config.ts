import { defineConfig } from '@playwright/test';
import { ORIGIN } from './test/e2e/server.ts';

/** Only the runner is used: the browsers are launched by the project's own drivers. */
export default defineConfig({
  projects: [
    { name: 'e2e', testDir: 'test/e2e', outputDir: 'test-results/e2e' },
    { name: 'engines', testDir: 'test/engines', outputDir: 'test-results/engines' },
  ],
  // Half of the time is waiting: for holds, polls and limits.
  workers: 2,
  timeout: 240_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  webServer: {
    command: 'tsx test/e2e/server.ts',
    url: ORIGIN,
    reuseExistingServer: false,
  },
});
