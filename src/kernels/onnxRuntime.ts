/** What ONNX Runtime's kernels share: operators on codes, and what it leaves in float between DequantizeLinear and QuantizeLinear. */
import type { AccumulateStep, DynamicStep, OpSteps, ProductSteps, TensorSteps } from '../nouns/kernel.js';
import { everyRank } from './everyRank.js';
import {
  convolutions,
  convolutionsDynamic,
  elementwise,
  type Ops,
  type Own,
  product,
  products,
  quantizesItself,
  TRANSPOSED,
} from './families.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { exact } from './steps/accumulate.js';
import { averagePoolInFloat, globalAveragePoolInFloat, softmaxInFloat } from './steps/anyOrder.js';
import { int32BiasDivision32, realBias } from './steps/bias.js';
import { concatOnnxRuntime } from './steps/concat.js';
import { dequantizeFloat32 } from './steps/dequantize.js';
import { dynamicOnnxRuntime } from './steps/dynamic.js';
import { rowsAsTheyAre } from './steps/embedding.js';
import { embedNorm } from './steps/embedNorm.js';
import { largestOfAxes, smallestOfAxes } from './steps/extremes.js';
import { functionsInFloat, sigmoidInFloat32 } from './steps/floatFunctions.js';
import { anyOrderFloat32 } from './steps/floatLinear.js';
import { batchNormOfFloats, groupNormOfDifferences, layerNormOfDifferences } from './steps/floatNorms.js';
import {
  arithmeticOfFloats,
  betweenCodes,
  comparisonsOfFloats,
  preluOfFloats,
  throughReals,
  unaryFloats,
} from './steps/floats.js';
import { linearOfBlocks } from './steps/linearBlocks.js';
import { lstmDynamicOf } from './steps/lstmDynamic.js';
import { matmulInFloat, matmulOnnxRuntime } from './steps/matmul.js';
import { largestCode, maxPool } from './steps/maxPool.js';
import { meanInAnyOrder } from './steps/mean.js';
import { float32Product, float32ProductThenDivide } from './steps/multiplier.js';
import { instanceNormInFloat, layerNormInFloat } from './steps/normsInAnyOrder.js';
import { clampRoundOffset, roundThenOffset } from './steps/offsetAndClamp.js';
import { addOnnxRuntime, leakyReluOnnxRuntime, multiplyOnnxRuntime, sigmoidOnnxRuntime } from './steps/onnxRuntime.js';
import { averagePoolOnnxRuntime, globalAveragePoolOnnxRuntime } from './steps/onnxRuntimePools.js';
import { softmaxOnnxRuntime } from './steps/onnxRuntimeSoftmax.js';
import { qAttentionOf } from './steps/qAttention.js';
import { quantizeDivision } from './steps/quantize.js';
import { resizeBetweenFloats, resizeOfCodes, resizeOnFloats } from './steps/resizeInFloat.js';
import { halfEven } from './steps/round.js';
import { ofSum } from './steps/summed.js';
import { withoutActivation, withoutTflites } from './steps/tensor.js';
import { whereFloats } from './steps/where.js';

const conversions = { quantize: quantizeDivision, dequantize: dequantizeFloat32, bound: quantizeDivision };

const WIDE = ['uint8', 'int8', 'int16', 'uint16'] as const;

/** In float, and where codes are chosen, their width changes nothing. */
export function ofAnyWidth(ops: Ops): Ops {
  return Object.fromEntries(Object.entries(ops).map(([op, steps]) => [op, withCodes(steps)]));
}

function withCodes(steps: OpSteps): OpSteps {
  return steps.kind === 'elementwise' ? steps : { ...steps, codes: WIDE };
}

/** They move codes, or choose among them. */
const CHOOSE: Ops = {
  ...everyRank('max_pool', maxPool),
  interpolate: resizeOfCodes,
  amax: largestOfAxes,
  amin: smallestOfAxes,
};

/** Operators on whole values. add: of another CPU than the producer says. */
export function onnxRuntimeTensors(add = addOnnxRuntime()): Ops {
  return {
    add: withoutActivation(add),
    mul: withoutActivation(multiplyOnnxRuntime),
    matmul: withoutTflites(withoutActivation(matmulOnnxRuntime)),
    cat: withoutActivation(concatOnnxRuntime),
    softmax: withoutTflites(softmaxOnnxRuntime),
    leaky_relu: leakyReluOnnxRuntime,
    sigmoid: sigmoidOnnxRuntime,
    where: whereFloats(quantizeDivision),
    embedding: rowsAsTheyAre,
    ...ofAnyWidth(CHOOSE),
    ...everyRank('avg_pool', averagePoolOnnxRuntime),
    ...everyRank('adaptive_avg_pool', globalAveragePoolOnnxRuntime),
  };
}

/** convolutionSums: null where its convolutions have no model. */
export function onnxRuntimeOps(
  own: Own<'accumulate'> & Partial<ProductSteps>,
  dynamic: DynamicStep = dynamicOnnxRuntime,
  convolutionSums: AccumulateStep | null = own.accumulate,
  tensors: Ops = onnxRuntimeTensors(),
): Ops {
  const linear = product({
    bias: int32BiasDivision32,
    multiplier: float32Product,
    round: halfEven,
    offsetAndClamp: clampRoundOffset,
    bound: quantizeDivision,
    uint8Weights: ['uint8', 'int8'],
    ...own,
  });
  // ConvInteger: filters times images, which saturate nowhere; a transposed one is always float
  const onCodes = convolutionSums ? convolutions({ ...linear, accumulate: convolutionSums }, TRANSPOSED) : {};
  const behindDynamic = convolutionsDynamic({ ...linear, accumulate: exact, dynamic });
  const converted = { ...elementwise(conversions), ...quantizesItself(dynamic) };
  return { ...products(linear, dynamic), ...onCodes, ...behindDynamic, ...converted, ...tensors };
}

/** Operators that compute in float with codes, or rows of them, in between: x86's, as no other was there to ask. */
export function onnxRuntimeMixed(sums: string, accumulate: AccumulateStep): Ops {
  return {
    lstm_dynamic: lstmDynamicOf(sums, accumulate, dynamicOnnxRuntime),
    embed_layer_norm: embedNorm,
    q_attention: qAttentionOf(sums, accumulate, dynamicOnnxRuntime),
  };
}

/** Dequantize, float32 sums in any order, quantize. */
const floatProduct = product({
  float: { product: anyOrderFloat32, quantize: quantizeDivision },
  accumulate: exact,
  bias: realBias,
  multiplier: float32ProductThenDivide,
  round: halfEven,
  offsetAndClamp: roundThenOffset,
  bound: quantizeDivision,
  uint8Weights: WIDE,
});

const largest = throughReals(largestCode);

/** Dequantize, one float32 rounding, quantize. */
export const onnxRuntimeInFloat: Ops = ofAnyWidth({
  ...products(floatProduct, null),
  ...convolutions(floatProduct),
  ...elementwise(conversions),
  ...arithmeticOfFloats,
  ...comparisonsOfFloats,
  matmul: withoutTflites(matmulInFloat),
  cat: concatOnnxRuntime,
  sigmoid: sigmoidOnnxRuntime,
  leaky_relu: leakyReluOnnxRuntime,
  softmax: withoutTflites(softmaxInFloat),
  mean: meanInAnyOrder(quantizeDivision),
  ...everyRank('avg_pool', averagePoolInFloat),
  ...everyRank('adaptive_avg_pool', globalAveragePoolInFloat),
  ...functionsInFloat,
  neg: unaryFloats('-x', (x) => -x),
  abs: unaryFloats('|x|', Math.abs),
  ...everyRank('max_pool', largest),
  interpolate: resizeBetweenFloats,
  where: whereFloats(quantizeDivision),
  amax: throughReals(largestOfAxes),
  amin: throughReals(smallestOfAxes),
  layer_norm: layerNormInFloat,
  instance_norm: instanceNormInFloat,
  batch_norm: betweenCodes(batchNormOfFloats),
  prelu: betweenCodes(preluOfFloats),
  softplus: betweenCodes(pyTorchFloats.softplus as TensorSteps),
});

/** On floats alone: one rounding, or within the bounds that PyTorch's are in. */
export const onnxRuntimeOnFloats: Ops = {
  ...pyTorchFloats,
  ...functionsInFloat,
  sigmoid: sigmoidInFloat32,
  prelu: preluOfFloats,
  layer_norm: layerNormOfDifferences,
  skip_layer_norm: ofSum(layerNormOfDifferences),
  skip_rms_norm: ofSum(pyTorchFloats.rms_norm as TensorSteps),
  bias_gelu: ofSum(pyTorchFloats.gelu as TensorSteps),
  group_norm: groupNormOfDifferences,
  instance_norm: groupNormOfDifferences,
  interpolate: resizeOnFloats(pyTorchFloats.interpolate as TensorSteps),
  where: whereFloats(quantizeDivision),
};

/** With what quantizes its blocks in the call: as AVX2 does, and what has more. */
export const onnxRuntimeOnFloatsInBlocks: Ops = { ...onnxRuntimeOnFloats, linear_blocks_dynamic: linearOfBlocks };
