/** A step written out, for people and for other languages. */

/**
 * One operation, rounded once: v = v + operand, v * operand, v / operand, operand * factor + v (`fma`) or v * operand + factor
 * (`multiply-add`).
 */
export interface Operation {
  readonly kind: 'add' | 'multiply' | 'divide' | 'fma' | 'multiply-add' | 'curve';
  /** What it is to people. */
  readonly name: string;
  /** To what it rounds. */
  readonly precision: Precision;
  /** numpy, of the Python floats sx, sw, sy, b; f32 is np.float32, R and round_half_away are helpers of `analyze/explain/numpy.ts`. */
  readonly formula: string;
  /** added: the code of a second value, where it is one. */
  readonly operand: (channel: number, added?: number) => number;
  /** Of a fused operation. */
  readonly factor?: (channel: number) => number;
  readonly factorFormula?: string;
  /** Of a curve, which has no operand: what it does to v, and its numpy, an expression of v. */
  readonly curve?: {
    readonly apply: (v: number) => number;
    readonly numpy: ((v: string) => string) | null;
    /** The C function that does it. */
    readonly c: string | null;
  };
  /** Of what a second value adds: its parameters, where it is codes. */
  readonly addend?: { readonly scale: number; readonly zeroPoint: number };
}

export type Precision = 'float32' | 'float64';

/** Lines of a C function, and the constant arrays that they read. */
export interface CLines {
  readonly arrays: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
  readonly lines: readonly string[];
}

/** An int32 multiplier and a shift: x * multiplier * 2^(exponent - 31). */
export interface FixedPointMultiplier {
  /** In [2^30, 2^31) or 0. */
  readonly multiplier: number;
  /** Negative: a shift to the right. */
  readonly exponent: number;
}
