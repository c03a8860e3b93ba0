/** Codes of which a float function or an order of summation is not known bit by bit: every code that is possible lies between two. */
import type { Bounded } from '../../nouns/kernel.js';

/** A float32 result that may be anything from low to high; near: the likeliest. */
export interface Near {
  readonly low: number;
  readonly near: number;
  readonly high: number;
}

/** code: grows with its real. Without bounds where low and high agree everywhere. */
export function boundedCodes(
  length: number,
  nearOf: (element: number) => Near,
  code: (real: number) => number,
): Int32Array | Bounded {
  const [data, low, high] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  let isExact = true;
  for (let i = 0; i < length; i++) {
    const real = nearOf(i);
    data[i] = code(real.near);
    low[i] = Math.min(code(real.low), data[i]);
    high[i] = Math.max(code(real.high), data[i]);
    isExact &&= low[i] === high[i];
  }
  return isExact ? data : { data, low, high };
}

const UNIT = 2 ** -24;

/** A float32 sum of n numbers in any order; magnitudes: the sum of their absolute values. Source: Higham, 4.2. */
export function sumInAnyOrder(exact: number, magnitudes: number, n: number): Near {
  const bound = ((n * UNIT) / (1 - n * UNIT)) * magnitudes;
  return { low: exact - bound, near: exact, high: exact + bound };
}
