// The seats a buyer has chosen and not yet held.
import { SvelteSet } from 'svelte/reactivity';
import { orphans } from '../../map/choice';
import { alternatives } from './alternatives';
import type { Sale } from './sale.svelte';
import { remember, remembered } from './rememberedSeats';

export class Selection {
  readonly seats = new SvelteSet<number>();
  /** Seats that somebody else took while they were chosen. */
  lost = $state.raw<number[]>([]);

  /** In minor units. */
  readonly total = $derived.by(() =>
    [...this.seats].reduce((sum, index) => sum + (this.sale.typeOfSeat(index)?.price.amount ?? 0), 0),
  );
  /** Whether it has more seats than this buyer may still book. */
  readonly tooLarge = $derived.by(
    () => this.seats.size > (this.sale.event?.max_seats_per_buyer ?? 0) - this.sale.mine.size,
  );
  /** Seats that it would leave single. */
  readonly orphans = $derived.by(() => {
    const { plan, live, known } = this.sale;
    return plan && live && known && this.seats.size > 0 ? orphans(plan, live.states, this.seats) : [];
  });
  /** Free seats near the lost ones. */
  readonly offers = $derived.by(() => {
    const { plan, live, known } = this.sale;
    return plan && live && known && this.lost.length > 0 ? alternatives(plan, live.states, this.lost, this.seats) : [];
  });

  constructor(private readonly sale: Sale) {}

  /** Takes up what was chosen before the page was loaded again. */
  restore(): void {
    this.#add(this.sale.indexesOf(remembered(this.sale.id)));
  }

  toggle(index: number): void {
    if (!this.seats.delete(index)) this.seats.add(index);
    this.lost = [];
    this.#remember();
  }

  /** Chooses the offered seats in place of the lost ones. */
  acceptOffers(): void {
    this.#add(this.offers);
    this.lost = [];
    this.#remember();
  }

  /** Drops the seats that are no longer available. */
  dropTaken(): void {
    const { live } = this.sale;
    this.lose([...this.seats].filter((index) => live?.states.of(index) !== 'available'));
  }

  lose(taken: readonly number[]): void {
    if (taken.length === 0) return;
    for (const index of taken) this.seats.delete(index);
    this.lost = [...this.lost, ...taken];
    this.#remember();
  }

  #add(indexes: readonly number[]): void {
    for (const index of indexes) this.seats.add(index);
  }

  #remember(): void {
    remember(this.sale.id, this.sale.idsOf(this.seats));
  }
}
