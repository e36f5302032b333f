// What part of the plan is on the screen. Lengths are CSS pixels, but for the plan's own.
import type { Bounds, SeatPlan } from './plan';
import type { Point } from './outline';

/** Distance of neighbours on the screen when as near as can be. */
const nearest = 44;
/** … and when a small plan fits. */
const fitting = 34;
const margin = 20;

export class View {
  width = 1;
  height = 1;
  /** Pixels a unit. */
  scale = 1;
  /** The plan's point in the middle of the screen. */
  x = 0;
  y = 0;
  private bounds: Bounds = { minX: 0, minY: 0, maxX: 1, maxY: 1 };
  private pitch = 1;
  /** Whether all is to be seen, also after a resize. */
  fitted = true;

  /** Shows another plan: from the same place, unless all was to be seen. */
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

  fit(): void {
    this.fitted = true;
    this.settle();
  }

  /** Distance of neighbours on the screen. */
  get seat(): number {
    return this.pitch * this.scale;
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
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.settle();
  }

  /** Zooms by a factor; the plan's point at (px, py) stays there. */
  zoomAt(factor: number, px: number, py: number): void {
    const before = this.toPlan(px, py);
    this.scale *= factor;
    this.fitted = false;
    this.settle();
    const after = this.toPlan(px, py);
    this.x += before.x - after.x;
    this.y += before.y - after.y;
    this.settle();
  }

  /** The view, without changing this, in which these bounds fill the screen. */
  around(bounds: Bounds, nearestSeat = 26): { scale: number; x: number; y: number } {
    const width = Math.max(bounds.maxX - bounds.minX, this.pitch) + 3 * this.pitch;
    const height = Math.max(bounds.maxY - bounds.minY, this.pitch) + 3 * this.pitch;
    return {
      scale: Math.max(this.minScale, Math.min(this.width / width, this.height / height, nearestSeat / this.pitch)),
      x: (bounds.minX + bounds.maxX) / 2,
      y: (bounds.minY + bounds.maxY) / 2,
    };
  }

  goto(to: { scale: number; x: number; y: number }): void {
    Object.assign(this, to, { fitted: false });
    this.settle();
  }

  toPlan(px: number, py: number): Point {
    return { x: this.x + (px - this.width / 2) / this.scale, y: this.y + (py - this.height / 2) / this.scale };
  }

  toScreen(x: number, y: number): Point {
    return { x: (x - this.x) * this.scale + this.width / 2, y: (y - this.y) * this.scale + this.height / 2 };
  }

  /** Keeps to the limits: not further out than all, and never off the plan. */
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

/** Room before the first row for the front's mark. */
export function frontGap(plan: SeatPlan): number {
  return Math.max(2.5 * plan.pitch, 0.06 * (plan.bounds.maxY - plan.bounds.minY));
}

/** The middle of an extent that shows of min…max as much as it can, and a third of itself beyond. */
function within(middle: number, min: number, max: number, extent: number): number {
  const slack = extent / 3;
  if (max - min <= extent - 2 * slack) return (min + max) / 2;
  return Math.min(Math.max(middle, min + extent / 2 - slack), max - extent / 2 + slack);
}
