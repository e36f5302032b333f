// The API as api/openapi.yaml describes it: paths, bodies and answers are typed by what is generated from it.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Event = Schemas['Event'];
export type Venue = Schemas['Venue'];
export type Booking = Schemas['Booking'];
export type Payment = Schemas['Payment'];
export type Ticket = Schemas['Ticket'];
export type User = Schemas['User'];
export type Money = Schemas['Money'];
export type Problem = Schemas['Problem'];
export type ProblemCode = Schemas['Code'];

/** The session is a cookie that no script can read. */
export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin' });

/** What a request came to when it was not what was asked for. */
export class Refusal extends Error {
  /** Seconds to wait before trying again, if the server said. */
  readonly retryAfter: number | undefined;

  constructor(
    /** A code of the contract, or `network` when there was no answer at all. */
    readonly code: ProblemCode | 'network',
    /** HTTP status; 0 without an answer. */
    readonly status: number,
    readonly problem?: Problem,
    retryAfter?: number,
  ) {
    super(problem?.detail ?? code);
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may do better in a moment. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** An answer of openapi-fetch. */
interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Returns the answer's body, or throws a Refusal. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Refusal('network', 0);
  }
  const { response, error, data } = answer;
  if (response.ok) return data as NonNullable<T>;
  const problem = isProblem(error) ? error : undefined;
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined;
  throw new Refusal(problem?.code ?? 'internal', response.status, problem, retryAfter);
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value;
}

/** How long a request is tried again while a part is down, in milliseconds. */
const patience = 20_000;

/**
 * Repeats a request while it fails for a passing reason: for reads, and for requests that carry an Idempotency-Key
 * or may be done twice. The pause grows from 0.3 s to 3 s, or is what the server says, and up to twice as much.
 */
export async function persist<T>(request: () => Promise<Answer<T>>, signal?: AbortSignal): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience;
  for (let pause = 300; ; pause = Math.min(pause * 2, 3000)) {
    try {
      return await ask(request());
    } catch (error) {
      if (!(error instanceof Refusal) || !error.passing || signal?.aborted) throw error;
      // Those who were refused together must not come again together.
      const wait = error.retryAfter ? error.retryAfter * 1000 * (1 + Math.random()) : pause * (0.5 + Math.random());
      if (Date.now() + wait > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Like persist, for a sale: all services know a new one only after some seconds, so a 404 is tried again that long. */
export async function persistOnSale<T>(request: () => Promise<Answer<T>>): Promise<NonNullable<T>> {
  for (let tries = 1; ; tries++) {
    try {
      return await persist(request);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404 || tries === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** A new key for a request that creates: keep it for the retries of that request. */
export const idempotencyKey = (): string => crypto.randomUUID();
