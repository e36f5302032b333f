// Venues for tests and measurements.
import type { Schemas, Venue } from '../api/client';

type Area = Schemas['Area'];
const categories = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, name: `Category ${id.toUpperCase()}` }));

interface Wishes {
  /** Block and index of the nth seat. */
  blockOf?: (n: number) => readonly [number, number];
  areas?: { capacity: number; blocks: string[] }[];
  /** Where a row's seats are. */
  xs?: number[];
}

/**
 * A venue of sections, rows and seats. A seat is its category, with `-` before it if blocked, and `+` if
 * accessible.
 */
export function hall(sections: string[][][], { blockOf = (n) => [1, n], areas = [], xs }: Wishes = {}): Venue {
  let seats = 0;
  return venue(
    sections.map((rows, s) => {
      const first = seats;
      const made = rows.map((row, r) => ({
        label: `${r + 1}`,
        seats: row.map((letters, i) => ({
          id: blockOf(seats++).join('-'),
          number: `${i + 1}`,
          x: 100 * s + (xs?.[i] ?? i),
          y: r,
          category: letters.slice(-1),
          ...(letters.startsWith('+') ? { accessible: true } : {}),
          ...(letters.startsWith('-') ? { blocked: true } : {}),
        })),
      }));
      return { id: `s${s}`, name: `Section ${s + 1}`, blocks: ['1'], seat_count: seats - first, rows: made };
    }),
    areas.map((area, n) => ({
      id: `area${n}`,
      name: `Area ${n + 1}`,
      category: 'a',
      x: 50 * n,
      y: 50,
      seat_count: area.capacity,
      ...area,
    })),
  );
}

/** 50,000 seats around three quarters of a field, in 160 curved sections of three tiers. */
export function arena(): Venue {
  const blockSize = Math.floor(50_000 / 32);
  const sections: Venue['sections'][number][] = [];
  let n = 0;
  const rows = 20;
  const tiers = [
    { count: 40, radius: 139 },
    { count: 54, radius: 192 },
    { count: 66, radius: 236 },
  ];
  const perSection = 50_000 / tiers.reduce((sum, { count }) => sum + count, 0);
  tiers.forEach(({ count, radius }, tier) => {
    for (let s = 0; s < count; s++) {
      const [from, width] = [-0.75 * Math.PI + (s / count) * 1.5 * Math.PI, (1.5 * Math.PI) / count];
      let left = Math.round(perSection * (sections.length + 1)) - Math.round(perSection * sections.length);
      const made = Array.from({ length: rows }, (_, r) => {
        const seats = Math.ceil(left / (rows - r));
        left -= seats;
        return {
          label: `${r + 1}`,
          seats: Array.from({ length: seats }, (_, i) => {
            const angle = from + width * (0.06 + (0.88 * (i + 0.5)) / seats);
            const reach = radius + r * 1.1;
            const id = `${Math.floor(n / blockSize) + 1}-${n % blockSize}`;
            n++;
            return {
              id,
              number: `${i + 1}`,
              x: Math.round(reach * Math.sin(angle) * 100) / 100,
              y: Math.round(reach * Math.cos(angle) * 100) / 100,
              category: categories[tier + (Math.abs(angle) < 0.6 ? 0 : 1)]?.id ?? 'a',
              ...(r === 0 && i < 2 ? { accessible: true } : {}),
            };
          }),
        };
      });
      sections.push({
        id: `t${tier}-${s}`,
        name: `${['Lower', 'Middle', 'Upper'][tier]} ${s + 1}`,
        blocks: [],
        seat_count: made.reduce((sum, row) => sum + row.seats.length, 0),
        rows: made,
      });
    }
  });
  return venue(sections, []);
}

function venue(sections: Venue['sections'], areas: Area[]): Venue {
  return {
    id: '0193b3a0-2222-7abc-8def-000000000002',
    name: 'Arena',
    city: 'Vienna',
    time_zone: 'Europe/Vienna',
    categories,
    sections,
    areas,
    seat_count: [...sections, ...areas].reduce((sum, part) => sum + part.seat_count, 0),
    owner_id: '0193b3a0-1111-7abc-8def-000000000001',
    created_at: '2027-01-02T03:04:05Z',
  };
}
