// Follows an event's queue with the buyer's own place in it. Everybody computes their position from the same events of
// the queue, so waiting takes no requests.
import { api, persist, Refusal, type Schemas } from '../api/client';
import { Stream, type Connection } from '../api/stream';
import { serverTime } from '../clock.svelte';
import * as session from '../session.svelte';
import { solved } from './challenge';
import { peopleBefore } from './estimate';
import { OwnPlace } from './ownPlace.svelte';
import { drawFault, drawnRank } from './shuffle';
import { stageOf } from './stage';

export type Queue = Schemas['Queue'];

/** People who learn of something together ask for it within this many milliseconds. */
const spread = { opening: 3000, soldOut: 20_000, turn: 1000 };

export class WaitingRoom {
  queue = $state.raw<Queue>();
  connection = $state<Connection>('connecting');
  /** Whether a place is being asked for. */
  busy = $state(false);
  /** Why the last request failed. */
  trouble = $state.raw<unknown>();

  /** The rank that the draw gave to the place, computed here. */
  #drawn = $state.raw<{ number: number; rank: number }>();
  readonly rank = $derived.by(() => {
    const { place } = this.own;
    return place?.rank ?? (this.#drawn?.number === place?.number ? this.#drawn?.rank : undefined);
  });
  readonly stage = $derived.by(() => this.queue && stageOf(this.queue, this.own.place, this.rank));
  /** The number of people before the buyer, while they wait. */
  readonly before = $derived.by(() => {
    const { queue, rank, stage } = this;
    const lane = this.own.place?.lane;
    return queue && lane && rank !== undefined && stage === 'waiting' ? peopleBefore(queue, lane, rank) : undefined;
  });

  readonly #stream: Stream;
  readonly #hashName: string;
  readonly #path: { params: { path: { id: string } } };
  #advancing = false;
  #stopped = false;
  #opening: ReturnType<typeof setTimeout> | undefined;
  #soldOut: ReturnType<typeof setTimeout> | undefined;
  readonly own: OwnPlace;

  constructor(readonly eventId: string) {
    this.own = new OwnPlace(eventId);
    this.#path = { params: { path: { id: eventId } } };
    this.#hashName = `frontrow-seed-hash-${eventId}`;
    this.#stream = new Stream({
      url: () => `/api/v1/events/${eventId}/queue/stream`,
      on: { snapshot: (data) => this.#show(data as Queue) },
      onconnection: (connection) => (this.connection = connection),
      // Without a stream the queue is still told, at each attempt to connect.
      onrefused: () => void this.#load(),
    });
  }

  /** Follows the queue until stop. */
  start(): void {
    this.#stream.start();
    void this.#load();
  }

  stop(): void {
    this.#stopped = true;
    this.#stream.stop();
    this.own.stop();
    clearTimeout(this.#opening);
    clearTimeout(this.#soldOut);
  }

  /** Asks for the place: after a log-in, and when the page is visible again, since another tab may have left the queue. */
  async refresh(): Promise<void> {
    try {
      await this.own.refresh();
      await this.#advance();
    } catch (error) {
      this.trouble = error;
    }
  }

  /** Enters the queue, or takes or regains a turn. An invite code moves the place to the lane `priority`. */
  async join(inviteCode?: string): Promise<void> {
    const body = inviteCode ? { invite_code: inviteCode } : {};
    await this.#try(async () => {
      try {
        await this.#put(this.own.place ? body : { ...body, ...(await this.#solve()) });
      } catch (error) {
        // The place is gone, or the challenge has expired.
        if (!(error instanceof Refusal) || error.code !== 'challenge_failed') throw error;
        await this.#put({ ...body, ...(await this.#solve()) });
      }
    });
    await this.#advance();
  }

  /** Leaves the queue. */
  leave(): Promise<void> {
    return this.#try(() => this.own.leave());
  }

  /** Checks the draw against the hash that this tab saw before it, or else the one that is published now. */
  async checkDraw(): Promise<'seed' | 'rank' | undefined> {
    await this.own.refresh();
    const { seed, seed_hash: hash, lanes } = this.queue ?? {};
    const { lane, number, rank } = this.own.place ?? {};
    if (!seed || !hash || !lanes || !lane || !number || !rank) return undefined;
    const seedHash = sessionStorage.getItem(this.#hashName) ?? hash;
    return drawFault({ seed, seedHash, lane, number, rank, drawn: lanes[lane].drawn });
  }

  async #load(): Promise<void> {
    try {
      const queue = await persist(() => api.GET('/events/{id}/queue', this.#path));
      if (!this.queue) this.trouble = undefined;
      this.#show(queue);
    } catch (error) {
      if (!this.queue) this.trouble = error;
    }
  }

  #show(queue: Queue): void {
    if (this.#stopped || (this.queue && queue.version < this.queue.version)) return;
    this.queue = queue;
    if (queue.seed_hash && !queue.seed) sessionStorage.setItem(this.#hashName, queue.seed_hash);
    clearTimeout(this.#opening);
    if (queue.state === 'closed') {
      const left = Math.max(Date.parse(queue.opens_at) - serverTime(), this.#opening ? spread.opening : 0);
      // A timer takes at most 31 bits of milliseconds.
      const wait = Math.min(left + spread.opening * Math.random(), 2 ** 31 - 1);
      this.#opening = setTimeout(() => void this.#load(), wait);
    }
    if (queue.state === 'sold_out' && this.own.place && !this.own.place.wish)
      this.#soldOut ??= setTimeout(() => void this.refresh(), spread.soldOut * Math.random());
    void this.#advance();
  }

  /** Computes the rank after the draw, and takes the turn when it has come and the buyer sees the page. */
  async #advance(): Promise<void> {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      await this.#rankByDraw();
      const { place } = this.own;
      const serving = place?.lane ? this.queue?.lanes[place.lane].serving : undefined;
      if (place?.state === 'waiting' && serving !== undefined && (this.rank ?? Infinity) <= serving) {
        await new Promise((done) => setTimeout(done, spread.turn * Math.random()));
        await this.own.refresh();
      }
      // Without a challenge: a place that another tab has given on must not be taken again.
      if (this.own.place?.state === 'called' && document.visibilityState === 'visible') await this.#put({});
    } catch {
      // The next event tries again.
    } finally {
      this.#advancing = false;
    }
  }

  async #rankByDraw(): Promise<void> {
    const { place } = this.own;
    const { seed, lanes } = this.queue ?? {};
    if (!seed || !lanes || this.rank !== undefined || !place?.lane || !place.number) return;
    const { lane, number } = place;
    const { drawn } = lanes[lane];
    this.#drawn = { number, rank: number > drawn ? number : await drawnRank(seed, lane, drawn, number) };
  }

  async #put(body: Schemas['PlaceRequest']): Promise<void> {
    this.own.take(await persist(() => api.PUT('/events/{id}/queue/place', { ...this.#path, body })));
  }

  async #solve() {
    return solved(await persist(() => api.GET('/events/{id}/queue/challenge', this.#path)));
  }

  async #try(request: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.trouble = undefined;
    try {
      await request();
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) session.forget();
      else this.trouble = error;
    } finally {
      this.busy = false;
    }
  }
}
