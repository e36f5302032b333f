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

/** Logs somebody in outside of the browser, and registers them first if they have no account. */
export async function person(
  name: string,
  email = `${name.toLowerCase()}-${process.pid}-${Date.now()}-${++people}@frontrow.example`,
): Promise<Person> {
  const anonymous = await request.newContext();
  const registered = await anonymous.post(`${api}/auth/register`, { data: { email, password, name } });
  if (!registered.ok() && registered.status() !== 409) throw new Error(`register: ${await registered.text()}`);
  const http = await session(email, password);
  const { id } = await sent<Schemas['User']>(http.get(`${api}/auth/me`));
  return { id, email, name, http };
}

async function session(email: string, secret: string): Promise<APIRequestContext> {
  const anonymous = await request.newContext();
  const { session_id: id } = await sent<Schemas['Session']>(
    anonymous.post(`${api}/auth/login`, { data: { email, password: secret } }),
  );
  return request.newContext({ extraHTTPHeaders: { Authorization: `Bearer ${id}` } });
}

let admins: Promise<APIRequestContext> | undefined;
export const admin = (): Promise<APIRequestContext> =>
  (admins ??= session(
    process.env.FRONTROW_ADMIN_EMAIL ?? 'admin@frontrow.example',
    process.env.FRONTROW_ADMIN_PASSWORD ?? 'change this password',
  ));

export async function organizer(name = 'Olga'): Promise<Person> {
  const olga = await person(name);
  await sent((await admin()).put(`${api}/auth/users/${olga.id}/role`, { data: { role: 'organizer' } }));
  return { ...olga, http: await session(olga.email, password) };
}

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

export async function until(condition: () => Promise<boolean>, patience = 60_000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
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

export async function signIn(page: Page, who: Person): Promise<void> {
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password').fill(password);
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
