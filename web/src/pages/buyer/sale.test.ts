import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Booking, Event } from '../../api/client';

vi.stubGlobal('localStorage', { getItem: () => null });
vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => {}, removeItem: () => {} });
vi.stubGlobal('navigator', { languages: [] });
const { api } = await import('../../api/client');
const { hall } = await import('../../map/example');
const { LiveSale } = await import('../../map/live.svelte');
const { tick } = await import('../../clock.svelte');
const { Sale } = await import('./sale.svelte');

const start = Date.parse('2027-01-01T10:00:00Z');
const at = (ms: number) => new Date(start + ms).toISOString();
const hour = 3_600_000;
const event = {
  id: 'e1',
  status: 'published',
  venue: { id: 'v1' },
  sale_starts_at: at(0),
  sale_ends_at: at(hour),
  ends_at: at(3 * hour),
  queue: { mode: 'off' },
} as Event;

let answers: Record<string, (query: Record<string, unknown>) => unknown>;
let asked: string[];
let sale: InstanceType<typeof Sale>;
let stopClock: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: start - 20 * 60_000 });
  stopClock = tick();
  asked = [];
  answers = { '/events/{id}': () => event, '/venues/{id}': () => hall([[['a', 'a']]]) };
  vi.spyOn(LiveSale.prototype, 'start').mockReturnValue(undefined);
  vi.spyOn(api, 'GET').mockImplementation(((path: string, { params }: { params: { query?: object } }) => {
    asked.push(path);
    return Promise.resolve({ data: answers[path]?.({ ...params.query }), response: new Response() });
  }) as unknown as typeof api.GET);
  sale = new Sale('e1');
});
afterEach(() => {
  sale.stop();
  stopClock();
  vi.restoreAllMocks();
  vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('a sale opens and ends by itself, and asks for nothing as it does', async () => {
  await sale.load();
  expect(LiveSale.prototype.start).toHaveBeenCalledTimes(1);
  await pass(20 * 60_000 - 1000);
  expect([sale.phase, sale.open]).toEqual(['before', false]);
  const before = asked.length;
  await pass(1250);
  expect([sale.phase, sale.open]).toEqual(['open', true]);
  await pass(hour);
  expect([sale.phase, sale.open]).toEqual(['ended', false]);
  await pass(2 * hour);
  expect(sale.phase).toBe('over');
  expect(asked.length).toBe(before);
});

test('a start that is moved is noticed while people wait, the last time in the minute before it', async () => {
  await sale.load();
  await pass(19 * 60_000);
  answers['/events/{id}'] = () => ({ ...event, sale_starts_at: at(10 * 60_000) });
  await pass(50_000);
  expect(sale.event?.sale_starts_at).toBe(at(10 * 60_000));
  await pass(60_000);
  expect(sale.phase).toBe('before');
  await pass(10 * 60_000);
  expect(sale.phase).toBe('open');
});

test('people who came together do not ask together', async () => {
  const times = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const one = new Sale('e1');
    await one.load();
    const come = asked.length;
    const from = Date.now();
    while (asked.length === come) await pass(500);
    times.add(Date.now() - from);
    one.stop();
    vi.setSystemTime(start - 20 * 60_000);
  }
  expect(times.size).toBeGreaterThan(10);
});

test("a buyer's bookings for the event are found behind hundreds of others", async () => {
  const booking = (id: number, status: Booking['status']) =>
    ({ id: String(id), status, seats: [] }) as unknown as Booking;
  const all = Array.from({ length: 250 }, (_, i) => booking(i, i === 249 ? 'confirmed' : 'expired'));
  answers['/bookings'] = ({ event_id, cursor, limit }) => {
    expect([event_id, limit]).toEqual(['e1', 100]);
    const from = Number(cursor ?? 0);
    return { items: all.slice(from, from + 100), ...(from + 100 < 250 ? { next_cursor: String(from + 100) } : {}) };
  };
  await sale.loadBookings();
  expect(sale.bookings.map(({ id }) => id)).toEqual(['249']);
});

describe('an event with a queue', () => {
  const queue = { required: true, state: 'open', opens_at: at(-hour) };
  const place = { state: 'admitted', until: at(hour / 2), admission: 'token' } as Parameters<typeof sale.own.take>[0];
  beforeEach(() => {
    vi.setSystemTime(start + 1000);
    answers['/events/{id}'] = () => ({ ...event, queue: { mode: 'always' } });
    answers['/events/{id}/queue'] = () => queue;
  });

  test('shows its seats only to buyers with an admission', async () => {
    await sale.load();
    expect([sale.queued, sale.barred]).toEqual([true, true]);
    expect(LiveSale.prototype.start).not.toHaveBeenCalled();
    sale.own.take(place);
    expect(sale.barred).toBe(false);
    await pass(hour / 2);
    expect(sale.barred).toBe(true);
  });

  test('shows its seats to everybody while the queue is not required', async () => {
    answers['/events/{id}/queue'] = () => ({ ...queue, required: false, state: 'off' });
    await sale.load();
    expect([sale.queued, sale.barred]).toEqual([false, false]);
    expect(LiveSale.prototype.start).toHaveBeenCalledTimes(1);
  });

  test('sends people to the waiting room when it opens, and not before', async () => {
    vi.setSystemTime(start - hour - 20_000);
    answers['/events/{id}/queue'] = () => ({ ...queue, required: false, state: 'closed' });
    await sale.load();
    await pass(250);
    expect(sale.queued).toBe(false);
    await pass(20_000);
    expect(sale.queued).toBe(true);
  });

  test('shows its seats when the queue does not answer: a hold tells', async () => {
    answers['/events/{id}/queue'] = () => {
      throw new Error('no answer');
    };
    await sale.load();
    expect([sale.queue, sale.barred, sale.trouble]).toEqual([undefined, false, undefined]);
  });

  test('has no queue any more when the sale has ended', async () => {
    await sale.load();
    await pass(hour);
    expect([sale.phase, sale.queued]).toEqual(['ended', false]);
  });
});
