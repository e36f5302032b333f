// Undo and redo for what is replaced and never changed.

export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
  /** What the last change was to; nothing after going back or forth. */
  readonly to?: string;
}

/** More steps nobody goes back. */
const longest = 100;

export const begin = <T>(present: T): History<T> => ({ past: [], present, future: [] });

/** Changes that follow one another to the same thing are one step: a number that is typed or turned up. */
export function change<T>(history: History<T>, present: T, to?: string): History<T> {
  if (present === history.present) return history;
  const again = to !== undefined && to === history.to;
  const past = again ? history.past : [...history.past, history.present].slice(-longest);
  return { past, present, future: [], ...(to === undefined ? {} : { to }) };
}

export function undo<T>(history: History<T>): History<T> {
  const present = history.past.at(-1);
  if (present === undefined) return history;
  return { past: history.past.slice(0, -1), present, future: [history.present, ...history.future] };
}

export function redo<T>(history: History<T>): History<T> {
  const [present, ...future] = history.future;
  if (present === undefined) return history;
  return { past: [...history.past, history.present], present, future };
}
