import { expect, test } from 'vitest';
import { orphans } from './choice';
import { hall } from './example';
import { SeatPlan } from './plan';
import { SeatStates } from './states';

/** A row by letters: a free, c chosen, s sold; `|` is an aisle. Answers the row with the orphans as `!`. */
function row(letters: string): string {
  const places: number[] = [];
  let x = 0;
  for (const letter of letters) {
    if (letter !== '|') places.push(x);
    x += 1;
  }
  const seats = letters.replaceAll('|', '');
  const plan = SeatPlan.of(hall([[[...seats].map(() => 'a')]], { xs: places }));
  const states = new SeatStates(plan);
  states.apply({ event_id: '', version: 1, blocks: [{ id: '1', version: 1, states: seats.replaceAll('c', 'a') }] });
  const chosen = new Set([...seats].flatMap((letter, index) => (letter === 'c' ? [index] : [])));
  const found = orphans(plan, states, chosen);
  return [...seats].map((letter, index) => (found.includes(index) ? '!' : letter)).join('');
}

test.each([
  ['acaaa', '!caaa', 'a single seat at the row’s end'],
  ['aacaa', 'aacaa', 'two are no orphan'],
  ['aaacas', 'aaac!s', 'between the choice and a sold seat'],
  ['ccacc', 'cc!cc', 'between two choices'],
  ['aaca|aaa', 'aac!aaa', 'before an aisle'],
  ['aaa|acaa', 'aaa!caa', 'after an aisle'],
  ['sasca', 'sasc!', 'one that was single before is not the chooser’s fault'],
  ['cas', 'c!s', 'a pair cut in two'],
  ['scs', 'scs', 'the last of a gap'],
])('%s → %s: %s', (choice, advice) => {
  expect(row(choice)).toBe(advice);
});

test('seats in front and behind are no neighbours', () => {
  const plan = SeatPlan.of(hall([[['a'], ['a'], ['a']]]));
  expect(orphans(plan, new SeatStates(plan), new Set([1]))).toEqual([]);
});

test('a chosen seat that is gone leaves nobody single', () => {
  const plan = SeatPlan.of(hall([[['a', 'a', 'a']]]));
  const states = new SeatStates(plan);
  states.apply({ event_id: '', version: 1, blocks: [{ id: '1', version: 1, states: 'saa' }] });
  expect(orphans(plan, states, new Set([0]))).toEqual([]);
});
