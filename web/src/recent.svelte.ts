// Some actions need a password that was entered recently. They run through here: if the server wants the password, a
// dialog asks for it, and the action runs again.
import { Refusal } from './api/client';

const state = $state<{ answer: ((entered: boolean) => void) | undefined }>({ answer: undefined });

/** Whether the dialog is open. */
export const asking = (): boolean => state.answer !== undefined;

/** Closes the dialog. */
export function close(entered: boolean): void {
  state.answer?.(entered);
  state.answer = undefined;
}

/** Runs an action, and asks for the password first if need be. Whoever closes the dialog gets the refusal. */
export async function recently<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'reauthentication_required') throw error;
    const entered = await new Promise<boolean>((resolve) => (state.answer = resolve));
    if (!entered) throw error;
    return action();
  }
}
