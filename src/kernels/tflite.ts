/** What TFLite's four runtimes do for every op, in the newest release, on x86 with AVX; `tfliteLayer.ts` has what else decides. */

import type { ElementwiseSteps, Kernel, OpSteps, ProductSteps, TensorSteps } from '../nouns/kernel.js';
import type { ValueParams } from '../nouns/value.js';
import { f32 } from '../numeric/float.js';
import { elementwise, products, tfliteConvolutions, tfliteLinear } from './families.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { dequantizeBuiltin, dequantizeFloat32 } from './steps/dequantize.js';
import { largestOfAxes, smallestOfAxes } from './steps/extremes.js';
import { fixedPointDoubleRoundingOfDoubles } from './steps/fixedPointMultiplier.js';
import { binaryFloats } from './steps/floats.js';
import { fixedPointDoubleRoundingUp, float64OfFloat32Scales } from './steps/multiplier.js';
import { quantizeDivisionHalfAway, quantizeDoubleHalfAway, quantizeReciprocal } from './steps/quantize.js';
import { areBytes, rescaleBuiltin, rescaleDoubleRounding } from './steps/rescale.js';
import { halfAway } from './steps/round.js';
import { withoutActivation } from './steps/tensor.js';
import {
  hardSwishTflite,
  leakyReluBuiltin,
  leakyReluMicro,
  leakyReluReference,
  leakyReluXnnpack,
} from './steps/tflite/activations.js';
import { addBuiltin, addReference, addXnnpack } from './steps/tflite/add.js';
import { indexOfLargest, indexOfSmallest, maximumTflite, minimumTflite, selectTflite } from './steps/tflite/choices.js';
import { byWidth } from './steps/tflite/common.js';
import { compareTflite } from './steps/tflite/compare.js';
import { concatTflite, stackTflite } from './steps/tflite/concat.js';
import { divideTflite } from './steps/tflite/divide.js';
import {
  expOfFloats,
  hardSwishOfFloats,
  logisticOfFloats,
  logisticOfFloatsReference,
  logOfFloats,
  matmulOfFloatsTflite,
  softmaxOfFloatsTflite,
} from './steps/tflite/floats.js';
import { absMicro, absTflite, eluTflite, expTflite, geluTflite, logTflite } from './steps/tflite/functions.js';
import { lstmTflite } from './steps/tflite/lstm.js';
import { lstmMicro } from './steps/tflite/lstmMicro.js';
import { matmulMicro, matmulTflite, matmulXnnpack } from './steps/tflite/matmul.js';
import { multiplyMicro, multiplyTflite, multiplyXnnpack } from './steps/tflite/multiply.js';
import { averagePoolTflite, globalAveragePoolTflite, maxPoolTflite } from './steps/tflite/pool.js';
import { preluMicro, preluTflite } from './steps/tflite/prelu.js';
import {
  meanBuiltin,
  meanReference,
  meanXnnpack,
  sumBuiltin,
  sumMicro,
  sumReference,
  sumXnnpack,
} from './steps/tflite/reduce.js';
import { resizeBuiltin, resizeMicro, resizeOfFloats, resizeReference, resizeXnnpack } from './steps/tflite/resize.js';
import { l2NormalizeTflite, rsqrtMicro, rsqrtTflite, sqrtTflite } from './steps/tflite/roots.js';
import { softmaxBuiltin, softmaxMicro, softmaxReference } from './steps/tflite/softmax.js';
import { squaredDifferenceTflite } from './steps/tflite/squaredDifference.js';
import { svdfMicro, svdfTflite } from './steps/tflite/svdf.js';
import {
  eluXnnpack,
  logisticMicro,
  logisticTflite,
  logisticXnnpack,
  tanhMicro,
  tanhTflite,
  tanhXnnpack,
} from './steps/tflite/tables.js';
import { logisticInt16, logisticInt16Builtin, tanhInt16, tanhInt16Builtin } from './steps/tflite/tables16.js';

type Ops = Kernel['ops'];

const bound = quantizeDivisionHalfAway;
const onReference = elementwise({
  quantize: quantizeDivisionHalfAway,
  dequantize: dequantizeFloat32,
  rescale: rescaleDoubleRounding,
  bound,
});

/** They choose among codes, of any width. */
const EXTREMES: Ops = {
  amax: { ...largestOfAxes, codes: ['uint8', 'int8', 'int16'] },
  amin: { ...smallestOfAxes, codes: ['uint8', 'int8', 'int16'] },
};

/** Reference and builtin kernels. */
const shared: Ops = {
  sub: addReference(-1),
  mul: multiplyTflite,
  cat: concatTflite,
  stack: stackTflite,
  maximum: maximumTflite,
  minimum: minimumTflite,
  argmax: indexOfLargest,
  argmin: indexOfSmallest,
  prelu_of_two: preluTflite,
  squared_difference: squaredDifferenceTflite,
  div: divideTflite,
  compare: compareTflite,
  where: selectTflite,
  sqrt: sqrtTflite,
  rsqrt: rsqrtTflite,
  l2_normalize: l2NormalizeTflite,
  abs: absTflite,
  exp: expTflite,
  log: logTflite,
  elu: eluTflite,
  gelu: geluTflite,
  hardswish: hardSwishTflite,
  avg_pool2d: averagePoolTflite,
  adaptive_avg_pool1d: globalAveragePoolTflite,
  adaptive_avg_pool2d: globalAveragePoolTflite,
  max_pool2d: maxPoolTflite('reference'),
  matmul: matmulTflite,
  sequence_lstm: lstmTflite,
  svdf: svdfTflite,
  ...EXTREMES,
};

/** Linear layers of LiteRT's reference resolver multiply in float64. */
const referenceLinear: ProductSteps = tfliteLinear({ multiplier: float64OfFloat32Scales, round: halfAway });

/** Of hybrid layers, whose dynamic step stands for all but the sums; `tfliteLayer.ts` has those, a layer each. */
export const hybridLinear: ProductSteps = tfliteLinear({ multiplier: float64OfFloat32Scales });

const { add, sub, mul, div, maximum, minimum, neg, abs, amax, amin, mean, sum, avg_pool2d, ...ofFloats } =
  pyTorchFloats;
const { tanh, sqrt, rsqrt, elu, gelu, log_softmax, linear_float, conv2d_float, conv_transpose2d_float } = ofFloats;
const ALONE = Object.fromEntries(
  ['leaky_relu', 'cat', 'max_pool2d'].map((op) => [op, withoutActivation(ofFloats[op] as TensorSteps)]),
);

/** Alike in every runtime: what chooses or rounds once; sums, whose order is a runtime's own, and functions within a bound. */
export const tfliteFloats: Ops = {
  ...{ add, sub, mul, div, maximum, minimum, neg, abs, amax, amin, mean, sum, ...ALONE },
  avg_pool2d: withoutActivation(avg_pool2d as TensorSteps),
  ...{ tanh, sqrt, rsqrt, elu, gelu, log_softmax },
  softmax: softmaxOfFloatsTflite,
  interpolate: resizeOfFloats,
  sigmoid: logisticOfFloats,
  exp: expOfFloats,
  log: logOfFloats,
  hardswish: hardSwishOfFloats,
  matmul: matmulOfFloatsTflite,
  linear_float,
  conv2d_float,
  conv_transpose2d_float,
  prelu_of_two: binaryFloats('x < 0 ? x * a : x', (x, a) => (x < 0 ? x * a : x)),
  squared_difference: binaryFloats('(a - b)^2', (a, b) => f32(a - b) ** 2),
};

/** The reference's and Micro's. */
export const referenceFloats: Ops = { ...tfliteFloats, sigmoid: logisticOfFloatsReference };

export const referenceOps: Ops = {
  ...products(referenceLinear, null),
  ...tfliteConvolutions(),
  ...onReference,
  ...shared,
  add: addReference(1),
  leaky_relu: leakyReluReference,
  mean: meanReference,
  sum: sumReference,
  softmax: softmaxReference,
  sigmoid: byWidth(logisticTflite, logisticInt16),
  tanh: byWidth(tanhTflite, tanhInt16),
  interpolate: resizeReference,
};

export const microOps: Ops = {
  ...referenceOps,
  ...products(tfliteLinear({ multiplier: fixedPointDoubleRoundingOfDoubles }), null),
  mul: multiplyMicro,
  prelu_of_two: preluMicro,
  abs: absMicro,
  rsqrt: rsqrtMicro,
  matmul: matmulMicro,
  sequence_lstm: lstmMicro,
  svdf: svdfMicro,
  leaky_relu: leakyReluMicro,
  sum: sumMicro,
  softmax: softmaxMicro,
  sigmoid: byWidth(logisticMicro, logisticInt16),
  tanh: byWidth(tanhMicro, tanhInt16),
  interpolate: resizeMicro,
};

/** Vector code takes 8 or 16 values of a tensor at a time; the rest is computed one by one. */
function withRest(op: string, vector: Partial<ElementwiseSteps>, rest: Partial<ElementwiseSteps>): OpSteps {
  const own = onReference[op] as ElementwiseSteps;
  return { ...own, ...vector, rest: { ...own, ...rest } };
}

/** One by one, the builtin kernels divide in float64. */
export const builtinScalarQuantize = withRest(
  'quantize',
  { quantize: quantizeDoubleHalfAway },
  { quantize: quantizeDoubleHalfAway },
);

const onBuiltin: Ops = {
  ...onReference,
  quantize: withRest(
    'quantize',
    { quantize: quantizeReciprocal, block: () => 8 },
    { quantize: quantizeDoubleHalfAway },
  ),
  dequantize: withRest(
    'dequantize',
    { dequantize: dequantizeBuiltin, block: (input: ValueParams) => (areBytes(input) ? 8 : 1) },
    {},
  ),
  requantize: withRest(
    'requantize',
    {
      rescale: rescaleBuiltin,
      block: (input: ValueParams, output: ValueParams) => (areBytes(input, output) ? 16 : 1),
    },
    {},
  ),
};

export const builtinOps: Ops = {
  ...products(tfliteLinear({ multiplier: fixedPointDoubleRoundingUp }), null),
  ...tfliteConvolutions(),
  ...onBuiltin,
  ...shared,
  add: addBuiltin,
  leaky_relu: leakyReluBuiltin,
  mean: meanBuiltin,
  sum: sumBuiltin,
  softmax: softmaxBuiltin,
  sigmoid: byWidth(logisticTflite, logisticInt16Builtin),
  tanh: byWidth(tanhTflite, tanhInt16Builtin),
  interpolate: resizeBuiltin,
};

/** What XNNPACK itself has; the rest of a graph runs in the builtin kernels. */
export const delegateTensors: Ops = {
  add: addXnnpack(1),
  sub: addXnnpack(-1),
  mul: multiplyXnnpack,
  cat: concatTflite,
  stack: stackTflite,
  leaky_relu: leakyReluXnnpack,
  elu: eluXnnpack,
  max_pool2d: maxPoolTflite('xnnpack'),
  mean: meanXnnpack,
  sum: sumXnnpack,
  sigmoid: logisticXnnpack,
  tanh: tanhXnnpack,
  interpolate: resizeXnnpack,
  matmul: matmulXnnpack,
  ...EXTREMES,
};
