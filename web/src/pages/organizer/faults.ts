// What the server says about single fields, in the language of the page.
import { Refusal } from '../../api/client';
import { t, type Key } from '../../i18n/i18n.svelte';

/** Messages by the field's path. */
export type Faults = Readonly<Record<string, string>>;

export function faultsOf(error: unknown): Faults {
  const errors = error instanceof Refusal ? (error.problem?.errors ?? []) : [];
  return Object.fromEntries(errors.map(({ field, code, message }) => [field, faultText(field, code, message)]));
}

/** The text for the rule of this very field, or for the rule, or the server's. */
export function faultText(field: string, code: string, message = code): string {
  const plain =
    field
      .replace(/\[\d+\]/g, '')
      .split('.')
      .at(-1) ?? field;
  const keys = [`org.fault.${plain}.${code}`, `org.fault.${code}`] as Key[];
  return keys.map((key) => t(key)).find((text, i) => text !== keys[i]) ?? message;
}
