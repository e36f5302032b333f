// An event while an organiser edits it: what the form holds, and what the server knows.
import { api, ask, idempotencyKey, persist, Refusal, type Event } from '../../../api/client';
import { language } from '../../../i18n/i18n.svelte';
import { recently } from '../../../recent.svelte';
import { navigate } from '../../../routes';
import { bodyOf, chooseVenue, emptyForm, formOf, patchOf, type VenueChoice } from '../eventForm';
import { faultsOf, faultText, type Faults } from '../faults';

export class EventEditor {
  /** The organiser's venues, once loaded. */
  venues = $state.raw<readonly VenueChoice[]>();
  /** The event as saved; none for a new one. */
  event = $state.raw<Event>();
  form = $state(emptyForm());
  /** Why loading failed. */
  loadError = $state.raw<unknown>();
  /** Why the last request failed. */
  error = $state.raw<unknown>();
  faults = $state.raw<Faults>({});
  busy = $state(false);
  saved = $state(false);
  /** Why the event is cancelled. */
  reason = $state('');

  readonly status = $derived(this.event?.status ?? 'draft');
  readonly draft = $derived(this.status === 'draft');
  /** Whether nothing can be changed any more. */
  readonly closed = $derived(this.status === 'cancelled' || this.status === 'past');
  /** Whether somebody else has changed the event meanwhile. */
  readonly stale = $derived(this.error instanceof Refusal && this.error.status === 412);
  readonly decimal = $derived(language() === 'de' ? ',' : '.');

  /** The form as last loaded or saved. */
  #before = $state.raw(emptyForm());
  #etag = '';
  #key = { for: '', is: '' };

  readonly dirty = $derived(JSON.stringify(this.form) !== JSON.stringify(this.#before));

  /** Without an id the event is a new one, at the preferred venue. */
  constructor(
    readonly id: string | undefined,
    private readonly preferredVenue: string | null,
  ) {}

  async load(): Promise<void> {
    this.loadError = this.error = undefined;
    try {
      const [venues, event] = await Promise.all([ownVenues(), this.id === undefined ? undefined : this.#read(this.id)]);
      this.venues = venues;
      if (event) await this.#show(event);
      else this.#begin(venues);
    } catch (caught) {
      this.loadError = caught;
    }
  }

  chooseVenue(venueId: string): void {
    const venue = this.venues?.find(({ id }) => id === venueId);
    if (venue) chooseVenue(this.form, venue);
  }

  /** Returns whether all is saved now. */
  async save(): Promise<boolean> {
    const { body, wrong } = bodyOf(this.form);
    this.saved = false;
    this.error = undefined;
    this.faults = Object.fromEntries(wrong.map(({ field, code }) => [field, faultText(field, code)]));
    if (wrong.length > 0) return false;
    this.busy = true;
    try {
      if (this.id === undefined) {
        const content = JSON.stringify(body);
        if (this.#key.for !== content) this.#key = { for: content, is: idempotencyKey() };
        const created = await persist(() =>
          api.POST('/events', { body, params: { header: { 'Idempotency-Key': this.#key.is } } }),
        );
        this.#before = $state.snapshot(this.form);
        await navigate('/organizer/events/:id', { params: { id: created.id }, replace: true });
      } else if (this.dirty) {
        const params = { path: { id: this.id }, header: { 'If-Match': this.#etag } };
        const changes = patchOf(this.#before, $state.snapshot(this.form));
        await this.#show(await ask(this.#withEtag(api.PATCH('/events/{id}', { params, body: changes }))));
      }
      this.saved = true;
      return true;
    } catch (caught) {
      this.#refused(caught);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async publish(): Promise<void> {
    if (this.id === undefined) return;
    const params = { path: { id: this.id } };
    try {
      await this.#show(await ask(this.#withEtag(api.POST('/events/{id}/publish', { params }))));
    } catch (caught) {
      if (!(caught instanceof Refusal) || caught.code !== 'event_not_publishable') throw caught;
      this.#refused(caught);
    }
  }

  async cancel(): Promise<void> {
    if (this.id === undefined) return;
    const params = { path: { id: this.id } };
    const body = this.reason.trim() ? { reason: this.reason } : {};
    await this.#show(
      await recently(() => persist(() => this.#withEtag(api.POST('/events/{id}/cancel', { params, body })))),
    );
  }

  /** Deletes the draft. */
  async remove(): Promise<void> {
    if (this.id === undefined) return;
    await ask(api.DELETE('/events/{id}', { params: { path: { id: this.id }, header: { 'If-Match': this.#etag } } }));
    this.#before = $state.snapshot(this.form);
    await navigate('/organizer');
  }

  /** Starts a new event, at the preferred venue or at the only one. */
  #begin(venues: readonly VenueChoice[]): void {
    const venue = venues.find(({ id }) => id === this.preferredVenue) ?? (venues.length === 1 ? venues[0] : undefined);
    if (venue) chooseVenue(this.form, venue);
    this.#before = $state.snapshot(this.form);
  }

  async #show(event: Event): Promise<void> {
    let venue = this.venues?.find(({ id }) => id === event.venue.id);
    if (!venue) {
      // An admin edits events of others, whose venues are not listed.
      venue = await persist(() => api.GET('/venues/{id}', { params: { path: { id: event.venue.id } } }));
      this.venues = [...(this.venues ?? []), venue];
    }
    this.event = event;
    this.form = formOf(event, venue.categories, this.decimal);
    this.#before = $state.snapshot(this.form);
    this.reason = event.cancel_reason ?? '';
  }

  #refused(caught: unknown): void {
    this.error = caught;
    this.faults = faultsOf(caught);
  }

  #read(id: string): Promise<Event> {
    return persist(() => this.#withEtag(api.GET('/events/{id}', { params: { path: { id } } })));
  }

  async #withEtag<A extends { response: Response }>(request: Promise<A>): Promise<A> {
    const answer = await request;
    this.#etag = answer.response.headers.get('ETag') ?? this.#etag;
    return answer;
  }
}

async function ownVenues(): Promise<VenueChoice[]> {
  const all: VenueChoice[] = [];
  for (let cursor: string | undefined; ;) {
    const query = { limit: 100, ...(cursor ? { cursor } : {}) };
    const page = await persist(() => api.GET('/venues', { params: { query } }));
    all.push(...page.items);
    cursor = page.next_cursor;
    if (!cursor) return all;
  }
}
