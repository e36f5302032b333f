// What can honestly be said of the time until somebody's turn.
import type { Schemas } from '../api/client';
import type { Lane } from './shuffle';

type Queue = Schemas['Queue'];

/** In the order in which they are served. */
const lanes: readonly Lane[] = ['returning', 'priority', 'general'];

/** Returns the number of people before a rank of a lane. */
export function peopleBefore(queue: Pick<Queue, 'lanes'>, lane: Lane, rank: number): number {
  const earlier = lanes.slice(0, lanes.indexOf(lane));
  const waiting = earlier.reduce((sum, name) => sum + queue.lanes[name].waiting, 0);
  return waiting + Math.max(0, rank - queue.lanes[lane].serving - 1);
}

export interface Wait {
  unit: 'minutes' | 'hours';
  low: number;
  high: number;
}

/** Above this many minutes a wait is told in hours. */
const longWait = 90;
/** A wait whose bounds are further apart than this factor is no estimate. */
const vague = 6;

/** Returns how long the people before somebody take, or undefined if that is too uncertain to tell. */
export function estimate(before: number, admittedPerMinute: Queue['admitted_per_minute']): Wait | undefined {
  const { low: slow, high: fast } = admittedPerMinute;
  if (slow <= 0 || fast <= 0) return undefined;
  const low = (before + 1) / fast;
  const high = (before + 1) / slow;
  if (high > vague * Math.max(low, 1)) return undefined;
  if (high > longWait) return { unit: 'hours', low: Math.max(1, Math.floor(low / 60)), high: Math.ceil(high / 60) };
  return { unit: 'minutes', low: rounded(low, Math.floor), high: rounded(high, Math.ceil) };
}

/** Rounds minutes, from 20 on to a multiple of five. */
function rounded(minutes: number, round: (n: number) => number): number {
  const step = minutes < 20 ? 1 : 5;
  return Math.max(1, round(minutes / step) * step);
}

/** Returns whether the people before somebody may take all seats, by how many seats people have booked so far. */
export const mayRunOut = (
  before: number,
  queue: Pick<Queue, 'seats_available' | 'seats_held' | 'seats_per_booking'>,
): boolean => before * queue.seats_per_booking > queue.seats_available + queue.seats_held;
