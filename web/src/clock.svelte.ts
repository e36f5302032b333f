// The server's time, by the Date of its answers: a wrong clock here must not show a wrong countdown.
import { api } from './api/client';

let offset = 0;
const state = $state({ now: Date.now() });
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

api.use({
  onResponse({ response }) {
    const date = Date.parse(response.headers.get('Date') ?? '');
    // Date is in whole seconds, half a second behind on average.
    if (!Number.isNaN(date) && response.headers.get('Age') === null) offset = date + 500 - Date.now();
  },
});

/** The time in milliseconds, turning four times a second while a countdown is shown. */
export const now = (): number => state.now;

/** Keeps `now` going until the returned function is called. */
export function tick(): () => void {
  state.now = Date.now() + offset;
  if (watchers++ === 0) timer = setInterval(() => (state.now = Date.now() + offset), 250);
  return () => {
    if (--watchers === 0) clearInterval(timer);
  };
}
