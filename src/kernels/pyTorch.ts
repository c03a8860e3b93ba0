/** What PyTorch's engines do for ops on whole values, and its reference graph. */
import type { Kernel, TensorCall, TensorSteps } from '../nouns/kernel.js';
import { isQuantized } from '../nouns/value.js';
import { f32 } from '../numeric/float.js';
import { everyRank } from './everyRank.js';
import { pyTorchFloats } from './pyTorchFloats.js';
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
import { addAten, addFloats, addQnnpack, subtractFloats } from './steps/add.js';
import {
  adaptiveAveragePoolAten,
  adaptiveAveragePoolFloats,
  adaptiveAveragePoolQnnpack,
  averagePoolAten,
  averagePoolFloats,
  averagePoolQnnpack,
} from './steps/averagePool.js';
import { batchNormAten } from './steps/batchNorm.js';
import { betweenCodes } from './steps/betweenCodes.js';
import { quantized } from './steps/call.js';
import { concatAten, concatFloats } from './steps/concat.js';
import { embeddingFused } from './steps/embedding.js';
import { resampleAten, resampleFloats } from './steps/interpolate.js';
import { matmulAten, matmulDecomposed } from './steps/matmul.js';
import { largestCode, maxPool, maxPoolQnnpack } from './steps/maxPool.js';
import { meanAten, meanFloats, meanQnnpack } from './steps/mean.js';
import { multiplyAten, multiplyFloats, preluAten } from './steps/multiply.js';
import { groupNormAten, layerNormAten } from './steps/norms.js';
import { scramblesVectors } from './steps/pool.js';
import { quantizeDecomposed } from './steps/quantize.js';
import { addScalarAten, multiplyScalarAten } from './steps/scalar.js';
import { softmaxAten, softmaxDecomposed, softmaxQnnpack } from './steps/softmax.js';
import { withoutTflites, withSixth } from './steps/tensor.js';

type Ops = Kernel['ops'];

export const atenTensors: Ops = {
  add: addAten,
  mul: multiplyAten,
  add_scalar: addScalarAten,
  mul_scalar: multiplyScalarAten,
  cat: concatAten,
  hardswish: hardswishAten,
  hardsigmoid: withSixth(hardsigmoidAten),
  sigmoid: sigmoidAten,
  tanh: tanhAten,
  leaky_relu: leakyReluAten,
  elu: eluAten,
  celu: celuAten,
  gelu: geluAten,
  threshold: thresholdAten,
  prelu: preluAten,
  ...onImages({
    ...everyRank('max_pool', maxPool),
    ...everyRank('avg_pool', averagePoolAten),
    ...everyRank('adaptive_avg_pool', adaptiveAveragePoolAten),
    interpolate: withoutTflites(resampleAten(adaptiveAveragePoolAten)),
  }),
  mean: meanAten,
  softmax: withoutTflites(softmaxAten),
  matmul: withoutTflites(matmulAten),
  batch_norm: batchNormAten,
  layer_norm: layerNormAten,
  group_norm: groupNormAten,
  instance_norm: groupNormAten,
  embedding: embeddingFused,
  embedding_bag: embeddingFused,
};

/** Where QNNPACK has code of its own. */
export const qnnpackTensors: Ops = {
  add: addQnnpack,
  hardswish: hardswishQnnpack,
  hardsigmoid: withSixth(hardsigmoidQnnpack),
  sigmoid: sigmoidQnnpack,
  tanh: tanhQnnpack,
  ...onImages({
    max_pool2d: maxPoolQnnpack,
    avg_pool1d: averagePoolQnnpack,
    avg_pool2d: averagePoolQnnpack,
    adaptive_avg_pool1d: adaptiveAveragePoolQnnpack,
    adaptive_avg_pool2d: adaptiveAveragePoolQnnpack,
    interpolate: withoutTflites(resampleAten(adaptiveAveragePoolQnnpack)),
  }),
  mean: meanQnnpack,
  softmax: withoutTflites(softmaxQnnpack),
};

function onImages(ops: Record<string, TensorSteps>): Ops {
  return Object.fromEntries(Object.entries(ops).map(([op, steps]) => [op, scramblesVectors(steps)]));
}

function betweenEachCodes(floats: Ops): Ops {
  return Object.fromEntries(
    Object.entries(floats).map(([op, steps]) => [
      op,
      withoutTflites(betweenCodes(steps as TensorSteps, quantizeDecomposed)),
    ]),
  );
}

const betweenCodesDecomposed = betweenEachCodes(pyTorchFloats);

/** Steps from codes to codes, beside floats that are read or given as they are. */
function orOfFloats(own: Readonly<Record<string, TensorSteps>>): Ops {
  return Object.fromEntries(
    Object.entries(own).map(([op, steps]) => {
      const floats = betweenCodesDecomposed[op] as TensorSteps;
      const isOfCodes = ({ inputs, output }: TensorCall) =>
        [...inputs, output].every(({ params }) => isQuantized(params));
      return [op, { ...steps, run: (call) => (isOfCodes(call) ? steps : floats).run(call) }];
    }),
  );
}

/** Codes stay where the quantizer gave the pool its input's scale and zero point; some give it its own. */
const maxPoolDecomposed: TensorSteps = {
  ...largestCode,
  run(call) {
    const [own, read] = [quantized(call.output), quantized(call.inputs[0])];
    const isSame = f32(own.scale) === f32(read.scale) && own.zeroPoint === read.zeroPoint;
    return (isSame ? maxPool : (betweenCodesDecomposed.max_pool2d as TensorSteps)).run(call);
  },
};

/** PT2E's reference graph: floats between dequantize and quantize. */
export const decomposedTensors: Ops = {
  ...betweenCodesDecomposed,
  embedding: embeddingFused,
  embedding_bag: embeddingFused,
  add: addFloats(quantizeDecomposed),
  sub: subtractFloats(quantizeDecomposed),
  mul: multiplyFloats(quantizeDecomposed),
  cat: concatFloats(quantizeDecomposed),
  ...orOfFloats({
    ...everyRank('max_pool', maxPoolDecomposed),
    avg_pool1d: averagePoolFloats,
    avg_pool2d: averagePoolFloats,
    ...everyRank('adaptive_avg_pool', adaptiveAveragePoolFloats),
    mean: meanFloats,
    interpolate: withoutTflites(resampleFloats(adaptiveAveragePoolFloats)),
    softmax: withoutTflites(softmaxDecomposed),
    matmul: withoutTflites(matmulDecomposed),
  }),
};
