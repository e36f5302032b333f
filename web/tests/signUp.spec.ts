// From a new account to the first payment.
import type { Schemas } from '../src/api/client';
import { mailedLink, mails, mailTo } from './mail';
import { api, browse, event, expect, newEmail, organizer, person, secret, test, type Person } from './world';

let olga: Person;
test.beforeAll(async () => {
  olga = await organizer();
});

test('a newcomer can hold seats at once, and pay when the e-mail is verified', async ({ browser }) => {
  const shown = await event(olga, 'First Time');
  const email = newEmail('Ada');
  const { page, context } = await browse(browser);
  const login = page.waitForResponse((response) => response.url().endsWith('/auth/login'));
  await page.goto('/login');
  await page.getByRole('button', { name: 'I’m new' }).click();
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Register and log in' }).click();
  const banner = page.getByRole('region', { name: 'Verify your e-mail' });
  await expect(banner).toBeVisible();

  // No script sees the session's id.
  const answer = await login;
  const set = (await answer.headerValue('set-cookie')) ?? '';
  const id = /frontrow_session=([^;]+)/.exec(set)?.[1] ?? '';
  expect(id).toMatch(/^[\w-]{20,}$/);
  expect(set).toContain('HttpOnly');
  expect(await answer.json()).not.toHaveProperty('session_id');
  expect(await answer.text()).not.toContain(id);
  expect(await page.evaluate(() => document.cookie)).toBe('');

  await page.goto(`/events/${shown.id}`);
  await page.getByRole('button', { name: 'List' }).click();
  await page.getByRole('button', { name: /row A, seat 3\b/ }).click();
  await page.getByRole('button', { name: 'Hold 1 seat' }).click();
  await page.waitForURL(/\/bookings\//);
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByText('Please verify your e-mail first')).toBeVisible();
  await banner.getByRole('button', { name: 'Send the mail again' }).click();
  await expect(banner).toContainText(`We sent another mail to ${email}.`);
  await expect.poll(async () => (await mails(email)).length).toBe(2);

  const link = await mailedLink(email, '/verify');
  const mail = await context.newPage();
  await mail.goto(link);
  await mail.getByRole('button', { name: 'Verify my e-mail' }).click();
  await expect(mail.getByText('Your e-mail is verified.')).toBeVisible();
  await expect(mail.getByRole('region', { name: 'Verify your e-mail' })).toHaveCount(0);
  await mail.reload();
  await mail.getByRole('button', { name: 'Verify my e-mail' }).click();
  await expect(mail.getByText('This link has expired or was already used.')).toBeVisible();
  await mail.close();

  await page.reload();
  await expect(banner).toHaveCount(0);
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByRole('heading', { name: 'Your ticket' })).toBeVisible();
});

test('registering an address that has an account tells only its owner', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser);
  const answers: [number, Schemas['EmailAddress']][] = [];
  for (const email of [newEmail('Bob'), ada.email]) {
    const answer = await page.request.post(`${api}/auth/register`, { data: { name: 'Eve', email, password: secret } });
    answers.push([answer.status(), { ...(await answer.json()), email: '' }]);
  }
  expect(answers[1]).toEqual(answers[0]);

  await page.goto('/login');
  await page.getByRole('button', { name: 'I’m new' }).click();
  await page.getByLabel('Name').fill('Eve');
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByLabel('Password', { exact: true }).fill('another battery staple');
  await page.getByRole('button', { name: 'Register and log in' }).click();
  await expect(page.getByRole('alert')).toHaveText('Please check your mail, or log in if you already have an account.');
  await mailTo(ada.email, /^You already have an account$/);
});

test('a password that many have is refused, and shown on demand', async ({ browser }) => {
  const { page } = await browse(browser);
  await page.goto('/login');
  await page.getByRole('button', { name: 'I’m new' }).click();
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('E-mail').fill(newEmail('Ada'));
  const password = page.getByLabel('Password', { exact: true });
  await password.fill('password123');
  await expect(password).toHaveAttribute('type', 'password');
  await page.getByRole('button', { name: 'Show password' }).click();
  await expect(password).toHaveAttribute('type', 'text');
  await page.getByRole('button', { name: 'Register and log in' }).click();
  await expect(password).toHaveAccessibleDescription(/Many people use this password/);
  await expect(page.getByRole('button', { name: 'Log out' })).toHaveCount(0);
});
