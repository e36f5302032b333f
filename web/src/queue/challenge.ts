// Solves what the server asks for before it gives out a place.
import type { Schemas } from '../api/client';

type Challenge = Schemas['QueueChallenge'];
type Solved = Pick<Schemas['PlaceRequest'], 'challenge' | 'solution'>;

/** Returns a challenge with its solution. Error: the kind of the challenge is not supported, or the worker failed. */
export async function solved({ kind, challenge = '', bits = 0 }: Challenge): Promise<Solved> {
  if (kind === 'none') return {};
  if (kind !== 'proof_of_work') throw new Error(`solve challenge: unsupported kind ${kind}`);
  return { challenge, solution: await inWorker(challenge, bits) };
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
