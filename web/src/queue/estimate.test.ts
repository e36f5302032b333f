import { describe, expect, test } from 'vitest';
import { estimate, mayRunOut, peopleBefore, type Wait } from './estimate';

const lane = (serving: number, waiting: number) => ({ drawn: 0, last: 0, serving, waiting });

describe('people before', () => {
  const lanes = { returning: lane(2, 3), priority: lane(10, 40), general: lane(100, 900) };
  test.each([
    ['returning', 3, 0],
    ['returning', 5, 2],
    ['priority', 11, 3],
    ['general', 101, 43],
    ['general', 501, 443],
    ['general', 90, 43], // a rank that has had its turn
  ] as const)('%s %i: %i', (name, rank, before) => expect(peopleBefore({ lanes }, name, rank)).toBe(before));
});

describe('estimate', () => {
  const minutes = (low: number, high: number): Wait => ({ unit: 'minutes', low, high });
  test.each<[string, number, number, number, Wait | undefined]>([
    ['whole minutes', 399, 60, 100, minutes(4, 7)],
    ['no less than a minute', 0, 60, 100, minutes(1, 1)],
    ['fives from twenty on', 2599, 50, 100, minutes(25, 55)],
    ['hours', 19_999, 50, 100, { unit: 'hours', low: 3, high: 7 }],
    ['nothing known', 100, 0, 0, undefined],
    ['perhaps nobody at all', 100, 0, 50, undefined],
    ['bounds too far apart', 1000, 5, 100, undefined],
    ['bounds far apart, but soon', 9, 2, 100, minutes(1, 5)],
  ])('%s', (_, before, low, high, wait) => expect(estimate(before, { low, high })).toEqual(wait));
});

describe('seats may run out', () => {
  const queue = { seats_available: 90, seats_held: 10, seats_per_booking: 2.5 };
  test('when those before need more than there are', () => {
    expect(mayRunOut(40, queue)).toBe(false);
    expect(mayRunOut(41, queue)).toBe(true);
  });
  test('but not while nobody has booked', () => expect(mayRunOut(1e6, { ...queue, seats_per_booking: 0 })).toBe(false));
});
