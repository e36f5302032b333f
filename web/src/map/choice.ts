// Advice on a choice of seats. No DOM.
import type { PlanSeat, SeatPlan } from './plan';
import { available, type SeatStates } from './states';

/** A gap wider than this many usual distances is an aisle. */
const aisle = 1.5;

/**
 * Free seats that the choice would leave single, between taken or chosen seats, aisles and row ends. Seats that
 * were single before do not count.
 */
export function orphans(plan: SeatPlan, states: SeatStates, chosen: ReadonlySet<number>): number[] {
  const found = new Set<number>();
  const free = (index: number) => states.bytes[index] === available;
  for (const index of chosen) {
    const seat = plan.seats[index];
    if (!seat || !free(index)) continue;
    for (const step of [-1, 1] as const) {
      const near = neighbour(plan, seat, step);
      if (!near || !free(near.index) || chosen.has(near.index)) continue;
      const far = neighbour(plan, near, step);
      if (!far || !free(far.index) || chosen.has(far.index)) found.add(near.index);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** The next seat of the same row, if no aisle is between. */
export function neighbour(plan: SeatPlan, seat: PlanSeat, step: -1 | 1): PlanSeat | undefined {
  const next = plan.seats[seat.index + step];
  if (!next || next.section !== seat.section || next.row !== seat.row) return undefined;
  return Math.hypot(next.x - seat.x, next.y - seat.y) > aisle * plan.pitch ? undefined : next;
}
