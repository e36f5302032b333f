import { describe, expect, test } from 'vitest';
import { findings, overlaps } from './check';
import {
  duplicate,
  newArea,
  newSection,
  paint,
  removeCategory,
  slug,
  type SectionDraft,
  type VenueDraft,
} from './draft';
import {
  capacity,
  generate,
  isRowLabel,
  placeOf,
  rowLabel,
  rowPitch,
  sectionOf,
  seatCount,
  seatNumber,
  seatsInRow,
  venueOf,
} from './generate';
import { preset, presets, type PresetNames } from './presets';

const names: PresetNames = {
  categories: ['Best', 'Middle', 'Far'],
  stalls: 'Stalls',
  balcony: 'Balcony',
  left: 'left',
  right: 'right',
  floor: 'Floor',
  lower: 'Lower',
  upper: 'Upper',
  standing: 'Standing',
};
const empty = preset('empty', names, 'Europe/Vienna');
const section = (over: Partial<SectionDraft> = {}): SectionDraft => ({
  ...newSection(empty, 'Stalls'),
  rows: 3,
  first: 4,
  last: 4,
  ...over,
});
const withSections = (...sections: SectionDraft[]): VenueDraft => ({
  ...empty,
  name: 'Hall',
  city: 'Vienna',
  sections,
});

describe('rows', () => {
  test.each([
    ['A', 0, 'A'],
    ['A', 25, 'Z'],
    ['A', 26, 'AA'],
    ['A', 51, 'AZ'],
    ['A', 52, 'BA'],
    ['K', 3, 'N'],
    ['z', 1, 'AA'],
    ['ZZ', 1, 'AAA'],
    ['1', 0, '1'],
    ['9', 2, '11'],
    ['0', 1, '1'],
  ])('from %s, %i further is %s', (start, n, label) => expect(rowLabel(start, n)).toBe(label));

  test.each([
    ['A', true],
    ['AB', true],
    ['12', true],
    ['', false],
    ['A1', false],
    ['Ä', false],
    ['-1', false],
  ])('%j as the first label: %s', (start, right) => expect(isRowLabel(start)).toBe(right));

  test('a fan grows evenly from the first row to the last', () => {
    const fan = { rows: 5, first: 10, last: 18 };
    expect([0, 1, 2, 3, 4].map((row) => seatsInRow(fan, row))).toEqual([10, 12, 14, 16, 18]);
    expect(seatCount(fan)).toBe(70);
    expect(seatsInRow({ rows: 1, first: 7, last: 99 }, 0)).toBe(7);
  });
});

describe('numbers', () => {
  const line = (numbering: 'left' | 'right' | 'odd-even', count: number) =>
    Array.from({ length: count }, (_, place) => seatNumber(numbering, place, count));

  test.each([
    ['left', 4, [1, 2, 3, 4]],
    ['right', 4, [4, 3, 2, 1]],
    ['odd-even', 6, [5, 3, 1, 2, 4, 6]],
    ['odd-even', 5, [5, 3, 1, 2, 4]],
    ['odd-even', 1, [1]],
  ] as const)('%s, %i seats', (numbering, count, numbers) => expect(line(numbering, count)).toEqual(numbers));

  test('rows numbered from the right are listed from there', () => {
    const row = generate(section({ numbering: 'right', rows: 1 })).rows[0];
    expect(row?.seats.map(({ number }) => number)).toEqual(['1', '2', '3', '4']);
    expect(row?.seats.map(({ x }) => x)).toEqual([1.5, 0.5, -0.5, -1.5]);
    expect(placeOf('right', 0, 4)).toBe(3);
  });
});

describe('places', () => {
  const distance = (a: { x: number; y: number }, b: { x: number; y: number }) => Math.hypot(a.x - b.x, a.y - b.y);

  test('straight rows are centred and a pitch apart', () => {
    const { rows } = generate(section({ x: 10, y: 5 }));
    expect(rows[0]?.seats.map(({ x, y }) => [x, y])).toEqual([
      [8.5, 5],
      [9.5, 5],
      [10.5, 5],
      [11.5, 5],
    ]);
    expect(rows[2]?.seats[0]?.y).toBeCloseTo(5 + 2 * rowPitch);
  });

  test('rows on an arc bend to the front, neighbours stay about 1 apart', () => {
    const { rows } = generate(section({ rows: 4, first: 21, last: 27, radius: 20 }));
    for (const { seats } of rows) {
      const [end, middle] = [seats[0], seats[(seats.length - 1) / 2]];
      expect(end?.y).toBeLessThan(middle?.y ?? 0);
      seats.slice(1).forEach((seat, i) => expect(distance(seat, seats[i] ?? seat)).toBeCloseTo(1, 1));
    }
    expect(rows[1]?.seats[11]?.x).toBe(0);
    expect(rows[1]?.seats[11]?.y).toBe(rowPitch);
  });

  test('a quarter turn clockwise makes right down', () => {
    const seats = generate(section({ rows: 2, first: 2, last: 2, rotation: 90 })).rows.flatMap((row) => row.seats);
    expect(seats.map(({ x, y }) => [x, y])).toEqual([
      [0, -0.5],
      [0, 0.5],
      [-rowPitch, -0.5],
      [-rowPitch, 0.5],
    ]);
  });
});

describe('paint', () => {
  test('a category, accessible and blocked come out on the seat, by its place from the left', () => {
    let painted = paint(section({ numbering: 'right' }), ['0/0', '0/1'], { category: 'vip' });
    painted = paint(painted, ['0/0'], 'accessible');
    painted = paint(painted, ['2/3'], 'blocked');
    const { rows } = generate(painted);
    expect(rows[0]?.seats[3]).toMatchObject({ number: '4', category: 'vip', accessible: true });
    expect(rows[0]?.seats[2]).toMatchObject({ number: '3', category: 'vip' });
    expect(rows[0]?.seats[1]).not.toHaveProperty('category');
    expect(rows[2]?.seats[0]).toMatchObject({ number: '1', blocked: true });
  });

  test('is taken off by its opposite, and nothing is left behind', () => {
    let painted = paint(section(), ['0/0', '1/1'], { category: 'vip' });
    painted = paint(painted, ['0/0'], 'blocked');
    painted = paint(painted, ['0/0', '1/1'], { category: painted.category });
    expect(painted.paint).toEqual({ '0/0': { blocked: true } });
    expect(paint(painted, ['0/0'], 'for-sale').paint).toEqual({});
    expect(paint(paint(painted, ['0/0'], 'accessible'), ['0/0'], 'ordinary').paint).toEqual({
      '0/0': { blocked: true },
    });
  });

  test('leaves the section as it was', () => {
    const before = section();
    paint(before, ['0/0'], 'blocked');
    expect(before.paint).toEqual({});
  });
});

describe('parts', () => {
  test.each([
    ['Parkett Mitte', [], 'parkett-mitte'],
    ['Große Loge', [], 'grosse-loge'],
    ['Empöre', [], 'empore'],
    ['Stalls', ['stalls', 'stalls-2'], 'stalls-3'],
    ['舞台', [], 'part'],
    ['a very long name for a section of a hall', [], 'a-very-long-name-for-a-sec'],
  ])('the id for %j beside %j is %s', (name, taken, id) => expect(slug(name, taken)).toBe(id));

  test('a copy has a name and an id of its own, and stands beside', () => {
    const draft = withSections(section());
    const copy = duplicate(draft, draft.sections[0] as SectionDraft);
    expect([copy.name, copy.id]).toEqual(['Stalls 2', 'stalls-2']);
    expect(copy.x).toBe(6);
    expect(duplicate({ ...draft, sections: [...draft.sections, copy] }, copy).name).toBe('Stalls 3');
  });

  test('a category that goes leaves its seats to the first', () => {
    const vip = { id: 'vip', name: 'VIP' };
    const base = {
      ...withSections(
        paint(section({ category: 'vip' }), ['0/0'], { category: 'best' }),
        paint(section({ category: 'best' }), ['1/1'], { category: 'vip' }),
      ),
      categories: [...empty.categories, vip],
    };
    const draft = removeCategory({ ...base, areas: [{ ...newArea(base, 'Pit'), category: 'vip' }] }, 'vip');
    expect(draft.categories).toEqual(empty.categories);
    expect(draft.sections.map(({ category }) => category)).toEqual(['best', 'best']);
    expect(draft.sections[1]?.paint).toEqual({});
    expect(draft.areas[0]?.category).toBe('best');
  });

  test('a section that did not change is not made again', () => {
    const one = section();
    expect(sectionOf(one)).toBe(sectionOf(one));
    expect(sectionOf({ ...one, rows: 4 }).rows).toHaveLength(4);
  });
});

describe('presets', () => {
  test.each(presets.filter((kind) => kind !== 'empty'))('%s is ready to be saved but for its name', (kind) => {
    const draft = preset(kind, names, 'Europe/Vienna');
    const venue = venueOf(draft);
    expect(findings(draft, venue, capacity(draft))).toEqual([]);
    for (const { rows } of venue.sections ?? []) {
      expect(new Set(rows.map(({ label }) => label)).size).toBe(rows.length);
      for (const { seats } of rows) expect(new Set(seats.map(({ number }) => number)).size).toBe(seats.length);
    }
  });

  test('the arena has 50,000 places', () => expect(capacity(preset('arena', names, 'Europe/Vienna'))).toBe(50_000));

  test('every id is a slug of its own', () => {
    const { sections, areas, categories } = preset('arena', names, 'UTC');
    const ids = [...sections, ...areas].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of [...ids, ...categories.map((category) => category.id)]) expect(id).toMatch(/^[a-z0-9-]{1,32}$/);
  });
});

describe('findings', () => {
  const kinds = (draft: VenueDraft) => findings(draft, venueOf(draft), capacity(draft)).map(({ kind }) => kind);

  test('a plain section is fine', () => expect(kinds(withSections(section()))).toEqual([]));
  test('nothing to sell', () => expect(kinds(empty)).toEqual(['nothing-to-sell', 'unused-category']));
  test('sections on one another', () => {
    const draft = withSections(section(), section({ id: 'other', name: 'Other', x: 2.2 }));
    expect(kinds(draft)).toEqual(['overlap']);
    expect(overlaps(venueOf(draft))).toEqual({ count: 6, sections: ['Stalls', 'Other'] });
  });
  test.each([
    [0.7, 0.7, 0.9, 0.7],
    [0.9, 0.7, 0.7, 0.7],
    [0.7, 0.7, 0.7, 0.9],
    [0.7, 0.9, 0.7, 0.7],
    [-0.1, -0.1, 0.1, 0.1],
  ])('seats at (%d, %d) and (%d, %d) are too near', (x, y, otherX, otherY) => {
    const seat = { rows: 1, first: 1, last: 1 };
    const draft = withSections(
      section({ ...seat, x, y }),
      section({ ...seat, id: 'other', name: 'Other', x: otherX, y: otherY }),
    );
    expect(overlaps(venueOf(draft)).count).toBe(1);
  });
  test('an arc so tight that it comes round', () =>
    expect(kinds(withSections(section({ first: 40, last: 40, radius: 4 })))).toEqual(['overlap']));
  test('two sections whose tickets would say the same', () =>
    expect(kinds(withSections(section(), section({ id: 'other', x: 20 })))).toEqual(['same-rows']));
  test('the same name with other rows is fine', () =>
    expect(kinds(withSections(section(), section({ id: 'other', x: 20, firstLabel: 'D' })))).toEqual([]));
  test('too many seats', () =>
    expect(
      kinds({
        ...withSections(section()),
        areas: [1, 2].map((n) => ({ ...newArea(empty, `Pit ${n}`), capacity: 60_000 })),
      }),
    ).toEqual(['too-many-seats']));
});
