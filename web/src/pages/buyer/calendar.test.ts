import { expect, test } from 'vitest';
import type { Ticket } from '../../api/client';
import { calendarFile } from './calendar';

const ticket = (number: string): Ticket => ({
  id: '1',
  seat_id: '1-1',
  section: 'Stalls, left',
  row: 'A',
  number,
  ticket_type: 'Premium',
  event_id: 'e1',
  event_name: 'Lear; King',
  starts_at: '2030-05-01T19:00:00Z',
  holder: 'ada@example.org',
  code: 'c',
  qr_png: 'p',
});

test('a calendar file escapes what has a meaning in it, and folds long lines', () => {
  const first = ticket('1');
  const file = calendarFile(first, [first, ticket('2')]);
  const lines = file.split('\r\n');
  expect(file).toContain('DTSTART:20300501T190000Z');
  expect(file).toContain('SUMMARY:Lear\\; King');
  expect(file.replaceAll('\r\n ', '')).toContain('DESCRIPTION:Stalls\\, left A 1\\nStalls\\, left A 2');
  expect(lines.every((line) => new TextEncoder().encode(line).length <= 75)).toBe(true);
});
