// What the tests need to be there: people, venues and events, made by the API.
import {
  request,
  test as base,
  type APIRequestContext,
  type Browser,
  type BrowserContext,
  type Page,
} from '@playwright/test';
import http from 'node:http';
import type { Schemas } from '../src/api/client';
import { hasCatcher, mailedToken } from './mail';

export const api = (process.env.FRONTROW_URL ?? 'http://localhost:8080/api/v1').replace(/\/$/, '');
const origin = new URL('/', api).href;
const password = 'correct horse battery';

export interface Person {
  id: string;
  email: string;
  name: string;
  http: APIRequestContext;
}

let people = 0;

/**
 * Logs somebody in outside of the browser, and registers them first if they have no account. Their e-mail is verified
 * unless it is not to be.
 */
export async function person(name: string, email = newEmail(name), verified = true): Promise<Person> {
  const anonymous = await request.newContext();
  await sent(anonymous.post(`${api}/auth/register`, { data: { email, password, name } }));
  const http = await session(email, password);
  const { id, email_verified: done } = await sent<Schemas['User']>(http.get(`${api}/auth/me`));
  if (verified && !done && hasCatcher()) await verify(email);
  return { id, email, name, http };
}

/** An address that nobody has yet. */
export const newEmail = (name: string): string =>
  `${name.toLowerCase()}-${process.pid}-${Date.now()}-${++people}@frontrow.example`;

export async function verify(email: string): Promise<void> {
  const anonymous = await request.newContext();
  const token = await mailedToken(email, '/verify');
  await sent(anonymous.post(`${api}/auth/verification/confirm`, { data: { token } }));
}

/** Logs in as a program does: the answer has the session's id. */
export async function session(email: string, secret: string): Promise<APIRequestContext> {
  const anonymous = await request.newContext();
  const { session_id: id } = await sent<Schemas['Session']>(
    anonymous.post(`${api}/auth/login`, { data: { email, password: secret, session: 'token' } }),
  );
  return request.newContext({ extraHTTPHeaders: { Authorization: `Bearer ${id}` } });
}

export const root = {
  email: process.env.FRONTROW_ADMIN_EMAIL ?? 'admin@frontrow.example',
  password: process.env.FRONTROW_ADMIN_PASSWORD ?? 'change this password',
};

let admins: Promise<APIRequestContext> | undefined;
export const admin = (): Promise<APIRequestContext> => (admins ??= session(root.email, root.password));

/** Gives somebody a role. That ends their sessions; the person that is returned has a new one. */
export async function withRole(who: Person, role: Schemas['Role']): Promise<Person> {
  const http = await admin();
  await sent(http.post(`${api}/auth/reauthenticate`, { data: { password: root.password } }));
  await sent(http.put(`${api}/auth/users/${who.id}/role`, { data: { role } }));
  return { ...who, http: await session(who.email, password) };
}

export const organizer = async (name = 'Olga'): Promise<Person> => withRole(await person(name), 'organizer');

/** The body of an answer, or an error that has it. */
export async function sent<T>(
  answer: Promise<{ ok(): boolean; status(): number; text(): Promise<string> }>,
): Promise<T> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok()) throw new Error(`${response.status()}: ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Two rows of eight seats and standing room for 20. */
export function smallHall(): Schemas['NewVenue'] {
  const row = (label: string, y: number): Schemas['NewRow'] => ({
    label,
    category: 'front',
    seats: Array.from({ length: 8 }, (_, x) => ({
      number: String(x + 1),
      x,
      y,
      accessible: label === 'B' && x === 0,
      blocked: false,
    })),
  });
  return {
    name: 'Small Hall',
    city: 'Vienna',
    time_zone: 'Europe/Vienna',
    categories: [
      { id: 'front', name: 'Front' },
      { id: 'floor', name: 'Standing' },
    ],
    sections: [{ id: 'stalls', name: 'Stalls', rows: [row('A', 0), row('B', 1)] }],
    areas: [{ id: 'pit', name: 'Pit', category: 'floor', capacity: 20, x: 3.5, y: 5 }],
  };
}

/** An event on sale, whose seats can be bought. */
export async function event(
  who: Person,
  name: string,
  more: Partial<Schemas['NewEvent']> = {},
  hall = smallHall(),
): Promise<Schemas['Event']> {
  const venue = await sent<Schemas['Venue']>(who.http.post(`${api}/venues`, { data: hall }));
  const day = 24 * 3600 * 1000;
  const at = (ms: number) => new Date(Math.floor((Date.now() + ms) / 1000) * 1000).toISOString();
  const draft: Schemas['NewEvent'] = {
    name,
    description: 'Three sets, until the last tram.',
    venue_id: venue.id,
    starts_at: at(30 * day),
    ends_at: at(30 * day + 3 * 3600 * 1000),
    time_zone: 'Europe/Vienna',
    currency: 'EUR',
    ticket_types: hall.categories.map((category, i) => ({
      id: category.id,
      name: category.name,
      category: category.id,
      price: [4500, 1500, 2900][i] ?? 990,
    })),
    sale_starts_at: at(-day),
    sale_ends_at: at(29 * day),
    max_seats_per_buyer: 8,
    hold_seconds: 600,
    ...more,
  };
  const made = await sent<Schemas['Event']>(who.http.post(`${api}/events`, { data: draft }));
  const published = await sent<Schemas['Event']>(who.http.post(`${api}/events/${made.id}/publish`));
  await until(async () => (await who.http.get(`${api}/events/${made.id}/seats`)).ok());
  return published;
}

export const book = (who: Person, eventId: string, what: object): Promise<Schemas['Booking']> =>
  sent(who.http.post(`${api}/bookings`, { data: { event_id: eventId, ...what } }));

/** Pays for a booking and waits until it is confirmed. */
export async function pay(who: Person, booking: Schemas['Booking']): Promise<Schemas['Booking']> {
  await sent(who.http.post(`${api}/payments`, { data: { booking_id: booking.id, payment_method: 'pm_ok' } }));
  let now = booking;
  await until(async () => {
    now = await sent<Schemas['Booking']>(who.http.get(`${api}/bookings/${booking.id}`));
    return now.status === 'confirmed';
  });
  return now;
}

export async function until(
  condition: () => Promise<boolean>,
  patience = 60_000,
  failure = () => 'waited in vain',
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(failure());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A browser of somebody's own, logged in as they would. */
export async function browse(
  browser: Browser,
  who?: Person,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  const page = await context.newPage();
  // A page of ours says nothing on the console when all is well.
  page.on('pageerror', (error) => {
    throw error;
  });
  if (who) {
    await page.goto('/login');
    await signIn(page, who);
    await page.waitForURL(origin);
  }
  return { context, page };
}

export async function signIn(page: Page, who: { email: string }, secret = password): Promise<void> {
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Log in', exact: true }).last().click();
}

export const secret = password;

/** Asks the supervisor of the system's processes; there is none in a cluster. */
export function supervisor(method: 'PATCH' | 'POST', path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socketPath = process.env.FRONTROW_PROCESS_COMPOSE;
    if (!socketPath) return reject(new Error('FRONTROW_PROCESS_COMPOSE is not set'));
    const call = http.request({ socketPath, method, path }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`)),
      );
    });
    call.on('error', reject).end();
  });
}

export const test = base;
export { expect } from '@playwright/test';
