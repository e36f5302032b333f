// The README's pictures: The Tempest of `make up DEMO=1`, while people buy. They need a new demo, because nobody may
// have bought before the crowd does.
import type { Browser, Locator, Page } from '@playwright/test';
import sharp from 'sharp';
import type { Schemas } from '../src/api/client';
import { crowd, hold } from './crowd';
import { api, browse, expect, pay, person, sent, test, type Person } from './world';

const folder = new URL('../../docs/screenshots/', import.meta.url).pathname;
const desktop = { viewport: { width: 1280, height: 860 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const margin = 20;

const visit = async (browser: Browser, who: Person, options: object) =>
  (await browse(browser, who, { reducedMotion: 'reduce', ...options })).page;

/** The page from its top to the end of a part of it. */
async function pageTo(page: Page, end: Locator): Promise<Buffer> {
  const box = await end.boundingBox();
  if (!box) throw new Error('the end of the picture is not visible');
  const height = Math.ceil(box.y + box.height + margin);
  return page.screenshot({ fullPage: true, clip: { x: 0, y: 0, width: desktop.viewport.width, height } });
}

/** Few colours make the pictures small. */
const save = (name: string, picture: Buffer) =>
  sharp(picture).png({ palette: true, effort: 10 }).toFile(`${folder}${name}.png`);

/** Scrolls down to the page's title. */
const toTitle = (page: Page) =>
  page.locator('h1').evaluate((title, above) => scrollTo(0, title.getBoundingClientRect().top - above), margin);

/** Opens the event and waits until the map shows every seat's state. */
async function openMap(page: Page, path: string) {
  await page.goto(path);
  await page.getByText('Live', { exact: true }).first().waitFor();
  await page.waitForFunction(() => performance.getEntriesByName('seat-map-painted').length > 0);
}

/** Zooms in around a point of the map's middle line, so far from the top, and waits until the seats are sharp. */
async function zoomIn(page: Page, from: number, steps: number) {
  const map = page.locator('canvas');
  const box = await map.boundingBox();
  if (!box) throw new Error('the map is not visible');
  const at = { clientX: box.x + box.width / 2, clientY: box.y + box.height * from };
  for (let i = 0; i < steps; i++) await map.dispatchEvent('wheel', { deltaY: -200, ...at });
  let before = '';
  await expect(async () => {
    const now = await map.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const same = now === before;
    before = now;
    expect(same).toBe(true);
  }).toPass({ intervals: [300] });
}

async function choose(page: Page, section: string, row: string, numbers: number[]) {
  await page.getByRole('button', { name: 'List' }).click();
  const option = page.getByLabel('Section').locator('option', { hasText: section });
  await page.getByLabel('Section').selectOption(await option.getAttribute('value'));
  for (const number of numbers)
    await page.getByRole('button', { name: new RegExp(`row ${row}, seat ${number}\\b`) }).click();
  await page.getByRole('button', { name: 'Map', exact: true }).click();
}

test('the pictures', async ({ browser }) => {
  const olga = await person('Olga', 'olga@frontrow.example');
  const ada = await person('Ada', 'ada@frontrow.example');
  const { items } = await sent<Schemas['EventPage']>(olga.http.get(`${api}/events?mine=true&q=The Tempest`));
  const event = items.find(({ name }) => name === 'The Tempest');
  if (!event) throw new Error('The Tempest is not on sale: `make up DEMO=1` first');
  const { seats } = await sent<Schemas['Sales']>(olga.http.get(`${api}/events/${event.id}/sales`));
  if (seats.sold > 0) throw new Error('The Tempest has been sold from: `make clean` and `make up DEMO=1` first');
  const venue = await sent<Schemas['Venue']>(olga.http.get(`${api}/venues/${event.venue.id}`));

  const front = venue.sections.find(({ name }) => name === 'Front stalls centre');
  const row = (label: string, from: number, to: number) =>
    front?.rows.find((one) => one.label === label)?.seats.slice(from - 1, to) ?? [];
  await pay(ada, await hold(ada, event.id, row('B', 4, 5)));
  const spared = [...row('B', 4, 5), ...row('C', 2, 7)];

  // Ada has two seats and looks on while others buy.
  const buyer = await visit(browser, ada, { ...desktop, reducedMotion: 'no-preference' });
  await openMap(buyer, `/events/${event.id}`);
  const legend = buyer.getByRole('group', { name: 'Legend' });
  const frames: Buffer[] = [];
  let selling = true;
  const sale = crowd(event.id, venue, spared).finally(() => (selling = false));
  while (selling) {
    const frame = await pageTo(buyer, legend);
    if (!frames.at(-1)?.equals(frame)) frames.push(frame);
    await buyer.waitForTimeout(600);
  }
  const [first] = await sale;
  if (!first) throw new Error('nobody has bought');

  // She chooses two more behind them: the animation's still, while the other frames load or cannot be shown.
  await choose(buyer, 'Front stalls centre', 'C', [4, 5]);
  frames.unshift(await pageTo(buyer, legend));
  await sharp(frames, { join: { animated: true } })
    .webp({ lossless: true, minSize: true, loop: 0, delay: frames.map((_, n) => (n === 0 ? 4000 : 120)) })
    .toFile(`${folder}sale.webp`);
  await zoomIn(buyer, 0.25, 3);
  await save('event-near-desktop', await pageTo(buyer, legend));

  const pocket = await visit(browser, ada, phone);
  await openMap(pocket, `/events/${event.id}`);
  await choose(pocket, 'Front stalls centre', 'C', [4, 5]);
  await toTitle(pocket);
  await zoomIn(pocket, 0.42, 4);
  await save('event-phone', await pocket.screenshot());

  await buyer.getByRole('button', { name: 'Hold 2 seats' }).click();
  await expect(buyer.getByTestId('countdown')).toHaveText(/^9:5/);
  await save('checkout-desktop', await pageTo(buyer, buyer.locator('form')));
  await buyer.getByRole('button', { name: /^Pay/ }).click();
  await buyer
    .getByRole('img', { name: /QR code/ })
    .last()
    .waitFor();
  await save('tickets-desktop', await pageTo(buyer, buyer.getByRole('region', { name: 'Your 2 tickets' })));

  const office = await visit(browser, olga, desktop);
  await openMap(office, `/organizer/events/${event.id}/sales`);
  const chart = office.locator('section', { has: office.getByRole('heading', { name: 'Sales over time' }) });
  await save('sales-desktop', await pageTo(office, chart));

  // The first of the crowd comes in.
  const tickets = await sent<Schemas['Tickets']>(first.who.http.get(`${api}/bookings/${first.booking.id}/tickets`));
  const door = await visit(browser, olga, phone);
  await door.addInitScript(
    showToCamera,
    tickets.items.map(({ qr_png }) => qr_png),
  );
  await door.goto(`/organizer/events/${event.id}/check-in`);
  await door.getByRole('button', { name: 'Scan with camera' }).click();
  await door.getByText('Admitted').first().waitFor();
  await toTitle(door);
  await save('check-in-phone', await door.screenshot());
});

/** Replaces the camera by one that sees a ticket's QR code. Runs in the page. */
function showToCamera([code]: string[]) {
  navigator.mediaDevices.getUserMedia = async () => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${code}`;
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1280, 960];
    const context = canvas.getContext('2d');
    const draw = () => {
      if (!context) return;
      context.fillStyle = '#6b6375';
      context.fillRect(0, 0, 1280, 960);
      context.drawImage(picture, 380, 220, 520, 520);
      requestAnimationFrame(draw);
    };
    draw();
    return canvas.captureStream();
  };
}
