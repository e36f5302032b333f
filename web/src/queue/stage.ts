// Where somebody is on the way through a queue.
import type { Schemas } from '../api/client';

/**
 * `closed`: the pre-queue opens later. `join`: they have no place. `prequeue`: they wait for the draw. `waiting`: they
 * know their rank. `not_needed`: everybody can hold seats.
 */
export type Stage =
  'closed' | 'join' | 'prequeue' | 'waiting' | 'called' | 'missed' | 'admitted' | 'not_needed' | 'sold_out';

/** The stage of somebody with a place, or without one. The rank is known after the draw. */
export function stageOf(
  queue: Pick<Schemas['Queue'], 'state'>,
  place: Pick<Schemas['Place'], 'state'> | undefined,
  rank: number | undefined,
): Stage {
  if (queue.state === 'sold_out') return 'sold_out';
  if (queue.state === 'off') return 'not_needed';
  if (!place) return queue.state === 'closed' ? 'closed' : 'join';
  if (place.state !== 'waiting') return place.state;
  return rank === undefined ? 'prequeue' : 'waiting';
}
