import { expect, test } from 'vitest';
import { drawFault, drawnRank, seedHash, type Draw, type Lane } from './shuffle';

const counting = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const frontrow = '3ef2facc1e97fe47dac218fe7922e70513bc064e751133e0a276251be36ba883'; // SHA-256 of "frontrow"

/** From a Python program that was written from the contract alone. */
const vectors: { seed: string; lane: Lane; drawn: number; ranks: Record<number, number> }[] = [
  { seed: counting, lane: 'general', drawn: 1, ranks: { 1: 1 } },
  {
    seed: counting,
    lane: 'general',
    drawn: 10,
    ranks: { 1: 6, 2: 2, 3: 4, 4: 8, 5: 10, 6: 7, 7: 1, 8: 5, 9: 9, 10: 3 },
  },
  {
    seed: counting,
    lane: 'priority',
    drawn: 10,
    ranks: { 1: 7, 2: 2, 3: 8, 4: 3, 5: 5, 6: 9, 7: 4, 8: 1, 9: 6, 10: 10 },
  },
  { seed: frontrow, lane: 'general', drawn: 1000, ranks: { 1: 432, 2: 743, 500: 196, 999: 207, 1000: 694 } },
  {
    seed: frontrow,
    lane: 'general',
    drawn: 200_000,
    ranks: { 1: 128247, 2: 80830, 256: 125322, 257: 127705, 65537: 129434, 131072: 87787, 200000: 85128 },
  },
];

test.each(vectors)('the draw of $drawn people in the lane $lane is that of the contract', async (vector) => {
  for (const [number, rank] of Object.entries(vector.ranks))
    expect([number, await drawnRank(vector.seed, vector.lane, vector.drawn, Number(number))]).toEqual([number, rank]);
});

test('the draw gives each rank once', async () => {
  const numbers = Array.from({ length: 300 }, (_, i) => i + 1);
  const ranks = await Promise.all(numbers.map((number) => drawnRank(frontrow, 'general', numbers.length, number)));
  expect(ranks.toSorted((a, b) => a - b)).toEqual(numbers);
});

test('the hash of a seed is that of its bytes', async () => {
  expect(await seedHash(counting)).toBe('630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd');
});

test('a draw is found out whose seed or rank was changed', async () => {
  const hash = await seedHash(counting);
  const draw: Draw = { seed: counting, seedHash: hash, lane: 'general', drawn: 10, number: 3, rank: 4 };
  expect(await drawFault(draw)).toBeUndefined();
  expect(await drawFault({ ...draw, rank: 5 })).toBe('rank');
  expect(await drawFault({ ...draw, seed: frontrow })).toBe('seed');
});
