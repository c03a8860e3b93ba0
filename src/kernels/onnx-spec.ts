/**
 * y = saturate(rint(v / sy) + zp), v = the operator on dequantized values
 *
 * What the operators' text defines, for a third opinion: sums are float32 in any order, so that a value within their bound is no
 * difference; QLinear operators are the same formula. Source: onnx.ai/onnx/operators.
 */
import type { Kernel } from '../nouns/kernel.js';
import { convolutionsDynamic, product, products, quantizesItself } from './families.js';
import { ofAnyWidth, onnxRuntimeInFloat, onnxRuntimeOnFloats } from './onnxRuntime.js';
import { exact } from './steps/accumulate.js';
import { sigmoidInFloat } from './steps/anyOrder.js';
import { int32BiasDivision32 } from './steps/bias.js';
import { dynamicOnnxRuntime } from './steps/dynamic.js';
import { rowsAsTheyAre } from './steps/embedding.js';
import { float32Product } from './steps/multiplier.js';
import { clampRoundOffset } from './steps/offsetAndClamp.js';
import { quantizeDivision } from './steps/quantize.js';
import { halfEven } from './steps/round.js';

/** MatMulInteger is exact. */
const dynamic = product({
  accumulate: exact,
  bias: int32BiasDivision32,
  multiplier: float32Product,
  round: halfEven,
  offsetAndClamp: clampRoundOffset,
  bound: quantizeDivision,
  uint8Weights: ['uint8'],
});

const ops: Kernel['ops'] = {
  ...products(dynamic, dynamicOnnxRuntime),
  ...convolutionsDynamic({ ...dynamic, dynamic: dynamicOnnxRuntime }),
  ...quantizesItself(dynamicOnnxRuntime),
  ...onnxRuntimeInFloat,
  embedding: rowsAsTheyAre,
  ...ofAnyWidth({ sigmoid: sigmoidInFloat }),
};

export const onnxSpec: Kernel = {
  name: 'onnx-spec',
  equation: 'y = saturate(rint((sum of sx*(x-zx) * sw*(w-zw) + b) / sy) + zp), float32, any order',
  runsOn: 'nowhere: each layer as the text of its ONNX operator defines it, whatever runs it',
  runtime: 'onnx',
  family: 'onnx-spec',
  origin: 'the text of the ONNX operators',
  sums: 'float',
  confirm: null,
  wholeRuntime: true,
  ops,
  opsInFloat: ops, // in float all the same
  onFloats: onnxRuntimeOnFloats,
};
