// Prices as people write them, and minor units. Digits are moved, never multiplied: 0.1 + 0.2 is no price.

/** The service's highest price, in minor units. */
const highest = 100_000_000_000;

/** How many digits the currency has behind the point. */
export const fractionDigits = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

/**
 * The minor units of "45", "45.5", "45,50" or "1.250,00"; undefined for what is no price in a currency with so many
 * digits, is beyond the limit, or can be read in two ways ("1,250").
 */
export function minorUnits(text: string, digits: number): number | undefined {
  const written = text.replace(/[\s\u00a0\u202f'’]/g, '');
  const grouped = /^(\d{1,3}(?:([.,])\d{3})(?:\2\d{3})*)([.,])(\d+)$/.exec(written);
  const plain = /^(\d+)(?:[.,](\d*))?$/.exec(written);
  let [whole, fraction]: (string | undefined)[] = plain ? [plain[1], plain[2] ?? ''] : [];
  if (!plain && grouped && grouped[2] !== grouped[3])
    [whole, fraction] = [grouped[1]?.replace(/[.,]/g, ''), grouped[4]];
  if (
    whole === undefined ||
    fraction === undefined ||
    fraction.length > digits ||
    (digits === 0 && /[.,]/.test(written))
  )
    return undefined;
  const amount = Number(whole + fraction.padEnd(digits, '0'));
  return amount <= highest ? amount : undefined;
}

/** The amount as one would enter it. */
export function majorUnits(amount: number, digits: number, decimal: '.' | ','): string {
  if (digits === 0) return String(amount);
  const written = String(amount).padStart(digits + 1, '0');
  return `${written.slice(0, -digits)}${decimal}${written.slice(-digits)}`;
}
