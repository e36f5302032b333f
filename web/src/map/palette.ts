// Colours and patterns of categories. The eight colours differ by at least 6 (in OKLab, of 100) for normal sight
// and for the three kinds of colour blindness, stand out from the page by 3:1, and carry a number in white or ink
// by 4.5:1.

const light = ['#0b72c9', '#d9691f', '#0b5d45', '#c2267f', '#7a5b00', '#521052', '#2b97ee', '#ad7a70'];
const dark = ['#4a9df0', '#f0a04b', '#0f9f7c', '#fbb4dc', '#f6ec5a', '#d6402c', '#a9f0fb', '#9b52cc'];

/** Lines to stroke on a seat of 24 by 24. */
const patterns = [
  '',
  'M0 6H24M0 12H24M0 18H24',
  'M-6 18L18-6M0 24L24 0M6 30L30 6',
  'M6 0V24M12 0V24M18 0V24',
  'M0 0L24 24M24 0L0 24',
  'M12 6.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 0 0 0-11z',
  'M-6 6L18 30M0 0L24 24M6-6L30 18',
  'M0 8H24M0 16H24M8 0V24M16 0V24',
  'M12 0V24',
  'M0 12H24',
];

export const ink = '#101018';

/** Colour of the nth category; with the pattern it is its own for 40 categories. */
export function colorOf(category: number, inDark: boolean): string {
  const colors = inDark ? dark : light;
  return colors[category % colors.length] as string;
}

/** SVG path data, empty for none. */
export function patternOf(category: number): string {
  return patterns[category % patterns.length] as string;
}

/** White or ink, whichever reads better on the colour. */
export function textOn(color: string): string {
  return contrast(color, '#ffffff') >= contrast(color, ink) ? '#ffffff' : ink;
}

/** Mixes two colours `#rrggbb`; 0 is the first, 1 the second. */
export function mix(from: string, to: string, share: number): string {
  const [a, b] = [channels(from), channels(to)];
  return `#${a
    .map((channel, i) =>
      Math.round(channel + ((b[i] ?? 0) - channel) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** Contrast by WCAG 2. */
export function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Red, green and blue from 0 to 255. */
export const channels = (color: string): number[] => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = channels(color).map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
