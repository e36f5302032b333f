// Scans at one door. Each is kept until the server has answered it; offline, the ticket's signature decides.
import { Refusal, type Schemas } from '../../../api/client';
import type { Check } from './ticket';
import { uuid7 } from './uuid7';

export type Scan = Schemas['Scan'];
export type ScanResult = Schemas['ScanResult'];

/** A scan that the server has not answered yet. */
interface Waiting {
  scan_id: string;
  code: string;
  at: number;
  /** What this door decided alone. */
  decided?: Decision;
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
  storage: Pick<Storage, 'getItem' | 'setItem'>;
  now(): number;
}

interface Kept {
  waiting: Waiting[];
  contradictions: Contradiction[];
  admitted: number;
  /** Tickets that this door let in, and when. */
  tickets: Record<string, number>;
}

export class Door {
  /** Told after every change. */
  onchange?: () => void;
  /** Whether the last request reached the server. */
  connected = true;
  /** Newest first. */
  recent: Outcome[] = [];
  private kept: Kept = { waiting: [], contradictions: [], admitted: 0, tickets: {} };
  private readonly sending = new Set<string>();
  private flushing: Promise<void> | undefined;

  /** `name` is where the scans are kept: one for each event. */
  constructor(
    private readonly name: string,
    private readonly outside: Outside,
  ) {
    const kept = outside.storage.getItem(name);
    if (kept) this.kept = JSON.parse(kept) as Kept;
  }

  /** How many scans wait for the server. */
  get waiting(): number {
    return this.unsent().length;
  }

  get contradictions(): readonly Contradiction[] {
    return this.kept.contradictions;
  }

  /** How many this door has let in. */
  get admitted(): number {
    return this.kept.admitted;
  }

  /** The log of the event's doors, newest first: what was scanned before. */
  remember(log: readonly Scan[]): void {
    const here = new Set(this.recent.map(({ scan_id }) => scan_id));
    const before = log.filter(({ scan_id }) => !here.has(scan_id));
    for (const { ticket_id, result, scanned_at, admitted_at } of before) {
      if (ticket_id && (result === 'admitted' || result === 'already_used'))
        this.kept.tickets[ticket_id] ??= Date.parse(admitted_at ?? scanned_at);
    }
    this.recent = [...this.recent, ...before.map((scan) => this.answered(scan, Date.parse(scan.scanned_at)))];
    this.keep();
  }

  /** What a code comes to. A Refusal that is not passing (no session, no right) is thrown, and the scan forgotten. */
  async scan(code: string): Promise<Outcome> {
    // An undecided ticket is scanned again with the same id: the server may have admitted it, and its answer been lost.
    const unchecked = this.kept.waiting.find((one) => one.code === code && one.decided === 'unchecked');
    const waiting: Waiting = unchecked ?? { scan_id: uuid7(this.outside.now()), code, at: this.outside.now() };
    if (!unchecked) this.kept.waiting.push(waiting);
    this.keep();
    let outcome: Outcome;
    // While others wait, sending them tells when the server is back; nobody stands at the door until it is.
    if (this.connected || this.unsent().every((one) => one === waiting)) {
      try {
        outcome = this.answered(await this.ask(waiting), waiting.at);
        this.settle(waiting);
      } catch (error) {
        if (!(error instanceof Refusal) || !error.passing) {
          this.settle(waiting);
          this.keep();
          throw error;
        }
        outcome = await this.decide(waiting);
      }
    } else {
      outcome = await this.decide(waiting);
    }
    if (outcome.result === 'admitted') this.letIn(outcome);
    this.recent = [outcome, ...this.recent.filter(({ scan_id }) => scan_id !== outcome.scan_id)];
    this.keep();
    if (this.connected && this.waiting > 0) void this.flush();
    return outcome;
  }

  /** Sends what waits, oldest first, until the server can't be reached. */
  flush(): Promise<void> {
    this.flushing ??= this.sendWaiting().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  dismiss(scanId: string): void {
    this.kept.contradictions = this.kept.contradictions.filter(({ scan_id }) => scan_id !== scanId);
    this.keep();
  }

  /** What is to be sent. Whoever was not let in because nobody could tell must be there when it can be told. */
  private unsent(): Waiting[] {
    return this.kept.waiting.filter(({ decided }) => decided !== 'unchecked');
  }

  private async sendWaiting(): Promise<void> {
    for (const waiting of this.unsent()) {
      if (this.sending.has(waiting.scan_id) || !this.kept.waiting.includes(waiting)) continue;
      let scan: Scan | undefined;
      try {
        scan = await this.ask(waiting);
      } catch (error) {
        // Without a session or the right to, scans are kept for when there is one.
        if (!(error instanceof Refusal) || error.passing || error.status === 401 || error.status === 403) return;
      }
      this.settle(waiting);
      const differs = waiting.decided === 'admitted' && scan?.result !== 'admitted';
      if (differs)
        this.kept.contradictions.push({ scan_id: waiting.scan_id, at: waiting.at, ...(scan ? { scan } : {}) });
      if (scan) {
        const answered = this.answered(scan, waiting.at);
        const known = this.recent.some(({ scan_id }) => scan_id === scan.scan_id);
        this.recent = known
          ? this.recent.map((one) => (one.scan_id === scan.scan_id ? answered : one))
          : [answered, ...this.recent];
        // Of a scan before the page was loaded again nobody saw what it came to.
        if (scan.result === 'admitted' && waiting.decided !== 'admitted') this.letIn(answered);
      }
      this.keep();
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
    const outcome: Outcome = { scan_id: waiting.scan_id, at: waiting.at, result: 'unchecked', confirmed: false };
    if (check.kind === 'forged' || check.kind === 'wrong_event') outcome.result = check.kind;
    if ('claims' in check) outcome.ticket_id = check.claims.t;
    if (check.kind === 'good') {
      outcome.seat_id = check.claims.s;
      outcome.result = this.kept.tickets[check.claims.t] === undefined ? 'admitted' : 'already_used';
    }
    waiting.decided = outcome.result;
    return outcome;
  }

  /** When this door let the ticket in, or saw that it was; milliseconds since 1970. */
  admittedAt({ scan, ticket_id }: Outcome): number | undefined {
    return scan?.admitted_at ? Date.parse(scan.admitted_at) : this.kept.tickets[ticket_id ?? ''];
  }

  private letIn({ ticket_id, at }: Outcome): void {
    this.kept.admitted++;
    if (ticket_id) this.kept.tickets[ticket_id] ??= at;
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
    this.kept.waiting = this.kept.waiting.filter((one) => one !== waiting);
  }

  private keep(): void {
    this.recent = this.recent.slice(0, 50);
    this.outside.storage.setItem(this.name, JSON.stringify(this.kept));
    this.onchange?.();
  }
}
