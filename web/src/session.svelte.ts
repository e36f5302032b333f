// Who is logged in. The session itself is a cookie; here is only what the server tells of it.
import { api, ask, persist, Refusal, type User } from './api/client';
import { language } from './i18n/i18n.svelte';

const state = $state<{ user: User | null; known: boolean }>({ user: null, known: false });

/** The account, or null: nobody is logged in, or it is not known yet. */
export const user = (): User | null => state.user;
export const known = (): boolean => state.known;
export const organizes = (): boolean => state.user?.role === 'organizer' || state.user?.role === 'admin';

/** Asks the server who is logged in. */
export async function refresh(): Promise<void> {
  try {
    state.user = await persist(() => api.GET('/auth/me'));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) state.user = null;
  }
  state.known = true;
}

/** Logs in. The code is of the second factor, for accounts that have one. */
export async function login(email: string, password: string, code?: string): Promise<void> {
  const session = await ask(api.POST('/auth/login', { body: { email, password, ...(code ? { code } : {}) } }));
  take(session.user);
}

/** Registers and logs in. An e-mail that has an account is registered like a new one, and the log-in fails. */
export async function register(name: string, email: string, password: string): Promise<void> {
  await persist(() => api.POST('/auth/register', { body: { name, email, password, language: language() } }));
  await login(email, password);
}

/** Takes what an answer says of the account. */
export function take(user: User): void {
  state.user = user;
  state.known = true;
}

export async function logout(): Promise<void> {
  try {
    await ask(api.POST('/auth/logout'));
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 401) throw error;
  }
  state.user = null;
}

/** For answers that say the session has ended. */
export function forget(): void {
  state.user = null;
}
