// Moving from seat to seat by keys. No DOM.
import type { PlanSection, SeatPlan } from './plan';

/** The seat a key leads to from another of the section; undefined for a key that leads nowhere. */
export function step(plan: SeatPlan, section: PlanSection, from: number, key: string): number | undefined {
  const at = section.rows.findIndex((row) => from >= row.first && from < row.first + row.count);
  const row = section.rows[at];
  const seat = plan.seats[from];
  if (!row || !seat) return undefined;
  const last = row.first + row.count - 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(from - 1, row.first);
    case 'ArrowRight':
      return Math.min(from + 1, last);
    case 'Home':
      return row.first;
    case 'End':
      return last;
    case 'ArrowUp':
    case 'ArrowDown': {
      const other = section.rows[at + (key === 'ArrowUp' ? -1 : 1)];
      if (!other) return from;
      // The nearest of that row, where the rows are shifted or bent.
      return plan.seats
        .slice(other.first, other.first + other.count)
        .reduce((best, next) =>
          Math.hypot(next.x - seat.x, next.y - seat.y) < Math.hypot(best.x - seat.x, best.y - seat.y) ? next : best,
        ).index;
    }
    default:
      return undefined;
  }
}
