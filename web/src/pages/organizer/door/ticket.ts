// Tells a true ticket without asking anybody: FR1.<kid>.<claims>.<signature>, as GET /tickets/keys describes it.
import type { Schemas } from '../../../api/client';

export type TicketKeys = Schemas['TicketKeys']['keys'];

export interface Claims {
  /** Ticket, booking and event. */
  t: string;
  b: string;
  e: string;
  /** Seat: "<block>-<index>". */
  s: string;
}

/** `unknown`: this device can't tell, because it has not that key or its browser not that signature. */
export type Check = { kind: 'good' | 'wrong_event'; claims: Claims } | { kind: 'forged' | 'unknown' };

export async function check(code: string, eventId: string, keys: TicketKeys): Promise<Check> {
  const parts = /^FR1\.([0-9a-f]{8})\.([\w-]+)\.([\w-]+)$/.exec(code);
  if (!parts) return { kind: 'forged' };
  const [, kid, claims = '', signature = ''] = parts;
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) return { kind: 'unknown' };
  let genuine: boolean;
  try {
    // Only on secure pages, and not in every browser.
    const key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, 'Ed25519', false, [
      'verify',
    ]);
    genuine = await crypto.subtle.verify(
      'Ed25519',
      key,
      bytes(signature),
      new TextEncoder().encode(code.slice(0, code.lastIndexOf('.'))),
    );
  } catch {
    return { kind: 'unknown' };
  }
  if (!genuine) return { kind: 'forged' };
  const said = JSON.parse(new TextDecoder().decode(bytes(claims))) as Claims;
  return { kind: said.e === eventId ? 'good' : 'wrong_event', claims: said };
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
