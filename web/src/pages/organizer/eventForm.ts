// An event as its form has it, and what is sent of it.
import type { Event, Schemas } from '../../api/client';
import { fractionDigits, majorUnits, minorUnits } from './price';
import { toInstant, toLocal } from './zoned';

type NewEvent = Schemas['NewEvent'];
type EventPatch = Schemas['EventPatch'];

/** One for each category of the venue. */
export interface TypeForm {
  category: string;
  /** The event's ticket type; none before it is saved. */
  id?: string;
  sold: boolean;
  name: string;
  /** As entered, in major units. */
  price: string;
}

/** Times are those of the clocks at the venue. */
export interface EventForm {
  name: string;
  description: string;
  venueId: string;
  timeZone: string;
  startsAt: string;
  endsAt: string;
  currency: string;
  types: TypeForm[];
  saleStartsAt: string;
  saleEndsAt: string;
  maxSeats: number | null;
  holdMinutes: number | null;
  queueMode: Schemas['QueueMode'];
  /** How long before the sale the waiting room opens. */
  queueOpensMinutes: number | null;
  admissionMinutes: number | null;
}

/** What an organiser chooses a venue by. */
export interface VenueChoice {
  readonly id: string;
  readonly name: string;
  readonly city: string;
  readonly time_zone: string;
  readonly categories: readonly Schemas['Category'][];
}

export const emptyForm = (): EventForm => ({
  name: '',
  description: '',
  venueId: '',
  timeZone: '',
  startsAt: '',
  endsAt: '',
  currency: 'EUR',
  types: [],
  saleStartsAt: '',
  saleEndsAt: '',
  maxSeats: 8,
  holdMinutes: 10,
  queueMode: 'off',
  queueOpensMinutes: 30,
  admissionMinutes: 10,
});

/** The venue's categories, on sale by their own names, until a venue is left for another. */
export function chooseVenue(form: EventForm, venue: VenueChoice): void {
  form.venueId = venue.id;
  form.timeZone = venue.time_zone;
  form.types = venue.categories.map(({ id, name }) => ({ category: id, sold: true, name, price: '' }));
}

export function formOf(event: Event, categories: VenueChoice['categories'], decimal: '.' | ','): EventForm {
  const digits = fractionDigits(event.currency);
  const sold = event.ticket_types.map((type) => ({
    category: type.category,
    id: type.id,
    sold: true,
    name: type.name,
    price: majorUnits(type.price.amount, digits, decimal),
  }));
  const unsold = categories.filter(({ id }) => !sold.some(({ category }) => category === id));
  const local = (instant: string) => toLocal(instant, event.time_zone);
  return {
    name: event.name,
    description: event.description,
    venueId: event.venue.id,
    timeZone: event.time_zone,
    startsAt: local(event.starts_at),
    endsAt: local(event.ends_at),
    currency: event.currency,
    types: [...sold, ...unsold.map(({ id, name }) => ({ category: id, sold: false, name, price: '' }))],
    saleStartsAt: local(event.sale_starts_at),
    saleEndsAt: local(event.sale_ends_at),
    maxSeats: event.max_seats_per_buyer,
    holdMinutes: event.hold_seconds / 60,
    queueMode: event.queue.mode,
    queueOpensMinutes: (event.queue.opens_before_seconds ?? 1800) / 60,
    admissionMinutes: (event.queue.admission_seconds ?? 600) / 60,
  };
}

/** A field's path as the service names it, and the rule that is broken. */
export interface Wrong {
  field: string;
  code: string;
}

/** What is sent, or what must be put right first. The rest the service checks. */
export function bodyOf(form: EventForm): { body: NewEvent; wrong: Wrong[] } {
  const wrong: Wrong[] = [];
  const time = (field: string, local: string) => {
    const instant = toInstant(local, form.timeZone || 'UTC');
    if (!instant) wrong.push({ field, code: 'required' });
    return instant ?? '';
  };
  const required = (field: string, text: string) => {
    if (!text.trim()) wrong.push({ field, code: 'required' });
    return text.trim();
  };
  const whole = (field: string, value: number | null, lowest: number, highest: number, unit = 1) => {
    if (value === null || value * unit < lowest || value * unit > highest) wrong.push({ field, code: 'out_of_range' });
    return Math.round((value ?? 0) * unit);
  };
  const digits = fractionDigits(form.currency);
  const body: NewEvent = {
    name: required('name', form.name),
    description: form.description,
    venue_id: required('venue_id', form.venueId),
    starts_at: time('starts_at', form.startsAt),
    ends_at: time('ends_at', form.endsAt),
    time_zone: form.timeZone,
    currency: form.currency,
    ticket_types: form.types
      .filter(({ sold }) => sold)
      .map(({ id, category, name, price }, i) => {
        const amount = minorUnits(price, digits);
        if (amount === undefined)
          wrong.push({ field: `ticket_types[${i}].price`, code: price.trim() ? 'invalid' : 'required' });
        return { ...(id ? { id } : {}), name: required(`ticket_types[${i}].name`, name), category, price: amount ?? 0 };
      }),
    sale_starts_at: time('sale_starts_at', form.saleStartsAt),
    sale_ends_at: time('sale_ends_at', form.saleEndsAt),
    max_seats_per_buyer: whole('max_seats_per_buyer', form.maxSeats, 1, 50),
    hold_seconds: whole('hold_seconds', form.holdMinutes, 5, 3600, 60),
    // The form shows the durations only while they matter.
    queue:
      form.queueMode === 'off'
        ? { mode: 'off' }
        : {
            mode: form.queueMode,
            opens_before_seconds: whole('queue.opens_before_seconds', form.queueOpensMinutes, 60, 86_400, 60),
            admission_seconds: whole('queue.admission_seconds', form.admissionMinutes, 15, 3600, 60),
          },
  };
  return { body, wrong };
}

/** Only the fields that were changed in the form: the form shows times to the minute, and must not cut the others. */
export function patchOf(before: EventForm, after: EventForm): EventPatch {
  const [old, next] = [bodyOf(before).body, bodyOf(after).body];
  const changed = Object.entries(next).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(old[field as keyof NewEvent]),
  );
  return Object.fromEntries(changed) as EventPatch;
}
