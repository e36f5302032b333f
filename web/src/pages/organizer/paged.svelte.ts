// A list that is read page by page.

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string;
}

export class Paged<T> {
  items = $state.raw<readonly T[]>([]);
  loading = $state(false);
  error = $state.raw<unknown>();
  /** Whether all of it is here. */
  complete = $state(false);
  #next: string | undefined;
  #reading = 0;

  /** `read` asks for the page at a cursor, and for the first without. */
  constructor(private readonly read: (at: { cursor?: string }) => Promise<Page<T>>) {}

  async more(): Promise<void> {
    if (this.loading || this.complete) return;
    const reading = ++this.#reading;
    this.loading = true;
    this.error = undefined;
    try {
      const page = await this.read(this.#next ? { cursor: this.#next } : {});
      if (reading !== this.#reading) return;
      this.items = [...this.items, ...page.items];
      this.#next = page.next_cursor;
      this.complete = !page.next_cursor;
    } catch (error) {
      if (reading === this.#reading) this.error = error;
    } finally {
      if (reading === this.#reading) this.loading = false;
    }
  }

  /** Begins again; what is still under way is not waited for. */
  restart(): Promise<void> {
    this.#reading++;
    this.#next = undefined;
    this.items = [];
    this.loading = this.complete = false;
    return this.more();
  }
}
