// A seat in words, where the page has none of its own.
import { t } from '../i18n/i18n.svelte';
import type { SeatPlan } from './plan';
import type { SeatStates } from './states';

export function describeSeat(plan: SeatPlan, states: SeatStates, index: number): string {
  const seat = plan.seats[index];
  if (!seat) return '';
  const parts = [t('map.seat', { section: plan.sections[seat.section]?.name ?? '', row: seat.row, number: seat.number }), plan.categories[seat.category]?.name];
  if (seat.accessible) parts.push(t('map.accessible'));
  if (states.known || seat.blocked) parts.push(t(`map.state.${states.of(index)}`));
  return parts.filter(Boolean).join(', ');
}
