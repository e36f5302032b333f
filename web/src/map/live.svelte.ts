// Follows a sale: its snapshot, then every change, by server-sent events.
import { api, persist } from '../api/client';
import { Stream, type Connection } from '../api/stream';
import type { SeatPlan } from './plan';
import { SeatStates, type Availability, type AvailabilityDelta } from './states';

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
  #flush: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setTimeout> | undefined;
  #looked = -Infinity;
  #stopping = new AbortController();
  readonly #stream: Stream;

  /** With `admission`, the stream sends the admission of the event's queue, if the buyer has one. */
  constructor(
    private readonly eventId: string,
    plan: SeatPlan,
    admission: () => string | undefined = () => undefined,
    onrefused?: () => void,
  ) {
    this.states = new SeatStates(plan);
    this.#stream = new Stream({
      url: () => {
        const token = admission();
        return `/api/v1/events/${eventId}/seats/stream${token ? `?admission=${token}` : ''}`;
      },
      on: {
        snapshot: (data) => this.#snapshot(data as Availability),
        delta: (data) => this.#delta(data as AvailabilityDelta),
      },
      onconnection: (connection) => (this.#connection = connection),
      onrefused,
    });
  }

  /** Grows with every change. */
  get tick(): number {
    return this.#tick;
  }

  get connection(): Connection {
    return this.#connection;
  }

  start(): void {
    if (this.#stopping.signal.aborted) this.#stopping = new AbortController();
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
    this.#stopping.abort();
    clearTimeout(this.#look);
    clearTimeout(this.#flush);
    this.#look = this.#flush = undefined;
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
