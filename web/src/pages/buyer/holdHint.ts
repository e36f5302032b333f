import { tn } from '../../i18n/i18n.svelte';

/** Says how long seats are held: in seconds below two minutes, else in whole minutes. */
export const holdHint = (seconds: number): string =>
  seconds < 120 ? tn('event.holdHint.seconds', seconds) : tn('event.holdHint.minutes', Math.floor(seconds / 60));
