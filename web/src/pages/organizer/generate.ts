// From shapes to seats: a section's rows, their labels, and where each seat is.
import type { Schemas } from '../../api/client';
import type { AreaDraft, NewVenue, Numbering, SectionDraft, VenueDraft } from './draft';

/** Between the rows; a seat is 1 wide. */
export const rowPitch = 1.2;

type NewSection = Schemas['NewSection'];
type NewSeat = Schemas['NewSeat'];

/** How many seats row `row` has: between the first and the last in even steps. */
export function seatsInRow({ rows, first, last }: Pick<SectionDraft, 'rows' | 'first' | 'last'>, row: number): number {
  return rows < 2 ? first : Math.round(first + ((last - first) * row) / (rows - 1));
}

export function seatCount(section: Pick<SectionDraft, 'rows' | 'first' | 'last'>): number {
  let count = 0;
  for (let row = 0; row < section.rows; row++) count += seatsInRow(section, row);
  return count;
}

export const capacity = (draft: VenueDraft): number =>
  draft.sections.reduce((sum, section) => sum + seatCount(section), 0) +
  draft.areas.reduce((sum, area) => sum + area.capacity, 0);

/** The label of the n-th row, from 0, when the first is `start`: A … Z, AA, AB … or numbers. */
export function rowLabel(start: string, n: number): string {
  if (/^\d+$/.test(start)) return String(Number(start) + n);
  let place = 0;
  for (const letter of start.toUpperCase()) place = place * 26 + (letter.charCodeAt(0) - 64);
  let label = '';
  for (let left = place + n; left > 0; left = Math.floor((left - 1) / 26))
    label = String.fromCharCode(65 + ((left - 1) % 26)) + label;
  return label;
}

/** What rowLabel can count on from. */
export const isRowLabel = (start: string): boolean => /^([A-Za-z]{1,3}|\d{1,6})$/.test(start);

/** The number of the seat that stands at `place` from the left, from 0, of `count`. */
export function seatNumber(numbering: Numbering, place: number, count: number): number {
  switch (numbering) {
    case 'left':
      return place + 1;
    case 'right':
      return count - place;
    case 'odd-even': {
      // … 5 3 1 2 4 6 …: odd ones to the left of the middle, even ones to the right.
      const odd = Math.ceil(count / 2);
      return place < odd ? 2 * (odd - place) - 1 : 2 * (place - odd + 1);
    }
  }
}

/** Where the seat at `place` from the left of `count` is, on the plan. */
export function seatPlace(section: SectionDraft, row: number, place: number, count: number): { x: number; y: number } {
  const along = place - (count - 1) / 2;
  let x = along;
  let y = row * rowPitch;
  if (section.radius > 0) {
    // Rows are arcs around a point in front of the section, so that they stay apart by the pitch everywhere.
    const radius = section.radius + y;
    const angle = along / radius;
    x = radius * Math.sin(angle);
    y = radius * Math.cos(angle) - section.radius;
  }
  const turn = (section.rotation * Math.PI) / 180;
  return {
    x: rounded(section.x + x * Math.cos(turn) - y * Math.sin(turn)),
    y: rounded(section.y + x * Math.sin(turn) + y * Math.cos(turn)),
  };
}

/** Two digits are enough, and what is sent stays small. The sum makes 0 of -0. */
const rounded = (n: number) => Math.round(n * 100) / 100 + 0;

/** The order of a row's seats: a row numbered from the right is listed from there, so that numbers are consecutive. */
export const placeOf = (numbering: Numbering, index: number, count: number): number =>
  numbering === 'right' ? count - 1 - index : index;

export function generate(section: SectionDraft): NewSection {
  const rows: NewSection['rows'][number][] = [];
  for (let row = 0; row < section.rows; row++) {
    const count = seatsInRow(section, row);
    const seats: NewSeat[] = [];
    for (let index = 0; index < count; index++) {
      const place = placeOf(section.numbering, index, count);
      const painted = section.paint[`${row}/${place}`];
      seats.push({
        number: String(seatNumber(section.numbering, place, count)),
        ...seatPlace(section, row, place, count),
        ...(painted?.category && painted.category !== section.category ? { category: painted.category } : {}),
        ...(painted?.accessible ? { accessible: true } : {}),
        ...(painted?.blocked ? { blocked: true } : {}),
      });
    }
    rows.push({ label: rowLabel(section.firstLabel, row), category: section.category, seats });
  }
  return { id: section.id, name: section.name.trim(), rows };
}

const generated = new WeakMap<SectionDraft, NewSection>();

/** As `generate`, but a section that has not changed is not made again. */
export function sectionOf(section: SectionDraft): NewSection {
  let made = generated.get(section);
  if (!made) generated.set(section, (made = generate(section)));
  return made;
}

const areaOf = ({ id, name, category, capacity, x, y }: AreaDraft) => ({
  id,
  name: name.trim(),
  category,
  capacity,
  x,
  y,
});

/** What POST /venues gets. */
export function venueOf(draft: VenueDraft): NewVenue {
  return {
    name: draft.name.trim(),
    city: draft.city.trim(),
    time_zone: draft.timeZone,
    categories: draft.categories.map(({ id, name }) => ({ id, name: name.trim() })),
    sections: draft.sections.map(sectionOf),
    areas: draft.areas.map(areaOf),
  };
}
