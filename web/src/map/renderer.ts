// Draws the map on its canvas, frame by frame.
import { Camera, frontGap } from './camera';
import { place, type Frame } from './frame';
import { SeatGrid } from './grid';
import { HitTest, type Target } from './hitTest';
import { drawNamesAbove, drawRowLabels, rowLabelsOf, type RowLabel } from './labels';
import { lookOf, type Look } from './look';
import { drawOverlay, Flashes, type Overlay } from './overlay';
import { textOn } from './palette';
import type { Bounds, SeatPlan } from './plan';
import { drawArea, drawFront, drawName, drawSections, shapesOf, type Shape, type Words } from './sections';
import type { SeatStates } from './states';
import { numberFrom, seatShare, Tiles } from './tiles';

/** Time in a frame for painting tiles, in milliseconds: leaves room for the rest in 16. */
const paintTime = 6;
/** How long after the last zoom seats are painted again at the new scale, in milliseconds. */
const sharpenAfter = 120;
/** From so many changes on all tiles are painted again: that costs no more. */
const repaintAll = 2000;

export class Renderer {
  readonly camera = new Camera();
  hits!: HitTest;
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
  /** When the scale last changed. */
  private zoomed = -Infinity;
  private scale = 0;
  private readonly flashes = new Flashes();

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.theme();
  }

  show(plan: SeatPlan, states: SeatStates): void {
    this.plan = plan;
    this.states = states;
    this.grid = new SeatGrid(plan);
    this.hits = new HitTest(plan, this.grid, this.camera);
    this.shapes = shapesOf(plan);
    this.rowLabels = undefined;
    this.painted = states.bytes.slice();
    this.dropTiles();
    this.flashes.clear();
    this.camera.show(plan);
  }

  /** Takes up the colours of the page's theme. */
  theme(): void {
    this.look = lookOf(this.canvas);
    this.dropTiles();
  }

  /** @param ratio device pixels per CSS pixel */
  resize(width: number, height: number, ratio: number): void {
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    if (ratio !== this.ratio) this.dropTiles();
    this.ratio = ratio;
    this.camera.resize(width, height);
  }

  /** Takes up what has changed in the states since they were painted. */
  update(flash: boolean): void {
    const changed: number[] = [];
    const { bytes } = this.states;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === this.painted[i]) continue;
      this.painted[i] = bytes[i] as number;
      changed.push(i);
    }
    if (changed.length > repaintAll) this.dropTiles();
    this.tiles?.repaint(changed);
    this.before?.repaint(changed);
    if (flash) this.flashes.add(changed);
  }

  setCursor(cursor: string): void {
    this.canvas.style.cursor = cursor;
  }

  boundsOf(section: number): Bounds {
    return this.shapes[section]?.bounds ?? this.plan.bounds;
  }

  /** Draws a frame. Returns whether another is needed: tiles are missing, or something moves. */
  draw(overlay: Overlay, words: Words): boolean {
    const { context, camera, canvas, ratio, plan, look } = this;
    const scale = camera.scale * ratio;
    // Whole pixels, so that tiles are copied and not resampled.
    const origin = {
      x: Math.round(canvas.width / 2 - camera.x * scale),
      y: Math.round(canvas.height / 2 - camera.y * scale),
    };
    const frame: Frame = { context, plan, look, ratio, scale, origin, time: performance.now() };
    const { detail } = camera;

    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const visible = this.visibleShapes(frame);
    context.setTransform(scale, 0, 0, scale, origin.x, origin.y);
    const active = overlay.target && 'section' in overlay.target ? overlay.target.section : undefined;
    const fills = drawSections(context, visible, this.states, scale, detail, active, ratio, look);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.drawFrontAndAreas(frame, overlay.target, words);

    let more = false;
    if (detail > 0) {
      context.globalAlpha = detail;
      more = this.drawSeats(frame);
      context.globalAlpha = 1;
      if (camera.seat * seatShare >= numberFrom)
        drawRowLabels(frame, (this.rowLabels ??= rowLabelsOf(plan, this.grid)));
    }
    // A name behind seats is hard to read: it goes before they are all there.
    if (detail < 0.5) {
      context.globalAlpha = 1 - 2 * detail;
      visible.forEach((shape, i) => this.drawSectionName(frame, shape, textOn(fills[i] ?? look.surface), words));
      context.globalAlpha = 1;
    } else if (camera.seat < 2 * numberFrom) drawNamesAbove(frame, visible, this.grid);

    if (!camera.seatsShown) this.flashes.clear();
    const moving = this.flashes.draw(frame);
    drawOverlay(frame, overlay);
    return moving || more;
  }

  private visibleShapes(frame: Frame): Shape[] {
    const { pitch } = this.plan;
    return this.shapes.filter(({ bounds }) => {
      const a = place(frame, bounds.minX - pitch, bounds.minY - 2 * pitch);
      const b = place(frame, bounds.maxX + pitch, bounds.maxY + pitch);
      return b.x >= 0 && b.y >= 0 && a.x <= this.canvas.width && a.y <= this.canvas.height;
    });
  }

  private drawFrontAndAreas(frame: Frame, target: Target | undefined, words: Words): void {
    const { context, plan, look, ratio, scale } = frame;
    const { minX, maxX, minY } = plan.bounds;
    const middle = place(frame, (minX + maxX) / 2, minY - frontGap(plan) * 0.45);
    drawFront(context, middle, Math.max(60 * ratio, ((maxX - minX) * scale) / 6), words, ratio, look);
    for (const area of plan.areas) {
      const active = target !== undefined && 'area' in target && target.area === area.index;
      drawArea(context, area, this.states, place(frame, area.x, area.y), scale, active, words, ratio, look);
    }
  }

  private drawSectionName(frame: Frame, { section, width, height }: Shape, color: string, words: Words): void {
    const { context, look, ratio, scale } = frame;
    const { x, y } = place(frame, section.center.x, section.center.y);
    const free = words.free(this.states.countsOfSection(section.index).available);
    drawName(context, section.name, free, x, y, width * scale, height * scale, color, ratio, look);
  }

  /** Draws the seats' tiles; returns whether some are still to be painted, or to be made sharp. */
  private drawSeats({ context, origin, scale, time }: Frame): boolean {
    if (scale !== this.scale) this.zoomed = time;
    this.scale = scale;
    const off = this.tiles ? scale / this.tiles.scale : Infinity;
    const settled = time - this.zoomed >= sharpenAfter;
    if (off > 2 || off < 0.5 || (off !== 1 && settled)) {
      if (this.tiles) this.before = this.tiles;
      this.tiles = new Tiles(this.plan, this.grid, this.states.bytes, scale, this.ratio, this.look);
    }
    const tiles = this.tiles as Tiles;
    // Draw the tiles that are ready, scaled, until the new ones arrive.
    this.before?.draw(context, origin.x, origin.y, scale / this.before.scale, 0);
    const complete = tiles.draw(context, origin.x, origin.y, scale / tiles.scale, time + paintTime);
    if (complete && this.before) {
      this.before = undefined;
      return true;
    }
    return !complete || scale !== tiles.scale;
  }

  private dropTiles(): void {
    this.tiles = this.before = undefined;
  }
}
