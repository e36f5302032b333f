import { describe, expect, test } from 'vitest';
import { milestone, split } from './countdown';
import { phaseOf } from './phase';

const event = {
  status: 'published',
  sale_starts_at: '2027-01-01T10:00:00Z',
  sale_ends_at: '2027-01-02T10:00:00Z',
  ends_at: '2027-01-03T22:00:00Z',
} as const;
const at = (time: string) => Date.parse(time);

describe('a sale', () => {
  test.each([
    ['2027-01-01T09:59:59.999Z', 'before'],
    ['2027-01-01T10:00:00Z', 'open'],
    ['2027-01-02T09:59:59.999Z', 'open'],
    ['2027-01-02T10:00:00Z', 'ended'],
    ['2027-01-03T22:00:00Z', 'over'],
  ])('at %s is %s', (time, phase) => expect(phaseOf(event, at(time))).toBe(phase));

  test.each(['cancelled', 'past'] as const)('of an event that is %s is over', (status) =>
    expect(phaseOf({ ...event, status }, at('2027-01-01T12:00:00Z'))).toBe('over'),
  );
});

describe('a countdown', () => {
  test.each([
    [1, { days: 0, hours: 0, minutes: 0, seconds: 1 }],
    [59_001, { days: 0, hours: 0, minutes: 1, seconds: 0 }],
    [2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5000, { days: 2, hours: 3, minutes: 4, seconds: 5 }],
    [-5000, { days: 0, hours: 0, minutes: 0, seconds: 0 }],
  ])('shows %i ms as %o', (left, parts) => expect(split(left)).toEqual(parts));

  test('is spoken of seven times in its last hour', () => {
    const spoken: (number | undefined)[] = [];
    for (let left = 3_700_000; left > -10_000; left -= 250) {
      const next = milestone(left);
      if (next !== spoken.at(-1)) spoken.push(next);
    }
    expect(spoken).toEqual([3600, 1800, 600, 300, 60, 30, 10, undefined]);
  });
});
