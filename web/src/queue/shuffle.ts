// The draw of the pre-queue, as the contract describes it at GET /events/{id}/queue.
import type { Schemas } from '../api/client';

export type Lane = Schemas['QueueLane'];

const laneBytes: Readonly<Record<Lane, number>> = { returning: 0, priority: 1, general: 2 };
const rounds = 90;

/**
 * Returns the rank, from 1, that the draw gives to a number of 1 to `drawn`: the swap-or-not shuffle of Hoang, Morris
 * and Rogaway (2012). The seed is in hexadecimal.
 */
export async function drawnRank(seed: string, lane: Lane, drawn: number, number: number): Promise<number> {
  const bytes = fromHex(seed);
  const pivotInput = new Uint8Array(bytes.length + 2);
  pivotInput.set(bytes);
  pivotInput[bytes.length] = laneBytes[lane];
  const blockInput = new Uint8Array(bytes.length + 6);
  blockInput.set(pivotInput);
  const block = new DataView(blockInput.buffer);

  let index = number - 1;
  for (let round = 0; round < rounds; round++) {
    pivotInput[bytes.length + 1] = blockInput[bytes.length + 1] = round;
    const pivot = Number((await sha256(pivotInput)).getBigUint64(0, true) % BigInt(drawn));
    const flip = (pivot + drawn - index) % drawn;
    const position = Math.max(index, flip);
    block.setUint32(bytes.length + 2, Math.floor(position / 256), true);
    const byte = (await sha256(blockInput)).getUint8(Math.floor((position % 256) / 8));
    if ((byte >> (position % 8)) & 1) index = flip;
  }
  return index + 1;
}

/** Returns the SHA-256 of a seed; both are in hexadecimal. */
export async function seedHash(seed: string): Promise<string> {
  const hash = await sha256(fromHex(seed));
  return Array.from({ length: 32 }, (_, i) => hash.getUint8(i).toString(16).padStart(2, '0')).join('');
}

async function sha256(input: Uint8Array<ArrayBuffer>): Promise<DataView> {
  return new DataView(await crypto.subtle.digest('SHA-256', input));
}

const fromHex = (hex: string) => new Uint8Array((hex.match(/../g) ?? []).map((byte) => parseInt(byte, 16)));

export interface Draw {
  seed: string;
  /** The hash that was published before the draw. */
  seedHash: string;
  lane: Lane;
  drawn: number;
  number: number;
  /** The rank that the server gave. */
  rank: number;
}

/** Checks a draw. Returns what differs from what was published, or nothing. */
export async function drawFault({ seed, seedHash: published, ...draw }: Draw): Promise<'seed' | 'rank' | undefined> {
  if ((await seedHash(seed)) !== published) return 'seed';
  const { lane, drawn, number, rank } = draw;
  return rank === (await drawnRank(seed, lane, drawn, number)) ? undefined : 'rank';
}
