import { mailedLink, mails, mailTo } from './mail';
import { api, browse, expect, newEmail, person, secret, signIn, test } from './world';

const another = 'seven purple umbrellas';

test('a forgotten password is replaced by a mailed link, once', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser);
  await page.goto('/login');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(page.getByText(`If ${ada.email} has an account, the link is on its way.`)).toBeVisible();

  // Also in the tab that asked for it.
  const link = await mailedLink(ada.email, '/reset');
  await page.goto(link);
  await page.getByLabel('New password').fill(another);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await expect(page.getByText('Your password is changed. All devices are logged out.')).toBeVisible();
  expect((await ada.http.get(`${api}/auth/me`)).status()).toBe(401);
  await mailTo(ada.email, /^Your password was changed$/);

  await page.goto('/login');
  await signIn(page, ada);
  await expect(page.getByRole('alert')).toHaveText('The e-mail or password is wrong.');
  await signIn(page, ada, another);
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();

  await page.goto(link);
  await page.getByLabel('New password').fill('eight purple umbrellas');
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await expect(page.getByRole('alert')).toHaveText('This link has expired or was already used.');
});

test('nobody learns from a reset whether an address has an account', async ({ browser }) => {
  const ada = await person('Ada');
  const { page } = await browse(browser);
  const stranger = newEmail('Nobody');
  const answers = [];
  for (const email of [stranger, ada.email]) {
    const answer = await page.request.post(`${api}/auth/password-reset`, { data: { email } });
    answers.push([answer.status(), { ...(await answer.json()), email: '' }]);
  }
  expect(answers[1]).toEqual(answers[0]);
  await mailTo(ada.email, /^Reset your password$/);
  expect(await mails(stranger)).toEqual([]);
});

test('a new password ends the other sessions', async ({ browser }) => {
  const ada = await person('Ada');
  const [here, there] = [await browse(browser, ada), await browse(browser, ada)];
  await here.page.goto('/account');
  await here.page.getByLabel('Current password').fill('not this one');
  await here.page.getByLabel('New password').fill(another);
  await here.page.getByRole('button', { name: 'Change password' }).click();
  await expect(here.page.getByText('The password is wrong.')).toBeVisible();
  await here.page.getByLabel('Current password').fill(secret);
  await here.page.getByRole('button', { name: 'Change password' }).click();
  await expect(here.page.getByText('Your password is changed. Your other devices are logged out.')).toBeVisible();

  await here.page.reload();
  await expect(here.page.getByRole('heading', { name: 'Where you are logged in' })).toBeVisible();
  await there.page.reload();
  await expect(there.page.getByRole('link', { name: 'Log in' })).toBeVisible();
  expect((await ada.http.get(`${api}/auth/me`)).status()).toBe(401);
  await mailTo(ada.email, /^Your password was changed$/);
});
