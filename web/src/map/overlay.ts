// What lies over the plan: marked seats, the target, a rectangle being drawn, the crosshair.
import { onCanvas, place, type Frame } from './frame';
import type { Target } from './hitTest';
import { seatShape } from './look';
import type { Point } from './outline';
import type { PlanSeat } from './plan';
import { numberFrom, seatLabel, seatShare } from './tiles';

export interface Overlay {
  chosen: Iterable<number>;
  mine: Iterable<number>;
  target: Target | undefined;
  /** A rectangle being drawn, in CSS pixels. */
  rectangle: { from: Point; to: Point } | undefined;
  /** A cross in the middle, for choosing by keyboard. */
  crosshair: boolean;
}

/** In milliseconds. */
const flashTime = 900;
/** More changes at once are not shown. */
const flashesShown = 400;

/** Rings around seats whose state has just changed. */
export class Flashes {
  private readonly since = new Map<number, number>();

  add(changed: readonly number[]): void {
    if (changed.length > flashesShown) return;
    const now = performance.now();
    for (const index of changed) this.since.set(index, now);
  }

  clear(): void {
    this.since.clear();
  }

  /** Returns whether any is still to be seen. */
  draw(frame: Frame): boolean {
    const { context, look, ratio, time } = frame;
    const radius = radiusOf(frame);
    let moving = false;
    for (const [index, since] of this.since) {
      const age = (time - since) / flashTime;
      if (age >= 1) {
        this.since.delete(index);
        continue;
      }
      const at = placeOf(frame, frame.plan.seats[index]);
      if (!at) continue;
      moving = true;
      context.globalAlpha = 1 - age;
      ring(context, at, radius * (1 + 0.7 * age), look.accent, 2 * ratio);
      context.globalAlpha = 1;
    }
    return moving;
  }
}

export function drawOverlay(frame: Frame, { mine, chosen, target, rectangle, crosshair }: Overlay): void {
  const { context, plan, look, ratio } = frame;
  const radius = radiusOf(frame);
  for (const index of mine) drawMine(frame, plan.seats[index], radius);
  for (const index of chosen) drawChosen(frame, plan.seats[index], radius * 1.12);
  if (target && 'seat' in target) {
    const at = placeOf(frame, plan.seats[target.seat]);
    if (at) ring(context, at, radius * 1.2 + 2 * ratio, look.text, 2 * ratio);
  }
  if (rectangle) drawRectangle(frame, rectangle);
  if (crosshair) drawCrosshair(frame);
}

/** Radius of a seat, in device pixels. */
const radiusOf = ({ plan, scale, ratio }: Frame) => Math.max(3 * ratio, (plan.pitch * scale * seatShare) / 2);

/** Where a seat is on the canvas; undefined if it is off it. */
function placeOf(frame: Frame, seat: PlanSeat | undefined): Point | undefined {
  if (!seat) return undefined;
  const at = place(frame, seat.x, seat.y);
  return onCanvas(frame, at, radiusOf(frame)) ? at : undefined;
}

function ring(context: CanvasRenderingContext2D, { x, y }: Point, radius: number, color: string, width: number): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function fillSeat(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  radius: number,
  accessible: boolean,
  color: string,
): void {
  context.beginPath();
  seatShape(context, x, y, radius, accessible);
  context.fillStyle = color;
  context.fill();
}

/** The buyer's own seat, with a check mark. */
function drawMine(frame: Frame, seat: PlanSeat | undefined, radius: number): void {
  const at = placeOf(frame, seat);
  if (!seat || !at) return;
  const { context, look, ratio } = frame;
  fillSeat(context, at, radius, seat.accessible, look.accent);
  context.strokeStyle = look.accentText;
  context.lineWidth = Math.max(1.2 * ratio, radius * 0.22);
  context.lineCap = context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(at.x - radius * 0.45, at.y + radius * 0.02);
  context.lineTo(at.x - radius * 0.12, at.y + radius * 0.36);
  context.lineTo(at.x + radius * 0.46, at.y - radius * 0.34);
  context.stroke();
}

/** A chosen seat, with a ring. */
function drawChosen(frame: Frame, seat: PlanSeat | undefined, radius: number): void {
  const at = placeOf(frame, seat);
  if (!seat || !at) return;
  const { context, look, ratio } = frame;
  fillSeat(context, at, radius + 4 * ratio, seat.accessible, look.accent);
  fillSeat(context, at, radius + 2 * ratio, seat.accessible, look.surface);
  fillSeat(context, at, radius, seat.accessible, look.accent);
  const css = (2 * radius) / ratio;
  if (css >= numberFrom) seatLabel(context, seat, at.x, at.y, 2 * radius, css, look.accentText, look);
}

function drawRectangle({ context, look, ratio }: Frame, { from, to }: { from: Point; to: Point }): void {
  const rectangle = [from.x * ratio, from.y * ratio, (to.x - from.x) * ratio, (to.y - from.y) * ratio] as const;
  context.fillStyle = context.strokeStyle = look.accent;
  context.lineWidth = 1.5 * ratio;
  context.globalAlpha = 0.15;
  context.fillRect(...rectangle);
  context.globalAlpha = 1;
  context.strokeRect(...rectangle);
}

function drawCrosshair({ context, look, ratio }: Frame): void {
  const [x, y, arm] = [context.canvas.width / 2, context.canvas.height / 2, 9 * ratio];
  for (const [color, width] of [
    [look.surface, 5],
    [look.text, 2],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width * ratio;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}
