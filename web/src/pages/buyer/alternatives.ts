// Seats to offer to somebody whose seat has gone.
import type { SeatPlan } from '../../map/plan';
import type { SeatStates } from '../../map/states';

/**
 * For each lost seat the nearest free one of its category that is neither in `taken` nor offered already; fewer if
 * there are no more. Nearest as the crow flies, by the plan.
 */
export function alternatives(
  plan: SeatPlan,
  states: SeatStates,
  lost: readonly number[],
  taken: ReadonlySet<number>,
): number[] {
  const offered: number[] = [];
  for (const index of lost) {
    const from = plan.seats[index];
    if (!from) continue;
    let best: number | undefined;
    let least = Infinity;
    for (const seat of plan.seats) {
      if (seat.category !== from.category || states.of(seat.index) !== 'available') continue;
      if (seat.index === index || taken.has(seat.index) || offered.includes(seat.index)) continue;
      const distance = (seat.x - from.x) ** 2 + (seat.y - from.y) ** 2;
      if (distance < least) [least, best] = [distance, seat.index];
    }
    if (best !== undefined) offered.push(best);
  }
  return offered;
}
