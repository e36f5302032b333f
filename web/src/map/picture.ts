// The map on its canvas: everything drawn for a frame, and what is under a point.
import { SeatGrid } from './grid';
import { lookOf, seatShape, type Look } from './look';
import type { Point } from './outline';
import type { Bounds, SeatPlan } from './plan';
import { drawArea, drawFront, drawName, drawSections, rowLabelsOf, shapesOf, widthOf, write, type RowLabel, type Shape, type Words } from './sections';
import { textOn } from './palette';
import type { SeatStates } from './states';
import { numberFrom, seatLabel, seatShare, Tiles } from './tiles';
import { frontGap, View } from './view';

/** Distances of neighbours in CSS pixels: seats begin to show, and stand for their section. */
const seatsFrom = 4.5;
const seatsFull = 6.5;
/** Time in a frame for painting tiles, in milliseconds: leaves room for the rest in 16. */
const paintTime = 6;
/** How long after the last zoom seats are painted anew at the new scale, in milliseconds. */
const sharpenAfter = 120;
const flashTime = 900;
const flashesShown = 400;

export type Target = { seat: number } | { area: number } | { section: number };

/** What lies over the plan. */
export interface Overlay {
  chosen: Iterable<number>;
  mine: Iterable<number>;
  target: Target | undefined;
  /** A rectangle being drawn, in CSS pixels. */
  frame: { from: Point; to: Point } | undefined;
  /** A cross in the middle, for choosing by keyboard. */
  cross: boolean;
}

export class Picture {
  readonly view = new View();
  private readonly context: CanvasRenderingContext2D;
  private look!: Look;
  private ratio = 1;
  private plan!: SeatPlan;
  private states!: SeatStates;
  private grid!: SeatGrid;
  private shapes: Shape[] = [];
  private rowLabels: RowLabel[] | undefined;
  /** States as painted. */
  private painted = new Uint8Array(0);
  private tiles: Tiles | undefined;
  /** Tiles of the scale before, until the new ones are there. */
  private before: Tiles | undefined;
  private zoomed = -Infinity;
  private scale = 0;
  private readonly flashes = new Map<number, number>();

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.theme();
  }

  show(plan: SeatPlan, states: SeatStates): void {
    this.plan = plan;
    this.states = states;
    this.grid = new SeatGrid(plan);
    this.shapes = shapesOf(plan);
    this.rowLabels = undefined;
    this.painted = states.bytes.slice();
    this.tiles = this.before = undefined;
    this.flashes.clear();
    this.view.show(plan);
  }

  theme(): void {
    this.look = lookOf(this.canvas);
    this.tiles = this.before = undefined;
  }

  resize(width: number, height: number, ratio: number): void {
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    if (ratio !== this.ratio) this.tiles = this.before = undefined;
    this.ratio = ratio;
    this.view.resize(width, height);
  }

  /** Takes in what has changed in the states since they were painted. */
  update(flash: boolean): void {
    const changed: number[] = [];
    const { bytes } = this.states;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === this.painted[i]) continue;
      this.painted[i] = bytes[i] as number;
      changed.push(i);
    }
    // Many at once are painted as cheaply from the start.
    if (changed.length > 2000) this.tiles = this.before = undefined;
    this.tiles?.repaint(changed);
    this.before?.repaint(changed);
    if (!flash || changed.length > flashesShown) return;
    const now = performance.now();
    for (const index of changed) this.flashes.set(index, now);
  }

  /** Whether single seats can be told apart, and hit. */
  get seatsShown(): boolean {
    return this.view.seat >= seatsFull;
  }

  /** What is at a point of the canvas, or that near to it, in CSS pixels. */
  at(px: number, py: number, slack = 8): Target | undefined {
    const { x, y } = this.view.toPlan(px, py);
    const area = this.plan.areas.find((candidate) => Math.abs(candidate.x - x) <= candidate.width / 2 && Math.abs(candidate.y - y) <= candidate.height / 2);
    if (area) return { area: area.index };
    const { pitch } = this.plan;
    if (this.seatsShown) {
      const seat = this.grid.nearest(x, y, Math.max(pitch * 0.62, slack / this.view.scale));
      return seat === undefined ? undefined : { seat };
    }
    // The section of the nearest seat; rows and aisles may be wider than seats.
    const near = this.grid.nearest(x, y, Math.max(pitch * 2, slack / this.view.scale));
    const section = this.plan.seats[near ?? -1]?.section;
    return section === undefined ? undefined : { section };
  }

  /** Seats in a rectangle of the canvas, in CSS pixels. */
  seatsIn(from: Point, to: Point): number[] {
    const a = this.view.toPlan(Math.min(from.x, to.x), Math.min(from.y, to.y));
    const b = this.view.toPlan(Math.max(from.x, to.x), Math.max(from.y, to.y));
    const seats: number[] = [];
    this.grid.within(a.x, a.y, b.x, b.y, (index) => seats.push(index));
    return seats.sort((x, y) => x - y);
  }

  /** The next seat from the middle of the screen in a direction, which is a unit along one axis. */
  next(dx: number, dy: number): Point | undefined {
    const { x, y } = this.view;
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

  boundsOf(section: number): Bounds {
    return this.shapes[section]?.bounds ?? this.plan.bounds;
  }

  /** Draws a frame. Returns whether another is needed: tiles are missing, or something moves. */
  draw(overlay: Overlay, words: Words): boolean {
    const { context, view, ratio, plan, look } = this;
    const now = performance.now();
    const scale = view.scale * ratio;
    // Whole pixels, so that tiles are copied and not resampled.
    const originX = Math.round(this.canvas.width / 2 - view.x * scale);
    const originY = Math.round(this.canvas.height / 2 - view.y * scale);
    const place = (x: number, y: number): Point => ({ x: originX + x * scale, y: originY + y * scale });
    const nearness = Math.min(Math.max((view.seat - seatsFrom) / (seatsFull - seatsFrom), 0), 1);

    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const visible = this.shapes.filter(({ bounds }) => {
      const [a, b] = [place(bounds.minX - plan.pitch, bounds.minY - 2 * plan.pitch), place(bounds.maxX + plan.pitch, bounds.maxY + plan.pitch)];
      return b.x >= 0 && b.y >= 0 && a.x <= this.canvas.width && a.y <= this.canvas.height;
    });
    context.setTransform(scale, 0, 0, scale, originX, originY);
    const active = overlay.target && 'section' in overlay.target ? overlay.target.section : undefined;
    const fills = drawSections(context, visible, this.states, scale, nearness, active, ratio, look);
    context.setTransform(1, 0, 0, 1, 0, 0);

    const { bounds } = plan;
    drawFront(context, place((bounds.minX + bounds.maxX) / 2, bounds.minY - frontGap(plan) * 0.45), Math.max(60 * ratio, ((bounds.maxX - bounds.minX) * scale) / 6), words, ratio, look);
    for (const area of plan.areas) {
      const pointed = overlay.target !== undefined && 'area' in overlay.target && overlay.target.area === area.index;
      drawArea(context, area, this.states, place(area.x, area.y), scale, pointed, words, ratio, look);
    }

    let more = false;
    if (nearness > 0) {
      context.globalAlpha = nearness;
      more = this.drawSeats(originX, originY, scale, now);
      context.globalAlpha = 1;
      this.drawRowLabels(place, scale);
    }
    // A name behind seats is hard to read: it goes before they are all there.
    if (nearness < 0.5) {
      context.globalAlpha = 1 - 2 * nearness;
      visible.forEach(({ section, width, height }, i) => {
        const center = place(section.center.x, section.center.y);
        drawName(context, section.name, words.free(this.states.countsOfSection(section.index).available), center.x, center.y, width * scale, height * scale, textOn(fills[i] ?? look.surface), ratio, look);
      });
      context.globalAlpha = 1;
    } else if (view.seat < 2 * numberFrom) this.drawNamesAbove(visible, place, scale);
    return this.drawOverlay(overlay, place, scale, now) || more;
  }

  /** Draws the seats' tiles; returns whether some are still to be painted, or to be made sharp. */
  private drawSeats(originX: number, originY: number, scale: number, now: number): boolean {
    if (scale !== this.scale) this.zoomed = now;
    this.scale = scale;
    const off = this.tiles ? scale / this.tiles.scale : Infinity;
    const settled = now - this.zoomed >= sharpenAfter;
    if (off > 2 || off < 0.5 || (off !== 1 && settled)) {
      if (this.tiles) this.before = this.tiles;
      this.tiles = new Tiles(this.plan, this.grid, this.states.bytes, scale, this.ratio, this.look);
    }
    const tiles = this.tiles as Tiles;
    if (this.before) {
      // Only what is there already, stretched, under what is coming.
      this.before.draw(this.context, originX, originY, scale / this.before.scale, 0);
    }
    const complete = tiles.draw(this.context, originX, originY, scale / tiles.scale, now + paintTime);
    if (complete && this.before) {
      this.before = undefined;
      return true;
    }
    return !complete || scale !== tiles.scale;
  }

  private drawRowLabels(place: (x: number, y: number) => Point, scale: number): void {
    const size = this.view.seat * seatShare;
    if (size < numberFrom) return;
    this.rowLabels ??= rowLabelsOf(this.plan, this.grid);
    for (const { x, y, text } of this.rowLabels) {
      const at = place(x, y);
      if (at.x < 0 || at.y < 0 || at.x > this.canvas.width || at.y > this.canvas.height) continue;
      write(this.context, text, at.x, at.y, Math.min(13 * this.ratio, (this.plan.pitch * scale * 0.9) / Math.max(1, text.length * 0.6)), 700, this.look.muted, this.look);
    }
  }

  /** Names of sections before their first row, where there is room. */
  private drawNamesAbove(shapes: readonly Shape[], place: (x: number, y: number) => Point, scale: number): void {
    const { pitch } = this.plan;
    const size = 12 * this.ratio;
    for (const { section, bounds, top } of shapes) {
      const half = (widthOf(this.context, section.name, 700, this.look) * size) / scale / 2;
      const at = { x: top.x, y: top.y - pitch * 0.7 - (0.7 * size) / scale };
      if (2 * half > bounds.maxX - bounds.minX + pitch || !this.clear(at, half, (0.5 * size) / scale)) continue;
      const { x, y } = place(at.x, at.y);
      write(this.context, section.name, x, y, size, 700, this.look.muted, this.look);
    }
  }

  /** Whether there is neither seat nor area in a rectangle of the plan. */
  private clear({ x, y }: Point, halfWidth: number, halfHeight: number): boolean {
    const seat = this.plan.pitch * 0.45;
    let clear = this.plan.areas.every((area) => Math.abs(area.x - x) > area.width / 2 + halfWidth || Math.abs(area.y - y) > area.height / 2 + halfHeight);
    this.grid.within(x - halfWidth - seat, y - halfHeight - seat, x + halfWidth + seat, y + halfHeight + seat, () => (clear = false));
    return clear;
  }

  private drawOverlay(overlay: Overlay, place: (x: number, y: number) => Point, scale: number, now: number): boolean {
    const { context, plan, ratio, look } = this;
    const radius = Math.max(3 * ratio, (plan.pitch * scale * seatShare) / 2);
    const inView = (index: number): (Point & { index: number }) | undefined => {
      const seat = plan.seats[index];
      if (!seat) return undefined;
      const at = place(seat.x, seat.y);
      const out = at.x < -radius || at.y < -radius || at.x > this.canvas.width + radius || at.y > this.canvas.height + radius;
      return out ? undefined : { ...at, index };
    };

    let moving = false;
    if (this.seatsShown) {
      for (const [index, since] of this.flashes) {
        const age = (now - since) / flashTime;
        if (age >= 1) {
          this.flashes.delete(index);
          continue;
        }
        const at = inView(index);
        if (!at) continue;
        moving = true;
        context.globalAlpha = 1 - age;
        context.strokeStyle = look.accent;
        context.lineWidth = 2 * ratio;
        context.beginPath();
        context.arc(at.x, at.y, radius * (1 + 0.7 * age), 0, 2 * Math.PI);
        context.stroke();
        context.globalAlpha = 1;
      }
    } else this.flashes.clear();

    for (const index of overlay.mine) {
      const at = inView(index);
      if (at) this.drawMarked(at, radius, 'mine');
    }
    for (const index of overlay.chosen) {
      const at = inView(index);
      if (at) this.drawMarked(at, radius * 1.12, 'chosen');
    }
    if (overlay.target && 'seat' in overlay.target) {
      const at = inView(overlay.target.seat);
      if (at) {
        context.strokeStyle = look.text;
        context.lineWidth = 2 * ratio;
        context.beginPath();
        context.arc(at.x, at.y, radius * 1.2 + 2 * ratio, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    if (overlay.frame) {
      const { from, to } = overlay.frame;
      context.fillStyle = context.strokeStyle = look.accent;
      context.lineWidth = 1.5 * ratio;
      const rectangle = [from.x * ratio, from.y * ratio, (to.x - from.x) * ratio, (to.y - from.y) * ratio] as const;
      context.globalAlpha = 0.15;
      context.fillRect(...rectangle);
      context.globalAlpha = 1;
      context.strokeRect(...rectangle);
    }
    if (overlay.cross) {
      const [x, y, arm] = [this.canvas.width / 2, this.canvas.height / 2, 9 * ratio];
      for (const [color, width] of [[look.surface, 5], [look.text, 2]] as const) {
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
    return moving;
  }

  /** A seat in the accent's colour: one's own with a check, a chosen one with a ring. */
  private drawMarked({ x, y, index }: Point & { index: number }, radius: number, as: 'mine' | 'chosen'): void {
    const { context, look, ratio } = this;
    const seat = this.plan.seats[index];
    if (!seat) return;
    const shape = (by: number, color: string) => {
      context.beginPath();
      seatShape(context, x, y, by, seat.accessible);
      context.fillStyle = color;
      context.fill();
    };
    if (as === 'chosen') {
      shape(radius + 4 * ratio, look.accent);
      shape(radius + 2 * ratio, look.surface);
    }
    shape(radius, look.accent);
    const css = (2 * radius) / ratio;
    if (as === 'mine') {
      context.strokeStyle = look.accentText;
      context.lineWidth = Math.max(1.2 * ratio, radius * 0.22);
      context.lineCap = context.lineJoin = 'round';
      context.beginPath();
      context.moveTo(x - radius * 0.45, y + radius * 0.02);
      context.lineTo(x - radius * 0.12, y + radius * 0.36);
      context.lineTo(x + radius * 0.46, y - radius * 0.34);
      context.stroke();
    } else if (css >= numberFrom) seatLabel(context, seat, x, y, 2 * radius, css, look.accentText, look);
  }
}
