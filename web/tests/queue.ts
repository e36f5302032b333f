// A place in an event's queue, taken as a program does.
import { createHash } from 'node:crypto';
import type { Schemas } from '../src/api/client';
import { api, sent, type Person } from './world';

/** Enters the queue of an event, or takes the turn of somebody who has been called. */
export async function enterQueue(who: Person, eventId: string, inviteCode?: string): Promise<Schemas['Place']> {
  const path = `${api}/events/${eventId}/queue`;
  const { challenge, bits = 0 } = await sent<Schemas['QueueChallenge']>(who.http.get(`${path}/challenge`));
  const data = { challenge, solution: solve(challenge ?? '', bits), invite_code: inviteCode };
  return sent(who.http.put(`${path}/place`, { data: challenge ? data : { invite_code: inviteCode } }));
}

/** Pauses, resumes or stops the queue of an event of the organiser. */
export const controlQueue = (organizer: Person, eventId: string, control: Schemas['QueueControl']): Promise<unknown> =>
  sent(organizer.http.put(`${api}/events/${eventId}/queue/control`, { data: control }));

/** Finds a solution so that the hash of the challenge and the solution begins with that many zero bits. */
function solve(challenge: string, bits: number): string {
  for (let n = 0; ; n++) {
    const hash = createHash('sha256').update(`${challenge}:${n}`).digest();
    if (hash.readUInt32BE(0) >>> (32 - bits) === 0 || bits === 0) return String(n);
  }
}
