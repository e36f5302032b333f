// The waiting room as buyers see it: two of them, before and after the draw.
import type { Browser, Page, TestInfo } from '@playwright/test';
import type { Schemas } from '../src/api/client';
import { controlQueue, enterQueue } from './queue';
import {
  api,
  book,
  browse,
  event,
  expect,
  organizer,
  pay,
  person,
  sent,
  signIn,
  test,
  until,
  type Person,
} from './world';

let olga: Person;
test.beforeAll(async () => {
  olga = await organizer();
});

const views = {
  desktop: { viewport: { width: 1280, height: 860 } },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
} as const;
type View = keyof typeof views;

const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const turn = (page: Page) => page.getByTestId('admission');
const position = (page: Page) =>
  page.getByRole('heading', { level: 2, name: /You’re next|(person|people) before you/ });

async function waitingRoom(browser: Browser, who: Person, eventId: string, view: View = 'desktop'): Promise<Page> {
  const { page } = await browse(browser, who, views[view]);
  await page.goto(`/events/${eventId}`);
  await page.getByRole('link', { name: 'Join the queue' }).click();
  await page.waitForURL(/\/queue$/);
  return page;
}

async function join(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Join the queue' }).click();
}

/** Says to a page that it is in the background, or no longer. */
const show = (page: Page, visible: boolean) =>
  page.evaluate(
    (state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    },
    visible ? 'visible' : 'hidden',
  );

async function picture(page: Page, info: TestInfo, name: string): Promise<void> {
  await page.screenshot({ path: info.outputPath(`${name}.png`), fullPage: true });
}

test('two who waited for the draw check it, and one holds seats at their turn', async ({ browser }, info) => {
  const queue = { mode: 'always', opens_before_seconds: 60, admission_seconds: 60 } as const;
  const shown = await event(olga, 'Opening Minute', { sale_starts_at: soon(35), queue });
  const people = [await person('Ada'), await person('Bob')] as const;
  const ada = await waitingRoom(browser, people[0], shown.id, 'phone');
  const bob = await waitingRoom(browser, people[1], shown.id, 'dark');

  // Before the draw there is a place without a rank, and the hash of a seed that nobody knows.
  for (const page of [ada, bob]) {
    await join(page);
    await expect(page.getByRole('heading', { name: 'You’re in' })).toBeVisible();
  }
  const others = await Promise.all(['Cy', 'Di', 'Ed', 'Flo', 'Gwen'].map((name) => person(name)));
  for (const who of others) await enterQueue(who, shown.id);
  await expect(bob.getByText('7 people are in the waiting room.')).toBeVisible();
  await ada.reload();
  await expect(ada.getByRole('heading', { name: 'You’re in' })).toBeVisible();
  await bob.getByText('How the draw works').click();
  const hash = await bob.locator('code').innerText();
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  await picture(ada, info, 'prequeue-phone');
  await picture(bob, info, 'prequeue-dark');

  // The draw gives them two positions, which their browsers agree to. A pause shows them before the first turn.
  await controlQueue(olga, shown.id, { state: 'paused' });
  await expect(position(ada)).toBeVisible({ timeout: 45_000 });
  await expect(position(bob)).toBeVisible();
  const place = `${api}/events/${shown.id}/queue/place`;
  for (const [i, page] of [ada, bob].entries()) {
    const { rank = 0 } = await sent<Schemas['Place']>((people[i] as Person).http.get(place));
    const before = rank === 1 ? 'You’re next' : rank === 2 ? '1 person before you' : `${rank - 1} people before you`;
    await expect(position(page)).toHaveText(before);
  }
  for (const { http } of others) await sent(http.delete(place));
  await ada.getByText('How the draw works').click();
  for (const page of [ada, bob]) {
    await expect(page.getByText('The organiser has paused the queue.').first()).toBeVisible();
    await page.getByRole('button', { name: 'Check the draw' }).click();
    await expect(page.getByText('Your browser has checked the draw')).toBeVisible();
  }
  await expect(bob.locator('code').first()).toHaveText(hash);
  await expect(bob.locator('code')).toHaveCount(2);
  await bob.getByRole('button', { name: 'Look at the seats' }).click();
  await expect(bob.locator('canvas')).toBeVisible();
  await picture(ada, info, 'waiting-phone');
  await picture(bob, info, 'waiting-dark');

  // Who does not look on is called, and comes by the button.
  await show(bob, false);
  await controlQueue(olga, shown.id, { state: 'running' });
  await expect(bob).toHaveTitle(/^Your turn! Opening Minute/);
  await expect(bob.getByText(/^[12]:\d\d left$/)).toBeVisible();
  await picture(bob, info, 'called-dark');
  await bob.getByRole('button', { name: 'Go to the seats' }).click();
  await bob.waitForURL(new RegExp(`/events/${shown.id}$`));
  await expect(turn(bob)).toBeVisible();

  // Who looks on is taken to the seats, and a reload loses nothing.
  await ada.waitForURL(new RegExp(`/events/${shown.id}$`));
  await expect(turn(ada)).toBeVisible();
  await ada.reload();
  await expect(turn(ada)).toBeVisible();
  await expect(ada.getByText('Live', { exact: true })).toBeVisible();
  await picture(ada, info, 'admitted-phone');
  await ada.getByRole('button', { name: 'List' }).click();
  await ada.getByRole('button', { name: /row A, seat 1\b/ }).click();
  await ada.getByRole('button', { name: 'Hold 1 seat' }).click();
  await ada.waitForURL(/\/bookings\//);
  await ada.goto(`/events/${shown.id}`);
  await expect(ada.getByText('You are holding 1 unpaid seat')).toBeVisible();
  await expect(turn(ada)).toBeVisible();

  // The other gives the rest of their time on.
  await bob.getByRole('button', { name: 'I’m done, give my place on' }).click();
  await expect(bob.getByText('Thank you, the next person is let in.')).toBeVisible();
  await expect(bob.locator('canvas')).toHaveCount(0);

  // Nobody holds without an admission.
  const cleo = await person('Cleo');
  await expect(book(cleo, shown.id, { seat_ids: ['1-3'] })).rejects.toThrow(/403.*queue_required/);
});

test('an admission ends, and who rejoins is admitted again', async ({ browser }, info) => {
  const shown = await event(olga, 'Slow Choosers', { queue: { mode: 'always', admission_seconds: 15 } });
  const page = await waitingRoom(browser, await person('Dan'), shown.id);
  await join(page);
  await page.waitForURL(new RegExp(`/events/${shown.id}$`));
  await expect(turn(page)).toHaveText(/^0:\d\d$/);
  await expect(page.getByText('Your time to choose seats has ended.')).toBeVisible();
  await expect(page.locator('canvas')).toHaveCount(0);
  await picture(page, info, 'expired-desktop');
  await page.getByRole('link', { name: 'Rejoin the queue' }).click();
  await join(page);
  await page.waitForURL(new RegExp(`/events/${shown.id}$`));
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
});

test('an admission that ended unseen sends a hold to the queue', async ({ browser }) => {
  const shown = await event(olga, 'Second Thoughts', { queue: { mode: 'always', admission_seconds: 60 } });
  const eve = await person('Eve');
  const page = await waitingRoom(browser, eve, shown.id);
  await join(page);
  await page.waitForURL(new RegExp(`/events/${shown.id}$`));
  await page.getByRole('button', { name: 'List' }).click();
  await page.getByRole('button', { name: /row A, seat 2\b/ }).click();
  // As another tab would.
  await sent(eve.http.delete(`${api}/events/${shown.id}/queue/place`));
  await page.getByRole('button', { name: 'Hold 1 seat' }).click();
  await page.waitForURL(/\/queue$/);
  await join(page);
  await page.waitForURL(new RegExp(`/events/${shown.id}$`));
  // The choice is still there.
  await page.getByRole('button', { name: 'Hold 1 seat' }).click();
  await page.waitForURL(/\/bookings\//);
});

test('an invite code goes first, a wrong one is refused, and who leaves is asked before', async ({ browser }) => {
  const shown = await event(olga, 'Friends First', { queue: { mode: 'always' } });
  const codes = `${api}/events/${shown.id}/queue/invite-codes`;
  const { codes: [code = ''] = [] } = await sent<Schemas['InviteCodes']>(
    olga.http.post(codes, { data: { count: 1, uses: 1 } }),
  );
  await controlQueue(olga, shown.id, { state: 'paused' });
  await enterQueue(await person('Fay'), shown.id);
  const page = await waitingRoom(browser, await person('Gus'), shown.id, 'phone');
  await join(page);
  await expect(page.getByTestId('before')).toHaveText('1');
  await page.getByLabel(/Invite code/).fill('NOT-A-CODE');
  await page.getByRole('button', { name: 'Use the code' }).click();
  await expect(page.getByText('This invite code is wrong')).toBeVisible();
  await page.getByLabel(/Invite code/).fill(code);
  await page.getByRole('button', { name: 'Use the code' }).click();
  await expect(page.getByRole('heading', { name: 'You’re next' })).toBeVisible();
  await expect(page.getByText('you are in the priority queue')).toBeVisible();

  // Another tab shows the same place, and no other account queues in this browser.
  const other = await page.context().newPage();
  await other.goto(`/events/${shown.id}/queue`);
  await expect(other.getByRole('heading', { name: 'You’re next' })).toBeVisible();
  await page.getByRole('button', { name: 'Leave the queue' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
  await page.getByRole('button', { name: 'Leave the queue' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave the queue' }).click();
  await expect(page.getByRole('button', { name: 'Join the queue' })).toBeVisible();
  await other.bringToFront();
  await show(other, true);
  await expect(other.getByRole('button', { name: 'Join the queue' })).toBeVisible();
});

test('who comes without a session logs in and is back in the waiting room', async ({ browser }) => {
  const shown = await event(olga, 'Come In', { queue: { mode: 'always' } });
  await controlQueue(olga, shown.id, { state: 'paused' });
  const hal = await person('Hal');
  const { page } = await browse(browser);
  await page.goto(`/events/${shown.id}/queue`);
  await page.getByRole('link', { name: 'Log in to join' }).click();
  await signIn(page, hal);
  await page.waitForURL(/\/queue$/);
  await join(page);
  await expect(page.getByRole('heading', { name: 'You’re next' })).toBeVisible();

  // A stopped queue lets everybody go on to the seats.
  await controlQueue(olga, shown.id, { state: 'stopped' });
  await expect(page.getByRole('heading', { name: 'There is no queue right now' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to the seats' }).click();
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
});

test('people who wait are told at once when the last seat is gone', async ({ browser }) => {
  const hall: Schemas['NewVenue'] = {
    name: 'One Seat',
    city: 'Vienna',
    time_zone: 'Europe/Vienna',
    categories: [{ id: 'only', name: 'Only' }],
    sections: [
      {
        id: 's',
        name: 'Stalls',
        rows: [
          { label: 'A', category: 'only', seats: [{ number: '1', x: 0, y: 0, accessible: false, blocked: false }] },
        ],
      },
    ],
    areas: [],
  };
  const shown = await event(olga, 'Only One', { queue: { mode: 'always' } }, hall);
  const ivy = await person('Ivy');
  let place = await enterQueue(ivy, shown.id);
  await until(async () => {
    place = await sent(ivy.http.put(`${api}/events/${shown.id}/queue/place`, { data: {} }));
    return place.state === 'admitted';
  });
  await controlQueue(olga, shown.id, { state: 'paused' });
  const page = await waitingRoom(browser, await person('Jan'), shown.id);
  await join(page);
  await expect(position(page)).toBeVisible();
  const http = ivy.http;
  const booking = await sent<Schemas['Booking']>(
    http.post(`${api}/bookings`, {
      data: { event_id: shown.id, seat_ids: ['1-0'] },
      headers: { 'Frontrow-Admission': place.admission ?? '' },
    }),
  );
  await pay(ivy, booking);
  await expect(page.getByRole('heading', { name: 'Sold out' })).toBeVisible();
  // People who wait ask for their wish at different times.
  await expect(page.getByText('We have noted that you wanted seats.')).toBeVisible({ timeout: 45_000 });
});

test('a provider’s widget is shown in a dialog, and its response is sent', async ({ browser }, info) => {
  const queue = { mode: 'always', opens_before_seconds: 3600, admission_seconds: 60 } as const;
  const shown = await event(olga, 'Humans Only', { sale_starts_at: soon(600), queue });
  const who = await person('Hal');
  // The gateway's policy allows no provider here.
  const { page } = await browse(browser, who, { ...views.phone, bypassCSP: true });
  await page.route('https://widget.example/api.js?render=explicit', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `turnstile = {
        render(box, { sitekey, callback }) {
          box.innerHTML = '<button>I am human</button>';
          box.firstChild.onclick = () => callback('response of ' + sitekey);
          return 'w1';
        },
        remove() {},
      };`,
    }),
  );
  await page.route('**/queue/challenge', (route) =>
    route.fulfill({ json: { kind: 'turnstile', site_key: 'site-1', script: 'https://widget.example/api.js' } }),
  );
  await page.goto(`/events/${shown.id}/queue`);
  await join(page);
  const dialog = page.getByRole('dialog', { name: 'Prove that you are human' });
  await expect(dialog).toBeVisible();
  await picture(page, info, 'widget-phone');
  const put = page.waitForRequest((request) => request.method() === 'PUT' && request.url().endsWith('/queue/place'));
  await dialog.getByRole('button', { name: 'I am human' }).click();
  expect((await put).postDataJSON()).toEqual({ solution: 'response of site-1' });
  // The service of this test wants a proof of work, so the page asks once more.
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Join the queue' })).toBeEnabled();
});
