// Hints that several fields of an event show.
import { t } from '../../../i18n/i18n.svelte';
import type { EventEditor } from './editor.svelte';

/** Why a field can't be changed, if it can't. */
export const fixedHint = ({ draft }: EventEditor) => (draft ? undefined : t('org.event.kept'));

export const zoneHint = ({ form }: EventEditor) =>
  form.timeZone ? t('org.event.zone', { zone: form.timeZone }) : undefined;
