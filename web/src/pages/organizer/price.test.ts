import { describe, expect, test } from 'vitest';
import { fractionDigits, majorUnits, minorUnits } from './price';

describe('prices', () => {
  test.each([
    ['45', 2, 4500],
    ['45.5', 2, 4550],
    ['45,50', 2, 4550],
    ['0.07', 2, 7],
    ['19.99', 2, 1999],
    ['1.005', 3, 1005],
    ['1.250,00', 2, 125_000],
    ['1,250.00', 2, 125_000],
    ["1'250.00", 2, 125_000],
    ['12 500', 0, 12_500],
    ['0', 2, 0],
    [' 8.', 2, 800],
    ['1000000000.00', 2, 100_000_000_000],
  ])('%j with %i digits is %i minor units', (text, digits, amount) => expect(minorUnits(text, digits)).toBe(amount));

  test.each([
    ['', 2],
    ['-5', 2],
    ['4.505', 2],
    ['1,250', 2],
    ['1.2.3', 2],
    ['1e3', 2],
    ['abc', 2],
    ['.', 2],
    ['5.0', 0],
    ['5.', 0],
    ['1000000000.01', 2],
    ['1.250.00', 2],
  ])('%j with %i digits is no price', (text, digits) => expect(minorUnits(text, digits)).toBeUndefined());

  test.each([
    [4550, 2, ',', '45,50'],
    [7, 2, '.', '0.07'],
    [0, 2, '.', '0.00'],
    [12_500, 0, '.', '12500'],
    [1005, 3, '.', '1.005'],
  ] as const)('%i with %i digits is written with %j as %j', (amount, digits, decimal, text) => {
    expect(majorUnits(amount, digits, decimal)).toBe(text);
    expect(minorUnits(text, digits)).toBe(amount);
  });

  test('currencies have different digits', () => {
    expect(['EUR', 'JPY', 'KWD'].map(fractionDigits)).toEqual([2, 0, 3]);
  });
});
