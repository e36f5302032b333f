import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { solve } from './proofOfWork';

test('the solution of a proof of work is the first that has enough zero bits', () => {
  expect(solve('frontrow', 12)).toBe('1085');
  expect(createHash('sha256').update('frontrow:1085').digest('hex')).toMatch(/^000f/);
});

test('a proof of work of no bits is solved at once', () => expect(solve('frontrow', 0)).toBe('0'));
