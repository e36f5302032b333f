// Every page: accessible by axe, and no wider than a phone. Leaves a screenshot of each in .run/screenshots.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { browse, expect, root, secret, signIn, test } from './world';
import { pages, type Shown } from './pages';

const pictures = new URL('../../.run/screenshots/', import.meta.url).pathname;
const views = {
  desktop: { viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  phone: {
    viewport: { width: 360, height: 740 },
    colorScheme: 'light',
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
  },
} as const;

let all: Shown[] = [];
test.beforeAll(async () => {
  all = await pages();
});

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

for (const [name, view] of Object.entries(views)) {
  test(`every page, ${name}`, async ({ browser }) => {
    test.setTimeout(600_000);
    const visitors = new Map<string, Page>();
    const found: Record<string, string[]> = {};
    for (const shown of all) {
      const key = shown.who?.email ?? '';
      let page = visitors.get(key);
      if (!page) {
        ({ page } = await browse(browser, undefined, { ...view, reducedMotion: 'reduce' }));
        if (shown.who) {
          await page.goto('/login');
          await signIn(page, shown.who, shown.who.email === root.email ? root.password : secret);
          await page.getByRole('button', { name: 'Log out' }).waitFor();
        }
        visitors.set(key, page);
      }
      page.setDefaultTimeout(20_000);
      await page.goto(shown.path);
      // One page that does not come up must not hide what is wrong with the others.
      const problems = await shown.ready(page).then(
        () => serious(page),
        (error: Error) => [error.message],
      );
      const width = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (width > 0) problems.push(`${width} pixels wider than the screen`);
      if (problems.length > 0) found[shown.name] = problems;
      await page.screenshot({ path: `${pictures}${shown.name}-${name}.png`, fullPage: name !== 'phone' });
    }
    expect(found).toEqual({});
  });
}

test('the other language', async ({ browser }) => {
  const { page } = await browse(browser, undefined, { locale: 'de-AT' });
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1, name: 'Was möchten Sie sehen?' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.getByLabel('Sprache').selectOption('en');
  await expect(page.getByRole('heading', { level: 1, name: 'What would you like to see?' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'What would you like to see?' })).toBeVisible();
});

test('the map without a mouse', async ({ browser }) => {
  const shown = all.find(({ name }) => name === 'event-list');
  const { page } = await browse(browser);
  await page.goto(shown?.path ?? '');
  await page.getByRole('button', { name: 'List' }).focus();
  await page.keyboard.press('Enter');
  const seats = page.getByRole('button', { name: /row A, seat \d+.*free/ });
  await seats.first().focus();
  await page.keyboard.press('Enter');
  await expect(seats.first()).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByRole('button', { name: 'Hold 1 seat' })).toBeVisible();
});
