import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const folder = new URL('../messages/', import.meta.url);
const read = (language: string, file: string) => JSON.parse(readFileSync(new URL(`${language}/${file}`, folder), 'utf8')) as Record<string, string>;
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted();

describe.each(readdirSync(new URL('en/', folder)))('%s', (file) => {
  const english = read('en', file);
  const german = read('de', file);

  test('has the same texts in both languages', () => expect(Object.keys(german).toSorted()).toEqual(Object.keys(english).toSorted()));

  test('has the same values in its texts', () => {
    for (const [key, text] of Object.entries(english)) expect([key, placeholders(german[key] ?? '')]).toEqual([key, placeholders(text)]);
  });

  test('has no empty text', () => {
    for (const texts of [english, german]) expect(Object.entries(texts).filter(([, text]) => !text.trim())).toEqual([]);
  });

  test('has no text twice', () => {
    const keys = [...readFileSync(new URL(`en/${file}`, folder), 'utf8').matchAll(/^ {2}"([^"]+)":/gm)].map((match) => match[1]);
    expect(keys.length).toBe(new Set(keys).size);
  });
});
