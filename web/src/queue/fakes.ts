// What the tests of this folder have in place of a browser and a server.
import { vi } from 'vitest';
import type { Place } from './ownPlace.svelte';
import type { Queue } from './waitingRoom.svelte';

export const start = Date.parse('2027-01-01T10:00:00Z');
export const at = (ms: number) => new Date(start + ms).toISOString();
/** SHA-256 of the seed, and the seed. */
export const seedHash = '630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd';
export const seed = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

export class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static last: FakeSource;
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeSource.last = this;
  }
  close() {
    this.readyState = FakeSource.CLOSED;
  }
  show(queue: Queue) {
    this.dispatchEvent(new MessageEvent('snapshot', { data: JSON.stringify(queue) }));
  }
}

export function stubBrowser(): { page: { visibilityState: string } } {
  const stored = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  const page = { visibilityState: 'visible' };
  vi.stubGlobal('localStorage', { getItem: () => null });
  vi.stubGlobal('navigator', { languages: [] });
  vi.stubGlobal('document', page);
  vi.stubGlobal('EventSource', FakeSource);
  return { page };
}

const lane = { drawn: 0, last: 0, serving: 0, waiting: 0 };

export const queueOf = (more: Partial<Queue>): Queue => ({
  event_id: 'e1',
  version: 1,
  mode: 'always',
  state: 'prequeue',
  required: false,
  opens_at: at(-600_000),
  sale_starts_at: at(0),
  seed_hash: seedHash,
  lanes: { returning: lane, priority: lane, general: lane },
  admitted_per_minute: { low: 0, high: 0 },
  seats_available: 100,
  seats_held: 0,
  seats_per_booking: 0,
  ...more,
});

/** A frame of ten people, of whom some have had their turn. */
export const serving = (version: number, general: number, more: Partial<Queue> = {}): Queue =>
  queueOf({
    version,
    state: 'open',
    required: true,
    seed,
    lanes: {
      returning: lane,
      priority: lane,
      general: { drawn: 10, last: 12, serving: general, waiting: 10 - general },
    },
    ...more,
  });

export const placeOf = (more: Partial<Place>): Place => ({
  event_id: 'e1',
  version: 1,
  state: 'waiting',
  lane: 'general',
  number: 3,
  ...more,
});
