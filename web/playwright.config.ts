// The tests in a browser, against a running system: FRONTROW_URL says where (`make up` and `make test` do).
import { defineConfig, devices } from '@playwright/test';

const api = process.env.FRONTROW_URL ?? 'http://localhost:8080/api/v1';

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // Two browsers would fight for the machine with the system they test.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    baseURL: new URL('/', api).href,
    locale: 'en-GB',
    timezoneId: 'Europe/Vienna',
    actionTimeout: 20_000,
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.FRONTROW_CHROMIUM ?? '/usr/bin/chromium',
      // Chromium's sandbox does not run as root.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
