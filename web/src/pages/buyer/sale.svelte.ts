// An event's sale as a buyer sees it: the event, its seat plan with live states, and the buyer's own bookings.
import { SvelteSet } from 'svelte/reactivity';
import { api, ask, persist, type Booking, type Event, type Schemas } from '../../api/client';
import { now, serverTime } from '../../clock.svelte';
import { money } from '../../format';
import { t } from '../../i18n/i18n.svelte';
import { LiveSale } from '../../map/live.svelte';
import { SeatPlan } from '../../map/plan';
import { OwnPlace } from '../../queue/ownPlace.svelte';
import { phaseOf } from './phase';

const minute = 60_000;

export class Sale {
  event = $state.raw<Event>();
  /** Not loaded for an event that is cancelled or past. */
  plan = $state.raw<SeatPlan>();
  /** Set together with the plan. */
  live = $state.raw<LiveSale>();
  /** Why loading failed. */
  trouble = $state.raw<unknown>();
  /** The buyer's held and confirmed bookings for this event. */
  bookings = $state.raw<Booking[]>([]);

  /** The event's queue, if it has one. */
  queue = $state.raw<Schemas['Queue']>();
  /** The buyer's place in it. */
  readonly own: OwnPlace;

  readonly held = $derived(this.bookings.filter((booking) => booking.status === 'held'));
  /** Seats in the buyer's own bookings. */
  readonly mine: ReadonlySet<number> = $derived.by(() => {
    const seatIds = this.bookings.flatMap(({ seats }) => seats.map(({ id }) => id));
    return new SvelteSet(this.indexesOf(seatIds));
  });
  readonly phase = $derived(this.event && phaseOf(this.event, now()));
  readonly open = $derived(this.live !== undefined && this.phase === 'open');
  /** Whether the states of the seats are known. */
  readonly known = $derived(this.live !== undefined && this.live.tick > 0);

  /** Whether people must queue for the seats: from when the pre-queue opens, if there is one. */
  readonly queued = $derived.by(() => {
    if (!this.queue || (this.phase !== 'before' && this.phase !== 'open')) return false;
    const { required, state, opens_at } = this.queue;
    return required || state === 'prequeue' || (state === 'closed' && Date.parse(opens_at) <= now());
  });
  /** Whether the buyer must queue before they see the seats. */
  readonly barred = $derived.by(() => this.queued && !this.own.admitted && this.own.place?.state !== 'not_needed');

  #stopped = false;
  #refresh: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly id: string) {
    this.own = new OwnPlace(id);
  }

  /**
   * Loads the event and its seat plan, and follows the seats' states until stop. A sale that has not started needs
   * nothing more when it does.
   */
  async load(): Promise<void> {
    this.trouble = undefined;
    try {
      const event = await this.#loadEvent();
      if (this.#stopped || this.phase === 'over') return;
      this.#refreshBeforeStart(event);
      const venue = await persist(() => api.GET('/venues/{id}', { params: { path: { id: event.venue.id } } }));
      if (this.#stopped) return;
      const plan = SeatPlan.of(venue);
      const live = new LiveSale(
        this.id,
        plan,
        () => this.own.admission,
        () => this.#refused(),
      );
      if (!this.barred) live.start();
      [this.plan, this.live] = [plan, live];
    } catch (error) {
      this.trouble = error;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#refresh);
    this.live?.stop();
    this.own.stop();
  }

  /** The seat stream was refused: the event may have a queue now, or another tab has left it. */
  #refused(): void {
    void this.loadQueue();
    if (this.own.place) void this.own.refresh().catch(() => {});
  }

  /** Loads the event's queue. Without an answer the seats show: a hold tells if the buyer must queue. */
  async loadQueue(): Promise<void> {
    try {
      const queue = await ask(api.GET('/events/{id}/queue', { params: { path: { id: this.id } } }));
      if (!this.#stopped) this.queue = queue;
    } catch {
      // It is asked again when the seat stream is refused.
    }
  }

  async #loadEvent(): Promise<Event> {
    const event = await persist(() => api.GET('/events/{id}', { params: { path: { id: this.id } } }));
    if (!this.#stopped) this.event = event;
    if (event.queue.mode !== 'off') await this.loadQueue();
    return event;
  }

  /**
   * Loads the event again every few minutes until its sale starts: the start may be moved, and each answer tells the
   * server's time. The last is 10 to 60 seconds before the start. The times are random, so that the crowd that waits
   * for a sale does not ask all at once.
   */
  #refreshBeforeStart(event: Event): void {
    const left = Date.parse(event.sale_starts_at) - serverTime();
    if (left < minute) return;
    const wait = Math.min(left - minute * (1 / 6 + (5 / 6) * Math.random()), 5 * minute * (0.75 + Math.random() / 2));
    this.#refresh = setTimeout(() => {
      this.#loadEvent().then(
        (refreshed) => !this.#stopped && this.#refreshBeforeStart(refreshed),
        () => !this.#stopped && this.#refreshBeforeStart(event),
      );
    }, wait);
  }

  /** Loads all of the buyer's bookings for this event, those that ended too, and keeps the held and confirmed ones. */
  async loadBookings(): Promise<void> {
    try {
      const all: Booking[] = [];
      let cursor: string | undefined;
      do {
        const query = { event_id: this.id, limit: 100, ...(cursor ? { cursor } : {}) };
        const page = await persist(() => api.GET('/bookings', { params: { query } }));
        all.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      this.bookings = all.filter(({ status }) => status === 'held' || status === 'confirmed');
    } catch {
      // The map works without them.
    }
  }

  /** The seats with these ids; unknown ids are left out. */
  indexesOf(seatIds: readonly string[]): number[] {
    return seatIds.map((seatId) => this.plan?.indexOf(seatId)).filter((index) => index !== undefined);
  }

  idsOf(indexes: Iterable<number>): string[] {
    return [...indexes].map((index) => this.plan?.seats[index]?.id).filter((seatId) => seatId !== undefined);
  }

  /** The ticket type that sells a category of the plan. */
  typeOf(category: number | undefined): Schemas['TicketType'] | undefined {
    const categoryId = this.plan?.categories[category ?? -1]?.id;
    return this.event?.ticket_types.find((type) => type.category === categoryId);
  }

  typeOfSeat(index: number): Schemas['TicketType'] | undefined {
    return this.typeOf(this.plan?.seats[index]?.category);
  }

  /** A seat's section, row and number. */
  place(index: number): string {
    const seat = this.plan?.seats[index];
    if (!seat) return '';
    return t('event.seat', {
      section: this.plan?.sections[seat.section]?.name ?? '',
      row: seat.row,
      number: seat.number,
    });
  }

  places(indexes: readonly number[]): string {
    return indexes.map((index) => this.place(index)).join('; ');
  }

  /** All that is known of a seat, in words. */
  describe(index: number): string {
    const seat = this.plan?.seats[index];
    if (!seat || !this.live) return '';
    const type = this.typeOfSeat(index);
    const state = this.mine.has(index) ? 'mine' : this.live.states.of(index);
    const facts = [
      this.place(index),
      type && `${type.name} ${money(type.price)}`,
      seat.accessible && t('event.accessible'),
      t(`event.state.${state}`),
    ];
    return facts.filter(Boolean).join(', ');
  }
}
