import type { Schemas } from '../src/api/client';
import { mailedLink, mailTo } from './mail';
import {
  api,
  book,
  browse,
  event,
  expect,
  newEmail,
  organizer,
  pay,
  person,
  secret,
  sent,
  signIn,
  test,
} from './world';

test('an e-mail changes when both addresses have confirmed', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser, ada);
  const email = newEmail('Byron');
  await page.goto('/account');
  await page.getByLabel('New e-mail').fill(email);
  await page.getByRole('button', { name: 'Change e-mail' }).click();
  await expect(page.getByText('The mails are on their way.')).toBeVisible();

  await page.goto(await mailedLink(ada.email, '/confirm-email'));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('Now open the link that we mailed to the other address.')).toBeVisible();
  await page.goto('/account');
  await expect(page.getByText(ada.email)).toBeVisible();

  await page.goto(await mailedLink(email, '/confirm-email'));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('Your e-mail is changed.')).toBeVisible();
  await mailTo(ada.email, /^Your e-mail address was changed$/);

  const later = (await browse(browser)).page;
  await later.goto('/login');
  await signIn(later, ada);
  await expect(later.getByRole('alert')).toHaveText('The e-mail or password is wrong.');
  await signIn(later, { email });
  await expect(later.getByRole('link', { name: 'Ada' })).toBeVisible();
});

test('a new name is shown, and the next mail is in the new language', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser, ada);
  await page.goto('/account');
  await page.getByLabel('Name', { exact: true }).fill('Ada Byron');
  await page.getByLabel('Language of our mails').selectOption('Deutsch');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('link', { name: 'Ada Byron' })).toBeVisible();
  await page.request.post(`${api}/auth/password-reset`, { data: { email: ada.email } });
  await mailTo(ada.email, /^Setzen Sie Ihr Passwort zurück$/);
});

test('sessions are listed with their device, and can be ended', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser, ada);
  const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const other = await browse(browser, ada, { userAgent });
  await page.goto('/account');
  const list = page.getByRole('region', { name: 'Where you are logged in' });
  await expect(list.getByRole('listitem').filter({ hasText: 'this device' })).toContainText('Chrome');
  const firefox = list.getByRole('listitem').filter({ hasText: 'Firefox, Windows' });
  await expect(firefox).toContainText('last used');
  await firefox.getByRole('button', { name: 'Log out' }).click();
  await expect(firefox).toHaveCount(0);
  await other.page.reload();
  await expect(other.page.getByRole('link', { name: 'Log in' })).toBeVisible();

  await list.getByRole('button', { name: 'Log out everywhere' }).click();
  await expect(page.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
  expect((await page.request.get(`${api}/auth/me`)).status()).toBe(401);
  expect((await ada.http.get(`${api}/auth/me`)).status()).toBe(401);
});

test('somebody downloads their data and deletes their account', async ({ browser }) => {
  const shown = await event(await organizer(), 'Farewell');
  const ada = await person('Ada');
  const booking = await pay(ada, await book(ada, shown.id, { seat_ids: ['1-0'] }));
  const { page } = await browse(browser, ada);
  await page.goto('/account');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download my data' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('frontrow-data.json');
  const data = (await new Response((await file.createReadStream()) as never).json()) as {
    account: Schemas['User'];
    bookings: Schemas['Booking'][];
  };
  expect(data.account.email).toBe(ada.email);
  expect(data.bookings.map(({ order_number: number }) => number)).toEqual([booking.order_number]);

  await page.getByRole('button', { name: 'Delete my account' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete my account' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await expect(page.getByRole('link', { name: 'Log in' })).toBeVisible();
  await mailTo(ada.email, /^Your account was deleted$/);
  expect((await ada.http.get(`${api}/auth/me`)).status()).toBe(401);
  await page.goto('/login');
  await signIn(page, ada, secret);
  await expect(page.getByRole('alert')).toHaveText('The e-mail or password is wrong.');
  // The books keep the booking, under nobody's name.
  const olga = await sent<Schemas['Availability']>((await person('Bob')).http.get(`${api}/events/${shown.id}/seats`));
  expect(olga.blocks.map(({ states }) => states).join('')).toContain('s');
});
