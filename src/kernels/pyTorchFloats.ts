/**
 * What PyTorch computes on float32 values, whatever the engine: between dequantize and quantize of PT2E's graphs, and where a quantized
 * model has no kernel for an op. One rounding is exact; an order of sums, and exp, tanh and erf, are known within a bound.
 */

import type {
  AveragePoolAttributes,
  EluAttributes,
  PoolAttributes,
  ScalarAttributes,
  SlopeAttributes,
  SoftplusAttributes,
  SpreadAttributes,
  ThresholdAttributes,
} from '../nouns/attributes.js';
import type { Kernel, TensorCall, TensorSteps } from '../nouns/kernel.js';
import { float32s } from '../numeric/array.js';
import { erf } from '../numeric/erf.js';
import { f32 } from '../numeric/float.js';

import { windowAxes } from '../tensor/covers.js';
import { positionDims, sizeOf } from '../tensor/shape.js';
import { everyRank } from './everyRank.js';
import { realFormOf } from './reals.js';
import { attentionOfFloats } from './steps/attention.js';
import { boundedReals, UNIT, within } from './steps/bounded.js';
import { cumsumOfFloats, exponentials, gluOfFloats, logSoftmaxOfFloats, softmaxOfFloats } from './steps/floatAxes.js';
import {
  batchNormOfFloats,
  groupNormOfFloats,
  instanceNormOfFloats,
  layerNormOfFloats,
  rmsNormOfFloats,
} from './steps/floatNorms.js';
import { convolutionOfFloats, linearOfFloats } from './steps/floatProducts.js';
import { arithmeticOfFloats, comparisonsOfFloats, preluOfFloats, unaryFloats } from './steps/floats.js';
import { resampleOfFloats } from './steps/interpolate.js';
import { linesOf } from './steps/lines.js';
import { matmulOfFloats } from './steps/matmul.js';
import { geluNear, type NearFunction, ofResult, realsNear, siluNear } from './steps/nearFunction.js';
import { imageOf, largestFloatOfWindows } from './steps/pool.js';
import { boundedSteps, tensorSteps, withSixth } from './steps/tensor.js';
import { whereOfFloats } from './steps/where.js';

function lengthOf({ samples, output }: TensorCall): number {
  return samples * sizeOf(output.shape.dims);
}

// ---------------------------------------------------------------- one value from one

function functionOf(equation: string, of: (attributes: unknown) => NearFunction): TensorSteps {
  return boundedSteps(`${equation}, float32`, (call) => {
    return realsNear(call.inputs[0].data, of(call.attributes));
  });
}

function exactOf(equation: string, of: (attributes: unknown) => (x: number) => number): TensorSteps {
  return tensorSteps(`${equation}, float32`, (call) => unaryFloats(equation, of(call.attributes)).run(call));
}

const elu = (attributes: unknown): NearFunction => {
  const { alpha, scale, inputScale } = attributes as EluAttributes;
  return (x) =>
    x > 0 ? [x * scale, Math.abs(x * scale)] : [alpha * Math.expm1(x * inputScale) * scale, alpha * scale];
};

const gate = (x: number) => Math.min(Math.max(f32(x + 3), 0), 6);

const functions: Kernel['ops'] = {
  neg: exactOf('-x', () => (x) => -x),
  abs: exactOf('|x|', () => Math.abs),
  hardswish: exactOf('x * min(max(x + 3, 0), 6) / 6', () => (x) => f32(x * gate(x)) / 6),
  hardsigmoid: withSixth(exactOf('min(max(x + 3, 0), 6) / 6', () => (x) => gate(x) / 6)),
  leaky_relu: exactOf('x > 0 ? x : x * slope', (attributes) => {
    const slope = f32((attributes as SlopeAttributes).negativeSlope);
    return (x) => (x > 0 ? x : x * slope);
  }),
  threshold: exactOf('x > threshold ? x : value', (attributes) => {
    const { threshold, value } = attributes as ThresholdAttributes;
    return (x) => (x <= f32(threshold) ? value : x);
  }),
  add_scalar: exactOf('x + other', (attributes) => {
    const other = f32((attributes as ScalarAttributes).other);
    return (x) => x + other;
  }),
  mul_scalar: exactOf('x * other', (attributes) => {
    const other = f32((attributes as ScalarAttributes).other);
    return (x) => x * other;
  }),
  sigmoid: functionOf(
    '1 / (1 + exp(-x))',
    ofResult((x) => 1 / (1 + Math.exp(-x))),
  ),
  silu: functionOf('x / (1 + exp(-alpha * x))', siluNear),
  mish: functionOf('x * tanh(log(1 + exp(x)))', () => (x) => [x * Math.tanh(Math.log1p(Math.exp(x))), Math.abs(x)]),
  softplus: functionOf('log(1 + exp(beta * x)) / beta', (attributes) => {
    const { beta, threshold } = attributes as SoftplusAttributes;
    return (x) => {
      const soft = x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta;
      return [soft, Math.abs(soft) + Math.abs(x) / 2]; // beta * x is rounded first
    };
  }),
  tanh: functionOf('tanh(x)', ofResult(Math.tanh)),
  exp: functionOf('exp(x)', ofResult(Math.exp)),
  erf: functionOf('erf(x)', ofResult(erf)),
  log: functionOf('log(x)', ofResult(Math.log)),
  rsqrt: functionOf(
    '1 / sqrt(x)',
    ofResult((x) => 1 / Math.sqrt(x)),
  ),
  sqrt: functionOf('sqrt(x)', ofResult(Math.sqrt)), // MKL's, which is not correctly rounded
  elu: functionOf('x > 0 ? x : alpha * (exp(x) - 1)', elu),
  celu: functionOf('x > 0 ? x : alpha * (exp(x / alpha) - 1)', (attributes) => {
    const { alpha } = attributes as EluAttributes;
    return elu({ alpha, scale: 1, inputScale: 1 / alpha });
  }),
  gelu: functionOf('x / 2 * (1 + erf(x / sqrt(2)))', geluNear),
};

// ---------------------------------------------------------------- sums in any order

/** A mean of as many terms as `countOf` says, whose magnitudes sum to the same of the values' magnitudes. */
function meanInAnyOrder(op: string, countOf: (call: TensorCall) => number): TensorSteps {
  return boundedSteps('sum of x / n, float32 in any order', (call) => {
    const { value } = realFormOf(op)!;
    const exact = value!(call);
    const magnitudes = value!({
      ...call,
      inputs: call.inputs.map((input) => ({ ...input, data: input.data.map(Math.abs) })),
    });
    const relative = (countOf(call) + 4) * UNIT;
    return boundedReals(lengthOf(call), (i) => within(exact(i), magnitudes(i) * relative));
  });
}

/** As many as an input has places at most. */
const places = (call: TensorCall) => sizeOf(positionDims(imageOf(call).shape));
const window = (call: TensorCall) => sizeOf((call.attributes as AveragePoolAttributes).window.kernel);
const mean = meanInAnyOrder('mean', (call) => realFormOf('mean')!.count!(call)(0));
const averagePool = meanInAnyOrder('avg_pool2d', window);
const adaptivePool = meanInAnyOrder('adaptive_avg_pool2d', places);

/** Of the values that become one. error: in units of the last place of 1. */
type Folded = (line: readonly number[], attributes: unknown) => readonly [exact: number, error: number];

function folded(equation: string, of: Folded): TensorSteps {
  return boundedSteps(`${equation}, float32 in any order`, (call) => {
    const lineOf = linesOf(call);
    return boundedReals(lengthOf(call), (i) => {
      const [exact, error] = of(lineOf(i), call.attributes);
      return within(exact, error * UNIT);
    });
  });
}

const total = (line: readonly number[]) => line.reduce((sum, x) => sum + x, 0);
const sum = folded('sum of x', (line) => [total(line), total(line.map(Math.abs)) * (line.length + 4)]);
const vectorNorm = folded('sqrt(sum of x * x)', (line) => {
  const norm = Math.sqrt(total(line.map((x) => x * x)));
  return [norm, norm * (line.length + 8)];
});
const prod = folded('product of x', (line) => {
  const product = line.reduce((all, x) => all * x, 1);
  return [product, Math.abs(product) * (line.length + 4)];
});
const logsumexp = folded('max + log(sum of exp(x - max))', (line) => {
  const { max, sum: ofAll, relative } = exponentials(line);
  const log = Math.log(ofAll);
  return Number.isFinite(max) ? [max + log, relative + 4 * log + 2 * Math.abs(max)] : [max, 0];
});

/** In float64, and rounded once. */
function varianceOf(line: readonly number[], attributes: unknown): number {
  const mean = total(line) / line.length;
  const squares = total(line.map((x) => (x - mean) ** 2));
  return squares / Math.max(0, line.length - (attributes as SpreadAttributes).correction);
}

const variance = folded('sum of (x - mean)^2 / (n - correction)', (line, attributes) => {
  const own = varianceOf(line, attributes);
  return [own, own * 8];
});
const std = folded('sqrt(sum of (x - mean)^2 / (n - correction))', (line, attributes) => {
  const own = Math.sqrt(varianceOf(line, attributes));
  return [own, own * 8];
});

// ---------------------------------------------------------------- what only picks

function extreme(equation: string, of: (a: number, b: number) => number): TensorSteps {
  return tensorSteps(equation, (call) => {
    const lineOf = linesOf(call);
    return float32s({ length: lengthOf(call) }, (_, i) => lineOf(i).reduce((best, x) => of(best, x)));
  });
}

const maxPool: TensorSteps = tensorSteps('max of a window', (call) =>
  largestFloatOfWindows(
    call,
    windowAxes((call.attributes as PoolAttributes).window, positionDims(imageOf(call).shape)),
  ),
);

const cat: TensorSteps = tensorSteps('one after the other', (call) => {
  const value = realFormOf('cat')!.value!(call);
  return float32s({ length: lengthOf(call) }, (_, i) => value(i));
});

export const pyTorchFloats: Kernel['ops'] = {
  ...arithmeticOfFloats,
  ...functions,
  linear_float: linearOfFloats,
  ...everyRank('conv', convolutionOfFloats, '_float'),
  ...everyRank('conv_transpose', convolutionOfFloats, '_float'),
  cat,
  ...everyRank('max_pool', maxPool),
  ...everyRank('avg_pool', averagePool),
  ...everyRank('adaptive_avg_pool', adaptivePool),
  mean,
  sum,
  vector_norm: vectorNorm,
  prod,
  var: variance,
  std,
  logsumexp,
  cumsum: cumsumOfFloats,
  where: whereOfFloats,
  ...comparisonsOfFloats,
  amax: extreme('the largest', Math.max),
  amin: extreme('the smallest', Math.min),
  prelu: preluOfFloats,
  interpolate: resampleOfFloats(adaptivePool),
  softmax: softmaxOfFloats,
  log_softmax: logSoftmaxOfFloats,
  glu: gluOfFloats,
  scaled_dot_product_attention: attentionOfFloats,
  matmul: matmulOfFloats,
  batch_norm: batchNormOfFloats,
  layer_norm: layerNormOfFloats,
  rms_norm: rmsNormOfFloats,
  group_norm: groupNormOfFloats,
  instance_norm: instanceNormOfFloats,
};
