// A venue as its organiser draws it: sections by their shape instead of seat by seat, and what was painted over that.
import type { Schemas } from '../../api/client';

export type NewVenue = Schemas['NewVenue'];
export type Category = Schemas['Category'];

/** Limits of the service. */
export const limits = {
  seats: 120_000,
  sections: 500,
  areas: 500,
  categories: 20,
  capacity: 100_000,
  rows: 200,
  seatsInRow: 300,
} as const;

export type Numbering = 'left' | 'right' | 'odd-even';

/** What was painted on one seat. */
export interface Paint {
  category?: string;
  accessible?: true;
  blocked?: true;
}

export interface SectionDraft {
  id: string;
  name: string;
  rows: number;
  /** Seats of the first and of the last row; those between are in between. */
  first: number;
  last: number;
  /** Of the first row's arc, in seats; 0 is straight. The rows' ends bend to the front. */
  radius: number;
  /** "A" is followed by B, C, …; "1" by 2, 3, …. */
  firstLabel: string;
  numbering: Numbering;
  /** Where the middle of the first row is, in seats; y grows away from the front. */
  x: number;
  y: number;
  /** Degrees, clockwise. */
  rotation: number;
  category: string;
  /** By "row/seat", both from 0, seats as they stand from left to right. */
  paint: Readonly<Record<string, Paint>>;
}

export interface AreaDraft {
  id: string;
  name: string;
  category: string;
  capacity: number;
  x: number;
  y: number;
}

/** Drafts are never changed but replaced, which is what makes undo and the memory of generated sections simple. */
export interface VenueDraft {
  readonly name: string;
  readonly city: string;
  readonly timeZone: string;
  readonly categories: readonly Category[];
  readonly sections: readonly SectionDraft[];
  readonly areas: readonly AreaDraft[];
}

/** An id for a name: what of it a slug may have, and a number behind it if it is taken. */
export function slug(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/ß/g, 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  const stem =
    plain
      .replace(/^-+|-+$/g, '')
      .slice(0, 26)
      .replace(/-+$/, '') || 'part';
  for (let n = 1; ; n++) {
    const id = n === 1 ? stem : `${stem}-${n}`;
    if (!taken.includes(id)) return id;
  }
}

/** Ids of sections and areas are of one kind. */
export const partIds = (draft: VenueDraft): string[] => [...draft.sections, ...draft.areas].map(({ id }) => id);

export function newSection(draft: VenueDraft, name: string): SectionDraft {
  return {
    id: slug(name, partIds(draft)),
    name,
    rows: 10,
    first: 20,
    last: 20,
    radius: 0,
    firstLabel: 'A',
    numbering: 'left',
    ...below(draft),
    rotation: 0,
    category: draft.categories[0]?.id ?? '',
    paint: {},
  };
}

export function newArea(draft: VenueDraft, name: string): AreaDraft {
  return {
    id: slug(name, partIds(draft)),
    name,
    category: draft.categories[0]?.id ?? '',
    capacity: 100,
    ...below(draft),
  };
}

/** A place behind everything else. */
function below(draft: VenueDraft): { x: number; y: number } {
  const ends = [...draft.sections.map(({ y, rows }) => y + rows * 1.2 + 2), ...draft.areas.map(({ y }) => y + 6)];
  return { x: 0, y: Math.round(Math.max(0, ...ends)) };
}

export function duplicate(draft: VenueDraft, section: SectionDraft): SectionDraft {
  const { name, number } = /^(?<name>.*?)(?: (?<number>\d+))?$/.exec(section.name)?.groups ?? {};
  const names = draft.sections.map((other) => other.name);
  let n = Number(number ?? 1) + 1;
  while (names.includes(`${name} ${n}`)) n++;
  const copy = `${name} ${n}`;
  return {
    ...section,
    id: slug(copy, partIds(draft)),
    name: copy,
    x: Math.round(section.x + Math.max(section.first, section.last) + 2),
  };
}

/** Takes a category away; what had it gets the first that is left. */
export function removeCategory(draft: VenueDraft, id: string): VenueDraft {
  const categories = draft.categories.filter((category) => category.id !== id);
  const instead = categories[0]?.id ?? '';
  const or = (category: string) => (category === id ? instead : category);
  return {
    ...draft,
    categories,
    areas: draft.areas.map((area) => ({ ...area, category: or(area.category) })),
    sections: draft.sections.map((section) => ({
      ...section,
      category: or(section.category),
      paint: unpaint(section.paint, id),
    })),
  };
}

function unpaint(paint: SectionDraft['paint'], category: string): SectionDraft['paint'] {
  const out: Record<string, Paint> = {};
  for (const [seat, painted] of Object.entries(paint)) {
    const { category: own, ...rest } = painted;
    const left: Paint = own === undefined || own === category ? rest : painted;
    if (Object.keys(left).length > 0) out[seat] = left;
  }
  return out;
}

export type Brush = { category: string } | 'accessible' | 'ordinary' | 'blocked' | 'for-sale';

/** Paints seats of a section, given as "row/seat". */
export function paint(section: SectionDraft, seats: readonly string[], brush: Brush): SectionDraft {
  const out = new Map(Object.entries(section.paint));
  for (const seat of seats) {
    const next: Paint = { ...out.get(seat) };
    if (brush === 'accessible') next.accessible = true;
    else if (brush === 'ordinary') delete next.accessible;
    else if (brush === 'blocked') next.blocked = true;
    else if (brush === 'for-sale') delete next.blocked;
    else if (brush.category === section.category) delete next.category;
    else next.category = brush.category;
    if (Object.keys(next).length > 0) out.set(seat, next);
    else out.delete(seat);
  }
  return { ...section, paint: Object.fromEntries(out) };
}
