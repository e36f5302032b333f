// Solves what the server asks for before it gives out a place.
import type { Schemas } from '../api/client';
import { widgetResponse } from './turnstile';

type Challenge = Schemas['QueueChallenge'];
type Solved = Pick<Schemas['PlaceRequest'], 'challenge' | 'solution'>;

/** Returns a challenge with its solution. Error: the worker or the widget failed, or the person has closed it. */
export async function solved({
  kind,
  challenge = '',
  bits = 0,
  site_key = '',
  script = '',
}: Challenge): Promise<Solved> {
  switch (kind) {
    case 'none':
      return {};
    case 'proof_of_work':
      return { challenge, solution: await inWorker(challenge, bits) };
    case 'turnstile':
      return { solution: await widgetResponse(script, site_key) };
  }
}

function inWorker(challenge: string, bits: number): Promise<string> {
  const worker = new Worker(new URL('./proofOfWork.worker.ts', import.meta.url), { type: 'module' });
  const solution = new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`solve challenge: ${message}`));
    worker.postMessage({ challenge, bits });
  });
  return solution.finally(() => worker.terminate());
}
