// Follows a sale: its snapshot, then every change, by server-sent events.
import { api, persist } from '../api/client';
import type { SeatPlan } from './plan';
import { SeatStates, type Availability, type AvailabilityDelta } from './states';

export type Connection = 'connecting' | 'live' | 'lost';

/** How long changes are collected before the page draws them, in milliseconds: a rush has hundreds a second. */
const beat = 60;

/**
 * A delta has all changes since the one before, and skips versions that changed no seat's state. So a gap is seldom a
 * loss: watchers check it at different times, not at once, and not again for a while. In milliseconds.
 */
const lookAfter = 1000;
const lookSpread = 4000;
const lookAgain = 30_000;

export class LiveSale {
  readonly states: SeatStates;
  #tick = $state(0);
  #connection = $state<Connection>('connecting');
  #source: EventSource | undefined;
  #pause = 1000;
  #again: ReturnType<typeof setTimeout> | undefined;
  #flush: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setTimeout> | undefined;
  #looked = -Infinity;
  #stopping = new AbortController();

  constructor(
    private readonly eventId: string,
    plan: SeatPlan,
  ) {
    this.states = new SeatStates(plan);
  }

  /** Grows with every change. */
  get tick(): number {
    return this.#tick;
  }

  get connection(): Connection {
    return this.#connection;
  }

  start(): void {
    if (this.#source) return;
    if (this.#stopping.signal.aborted) this.#stopping = new AbortController();
    const source = new EventSource(`/api/v1/events/${this.eventId}/seats/stream`);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#connection = 'live';
      this.#pause = 1000;
    });
    source.addEventListener('snapshot', (event) => this.#snapshot(JSON.parse(event.data as string) as Availability));
    source.addEventListener('delta', (event) => this.#delta(JSON.parse(event.data as string) as AvailabilityDelta));
    source.addEventListener('error', () => {
      this.#connection = 'lost';
      if (source.readyState !== EventSource.CLOSED) return;
      // The browser comes back by itself after a break, but not after an answer like 503.
      this.#source = undefined;
      this.#again = setTimeout(() => this.start(), this.#pause * (0.5 + Math.random()));
      this.#pause = Math.min(this.#pause * 2, 10_000);
    });
  }

  stop(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#stopping.abort();
    clearTimeout(this.#again);
    clearTimeout(this.#look);
    clearTimeout(this.#flush);
    this.#look = this.#flush = undefined;
    this.#connection = 'connecting';
  }

  #snapshot(snapshot: Availability): void {
    const first = !this.states.known;
    const changed = this.states.apply(snapshot);
    if (first) this.#tick++;
    else this.#announce(changed);
  }

  #delta(delta: AvailabilityDelta): void {
    const gap = this.states.misses(delta);
    this.#announce(this.states.applyDelta(delta));
    if (!gap || this.#look !== undefined || Date.now() < this.#looked + lookAgain) return;
    this.#look = setTimeout(() => void this.#catchUp(), lookAfter + Math.random() * lookSpread);
  }

  async #catchUp(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const snapshot = await persist(
        () => api.GET('/events/{id}/seats', { params: { path: { id: this.eventId } }, signal }),
        signal,
      );
      if (!signal.aborted) this.#snapshot(snapshot as Availability);
    } catch {
      // The next gap asks again.
    } finally {
      if (!signal.aborted) {
        this.#look = undefined;
        this.#looked = Date.now();
      }
    }
  }

  #announce(changed: readonly number[]): void {
    if (changed.length === 0) return;
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.#tick++;
    }, beat);
  }
}
