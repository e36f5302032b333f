import { expect, test } from 'vitest';
import { hall } from './example';
import { SeatPlan } from './plan';
import { SeatStates, type Availability } from './states';

const plan = SeatPlan.of(
  hall([[['a', '-a', 'b', 'b']], [['+b']]], {
    blockOf: (n) => [n < 4 ? 1 : 2, n < 4 ? n : n - 4],
    areas: [{ capacity: 3, blocks: ['3'] }],
  }),
);
const snapshot = (blocks: [string, number, string][]): Availability => ({
  event_id: '0193b3a0-3333-7abc-8def-000000000003',
  version: 1,
  blocks: blocks.map(([id, version, states]) => ({ id, version, states })),
});

test('before a sale the plan says what is blocked', () => {
  const states = new SeatStates(plan);
  expect(states.known).toBe(false);
  expect([0, 1, 2, 3, 4, 5].map((index) => states.of(index))).toEqual([
    'available',
    'blocked',
    'available',
    'available',
    'available',
    'available',
  ]);
  expect(states.counts()).toEqual({ available: 7, held: 0, sold: 0, blocked: 1 });
});

test('a snapshot sets seats and units, and says which changed', () => {
  const states = new SeatStates(plan);
  expect(
    states.apply(
      snapshot([
        ['1', 3, 'axhs'],
        ['2', 1, 'a'],
        ['3', 2, 'ass'],
      ]),
    ),
  ).toEqual([2, 3, 6, 7]);
  expect(states.known).toBe(true);
  expect(Array.from({ length: plan.size }, (_, index) => states.of(index))).toEqual([
    'available',
    'blocked',
    'held',
    'sold',
    'available',
    'available',
    'sold',
    'sold',
  ]);
});

test('counts are kept of all, of sections, areas and categories', () => {
  const states = new SeatStates(plan);
  states.apply(
    snapshot([
      ['1', 3, 'axhs'],
      ['2', 1, 'a'],
      ['3', 2, 'ass'],
    ]),
  );
  states.applyDelta({ block: '1', version: 4, seats: { '1-0': 'held', '1-2': 'available' } });
  expect(states.counts()).toEqual({ available: 3, held: 1, sold: 3, blocked: 1 });
  expect(states.countsOfSection(0)).toEqual({ available: 1, held: 1, sold: 1, blocked: 1 });
  expect(states.countsOfSection(1)).toEqual({ available: 1, held: 0, sold: 0, blocked: 0 });
  expect(states.countsOfArea(0)).toEqual({ available: 1, held: 0, sold: 2, blocked: 0 });
  expect(states.countsOfCategory(0)).toEqual({ available: 1, held: 1, sold: 2, blocked: 1 });
  expect(states.countsOfCategory(1)).toEqual({ available: 2, held: 0, sold: 1, blocked: 0 });
});

test('a delta changes its seats; one that was overtaken does not', () => {
  const states = new SeatStates(plan);
  states.apply(snapshot([['1', 3, 'axaa']]));
  expect(states.applyDelta({ block: '1', version: 4, seats: { '1-2': 'held', '1-3': 'available' } })).toEqual([2]);
  expect(states.applyDelta({ block: '1', version: 4, seats: { '1-2': 'sold' } })).toEqual([]);
  expect(states.applyDelta({ block: '1', version: 3, seats: { '1-2': 'available' } })).toEqual([]);
  expect(states.of(2)).toBe('held');
});

test('a delta after a gap is told from the next', () => {
  const states = new SeatStates(plan);
  states.apply(snapshot([['1', 3, 'axaa']]));
  expect(states.misses({ block: '1', version: 4, seats: {} })).toBe(false);
  expect(states.misses({ block: '1', version: 5, seats: {} })).toBe(true);
  expect(states.misses({ block: '1', version: 2, seats: {} })).toBe(false);
});

test('a block of an older snapshot is passed over', () => {
  const states = new SeatStates(plan);
  states.apply(
    snapshot([
      ['1', 3, 'axaa'],
      ['2', 1, 'a'],
    ]),
  );
  states.applyDelta({ block: '1', version: 9, seats: { '1-0': 'sold' } });
  expect(
    states.apply(
      snapshot([
        ['1', 8, 'axaa'],
        ['2', 2, 's'],
      ]),
    ),
  ).toEqual([4]);
  expect(states.of(0)).toBe('sold');
});

test('blocks and seats the plan does not know are passed over', () => {
  const states = new SeatStates(plan);
  expect(
    states.apply(
      snapshot([
        ['99', 3, 'ss'],
        ['2', 1, 'as'],
      ]),
    ),
  ).toEqual([]);
  expect(states.applyDelta({ block: '99', version: 4, seats: { '99-0': 'sold' } })).toEqual([]);
});
