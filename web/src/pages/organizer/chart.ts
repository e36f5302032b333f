// Sales over time as bars: from buckets, of which the empty ones are left out, to rectangles.
import type { Schemas } from '../../api/client';

export interface Bar {
  /** Milliseconds since 1970; where the bucket starts. */
  at: number;
  sold: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Chart {
  bars: Bar[];
  /** Seats, from 0 in even steps, and how far from the top. */
  levels: { value: number; y: number }[];
  /** Times below the bars, and how far from the left. */
  times: { at: number; x: number }[];
}

type OverTime = Schemas['SalesOverTime'];

/** Lays the chart out in a plot of width by height; a time below takes `label` of the width. */
export function chart({ bucket_seconds, buckets }: OverTime, width: number, height: number, label: number): Chart {
  const step = bucket_seconds * 1000;
  const starts = buckets.map(({ starts_at }) => Date.parse(starts_at));
  const first = starts[0];
  const last = starts.at(-1);
  if (first === undefined || last === undefined) return { bars: [], levels: [], times: [] };
  const slots = Math.round((last - first) / step) + 1;
  const slot = width / slots;
  const levels = ticks(Math.max(...buckets.map(({ sold }) => sold)));
  const top = levels.at(-1) ?? 1;
  const gap = Math.min(2, slot / 4);
  const bars = buckets.map(({ sold }, i) => {
    const at = starts[i] ?? first;
    const tall = (sold / top) * height;
    return {
      at,
      sold,
      x: ((at - first) / step) * slot + gap / 2,
      y: height - tall,
      width: Math.min(slot - gap, 64),
      height: tall,
    };
  });
  const every = Math.max(1, Math.ceil((label * slots) / width));
  const times = Array.from({ length: Math.ceil(slots / every) }, (_, n) => ({
    at: first + n * every * step,
    x: n * every * slot,
  })).filter(({ x }) => x + label <= width || slots === 1);
  return { bars, levels: levels.map((value) => ({ value, y: height - (value / top) * height })), times };
}

/** Round numbers from 0 to at least `most`, five at most besides 0. */
export function ticks(most: number): number[] {
  const rough = Math.max(1, most) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? 1);
  return Array.from({ length: Math.ceil(Math.max(1, most) / step) + 1 }, (_, n) => n * step);
}
