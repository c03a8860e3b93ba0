import type { Operation } from './written.js';

/** A layer's bias made ready once; where it enters decides what `MultiplierStep` sees. */
export type PreparedBias =
  | { readonly unit: 'none' }
  /** Added to the int32 accumulator, wrapping. numpy: a float of the value, of the Python floats sx, sw and b. */
  | { readonly unit: 'int32'; readonly values: Int32Array; readonly numpy: string | null }
  /** Added to the float accumulator, before any scale: v = add(acc, channel). */
  | {
      readonly unit: 'accumulator';
      readonly add: (acc: number, channel: number) => number;
      readonly float32?: Float32Addend;
      /** Integers that are added as they are, one a channel: the sum is an integer of more than 32 bits. */
      readonly integers?: Float64Array | Int32Array;
      /** The same written out; null: no such form. */
      readonly operation: Operation | null;
    }
  /** Added in real units, between the multiplier's dequantizing and requantizing half. */
  | { readonly unit: 'real'; readonly values: Float32Array | Float64Array };

/** Numbers of an `add` that is f32(f32(acc) + addend), or f32(f32(acc) + product) with one rounding. One a channel. */
export type Float32Addend =
  | { readonly addend: Float32Array; readonly product: null }
  | { readonly addend: null; readonly product: Float64Array };
