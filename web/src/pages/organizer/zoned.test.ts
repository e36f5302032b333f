import { describe, expect, test } from 'vitest';
import { toInstant, toLocal } from './zoned';

describe('times of a zone', () => {
  test.each([
    ['2027-01-15T19:30', 'Europe/Vienna', '2027-01-15T18:30:00.000Z'],
    ['2027-07-15T19:30', 'Europe/Vienna', '2027-07-15T17:30:00.000Z'],
    ['2027-07-15T00:00', 'Asia/Kolkata', '2027-07-14T18:30:00.000Z'],
    ['2026-12-31T22:00', 'America/New_York', '2027-01-01T03:00:00.000Z'],
    ['2027-03-01T00:15', 'UTC', '2027-03-01T00:15:00.000Z'],
    ['2027-01-15T12:00', 'Pacific/Chatham', '2027-01-14T22:15:00.000Z'],
  ])('%s in %s is %s, and back', (local, zone, instant) => {
    expect(toInstant(local, zone)).toBe(instant);
    expect(toLocal(instant, zone)).toBe(local);
  });

  test('an hour that comes twice means the first', () => {
    expect(toInstant('2027-10-31T02:30', 'Europe/Vienna')).toBe('2027-10-31T00:30:00.000Z');
    expect(toLocal('2027-10-31T01:30:00Z', 'Europe/Vienna')).toBe('2027-10-31T02:30');
  });

  test('an hour that is left out counts on', () => {
    expect(toInstant('2027-03-28T02:30', 'Europe/Vienna')).toBe('2027-03-28T01:30:00.000Z');
    expect(toLocal('2027-03-28T01:30:00Z', 'Europe/Vienna')).toBe('2027-03-28T03:30');
  });

  test.each(['', '2027-01-15', 'soon', '2027-13-01T10:00'])('%j is no time', (local) => {
    expect(toInstant(local, 'UTC')).toBeUndefined();
  });

  test('the hours around a change of clocks are right', () => {
    expect(toInstant('2027-03-28T01:59', 'Europe/Vienna')).toBe('2027-03-28T00:59:00.000Z');
    expect(toInstant('2027-03-28T03:00', 'Europe/Vienna')).toBe('2027-03-28T01:00:00.000Z');
  });
});
