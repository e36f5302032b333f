import type { Money } from './api/client';
import { language } from './i18n/i18n.svelte';

// To make a format takes longer than to use it, and a list of seats has thousands of prices.
const formats = new Map<string, Intl.NumberFormat>();

function format(currency?: string): Intl.NumberFormat {
  const name = `${language()} ${currency ?? ''}`;
  let known = formats.get(name);
  if (!known)
    formats.set(name, (known = new Intl.NumberFormat(language(), currency ? { style: 'currency', currency } : {})));
  return known;
}

export function money({ amount, currency }: Money): string {
  const known = format(currency);
  return known.format(amount / 10 ** (known.resolvedOptions().maximumFractionDigits ?? 2));
}

export const number = (n: number): string => format().format(n);

/** Date and time as people at the venue read them; time zones are IANA names. */
export const dateTime = (time: string, timeZone: string): string =>
  new Intl.DateTimeFormat(language(), { dateStyle: 'full', timeStyle: 'short', timeZone }).format(new Date(time));

export const shortDateTime = (time: string, timeZone?: string): string =>
  new Intl.DateTimeFormat(language(), {
    dateStyle: 'medium',
    timeStyle: 'short',
    ...(timeZone ? { timeZone } : {}),
  }).format(new Date(time));

/** Day, month and weekday apart, for a calendar leaf. */
export function calendarLeaf(time: string, timeZone: string): { day: string; month: string; weekday: string } {
  const part = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language(), { ...options, timeZone }).format(new Date(time));
  return { day: part({ day: 'numeric' }), month: part({ month: 'short' }), weekday: part({ weekday: 'short' }) };
}

/** A duration as m:ss. */
export function clock(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}
