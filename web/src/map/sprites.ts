// Seats as pixels: every look of a seat, drawn once for a size, is copied from then on.
import { blocked, held, sold } from './states';
import { seatShape, type Look } from './look';
import { colorOf, mix, patternOf, textOn } from './palette';

/** Seats are placed to half a pixel. */
const phases = 2;
/** Least diameters, in CSS pixels, at which a pattern is seen, and a ring. */
const patternFrom = 9;
const ringFrom = 5.5;

/** What a seat looks like, as a number: category and accessible if it is free, else its state. */
export function kindOf(state: number, category: number, accessible: boolean, categories: number): number {
  return 2 * (state === 0 ? category : categories + state - 1) + (accessible ? 1 : 0);
}

export class Sprites {
  /** Width and height of a sprite in pixels. */
  readonly size: number;
  private readonly sprites: (Uint32Array | undefined)[] = [];
  private readonly context: CanvasRenderingContext2D;

  /** @param diameter of a seat in device pixels, of which `ratio` are a CSS pixel */
  constructor(
    private readonly diameter: number,
    private readonly ratio: number,
    private readonly categories: number,
    private readonly look: Look,
  ) {
    this.size = Math.ceil(diameter) + 3;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = this.size;
    this.context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  }

  /** Left or upper edge of the sprite of a seat whose middle is at `middle`, in half pixels. */
  private edge(middle: number): number {
    return Math.round((middle - this.size / 2 + 0.25) * phases);
  }

  /** The sprite for a place in half pixels, drawn when it is first needed. */
  private at(kind: number, x: number, y: number): Uint32Array {
    const [phaseX, phaseY] = [x & (phases - 1), y & (phases - 1)];
    const key = (kind * phases + phaseY) * phases + phaseX;
    let sprite = this.sprites[key];
    if (!sprite) {
      const { context, size } = this;
      context.clearRect(0, 0, size, size);
      draw(
        context,
        size / 2 + phaseX / phases - 0.25,
        size / 2 + phaseY / phases - 0.25,
        this.diameter / 2,
        this.diameter / this.ratio,
        kind >> 1,
        kind % 2 === 1,
        this.categories,
        this.look,
      );
      this.sprites[key] = sprite = new Uint32Array(context.getImageData(0, 0, size, size).data.buffer);
    }
    return sprite;
  }

  /** Copies a seat into pixels of a square with that side, cut at its edges. */
  blit(into: Uint32Array, side: number, kind: number, middleX: number, middleY: number): void {
    const [x, y] = [this.edge(middleX), this.edge(middleY)];
    const source = this.at(kind, x, y);
    const [left, top] = [x >> 1, y >> 1];
    const from = Math.max(0, -left);
    const to = Math.min(this.size, side - left);
    for (let row = Math.max(0, -top); row < Math.min(this.size, side - top); row++) {
      let at = (top + row) * side + left + from;
      for (let i = row * this.size + from; i < row * this.size + to; i++, at++) {
        const pixel = source[i] as number;
        // Seats do not overlap but at their soft edges: the more opaque pixel stays. Alpha is the highest byte.
        if (pixel >>> 24 > (into[at] as number) >>> 24) into[at] = pixel;
      }
    }
  }
}

function draw(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  cssDiameter: number,
  what: number,
  accessible: boolean,
  categories: number,
  look: Look,
): void {
  const state = what < categories ? 0 : what - categories + 1;
  context.save();
  context.beginPath();
  if (state === 0) {
    const color = colorOf(what, look.dark);
    seatShape(context, x, y, radius, accessible);
    context.fillStyle = color;
    context.fill();
    if (cssDiameter >= patternFrom) {
      // The pattern is on the other side of the colour than the number.
      context.clip();
      context.globalAlpha = 0.34;
      context.strokeStyle = textOn(color) === '#ffffff' ? '#000000' : '#ffffff';
      context.translate(x - radius, y - radius);
      context.scale(radius / 12, radius / 12);
      context.lineWidth = Math.max(2.2, 24 / radius / 2);
      context.stroke(new Path2D(patternOf(what)));
    }
  } else {
    const grey = mix(look.surface, look.lineStrong, state === held ? 1 : 0.62);
    context.fillStyle = context.strokeStyle = grey;
    const line = Math.max(radius * 0.16, (radius * 2) / cssDiameter);
    context.lineWidth = line;
    if (cssDiameter < ringFrom) {
      seatShape(context, x, y, radius * (state === held ? 0.8 : state === sold ? 0.55 : 0.3), accessible);
      context.fill();
    } else if (state === blocked) {
      const arm = radius * 0.4;
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x + arm, y - arm);
      context.lineTo(x - arm, y + arm);
      context.stroke();
    } else {
      seatShape(context, x, y, radius - line / 2 - radius * 0.08, accessible);
      context.stroke();
      if (state === held) {
        context.clip();
        context.fillRect(x - radius, y, 2 * radius, radius);
      }
    }
  }
  context.restore();
}
