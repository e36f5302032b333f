import { expect, test } from 'vitest';
import { Announcer } from './announcer';

test('a new stage is said at once, and a new position every half minute', () => {
  const announcer = new Announcer();
  const said = (
    [
      ['waiting', '90 before you', 0],
      ['waiting', '80 before you', 1000],
      ['waiting', '40 before you', 29_999],
      ['waiting', '30 before you', 30_000],
      ['waiting', '20 before you', 45_000],
      ['called', 'Your turn', 46_000],
    ] as const
  ).map(([stage, text, at]) => announcer.say(stage, text, at));
  expect(said).toEqual([
    '90 before you',
    '90 before you',
    '90 before you',
    '30 before you',
    '30 before you',
    'Your turn',
  ]);
});
