// A venue's seat plan, unfolded: seats in one list, so that a seat is a number everywhere else. No DOM.
import type { Schemas, Venue } from '../api/client';
import { outline, pitchOf, type Point } from './outline';

export type NewVenue = Schemas['NewVenue'];
export type SeatState = 'available' | 'held' | 'sold' | 'blocked';

export interface PlanSeat {
  /** Its place in SeatPlan.seats. */
  readonly index: number;
  readonly id: string;
  readonly section: number;
  readonly row: string;
  readonly number: string;
  readonly x: number;
  readonly y: number;
  /** Index of its category. */
  readonly category: number;
  readonly accessible: boolean;
  readonly blocked: boolean;
}

export interface PlanRow {
  readonly label: string;
  readonly first: number;
  readonly count: number;
}

export interface PlanSection {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly first: number;
  readonly count: number;
  readonly rows: readonly PlanRow[];
  /** Through the middles of its outermost seats. */
  readonly outline: readonly Point[];
  /** The seat in its middle: on the section even where that is curved. */
  readonly center: Point;
}

/** Its units come after all seats: unit n has the index first + n. */
export interface PlanArea {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly category: number;
  readonly capacity: number;
  /** Its middle. */
  readonly x: number;
  readonly y: number;
  /** As large as drawn: by its capacity, and clear of seats. */
  readonly width: number;
  readonly height: number;
  readonly first: number;
  readonly count: number;
}

export interface Bounds {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

/** Width to height of a standing area. */
const areaShape = 1.6;

export class SeatPlan {
  readonly seats: readonly PlanSeat[];
  readonly sections: readonly PlanSection[];
  readonly areas: readonly PlanArea[];
  readonly categories: readonly { readonly id: string; readonly name: string }[];
  readonly bounds: Readonly<Bounds>;
  /** Seats and units of standing areas. */
  readonly size: number;
  /** Usual distance of neighbours, in the plan's units. */
  readonly pitch: number;
  /** Indexes of a block's seats, by the block's name; in a draft a row is a block. */
  readonly blocks: ReadonlyMap<string, readonly number[]>;
  private readonly separator: string;

  /** The plan of a stored venue. */
  static of(venue: Venue): SeatPlan {
    return new SeatPlan(venue.categories, venue.sections, venue.areas, blockSize(venue.seat_count));
  }

  /** The plan of a venue that is being drawn; seats are called `<section>/<row>/<place in the row, from 0>`. */
  static draft(venue: NewVenue): SeatPlan {
    return new SeatPlan(venue.categories, venue.sections ?? [], venue.areas ?? [], Infinity);
  }

  private constructor(
    categories: readonly Schemas['Category'][],
    sections: readonly (Schemas['Section'] | Schemas['NewSection'])[],
    areas: readonly (Schemas['Area'] | Schemas['NewArea'])[],
    unitsOfBlock: number,
  ) {
    this.categories = categories;
    this.separator = unitsOfBlock === Infinity ? '/' : '-';
    const categoryIndex = new Map(categories.map((category, index) => [category.id, index]));
    const blocks = new Map<string, number[]>();
    this.blocks = blocks;

    const seats: PlanSeat[] = [];
    const lines: PlanSeat[][][] = [];
    const shapes = sections.map((section, index) => {
      const first = seats.length;
      const rows: PlanRow[] = [];
      const ofSection: PlanSeat[][] = [];
      lines.push(ofSection);
      for (const row of section.rows) {
        const rowCategory = categoryIndex.get(row.category ?? '') ?? 0;
        rows.push({ label: row.label, first: seats.length, count: row.seats.length });
        const line: PlanSeat[] = [];
        ofSection.push(line);
        for (const seat of row.seats) {
          const id = 'id' in seat ? seat.id : `${section.id}/${row.label}/${line.length}`;
          this.enter(blocks, id, seats.length);
          const unfolded = {
            index: seats.length,
            id,
            section: index,
            row: row.label,
            number: seat.number,
            x: seat.x,
            y: seat.y,
            category: seat.category === undefined ? rowCategory : (categoryIndex.get(seat.category) ?? rowCategory),
            accessible: seat.accessible ?? false,
            blocked: seat.blocked ?? false,
          };
          seats.push(unfolded);
          line.push(unfolded);
        }
      }
      return { index, id: section.id, name: section.name, first, count: seats.length - first, rows };
    });
    this.seats = seats;
    this.pitch = pitchOf(lines.flat());
    this.sections = shapes.map((section, index) => ({ ...section, ...outline(lines[index] ?? []) }));

    let size = seats.length;
    this.areas = areas.map((area, index) => {
      const first = size;
      const names = 'blocks' in area ? area.blocks : [area.id];
      const perBlock = unitsBefore(area.capacity, names.length, unitsOfBlock);
      names.forEach((name, n) => {
        const begin = first + n * perBlock;
        const end = n === names.length - 1 ? first + area.capacity : begin + perBlock;
        blocks.set(
          name,
          Array.from({ length: end - begin }, (_, unit) => begin + unit),
        );
      });
      size += area.capacity;
      const height = Math.max(
        2 * this.pitch,
        Math.min(Math.sqrt((area.capacity * 0.6) / areaShape) * this.pitch, this.roomAround(area, areas)),
      );
      return {
        index,
        id: area.id,
        name: area.name,
        category: categoryIndex.get(area.category) ?? 0,
        capacity: area.capacity,
        x: area.x,
        y: area.y,
        width: height * areaShape,
        height,
        first,
        count: area.capacity,
      };
    });
    this.size = size;
    this.bounds = this.extent();
  }

  /** The seat's or unit's index. */
  indexOf(seatId: string): number | undefined {
    const cut = seatId.lastIndexOf(this.separator);
    return this.blocks.get(seatId.slice(0, cut))?.[Number(seatId.slice(cut + 1))];
  }

  /** The id of a seat or of a unit of a standing area. */
  idOf(index: number): string {
    const seat = this.seats[index];
    if (seat) return seat.id;
    for (const [name, indexes] of this.blocks) {
      const first = indexes[0] ?? Infinity;
      if (first >= this.seats.length && first <= index && index < first + indexes.length)
        return `${name}${this.separator}${index - first}`;
    }
    throw new RangeError(`no seat ${index}`);
  }

  /** The area a unit belongs to; undefined for a seat. */
  areaOf(index: number): PlanArea | undefined {
    return index < this.seats.length
      ? undefined
      : this.areas.find((area) => index >= area.first && index < area.first + area.count);
  }

  categoryOf(index: number): number {
    return this.seats[index]?.category ?? this.areaOf(index)?.category ?? 0;
  }

  private enter(blocks: Map<string, number[]>, id: string, index: number): void {
    const cut = id.lastIndexOf(this.separator);
    const name = id.slice(0, cut);
    let block = blocks.get(name);
    if (!block) blocks.set(name, (block = []));
    block[Number(id.slice(cut + 1))] = index;
  }

  /** The greatest height an area can have without covering a seat or another area. */
  private roomAround(area: { x: number; y: number }, areas: readonly { x: number; y: number }[]): number {
    let half = Infinity;
    const keepOff = (other: { x: number; y: number }, share: number) => {
      half = Math.min(half, Math.max(Math.abs(other.x - area.x) / areaShape, Math.abs(other.y - area.y)) * share);
    };
    for (const seat of this.seats) keepOff(seat, 1);
    for (const other of areas) if (other !== area) keepOff(other, 0.5);
    return 2 * half - 2 * this.pitch;
  }

  private extent(): Bounds {
    const bounds: Bounds = { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
    const include = (x: number, y: number, dx: number, dy: number) => {
      bounds.minX = Math.min(bounds.minX, x - dx);
      bounds.minY = Math.min(bounds.minY, y - dy);
      bounds.maxX = Math.max(bounds.maxX, x + dx);
      bounds.maxY = Math.max(bounds.maxY, y + dy);
    };
    for (const seat of this.seats) include(seat.x, seat.y, this.pitch / 2, this.pitch / 2);
    for (const area of this.areas) include(area.x, area.y, area.width / 2, area.height / 2);
    return bounds.minX === Infinity ? { minX: 0, minY: 0, maxX: 1, maxY: 1 } : bounds;
  }
}

/**
 * How the service divides standing areas into blocks, by the venue's size: the venue lists the blocks, not
 * their sizes.
 */
const blockSize = (places: number) => Math.min(Math.max(300, Math.floor(places / 32)), 2000);

/** Units of every block but the last: the service's, where it gives that number of blocks. */
function unitsBefore(capacity: number, blocks: number, usual: number): number {
  if (blocks < 2) return capacity;
  return Math.min(Math.max(usual, Math.ceil(capacity / blocks)), Math.ceil(capacity / (blocks - 1)) - 1);
}
