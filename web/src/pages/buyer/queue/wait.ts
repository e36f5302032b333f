import { t, tn } from '../../../i18n/i18n.svelte';
import type { Wait } from '../../../queue/estimate';

/** Says how long a wait is. */
export function waitText(wait: Wait | undefined): string {
  if (!wait) return t('queue.wait.unknown');
  const { unit, low, high } = wait;
  if (low === high) return tn(`queue.wait.${unit}`, low);
  return t(unit === 'minutes' ? 'queue.wait.minuteRange' : 'queue.wait.hourRange', { low, high });
}
