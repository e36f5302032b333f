/** The least time between two announcements of the same kind, in milliseconds. */
const pause = 30_000;

/** Decides what a screen reader says: each stage at once, and changes within it seldom. */
export class Announcer {
  #stage = '';
  #text = '';
  #at = -Infinity;

  /** Returns the text to say at a time in milliseconds: the new one, or the last one while it is too early. */
  say(stage: string, text: string, at: number): string {
    if (stage !== this.#stage || (text !== this.#text && at >= this.#at + pause)) {
      [this.#stage, this.#text, this.#at] = [stage, text, at];
    }
    return this.#text;
  }
}
