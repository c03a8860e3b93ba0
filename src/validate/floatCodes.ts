/**
 * Floats that stand for codes: what a runtime dequantized, or a simulator computed on the grid of a scale; and codes that stand for
 * floats, as ONNX Runtime's optimizer moves DequantizeLinear past operators and keeps their names.
 */

import { dequantizeFloat32 } from '../kernels/steps/dequantize.js';
import type { ArraySource, NumericArray } from '../nouns/array.js';
import { isLayout, type Model } from '../nouns/model.js';
import { CODE_RANGES, isQuantized, type QuantParams } from '../nouns/value.js';
import { float32s, int32s } from '../numeric/array.js';
import { roundHalfEven } from '../numeric/round.js';
import { sizeOf } from '../tensor/shape.js';

/** How far from a whole step a number may be: float32 of any code is nearer. */
const NEAR = 0.01;
const ROWS_VALUES = 1 << 20;

/** The array as codes; or the first number that is no multiple of the scale. Reads all of it, a few rows at a time. */
export async function codesOfFloats(
  source: ArraySource,
  params: QuantParams,
): Promise<{ readonly codes: ArraySource } | { readonly offGrid: number }> {
  const [rows = 1, ...row] = source.shape;
  const atOnce = Math.max(1, Math.floor(ROWS_VALUES / Math.max(1, sizeOf(row))));
  for (let from = 0; from < rows; from += atOnce) {
    const numbers = await source.read(from, Math.min(rows, from + atOnce));
    for (const number of numbers) {
      if (!isOnGrid(number, params)) return { offGrid: number };
    }
  }
  return { codes: new CodesOfFloats(source, params) };
}

/** Within a hundredth of a step of a code that the dtype has. */
function isOnGrid(number: number, { scale, zeroPoint, dtype }: QuantParams): boolean {
  const steps = number / scale;
  const code = roundHalfEven(steps) + zeroPoint;
  const [lo, hi] = CODE_RANGES[dtype];
  return Math.abs(steps + zeroPoint - code) <= NEAR && code >= lo && code <= hi;
}

/** The reals of an array of codes. */
export function floatsOfCodes(source: ArraySource, params: QuantParams): ArraySource {
  const real = dequantizeFloat32.prepare(params);
  const read = async (fromRow?: number, toRow?: number) => float32s(await source.read(fromRow, toRow), real);
  const { key, shape } = source;
  return { key, shape, dtype: 'float32', read };
}

/** Of floats that are codes moved: the params of those. */
export function paramsBehind({ layers }: Model, name: string): QuantParams | null {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  let layer = byName.get(name);
  while (layer && isLayout(layer) && layer.inputs.length === 1) layer = byName.get(layer.inputs[0]);
  const codes = layer?.op === 'dequantize' ? byName.get(layer.inputs[0])?.output : null;
  return codes && isQuantized(codes) ? codes : null;
}

class CodesOfFloats implements ArraySource {
  readonly key: string;
  readonly dtype = 'int32';
  readonly shape: readonly number[];

  constructor(
    private readonly source: ArraySource,
    private readonly params: QuantParams,
  ) {
    this.key = source.key;
    this.shape = source.shape;
  }

  async read(fromRow?: number, toRow?: number): Promise<NumericArray> {
    const { scale, zeroPoint } = this.params;
    const numbers = await this.source.read(fromRow, toRow);
    return int32s(numbers, (number) => roundHalfEven(number / scale) + zeroPoint);
  }
}
