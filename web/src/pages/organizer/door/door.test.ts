import 'fake-indexeddb/auto';
import { describe, expect, test, vi } from 'vitest';
import { Refusal } from '../../../api/client';
import { Door, type Outside, type Scan } from './door';
import { allPrepared, preparedFor, putPrepared, Shelf, type Prepared } from './shelf';
import type { Check } from './ticket';

const offline = () => Promise.reject(new Refusal('network', 0));
const good = (ticket: string): Check => ({ kind: 'good', claims: { t: ticket, b: 'b', e: 'event', s: '1-7' } });

let events = 0;

/** A server that admits each code once, and may be out of reach; a door before it, at an event of its own. */
function stage() {
  const log: Scan[] = [];
  const world = {
    reachable: true,
    log,
    checks: {} as Record<string, Check>,
    refusal: undefined as Refusal | undefined,
    send({ scan_id, code }: { scan_id: string; code: string }): Promise<Scan> {
      if (!world.reachable) return offline();
      if (world.refusal) return Promise.reject(world.refusal);
      const replay = log.find((scan) => scan.scan_id === scan_id);
      if (replay) return Promise.resolve(replay);
      const used = log.find((scan) => scan.ticket_id === code && scan.result === 'admitted');
      const scan: Scan = {
        scan_id,
        event_id: 'event',
        ticket_id: code,
        scanned_at: '2027-03-01T19:00:00Z',
        result: used ? 'already_used' : 'admitted',
        ...(used ? { admitted_at: used.scanned_at } : {}),
      };
      log.push(scan);
      return Promise.resolve(scan);
    },
    check: (code: string): Promise<Check> => Promise.resolve(world.checks[code] ?? good(code)),
    now: () => 1_800_000_000_000,
  };
  const event = `event-${++events}`;
  return { world, open: () => Door.open(new Shelf(event), world as Outside) };
}

describe('with a network', () => {
  test('the server decides', async () => {
    const door = await stage().open();
    expect(await door.scan('one')).toMatchObject({ result: 'admitted', confirmed: true, ticket_id: 'one' });
    expect(await door.scan('one')).toMatchObject({ result: 'already_used', confirmed: true });
    expect([door.admitted, door.waiting, door.recent.length]).toEqual([1, 0, 2]);
  });

  test('a scan that is refused is told and forgotten', async () => {
    const { world, open } = stage();
    const door = await open();
    world.refusal = new Refusal('session_required', 401);
    await expect(door.scan('one')).rejects.toBe(world.refusal);
    expect([door.admitted, door.waiting, door.recent.length]).toEqual([0, 0, 0]);
  });
});

describe('without a network', () => {
  test.each([
    [good('t'), { result: 'admitted', seat_id: '1-7' }],
    [{ kind: 'forged' } as Check, { result: 'forged' }],
    [{ ...good('t'), kind: 'wrong_event' } as Check, { result: 'wrong_event' }],
  ])('the door decides: %j', async (check, expected) => {
    const { world, open } = stage();
    world.reachable = false;
    world.checks.code = check;
    const door = await open();
    expect(await door.scan('code')).toMatchObject({ ...expected, confirmed: false });
    expect([door.waiting, door.connected]).toEqual([1, false]);
  });

  test('a ticket gets in once', async () => {
    const { world, open } = stage();
    const door = await open();
    await door.scan('before');
    world.reachable = false;
    expect((await door.scan('one')).result).toBe('admitted');
    expect((await door.scan('one')).result).toBe('already_used');
    expect((await door.scan('before')).result).toBe('already_used');
    expect(door.admitted).toBe(2);
  });

  test('a ticket that the log knows as used does not get in', async () => {
    const { world, open } = stage();
    const door = await open();
    door.remember([
      { scan_id: 'x', event_id: 'event', ticket_id: 'one', result: 'admitted', scanned_at: '2027-03-01T18:00:00Z' },
    ]);
    world.reachable = false;
    const outcome = await door.scan('one');
    expect(outcome.result).toBe('already_used');
    expect(door.admittedAt(outcome)).toBe(Date.parse('2027-03-01T18:00:00Z'));
  });
});

describe('when the network is back', () => {
  test('what waited is sent in order and confirmed, and counts once', async () => {
    const { world, open } = stage();
    const door = await open();
    world.reachable = false;
    await door.scan('one');
    await door.scan('two');
    await door.flush();
    expect(door.waiting).toBe(2);
    world.reachable = true;
    await door.flush();
    expect(world.log.map(({ ticket_id }) => ticket_id)).toEqual(['one', 'two']);
    expect(door.recent.map(({ confirmed, result }) => [confirmed, result])).toEqual([
      [true, 'admitted'],
      [true, 'admitted'],
    ]);
    expect([door.waiting, door.admitted, door.connected, door.contradictions.length]).toEqual([0, 2, true, 0]);
  });

  test('whoever was turned away here and is there is no contradiction', async () => {
    const { world, open } = stage();
    const door = await open();
    world.reachable = false;
    await door.scan('one');
    await door.scan('one');
    world.reachable = true;
    await door.flush();
    expect(door.recent.map(({ result }) => result)).toEqual(['already_used', 'admitted']);
    expect(door.contradictions).toEqual([]);
  });

  test('a contradiction stays until it is dismissed', async () => {
    const { world, open } = stage();
    const door = await open();
    world.reachable = false;
    const { scan_id } = await door.scan('one');
    world.reachable = true;
    await world.send({ scan_id: 'another-door', code: 'one' });
    await door.flush();
    expect(door.contradictions).toMatchObject([{ scan_id, scan: { result: 'already_used' } }]);
    expect((await open()).contradictions).toHaveLength(1);
    door.dismiss(scan_id);
    expect([door.contradictions.length, (await open()).contradictions.length]).toEqual([0, 0]);
  });

  test('a scan whose answer was lost is sent with the same id, and is no contradiction', async () => {
    const { world, open } = stage();
    const door = await open();
    const { send } = world;
    world.send = (scan) => send(scan).then(offline);
    expect(await door.scan('one')).toMatchObject({ result: 'admitted', confirmed: false });
    world.send = send;
    await door.flush();
    expect(door.recent).toMatchObject([{ result: 'admitted', confirmed: true }]);
    expect([world.log.length, door.contradictions.length, door.admitted]).toEqual([1, 0, 1]);
  });

  test('one that nobody could tell is not sent before it is scanned again, and then with the same id', async () => {
    const { world, open } = stage();
    const { send } = world;
    world.checks.one = { kind: 'unknown' };
    world.send = (scan) => send(scan).then(offline);
    const door = await open();
    expect(await door.scan('one')).toMatchObject({ result: 'unchecked', confirmed: false });
    world.send = send;
    await door.flush();
    expect([door.waiting, door.admitted]).toEqual([0, 0]);
    expect(await door.scan('one')).toMatchObject({ result: 'admitted', confirmed: true });
    expect([door.recent.length, door.admitted]).toEqual([1, 1]);
  });

  test('a scan that the server refuses for good is given up, with a warning if somebody got in by it', async () => {
    const { world, open } = stage();
    const door = await open();
    world.reachable = false;
    const { scan_id } = await door.scan('one');
    Object.assign(world, { reachable: true, refusal: new Refusal('scan_id_reused', 422) });
    await door.flush();
    expect(door.waiting).toBe(0);
    expect(door.contradictions).toEqual([{ scan_id, at: 1_800_000_000_000 }]);
  });

  test('without a session, scans are kept', async () => {
    const { world, open } = stage();
    const door = await open();
    world.reachable = false;
    await door.scan('one');
    Object.assign(world, { reachable: true, refusal: new Refusal('session_invalid', 401) });
    await door.flush();
    expect(door.waiting).toBe(1);
  });

  test('scans outlast the page: a new one shows them as pending, and sends them once', async () => {
    const { world, open } = stage();
    world.reachable = false;
    const { scan_id } = await (await open()).scan('one');
    const door = await open();
    expect([door.waiting, door.admitted]).toEqual([1, 1]);
    expect(door.recent).toMatchObject([
      { scan_id, result: 'admitted', confirmed: false, ticket_id: 'one', seat_id: '1-7' },
    ]);
    expect((await door.scan('one')).result).toBe('already_used');
    world.reachable = true;
    await door.flush();
    expect(world.log.map(({ result }) => result)).toEqual(['admitted', 'already_used']);
    expect([door.waiting, (await open()).waiting, (await open()).admitted]).toEqual([0, 0, 1]);
  });

  test('the scans of two pages at one event do not replace each other', async () => {
    const { world, open } = stage();
    world.reachable = false;
    const [left, right] = [await open(), await open()];
    await left.scan('one');
    await right.scan('two');
    expect((await open()).recent.map(({ ticket_id }) => ticket_id).toSorted()).toEqual(['one', 'two']);
  });
});

describe('where the browser stores nothing', () => {
  test('the door works, and says that scans are not kept', async () => {
    const { world } = stage();
    const full = () => Promise.reject(new DOMException('', 'QuotaExceededError'));
    const shelf = new Shelf('full');
    for (const name of ['load', 'putScan', 'putTickets', 'removeScan'] as const)
      vi.spyOn(shelf, name).mockImplementation(full);
    world.reachable = false;
    const door = await Door.open(shelf, world as Outside);
    expect((await door.scan('one')).result).toBe('admitted');
    expect((await door.scan('one')).result).toBe('already_used');
    expect(door.storing).toBe(false);
    world.reachable = true;
    await door.flush();
    expect(world.log).toHaveLength(2);
  });
});

describe('events that are prepared', () => {
  const day = 24 * 3_600_000;
  const prepared = (event: string, ended: number) =>
    ({
      event,
      details: { starts_at: new Date(-ended).toISOString(), ends_at: new Date(-ended).toISOString() },
      keys: [],
    }) as unknown as Prepared;

  test('are kept until a week after their end, and as long as a scan of theirs waits', async () => {
    for (const one of [prepared('old', 8 * day), prepared('new', 6 * day), prepared('unsent', 30 * day)])
      await putPrepared(one);
    await new Shelf('old').putTickets([{ ticket: 't', at: 0, here: true }]);
    await new Shelf('unsent').putScan({ scan_id: 's', code: 'c', at: 0 });
    expect((await allPrepared(0)).map(({ event }) => event)).toEqual(['unsent', 'new']);
    expect(await preparedFor('old')).toBeUndefined();
    expect((await new Shelf('old').load()).tickets).toEqual([]);
  });
});
