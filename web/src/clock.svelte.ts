// The server's time, by the Date of its answers: a wrong clock here must not show a wrong countdown.
import { api } from './api/client';
import { ServerClock } from './serverClock';

const clock = new ServerClock();
const state = $state({ now: Date.now() });
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

const sent = new WeakMap<Request, number>();
api.use({
  onRequest({ request }) {
    sent.set(request, Date.now());
  },
  onResponse({ request, response }) {
    const date = Date.parse(response.headers.get('Date') ?? '');
    // An answer from a cache, the browser's too, may have the Date of when it was stored.
    const cached = response.headers.has('Age') || /max-age/.test(response.headers.get('Cache-Control') ?? '');
    if (Number.isNaN(date) || cached) return;
    const received = Date.now();
    clock.hear(date, sent.get(request) ?? received, received);
    state.now = serverTime();
  },
});

/** The server's time in milliseconds. */
export const serverTime = (): number => Date.now() + clock.ahead;

/** Like serverTime, as a state that turns four times a second while a countdown is shown. */
export const now = (): number => state.now;

/** Keeps `now` going until the returned function is called. */
export function tick(): () => void {
  state.now = serverTime();
  if (watchers++ === 0) timer = setInterval(() => (state.now = serverTime()), 250);
  return () => {
    if (--watchers === 0) clearInterval(timer);
  };
}
