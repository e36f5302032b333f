// Holds seats: asks a visitor to log in first, and never makes a hold twice.
import { api, ask, idempotencyKey, persist, Refusal, type Booking, type Schemas } from '../../api/client';
import { navigate } from '../../routes';
import * as session from '../../session.svelte';
import { remember } from './rememberedSeats';
import type { Sale } from './sale.svelte';
import type { Selection } from './selection.svelte';

type Wish = Pick<Schemas['NewBooking'], 'seat_ids' | 'ticket_type_id' | 'quantity'>;

export class Hold {
  busy = $state(false);
  /** Whether the buyer is being asked to log in. */
  signingIn = $state(false);
  /** Why the last request was refused. */
  refusal = $state.raw<Refusal>();
  #request: Schemas['NewBooking'] | undefined;
  #key = '';

  constructor(
    private readonly sale: Sale,
    private readonly selection: Selection,
  ) {}

  /** Holds seats and goes on to their payment; logs the buyer in first. */
  start(wish: Wish): void {
    const request = { event_id: this.sale.id, ...wish };
    // The last attempt may have succeeded unseen: the same again is the same request.
    const again = this.refusal?.passing && JSON.stringify(request) === JSON.stringify(this.#request);
    if (!again) this.#key = idempotencyKey();
    this.#request = request;
    this.refusal = undefined;
    this.selection.lost = [];
    if (session.user()) void this.#send();
    else this.signingIn = true;
  }

  signedIn(): void {
    this.signingIn = false;
    void this.#send();
  }

  async #send(): Promise<void> {
    const body = this.#request;
    if (!body) return;
    this.busy = true;
    try {
      const { admission } = this.sale.own;
      const header = { 'Idempotency-Key': this.#key, ...(admission ? { 'Frontrow-Admission': admission } : {}) };
      const booking = await persist(() => api.POST('/bookings', { body, params: { header } }));
      remember(this.sale.id, []);
      await navigate('/bookings/:id', { params: { id: booking.id } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 401) {
        session.forget();
        this.signingIn = true;
        return;
      }
      if (error.code === 'queue_required') {
        await navigate('/events/:id/queue', { params: { id: this.sale.id } });
        return;
      }
      this.refusal = error;
      if (error.code === 'seats_taken') this.selection.lose(this.sale.indexesOf(error.problem?.seats ?? []));
    } finally {
      this.busy = false;
    }
  }

  /** Gives a held booking back. */
  async release(booking: Booking): Promise<void> {
    try {
      await ask(api.POST('/bookings/{id}/cancel', { params: { path: { id: booking.id } } }));
    } catch (error) {
      if (error instanceof Refusal) this.refusal = error;
    }
    await this.sale.loadBookings();
  }
}
