import { expect, test } from 'vitest';
import { arena, hall } from './example';
import { SeatGrid } from './grid';
import { SeatPlan } from './plan';
import { step } from './rows';
import { Camera } from './camera';

test('the grid finds what a search through all seats finds', () => {
  const plan = SeatPlan.of(arena());
  const grid = new SeatGrid(plan);
  for (const [x, y, radius] of [
    [0, 200, 30],
    [-210, 30, 12],
    [500, 500, 40],
    [plan.bounds.maxX, 0, 25],
  ] as const) {
    const found: number[] = [];
    grid.within(x - radius, y - radius, x + radius, y + radius, (index) => found.push(index));
    const all = plan.seats
      .filter((seat) => Math.abs(seat.x - x) <= radius && Math.abs(seat.y - y) <= radius)
      .map((seat) => seat.index);
    expect(found.sort((a, b) => a - b)).toEqual(all);
    const distance = (index: number | undefined) =>
      Math.hypot((plan.seats[index ?? -1]?.x ?? Infinity) - x, (plan.seats[index ?? -1]?.y ?? Infinity) - y);
    const least = Math.min(...plan.seats.map((seat) => Math.hypot(seat.x - x, seat.y - y)));
    if (least <= radius) expect(distance(grid.nearest(x, y, radius))).toBeCloseTo(least);
    else expect(grid.nearest(x, y, radius)).toBeUndefined();
  }
});

test('the grid takes a plan of one seat, and of none', () => {
  expect(new SeatGrid(SeatPlan.of(hall([[['a']]]))).nearest(0.2, 0, 0.5)).toBe(0);
  expect(
    new SeatGrid(SeatPlan.of(hall([], { areas: [{ capacity: 5, blocks: ['1'] }] }))).nearest(0, 0, 10),
  ).toBeUndefined();
});

function camera(): Camera {
  const shown = new Camera();
  shown.resize(1000, 600);
  shown.show(SeatPlan.of(arena()));
  return shown;
}

test('at first everything is to be seen, and a resize keeps it so', () => {
  const shown = camera();
  const { bounds } = SeatPlan.of(arena());
  for (const [width, height] of [
    [1000, 600],
    [320, 500],
  ] as const) {
    shown.resize(width, height);
    for (const x of [bounds.minX, bounds.maxX]) {
      for (const y of [bounds.minY, bounds.maxY]) {
        const at = shown.toScreen(x, y);
        expect(at.x >= 0 && at.x <= width && at.y >= 0 && at.y <= height).toBe(true);
      }
    }
  }
});

test('zooming keeps the point under the pointer', () => {
  const shown = camera();
  shown.goto({ scale: 4, x: 0, y: 250 });
  const before = shown.toPlan(700, 200);
  shown.zoomAt(1.7, 700, 200);
  const after = shown.toPlan(700, 200);
  expect(shown.scale).toBeCloseTo(6.8);
  expect(after.x).toBeCloseTo(before.x);
  expect(after.y).toBeCloseTo(before.y);
});

test('zooming ends at everything and at the nearest', () => {
  const shown = camera();
  shown.zoomAt(1000, 500, 300);
  expect(shown.scale).toBe(shown.maxScale);
  shown.zoomAt(1 / 10_000, 500, 300);
  expect(shown.fitted).toBe(true);
  expect(shown.scale).toBe(shown.minScale);
});

test('the map cannot be pushed off the screen', () => {
  const shown = camera();
  shown.goto({ scale: 5, x: 0, y: 0 });
  shown.panBy(1e6, -1e6);
  const { bounds } = SeatPlan.of(arena());
  const corner = shown.toScreen(bounds.minX, bounds.maxY);
  expect(corner.x).toBeLessThan(1000);
  expect(corner.y).toBeGreaterThan(0);
});

test('arrow keys lead along the row, and to the nearest seat of the next', () => {
  const plan = SeatPlan.of(
    hall([
      [
        ['a', 'a', 'a'],
        ['a', 'a'],
        ['a', 'a', 'a'],
      ],
    ]),
  );
  const [section] = plan.sections;
  if (!section) throw new Error('no section');
  const to = (from: number, key: string) => step(plan, section, from, key);
  expect([to(0, 'ArrowRight'), to(2, 'ArrowRight'), to(0, 'ArrowLeft')]).toEqual([1, 2, 0]);
  expect([to(2, 'ArrowDown'), to(4, 'ArrowDown'), to(3, 'ArrowUp'), to(0, 'ArrowUp')]).toEqual([4, 6, 0, 0]);
  expect([to(6, 'Home'), to(6, 'End')]).toEqual([5, 7]);
  expect(to(0, 'x')).toBeUndefined();
});
