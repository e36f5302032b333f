// The mails about bookings, and the same files in the app.
import type { Download, Page } from '@playwright/test';
import jsQR from 'jsqr';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Schemas } from '../src/api/client';
import { attachment, mailTo } from './mail';
import { api, book, browse, event, expect, organizer, pay, person, sent, test, type Person } from './world';

let olga: Person;
test.beforeAll(async () => {
  olga = await organizer();
});

/** The QR codes of a PDF's pages, and its words, as a reader on a screen finds them. */
async function read(pdf: Buffer): Promise<{ codes: (string | undefined)[]; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'frontrow-pdf-'));
  try {
    const file = join(folder, 'tickets.pdf');
    writeFileSync(file, pdf);
    execFileSync('pdftoppm', ['-r', '150', '-png', file, join(folder, 'page')]);
    const text = execFileSync('pdftotext', [file, '-'], { encoding: 'utf8' });
    const codes: (string | undefined)[] = [];
    for (const name of readdirSync(folder)
      .filter((one) => one.endsWith('.png'))
      .toSorted()) {
      const { data, info } = await sharp(readFileSync(join(folder, name)))
        .ensureAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      codes.push(jsQR(new Uint8ClampedArray(data), info.width, info.height)?.data);
    }
    return { codes, text };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The properties of a calendar's only entry. */
const entry = (ics: string): Record<string, string> =>
  Object.fromEntries(
    (/BEGIN:VEVENT\r\n([^]*)END:VEVENT/.exec(ics)?.[1] ?? '')
      .replaceAll('\r\n ', '')
      .split('\r\n')
      .map((line) => [/^[A-Z]+/.exec(line)?.[0] ?? '', line.slice(line.indexOf(':') + 1)]),
  );

const inCalendar = (time: string) => time.replace(/\.\d+/, '').replace(/[-:]/g, '');

const content = async (download: Promise<Download>): Promise<Buffer> =>
  Buffer.from(await new Response((await (await download).createReadStream()) as never).arrayBuffer());

/** Hours and minutes in Vienna. */
const clock = (time: string): string =>
  new Intl.DateTimeFormat('en', { timeZone: 'Europe/Vienna', hour: 'numeric', minute: '2-digit' })
    .format(new Date(time))
    .replace(/\s.*/, '');

async function bought(name: string): Promise<{ ada: Person; shown: Schemas['Event']; booking: Schemas['Booking'] }> {
  const shown = await event(olga, name);
  const ada = await person('Ada');
  const booking = await pay(ada, await book(ada, shown.id, { seat_ids: ['1-0', '1-1'] }));
  return { ada, shown, booking };
}

/** XXXX-XXXX without look-alikes. */
const orderNumber = /^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/;

test('the tickets come by mail as a PDF whose QR codes are valid, and with a calendar entry', async ({ browser }) => {
  const { ada, shown, booking } = await bought('Posted');
  const mail = await mailTo(ada.email, /^Your tickets for Posted$/);
  expect(booking.order_number).toMatch(orderNumber);
  expect(mail.Text).toContain(`Order number: ${booking.order_number}`);
  expect(mail.HTML).toContain(booking.order_number);

  const { items: tickets } = await sent<Schemas['Tickets']>(ada.http.get(`${api}/bookings/${booking.id}/tickets`));
  const pdf = await attachment(mail, '.pdf');
  const { codes, text } = await read(pdf);
  expect(codes.toSorted()).toEqual(tickets.map(({ code }) => code).toSorted());
  expect(text).toContain(booking.order_number);
  expect(text).toContain('Small Hall');

  const ics = await attachment(mail, '.ics');
  expect(entry(ics.toString())).toMatchObject({
    UID: `${booking.id}@frontrow`,
    DTSTART: inCalendar(shown.starts_at),
    DTEND: inCalendar(shown.ends_at),
    SUMMARY: 'Posted',
  });
  expect(entry(ics.toString()).LOCATION).toContain('Small Hall');

  // The booking's page has the same files.
  const { page } = await browse(browser, ada);
  await page.goto(`/bookings/${booking.id}`);
  await expect(page.getByText(`Order ${booking.order_number}`).first()).toBeVisible();
  let download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'PDF' }).click();
  const saved = await read(await content(download));
  expect(saved.codes.toSorted()).toEqual(tickets.map(({ code }) => code).toSorted());
  download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'calendar' }).click();
  expect(entry((await content(download)).toString())).toEqual(entry(ics.toString()));

  // The organiser finds the order by its number, also as people type it.
  const { booking: other } = await boughtToo(shown);
  const office = (await browse(browser, olga)).page;
  await office.goto(`/organizer/events/${shown.id}/attendees`);
  const rows = office.getByRole('row').filter({ has: office.getByRole('rowheader') });
  await expect(rows).toHaveCount(3);
  await office.getByRole('searchbox').fill(booking.order_number.toLowerCase().replace('-', ''));
  await expect(rows).toHaveCount(2);
  await expect(rows.filter({ hasText: booking.order_number })).toHaveCount(2);
  await office.getByRole('searchbox').fill(other.order_number);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(other.order_number);
});

async function boughtToo(shown: Schemas['Event']): Promise<{ booking: Schemas['Booking'] }> {
  const bob = await person('Bob');
  return { booking: await pay(bob, await book(bob, shown.id, { seat_ids: ['1-4'] })) };
}

test('a failed payment is told by mail, with the time until which the seats are held', async ({ browser }) => {
  const shown = await event(olga, 'Card Trouble');
  const ada = await person('Ada');
  const { page } = await browse(browser, ada);
  const booking = await book(ada, shown.id, { seat_ids: ['1-0'] });
  await page.goto(`/bookings/${booking.id}`);
  await page.getByLabel('Card that is declined').check();
  await page.getByRole('button', { name: /^Pay/ }).click();
  await expect(page.getByText('The card was declined.')).toBeVisible();
  const { Text: text } = await mailTo(ada.email, /^Payment failed: Card Trouble$/);
  expect(text).toMatch(new RegExp(`Pay until: .* ${clock(booking.expires_at)}.*\\(Europe/Vienna\\)`));
  expect(text).toContain(`/bookings/${booking.id}`);
});

test('a cancelled booking is refunded, and its buyer is told so', async ({ browser }) => {
  const { ada, booking } = await bought('Second Thoughts');
  const { page } = await browse(browser, ada);
  await page.goto(`/bookings/${booking.id}`);
  await cancel(page);
  await expect(page.getByText('We refunded €90.00.')).toBeVisible();
  const { Text: text } = await mailTo(ada.email, /^Refund for Second Thoughts$/);
  expect(text).toContain('You cancelled your booking.');
  expect(text).toContain('Refund: €90.00');
  expect(text).toContain(booking.order_number);
});

async function cancel(page: Page) {
  await page.getByRole('button', { name: 'Cancel booking' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel booking' }).click();
}

test('buyers are told what has changed, and that the event is cancelled', async ({ browser }) => {
  const { ada, shown, booking } = await bought('Moving');
  await mailTo(ada.email, /^Your tickets for Moving$/);
  const starts = new Date(Date.parse(shown.starts_at) + 3600_000).toISOString();
  await sent(
    olga.http.patch(`${api}/events/${shown.id}`, { data: { starts_at: starts }, headers: { 'If-Match': '*' } }),
  );
  const changed = await mailTo(ada.email, /^Changed: Moving$/);
  expect(changed.Text).toMatch(new RegExp(`Starts: .* ${clock(shown.starts_at)}.* → .* ${clock(starts)}`));
  const replaced = entry((await attachment(changed, '.ics')).toString());
  expect(replaced).toMatchObject({ UID: `${booking.id}@frontrow`, DTSTART: inCalendar(starts) });

  const { page } = await browse(browser, olga);
  await page.goto(`/organizer/events/${shown.id}`);
  await page.getByRole('button', { name: 'Cancel event' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel event' }).click();
  const cancelled = await mailTo(ada.email, /^Cancelled: Moving$/);
  expect(cancelled.Text).toContain('You get back the full €90.00.');
  const refund = await mailTo(ada.email, /^Refund for Moving$/);
  expect(refund.Text).toContain('Refund: €90.00');
});
