// Shapes of sections, from where their seats are.
export interface Point {
  readonly x: number;
  readonly y: number;
}

const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);

/** The usual distance of neighbours in a row: the median, so that aisles do not count; 1 when there are none. */
export function pitchOf(rows: readonly (readonly Point[])[]): number {
  const distances: number[] = [];
  // Some thousand neighbours tell it as well as all.
  const step = Math.max(1, Math.floor(rows.length / 200));
  for (let r = 0; r < rows.length; r += step) {
    const row = rows[r] ?? [];
    for (let i = 1; i < Math.min(row.length, 40); i++) {
      const d = distance(row[i - 1] as Point, row[i] as Point);
      if (d > 0) distances.push(d);
    }
  }
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? 1;
}

/**
 * The outline of a section: along its first row, down the rows' ends, back along its last row and up the other ends.
 * Unlike a convex hull it leaves the hollow of a curved section free for the section in front.
 */
export function outline(rows: readonly (readonly Point[])[]): { outline: Point[]; center: Point } {
  const aligned: (readonly Point[])[] = [];
  for (const row of rows) {
    if (row.length === 0) continue;
    const before = aligned.at(-1);
    aligned.push(before && opposed(before, row) ? [...row].reverse() : row);
  }
  const first = aligned[0];
  const last = aligned.at(-1);
  if (!first || !last) return { outline: [], center: { x: 0, y: 0 } };
  const ends = some(aligned.slice(1, -1), 24);
  const middle = aligned[aligned.length >> 1] ?? first;
  const seat = middle[middle.length >> 1] as Point;
  return {
    outline: [
      ...some(first, 16),
      ...ends.map((row) => row.at(-1) as Point),
      ...some(last, 16).reverse(),
      ...ends.map((row) => row[0] as Point).reverse(),
    ].map(({ x, y }) => ({ x, y })),
    center: { x: seat.x, y: seat.y },
  };
}

/** The outline, wider by `by` all around; its corners are cut. */
export function widened(outline: readonly Point[], by: number): Point[] {
  const loop = outline.filter((point, i) => i === 0 || distance(point, outline[i - 1] as Point) > 0);
  if (loop.length > 1 && distance(loop[0] as Point, loop.at(-1) as Point) === 0) loop.pop();
  const [first] = loop;
  if (!first) return [];
  if (loop.length === 1)
    return [
      [by, 0],
      [0, by],
      [-by, 0],
      [0, -by],
    ].map(([dx = 0, dy = 0]) => ({ x: first.x + dx * 1.3, y: first.y + dy * 1.3 }));
  // A positive area is one whose outside is to the left.
  const area = loop.reduce(
    (sum, a, i) =>
      sum + a.x * (loop[(i + 1) % loop.length] as Point).y - (loop[(i + 1) % loop.length] as Point).x * a.y,
    0,
  );
  const side = area < 0 ? -1 : 1;
  return loop.flatMap((at, i) => {
    const before = loop.at(i - 1) as Point;
    const after = loop[(i + 1) % loop.length] as Point;
    const into = unit(before, at);
    const out = unit(at, after);
    const [a, b] = [outside(at, into, side * by), outside(at, out, side * by)];
    const turn = side * (into.x * out.y - into.y * out.x);
    const straight = into.x * out.x + into.y * out.y;
    if (straight > 0.9 || (turn < 0 && straight > -0.9)) {
      const share = 1 / Math.max(1 + straight, 0.5);
      return [{ x: at.x + (a.x + b.x - 2 * at.x) * share, y: at.y + (a.y + b.y - 2 * at.y) * share }];
    }
    // The end of a row by itself turns right round.
    return straight < -0.2 ? [a, { x: at.x + into.x * by, y: at.y + into.y * by }, b] : [a, b];
  });
}

const unit = (from: Point, to: Point): Point => ({
  x: (to.x - from.x) / distance(from, to),
  y: (to.y - from.y) / distance(from, to),
});
const outside = (at: Point, along: Point, by: number): Point => ({ x: at.x + along.y * by, y: at.y - along.x * by });

/** Whether two rows run in opposite directions. */
function opposed(a: readonly Point[], b: readonly Point[]): boolean {
  const [a0, a1, b0, b1] = [a[0] as Point, a.at(-1) as Point, b[0] as Point, b.at(-1) as Point];
  return (a1.x - a0.x) * (b1.x - b0.x) + (a1.y - a0.y) * (b1.y - b0.y) < 0;
}

/** At most `count` of the items, evenly, with the first and the last. */
function some<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))] as T);
}
