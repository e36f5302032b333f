import { expect, test } from 'vitest';
import { stageOf } from './stage';

test.each([
  ['closed', undefined, undefined, 'closed'],
  ['prequeue', undefined, undefined, 'join'],
  ['open', undefined, undefined, 'join'],
  ['paused', undefined, undefined, 'join'],
  ['prequeue', 'waiting', undefined, 'prequeue'],
  // The draw is known only when its seed is.
  ['open', 'waiting', undefined, 'prequeue'],
  ['open', 'waiting', 7, 'waiting'],
  ['paused', 'waiting', 7, 'waiting'],
  ['open', 'called', 7, 'called'],
  ['open', 'missed', 7, 'missed'],
  ['open', 'admitted', 7, 'admitted'],
  ['open', 'not_needed', undefined, 'not_needed'],
  ['off', undefined, undefined, 'not_needed'],
  ['off', 'waiting', 7, 'not_needed'],
  ['sold_out', 'waiting', 7, 'sold_out'],
  ['sold_out', undefined, undefined, 'sold_out'],
] as const)('queue %s, place %s, rank %s: %s', (state, place, rank, stage) =>
  expect(stageOf({ state }, place && { state: place }, rank)).toBe(stage),
);
