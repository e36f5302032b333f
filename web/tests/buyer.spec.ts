import {
  api,
  browse,
  event,
  expect,
  newEmail,
  organizer,
  person,
  secret,
  sent,
  supervisor,
  test,
  verify,
  type Person,
} from './world';
import type { Page } from '@playwright/test';
import type { Schemas } from '../src/api/client';

let olga: Person;
test.beforeAll(async () => {
  olga = await organizer();
});

/** Opens an event with its seats as a list, which can be used by names. */
async function seats(page: Page, id: string) {
  await page.goto(`/events/${id}`);
  await page.getByRole('button', { name: 'List' }).click();
}
const seat = (page: Page, row: string, number: number) =>
  page.getByRole('button', { name: new RegExp(`row ${row}, seat ${number}\\b`) });

test('a buyer finds an event, registers in the middle, pays and has tickets', async ({ browser }) => {
  const name = `Nocturnes ${Date.now()}`;
  const shown = await event(olga, name);
  const { page } = await browse(browser);
  await page.goto('/');
  await page.getByLabel('Search').fill(name);
  await page.getByRole('link', { name: new RegExp(name) }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await page.getByRole('button', { name: 'List' }).click();
  await seat(page, 'A', 3).click();
  await seat(page, 'A', 4).click();
  await page.getByRole('button', { name: 'Hold 2 seats' }).click();

  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'I’m new' }).click();
  await dialog.getByLabel('Name').fill('Ada');
  const email = newEmail('Ada');
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Password', { exact: true }).fill(secret);
  await dialog.getByRole('button', { name: 'Register and log in' }).click();

  await page.waitForURL(/\/bookings\//);
  await expect(page.getByText('Stalls, row A, seat 3')).toBeVisible();
  await expect(page.getByTestId('countdown')).toHaveText(/^(9|10):\d\d$/);
  await verify(email);
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByRole('heading', { name: 'Your 2 tickets' })).toBeVisible();
  await expect(page.getByRole('img', { name: /QR code/ })).toHaveCount(2);

  await page.goto('/bookings');
  await expect(page.getByText('Confirmed')).toHaveCount(1);
  const sold = await sent<Schemas['Availability']>(olga.http.get(`${api}/events/${shown.id}/seats`));
  expect(
    sold.blocks
      .map((block) => block.states)
      .join('')
      .match(/s/g),
  ).toHaveLength(2);

  // And gives them back.
  await page.getByRole('link', { name: new RegExp(name) }).click();
  await page.getByRole('button', { name: 'Cancel booking' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel booking' }).click();
  await expect(page.getByText('We refunded €90.00.')).toBeVisible();
});

test('of two who want the same seat one gets it, and the other sees so and is offered another', async ({ browser }) => {
  const shown = await event(olga, 'Only One');
  const [ada, bob] = [await browse(browser, await person('Ada')), await browse(browser, await person('Bob'))];
  await Promise.all([seats(ada.page, shown.id), seats(bob.page, shown.id)]);
  await Promise.all([seat(ada.page, 'A', 5).click(), seat(bob.page, 'A', 5).click()]);
  // Both press at once.
  await Promise.all(
    [ada, bob].map(({ page }) =>
      page
        .getByRole('button', { name: 'Hold 1 seat' })
        .click({ noWaitAfter: true })
        .catch(() => undefined),
    ),
  );
  const won = (page: Page) => page.waitForURL(/\/bookings\//).then(() => page);
  const winner = await Promise.any([won(ada.page), won(bob.page)]);
  const loser = winner === ada.page ? bob.page : ada.page;
  await expect(winner.getByText('Stalls, row A, seat 5')).toBeVisible();
  await expect(loser.getByText(/just taken/)).toBeVisible();
  await expect(seat(loser, 'A', 5).first()).toBeDisabled();
  await loser.getByRole('button', { name: 'Take it instead' }).click();
  await loser.getByRole('button', { name: 'Hold 1 seat' }).click();
  await loser.waitForURL(/\/bookings\//);
  await expect(loser.getByText('Stalls, row A, seat 5')).toHaveCount(0);
});

test('a seat that somebody else takes turns on the screen at once', async ({ browser }) => {
  const shown = await event(olga, 'Seen Live');
  const { page } = await browse(browser);
  await seats(page, shown.id);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await seat(page, 'A', 1).click();
  const bob = await person('Bob');
  await sent(bob.http.post(`${api}/bookings`, { data: { event_id: shown.id, seat_ids: ['1-0'] } }));
  await expect(page.getByText(/just taken/)).toBeVisible();
  await expect(page.getByRole('button', { name: /^Hold 1 seat/ })).toHaveCount(0);
});

test('the countdown runs out, and the seats are free again', async ({ browser }) => {
  const shown = await event(olga, 'Short Patience', { hold_seconds: 8 });
  const { page } = await browse(browser, await person('Ada'));
  await seats(page, shown.id);
  await seat(page, 'B', 2).click();
  await page.getByRole('button', { name: 'Hold 1 seat' }).click();
  await expect(page.getByTestId('countdown')).toHaveText(/^0:0\d$/);
  await expect(page.getByText('Your time to pay ran out')).toBeVisible();
  await page.getByRole('link', { name: 'Go to the event' }).click();
  await page.getByRole('button', { name: 'List' }).click();
  await expect(seat(page, 'B', 2)).toBeEnabled();
});

test('a declined card is told, and another one works', async ({ browser }) => {
  const shown = await event(olga, 'Second Card');
  const { page } = await browse(browser, await person('Ada'));
  await seats(page, shown.id);
  await seat(page, 'A', 1).click();
  await page.getByRole('button', { name: 'Hold 1 seat' }).click();
  await page.getByLabel('Card that is declined').check();
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByText('The card was declined.')).toBeVisible();
  await page.getByLabel('Card that works', { exact: true }).check();
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByRole('heading', { name: 'Your ticket' })).toBeVisible();
});

test('the best seats together, and standing room', async ({ browser }) => {
  const shown = await event(olga, 'Together');
  const { page } = await browse(browser, await person('Ada'));
  await page.goto(`/events/${shown.id}`);
  await page.getByLabel('Ticket type').selectOption({ label: 'Standing: €15.00' });
  await page.getByLabel('Number of seats').fill('3');
  await page.getByRole('button', { name: 'Hold the best 3' }).click();
  await page.waitForURL(/\/bookings\//);
  await expect(page.getByText(/^Pit, no\. /)).toHaveCount(3);
});

test('a seat left single is pointed out', async ({ browser }) => {
  const shown = await event(olga, 'No Orphans');
  const { page } = await browse(browser);
  await seats(page, shown.id);
  await seat(page, 'A', 2).click();
  await expect(page.getByText(/leaves a single seat/)).toContainText('row A, seat 1');
  await seat(page, 'A', 1).click();
  await expect(page.getByText(/leaves a single seat/)).toHaveCount(0);
});

test('the services restart in the middle, and the buyer notices nothing', async ({ browser }) => {
  const shown = await event(olga, 'Through a Storm');
  const { page } = await browse(browser, await person('Ada'));
  await seats(page, shown.id);
  await seat(page, 'A', 7).click();
  for (const name of ['booking-service-1', 'booking-service-2', 'booking-service-3'])
    await supervisor('PATCH', `/process/stop/${name}`);
  const hold = page.getByRole('button', { name: 'Hold 1 seat' }).click();
  for (const name of ['booking-service-1', 'booking-service-2', 'booking-service-3'])
    await supervisor('POST', `/process/start/${name}`);
  await hold;
  await page.waitForURL(/\/bookings\//);
  for (const name of ['payment-service-1', 'payment-service-2']) await supervisor('PATCH', `/process/stop/${name}`);
  await page.getByRole('button', { name: /^Pay/ }).click();
  for (const name of ['payment-service-1', 'payment-service-2']) await supervisor('POST', `/process/start/${name}`);
  await expect(page.getByRole('heading', { name: 'Your ticket' })).toBeVisible({ timeout: 60_000 });
});

test('a page of another site can do nothing with the session', async ({ browser }) => {
  const ada = await person('Ada');
  const { context, page } = await browse(browser, ada);
  const cookies = await context.cookies();
  expect(cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))).toEqual([
    { name: 'frontrow_session', httpOnly: true, sameSite: 'Lax' },
    { name: 'frontrow_device', httpOnly: true, sameSite: 'Strict' },
  ]);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  for (const { value } of cookies) expect(stored).not.toContain(value);
  const answer = await page.request.post(`${api}/auth/logout-all`, {
    headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' },
  });
  expect(answer.status()).toBe(403);
});
