// A buyer's own place in an event's queue, with the admission that lets them hold seats.
import { api, ask, persist, Refusal, type Schemas } from '../api/client';
import { now, serverTime } from '../clock.svelte';

export type Place = Schemas['Place'];

/** How long after the end of a turn or an admission the server is asked, in milliseconds, and at most as much later. */
const grace = 500;

export class OwnPlace {
  #place = $state.raw<Place>();
  /** Whether the server was asked which place it is, if any. */
  known = $state(false);
  /** How the last admission ended. */
  ended = $state<'expired' | 'left'>();
  /** Milliseconds until the turn or the admission ends; 0 without one. */
  readonly left = $derived(this.#place?.until ? Math.max(0, Date.parse(this.#place.until) - now()) : 0);
  readonly admitted = $derived(this.#place?.state === 'admitted' && this.left > 0);

  readonly #stored: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly eventId: string) {
    this.#stored = `frontrow-place-${eventId}`;
    const place = JSON.parse(sessionStorage.getItem(this.#stored) ?? 'null') as Place | null;
    if (place?.until && Date.parse(place.until) > serverTime()) this.take(place);
  }

  /** Undefined without a place, and while it is unknown. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** What the gateway asks for with holds and the seat stream. */
  get admission(): string | undefined {
    return this.#place?.admission;
  }

  /** Asks the server for the place. Without a session there is none. */
  async refresh(): Promise<void> {
    try {
      this.take(await persist(() => api.GET('/events/{id}/queue/place', { params: { path: { id: this.eventId } } })));
    } catch (error) {
      this.known = true;
      if (!(error instanceof Refusal) || (error.status !== 401 && error.status !== 404)) throw error;
      this.take(undefined);
    }
  }

  /** Takes what the server says of the place. It is asked again when the turn or the admission ends. */
  take(place: Place | undefined): void {
    if (place?.state === 'admitted') this.ended = undefined;
    else if (this.#place?.state === 'admitted') this.ended = 'expired';
    this.#place = place;
    this.known = true;
    if (place?.admission) sessionStorage.setItem(this.#stored, JSON.stringify(place));
    else sessionStorage.removeItem(this.#stored);
    clearTimeout(this.#timer);
    if (place?.until) {
      const left = Math.max(0, Date.parse(place.until) - serverTime());
      this.#timer = setTimeout(() => void this.refresh().catch(() => {}), left + grace * (1 + Math.random()));
    }
  }

  /** Gives the place or the admission to the next person. */
  async leave(): Promise<void> {
    try {
      await ask(api.DELETE('/events/{id}/queue/place', { params: { path: { id: this.eventId } } }));
    } catch (error) {
      if (!(error instanceof Refusal) || (error.status !== 401 && error.status !== 404)) throw error;
    }
    this.take(undefined);
    this.ended = 'left';
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
