/** What PyTorch's engines do for ops on whole values, and its reference graph. */
import type { Kernel } from '../nouns/kernel.js';
import {
  celuAten,
  eluAten,
  geluAten,
  hardsigmoidAten,
  hardsigmoidQnnpack,
  hardswishAten,
  hardswishQnnpack,
  leakyReluAten,
  sigmoidAten,
  sigmoidQnnpack,
  tanhAten,
  tanhQnnpack,
  thresholdAten,
} from './steps/activations.js';
import { addAten, addFloats, addQnnpack } from './steps/add.js';
import {
  adaptiveAveragePoolAten,
  adaptiveAveragePoolQnnpack,
  averagePoolAten,
  averagePoolFloats,
  averagePoolQnnpack,
} from './steps/averagePool.js';
import { concatAten, concatFloats } from './steps/concat.js';
import { maxPool, maxPoolQnnpack } from './steps/maxPool.js';
import { meanAten, meanFloats, meanQnnpack } from './steps/mean.js';
import { multiplyAten, multiplyFloats, preluAten } from './steps/multiply.js';
import { quantizeDecomposed } from './steps/quantize.js';
import { addScalarAten, multiplyScalarAten } from './steps/scalar.js';

type Ops = Kernel['ops'];

export const atenTensors: Ops = {
  add: addAten,
  mul: multiplyAten,
  add_scalar: addScalarAten,
  mul_scalar: multiplyScalarAten,
  cat: concatAten,
  hardswish: hardswishAten,
  hardsigmoid: hardsigmoidAten,
  sigmoid: sigmoidAten,
  tanh: tanhAten,
  leaky_relu: leakyReluAten,
  elu: eluAten,
  celu: celuAten,
  gelu: geluAten,
  threshold: thresholdAten,
  prelu: preluAten,
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  avg_pool1d: averagePoolAten,
  avg_pool2d: averagePoolAten,
  adaptive_avg_pool2d: adaptiveAveragePoolAten,
  mean: meanAten,
};

/** Where QNNPACK has code of its own. */
export const qnnpackTensors: Ops = {
  add: addQnnpack,
  hardswish: hardswishQnnpack,
  hardsigmoid: hardsigmoidQnnpack,
  sigmoid: sigmoidQnnpack,
  tanh: tanhQnnpack,
  max_pool2d: maxPoolQnnpack,
  avg_pool1d: averagePoolQnnpack,
  avg_pool2d: averagePoolQnnpack,
  adaptive_avg_pool2d: adaptiveAveragePoolQnnpack,
  mean: meanQnnpack,
};

/** PT2E's reference graph: floats between dequantize and quantize. */
export const decomposedTensors: Ops = {
  add: addFloats(quantizeDecomposed),
  mul: multiplyFloats(quantizeDecomposed),
  cat: concatFloats(quantizeDecomposed),
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  avg_pool2d: averagePoolFloats,
  mean: meanFloats,
};
