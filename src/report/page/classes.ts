/** Sizes of differences in fixed classes, the same on every page, so that two pictures can be compared. */

/** Largest size of each class: equal, 1, 2-4, 5-16, 17-64, beyond. */
const LIMITS = [0, 1, 4, 16, 64];

export const CLASS_NAMES = ['equal', '1', '2–4', '5–16', '17–64', '65+'];

export function sizeClass(difference: number): number {
  const size = Math.abs(difference);
  const found = LIMITS.findIndex((limit) => size <= limit);
  return found < 0 ? LIMITS.length : found;
}

/** c0 to c5; lower values of a signed picture l1 to l5. */
export function cssClass(difference: number, signed = false): string {
  return `${signed && difference < 0 ? 'l' : 'c'}${sizeClass(difference)}`;
}

/** The bins of a histogram. */
export const BINS = ['≤ −17', '−16..−5', '−4..−2', '−1', '0', '1', '2..4', '5..16', '≥ 17'];
export const EQUAL_BIN = 4;

/** "1,103" and "−12.4": a minus is a minus, thousands have commas. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf').replace('-', '−');
  return written(value).replaceAll('-', '−');
}

/** Rounded once: 1.2346e-5 is no 1.24e-5, which it is by way of 1.235e-5. */
function written(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(3);
  if (size > 0 && size < 1e-4) return value.toExponential(2);
  const digits = Number.isInteger(value) ? value : Number(value.toPrecision(4));
  return digits.toLocaleString('en-US', { maximumFractionDigits: 7 });
}

/** Of a difference: the sign tells too. */
export function signed(difference: number): string {
  return `${difference > 0 ? '+' : ''}${number(difference)}`;
}

/** Where there is little room: at most five characters of small floats, "0.027", "6e−4". */
export function short(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return number(value);
  if (Math.abs(value) >= 0.01 && Math.abs(value) < 0.1) return number(Number(value.toPrecision(2)));
  return Math.abs(value) < 0.01 ? value.toExponential(0).replaceAll('-', '−') : number(Number(value.toPrecision(3)));
}
