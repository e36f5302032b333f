import type { Ticket } from '../../api/client';

const escape = (text: string) => text.replace(/[\\;,]/g, '\\$&').replace(/\n/g, '\\n');
const stamp = (time: string) => time.replace(/[-:]/g, '').replace(/\.\d+/, '');

/** Folds a line as RFC 5545 wants it: at 75 bytes at most, here by characters to be safe. */
const fold = (line: string) => (line.match(/.{1,36}/gsu) ?? ['']).join('\r\n ');

/** An event of a calendar (iCalendar, RFC 5545) with the seats in its description. */
export function calendarFile(event: Ticket, tickets: readonly Ticket[]): string {
  const seats = tickets
    .map((ticket) => [ticket.section, ticket.row, ticket.number].filter(Boolean).join(' '))
    .join('\n');
  return (
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Frontrow//Tickets//EN',
      'BEGIN:VEVENT',
      `UID:${event.event_id}@frontrow`,
      `DTSTAMP:${stamp(event.starts_at)}`,
      `DTSTART:${stamp(event.starts_at)}`,
      `SUMMARY:${escape(event.event_name)}`,
      `DESCRIPTION:${escape(seats)}`,
      'END:VEVENT',
      'END:VCALENDAR',
    ]
      .map(fold)
      .join('\r\n') + '\r\n'
  );
}
