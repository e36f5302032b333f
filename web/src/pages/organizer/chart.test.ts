import { describe, expect, test } from 'vitest';
import type { Schemas } from '../../api/client';
import { chart, ticks } from './chart';

const bucket = (starts_at: string, sold: number) => ({ starts_at, sold, revenue: 0 });

describe('levels', () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [5, [0, 1, 2, 3, 4, 5]],
    [6, [0, 2, 4, 6]],
    [37, [0, 10, 20, 30, 40]],
    [1200, [0, 500, 1000, 1500]],
  ])('up to %i are %j', (most, levels) => expect(ticks(most)).toEqual(levels));
});

describe('bars', () => {
  const over: Schemas['SalesOverTime'] = {
    bucket_seconds: 60,
    buckets: [bucket('2027-01-01T10:00:00Z', 4), bucket('2027-01-01T10:01:00Z', 2), bucket('2027-01-01T10:04:00Z', 5)],
  };

  test('stand where their time is, with room for buckets in which nothing was sold', () => {
    const { bars } = chart(over, 100, 50, 20);
    expect(bars.map(({ x }) => x)).toEqual([1, 21, 81]);
    expect(bars.map(({ width }) => width)).toEqual([18, 18, 18]);
  });

  test('are as high as what was sold', () => {
    const { bars } = chart(over, 100, 50, 20);
    expect(bars.map(({ height, y }) => [height, y])).toEqual([
      [40, 10],
      [20, 30],
      [50, 0],
    ]);
  });

  test('times below do not run into one another or out of the picture', () => {
    expect(chart(over, 100, 50, 20).times.map(({ x }) => x)).toEqual([0, 20, 40, 60, 80]);
    expect(chart(over, 100, 50, 45).times.map(({ x }) => x)).toEqual([0]);
    expect(chart(over, 100, 50, 30).times.map(({ at, x }) => [new Date(at).toISOString().slice(11, 16), x])).toEqual([
      ['10:00', 0],
      ['10:02', 40],
    ]);
  });

  test('without sales there are none', () =>
    expect(chart({ bucket_seconds: 60, buckets: [] }, 100, 50, 20).bars).toEqual([]));

  test('a single one is not as wide as the picture', () => {
    const { bars, times } = chart({ bucket_seconds: 60, buckets: [bucket('2027-01-01T10:00:00Z', 4)] }, 600, 50, 80);
    expect(bars[0]?.width).toBe(64);
    expect(times).toHaveLength(1);
  });
});
