import type { Page } from '@playwright/test';
import { createHmac } from 'node:crypto';
import { mailTo } from './mail';
import { browse, expect, organizer, person, signIn, test, withRole, type Person } from './world';

/** An authenticator app: codes as RFC 6238 says, of 6 digits every 30 seconds. */
class Authenticator {
  readonly #secret: Buffer;
  #used = 0;

  constructor(base32: string) {
    const bits = [...base32].map((digit) =>
      'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(digit).toString(2).padStart(5, '0'),
    );
    this.#secret = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  }

  /** A code that has not been used: the server takes each once, and also the next one. */
  code(): string {
    this.#used = Math.max(Math.floor(Date.now() / 30_000), this.#used + 1);
    const message = Buffer.alloc(8);
    message.writeBigUInt64BE(BigInt(this.#used));
    const hash = createHmac('sha1', this.#secret).update(message).digest();
    const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fff_ffff;
    return String(number % 1_000_000).padStart(6, '0');
  }
}

/** Sets up the second factor of whoever is logged in, and returns the app and the recovery codes. */
async function setUp(page: Page): Promise<{ app: Authenticator; codes: string[] }> {
  await page.goto('/account');
  const card = page.getByRole('region', { name: 'Second factor' });
  await card.getByRole('button', { name: 'Set up' }).click();
  await expect(card.getByRole('img', { name: 'QR code for the authenticator app' })).toBeVisible();
  const app = new Authenticator(await card.getByRole('code').innerText());
  await card.getByLabel('Code').fill(app.code());
  await card.getByRole('button', { name: 'Turn on' }).click();
  await expect(card.getByText('Keep these recovery codes in a safe place.')).toBeVisible();
  return { app, codes: await card.getByRole('listitem').allInnerTexts() };
}

async function logIn(page: Page, who: Person, code: string) {
  await page.goto('/login');
  await signIn(page, who);
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Log in', exact: true }).last().click();
}

const logOut = async (page: Page) => {
  await page.getByRole('button', { name: 'Log out', exact: true }).first().click();
  await page.getByRole('link', { name: 'Log in' }).waitFor();
};

test('a second factor is set up, asked for, replaced by a recovery code, and removed', async ({ browser }) => {
  const olga = await organizer();
  const { page } = await browse(browser, olga);
  const { app, codes } = await setUp(page);
  expect(new Set(codes).size).toBe(10);
  await mailTo(olga.email, /^Your second factor was changed$/);

  await logOut(page);
  await logIn(page, olga, '000000');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Log out' })).toHaveCount(0);
  await logIn(page, olga, app.code());
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();

  const [recovery = ''] = codes;
  await logOut(page);
  await logIn(page, olga, recovery);
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();
  await logOut(page);
  await logIn(page, olga, recovery);
  await expect(page.getByRole('alert')).toBeVisible();
  await logIn(page, olga, codes[1] ?? '');
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();

  await page.goto('/account');
  await page.getByRole('button', { name: 'New recovery codes' }).click();
  const renewed = page.getByRole('region', { name: 'Second factor' }).getByRole('listitem');
  await expect(renewed).toHaveCount(10);
  expect(codes).not.toContain(await renewed.first().innerText());
  await page.getByRole('button', { name: 'Turn off' }).click();
  await expect(page.getByText('Protect your account with the codes of an authenticator app.')).toBeVisible();
  await logOut(page);
  await page.goto('/login');
  await signIn(page, olga);
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();
});

test('an admin who needs a second factor is told to set it up, and to log in again', async ({ browser }) => {
  const { page } = await browse(browser, await withRole(await person('Root'), 'admin'));
  // As the server answers where AUTH_ADMIN_SECOND_FACTOR is `required`.
  await page.route('**/api/v1/auth/me', async (route) => {
    const response = await route.fetch();
    const user = (await response.json()) as { second_factor: boolean };
    await route.fulfill({ response, json: { ...user, second_factor_required: !user.second_factor } });
  });
  await page.goto('/');
  await page.getByRole('link', { name: 'Set up a second factor to use your admin role.' }).click();
  await setUp(page);
  await expect(page.getByText('Your admin role counts from then on.')).toBeVisible();
  await page.getByRole('button', { name: 'Log in again' }).click();
  await page.waitForURL(/\/login$/);
  await expect(page.getByRole('link', { name: 'Log in' })).toBeVisible();
});
