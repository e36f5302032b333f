import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { at, FakeSource, placeOf, queueOf, seed, serving, start, stubBrowser } from './fakes';
import type { Place } from './ownPlace.svelte';

const { page } = stubBrowser();
vi.mock('./challenge', () => ({ solved: ({ challenge }: { challenge: string }) => ({ challenge, solution: '42' }) }));
const { api } = await import('../api/client');
const { seedHash } = await import('./shuffle');
const { tick } = await import('../clock.svelte');
const { WaitingRoom } = await import('./waitingRoom.svelte');

interface Sent {
  body?: object;
}
let stopClock: () => void;
let room: InstanceType<typeof WaitingRoom>;
/** The server's place of the buyer. */
let place: Place | undefined;
let asked: string[];
let sent: object[];

const ok = (data: unknown) => ({ data, response: new Response() });
const refused = (status: number, code: string) => ({ error: { code }, response: new Response(null, { status }) });

beforeEach(async () => {
  vi.useFakeTimers({
    now: start - 60_000,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
  vi.spyOn(Math, 'random').mockReturnValue(0.01); // requests that are spread over time come at once
  stopClock = tick();
  [place, asked, sent, page.visibilityState] = [undefined, [], [], 'visible'];
  sessionStorage.removeItem('frontrow-place-e1');
  sessionStorage.removeItem('frontrow-seed-hash-e1');
  vi.spyOn(api, 'GET').mockImplementation(((path: string) => {
    const name = path.split('/').at(-1) ?? '';
    asked.push(name);
    const answers: Record<string, object> = {
      queue: ok(queueOf({})),
      challenge: ok({ kind: 'proof_of_work', challenge: 'c1', bits: 17 }),
      place: place ? ok(place) : refused(404, 'not_found'),
    };
    return Promise.resolve(answers[name]);
  }) as unknown as typeof api.GET);
  vi.spyOn(api, 'PUT').mockImplementation(((_: string, { body = {} }: Sent) => {
    sent.push(body);
    if (!place && !('solution' in body)) return Promise.resolve(refused(422, 'challenge_failed'));
    if (place?.state === 'called') place = { ...place, state: 'admitted', until: at(600_000), admission: 'token' };
    place ??= placeOf({});
    return Promise.resolve(ok(place));
  }) as unknown as typeof api.PUT);
  room = new WaitingRoom('e1');
  room.start();
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  room.stop();
  stopClock();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const settled = () => vi.waitFor(() => expect(room.rank).toBeDefined());

test('a place needs a solved challenge', async () => {
  expect(room.stage).toBe('join');
  await room.join();
  expect(sent).toEqual([{ challenge: 'c1', solution: '42' }]);
  expect(room.stage).toBe('prequeue');
});

test('a challenge is solved again when the place has gone meanwhile', async () => {
  room.own.take(placeOf({ state: 'missed' }));
  await room.join();
  expect(sent).toEqual([{}, { challenge: 'c1', solution: '42' }]);
  expect([room.stage, room.trouble]).toEqual(['prequeue', undefined]);
});

test('everybody computes their rank and position from the draw, without a request', async () => {
  await room.join();
  asked = [];
  FakeSource.last.show(serving(2, 1));
  await settled();
  // Number 3 of 10 is the fourth by this seed.
  expect([room.rank, room.before, room.stage]).toEqual([4, 2, 'waiting']);
  FakeSource.last.show(serving(3, 3));
  expect(room.before).toBe(0);
  expect(asked).toEqual([]);
});

test('a frame that is older than the last changes nothing', async () => {
  await room.join();
  FakeSource.last.show(serving(5, 2));
  await settled();
  FakeSource.last.show(serving(4, 0));
  expect(room.before).toBe(1);
});

test('a turn is taken at once by somebody who looks on', async () => {
  await room.join();
  FakeSource.last.show(serving(2, 0));
  await settled();
  place = placeOf({ rank: 4, state: 'called', until: at(120_000) });
  FakeSource.last.show(serving(3, 4));
  await vi.waitFor(() => expect(room.stage).toBe('admitted'));
  expect(room.own.admission).toBe('token');
});

test('a turn waits for somebody who does not look on', async () => {
  await room.join();
  page.visibilityState = 'hidden';
  place = placeOf({ rank: 4, state: 'called', until: at(120_000) });
  FakeSource.last.show(serving(2, 4));
  await vi.waitFor(() => expect(room.stage).toBe('called'));
  expect(sent).toHaveLength(1);
  page.visibilityState = 'visible';
  await room.refresh();
  expect(room.stage).toBe('admitted');
});

test('a turn that passes is missed, and the return goes next', async () => {
  await room.join();
  page.visibilityState = 'hidden';
  place = placeOf({ rank: 4, state: 'called', until: at(60_000) });
  FakeSource.last.show(serving(2, 4));
  await vi.waitFor(() => expect(room.stage).toBe('called'));
  place = placeOf({ rank: 4, state: 'missed' });
  await vi.advanceTimersByTimeAsync(125_000);
  expect(room.stage).toBe('missed');
  place = placeOf({ lane: 'returning', number: 1, rank: 1 });
  await room.join();
  expect([room.stage, room.before]).toEqual(['waiting', 0]);
});

test('a place that another tab has left is not taken again', async () => {
  await room.join();
  FakeSource.last.show(serving(2, 0));
  await settled();
  place = undefined;
  FakeSource.last.show(serving(3, 4));
  await vi.waitFor(() => expect(room.stage).toBe('join'));
  expect(sent).toHaveLength(1);
});

test('a turn that another tab gives on at the same time is not a reason to enter again', async () => {
  await room.join();
  place = placeOf({ rank: 4, state: 'called', until: at(120_000) });
  const put = vi.fn(() => Promise.resolve(refused(422, 'challenge_failed')));
  vi.spyOn(api, 'PUT').mockImplementation(put as unknown as typeof api.PUT);
  FakeSource.last.show(serving(2, 4));
  await vi.waitFor(() => expect(put).toHaveBeenCalled());
  expect(asked.filter((name) => name === 'challenge')).toHaveLength(1);
});

test('a draw is checked against the hash from before it', async () => {
  await room.join();
  place = placeOf({ rank: 4 });
  FakeSource.last.show(serving(2, 0));
  expect(await room.checkDraw()).toBeUndefined();
  const other = seed.replace('00', 'ff');
  FakeSource.last.show(serving(3, 0, { seed: other, seed_hash: await seedHash(other) }));
  expect(await room.checkDraw()).toBe('seed');
});

test('a refused invite code is told', async () => {
  vi.spyOn(api, 'PUT').mockResolvedValue(refused(422, 'invite_code_invalid') as never);
  await room.join('wrong');
  expect(room.trouble).toMatchObject({ code: 'invite_code_invalid' });
  expect([room.stage, room.busy]).toEqual(['join', false]);
});

test('the pre-queue opens by the clock', async () => {
  room.stop();
  const queue = queueOf({ state: 'closed', opens_at: at(-30_000) });
  const get = vi.fn(() => Promise.resolve(ok(queue)));
  vi.spyOn(api, 'GET').mockImplementation(get as unknown as typeof api.GET);
  room = new WaitingRoom('e1');
  room.start();
  await vi.advanceTimersByTimeAsync(29_000);
  expect([room.stage, get.mock.calls.length]).toEqual(['closed', 1]);
  queue.state = 'prequeue';
  await vi.advanceTimersByTimeAsync(5000);
  expect(room.stage).toBe('join');
});
