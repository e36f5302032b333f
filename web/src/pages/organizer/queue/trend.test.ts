import { describe, expect, test } from 'vitest';
import { admissions, polyline, record, type Sample } from './trend';

const sample = (seconds: number, entered = 0, waiting = 0): Sample => ({ at: seconds * 1000, waiting, entered });

describe('the history of a queue', () => {
  test('reaches ten minutes back', () => {
    const history = [0, 1, 300].map((seconds) => sample(seconds));
    expect(record(history, sample(601)).map(({ at }) => at / 1000)).toEqual([1, 300, 601]);
  });
});

describe('admissions per minute', () => {
  test('are none before the second sample', () => {
    expect(admissions([])).toEqual([]);
    expect(admissions([sample(0, 50)])).toEqual([]);
  });

  test('are counted over the last minute, or over less at first', () => {
    const history = [sample(0, 100), sample(30, 120), sample(60, 130), sample(90, 130)];
    expect(admissions(history).map(({ value }) => value)).toEqual([40, 30, 10]);
  });

  test('are counted since the last sample if that is longer ago', () => {
    const history = [sample(0, 0), sample(2, 10), sample(302, 60)];
    expect(admissions(history).map(({ value }) => value)).toEqual([300, 10]);
  });
});

describe('a line', () => {
  test('has time from left to right and the highest value at the top', () => {
    const points = [
      { at: 1000, value: 0 },
      { at: 2000, value: 50 },
      { at: 5000, value: 200 },
    ];
    expect(polyline(points, 100, 40)).toBe('0.0,40.0 25.0,30.0 100.0,0.0');
  });

  test('of nothing but zeros is at the bottom', () => {
    expect(polyline([{ at: 1000, value: 0 }], 100, 40)).toBe('0.0,40.0');
  });
});
