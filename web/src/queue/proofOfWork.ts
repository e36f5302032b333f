// Finds the solution of a proof of work. It runs in a worker: it takes about half a second.
import { sha256 } from '@noble/hashes/sha2.js';

/** Returns the first number whose SHA-256, behind the challenge and a colon, begins with `bits` zero bits (at most 32). */
export function solve(challenge: string, bits: number): string {
  const encoder = new TextEncoder();
  const prefix = sha256.create().update(encoder.encode(`${challenge}:`));
  for (let n = 0; ; n++) {
    const solution = String(n);
    const hash = prefix.clone().update(encoder.encode(solution)).digest();
    if (Math.clz32(new DataView(hash.buffer, hash.byteOffset).getUint32(0)) >= bits) return solution;
  }
}
