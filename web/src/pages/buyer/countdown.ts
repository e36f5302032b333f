/** The units that a countdown shows. */
export const units = ['days', 'hours', 'minutes', 'seconds'] as const;

/** Splits milliseconds into days, hours, minutes and seconds; a second that has begun counts. */
export function split(milliseconds: number): Record<(typeof units)[number], number> {
  const left = Math.max(0, Math.ceil(milliseconds / 1000));
  return {
    days: Math.floor(left / 86_400),
    hours: Math.floor(left / 3600) % 24,
    minutes: Math.floor(left / 60) % 60,
    seconds: left % 60,
  };
}

/** When a screen reader says how much time is left, in seconds: seldom, or nothing else could be heard. */
const milestones = [10, 30, 60, 300, 600, 1800, 3600];

/** The next milestone at or after what is left, in seconds; undefined long before and after the start. */
export const milestone = (milliseconds: number): number | undefined =>
  milliseconds > 0 ? milestones.find((seconds) => seconds * 1000 >= milliseconds) : undefined;
