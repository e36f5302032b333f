import { expect, test } from 'vitest';
import { arena, hall } from './example';
import { outline, widened } from './outline';
import { SeatPlan, type NewVenue } from './plan';

const draft: NewVenue = {
  name: 'Hall',
  city: 'Vienna',
  time_zone: 'Europe/Vienna',
  categories: [
    { id: 'front', name: 'Front' },
    { id: 'back', name: 'Back' },
  ],
  sections: [
    {
      id: 'stalls',
      name: 'Stalls',
      rows: [
        {
          label: 'A',
          category: 'front',
          seats: [
            { number: '1', x: 0, y: 0 },
            { number: '2', x: 2, y: 0, category: 'back', accessible: true },
          ],
        },
        { label: 'B', category: 'back', seats: [{ number: '1', x: 0, y: 2, blocked: true }] },
      ],
    },
  ],
  areas: [{ id: 'pit', name: 'Pit', category: 'front', capacity: 40, x: 20, y: 10 }],
};

test('a draft is unfolded into seats of rows of sections', () => {
  const plan = SeatPlan.draft(draft);
  expect(
    plan.seats.map(({ id, row, number, section, category, accessible, blocked }) => [
      id,
      row,
      number,
      section,
      category,
      accessible,
      blocked,
    ]),
  ).toEqual([
    ['stalls/A/0', 'A', '1', 0, 0, false, false],
    ['stalls/A/1', 'A', '2', 0, 1, true, false],
    ['stalls/B/0', 'B', '1', 0, 1, false, true],
  ]);
  expect(plan.sections[0]).toMatchObject({
    id: 'stalls',
    first: 0,
    count: 3,
    rows: [
      { label: 'A', first: 0, count: 2 },
      { label: 'B', first: 2, count: 1 },
    ],
  });
  expect(plan.pitch).toBe(2);
  expect(plan.indexOf('stalls/B/0')).toBe(2);
});

test('a seat is found by the id it has in its block, wherever the block ends', () => {
  const plan = SeatPlan.of(
    hall([[['a', 'a'], ['a']], [['a', 'a']]], { blockOf: (n) => [n < 1 ? 1 : 2, n < 1 ? n : n - 1] }),
  );
  expect(plan.seats.map((seat) => seat.id)).toEqual(['1-0', '2-0', '2-1', '2-2', '2-3']);
  expect(plan.seats.map((seat) => plan.indexOf(seat.id))).toEqual([0, 1, 2, 3, 4]);
  expect(plan.indexOf('2-4')).toBeUndefined();
  expect(plan.indexOf('3-0')).toBeUndefined();
});

test('units of standing areas come after the seats and are cut as the service cuts them', () => {
  const plan = SeatPlan.of(
    hall([[['a', 'a']]], {
      areas: [
        { capacity: 650, blocks: ['2', '3', '4'] },
        { capacity: 5, blocks: ['5'] },
      ],
    }),
  );
  expect(plan.size).toBe(657);
  expect(plan.areas.map(({ first, count }) => [first, count])).toEqual([
    [2, 650],
    [652, 5],
  ]);
  const ids = { 2: '2-0', 301: '2-299', 302: '3-0', 651: '4-49', 652: '5-0', 656: '5-4' };
  for (const [index, id] of Object.entries(ids)) {
    expect(plan.idOf(Number(index))).toBe(id);
    expect(plan.indexOf(id)).toBe(Number(index));
  }
  expect(plan.areaOf(651)?.index).toBe(0);
  expect(plan.areaOf(652)?.index).toBe(1);
  expect(plan.areaOf(1)).toBeUndefined();
});

test("a large venue's areas have larger blocks", () => {
  const venue = hall([[['a']]], { areas: [{ capacity: 3000, blocks: ['2', '3', '4'] }] });
  const plan = SeatPlan.of({ ...venue, seat_count: 40_000 });
  expect(plan.idOf(1 + 1249)).toBe('2-1249');
  expect(plan.idOf(1 + 1250)).toBe('3-0');
  expect(plan.idOf(3000)).toBe('4-499');
});

test('blocks of an area cut in another way are as even as their number says', () => {
  const plan = SeatPlan.of(hall([], { areas: [{ capacity: 1000, blocks: ['1', '2'] }] }));
  expect(plan.idOf(499)).toBe('1-499');
  expect(plan.idOf(999)).toBe('2-499');
});

test('an area is drawn clear of the seats', () => {
  const { areas, seats } = SeatPlan.draft({
    ...draft,
    areas: [{ id: 'pit', name: 'Pit', category: 'front', capacity: 100_000, x: 20, y: 10 }],
  });
  const [area] = areas;
  for (const seat of seats)
    expect(Math.abs(seat.x - 20) < (area?.width ?? 0) / 2 && Math.abs(seat.y - 10) < (area?.height ?? 0) / 2).toBe(
      false,
    );
});

test('the outline of a curved section leaves its hollow free', () => {
  const row = (radius: number) =>
    Array.from({ length: 21 }, (_, i) => ({
      number: `${i + 1}`,
      x: radius * Math.sin((i - 10) / 10),
      y: radius * Math.cos((i - 10) / 10),
    }));
  const plan = SeatPlan.draft({
    ...draft,
    areas: [],
    sections: [
      {
        id: 's',
        name: 'S',
        rows: [10, 11, 12].map((radius) => ({ label: `${radius}`, category: 'front', seats: row(radius) })),
      },
    ],
  });
  const [section] = plan.sections;
  expect(inside({ x: 0, y: 11 }, section?.outline ?? [])).toBe(true);
  expect(inside({ x: 0, y: 8 }, section?.outline ?? [])).toBe(false);
  expect(section?.center).toMatchObject({ x: 0, y: 11 });
});

test('rows numbered from the other side do not cross the outline', () => {
  const seats = [0, 1, 2, 3].map((x) => ({ number: `${x + 1}`, x, y: 0 }));
  const plan = SeatPlan.draft({
    ...draft,
    areas: [],
    sections: [
      {
        id: 's',
        name: 'S',
        rows: [
          { label: '1', category: 'front', seats },
          { label: '2', category: 'front', seats: [...seats].reverse().map((seat) => ({ ...seat, y: 3 })) },
        ],
      },
    ],
  });
  for (const x of [0.2, 1.5, 2.8]) expect(inside({ x, y: 1.5 }, plan.sections[0]?.outline ?? [])).toBe(true);
});

test('a plan without seats has bounds', () => {
  expect(SeatPlan.draft({ ...draft, sections: [], areas: [] }).bounds).toEqual({ minX: 0, minY: 0, maxX: 1, maxY: 1 });
});

test('50,000 seats are unfolded', () => {
  const plan = SeatPlan.of(arena());
  expect(plan.seats.length).toBe(50_000);
  expect(plan.indexOf(plan.seats[49_999]?.id ?? '')).toBe(49_999);
});

/** By the number of edges to the right. */
function inside(point: { x: number; y: number }, polygon: readonly { x: number; y: number }[]): boolean {
  let odd = false;
  polygon.forEach((a, i) => {
    const b = polygon[(i + 1) % polygon.length] as typeof a;
    if (a.y > point.y !== b.y > point.y && point.x < a.x + ((point.y - a.y) / (b.y - a.y)) * (b.x - a.x)) odd = !odd;
  });
  return odd;
}

test('an outline made wider encloses the seats’ edges, also of a single row and a single seat', () => {
  const shapes = [
    [[0, 1, 2, 3].map((x) => ({ x, y: 0 })), [0, 1, 2, 3].map((x) => ({ x, y: 1 }))],
    [[3, 2, 1, 0].map((x) => ({ x, y: 0 })), [3, 2, 1, 0].map((x) => ({ x, y: 1 }))],
    [[0, 1, 2, 3].map((x) => ({ x, y: x / 2 }))],
    [[{ x: 5, y: 5 }]],
    [[{ x: 5, y: 5 }], [{ x: 5, y: 6 }]],
  ];
  for (const rows of shapes) {
    const wide = widened(outline(rows).outline, 0.62);
    for (const seat of rows.flat()) {
      for (let angle = 0; angle < 6.28; angle += 0.3)
        expect(
          inside({ x: seat.x + 0.4 * Math.cos(angle), y: seat.y + 0.4 * Math.sin(angle) }, wide),
          JSON.stringify([seat, wide]),
        ).toBe(true);
    }
  }
});
