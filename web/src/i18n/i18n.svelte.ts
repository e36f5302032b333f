// All texts are in src/messages, a file an area and language. English says which there are.
import type { Problem } from '../api/client';
import type account from '../messages/en/account.json';
import type admin from '../messages/en/admin.json';
import type buyer from '../messages/en/buyer.json';
import type common from '../messages/en/common.json';
import type map from '../messages/en/map.json';
import type organizer from '../messages/en/organizer.json';
import type queue from '../messages/en/queue.json';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;
export type Area = 'common' | 'buyer' | 'map' | 'queue' | 'organizer' | 'admin' | 'account';

/** The name of a text. Texts in numbers have `.one` and `.other` behind it. */
export type Key = keyof (typeof common &
  typeof buyer &
  typeof map &
  typeof queue &
  typeof organizer &
  typeof admin &
  typeof account);
type PluralKey = Key extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never;

const files = import.meta.glob<Record<string, string>>('../messages/*/*.json', { import: 'default' });
const stored = 'frontrow-language';

const texts = $state<{ current: Record<string, string> }>({ current: {} });
const state = $state<{ language: Language }>({ language: preferred() });
let areas: Area[] = [];

function preferred(): Language {
  const wishes = [localStorage.getItem(stored), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wishes.find((tag): tag is Language => tag !== null && tag in languages) ?? 'en';
}

/** Loads the texts of areas; pages wait for it before they show. */
export async function need(...wanted: Area[]): Promise<void> {
  const missing = wanted.filter((area) => !areas.includes(area));
  if (missing.length > 0) await load(state.language, [...areas, ...missing]);
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(stored, language);
  await load(language, areas);
}

async function load(language: Language, wanted: Area[]): Promise<void> {
  const parts = await Promise.all(wanted.map((area) => files[`../messages/${language}/${area}.json`]?.()));
  texts.current = Object.assign({}, ...parts) as Record<string, string>;
  areas = wanted;
  state.language = language;
  document.documentElement.lang = language;
}

export const language = (): Language => state.language;

/** The text, with {name} replaced by what `values` has for it. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return fill(texts.current[key] ?? key, values);
}

/** The text for a number of things, which is {count} in it. */
export function tn(key: PluralKey, count: number, values: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(state.language).select(count);
  const text = texts.current[`${key}.${form}`] ?? texts.current[`${key}.other`] ?? key;
  return fill(text, { count: new Intl.NumberFormat(state.language).format(count), ...values });
}

/** The text of a problem's code; a general one for codes without. */
export function problemText(code: string): string {
  return texts.current[`problem.${code}`] ?? t('problem.internal');
}

/** The text for what a problem says of a field of an account, if it does. */
export function faultText(problem: Problem | undefined, field: string): string | undefined {
  const fault = problem?.errors?.find((error) => error.field === field);
  return fault && (texts.current[`fault.${field}.${fault.code}`] ?? t('fault.invalid'));
}

const fill = (text: string, values: Record<string, string | number>) =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
