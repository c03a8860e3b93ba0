/** Where values differ, if that is a pattern: some of the samples, channels, rows or columns, one after the other. */
import type { PatternReport } from '../nouns/report.js';

export type Pattern = Omit<PatternReport, 'axis'>;

/** By chance as seldom as this: a pattern. */
const SELDOM = Math.log(1e-3);
/** Wider is no border. */
const WIDEST_BORDER = 3;

/** Units (samples, channels, rows ...) that hold a value that differs, in ascending order. */
export class Units {
  count = 0;
  first = 0;
  last = -1;
  /** The greatest common divisor of the steps from one to the next. */
  step = 0;

  static of(units: Iterable<number>): Units {
    const all = new Units();
    for (const unit of units) all.add(unit);
    return all;
  }

  /** Those with a 1: never as a list, of a layer of many channels they are millions. */
  static marked(flags: Uint8Array): Units {
    const all = new Units();
    for (let unit = 0; unit < flags.length; unit++) if (flags[unit] === 1) all.add(unit);
    return all;
  }

  /** The same one may come several times in a row. */
  add(unit: number): void {
    if (unit === this.last) return;
    if (this.count === 0) this.first = unit;
    else if (this.step !== 1) this.step = commonDivisor(this.step, unit - this.last);
    this.last = unit;
    this.count++;
  }
}

/** Whether units that differ, of so many, would seldom lie so near to each other if it were chance. values: those that differ. */
export function isUnlikely({ count, first, last }: Units, of: number, values: number): boolean {
  const length = last - first + 1;
  if (count === 0 || length >= of) return false;
  const places = Math.log(of - length + 1);
  const byUnit = logChoose(length, count) - logChoose(of, count);
  // values of a unit differ together: they count only where the part is small
  const byValue = length <= of / 2 ? values * Math.log(length / of) : 0;
  return places + Math.min(byUnit, byValue) < SELDOM;
}

/** The pattern of units that differ, of `of` from `start` on; null: there is none. */
export function patternOf(units: Units, of: number, values: number, start = 0): Pattern | null {
  const { count, first, last, step } = units;
  if (isUnlikely(units, of, values)) return { from: first, to: last + 1, step: 1, of };
  const isEvery = step > 1 && first - start < step && last + step >= start + of && count === (last - first) / step + 1;
  const isSeldom = count > 2 && Math.log(step) - logChoose(of, count) < SELDOM;
  return isEvery && isSeldom ? { from: first, to: start + of, step, of } : null;
}

/** How far a position of an image lies from its border. */
export function depthOf(at: readonly number[], dims: readonly number[]): number {
  return at.reduce((least, index, axis) => Math.min(least, index, dims[axis] - 1 - index), Number.POSITIVE_INFINITY);
}

/** The outermost positions of an image, if no other differs; null: there is no such pattern. deepest: of those that differ, -1: none. */
export function borderOf(deepest: number, dims: readonly number[], values: number): Pattern | null {
  const width = deepest + 1;
  if (dims.length < 2 || width === 0 || width > WIDEST_BORDER) return null;
  const inside = dims.reduce((share, dim) => share * Math.max(0, (dim - 2 * width) / dim), 1);
  return values * Math.log(1 - inside) < SELDOM ? { from: 0, to: width, step: 1, of: Math.min(...dims) } : null;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** ln of n over k. */
function logChoose(n: number, k: number): number {
  let sum = 0;
  const fewer = Math.min(k, n - k);
  for (let i = 1; i <= fewer; i++) sum += Math.log((n - fewer + i) / i);
  return sum;
}
