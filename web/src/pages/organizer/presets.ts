// Plans to begin with. Names are the texts of the language one begins in.
import { seatCount } from './generate';
import { slug, type AreaDraft, type Paint, type SectionDraft, type VenueDraft } from './draft';

export const presets = ['empty', 'hall', 'theatre', 'arena'] as const;
export type Preset = (typeof presets)[number];

export interface PresetNames {
  categories: [string, string, string];
  stalls: string;
  balcony: string;
  left: string;
  right: string;
  floor: string;
  lower: string;
  upper: string;
  standing: string;
}

type Shape = Omit<SectionDraft, 'id' | 'firstLabel' | 'numbering' | 'paint' | 'rotation' | 'radius'> &
  Partial<SectionDraft>;

export function preset(kind: Preset, names: PresetNames, timeZone: string): VenueDraft {
  const [best, middle, far] = names.categories;
  const ids = [slug(best, []), slug(middle, [slug(best, [])])] as const;
  const [first, second] = ids;
  const third = slug(far, ids);
  const categories = {
    first: { id: first, name: best },
    second: { id: second, name: middle },
    third: { id: third, name: far },
  };
  const taken: string[] = [];
  const id = (name: string) => {
    const made = slug(name, taken);
    taken.push(made);
    return made;
  };
  const section = (shape: Shape): SectionDraft => ({
    radius: 0,
    rotation: 0,
    firstLabel: 'A',
    numbering: 'left',
    paint: {},
    ...shape,
    id: id(shape.name),
  });
  const area = (name: string, category: string, capacity: number, x: number, y: number): AreaDraft => ({
    id: id(name),
    name,
    category,
    capacity,
    x,
    y,
  });
  const venue = (used: VenueDraft['categories'], sections: SectionDraft[], areas: AreaDraft[]): VenueDraft => ({
    name: '',
    city: '',
    timeZone,
    categories: used,
    sections,
    areas,
  });

  switch (kind) {
    case 'empty':
      return venue([categories.first], [], []);
    case 'hall': {
      const stalls = section({
        name: names.stalls,
        rows: 12,
        first: 18,
        last: 18,
        x: 0,
        y: 0,
        category: first,
        paint: rows(5, 12, 18, second),
      });
      return venue(
        [categories.first, categories.second],
        [{ ...stalls, paint: { ...stalls.paint, '11/0': accessible(second), '11/17': accessible(second) } }],
        [area(names.standing, second, 80, 0, 18)],
      );
    }
    case 'theatre': {
      const side = { rows: 12, first: 5, last: 9, category: second, radius: 26 } as const;
      const turned = around(26, 34);
      return venue(
        [categories.first, categories.second, categories.third],
        [
          section({
            name: names.stalls,
            rows: 14,
            first: 20,
            last: 27,
            x: 0,
            y: 0,
            radius: 26,
            numbering: 'odd-even',
            category: first,
            paint: rows(8, 14, 27, second),
          }),
          section({ ...side, name: `${names.stalls} ${names.left}`, ...turned.left }),
          section({ ...side, name: `${names.stalls} ${names.right}`, numbering: 'right', ...turned.right }),
          section({
            name: names.balcony,
            rows: 6,
            first: 48,
            last: 56,
            x: 0,
            y: 22,
            radius: 48,
            numbering: 'odd-even',
            category: third,
          }),
        ],
        [],
      );
    }
    case 'arena': {
      const sections: SectionDraft[] = [];
      for (let line = 0; line < 2; line++) {
        for (let column = 0; column < 4; column++) {
          sections.push(
            section({
              name: `${names.floor} ${line * 4 + column + 1}`,
              rows: 20,
              first: 28,
              last: 28,
              x: (column - 1.5) * 32,
              y: -18 + line * 29,
              firstLabel: '1',
              category: first,
            }),
          );
        }
      }
      const ring = (name: string, radius: number, depth: number, category: string, from: number) => {
        for (let n = 0; n < 32; n++) {
          const angle = -155 + n * 10;
          const place = {
            x: round(radius * Math.sin(rad(angle))),
            y: round(radius * Math.cos(rad(angle))),
            rotation: -angle,
          };
          // An aisle of two seats is left between the sections.
          const width = (row: number) => Math.floor(rad(10) * (radius + row * 1.2)) - 2;
          sections.push(
            section({
              name: `${name} ${from + n}`,
              rows: depth,
              first: width(0),
              last: width(depth - 1),
              radius,
              firstLabel: '1',
              category,
              ...place,
            }),
          );
        }
      };
      ring(names.lower, 118, 26, second, 101);
      ring(names.upper, 156, 29, third, 201);
      const seats = sections.reduce((sum, one) => sum + seatCount(one), 0);
      return venue([categories.first, categories.second, categories.third], sections, [
        area(names.standing, first, Math.max(1, 50_000 - seats), 0, -48),
      ]);
    }
  }
}

const rad = (degrees: number) => (degrees * Math.PI) / 180;
const round = (n: number) => Math.round(n * 10) / 10;
const accessible = (category: string): Paint => ({ category, accessible: true });

/** Every seat of the rows from `from` up to `to`. */
function rows(from: number, to: number, seats: number, category: string): Record<string, Paint> {
  const paint: Record<string, Paint> = {};
  for (let row = from; row < to; row++) for (let seat = 0; seat < seats; seat++) paint[`${row}/${seat}`] = { category };
  return paint;
}

/**
 * Two sections beside one whose first row is an arc of this radius around (0, -radius), as many degrees to each
 * side.
 */
function around(radius: number, degrees: number) {
  const x = round(radius * Math.sin(rad(degrees)));
  const y = round(radius * Math.cos(rad(degrees)) - radius);
  return { left: { x: -x, y, rotation: degrees }, right: { x, y, rotation: -degrees } };
}
