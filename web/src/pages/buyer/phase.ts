import type { Event } from '../../api/client';

/** A sale's phases, in order. `over`: the event has ended or was cancelled. */
export type Phase = 'before' | 'open' | 'ended' | 'over';

/** The phase of an event's sale at a time in milliseconds. */
export function phaseOf(
  event: Pick<Event, 'status' | 'sale_starts_at' | 'sale_ends_at' | 'ends_at'>,
  at: number,
): Phase {
  if (event.status === 'cancelled' || event.status === 'past' || Date.parse(event.ends_at) <= at) return 'over';
  if (Date.parse(event.sale_ends_at) <= at) return 'ended';
  return Date.parse(event.sale_starts_at) <= at ? 'open' : 'before';
}
