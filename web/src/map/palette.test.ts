import { expect, test } from 'vitest';
import { channels, colorOf, contrast, mix, patternOf, textOn } from './palette';

// Sight without one kind of cone, on linear RGB: Machado, Oliveira, Fernandes 2009, severity 1.
const sights: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const product = (matrix: number[][], vector: number[]) =>
  matrix.map((row) => row.reduce((sum, factor, i) => sum + factor * (vector[i] ?? 0), 0));

/** OKLab of a colour as it is seen, of 100. */
function seen(color: string, sight: string): number[] {
  const linear = channels(color).map((channel) =>
    channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4,
  );
  const rgb = product(sights[sight] ?? [], linear).map((channel) => Math.min(Math.max(channel, 0), 1));
  const cones = product(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  ).map(Math.cbrt);
  return product(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  ).map((n) => 100 * n);
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];
const themes = [false, true];

test.each(Object.keys(sights).flatMap((sight) => themes.map((dark) => [sight, dark] as const)))(
  'colours differ with %s, dark: %s',
  (sight, dark) => {
    for (const a of eight) {
      for (const b of eight.slice(a + 1)) {
        const [one, other] = [seen(colorOf(a, dark), sight), seen(colorOf(b, dark), sight)];
        expect(
          Math.hypot(...one.map((n, i) => n - (other[i] ?? 0))),
          `${colorOf(a, dark)} and ${colorOf(b, dark)}`,
        ).toBeGreaterThan(6);
      }
    }
  },
);

test.each(themes)('colours stand out from the page and carry a number, dark: %s', (dark) => {
  for (const n of eight) {
    const color = colorOf(n, dark);
    expect(contrast(color, dark ? '#191926' : '#ffffff'), color).toBeGreaterThan(3);
    expect(contrast(color, textOn(color)), color).toBeGreaterThan(4.5);
  }
});

test('colour and pattern together are a category’s own, up to the most a venue may have', () => {
  const looks = Array.from({ length: 20 }, (_, n) => `${colorOf(n, false)} ${patternOf(n)}`);
  expect(new Set(looks).size).toBe(20);
});

test('neighbouring categories have other patterns', () => {
  for (let n = 0; n < 20; n++) expect(patternOf(n)).not.toBe(patternOf(n + 1));
});

test('colours are mixed', () => {
  expect(mix('#000000', '#ff8040', 0)).toBe('#000000');
  expect(mix('#000000', '#ff8040', 0.5)).toBe('#804020');
  expect(mix('#000000', '#ff8040', 1)).toBe('#ff8040');
});
