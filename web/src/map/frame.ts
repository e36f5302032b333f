// What every part of the map needs to draw itself in a frame.
import type { Look } from './look';
import type { Point } from './outline';
import type { SeatPlan } from './plan';

export interface Frame {
  readonly context: CanvasRenderingContext2D;
  readonly plan: SeatPlan;
  readonly look: Look;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
  /** Device pixels per unit of the plan. */
  readonly scale: number;
  /** The plan's origin, in device pixels. */
  readonly origin: Point;
  /** When it began, by performance.now(). */
  readonly time: number;
}

/** A point of the plan on the canvas, in device pixels. */
export const place = ({ origin, scale }: Frame, x: number, y: number): Point => ({
  x: origin.x + x * scale,
  y: origin.y + y * scale,
});

/** Whether a point of the canvas is on it, or not further off than `reach`. */
export function onCanvas({ context: { canvas } }: Frame, { x, y }: Point, reach = 0): boolean {
  return x >= -reach && y >= -reach && x <= canvas.width + reach && y <= canvas.height + reach;
}
