import { solve } from './proofOfWork';

self.addEventListener('message', ({ data }: MessageEvent<{ challenge: string; bits: number }>) =>
  self.postMessage(solve(data.challenge, data.bits)),
);
