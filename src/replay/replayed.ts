import type { NumericArray } from '../nouns/array.js';
import type { Bounded, CodeArray, SumData } from '../nouns/kernel.js';

/**
 * What one layer computes for a block of samples, [rows, features].
 * Integer outputs are codes (Int32Array), float outputs are real values (Float32Array).
 */
export interface Replayed {
  readonly rows: number;
  readonly cols: number;
  readonly data: Int32Array | Uint8Array | Int8Array | Float32Array;
  /** Set for a float path without a fixed order: every value in [low, high] is a legitimate result; the data itself where all are certain. */
  readonly low: Bounded['low'] | null;
  readonly high: Bounded['high'] | null;
  /** Products of integer kernels: zero points corrected, before bias. */
  readonly accumulator: SumData | null;
  /** Sums that left int32. */
  readonly overflowed: number;
}

/** Of what does not sum. */
export const NO_SUMS = { accumulator: null, overflowed: 0 } as const;

/** Whether their bounds are the data themselves. */
export function areCertain(parts: readonly Replayed[]): boolean {
  return parts.every(({ data, low, high }) => low === data && high === data);
}

/** Blocks of rows, one after the other. */
export function joined(parts: readonly Replayed[]): Replayed {
  if (parts.length === 1) return parts[0];
  const rows = parts.reduce((sum, p) => sum + p.rows, 0);
  const { cols } = parts[0];
  const values = () =>
    parts[0].data instanceof Float32Array ? new Float32Array(rows * cols) : new Int32Array(rows * cols);
  const data = values();
  const isWide = parts[0].accumulator instanceof Float64Array;
  const accumulator = isWide ? new Float64Array(rows * cols) : new Int32Array(rows * cols);
  const isCertain = areCertain(parts);
  const bounds = parts[0].low && !isCertain ? { low: values(), high: values() } : null;
  let at = 0;
  let overflowed = 0;
  for (const part of parts) {
    data.set(part.data, at);
    const sums = part.accumulator;
    if (sums) accumulator.set(sums, at);
    bounds?.low.set(part.low!, at);
    bounds?.high.set(part.high!, at);
    at += part.rows * cols;
    overflowed += part.overflowed;
  }
  const certain = isCertain ? (data as CodeArray) : null;
  return { rows, cols, data, low: bounds?.low ?? certain, high: bounds?.high ?? certain, accumulator, overflowed };
}

/** Of hundreds of thousands each has arrays of its own: those are not to be there all at once. */
const JOINED = 1024;

/** What is made of each item, one after the other. */
export function joinedInTurn<T>(items: readonly T[], make: (item: T) => Replayed): Replayed {
  const whole: Replayed[] = [];
  for (let from = 0; from < items.length; from += JOINED)
    whole.push(joined(items.slice(from, from + JOINED).map((item) => make(item))));
  return joined(whole);
}

/** What was captured, where it is a legitimate result; elsewhere what was replayed. */
export function withCaptured({ data, low, high }: Replayed, captured: NumericArray): NumericArray {
  if (!low || !high) return data;
  return data.map((value: number, i: number) =>
    captured[i] >= low[i] && captured[i] <= high[i] ? captured[i] : value,
  );
}
