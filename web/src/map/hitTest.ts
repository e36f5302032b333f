// What is under a point of the map.
import type { Camera } from './camera';
import type { SeatGrid } from './grid';
import type { Point } from './outline';
import type { SeatPlan } from './plan';

export type Target = { seat: number } | { area: number } | { section: number };

export class HitTest {
  constructor(
    private readonly plan: SeatPlan,
    private readonly grid: SeatGrid,
    private readonly camera: Camera,
  ) {}

  /** What is at a point of the canvas, or within `slack` of it, in CSS pixels. */
  at(px: number, py: number, slack = 8): Target | undefined {
    const { x, y } = this.camera.toPlan(px, py);
    const area = this.plan.areas.find(
      (one) => Math.abs(one.x - x) <= one.width / 2 && Math.abs(one.y - y) <= one.height / 2,
    );
    if (area) return { area: area.index };
    const { pitch } = this.plan;
    if (this.camera.seatsShown) {
      const seat = this.grid.nearest(x, y, Math.max(pitch * 0.62, slack / this.camera.scale));
      return seat === undefined ? undefined : { seat };
    }
    // The section of the nearest seat; rows and aisles may be wider than seats.
    const near = this.grid.nearest(x, y, Math.max(pitch * 2, slack / this.camera.scale));
    const section = this.plan.seats[near ?? -1]?.section;
    return section === undefined ? undefined : { section };
  }

  /** Seats in a rectangle of the canvas, in CSS pixels. */
  seatsIn(from: Point, to: Point): number[] {
    const a = this.camera.toPlan(Math.min(from.x, to.x), Math.min(from.y, to.y));
    const b = this.camera.toPlan(Math.max(from.x, to.x), Math.max(from.y, to.y));
    const seats: number[] = [];
    this.grid.within(a.x, a.y, b.x, b.y, (index) => seats.push(index));
    return seats.sort((x, y) => x - y);
  }

  /** The next seat from the middle of the screen in a direction, which is a unit along one axis. */
  next(dx: number, dy: number): Point | undefined {
    const { x, y } = this.camera;
    const reach = 8 * this.plan.pitch;
    let best: number | undefined;
    let least = Infinity;
    this.grid.within(x - reach, y - reach, x + reach, y + reach, (index) => {
      const [byX, byY] = [(this.grid.x[index] as number) - x, (this.grid.y[index] as number) - y];
      const along = byX * dx + byY * dy;
      const aside = Math.abs(byX * dy) + Math.abs(byY * dx);
      if (along < 0.3 * this.plan.pitch || aside > along || along + 2 * aside >= least) return;
      [best, least] = [index, along + 2 * aside];
    });
    return this.plan.seats[best ?? -1];
  }
}
