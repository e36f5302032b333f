// The state of every seat of a sale, a byte each. No DOM.
import type { Schemas } from '../api/client';
import type { SeatPlan, SeatState } from './plan';

export type Availability = Schemas['Availability'];
export type AvailabilityDelta = Schemas['AvailabilityDelta'];
export type Counts = Record<SeatState, number>;

/** A state's byte is its place here. */
export const stateNames: readonly SeatState[] = ['available', 'held', 'sold', 'blocked'];
export const available = 0;
export const held = 1;
export const sold = 2;
export const blocked = 3;

const letters: Readonly<Record<string, number>> = { a: available, h: held, s: sold, x: blocked };

export class SeatStates {
  /** By index of the plan: seats, then units of standing areas. Read only. */
  readonly bytes: Uint8Array;
  /** Whether a sale's states are known, or only what the plan says. */
  known = false;
  private readonly versions = new Map<string, number>();
  // Numbers of seats by state: of all, of each section, area and category.
  private readonly group: Int32Array;
  private readonly category: Uint8Array;
  private readonly totals = new Int32Array(4);
  private readonly ofGroups: Int32Array;
  private readonly ofCategories: Int32Array;

  constructor(private readonly plan: SeatPlan) {
    this.bytes = new Uint8Array(plan.size);
    this.group = new Int32Array(plan.size);
    this.category = new Uint8Array(plan.size);
    this.ofGroups = new Int32Array(4 * (plan.sections.length + plan.areas.length));
    this.ofCategories = new Int32Array(4 * plan.categories.length);
    for (const seat of plan.seats) {
      this.bytes[seat.index] = seat.blocked ? blocked : available;
      this.group[seat.index] = seat.section;
      this.category[seat.index] = seat.category;
    }
    for (const area of plan.areas) {
      this.group.fill(plan.sections.length + area.index, area.first, area.first + area.count);
      this.category.fill(area.category, area.first, area.first + area.count);
    }
    for (let i = 0; i < plan.size; i++) this.count(i, 1);
  }

  /**
   * Applies a snapshot, except to blocks that are newer here: it may come from a replica that is behind. Versions
   * are the store's, and the same everywhere. Returns the indexes that changed.
   */
  apply(snapshot: Availability): number[] {
    const changed: number[] = [];
    for (const block of snapshot.blocks) {
      if (block.version < this.version(block.id)) continue;
      this.versions.set(block.id, block.version);
      const indexes = this.plan.blocks.get(block.id) ?? [];
      for (let i = 0; i < block.states.length; i++) {
        const index = indexes[i];
        const state = letters[block.states.charAt(i)];
        if (index !== undefined && state !== undefined && this.set(index, state)) changed.push(index);
      }
    }
    this.known = true;
    return changed;
  }

  /** Takes a change over, unless its block is further already. Returns the indexes that changed. */
  applyDelta(delta: AvailabilityDelta): number[] {
    const changed: number[] = [];
    if (delta.version <= this.version(delta.block)) return changed;
    this.versions.set(delta.block, delta.version);
    for (const [id, name] of Object.entries(delta.seats)) {
      const index = this.plan.indexOf(id);
      const state = stateNames.indexOf(name);
      if (index !== undefined && state >= 0 && this.set(index, state)) changed.push(index);
    }
    return changed;
  }

  /** Whether versions of the block lie between what is here and this one. */
  misses(delta: AvailabilityDelta): boolean {
    return delta.version > this.version(delta.block) + 1;
  }

  of(index: number): SeatState {
    return stateNames[this.bytes[index] ?? blocked] ?? 'blocked';
  }

  counts(): Counts {
    return named(this.totals, 0);
  }

  countsOfSection(section: number): Counts {
    return named(this.ofGroups, section);
  }

  countsOfArea(area: number): Counts {
    return named(this.ofGroups, this.plan.sections.length + area);
  }

  countsOfCategory(category: number): Counts {
    return named(this.ofCategories, category);
  }

  private version(block: string): number {
    return this.versions.get(block) ?? 0;
  }

  private set(index: number, state: number): boolean {
    if (this.bytes[index] === state) return false;
    this.count(index, -1);
    this.bytes[index] = state;
    this.count(index, 1);
    return true;
  }

  private count(index: number, by: number): void {
    const state = this.bytes[index] as number;
    add(this.totals, state, by);
    add(this.ofGroups, 4 * (this.group[index] as number) + state, by);
    add(this.ofCategories, 4 * (this.category[index] as number) + state, by);
  }
}

function add(counts: Int32Array, at: number, by: number): void {
  counts[at] = (counts[at] ?? 0) + by;
}

function named(counts: Int32Array, at: number): Counts {
  const [a = 0, h = 0, s = 0, x = 0] = counts.subarray(4 * at, 4 * at + 4);
  return { available: a, held: h, sold: s, blocked: x };
}
