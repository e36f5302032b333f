// What a check-in must not lose: closing the page or the browser leaves it in IndexedDB.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Event, Venue } from '../../../api/client';
import type { Admission, Contradiction, Waiting } from './door';
import type { TicketKeys } from './ticket';

/** What the check-in of an event needs when there is no network. */
export interface Prepared {
  event: string;
  details: Event;
  venue: Venue;
  keys: TicketKeys;
}

type OfEvent<T> = T & { event: string };

interface Schema extends DBSchema {
  waiting: { key: string; value: OfEvent<Waiting>; indexes: { event: string } };
  contradictions: { key: string; value: OfEvent<Contradiction>; indexes: { event: string } };
  tickets: { key: [string, string]; value: OfEvent<Admission>; indexes: { event: string } };
  prepared: { key: string; value: Prepared };
}

/** How long an event is kept after its end, in milliseconds. */
const retention = 7 * 24 * 3_600_000;

/** How long people at the door wait for the database, in milliseconds: some browsers never open it. */
const patience = 2000;

let database: Promise<IDBPDatabase<Schema>> | undefined;

function open(): Promise<IDBPDatabase<Schema>> {
  database ??= Promise.race([
    connect(),
    new Promise<never>((_, reject) => setTimeout(reject, patience, new Error('open database: timeout'))),
  ]);
  return database;
}

function connect(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>('frontrow-check-in', 1, {
    upgrade(created) {
      for (const name of ['waiting', 'contradictions'] as const)
        created.createObjectStore(name, { keyPath: 'scan_id' }).createIndex('event', 'event');
      created.createObjectStore('tickets', { keyPath: ['event', 'ticket'] }).createIndex('event', 'event');
      created.createObjectStore('prepared', { keyPath: 'event' });
    },
    terminated() {
      database = undefined;
    },
  });
}

/** The scans at one event. Each has its own record, so that two pages at the same event do not overwrite each other. */
export class Shelf {
  constructor(private readonly event: string) {}

  async load(): Promise<{ waiting: Waiting[]; contradictions: Contradiction[]; tickets: Admission[] }> {
    const db = await open();
    const [waiting, contradictions, tickets] = await Promise.all([
      db.getAllFromIndex('waiting', 'event', this.event),
      db.getAllFromIndex('contradictions', 'event', this.event),
      db.getAllFromIndex('tickets', 'event', this.event),
    ]);
    return { waiting, contradictions, tickets };
  }

  /** Stores a scan, and the admission that it came to. It is on the disk when the promise is fulfilled. */
  async putScan(scan: Waiting, admission?: Admission): Promise<void> {
    const db = await open();
    const transaction = db.transaction(['waiting', 'tickets'], 'readwrite', { durability: 'strict' });
    await Promise.all([
      transaction.objectStore('waiting').put({ ...scan, event: this.event }),
      admission && transaction.objectStore('tickets').put({ ...admission, event: this.event }),
      transaction.done,
    ]);
  }

  async removeScan(scanId: string): Promise<void> {
    await (await open()).delete('waiting', scanId);
  }

  async putTickets(admissions: readonly Admission[]): Promise<void> {
    const transaction = (await open()).transaction('tickets', 'readwrite');
    await Promise.all([
      ...admissions.map((admission) => transaction.store.put({ ...admission, event: this.event })),
      transaction.done,
    ]);
  }

  async putContradiction(contradiction: Contradiction): Promise<void> {
    await (await open()).put('contradictions', { ...contradiction, event: this.event });
  }

  async removeContradiction(scanId: string): Promise<void> {
    await (await open()).delete('contradictions', scanId);
  }
}

export async function putPrepared(prepared: Prepared): Promise<void> {
  await (await open()).put('prepared', prepared);
}

export async function preparedFor(event: string): Promise<Prepared | undefined> {
  return (await open()).get('prepared', event);
}

/** The events whose check-in works here without a network, by start. Removes those that ended a week ago. */
export async function allPrepared(now = Date.now()): Promise<Prepared[]> {
  const db = await open();
  const kept: Prepared[] = [];
  for (const prepared of await db.getAll('prepared')) {
    const { event, details } = prepared;
    const unsent = await db.countFromIndex('waiting', 'event', event);
    if (unsent > 0 || Date.parse(details.ends_at) + retention > now) kept.push(prepared);
    else await remove(db, event);
  }
  return kept.toSorted((a, b) => Date.parse(a.details.starts_at) - Date.parse(b.details.starts_at));
}

async function remove(db: IDBPDatabase<Schema>, event: string): Promise<void> {
  const transaction = db.transaction(['prepared', 'tickets', 'contradictions'], 'readwrite');
  await transaction.objectStore('prepared').delete(event);
  for (const name of ['tickets', 'contradictions'] as const) {
    const store = transaction.objectStore(name);
    for (const key of await store.index('event').getAllKeys(event)) await store.delete(key as never);
  }
  await transaction.done;
}
