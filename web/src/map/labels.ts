// Texts between the seats: row labels, and names of sections above their first row.
import { onCanvas, place, type Frame } from './frame';
import type { SeatGrid } from './grid';
import type { Point } from './outline';
import type { SeatPlan } from './plan';
import { widthOf, write, type Shape } from './sections';

export interface RowLabel extends Point {
  readonly text: string;
}

/** Labels beside both ends of every row, but where other seats are. */
export function rowLabelsOf(plan: SeatPlan, grid: SeatGrid): RowLabel[] {
  const labels: RowLabel[] = [];
  const beside = (end: Point, direction: Point, text: string) => {
    const length = Math.hypot(direction.x, direction.y) || 1;
    const at = { x: end.x + (direction.x / length) * plan.pitch, y: end.y + (direction.y / length) * plan.pitch, text };
    if (grid.nearest(at.x, at.y, plan.pitch * 0.7) === undefined) labels.push(at);
  };
  for (const { rows } of plan.sections) {
    for (const row of rows) {
      const [first, second, last, beforeLast] = [0, 1, row.count - 1, row.count - 2].map(
        (n) => plan.seats[row.first + n],
      );
      if (!first || !last) continue;
      if (row.count === 1 || !second || !beforeLast) beside(first, { x: -1, y: 0 }, row.label);
      else {
        beside(first, { x: first.x - second.x, y: first.y - second.y }, row.label);
        beside(last, { x: last.x - beforeLast.x, y: last.y - beforeLast.y }, row.label);
      }
    }
  }
  return labels;
}

export function drawRowLabels(frame: Frame, labels: readonly RowLabel[]): void {
  const { context, plan, look, ratio, scale } = frame;
  for (const { x, y, text } of labels) {
    const at = place(frame, x, y);
    if (!onCanvas(frame, at)) continue;
    const size = Math.min(13 * ratio, (plan.pitch * scale * 0.9) / Math.max(1, text.length * 0.6));
    write(context, text, at.x, at.y, size, 700, look.muted, look);
  }
}

/** Names of sections before their first row, where there is room. */
export function drawNamesAbove(frame: Frame, shapes: readonly Shape[], grid: SeatGrid): void {
  const { context, plan, look, ratio, scale } = frame;
  const { pitch } = plan;
  const size = 12 * ratio;
  for (const { section, bounds, top } of shapes) {
    const half = (widthOf(context, section.name, 700, look) * size) / scale / 2;
    const at = { x: top.x, y: top.y - pitch * 0.7 - (0.7 * size) / scale };
    if (2 * half > bounds.maxX - bounds.minX + pitch || !isClear(plan, grid, at, half, (0.5 * size) / scale)) continue;
    const { x, y } = place(frame, at.x, at.y);
    write(context, section.name, x, y, size, 700, look.muted, look);
  }
}

/** Whether there is neither seat nor area in a rectangle of the plan. */
function isClear(plan: SeatPlan, grid: SeatGrid, { x, y }: Point, halfWidth: number, halfHeight: number): boolean {
  const seat = plan.pitch * 0.45;
  let clear = plan.areas.every(
    (area) => Math.abs(area.x - x) > area.width / 2 + halfWidth || Math.abs(area.y - y) > area.height / 2 + halfHeight,
  );
  grid.within(
    x - halfWidth - seat,
    y - halfHeight - seat,
    x + halfWidth + seat,
    y + halfHeight + seat,
    () => (clear = false),
  );
  return clear;
}
