// What a form of the account page does: one request at a time, with its refusal and its success.
import { Refusal } from '../../api/client';
import { faultText } from '../../i18n/i18n.svelte';

export class Task {
  busy = $state(false);
  done = $state(false);
  trouble = $state.raw<Refusal>();

  /** Runs an action; a refusal is kept to be shown. */
  async run(action: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.done = false;
    this.trouble = undefined;
    try {
      await action();
      this.done = true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.trouble = error;
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with a field. */
  wrong(field: string): string | undefined {
    return faultText(this.trouble?.problem, field);
  }
}
