// The API reference, as the gateway serves it: under its content security policy, from its own host alone.
import type { Page } from '@playwright/test';
import { api, browse, expect, person, test } from './world';

/** Collects what must not happen: console errors, which violations of the policy are too, and requests to other hosts. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== new URL(api).origin)
      complaints.push(`request to ${url.origin}`);
  });
  return complaints;
}

test('the API reference lists every operation of the contract', async ({ browser }) => {
  const { page } = await browse(browser);
  const complaints = complaintsOf(page);
  await page.goto('/api/docs');
  const contract = await (await page.request.get(`${api}/openapi.yaml`)).text();
  const operations = contract.match(/^ {4}(get|post|put|patch|delete):$/gm) ?? [];
  expect(operations.length).toBeGreaterThan(25);
  await expect(page.locator('.opblock-summary')).toHaveCount(operations.length);
  await page
    .getByRole('button', { name: /get \/events\/\{id\}\/seats$/i })
    .first()
    .click();
  await page.screenshot({ path: new URL('../../.run/screenshots/api-docs.png', import.meta.url).pathname });
  expect(complaints).toEqual([]);
});

test('the API reference tries an operation out as the person who is logged in', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser, ada);
  const complaints = complaintsOf(page);
  await page.goto('/api/docs');
  const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/auth/me"]') });
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  await expect(operation.locator('.live-responses-table')).toContainText(ada.email);
  expect(complaints).toEqual([]);
});

test('the API reference fits a phone', async ({ browser }) => {
  const { page } = await browse(browser, undefined, { viewport: { width: 360, height: 740 } });
  await page.goto('/api/docs');
  await page.getByRole('button', { name: /post \/bookings$/i }).click();
  await expect(page.locator('.responses-table')).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
