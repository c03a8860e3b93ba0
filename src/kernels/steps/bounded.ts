/** Codes of which a float function or an order of summation is not known bit by bit: every code that is possible lies between two. */
import type { Bounded, CodeArray } from '../../nouns/kernel.js';
import { f32, float32AtLeast, float32Beside } from '../../numeric/float.js';

/** A number that may be anything from low to high; near: the likeliest. */
export interface Near {
  readonly low: number;
  readonly near: number;
  readonly high: number;
}

/** Without bounds where low and high agree everywhere. room: for codes that all are in the output's range. */
export function boundedCodes(
  length: number,
  codesOf: (element: number) => Near,
  room: () => CodeArray = () => new Int32Array(length),
): CodeArray | Bounded {
  const data = room();
  let bounds: { readonly low: CodeArray; readonly high: CodeArray } | null = null;
  for (let i = 0; i < length; i++) {
    const { low, near, high } = codesOf(i);
    data[i] = near;
    if (low !== high) bounds ??= { low: data.slice(), high: data.slice() };
    if (!bounds) continue;
    bounds.low[i] = low;
    bounds.high[i] = high;
  }
  return bounds ? { data, ...bounds } : data;
}

/** Reals of a float32 output; a bound of none is exact. */
export function boundedReals(length: number, realOf: (element: number) => Near): Bounded {
  const reals = emptyReals(length);
  for (let i = 0; i < length; i++) writeReal(reals, i, realOf(i));
  return reals;
}

type BoundedReals = Record<keyof Bounded, Float32Array>;

export function emptyReals(length: number): BoundedReals {
  return { data: new Float32Array(length), low: new Float32Array(length), high: new Float32Array(length) };
}

export function writeReal({ data, low, high }: BoundedReals, i: number, real: Near): void {
  data[i] = real.near;
  // rounded to float32, it is no further
  low[i] = Math.min(float32AtLeast(real.low), data[i]);
  high[i] = Math.max(-float32AtLeast(-real.high), data[i]);
}

/** exact, and how far a float32 result may be from it before it is rounded or lost below the smallest normal number. */
export function within(exact: number, error: number): Near {
  if (!Number.isFinite(exact)) return { low: exact, near: exact, high: exact };
  const bound = error + Math.abs(exact) * UNIT + SMALLEST;
  return { low: exact - bound, near: exact, high: exact + bound };
}

/** Of one value: the codes of three reals, in whatever order they come. */
export function codesOf(reals: Near, code: (real: number) => number): Near {
  const [low, near, high] = [code(reals.low), code(reals.near), code(reals.high)];
  return { low: Math.min(low, near, high), near, high: Math.max(low, near, high) };
}

/**
 * exp, tanh, expm1 and erf of Sleef and of the system's C library stay within two steps of the correctly rounded float32; which
 * step is not known. `real` computes with the function that it is given.
 */
export function nearFunctions(real: (round: (exact: number) => number) => number): Near {
  const at = (steps: number) =>
    real((exact) => (Number.isFinite(f32(exact)) ? float32Beside(f32(exact), steps) : f32(exact)));
  return { low: at(-2), near: at(0), high: at(2) };
}

export const UNIT = 2 ** -24;

const SMALLEST = 2 ** -126;

/** A float32 sum of n numbers in any order; magnitudes: the sum of their absolute values. Source: Higham, 4.2. */
export function sumInAnyOrder(exact: number, magnitudes: number, n: number): Near {
  const bound = boundOfSum(n) * magnitudes;
  return { low: exact - bound, near: exact, high: exact + bound };
}

/** By which the magnitudes are multiplied. */
export function boundOfSum(n: number): number {
  return (n * UNIT) / (1 - n * UNIT);
}
