// Finds seats by place: a uniform grid whose cells list their seats one after another.
import type { SeatPlan } from './plan';

export class SeatGrid {
  readonly x: Float32Array;
  readonly y: Float32Array;
  private readonly starts: Int32Array;
  private readonly items: Int32Array;
  private readonly columns: number;
  private readonly rows: number;
  private readonly cell: number;
  private readonly minX: number;
  private readonly minY: number;

  constructor(plan: SeatPlan) {
    const { seats, bounds } = plan;
    const width = bounds.maxX - bounds.minX;
    const height = bounds.maxY - bounds.minY;
    // Some seats a cell, and no more cells than twice the seats where these are far apart.
    this.cell = Math.max(2 * plan.pitch, Math.sqrt((width * height) / (2 * seats.length + 16)));
    this.columns = Math.ceil(width / this.cell) + 1;
    this.rows = Math.ceil(height / this.cell) + 1;
    this.minX = bounds.minX;
    this.minY = bounds.minY;
    this.x = Float32Array.from(seats, (seat) => seat.x);
    this.y = Float32Array.from(seats, (seat) => seat.y);
    const cells = Int32Array.from(seats, (seat) => this.row(seat.y) * this.columns + this.column(seat.x));
    this.starts = new Int32Array(this.columns * this.rows + 1);
    for (const cell of cells) this.starts[cell + 1] = (this.starts[cell + 1] as number) + 1;
    for (let i = 1; i < this.starts.length; i++)
      this.starts[i] = (this.starts[i] as number) + (this.starts[i - 1] as number);
    const next = this.starts.slice();
    this.items = new Int32Array(seats.length);
    cells.forEach((cell, index) => {
      const at = next[cell] as number;
      this.items[at] = index;
      next[cell] = at + 1;
    });
  }

  /** Calls `visit` with every seat within the rectangle. */
  within(minX: number, minY: number, maxX: number, maxY: number, visit: (index: number) => void): void {
    const [left, right] = [this.column(minX), this.column(maxX)];
    for (let row = this.row(minY); row <= this.row(maxY); row++) {
      const from = this.starts[row * this.columns + left] as number;
      const to = this.starts[row * this.columns + right + 1] as number;
      for (let i = from; i < to; i++) {
        const index = this.items[i] as number;
        const x = this.x[index] as number;
        const y = this.y[index] as number;
        if (x >= minX && x <= maxX && y >= minY && y <= maxY) visit(index);
      }
    }
  }

  /** The seat nearest to a point, if within the radius. */
  nearest(x: number, y: number, radius: number): number | undefined {
    let best: number | undefined;
    let least = radius * radius;
    this.within(x - radius, y - radius, x + radius, y + radius, (index) => {
      const distance = ((this.x[index] as number) - x) ** 2 + ((this.y[index] as number) - y) ** 2;
      if (distance <= least) [best, least] = [index, distance];
    });
    return best;
  }

  private column(x: number): number {
    return Math.min(Math.max(Math.floor((x - this.minX) / this.cell), 0), this.columns - 1);
  }

  private row(y: number): number {
    return Math.min(Math.max(Math.floor((y - this.minY) / this.cell), 0), this.rows - 1);
  }
}
