import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api } from '../api/client';
import { hall } from './example';
import { LiveSale } from './live.svelte';
import { SeatPlan } from './plan';

class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static opened: FakeSource[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeSource.opened.push(this);
  }
  close() {
    this.readyState = FakeSource.CLOSED;
  }
  send(name: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
  fail(state: number) {
    this.readyState = state;
    this.dispatchEvent(new Event('error'));
  }
}

const plan = SeatPlan.of(hall([[['a', 'a', 'a']]]));
const snapshot = (version: number, states: string) => ({
  event_id: '',
  version,
  blocks: [{ id: '1', version, states }],
});
const last = () => FakeSource.opened.at(-1) as FakeSource;
let sale: LiveSale;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', FakeSource);
  FakeSource.opened = [];
  sale = new LiveSale('e1', plan);
  sale.start();
});
afterEach(() => {
  sale.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('the snapshot is announced at once, and only once', () => {
  last().send('snapshot', snapshot(3, 'asa'));
  expect(sale.states.of(1)).toBe('sold');
  expect(sale.tick).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(sale.tick).toBe(1);
});

test('changes are announced together', () => {
  last().send('snapshot', snapshot(3, 'aaa'));
  last().send('delta', { block: '1', version: 4, seats: { '1-0': 'held' } });
  last().send('delta', { block: '1', version: 5, seats: { '1-2': 'sold' } });
  expect(sale.tick).toBe(1);
  vi.advanceTimersByTime(100);
  expect(sale.tick).toBe(2);
  expect([0, 1, 2].map((seat) => sale.states.of(seat))).toEqual(['held', 'available', 'sold']);
});

test('a second snapshot brings what was missed', () => {
  last().send('snapshot', snapshot(3, 'aaa'));
  last().fail(0);
  expect(sale.connection).toBe('lost');
  last().dispatchEvent(new Event('open'));
  last().send('snapshot', snapshot(9, 'aas'));
  vi.advanceTimersByTime(100);
  expect(sale.connection).toBe('live');
  expect(sale.tick).toBe(2);
  expect(sale.states.of(2)).toBe('sold');
});

test('the browser comes back by itself; when it has given up the sale starts again, with growing pauses', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5); // pauses are spread by half
  last().fail(0);
  vi.advanceTimersByTime(60_000);
  expect(FakeSource.opened.length).toBe(1);
  for (const pause of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    const before = FakeSource.opened.length;
    last().fail(FakeSource.CLOSED);
    vi.advanceTimersByTime(pause - 1);
    expect(FakeSource.opened.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(FakeSource.opened.length).toBe(before + 1);
  }
});

test('after stop nothing comes back', () => {
  last().fail(FakeSource.CLOSED);
  sale.stop();
  vi.advanceTimersByTime(60_000);
  expect(FakeSource.opened.length).toBe(1);
});

test('a gap is looked into once, after a while, by asking for all seats', async () => {
  const answer = { data: snapshot(7, 'ssa'), response: new Response() };
  const asked = vi.spyOn(api, 'GET').mockImplementation((() => Promise.resolve(answer)) as unknown as typeof api.GET);
  last().send('snapshot', snapshot(3, 'aaa'));
  last().send('delta', { block: '1', version: 6, seats: { '1-0': 'sold' } });
  last().send('delta', { block: '1', version: 9, seats: {} });
  expect(asked).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(6000);
  expect(asked).toHaveBeenCalledTimes(1);
  // Seats of a version that is older than the last change stay.
  expect(sale.states.of(1)).toBe('available');
  last().send('delta', { block: '1', version: 12, seats: {} });
  await vi.advanceTimersByTimeAsync(6000);
  expect(asked).toHaveBeenCalledTimes(1);
});
