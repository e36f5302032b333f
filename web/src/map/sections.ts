// What is drawn without looking at single seats: sections with their names, standing areas, the front.
import type { Look } from './look';
import { widened, type Point } from './outline';
import { colorOf, mix, textOn } from './palette';
import type { Bounds, PlanArea, PlanSection, SeatPlan } from './plan';
import type { SeatStates } from './states';

/** Texts of the map in the current language. */
export interface Words {
  front: string;
  free: (count: number) => string;
}

/** Where things are, made once for a plan. */
export interface Shape {
  section: PlanSection;
  path: Path2D;
  bounds: Bounds;
  /** Its most frequent category. */
  category: number;
  /** Room around its middle, across and down, in the plan's units. */
  width: number;
  height: number;
  /** The uppermost seat in the middle: its name stands above it when seats are shown. */
  top: Point;
}

export function shapesOf(plan: SeatPlan): Shape[] {
  return plan.sections.map((section) => {
    const path = new Path2D();
    widened(section.outline, plan.pitch * 0.62).forEach(({ x, y }, i) =>
      i === 0 ? path.moveTo(x, y) : path.lineTo(x, y),
    );
    path.closePath();
    const xs = section.outline.map((point) => point.x);
    const ys = section.outline.map((point) => point.y);
    const bounds = { minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) };
    const categories = new Int32Array(plan.categories.length || 1);
    for (let i = section.first; i < section.first + section.count; i++) {
      const category = plan.seats[i]?.category ?? 0;
      categories[category] = (categories[category] ?? 0) + 1;
    }
    return {
      section,
      path,
      bounds,
      category: categories.indexOf(Math.max(...categories)),
      width: chord(section, 'x', 'y') + plan.pitch,
      height: chord(section, 'y', 'x') + plan.pitch,
      top: topOf(plan, section, (bounds.minX + bounds.maxX) / 2),
    };
  });
}

/** The longest line through a section's center, and with it in the middle, that stays in the outline. */
function chord({ outline, center }: PlanSection, along: 'x' | 'y', across: 'x' | 'y'): number {
  let half = Infinity;
  outline.forEach((a, i) => {
    const b = outline[(i + 1) % outline.length] ?? a;
    if (a[across] > center[across] === b[across] > center[across]) return;
    const at = a[along] + ((center[across] - a[across]) / (b[across] - a[across])) * (b[along] - a[along]);
    half = Math.min(half, Math.abs(at - center[along]));
  });
  // A straight row by itself is crossed by nothing.
  return half === Infinity
    ? Math.max(...outline.map((point) => point[along])) - Math.min(...outline.map((point) => point[along]))
    : 2 * half;
}

function topOf(plan: SeatPlan, section: PlanSection, x: number): Point {
  const seats = plan.seats.slice(section.first, section.first + section.count);
  // In the middle may be an aisle.
  const nearest = Math.min(...seats.map((seat) => Math.abs(seat.x - x)));
  const y = Math.min(...seats.filter((seat) => Math.abs(seat.x - x) < nearest + plan.pitch).map((seat) => seat.y));
  return { x, y };
}

/** How sections are filled: far out by what is free, near only as the seats' ground. `nearness` is from 0 to 1. */
export function drawSections(
  context: CanvasRenderingContext2D,
  shapes: readonly Shape[],
  states: SeatStates,
  scale: number,
  nearness: number,
  active: number | undefined,
  ratio: number,
  look: Look,
): string[] {
  context.lineJoin = 'round';
  return shapes.map(({ section, path, category }) => {
    const fill = fillOf(
      share(states.countsOfSection(section.index).available, section.count),
      category,
      nearness,
      look,
    );
    const pointed = section.index === active;
    context.fillStyle = fill;
    context.fill(path);
    context.strokeStyle = pointed ? look.accent : mix(fill, look.lineStrong, 0.45 - 0.25 * nearness);
    context.lineWidth = ((pointed ? 3 : 1) * ratio) / scale;
    context.stroke(path);
    return fill;
  });
}

const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);

function fillOf(free: number, category: number, nearness: number, look: Look): string {
  const far =
    free > 0
      ? mix(look.surface, colorOf(category, look.dark), 0.16 + 0.38 * free)
      : mix(look.surface, look.lineStrong, 0.22);
  return mix(far, mix(look.surface, look.page, 0.9), nearness);
}

/** Least size of letters, in CSS pixels. */
const smallest = 9;

/** Writes a name and how much is free as large as fits a box of that size; nothing if that would be too small. */
export function drawName(
  context: CanvasRenderingContext2D,
  name: string,
  detail: string,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
  ratio: number,
  look: Look,
): void {
  const size = Math.min(16 * ratio, (width * 0.82) / widthOf(context, name, 700, look), height * 0.6);
  if (size < smallest * ratio) {
    // A short word says at least how much is free.
    const small = Math.min(11 * ratio, (width * 0.82) / widthOf(context, detail, 600, look), height * 0.6);
    if (small >= smallest * ratio) write(context, detail, x, y, small, 600, color, look);
    return;
  }
  const under = Math.min(size, 12 * ratio, (width * 0.82) / widthOf(context, detail, 400, look));
  const both = under >= smallest * ratio && height >= 2.4 * size;
  write(context, name, x, both ? y - size * 0.5 : y, size, 700, color, look);
  if (both) write(context, detail, x, y + size * 0.65, under, 400, color, look);
}

const widths = new Map<string, number>();

/** Width of a text in letters of size 1. Measuring takes long, and is done for every section in every frame. */
export function widthOf(context: CanvasRenderingContext2D, text: string, weight: number, look: Look): number {
  const key = `${weight} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 5000) widths.clear();
    context.font = `${weight} 20px ${look.font}`;
    width = context.measureText(text).width / 20;
    widths.set(key, width);
  }
  return width;
}

export function write(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  size: number,
  weight: number,
  color: string,
  look: Look,
): void {
  // Whole pixels: a font is looked up once for a size.
  context.font = `${weight} ${Math.floor(size)}px ${look.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = color;
  context.fillText(text, x, y);
}

/** A standing area: its path is in device pixels. */
export function drawArea(
  context: CanvasRenderingContext2D,
  area: PlanArea,
  states: SeatStates,
  center: Point,
  scale: number,
  active: boolean,
  words: Words,
  ratio: number,
  look: Look,
): void {
  const free = states.countsOfArea(area.index).available;
  const color = colorOf(area.category, look.dark);
  const fill =
    free > 0
      ? mix(look.surface, color, 0.16 + 0.38 * share(free, area.capacity))
      : mix(look.surface, look.lineStrong, 0.22);
  const [width, height] = [area.width * scale, area.height * scale];
  context.beginPath();
  context.roundRect(center.x - width / 2, center.y - height / 2, width, height, Math.min(12 * ratio, height / 4));
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = active ? look.accent : free > 0 ? color : look.lineStrong;
  context.lineWidth = (active ? 3 : 1.5) * ratio;
  context.setLineDash([6 * ratio, 4 * ratio]);
  context.stroke();
  context.setLineDash([]);
  drawName(context, area.name, words.free(free), center.x, center.y, width, height, textOn(fill), ratio, look);
}

/** An arc before the first row, with the word on it. */
export function drawFront(
  context: CanvasRenderingContext2D,
  middle: Point,
  halfWidth: number,
  words: Words,
  ratio: number,
  look: Look,
): void {
  context.beginPath();
  context.moveTo(middle.x - halfWidth, middle.y - halfWidth * 0.06);
  context.quadraticCurveTo(middle.x, middle.y + halfWidth * 0.06, middle.x + halfWidth, middle.y - halfWidth * 0.06);
  context.strokeStyle = look.lineStrong;
  context.lineWidth = 2 * ratio;
  context.lineCap = 'round';
  context.stroke();
  write(context, words.front, middle.x, middle.y - 11 * ratio, 12 * ratio, 600, look.muted, look);
}
