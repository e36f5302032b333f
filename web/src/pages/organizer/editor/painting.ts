// From seats of the drawn plan, which are indexes, to seats of the draft.
import type { SeatPlan } from '../../../map/plan';
import { paint, type Brush, type SectionDraft } from '../draft';
import { placeOf } from '../generate';

/** Indexes of a section's seats; none of what is no section. */
export function seatsOf(plan: SeatPlan, sectionId: string | undefined): ReadonlySet<number> {
  const section = plan.sections.find(({ id }) => id === sectionId);
  return new Set(section ? range(section.first, section.count) : []);
}

/** Indexes of the seats of a section's rows, from one to another, in either order. */
export function seatsOfRows(plan: SeatPlan, sectionId: string, from: number, to: number): number[] {
  const rows = plan.sections.find(({ id }) => id === sectionId)?.rows ?? [];
  return rows.slice(Math.min(from, to), Math.max(from, to) + 1).flatMap(({ first, count }) => range(first, count));
}

/** Paints seats of the plan that was drawn of these sections; units of standing areas stay as they are. */
export function paintSeats(
  sections: readonly SectionDraft[],
  plan: SeatPlan,
  indexes: readonly number[],
  brush: Brush,
): readonly SectionDraft[] {
  const seats = new Map<number, string[]>();
  for (const index of indexes) {
    const at = plan.seats[index]?.section;
    if (at === undefined) continue;
    const rows = plan.sections[at]?.rows ?? [];
    const row = rows.findIndex(({ first, count }) => index < first + count);
    const { first = 0, count = 0 } = rows[row] ?? {};
    const place = placeOf(sections[at]?.numbering ?? 'left', index - first, count);
    const ofSection = seats.get(at) ?? [];
    seats.set(at, ofSection);
    ofSection.push(`${row}/${place}`);
  }
  return sections.map((section, i) => (seats.has(i) ? paint(section, seats.get(i) ?? [], brush) : section));
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n);
