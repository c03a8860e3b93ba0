/** Numbers for people: three digits, never a rounding that turns "nearly all" into "all" or "a few" into "none". */

/** "39.9%", "1.77%", "100%" only for all, "<0.01%" for next to none. */
export function percent(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0%';
  if (part === whole) return '100%';
  const value = Math.min((100 * part) / whole, 99.9);
  if (value < 0.01) return '<0.01%';
  return `${value.toFixed(value < 10 ? 2 : 1)}%`;
}

/** Three digits with the sign kept: "+1.11", "-0.0442", "+1.2e-5", "0". */
export function signedMean(value: number): string {
  if (value === 0 || Number.isNaN(value)) return String(value === 0 ? 0 : value);
  const sign = value < 0 ? '-' : '+';
  return sign + threeDigits(Math.abs(value));
}

/** At most six characters: "74", "123456", "4.29e9", "0.5". */
export function size(value: number): string {
  return Number.isInteger(value) && value < 1e6 ? String(value) : threeDigits(value);
}

/** "7.53", "43.7", "104", "inf"; "-" where there is no signal to compare with. */
export function decibels(value: number | 'inf' | null): string {
  if (value === null || value === 'inf') return value ?? '-';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Of counts, of which a layer may lack some. */
export function total(counts: readonly (number | null | undefined)[]): number {
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : 'inf';
  if (value >= 1e5 || value < 1e-3) return value.toExponential(value >= 1e5 ? 2 : 1).replace('e+', 'e');
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
