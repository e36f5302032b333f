/** How far the server's clock is ahead of ours, learnt from the Date of its answers. All times are in milliseconds. */
export class ServerClock {
  ahead = 0;
  #known = false;

  /**
   * Takes an answer's Date, and when the request was sent and the answer received by our clock. Date is rounded down to
   * seconds, so the server was at least that far. The largest of these bounds is the nearest, and none is too early:
   * nothing starts here before it does on the server.
   */
  hear(date: number, sent: number, received: number): void {
    const least = date - received;
    const most = date + 1000 - sent;
    // Beyond `most`, our own clock has been set since.
    if (this.#known && least <= this.ahead && this.ahead <= most) return;
    this.ahead = least;
    this.#known = true;
  }
}
