import { expect, test } from 'vitest';
import { once } from './qr';

test('a code before the camera is passed on once, and again when it comes back', () => {
  const fresh = once(2000);
  const seen = [
    ['a', 0],
    ['a', 200],
    ['a', 1900],
    ['a', 3800],
    ['b', 3900],
    ['a', 4000],
    ['a', 6001],
  ] as const;
  expect(seen.map(([code, at]) => fresh(code, at))).toEqual([true, false, false, false, true, true, true]);
});
