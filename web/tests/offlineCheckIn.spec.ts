// The check-in without a network. The browser reaches the system through a wire that the test can cut: its service
// worker is cut off too, and a browser that starts again finds what the one before has left.
import { chromium, type BrowserContext, type Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Schemas } from '../src/api/client';
import { api, event, expect, organizer, person, sent, signIn, test, until } from './world';

class Wire {
  #server: Server | undefined;
  #port = 0;
  readonly #open = new Set<Socket>();

  async mend(): Promise<void> {
    const { hostname, port } = new URL(api);
    this.#server = createServer((socket) => {
      const onward = connect(Number(port), hostname);
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy()).on('close', () => this.#open.delete(one) && other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((ready) => this.#server?.listen(this.#port, 'localhost', ready));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
  }

  get origin(): string {
    return `http://localhost:${this.#port}`;
  }
}

const wire = new Wire();
let profile: string;
test.beforeEach(async () => {
  profile = mkdtempSync(join(tmpdir(), 'frontrow-door-'));
  await wire.mend();
});
test.afterEach(() => {
  wire.cut();
  rmSync(profile, { recursive: true, force: true });
});

/** Starts a browser with what an earlier one has stored. */
async function start(): Promise<{ browser: BrowserContext; page: Page }> {
  const { launchOptions, locale } = test.info().project.use;
  const browser = await chromium.launchPersistentContext(profile, {
    ...launchOptions,
    baseURL: wire.origin,
    ...(locale ? { locale } : {}),
  });
  return { browser, page: browser.pages()[0] ?? (await browser.newPage()) };
}

async function scan(page: Page, code: string, result: string) {
  const field = page.getByLabel('Ticket code');
  await field.fill(code);
  await field.press('Enter');
  await expect(page.getByRole('status').getByText(result).first()).toBeVisible();
}

test('scans without a network outlast the browser, and arrive once when the network is back', async () => {
  const olga = await organizer();
  const shown = await event(olga, 'No Signal');
  const ada = await person('Ada');
  const booking = await sent<Schemas['Booking']>(
    ada.http.post(`${api}/bookings`, { data: { event_id: shown.id, seat_ids: ['1-0', '1-1'] } }),
  );
  await sent(ada.http.post(`${api}/payments`, { data: { booking_id: booking.id, payment_method: 'pm_ok' } }));
  await until(
    async () => (await sent<Schemas['Booking']>(ada.http.get(`${api}/bookings/${booking.id}`))).status === 'confirmed',
  );
  const { items: tickets } = await sent<Schemas['Tickets']>(ada.http.get(`${api}/bookings/${booking.id}/tickets`));
  const [first = '', second = ''] = tickets.map((ticket) => ticket.code);

  let { browser, page } = await start();
  await page.goto('/login');
  await signIn(page, olga);
  await page.waitForURL(`${wire.origin}/`);
  const path = `/organizer/events/${shown.id}/check-in`;
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1, name: /No Signal/ })).toBeVisible();
  await page.evaluate(() => navigator.serviceWorker.ready);

  wire.cut();
  await scan(page, first, 'Admitted, not confirmed yet');
  await browser.close();

  ({ browser, page } = await start());
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1, name: /No Signal/ })).toBeVisible();
  await expect(page.getByText('1 scan is waiting for confirmation.')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'not confirmed yet' })).toHaveCount(1);
  await scan(page, first, 'Already used');
  await scan(page, second, 'Admitted, not confirmed yet');
  await scan(page, `${second.slice(0, -4)}AAAA`, 'Not a valid ticket');

  // The app itself starts too, and leads there.
  await page.goto('/organizer/check-in');
  await page.getByRole('link', { name: 'No Signal' }).click();
  await expect(page.getByText('4 scans are waiting for confirmation.')).toBeVisible();

  const arrived: string[] = [];
  page.on('requestfinished', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/check-ins'))
      arrived.push((request.postDataJSON() as { scan_id: string }).scan_id);
  });
  await wire.mend();
  await expect(page.getByText(/waiting for confirmation/)).toHaveCount(0);
  await expect(page.getByText('not confirmed yet')).toHaveCount(0);
  expect([new Set(arrived).size, arrived.length]).toEqual([4, 4]);
  const log = await sent<Schemas['ScanPage']>(olga.http.get(`${api}/events/${shown.id}/check-ins`));
  expect(log.items.map(({ result }) => result).toSorted()).toEqual(['admitted', 'admitted', 'already_used', 'forged']);
  // Who is logged in is known again.
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();
  await browser.close();
});

test('the check-in can be installed', async () => {
  const olga = await organizer();
  const shown = await event(olga, 'To Go');
  const { browser, page } = await start();
  await page.goto('/login');
  await signIn(page, olga);
  await page.waitForURL(`${wire.origin}/`);
  await page.goto(`/organizer/events/${shown.id}/check-in`);
  await expect(page.getByRole('heading', { level: 1, name: /To Go/ })).toBeVisible();
  // Chromium says what keeps a page from being installed.
  const devtools = await browser.newCDPSession(page);
  await expect
    .poll(async () => {
      const { url, errors, data } = await devtools.send('Page.getAppManifest');
      return { url, errors, named: data?.includes('Frontrow check-in') };
    })
    .toEqual({ url: `${wire.origin}/check-in.webmanifest`, errors: [], named: true });
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  expect(installabilityErrors).toEqual([]);
  await browser.close();
});
