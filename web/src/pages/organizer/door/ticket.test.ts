import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { check, type TicketKeys } from './ticket';
import { uuid7 } from './uuid7';

const event = '0193b3a0-3333-7abc-8def-000000000003';
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const jwk = (key: KeyObject, kid: string) =>
  ({
    kty: 'OKP',
    crv: 'Ed25519',
    use: 'sig',
    alg: 'EdDSA',
    kid,
    x: key.export({ format: 'jwk' }).x,
  }) as TicketKeys[number];
const keys: TicketKeys = [jwk(generateKeyPairSync('ed25519').publicKey, '00000000'), jwk(publicKey, '1a2b3c4d')];
const claims = { t: 'ticket', b: 'booking', e: event, s: '12-45' };

function code(said: object = claims, kid = '1a2b3c4d', key = privateKey): string {
  const signed = `FR1.${kid}.${Buffer.from(JSON.stringify(said)).toString('base64url')}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

describe('a ticket', () => {
  test('is good', async () => expect(await check(code(), event, keys)).toEqual({ kind: 'good', claims }));

  test('of another event is known as such', async () => {
    const other = { ...claims, e: 'another' };
    expect(await check(code(other), event, keys)).toEqual({ kind: 'wrong_event', claims: other });
  });

  test('with other claims than were signed is forged', async () => {
    const [, , , signature] = code().split('.');
    const changed = Buffer.from(JSON.stringify({ ...claims, s: '1-1' })).toString('base64url');
    expect(await check(`FR1.1a2b3c4d.${changed}.${signature}`, event, keys)).toEqual({ kind: 'forged' });
  });

  test('signed with a key of somebody else is forged', async () => {
    const theirs = generateKeyPairSync('ed25519').privateKey;
    expect(await check(code(claims, '1a2b3c4d', theirs), event, keys)).toEqual({ kind: 'forged' });
  });

  test('with the id of another of our keys is forged', async () => {
    expect(await check(code(claims, '00000000'), event, keys)).toEqual({ kind: 'forged' });
  });

  test.each(['', 'hello', 'FR1.1a2b3c4d.e30', 'FR2.1a2b3c4d.e30.c2ln', 'https://example.org/'])(
    '%j is forged',
    async (text) => {
      expect(await check(text, event, keys)).toEqual({ kind: 'forged' });
    },
  );

  test('signed with a key that is not here can not be told', async () => {
    expect(await check(code(claims, 'ffffffff'), event, keys)).toEqual({ kind: 'unknown' });
    expect(await check(code(), event, [])).toEqual({ kind: 'unknown' });
  });
});

describe('ids of scans', () => {
  test('are UUIDs of version 7', () => {
    expect(uuid7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid7()).not.toBe(uuid7());
  });

  test('have the time in front, so that they sort by it', () => {
    const zero = new Uint8Array(10);
    expect(uuid7(0x0193b3a06666, zero)).toBe('0193b3a0-6666-7000-8000-000000000000');
    expect(uuid7(1000) < uuid7(2000)).toBe(true);
  });
});
