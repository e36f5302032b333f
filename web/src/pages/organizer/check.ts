// What is wrong with a draft, or looks like a mistake.
import { limits, type NewVenue, type VenueDraft } from './draft';

export type Finding =
  | { kind: 'too-many-seats' | 'too-many-sections' | 'too-many-areas'; grave: true }
  | { kind: 'nothing-to-sell'; grave: true }
  | { kind: 'unused-category'; grave: false; name: string }
  | { kind: 'same-rows'; grave: false; name: string; rows: string }
  | { kind: 'overlap'; grave: false; count: number; sections: string };

/** Seats whose middles are nearer than this stand on one another; neighbours in a row are 1 apart. */
const tooNear = 0.75;

/** Findings about a draft and the venue made of it; grave ones keep it from being saved. */
export function findings(draft: VenueDraft, venue: NewVenue, seats: number): Finding[] {
  const found: Finding[] = [];
  if (seats > limits.seats) found.push({ kind: 'too-many-seats', grave: true });
  if (draft.sections.length > limits.sections) found.push({ kind: 'too-many-sections', grave: true });
  if (draft.areas.length > limits.areas) found.push({ kind: 'too-many-areas', grave: true });
  if (draft.sections.length + draft.areas.length === 0) found.push({ kind: 'nothing-to-sell', grave: true });
  const used = usedCategories(venue);
  for (const { id, name } of draft.categories)
    if (!used.has(id)) found.push({ kind: 'unused-category', grave: false, name });
  found.push(...sameRows(venue));
  if (seats <= limits.seats) {
    const { count, sections } = overlaps(venue);
    if (count > 0) found.push({ kind: 'overlap', grave: false, count, sections: sections.slice(0, 4).join(', ') });
  }
  return found;
}

function usedCategories(venue: NewVenue): Set<string> {
  const used = new Set((venue.areas ?? []).map(({ category }) => category));
  for (const section of venue.sections ?? []) {
    for (const row of section.rows) {
      for (const seat of row.seats) used.add(seat.category ?? row.category ?? '');
    }
  }
  return used;
}

/** Sections of one name with rows of one label: their tickets would say the same. */
function sameRows(venue: NewVenue): Finding[] {
  const labels = new Map<string, Set<string>>();
  const twice = new Map<string, string[]>();
  for (const section of venue.sections ?? []) {
    const seen = labels.get(section.name) ?? new Set();
    labels.set(section.name, seen);
    for (const { label } of section.rows) {
      if (seen.has(label)) twice.set(section.name, [...(twice.get(section.name) ?? []), label]);
      seen.add(label);
    }
  }
  return [...twice].map(([name, rows]) => ({
    kind: 'same-rows',
    grave: false,
    name,
    rows: [...new Set(rows)].slice(0, 6).join(', '),
  }));
}

/** How many seats stand on another, and the names of the sections they are of. */
export function overlaps(venue: NewVenue): { count: number; sections: string[] } {
  const cells = new Map<number, { x: number; y: number; section: string }[]>();
  const names = new Set<string>();
  let count = 0;
  // Cells as wide as the distance: what is near is in the same or the next one. Coordinates are within ±1,000,000.
  const key = (column: number, row: number) => column * 4_000_000 + row;
  for (const section of venue.sections ?? []) {
    for (const { seats } of section.rows) {
      for (const { x, y } of seats) {
        const column = Math.floor(x / tooNear);
        const row = Math.floor(y / tooNear);
        let near = false;
        for (let i = column - 1; i <= column + 1; i++) {
          for (let j = row - 1; j <= row + 1; j++) {
            for (const other of cells.get(key(i, j)) ?? []) {
              if ((other.x - x) ** 2 + (other.y - y) ** 2 >= tooNear ** 2) continue;
              near = true;
              names.add(other.section).add(section.name);
            }
          }
        }
        if (near) count++;
        const here = key(column, row);
        const cell = cells.get(here);
        if (cell) cell.push({ x, y, section: section.name });
        else cells.set(here, [{ x, y, section: section.name }]);
      }
    }
  }
  return { count, sections: [...names] };
}
