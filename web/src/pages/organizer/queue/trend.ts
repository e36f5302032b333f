// How a queue has developed since the page was opened.

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  waiting: number;
  /** Admissions so far. */
  entered: number;
}

export interface Point {
  at: number;
  value: number;
}

const minute = 60_000;

/** Adds a sample and drops those that are more than ten minutes older. */
export const record = (history: readonly Sample[], next: Sample): Sample[] => [
  ...history.filter(({ at }) => at >= next.at - 10 * minute),
  next,
];

/** Admissions per minute, each over the minute before it, or since the sample before it if that is longer ago. */
export function admissions(history: readonly Sample[]): Point[] {
  let start = 0;
  return history.slice(1).map((sample, i) => {
    while (start < i && (history[start]?.at ?? 0) < sample.at - minute) start++;
    const from = history[start] ?? sample;
    const minutes = Math.max(1, sample.at - from.at) / minute;
    return { at: sample.at, value: (sample.entered - from.entered) / minutes };
  });
}

/** The points of an SVG polyline from edge to edge, with the highest value at the top and 0 at the bottom. */
export function polyline(points: readonly Point[], width: number, height: number): string {
  const first = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - first);
  const most = Math.max(1, ...points.map(({ value }) => value));
  return points
    .map(({ at, value }) => `${(((at - first) / span) * width).toFixed(1)},${(height * (1 - value / most)).toFixed(1)}`)
    .join(' ');
}
