import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { at, placeOf, start, stubBrowser } from './fakes';

stubBrowser();
const { api } = await import('../api/client');
const { tick } = await import('../clock.svelte');
const { OwnPlace } = await import('./ownPlace.svelte');

let stopClock: () => void;
let answer: () => object;
let own: InstanceType<typeof OwnPlace>;
const get = vi.fn(() => Promise.resolve(answer()));
const ok = (data: unknown) => ({ data, response: new Response() });
const none = () => ({ error: { code: 'not_found' }, response: new Response(null, { status: 404 }) });
const admitted = placeOf({ state: 'admitted', until: at(60_000), admission: 'token' });

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  stopClock = tick();
  get.mockClear();
  vi.spyOn(api, 'GET').mockImplementation(get as unknown as typeof api.GET);
  sessionStorage.removeItem('frontrow-place-e1');
  own = new OwnPlace('e1');
});
afterEach(() => {
  own.stop();
  stopClock();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('an admission ends by itself, and the server is asked once more', async () => {
  own.take(admitted);
  expect([own.admitted, own.left, own.admission]).toEqual([true, 60_000, 'token']);
  answer = none;
  await vi.advanceTimersByTimeAsync(59_000);
  expect([own.admitted, get.mock.calls.length]).toEqual([true, 0]);
  await vi.advanceTimersByTimeAsync(3000);
  expect([own.admitted, own.place, own.ended, get.mock.calls.length]).toEqual([false, undefined, 'expired', 1]);
});

test('an admission that a hold has renewed goes on', async () => {
  own.take(admitted);
  answer = () => ok({ ...admitted, until: at(120_000) });
  await vi.advanceTimersByTimeAsync(62_000);
  expect([own.admitted, own.ended]).toEqual([true, undefined]);
  expect(own.left).toBeGreaterThan(50_000);
});

test('an admission survives a reload', () => {
  own.take(admitted);
  const again = new OwnPlace('e1');
  expect([again.admitted, again.admission]).toEqual([true, 'token']);
  again.stop();
  expect(new OwnPlace('e2').admitted).toBe(false);
});

test('an old admission does not', () => {
  own.take(admitted);
  vi.setSystemTime(start + 60_001);
  expect(new OwnPlace('e1').place).toBeUndefined();
});

test('a place that was left has not expired', async () => {
  own.take(admitted);
  vi.spyOn(api, 'DELETE').mockResolvedValue({
    data: undefined,
    response: new Response(null, { status: 204 }),
  } as never);
  await own.leave();
  expect([own.admitted, own.place, own.ended, own.admission]).toEqual([false, undefined, 'left', undefined]);
  expect(new OwnPlace('e1').place).toBeUndefined();
});

test('without an answer a place stays', async () => {
  own.take(placeOf({}));
  answer = () => ({ error: { code: 'internal' }, response: new Response(null, { status: 500 }) });
  await expect(own.refresh()).rejects.toThrow('internal');
  expect(own.place?.number).toBe(3);
});
