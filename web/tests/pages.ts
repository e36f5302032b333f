// Every page, as somebody sees it who has something on it.
import type { Page } from '@playwright/test';
import type { Schemas } from '../src/api/client';
import { controlQueue, enterQueue } from './queue';
import {
  admin,
  api,
  book,
  event,
  newEmail,
  organizer,
  pay,
  person,
  root,
  secret,
  sent,
  until,
  type Person,
} from './world';

export interface Shown {
  name: string;
  path: string;
  who?: Person;
  /** Waits until the page shows what it is for, and brings it there. */
  ready: (page: Page) => Promise<void>;
}

const heading = (name: string | RegExp) => (page: Page) => page.getByRole('heading', { level: 1, name }).waitFor();

/** Lets the next request to a path fail with a problem. */
const refuseOnce = (page: Page, path: string, status: number, code: Schemas['Code']) =>
  page.route(
    path,
    (route) => route.fulfill({ status, contentType: 'application/problem+json', json: { status, code } }),
    { times: 1 },
  );

/** Rows on arcs in four sections: enough to look like a theatre. */
function theatre(): Schemas['NewVenue'] {
  const section = (
    id: string,
    name: string,
    category: string,
    from: number,
    to: number,
    radius: number,
    rows: number,
  ): Schemas['NewSection'] => ({
    id,
    name,
    rows: Array.from({ length: rows }, (_, r) => {
      const arc = radius + r * 1.2;
      const count = Math.floor(arc * (to - from)) + 1;
      const angle = (i: number) => (from + to) / 2 + (i - (count - 1) / 2) / arc;
      return {
        label: String.fromCharCode(65 + r),
        category,
        seats: Array.from({ length: count }, (_, i) => ({
          number: String(i + 1),
          x: arc * Math.sin(angle(i)),
          y: arc * Math.cos(angle(i)),
          accessible: r === rows - 1 && i < 2,
          blocked: false,
        })),
      };
    }),
  });
  return {
    name: 'Theatre on the Quay',
    city: 'Vienna',
    time_zone: 'Europe/Vienna',
    categories: [
      { id: 'premium', name: 'Premium' },
      { id: 'stalls', name: 'Stalls' },
      { id: 'balcony', name: 'Balcony' },
    ],
    sections: [
      section('left', 'Stalls left', 'stalls', -0.6, -0.22, 20, 14),
      section('centre', 'Stalls centre', 'premium', -0.19, 0.19, 20, 14),
      section('right', 'Stalls right', 'stalls', 0.22, 0.6, 20, 14),
      section('balcony', 'Balcony', 'balcony', -0.5, 0.5, 41, 6),
    ],
    areas: [],
  };
}

/** Makes a small world and returns its pages. */
export async function pages(): Promise<Shown[]> {
  const olga = await organizer();
  const ada = await person('Ada');
  const newcomer = await person('Nina', newEmail('Nina'), false);
  const shown = await event(olga, 'The Tempest', {}, theatre());
  const later = await event(olga, 'Not Yet', {
    sale_starts_at: new Date(Date.now() + 3 * 24 * 3600 * 1000).toISOString(),
  });
  const rush = await event(olga, 'Rush Hour', { queue: { mode: 'always' } });
  // Ada waits for two draws, of which one has taken place, and Gil has been admitted.
  const opening = await event(olga, 'Opening Night', {
    sale_starts_at: new Date(Date.now() + 25 * 60_000).toISOString(),
    queue: { mode: 'always', opens_before_seconds: 1800 },
  });
  const paused = await event(olga, 'Full House', { queue: { mode: 'always' } }, theatre());
  const choosing = await event(olga, 'Take Your Time', { queue: { mode: 'always', admission_seconds: 3600 } });
  const gil = await person('Gil');
  await controlQueue(olga, paused.id, { state: 'paused' });
  for (const who of [newcomer, ada]) await enterQueue(who, paused.id);
  await enterQueue(ada, opening.id);
  await until(async () => (await enterQueue(gil, choosing.id)).state === 'admitted');
  const draft = await sent<Schemas['Event']>(
    olga.http.post(`${api}/events`, {
      data: {
        name: 'A Draft',
        venue_id: shown.venue.id,
        starts_at: shown.starts_at,
        ends_at: shown.ends_at,
        time_zone: shown.time_zone,
        currency: 'EUR',
        ticket_types: [],
        sale_starts_at: shown.sale_starts_at,
        sale_ends_at: shown.sale_ends_at,
        queue: { mode: 'automatic' },
      },
    }),
  );
  // A sale that has been going for a while.
  for (const name of ['Bob', 'Cleo', 'Dan']) {
    const who = await person(name);
    for (const type of ['premium', 'stalls'])
      await pay(who, await book(who, shown.id, { ticket_type_id: type, quantity: 4 }));
  }
  const confirmed = await pay(ada, await book(ada, shown.id, { ticket_type_id: 'premium', quantity: 3 }));
  const codes = (await sent<Schemas['Tickets']>(ada.http.get(`${api}/bookings/${confirmed.id}/tickets`))).items.map(
    ({ code }) => code,
  );
  const held = await book(ada, shown.id, { ticket_type_id: 'balcony', quantity: 2 });
  const admins = { id: '', email: root.email, name: 'Admin', http: await admin() };

  const map = async (page: Page) => {
    await page.getByText('Live', { exact: true }).first().waitFor();
    await page.waitForFunction(() => performance.getEntriesByName('seat-map-painted').length > 0);
  };
  return [
    {
      name: 'events',
      path: '/',
      ready: async (page) => {
        await page.getByLabel('Search').fill('Tempest');
        await page
          .getByRole('link', { name: /The Tempest/ })
          .first()
          .waitFor();
      },
    },
    { name: 'login', path: '/login', ready: heading('Log in or register') },
    { name: 'event', path: `/events/${shown.id}`, ready: map },
    {
      name: 'event-before-sale',
      path: `/events/${later.id}`,
      ready: async (page) => {
        await page.getByRole('timer').waitFor();
        await map(page);
      },
    },
    {
      name: 'event-near',
      path: `/events/${shown.id}`,
      ready: async (page) => {
        await map(page);
        for (let i = 0; i < 4; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
      },
    },
    {
      name: 'event-list',
      path: `/events/${shown.id}`,
      ready: async (page) => {
        await page.getByRole('button', { name: 'List' }).click();
        await page
          .getByRole('button', { name: /row A, seat 1\b/ })
          .first()
          .click();
      },
    },
    {
      name: 'event-queue',
      path: `/events/${paused.id}`,
      ready: (page) => page.getByRole('link', { name: 'Join the queue' }).waitFor(),
    },
    {
      name: 'event-admitted',
      path: `/events/${choosing.id}`,
      who: gil,
      ready: async (page) => {
        await page.getByTestId('admission').waitFor();
        await map(page);
      },
    },
    {
      name: 'queue-login',
      path: `/events/${paused.id}/queue`,
      ready: (page) => page.getByRole('link', { name: 'Log in to join' }).waitFor(),
    },
    {
      name: 'queue-join',
      path: `/events/${paused.id}/queue`,
      who: gil,
      ready: (page) => page.getByRole('button', { name: 'Join the queue' }).waitFor(),
    },
    {
      name: 'queue-before-draw',
      path: `/events/${opening.id}/queue`,
      who: ada,
      ready: (page) => page.getByRole('timer', { name: 'Time until the draw' }).waitFor(),
    },
    {
      name: 'queue-waiting',
      path: `/events/${paused.id}/queue`,
      who: ada,
      ready: async (page) => {
        await page.getByTestId('before').waitFor();
        await page.getByText('How the draw works').click();
        await page.getByRole('button', { name: 'Look at the seats' }).click();
        await page.waitForFunction(() => performance.getEntriesByName('seat-map-painted').length > 0);
      },
    },
    {
      name: 'checkout',
      path: `/bookings/${held.id}`,
      who: ada,
      ready: (page) => page.getByTestId('countdown').waitFor(),
    },
    {
      name: 'tickets',
      path: `/bookings/${confirmed.id}`,
      who: ada,
      ready: (page) =>
        page
          .getByRole('img', { name: /QR code/ })
          .first()
          .waitFor(),
    },
    { name: 'bookings', path: '/bookings', who: ada, ready: (page) => page.getByText('Confirmed').waitFor() },
    {
      name: 'organizer-events',
      path: '/organizer',
      who: olga,
      ready: (page) => page.getByText('A Draft').first().waitFor(),
    },
    {
      name: 'organizer-draft',
      path: `/organizer/events/${draft.id}`,
      who: olga,
      ready: (page) => page.getByRole('button', { name: 'Publish' }).first().waitFor(),
    },
    { name: 'organizer-event', path: `/organizer/events/${shown.id}`, who: olga, ready: heading(/The Tempest|Edit/) },
    { name: 'sales', path: `/organizer/events/${shown.id}/sales`, who: olga, ready: map },
    {
      name: 'organizer-queue',
      path: `/organizer/events/${rush.id}/queue`,
      who: olga,
      ready: async (page) => {
        await page.getByText('Open: people are being admitted.').waitFor();
        await page.getByRole('button', { name: 'Create codes' }).click();
        await page.getByLabel('New codes').waitFor();
      },
    },
    {
      name: 'attendees',
      path: `/organizer/events/${shown.id}/attendees`,
      who: olga,
      ready: (page) => page.getByText(ada.email).first().waitFor(),
    },
    {
      name: 'check-in',
      path: `/organizer/events/${shown.id}/check-in`,
      who: olga,
      ready: async (page) => {
        const field = page.getByRole('textbox').first();
        await field.fill(codes.pop() ?? '');
        await field.press('Enter');
        await page
          .getByText(/Admitted/i)
          .first()
          .waitFor();
      },
    },
    {
      name: 'check-ins',
      path: '/organizer/check-in',
      who: olga,
      ready: (page) => page.getByRole('link', { name: 'The Tempest' }).waitFor(),
    },
    {
      name: 'venues',
      path: '/organizer/venues',
      who: olga,
      ready: (page) => page.getByText('Theatre on the Quay').first().waitFor(),
    },
    {
      name: 'venue',
      path: `/organizer/venues/${shown.venue.id}`,
      who: olga,
      ready: (page) => page.getByText('Theatre on the Quay').first().waitFor(),
    },
    { name: 'seat-plan-presets', path: '/organizer/venues/new', who: olga, ready: heading('New venue') },
    {
      name: 'seat-plan-editor',
      path: '/organizer/venues/new',
      who: olga,
      ready: async (page) => {
        await page.getByRole('button', { name: /^Theatre/ }).click();
        await page.locator('canvas').waitFor();
        await page.getByText('809').first().waitFor();
      },
    },
    { name: 'verify', path: '/verify#token=x', ready: heading('Verify your e-mail') },
    { name: 'reset', path: '/reset', ready: heading('Reset your password') },
    { name: 'reset-new', path: '/reset#token=x', ready: (page) => page.getByLabel('New password').waitFor() },
    { name: 'confirm-email', path: '/confirm-email#token=x', ready: heading('Confirm your new e-mail') },
    {
      name: 'login-code',
      path: '/login',
      ready: async (page) => {
        await refuseOnce(page, '**/api/v1/auth/login', 401, 'second_factor_required');
        await page.getByLabel('E-mail').fill(ada.email);
        await page.getByLabel('Password', { exact: true }).fill(secret);
        await page.getByRole('button', { name: 'Log in', exact: true }).last().click();
        await page.getByLabel('Code').waitFor();
      },
    },
    {
      name: 'account-unverified',
      path: '/account',
      who: newcomer,
      ready: (page) => page.getByRole('region', { name: 'Verify your e-mail' }).waitFor(),
    },
    {
      name: 'account',
      path: '/account',
      who: ada,
      ready: (page) => page.getByText('this device').waitFor(),
    },
    {
      name: 'account-second-factor',
      path: '/account',
      who: ada,
      ready: async (page) => {
        await page.getByRole('button', { name: 'Set up' }).click();
        await page.getByRole('img', { name: /QR code/ }).waitFor();
      },
    },
    {
      name: 'account-password-again',
      path: '/account',
      who: ada,
      ready: async (page) => {
        await refuseOnce(page, '**/api/v1/auth/me/export', 403, 'reauthentication_required');
        await page.getByRole('button', { name: 'Download my data' }).click();
        await page.getByRole('dialog').getByLabel('Password', { exact: true }).waitFor();
      },
    },
    {
      name: 'audit',
      path: '/admin/audit',
      who: admins,
      ready: (page) => page.getByRole('row').nth(1).waitFor(),
    },
    { name: 'users', path: '/admin/users', who: admins, ready: (page) => page.getByRole('table').waitFor() },
  ];
}
