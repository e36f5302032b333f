import type { Route } from '@playwright/test';
import { api, browse, expect, person, secret, sent, session, test, withRole } from './world';
import type { Schemas } from '../src/api/client';

const roles = '**/api/v1/auth/users/*/role';
/** Answers as the gateway does when the log-in is longer ago than SESSION_RECENT. */
const askForPassword = (route: Route) =>
  route.fulfill({
    status: 403,
    contentType: 'application/problem+json',
    json: { type: 'about:blank', title: 'Forbidden', status: 403, code: 'reauthentication_required' },
  });

test('an admin enters the password again, makes a buyer an organiser, and finds it in the audit log', async ({
  browser,
}) => {
  const bob = await person('Bob');
  const chief = await withRole(await person('Chief'), 'admin');
  const { page } = await browse(browser, chief);
  await page.goto('/admin/users');
  await page.getByRole('searchbox').fill(bob.email);
  const role = page.getByRole('row', { name: new RegExp(bob.email) }).getByRole('combobox');
  // The first time as if the log-in were long ago.
  await page.route(roles, askForPassword, { times: 1 });
  await role.selectOption('organizer');
  const dialog = page.getByRole('dialog', { name: 'Enter your password' });
  await dialog.getByLabel('Password', { exact: true }).fill('not this one');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog.getByText('The password is wrong.')).toBeVisible();
  await dialog.getByLabel('Password', { exact: true }).fill(secret);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('Bob is now Organiser.')).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(role).toHaveValue('organizer');

  // Bob's sessions have ended; the new one has the role.
  expect((await bob.http.get(`${api}/auth/me`)).status()).toBe(401);
  const again = await session(bob.email, secret);
  expect((await sent<Schemas['User']>(again.get(`${api}/auth/me`))).role).toBe('organizer');

  await page.getByRole('link', { name: 'Audit log' }).click();
  const entry = page.getByRole('row').filter({ hasText: chief.email }).filter({ hasText: bob.id });
  await expect(async () => {
    await page.reload();
    await page.getByLabel('Action').selectOption('Role changed');
    await expect(entry).toHaveCount(1, { timeout: 3_000 });
  }).toPass();
  await expect(entry).toContainText('organizer');
  // From the address of the browser.
  await expect(entry).toContainText(/127\.0\.0\.1|::1/);
  await page.getByLabel('Action').selectOption('Logged in');
  await expect(entry).toHaveCount(0);
  await expect(page.getByRole('row').filter({ hasText: bob.email }).first()).toBeVisible();
});

test('whoever closes the dialog for the password changes nothing', async ({ browser }) => {
  const bob = await person('Bob');
  const { page } = await browse(browser, await withRole(await person('Chief'), 'admin'));
  await page.route(roles, askForPassword);
  await page.goto('/admin/users');
  await page.getByRole('searchbox').fill(bob.email);
  const role = page.getByRole('row', { name: new RegExp(bob.email) }).getByRole('combobox');
  await role.selectOption('organizer');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('alert')).toContainText('Please enter your password to continue.');
  await expect(role).toHaveValue('customer');
  expect((await bob.http.get(`${api}/auth/me`)).status()).toBe(200);
});
