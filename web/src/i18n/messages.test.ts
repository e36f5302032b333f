import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const folder = new URL('../messages/', import.meta.url);
const read = (language: string, file: string) =>
  JSON.parse(readFileSync(new URL(`${language}/${file}`, folder), 'utf8')) as Record<string, string>;
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted();

describe.each(readdirSync(new URL('en/', folder)))('%s', (file) => {
  const english = read('en', file);
  const german = read('de', file);

  test('has the same texts in both languages', () =>
    expect(Object.keys(german).toSorted()).toEqual(Object.keys(english).toSorted()));

  test('has the same values in its texts', () => {
    for (const [key, text] of Object.entries(english))
      expect([key, placeholders(german[key] ?? '')]).toEqual([key, placeholders(text)]);
  });

  test('has no empty text', () => {
    for (const texts of [english, german]) expect(Object.entries(texts).filter(([, text]) => !text.trim())).toEqual([]);
  });

  test('has no text twice', () => {
    const keys = [...readFileSync(new URL(`en/${file}`, folder), 'utf8').matchAll(/^ {2}"([^"]+)":/gm)].map(
      (match) => match[1],
    );
    expect(keys.length).toBe(new Set(keys).size);
  });
});

describe('problems', () => {
  /** Codes for faults of a program, not of its user. They show the text of `internal`. */
  const generic = [
    'malformed_json',
    'malformed_request',
    'unknown_field',
    'invalid_idempotency_key',
    'invalid_if_match',
    'identity_required',
    'identity_invalid',
    'signature_invalid',
    'method_not_allowed',
    'body_too_large',
    'unsupported_media_type',
    'idempotency_key_reused',
    'unknown_payment_method',
    'amount_mismatch',
    'scan_id_reused',
    'precondition_required',
  ];
  const catalogue = JSON.parse(readFileSync(new URL('../../../api/problems.json', import.meta.url), 'utf8')) as {
    code: string;
  }[];
  const codes = catalogue.map(({ code }) => code);

  test.each(['en', 'de'])('have a text in %s for each code of api/problems.json', (language) => {
    const texts = read(language, 'common.json');
    expect(codes.filter((code) => !(`problem.${code}` in texts)).toSorted()).toEqual(generic.toSorted());
  });

  test('have no text for a code that does not exist', () => {
    const others = ['network', 'request', 'retry'];
    const named = Object.keys(read('en', 'common.json')).flatMap((key) => key.match(/^problem\.(.+)$/)?.[1] ?? []);
    expect(named.filter((code) => !codes.includes(code)).toSorted()).toEqual(others);
  });
});
