// Seats in words.
import { t } from '../../i18n/i18n.svelte';
import type { SeatPlan } from '../../map/plan';

/** Section, row and number of a seat as its ticket has them. */
export const placeText = ({ section, row, number }: { section: string; row?: string; number: string }): string =>
  row === undefined ? t('org.seat.standing', { section, number }) : t('org.seat', { section, row, number });

/** A seat of the plan, with its category. */
export function seatText(plan: SeatPlan, index: number): string {
  const seat = plan.seats[index];
  const category = plan.categories[plan.categoryOf(index)]?.name ?? '';
  if (!seat) return `${plan.areaOf(index)?.name ?? ''} · ${category}`;
  const section = plan.sections[seat.section]?.name ?? '';
  return `${placeText({ section, row: seat.row, number: seat.number })} · ${category}`;
}
