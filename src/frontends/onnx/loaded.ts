/**
 * Float constants that ONNX Runtime quantizes when it loads a model: the bias and the weights of Conv, ConvTranspose and Gemm between
 * codes, whether the layer then runs in integers or in float (DequantizeLinear stands before it then).
 */

import { quantizeDivision } from '../../kernels/steps/quantize.js';
import { INT8, INT32, onnxDtype } from '../../load/onnx/dtypes.js';
import type { NumericArray } from '../../nouns/array.js';
import { int32s } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Constant } from './constants.js';
import { derived } from './derived.js';
import type { Context } from './draft.js';
import { isOnnx } from './graph.js';
import type { Bias } from './product.js';
import { ofChannel, type Quantization } from './quantization.js';

/** More weights than are read to find their range before anything runs. */
const MOST_WEIGHTS = 1 << 22;

/** Whether the optimizer quantizes the constants of a node that gives this tensor: a QuantizeLinear follows, or Relu and Clip before it. */
export function isBetweenCodes(tensor: string, { graph, session }: Context): boolean {
  if (!session.quantizesConstants) return false;
  for (let at = tensor; ; ) {
    const readers = graph.readersOf(at); // that the graph gives it out too does not matter
    const [reader] = readers;
    if (readers.length !== 1 || reader.inputs[0] !== at) return false;
    if (isOnnx(reader, 'QuantizeLinear')) return true;
    if (!isOnnx(reader, 'Relu', 'Clip')) return false;
    [at] = reader.outputs;
  }
}

/** Codes at s_x * s_w. */
export function roundedBias(bias: Bias, x: Quantization, w: Quantization): Bias {
  const { source, shape, dtype } = bias.constant;
  if (bias.q || !source || dtype.name !== 'float32' || shape.length !== 1) return bias;
  const scale = w.scale.map((own) => f32(x.scale[0] * own));
  const code = (real: number, n: number) => roundHalfEven(f32(real / ofChannel(scale, n)));
  const codes = async () =>
    int32s(await source.read(), (real, n) => clamp(code(Number(real), n), INT32_MIN, INT32_MAX));
  const constant = { dtype: onnxDtype(INT32), shape, source: derived(bias.tensor, 'int32', shape, codes) };
  return { ...bias, constant, q: { dtype: constant.dtype, scale, zeroPoint: [0], axis: 0, blockSize: 0 } };
}

export interface QuantizedWeights {
  readonly constant: Constant;
  readonly q: Quantization;
}

/** int8, one scale for all, with a zero point. Null: of another type, or too many to look at. */
export async function quantizedWeights({ source, shape, dtype }: Constant): Promise<QuantizedWeights | null> {
  if (!source || dtype.name !== 'float32' || sizeOf(shape) > MOST_WEIGHTS) return null;
  const { scale, zeroPoint } = paramsOf(await source.read());
  const params = { dtype: 'int8', scale, zeroPoint, quantMin: -128, quantMax: 127 } as const;
  const code = quantizeDivision.prepare(params);
  const codes = async () => Int8Array.from(await source.read(), (real) => code(Number(real)));
  const constant = { dtype: onnxDtype(INT8), shape, source: derived(`${source.key}.int8`, 'int8', shape, codes) };
  return { constant, q: { dtype: constant.dtype, scale: [scale], zeroPoint: [zeroPoint], axis: 0, blockSize: 0 } };
}

/** The range holds 0. */
function paramsOf(weights: NumericArray): { scale: number; zeroPoint: number } {
  let [min, max] = [0, 0];
  for (const weight of weights) {
    min = Math.min(min, Number(weight));
    max = Math.max(max, Number(weight));
  }
  const scale = max === min ? 1 : f32(f32(max - min) / 255);
  return { scale, zeroPoint: roundHalfEven(clamp(f32(-128 - f32(min / scale)), -128, 127)) };
}
