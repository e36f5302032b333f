// Server-sent events of the API, with reconnection.

export type Connection = 'connecting' | 'live' | 'lost';

export interface StreamOptions {
  /** Asked at each attempt. */
  url: () => string;
  /** What to do with the data of an event, by its name. */
  on: Record<string, (data: unknown) => void>;
  onconnection: (connection: Connection) => void;
  /** The server has refused the stream, which is tried again after a pause. */
  onrefused?: (() => void) | undefined;
}

export class Stream {
  #source: EventSource | undefined;
  #pause = 1000;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: StreamOptions) {}

  /** Connects, until stop. */
  start(): void {
    if (this.#source) return;
    clearTimeout(this.#again);
    const { url, on, onconnection, onrefused } = this.options;
    const source = new EventSource(url());
    this.#source = source;
    source.addEventListener('open', () => {
      onconnection('live');
      this.#pause = 1000;
    });
    for (const [name, take] of Object.entries(on))
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data)));
    source.addEventListener('error', () => {
      onconnection('lost');
      if (source.readyState !== EventSource.CLOSED) return;
      // The browser comes back by itself after a break, but not after an answer like 503.
      this.#source = undefined;
      this.#again = setTimeout(() => this.start(), this.#pause * (0.5 + Math.random()));
      this.#pause = Math.min(this.#pause * 2, 10_000);
      onrefused?.();
    });
  }

  stop(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#again);
    this.options.onconnection('connecting');
  }
}
