// Which part of the plan is on the screen. Lengths are CSS pixels, except in the plan.
import type { Bounds, SeatPlan } from './plan';
import type { Point } from './outline';

/** Distance between neighbouring seats at the largest scale, and when a small plan fits the screen. */
const nearest = 44;
const fitting = 34;
/** Distance at which seats begin to show, and at which they replace their section. */
const seatsFrom = 4.5;
const seatsFull = 6.5;
const margin = 20;
/** In milliseconds. */
const flightTime = 260;

export interface Position {
  /** Pixels per unit of the plan. */
  scale: number;
  /** The plan's point in the middle of the screen. */
  x: number;
  y: number;
}

export class Camera {
  width = 1;
  height = 1;
  scale = 1;
  x = 0;
  y = 0;
  private bounds: Bounds = { minX: 0, minY: 0, maxX: 1, maxY: 1 };
  private pitch = 1;
  private flight: { from: Position; to: Position; since: number } | undefined;
  /** Whether the whole plan is shown, also after a resize. */
  fitted = true;

  /** Shows another plan: from the same position, unless the whole plan was shown. */
  show(plan: SeatPlan): void {
    const { minX, minY, maxX, maxY } = plan.bounds;
    this.bounds = { minX, minY: minY - frontGap(plan), maxX, maxY };
    this.pitch = plan.pitch;
    this.settle();
  }

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.settle();
  }

  /** Shows the whole plan. */
  fit(): void {
    this.stop();
    this.fitted = true;
    this.settle();
  }

  /** Distance between neighbouring seats on the screen. */
  get seat(): number {
    return this.pitch * this.scale;
  }

  /** Level of detail, from 0 (sections only) to 1 (seats only). */
  get detail(): number {
    return Math.min(Math.max((this.seat - seatsFrom) / (seatsFull - seatsFrom), 0), 1);
  }

  /** Whether single seats can be told apart, and hit. */
  get seatsShown(): boolean {
    return this.seat >= seatsFull;
  }

  get minScale(): number {
    const { minX, minY, maxX, maxY } = this.bounds;
    const room = (extent: number) => Math.max(extent - 2 * margin, extent / 2);
    return Math.min(room(this.width) / (maxX - minX), room(this.height) / (maxY - minY), fitting / this.pitch);
  }

  get maxScale(): number {
    return nearest / this.pitch;
  }

  panBy(dx: number, dy: number): void {
    this.stop();
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.settle();
  }

  /** Zooms by a factor; the plan's point at (px, py) stays there. */
  zoomAt(factor: number, px: number, py: number): void {
    this.stop();
    const before = this.toPlan(px, py);
    this.scale *= factor;
    this.fitted = false;
    this.settle();
    const after = this.toPlan(px, py);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
    this.settle();
  }

  /** The position in which these bounds fill the screen. */
  around(bounds: Bounds, nearestSeat = 26): Position {
    const width = Math.max(bounds.maxX - bounds.minX, this.pitch) + 3 * this.pitch;
    const height = Math.max(bounds.maxY - bounds.minY, this.pitch) + 3 * this.pitch;
    return {
      scale: Math.max(this.minScale, Math.min(this.width / width, this.height / height, nearestSeat / this.pitch)),
      x: (bounds.minX + bounds.maxX) / 2,
      y: (bounds.minY + bounds.maxY) / 2,
    };
  }

  /** The position after a zoom at a point of the screen or in its middle; a flight is taken to its end first. */
  zoomed(factor: number, at?: Point): Position {
    const scale = Math.min(Math.max((this.flight?.to.scale ?? this.scale) * factor, this.minScale), this.maxScale);
    const fixed = at ? this.toPlan(at.x, at.y) : { x: this.x, y: this.y };
    const rest = this.scale / scale;
    return { scale, x: fixed.x + (this.x - fixed.x) * rest, y: fixed.y + (this.y - fixed.y) * rest };
  }

  goto(to: Position): void {
    this.stop();
    this.move(to);
  }

  flyTo(to: Position): void {
    const { scale, x, y } = this;
    this.flight = { from: { scale, x, y }, to, since: performance.now() };
  }

  get flying(): boolean {
    return this.flight !== undefined;
  }

  /** Ends a flight where it is. */
  stop(): void {
    this.flight = undefined;
  }

  /** Takes the camera to where it is in its flight now. */
  advance(): void {
    if (!this.flight) return;
    const { from, to, since } = this.flight;
    const done = Math.min((performance.now() - since) / flightTime, 1);
    const eased = 1 - (1 - done) ** 3;
    const scale = from.scale * (to.scale / from.scale) ** eased;
    // The distance follows the scale, so that the destination moves in a straight line on the screen.
    const zooms = Math.abs(to.scale - from.scale) >= 1e-9;
    const way = zooms ? (1 / scale - 1 / from.scale) / (1 / to.scale - 1 / from.scale) : eased;
    this.move({ scale, x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way });
    if (done === 1) this.flight = undefined;
  }

  private move(to: Position): void {
    Object.assign(this, to, { fitted: false });
    this.settle();
  }

  toPlan(px: number, py: number): Point {
    return { x: this.x + (px - this.width / 2) / this.scale, y: this.y + (py - this.height / 2) / this.scale };
  }

  toScreen(x: number, y: number): Point {
    return { x: (x - this.x) * this.scale + this.width / 2, y: (y - this.y) * this.scale + this.height / 2 };
  }

  /** Keeps the camera within its limits: no smaller than the whole plan, and never off it. */
  private settle(): void {
    const { minX, minY, maxX, maxY } = this.bounds;
    const least = this.minScale;
    if (this.scale <= least * 1.0001) this.fitted = true;
    this.scale = this.fitted ? least : Math.min(Math.max(this.scale, least), this.maxScale);
    if (this.fitted) {
      this.x = (minX + maxX) / 2;
      this.y = (minY + maxY) / 2;
    }
    this.x = within(this.x, minX, maxX, this.width / this.scale);
    this.y = within(this.y, minY, maxY, this.height / this.scale);
  }
}

/** Room for the front's mark before the first row, in the plan's units. */
export function frontGap(plan: SeatPlan): number {
  return Math.max(2.5 * plan.pitch, 0.06 * (plan.bounds.maxY - plan.bounds.minY));
}

/** Clamps the middle of an extent so that it reaches at most a third of itself beyond min…max. */
function within(middle: number, min: number, max: number, extent: number): number {
  const slack = extent / 3;
  if (max - min <= extent - 2 * slack) return (min + max) / 2;
  return Math.min(Math.max(middle, min + extent / 2 - slack), max - extent / 2 + slack);
}
