import type { Schemas } from '../src/api/client';
import { api, browse, event, expect, organizer, person, sent, test, until } from './world';

/** A date and time for an input, some days from now. */
const inDays = (days: number) => `${new Date(Date.now() + days * 24 * 3600 * 1000).toISOString().slice(0, 10)}T20:00`;

test('an organiser makes a venue and an event, sells, and lets people in', async ({ browser }) => {
  const { page, context } = await browse(browser, await organizer());
  await page.getByRole('link', { name: 'Organise' }).click();
  await page.getByRole('link', { name: 'Venues' }).click();
  await page.getByRole('link', { name: 'New venue' }).first().click();

  // A plan from a preset, with one category painted over two rows.
  await page.getByRole('button', { name: /Small hall/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('Hall of the Test');
  await page.getByLabel('City').fill('Linz');
  await page.getByRole('button', { name: 'Add category' }).click();
  await page.getByLabel('Name of category 3').fill('Best');
  await expect(page.getByText('No place has the category “Best”.')).toBeVisible();
  await page.getByRole('radio', { name: 'Best' }).check();
  await page.getByText('Whole rows', { exact: true }).click();
  await page.getByRole('button', { name: 'Paint' }).click();
  await expect(page.getByText('No place has the category “Best”.')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('No place has the category “Best”.')).toBeVisible();
  await page.getByRole('button', { name: 'Redo' }).click();
  await page.getByRole('button', { name: 'Save venue' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Hall of the Test' })).toBeVisible();

  await page.getByRole('link', { name: 'New event here' }).click();
  const name = `Opening Night ${Date.now()}`;
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Starts', { exact: true }).fill(inDays(30));
  await page.getByLabel('Ends', { exact: true }).fill(inDays(31));
  await page.getByLabel('Sale starts').fill(inDays(-1));
  await page.getByLabel('Sale ends').fill(inDays(29));
  for (const price of await page.getByLabel('Price in EUR').all()) await price.fill('19.50');
  await page.getByRole('button', { name: 'Save draft' }).click();
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
  await expect(page.getByText('On sale').first()).toBeVisible();
  const id = /events\/([^/]+)/.exec(page.url())?.[1] ?? '';

  await page.getByRole('link', { name: 'Sales', exact: true }).click();
  await expect(page.getByText('Nothing has been sold yet.')).toBeVisible();
  const ada = await person('Ada');
  await until(async () => (await ada.http.get(`${api}/events/${id}/seats`)).ok());
  const shown = await sent<Schemas['Event']>(ada.http.get(`${api}/events/${id}`));
  const booking = await sent<Schemas['Booking']>(
    ada.http.post(`${api}/bookings`, {
      data: { event_id: id, ticket_type_id: shown.ticket_types[0]?.id, quantity: 2 },
    }),
  );
  await sent(ada.http.post(`${api}/payments`, { data: { booking_id: booking.id, payment_method: 'pm_ok' } }));
  await expect(page.getByText('€39.00').first()).toBeVisible({ timeout: 30_000 });

  await page.getByRole('link', { name: 'Attendees' }).click();
  await expect(page.getByText(ada.email)).toHaveCount(2);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as CSV' }).click();
  const csv = await (await download).createReadStream().then((stream) => new Response(stream as never).text());
  expect(csv.trim().split('\n')).toHaveLength(3);
  expect(csv).toContain(ada.email);

  // The door.
  const { items: tickets } = await sent<Schemas['Tickets']>(ada.http.get(`${api}/bookings/${booking.id}/tickets`));
  const [first = '', second = ''] = tickets.map((ticket) => ticket.code);
  await page.getByRole('link', { name: 'Check-in' }).click();
  const field = page.getByLabel('Ticket code');
  const scan = async (code: string) => {
    await field.fill(code);
    await field.press('Enter');
  };
  const verdict = page.getByRole('status').or(page.getByRole('alert'));
  await scan(first);
  await expect(verdict.getByText('Admitted').first()).toBeVisible();
  await scan(first);
  await expect(verdict.getByText('Already used').first()).toBeVisible();
  await scan(`${first.slice(0, -4)}AAAA`);
  await expect(verdict.getByText('Not a valid ticket').first()).toBeVisible();

  // Without a network the door goes on, and catches up.
  await context.setOffline(true);
  await scan(second);
  await expect(verdict.getByText('Admitted, not confirmed yet').first()).toBeVisible();
  await scan(`${second.slice(0, -4)}AAAA`);
  await expect(verdict.getByText('Not a valid ticket').first()).toBeVisible();
  await context.setOffline(false);
  // With the session of the page's own browser.
  const admitted = async () =>
    (await sent<Schemas['ScanPage']>(page.request.get(`${api}/events/${id}/check-ins`))).items.filter(
      ({ result }) => result === 'admitted',
    ).length;
  await until(async () => (await admitted()) === 2);
});

test('an event that is cancelled refunds its buyers', async ({ browser }) => {
  const olga = await organizer();
  const shown = await event(olga, 'Flooded');
  const ada = await person('Ada');
  const booking = await sent<Schemas['Booking']>(
    ada.http.post(`${api}/bookings`, { data: { event_id: shown.id, seat_ids: ['1-0'] } }),
  );
  await sent(ada.http.post(`${api}/payments`, { data: { booking_id: booking.id, payment_method: 'pm_ok' } }));
  await until(
    async () => (await sent<Schemas['Booking']>(ada.http.get(`${api}/bookings/${booking.id}`))).status === 'confirmed',
  );
  const { page } = await browse(browser, olga);
  await page.goto(`/organizer/events/${shown.id}`);
  await page.getByRole('button', { name: 'Cancel event' }).click();
  await page.getByRole('dialog').getByLabel('Reason (optional)').fill('The hall is flooded.');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel event' }).click();
  await expect(page.getByText('Cancelled').first()).toBeVisible();
  const buyer = await browse(browser, ada);
  await buyer.page.goto(`/bookings/${booking.id}`);
  await expect(buyer.page.getByText('We refunded €45.00.')).toBeVisible({ timeout: 60_000 });
});

test('a buyer has no business with organisers’ pages', async ({ browser }) => {
  const { page } = await browse(browser, await person('Ada'));
  await page.goto('/organizer');
  await expect(page.getByText(/Your account can buy tickets/)).toBeVisible();
});
