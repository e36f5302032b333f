// Converts between instants and local times of a zone. A datetime-local field has no zone: it means the venue's.

/** Milliseconds that the zone's clocks are ahead of UTC at an instant. */
function ahead(instant: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(instant / 1000) * 1000;
}

const day = 86_400_000;

/**
 * The instant, as RFC 3339 in UTC, at which the zone's clocks show `local` (YYYY-MM-DDThh:mm); undefined if that is no
 * time. An hour that occurs twice means the first; an hour skipped in spring counts on from before it.
 */
export function toInstant(local: string, timeZone: string): string | undefined {
  const wall = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(local) ? Date.parse(`${local}Z`) : NaN;
  if (Number.isNaN(wall)) return undefined;
  const before = wall - ahead(wall - day, timeZone);
  const after = wall - ahead(wall + day, timeZone);
  const right = [before, after].filter((instant) => instant + ahead(instant, timeZone) === wall);
  return new Date(right.length > 0 ? Math.min(...right) : before).toISOString();
}

/** What the zone's clocks show at an instant, as datetime-local has it, to the minute. */
export function toLocal(instant: string, timeZone: string): string {
  const time = Date.parse(instant);
  return new Date(time + ahead(time, timeZone)).toISOString().slice(0, 16);
}
