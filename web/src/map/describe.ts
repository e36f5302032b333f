// The map in words.
import { t, tn } from '../i18n/i18n.svelte';
import type { Target } from './hitTest';
import type { SeatPlan } from './plan';
import type { SeatStates } from './states';

/** A seat, for pages that have no description of their own. */
export function describeSeat(plan: SeatPlan, states: SeatStates, index: number): string {
  const seat = plan.seats[index];
  if (!seat) return '';
  const parts = [
    t('map.seat', { section: plan.sections[seat.section]?.name ?? '', row: seat.row, number: seat.number }),
    plan.categories[seat.category]?.name,
  ];
  if (seat.accessible) parts.push(t('map.accessible'));
  if (states.known || seat.blocked) parts.push(t(`map.state.${states.of(index)}`));
  return parts.filter(Boolean).join(', ');
}

/** A section or a standing area, with its free places if these are known. */
export function describeGroup(plan: SeatPlan, states: SeatStates, group: Exclude<Target, { seat: number }>): string {
  const name = 'area' in group ? plan.areas[group.area]?.name : plan.sections[group.section]?.name;
  const counts = 'area' in group ? states.countsOfArea(group.area) : states.countsOfSection(group.section);
  return tn(states.known ? 'map.nameFree' : 'map.namePlaces', counts.available, { name: name ?? '' });
}
