import { tn } from '../../i18n/i18n.svelte';
import { milestone } from './countdown';

/** Says at a few moments how much of some milliseconds is left until a sale starts; nothing long before and after. */
export function startsIn(left: number): string {
  const next = milestone(left);
  if (next === undefined) return '';
  return next < 60 ? tn('event.startsIn.seconds', next) : tn('event.startsIn.minutes', next / 60);
}
