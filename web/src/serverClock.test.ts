import { expect, test } from 'vitest';
import { ServerClock } from './serverClock';

/** Answers of a server that is ahead, each asked for at a time of ours and `delay` milliseconds on its way. */
function listen(ahead: number, times: number[], delay = 40, clock = new ServerClock()): ServerClock {
  for (const sent of times) {
    const date = Math.floor((sent + ahead + delay / 2) / 1000) * 1000;
    clock.hear(date, sent, sent + delay);
  }
  return clock;
}

test.each([0, 3_600_000, -86_400_000, 250])('one answer tells the time to the second (%i ms ahead)', (ahead) => {
  const lag = ahead - listen(ahead, [5_000_730]).ahead;
  expect(lag).toBeGreaterThanOrEqual(0);
  expect(lag).toBeLessThanOrEqual(1040);
});

test('more answers tell it better, and never a time that is still to come', () => {
  const clock = new ServerClock();
  let lag = Infinity;
  for (let sent = 1_000_000; sent < 1_030_000; sent += 1370) {
    const now = 7000 - listen(7000, [sent], 40, clock).ahead;
    expect(now).toBeLessThanOrEqual(lag);
    lag = now;
  }
  expect(lag).toBeGreaterThanOrEqual(0);
  expect(lag).toBeLessThan(150);
});

test('an answer that was long on its way changes nothing', () => {
  const clock = listen(7000, [1_000_000]);
  const { ahead } = clock;
  clock.hear(1_012_000, 1_005_000, 1_030_000);
  expect(clock.ahead).toBe(ahead);
});

test('a clock of ours that is set is followed in both directions', () => {
  const clock = listen(7000, [1_000_000]);
  for (const ahead of [-60_000, 60_000]) {
    listen(ahead, [2_000_000], 40, clock);
    expect(Math.abs(clock.ahead - ahead)).toBeLessThanOrEqual(1040);
  }
});
