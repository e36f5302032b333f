// The start and the end of a sale, as people see them who wait on the page.
import { api, browse, event, expect, organizer, person, sent, test, type Person } from './world';

let olga: Person;
test.beforeAll(async () => {
  olga = await organizer();
});

const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

const clocks = { right: 0, 'an hour fast': 3_600_000, 'an hour slow': -3_600_000 };

test('a sale opens and ends by itself, whatever the clock of the device', async ({ browser }) => {
  const shown = await event(olga, 'At the Stroke of Ten', { sale_starts_at: soon(30), sale_ends_at: soon(50) });
  const devices = await Promise.all(
    Object.entries(clocks).map(async ([clock, wrong]) => {
      const { page, context } = await browse(browser);
      await context.addInitScript((by) => {
        const now = Date.now;
        Date.now = () => now() + by;
      }, wrong);
      const device = { clock, page, loads: 0 };
      page.on('request', (request) => void (device.loads += request.isNavigationRequest() ? 1 : 0));
      return device;
    }),
  );
  const onEach = (check: (device: (typeof devices)[number]) => Promise<void>) =>
    Promise.all(devices.map((device) => test.step(`the clock is ${device.clock}`, () => check(device))));

  await onEach(async ({ page }) => {
    await page.goto(`/events/${shown.id}`);
    await page.getByRole('button', { name: 'List' }).click();
    const timer = page.getByRole('timer', { name: 'Time until the sale starts' });
    await expect(timer).toHaveText(/^0 days\s*0 hours\s*0 minutes\s*\d+ seconds?$/);
    await expect(page.getByText(/less than (10|30) seconds/)).toHaveCount(1);
    await expect(page.getByText('Your selection')).toHaveCount(0);
    // The seats are live before the sale is.
    await expect(page.getByText('Live', { exact: true })).toBeVisible();

    await expect(page.getByText('Tickets are on sale now.').first()).toBeVisible({ timeout: 40_000 });
    await expect(timer).toHaveCount(0);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(shown.sale_starts_at));
    await page.getByRole('button', { name: /row A, seat 1\b/ }).click();
    await expect(page.getByRole('button', { name: 'Hold 1 seat' })).toBeEnabled();
  });
  const bob = await person('Bob');
  await sent(bob.http.post(`${api}/bookings`, { data: { event_id: shown.id, seat_ids: ['1-0'] } }));
  await onEach(async (device) => {
    await expect(device.page.getByText(/just taken/)).toBeVisible();
    await expect(device.page.getByText('Ticket sales have ended.')).toBeVisible({ timeout: 30_000 });
    await expect(device.page.getByText('Your selection')).toHaveCount(0);
    expect(device.loads).toBe(1);
  });
});

test('the page of an event that ends says so', async ({ browser }) => {
  const shown = await event(olga, 'Curtain', {
    sale_starts_at: soon(-60),
    sale_ends_at: soon(8),
    starts_at: soon(12),
    ends_at: soon(16),
  });
  const { page } = await browse(browser);
  await page.goto(`/events/${shown.id}`);
  await expect(page.getByText('Your selection')).toBeVisible();
  await expect(page.getByText('Ticket sales have ended.')).toBeVisible();
  await expect(page.getByText('This event is over.')).toBeVisible();
  await expect(page.locator('canvas')).toHaveCount(0);
});
