/** The exact result and a bound on any order's error, both [rows, outFeatures] in real units, bias included, before ReLU. */
export interface FloatSums {
  readonly exact: Float64Array;
  readonly bound: Float64Array;
}

/** Of values [from, to): exact - bound, exact and exact + bound are right up to `error`. The next call uses the arrays again. */
export type NearSums = (from: number, to: number) => FloatSums & { readonly error: Float64Array };
