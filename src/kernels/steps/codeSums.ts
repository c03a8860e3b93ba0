/** Products of codes inside an operator that computes in float with them. */
import type { NumericArray } from '../../nouns/array.js';
import type { AccumulateStep, DynamicStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { float32s } from '../../numeric/array.js';
import { rangeOfRow } from '../../numeric/extremes.js';
import { f32 } from '../../numeric/float.js';
import { transposed } from '../../tensor/rows.js';
import { uint8Params } from './dynamic.js';

/** Weights, and what makes reals of their sums: one number, or one a column. */
export interface ScaledWeights {
  readonly product: Product;
  readonly scale: Float32Array;
}

/** Its sums are all that is asked of it. */
const UNSCALED = {
  perChannel: false,
  weightScale: Float64Array.of(1),
  bias: null,
  biasInt32: null,
  activation: 'none',
  input: uint8Params(1, 0),
  output: { dtype: 'float32' },
} as const;

/** codes: [rows, columns], int8 or uint8; zeroPoints: one, or one a column. */
export function scaledWeights(
  codes: NumericArray,
  [rows, columns]: readonly [number, number],
  scale: Float32Array,
  zeroPoints: ArrayLike<number>,
): ScaledWeights {
  const product: Product = {
    ...UNSCALED,
    ...(codes instanceof Uint8Array && { weightDtype: 'uint8' as const }),
    outFeatures: columns,
    inFeatures: rows,
    weight: transposed(codes instanceof Uint8Array ? Int16Array.from(codes) : (codes as Int8Array), rows, columns),
    weightZeroPoint: Int32Array.from(zeroPoints),
  };
  return { product, scale };
}

/** Rows of floats by a range of their own. */
export function quantizedRows(rows: Float32Array, dynamic: DynamicStep): { data: Uint8Array; input: QuantParams } {
  const { min, max } = rangeOfRow(rows);
  const input = dynamic.chooseQuantParams(min, max, false);
  return { data: Uint8Array.from(rows, dynamic.quantize.prepare(input)), input };
}

/** Sums of codes as reals: f32(f32(acc) * f32(s * sw)). */
export function realSums(
  data: Uint8Array,
  input: QuantParams,
  { product, scale }: ScaledWeights,
  accumulate: AccumulateStep,
): Float32Array {
  const { inFeatures: cols, outFeatures } = product;
  const { data: acc } = accumulate.run({ rows: data.length / cols, cols, data }, { ...product, input });
  const by = scale.map((one) => f32(f32(input.scale) * one));
  return float32s(acc, (sum, i) => f32(f32(sum) * by[by.length === 1 ? 0 : i % outFeatures]));
}
