import type { AccumulateForm, Codes, Kernel, Linear } from '../../nouns/kernel.js';

/** Exact sums, no pairs. */
export const EXACT: AccumulateForm = { pairs: null };

/**
 * Faster equals of the steps here and of what follows them; `accelerate/` has one. Each answers null where it does not
 * take the case: too little work, codes or sums that might not fit, a step it does not know.
 */
export interface Accelerator {
  /** A product of so many multiply-adds is to come: what takes time to start may start. */
  expect(multiplyAdds: number): void;
  /** Sums [rows, outFeatures], all of which fit int32. */
  accumulate(form: AccumulateForm, x: Codes, linear: Linear): Int32Array | null;
  /** A linear layer's codes [rows, outFeatures]; no sum leaves int32. */
  codes(kernel: Kernel, linear: Linear, x: Codes): Uint8Array | Int8Array | null;
  /** The sum of (code - zeroPoint)^2. */
  sumOfSquares(codes: Uint8Array | Int8Array, zeroPoint: number): number | null;
}

/** The one in use; null: everything runs in its readable form. */
export const accelerator: { current: Accelerator | null } = { current: null };
