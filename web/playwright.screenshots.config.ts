// Takes the README's pictures of the demo: `make screenshots`.
import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

export default defineConfig(tests, { testMatch: 'screenshots.ts', timeout: 600_000 });
