// Measures the seat map in Chromium: time to the first paint of the map, and frames while it is panned and zoomed.
//
//   FRONTROW_URL=http://localhost:8080/api/v1 node perf/measure.mjs [event id]
//       against a running system; without an id: the event with most seats
//   node perf/measure.mjs --mock
//       the built app (dist/app) and a made-up venue of 50,000 seats
//
// --scale=2 measures with two device pixels a CSS pixel. Nothing is asserted: what else the machine does counts for as
// much as the map.
import { chromium } from '@playwright/test';
import { mock } from './mock.mjs';

const args = process.argv.slice(2);
const mocked = args.includes('--mock');
const scale = Number(args.find((arg) => arg.startsWith('--scale='))?.slice(8) ?? 1);
const phase = 4000;

const server = mocked ? await mock() : undefined;
const url = server?.url ?? (process.env.FRONTROW_URL && new URL(process.env.FRONTROW_URL).origin);
if (!url) {
  console.error('FRONTROW_URL is missing: the address of a running system. Or --mock.');
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.FRONTROW_CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  const event = args.find((arg) => !arg.startsWith('--')) ?? server?.event ?? (await largest());
  const context = await browser.newContext({ viewport: { width: 1366, height: 900 }, deviceScaleFactor: scale });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`  page: ${error.message}`));
  await page.addInitScript(() => {
    // How long the callbacks of a frame take: what the map itself costs, whatever else the machine does.
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) =>
      request((now) => {
        const before = performance.now();
        callback(now);
        window.scriptTimes?.push(performance.now() - before);
      });
  });

  console.error(`opening event ${event} …`);
  await page.goto(`${url}/events/${event}`, { waitUntil: 'commit' });
  await page.waitForFunction(() => performance.getEntriesByName('seat-map-painted').length > 0, undefined, {
    timeout: 120_000,
  });
  const painted = await page.evaluate(() => performance.getEntriesByName('seat-map-painted')[0].startTime);
  const transferred = await page.evaluate(() =>
    performance.getEntriesByType('resource').reduce((sum, entry) => sum + entry.transferSize, 0),
  );
  const seats = await page.evaluate(async (id) => {
    const { blocks } = await (await fetch(`/api/v1/events/${id}/seats`)).json();
    return blocks.reduce((sum, block) => sum + block.states.length, 0);
  }, event);

  const canvas = page.locator('canvas[role=application]');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  const middle = { x: box.x + box.width / 2, y: box.y + box.height * 0.7 };
  await page.mouse.move(middle.x, middle.y);

  const rows = [];
  // The seats' distance in pixels where a phase begins: sections only, dots, numbered seats.
  for (const [name, wheel] of [
    ['far', 0],
    ['mid', 5],
    ['near', 5],
  ]) {
    console.error(`measuring ${name} …`);
    for (let i = 0; i < wheel; i++) {
      await page.mouse.wheel(0, -180);
      await page.waitForTimeout(80);
    }
    await page.waitForTimeout(800);
    rows.push({ name: `${name}, panning`, ...(await frames(page, () => pan(page, middle))) });
    rows.push({ name: `${name}, zooming`, ...(await frames(page, () => zoom(page))) });
  }

  console.log(`seats                      ${seats}`);
  console.log(`navigation to seat map     ${(painted / 1000).toFixed(2)} s`);
  console.log(`received                   ${(transferred / 1000).toFixed(0)} kB`);
  console.log(`canvas                     ${Math.round(box.width)} x ${Math.round(box.height)} at ${scale}`);
  console.log(
    `${''.padEnd(20)}${['frames/s', 'median', 'p95', 'max ms', 'script p95', 'max ms'].map((title) => title.padStart(12)).join('')}`,
  );
  for (const row of rows) {
    console.log(
      row.name.padEnd(20) +
        [row.rate, row.median, row.p95, row.max, row.scriptP95, row.scriptMax]
          .map((value) => value.toFixed(1).padStart(12))
          .join(''),
    );
  }
} finally {
  await browser.close();
  server?.close();
}

/** The id of the published event with most seats. */
async function largest() {
  const get = async (path) => (await fetch(`${url}/api/v1${path}`)).json();
  let best = { seats: -1, id: '' };
  for (let cursor = ''; ;) {
    const { items, next_cursor: next } = await get(
      `/events?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const { id } of items) {
      const { blocks } = await get(`/events/${id}/seats`);
      const seats = (blocks ?? []).reduce((sum, block) => sum + block.states.length, 0);
      if (seats > best.seats) best = { seats, id };
    }
    if (!next) break;
    cursor = next;
  }
  if (!best.id) throw new Error('there is no event');
  return best.id;
}

/** Frames while a gesture is made, in milliseconds: the times between two, and how long their callbacks took. */
async function frames(page, gesture) {
  await page.evaluate(() => {
    window.frameTimes = [];
    window.scriptTimes = [];
    let last = performance.now();
    const next = (now) => {
      window.frameTimes?.push(now - last);
      last = now;
      if (window.frameTimes) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  await gesture();
  const [times, scripts] = await page.evaluate(() => {
    const taken = [window.frameTimes.slice(1), window.scriptTimes];
    window.frameTimes = window.scriptTimes = undefined;
    return taken;
  });
  const at = (values, share) =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
  const total = times.reduce((sum, time) => sum + time, 0);
  // Half of the callbacks are those of the measurement, which take no time.
  return {
    rate: (times.length / total) * 1000,
    median: at(times, 0.5),
    p95: at(times, 0.95),
    max: at(times, 1),
    scriptP95: at(scripts, 0.975),
    scriptMax: at(scripts, 1),
  };
}

async function pan(page, middle) {
  const until = Date.now() + phase;
  await page.mouse.down();
  for (let step = 0; Date.now() < until; step++) {
    const angle = step / 25;
    await page.mouse.move(middle.x + 180 * Math.sin(angle), middle.y + 110 * Math.sin(2 * angle));
    await page.waitForTimeout(8);
  }
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.up();
}

async function zoom(page) {
  const until = Date.now() + phase;
  // In and out again, a third as near.
  for (let step = 0; Date.now() < until; step++) {
    await page.mouse.wheel(0, step % 40 < 20 ? -22 : 22);
    await page.waitForTimeout(16);
  }
}
