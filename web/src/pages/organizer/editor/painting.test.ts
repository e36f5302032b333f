import { expect, test } from 'vitest';
import { SeatPlan } from '../../../map/plan';
import type { SectionDraft } from '../draft';
import { venueOf } from '../generate';
import { preset } from '../presets';
import { paintSeats, seatsOf, seatsOfRows } from './painting';

const names = {
  categories: ['A', 'B', 'C'] as [string, string, string],
  stalls: 'S',
  balcony: 'B',
  left: 'l',
  right: 'r',
  floor: 'F',
  lower: 'L',
  upper: 'U',
  standing: 'Pit',
};
const empty = preset('hall', names, 'UTC');
const section = (id: string, over: Partial<SectionDraft> = {}): SectionDraft => ({
  id,
  name: id,
  rows: 2,
  first: 2,
  last: 3,
  radius: 0,
  firstLabel: 'A',
  numbering: 'left',
  x: 0,
  y: 0,
  rotation: 0,
  category: 'a',
  paint: {},
  ...over,
});
const sections = [section('one'), section('two', { numbering: 'right', y: 10 })];
const plan = SeatPlan.draft(venueOf({ ...empty, sections }));

test('seats of a section and of rows', () => {
  expect([...seatsOf(plan, 'two')]).toEqual([5, 6, 7, 8, 9]);
  expect(seatsOf(plan, undefined).size).toBe(0);
  expect(seatsOfRows(plan, 'two', 1, 1)).toEqual([7, 8, 9]);
  expect(seatsOfRows(plan, 'one', 1, 0)).toEqual([0, 1, 2, 3, 4]);
});

test('seats are painted where they stand, whichever way they are numbered', () => {
  const painted = paintSeats(sections, plan, [0, 4, 5, 7], 'blocked');
  expect(painted.map((one) => Object.keys(one.paint))).toEqual([
    ['0/0', '1/2'],
    ['0/1', '1/2'],
  ]);
  const again = SeatPlan.draft(venueOf({ ...empty, sections: painted }));
  expect(again.seats.filter((seat) => seat.blocked).map(({ index }) => index)).toEqual([0, 4, 5, 7]);
});

test('a section without painted seats stays the same, and standing areas are left out', () => {
  const painted = paintSeats(sections, plan, [0, plan.seats.length + 3], 'blocked');
  expect(painted[1]).toBe(sections[1]);
  expect(Object.keys(painted[0]?.paint ?? {})).toEqual(['0/0']);
});
