// Scans at one door. Each is kept until the server has answered it; offline, the ticket's signature decides.
import { Refusal, type Schemas } from '../../../api/client';
import type { Shelf } from './shelf';
import type { Check } from './ticket';
import { uuid7 } from './uuid7';

export type Scan = Schemas['Scan'];
export type ScanResult = Schemas['ScanResult'];

/** A scan that the server has not answered yet. */
export interface Waiting {
  scan_id: string;
  code: string;
  at: number;
  /** What this door decided alone. */
  decided?: Decision;
  /** Of the ticket, when the door decided. */
  ticket_id?: string;
  seat_id?: string;
}

/** A ticket that was let in. */
export interface Admission {
  ticket: string;
  at: number;
  /** Whether at this door. */
  here: boolean;
}

/** `unchecked`: neither the server nor this device could tell. */
export type Decision = ScanResult | 'unchecked';

export interface Outcome {
  scan_id: string;
  /** Milliseconds since 1970. */
  at: number;
  result: Decision;
  /** Whether the server said so; otherwise it is this door's decision and may be contradicted. */
  confirmed: boolean;
  ticket_id?: string;
  /** Of the server. */
  scan?: Scan;
  /** Of the ticket, when the door decided. */
  seat_id?: string;
}

/** The server came to something else than this door, which let somebody in. */
export interface Contradiction {
  scan_id: string;
  at: number;
  /** Nothing, when the server refused the scan itself. */
  scan?: Scan;
}

export interface Outside {
  /** POST /events/{id}/check-ins; throws a Refusal. */
  send(scan: { scan_id: string; code: string }): Promise<Scan>;
  check(code: string): Promise<Check>;
  now(): number;
}

export class Door {
  /** Told after every change. */
  onchange?: () => void;
  /** Whether the last request reached the server. */
  connected = true;
  /** Newest first. */
  recent: Outcome[] = [];
  /** Whether scans survive the page; a browser may have no room, or refuse. */
  storing = true;
  private unanswered: Waiting[] = [];
  private contrary: Contradiction[] = [];
  private readonly tickets = new Map<string, Admission>();
  private readonly sending = new Set<string>();
  private flushing: Promise<void> | undefined;

  private constructor(
    private readonly shelf: Shelf,
    private readonly outside: Outside,
  ) {}

  /** Takes up what earlier pages of the event have left on the shelf. */
  static async open(shelf: Shelf, outside: Outside): Promise<Door> {
    const door = new Door(shelf, outside);
    await door.stored(
      shelf.load().then(({ waiting, contradictions, tickets }) => {
        door.unanswered = waiting.toSorted((a, b) => a.at - b.at);
        door.contrary = contradictions.toSorted((a, b) => a.at - b.at);
        for (const admission of tickets) door.tickets.set(admission.ticket, admission);
        door.recent = door.unanswered.map((one) => decision(one)).toReversed();
      }),
    );
    return door;
  }

  /** How many scans wait for the server. */
  get waiting(): number {
    return this.unsent().length;
  }

  get contradictions(): readonly Contradiction[] {
    return this.contrary;
  }

  /** How many this door has let in. */
  get admitted(): number {
    return [...this.tickets.values()].filter(({ here }) => here).length;
  }

  /** The log of the event's doors, newest first: what was scanned before. */
  remember(log: readonly Scan[]): void {
    const here = new Set(this.recent.map(({ scan_id }) => scan_id));
    const before = log.filter(({ scan_id }) => !here.has(scan_id));
    const used: Admission[] = [];
    for (const { ticket_id, result, scanned_at, admitted_at } of before) {
      if (!ticket_id || this.tickets.has(ticket_id) || (result !== 'admitted' && result !== 'already_used')) continue;
      const admission = { ticket: ticket_id, at: Date.parse(admitted_at ?? scanned_at), here: false };
      this.tickets.set(ticket_id, admission);
      used.push(admission);
    }
    void this.stored(this.shelf.putTickets(used));
    this.recent = [...this.recent, ...before.map((scan) => this.answered(scan, Date.parse(scan.scanned_at)))];
    this.changed();
  }

  /** What a code comes to. A Refusal that is not passing (no session, no right) is thrown, and the scan forgotten. */
  async scan(code: string): Promise<Outcome> {
    // An undecided ticket is scanned again with the same id: the server may have admitted it, and its answer been lost.
    const unchecked = this.unanswered.find((one) => one.code === code && one.decided === 'unchecked');
    const waiting: Waiting = unchecked ?? { scan_id: uuid7(this.outside.now()), code, at: this.outside.now() };
    // Before it is sent: the answer may be lost, and the page closed.
    await this.stored(this.shelf.putScan(waiting));
    if (!unchecked) this.unanswered.push(waiting);
    let outcome: Outcome;
    // While others wait, sending them tells when the server is back; nobody stands at the door until it is.
    if (this.connected || this.unsent().every((one) => one === waiting)) {
      try {
        outcome = this.answered(await this.ask(waiting), waiting.at);
        this.settle(waiting);
      } catch (error) {
        if (!(error instanceof Refusal) || !error.passing) {
          this.settle(waiting);
          this.changed();
          throw error;
        }
        outcome = await this.decide(waiting);
      }
    } else {
      outcome = await this.decide(waiting);
    }
    const admission = outcome.result === 'admitted' ? this.letIn(outcome) : undefined;
    if (this.unanswered.includes(waiting)) await this.stored(this.shelf.putScan(waiting, admission));
    else if (admission) void this.stored(this.shelf.putTickets([admission]));
    this.recent = [outcome, ...this.recent.filter(({ scan_id }) => scan_id !== outcome.scan_id)];
    this.changed();
    if (this.connected && this.waiting > 0) void this.flush();
    return outcome;
  }

  /** Sends what waits, oldest first, until the server can't be reached. */
  flush(): Promise<void> {
    this.flushing ??= this.sendWaiting().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  dismiss(scanId: string): void {
    this.contrary = this.contrary.filter(({ scan_id }) => scan_id !== scanId);
    void this.stored(this.shelf.removeContradiction(scanId));
    this.changed();
  }

  /** What is to be sent. Whoever was not let in because nobody could tell must be there when it can be told. */
  private unsent(): Waiting[] {
    return this.unanswered.filter(({ decided }) => decided !== 'unchecked');
  }

  private async sendWaiting(): Promise<void> {
    for (const waiting of this.unsent()) {
      if (this.sending.has(waiting.scan_id) || !this.unanswered.includes(waiting)) continue;
      let scan: Scan | undefined;
      try {
        scan = await this.ask(waiting);
      } catch (error) {
        // Without a session or the right to, scans are kept for when there is one.
        if (!(error instanceof Refusal) || error.passing || error.status === 401 || error.status === 403) return;
      }
      if (waiting.decided === 'admitted' && scan?.result !== 'admitted') {
        const contradiction = { scan_id: waiting.scan_id, at: waiting.at, ...(scan ? { scan } : {}) };
        this.contrary = [...this.contrary, contradiction];
        await this.stored(this.shelf.putContradiction(contradiction));
      }
      this.settle(waiting);
      if (scan) {
        const answered = this.answered(scan, waiting.at);
        const known = this.recent.some(({ scan_id }) => scan_id === scan.scan_id);
        this.recent = known
          ? this.recent.map((one) => (one.scan_id === scan.scan_id ? answered : one))
          : [answered, ...this.recent];
        // Of a scan before the page was loaded again nobody saw what it came to.
        if (scan.result === 'admitted' && waiting.decided !== 'admitted')
          void this.stored(this.shelf.putTickets([this.letIn(answered)]));
      }
      this.changed();
    }
  }

  private async ask({ scan_id, code }: Waiting): Promise<Scan> {
    this.sending.add(scan_id);
    try {
      const scan = await this.outside.send({ scan_id, code });
      this.connected = true;
      return scan;
    } catch (error) {
      this.connected = !(error instanceof Refusal && error.passing);
      throw error;
    } finally {
      this.sending.delete(scan_id);
      this.onchange?.();
    }
  }

  private async decide(waiting: Waiting): Promise<Outcome> {
    const check = await this.outside.check(waiting.code);
    waiting.decided = check.kind === 'forged' || check.kind === 'wrong_event' ? check.kind : 'unchecked';
    if ('claims' in check) waiting.ticket_id = check.claims.t;
    if (check.kind === 'good') {
      waiting.seat_id = check.claims.s;
      waiting.decided = this.tickets.has(check.claims.t) ? 'already_used' : 'admitted';
    }
    return decision(waiting);
  }

  /** When this door let the ticket in, or saw that it was; milliseconds since 1970. */
  admittedAt({ scan, ticket_id }: Outcome): number | undefined {
    return scan?.admitted_at ? Date.parse(scan.admitted_at) : this.tickets.get(ticket_id ?? '')?.at;
  }

  private letIn({ ticket_id, at }: Outcome): Admission {
    const ticket = ticket_id ?? '';
    const admission = { ticket, at: this.tickets.get(ticket)?.at ?? at, here: true };
    this.tickets.set(ticket, admission);
    return admission;
  }

  private answered(scan: Scan, at: number): Outcome {
    return {
      scan_id: scan.scan_id,
      at,
      result: scan.result,
      confirmed: true,
      scan,
      ...(scan.ticket_id ? { ticket_id: scan.ticket_id } : {}),
    };
  }

  private settle(waiting: Waiting): void {
    this.unanswered = this.unanswered.filter((one) => one !== waiting);
    void this.stored(this.shelf.removeScan(waiting.scan_id));
  }

  private async stored(write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch {
      // The door works on with what it has in memory, and the page says so.
      this.storing = false;
      this.onchange?.();
    }
  }

  private changed(): void {
    this.recent = this.recent.slice(0, 50);
    this.onchange?.();
  }
}

/** What this door decided about a scan alone. Of one without a decision nobody saw what it came to. */
function decision({ scan_id, at, decided = 'unchecked', ticket_id, seat_id }: Waiting): Outcome {
  return {
    scan_id,
    at,
    result: decided,
    confirmed: false,
    ...(ticket_id ? { ticket_id } : {}),
    ...(seat_id ? { seat_id } : {}),
  };
}
