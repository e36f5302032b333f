// The seats at one scale, as square bitmaps that are painted when they come into view and then only copied. Lengths are
// device pixels.
import type { SeatGrid } from './grid';
import type { Look } from './look';
import { textOn, colorOf } from './palette';
import type { SeatPlan } from './plan';
import { kindOf, Sprites } from './sprites';
import { available, sold } from './states';

const side = 512;
/** Tiles kept; the rest of those out of sight goes. */
const kept = 96;
/** Share of the distance between neighbours that a seat takes. */
export const seatShare = 0.82;
/** Least diameter with a number, and with sign and number, in CSS pixels. */
export const numberFrom = 16;
const signAndNumberFrom = 27;

const wheelchair = new Path2D(
  'M12 5.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM11 8v6h5l2 6M11 10.500h4M9 12.500a5 5 0 1 0 5.500 7',
);

interface Tile {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  column: number;
  row: number;
  seen: number;
}

/** The pixels of a tile: one for all, since they are painted one after another. */
const whole = new ImageData(side, side);

export class Tiles {
  private readonly tiles = new Map<string, Tile>();
  private readonly sprites: Sprites;
  private readonly diameter: number;
  private frame = 0;
  /** The pixels around a seat. */
  private readonly patch: ImageData;

  /** @param scale device pixels a unit of the plan */
  constructor(
    private readonly plan: SeatPlan,
    private readonly grid: SeatGrid,
    private readonly states: Uint8Array,
    readonly scale: number,
    private readonly ratio: number,
    private readonly look: Look,
  ) {
    this.diameter = Math.max(2.2 * ratio, plan.pitch * scale * seatShare);
    this.sprites = new Sprites(this.diameter, ratio, plan.categories.length, look);
    this.patch = new ImageData(this.sprites.size + 2, this.sprites.size + 2);
  }

  /**
   * Draws what is on the screen, painting missing tiles until the deadline, by performance.now(). Returns whether all
   * were there.
   * @param zoom device pixels on the screen for a pixel of a tile
   */
  draw(context: CanvasRenderingContext2D, originX: number, originY: number, zoom: number, deadline: number): boolean {
    this.frame++;
    const step = side * zoom;
    const [left, right] = [Math.floor(-originX / step), Math.floor((context.canvas.width - originX) / step)];
    const [top, bottom] = [Math.floor(-originY / step), Math.floor((context.canvas.height - originY) / step)];
    const { bounds } = this.plan;
    let complete = true;
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        if ((column + 1) * side < bounds.minX * this.scale || column * side > bounds.maxX * this.scale) continue;
        if ((row + 1) * side < bounds.minY * this.scale || row * side > bounds.maxY * this.scale) continue;
        let tile = this.tiles.get(`${column} ${row}`);
        if (!tile && performance.now() < deadline) tile = this.paint(column, row);
        if (!tile) {
          complete = false;
          continue;
        }
        tile.seen = this.frame;
        if (zoom === 1) context.drawImage(tile.canvas, originX + column * side, originY + row * side);
        else context.drawImage(tile.canvas, originX + column * step, originY + row * step, step, step);
      }
    }
    this.forget();
    return complete;
  }

  /** Paints seats again whose state has changed. */
  repaint(changed: readonly number[]): void {
    const reach = this.patch.width / 2;
    for (const index of changed) {
      if (index >= this.plan.seats.length) continue;
      const left = Math.round((this.grid.x[index] as number) * this.scale - reach);
      const top = Math.round((this.grid.y[index] as number) * this.scale - reach);
      for (let row = Math.floor(top / side); row <= Math.floor((top + 2 * reach) / side); row++) {
        for (let column = Math.floor(left / side); column <= Math.floor((left + 2 * reach) / side); column++) {
          const tile = this.tiles.get(`${column} ${row}`);
          if (tile) this.fill(tile, this.patch, left - column * side, top - row * side);
        }
      }
    }
  }

  /** Paints a square of a tile anew, with all seats that reach into it. */
  private fill(tile: Tile, square: ImageData, left: number, top: number): void {
    const into = new Uint32Array(square.data.buffer);
    const [originX, originY] = [tile.column * side + left, tile.row * side + top];
    const reach = this.sprites.size / 2 + 1;
    const inside: number[] = [];
    into.fill(0);
    this.grid.within(
      (originX - reach) / this.scale,
      (originY - reach) / this.scale,
      (originX + square.width + reach) / this.scale,
      (originY + square.width + reach) / this.scale,
      (index) => {
        inside.push(index);
        this.sprites.blit(
          into,
          square.width,
          this.kind(index),
          (this.grid.x[index] as number) * this.scale - originX,
          (this.grid.y[index] as number) * this.scale - originY,
        );
      },
    );
    const { context } = tile;
    context.putImageData(square, left, top);
    if (this.diameter < numberFrom * this.ratio) return;
    context.save();
    context.beginPath();
    context.rect(left, top, square.width, square.width);
    context.clip();
    for (const index of inside) this.label(tile, index);
    context.restore();
  }

  private kind(index: number): number {
    const seat = this.plan.seats[index];
    return seat ? kindOf(this.states[index] as number, seat.category, seat.accessible, this.plan.categories.length) : 0;
  }

  private paint(column: number, row: number): Tile {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side;
    const tile = {
      canvas,
      context: canvas.getContext('2d') as CanvasRenderingContext2D,
      column,
      row,
      seen: this.frame,
    };
    this.fill(tile, whole, 0, 0);
    this.tiles.set(`${column} ${row}`, tile);
    return tile;
  }

  /** Writes the number on a seat that is free or sold. */
  private label(tile: Tile, index: number): void {
    const seat = this.plan.seats[index];
    const css = this.diameter / this.ratio;
    const state = this.states[index] as number;
    if (!seat || (state !== available && state !== sold)) return;
    const color = state === available ? textOn(colorOf(seat.category, this.look.dark)) : this.look.muted;
    seatLabel(
      tile.context,
      seat,
      seat.x * this.scale - tile.column * side,
      seat.y * this.scale - tile.row * side,
      this.diameter,
      css,
      color,
      this.look,
    );
  }

  private forget(): void {
    if (this.tiles.size <= kept) return;
    for (const [key, tile] of this.tiles) if (tile.seen < this.frame - 30) this.tiles.delete(key);
  }
}

/** Writes a seat's number, its wheelchair sign, or both. */
export function seatLabel(
  context: CanvasRenderingContext2D,
  seat: { number: string; accessible: boolean },
  x: number,
  y: number,
  diameter: number,
  css: number,
  color: string,
  look: Look,
): void {
  context.fillStyle = context.strokeStyle = color;
  if (seat.accessible) {
    const both = css >= signAndNumberFrom;
    const size = diameter * (both ? 0.46 : 0.72);
    context.save();
    context.translate(x - size / 2, y - (both ? diameter * 0.42 : size / 2));
    context.scale(size / 24, size / 24);
    context.lineWidth = 2.4;
    context.lineCap = context.lineJoin = 'round';
    context.stroke(wheelchair);
    context.restore();
    if (!both) return;
    y += diameter * 0.22;
  }
  const length = seat.number.length;
  const size = diameter * (seat.accessible ? 0.36 : length > 3 ? 0.34 : length > 2 ? 0.4 : 0.48);
  context.font = `600 ${size}px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(seat.number, x, y + size * 0.06, diameter * 0.86);
}
