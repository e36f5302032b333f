import { beforeAll, expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('document', { documentElement: {} });
vi.stubGlobal('navigator', { languages: [] });
const { need, setLanguage } = await import('../../i18n/i18n.svelte');
const { holdHint } = await import('./holdHint');

beforeAll(() => need('buyer'));

test.each([
  ['en', 5, 'We hold your selection for 5 seconds while you pay.'],
  ['en', 90, 'We hold your selection for 90 seconds while you pay.'],
  ['en', 120, 'We hold your selection for 2 minutes while you pay.'],
  ['en', 600, 'We hold your selection for 10 minutes while you pay.'],
  ['de', 29, 'Wir reservieren Ihre Auswahl 29 Sekunden lang, während Sie bezahlen.'],
  ['de', 1, 'Wir reservieren Ihre Auswahl 1 Sekunde lang, während Sie bezahlen.'],
  ['de', 3600, 'Wir reservieren Ihre Auswahl 60 Minuten lang, während Sie bezahlen.'],
] as const)('%s: a hold of %i s', async (language, seconds, text) => {
  await setLanguage(language);
  expect(holdHint(seconds)).toBe(text);
});
