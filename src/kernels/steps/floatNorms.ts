/** Normalizations of float32 values. The order of the sums is free; how far a variance may be off is the runtime's. */
import type {
  AffineAttributes,
  BatchNormAttributes,
  GroupNormAttributes,
  LayerNormAttributes,
} from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { floor } from '../../numeric/round.js';
import { channelsOf, placeOf, sizeOf } from '../../tensor/shape.js';
import { boundedReals, type Near, UNIT, within } from './bounded.js';
import { imageOf } from './pool.js';
import { boundedSteps } from './tensor.js';

/** Of values that are normalized together. */
interface Moments {
  readonly mean: number;
  readonly meanError: number;
  /** 1 / deviation, and how far it may be off. */
  readonly factor: number;
  readonly factorError: number;
}

/** How far a variance may be off. relative: by which a sum of as many terms may be; squares: their mean. */
type VarianceError = (relative: number, variance: number, squares: number) => number;

/** The mean of squares less the square of the mean: what cancels is lost. */
const ofDifferences: VarianceError = (relative, _, squares) => 2 * relative * squares;

/** Of what is left of the mean, in a second pass or as Welford does. Source: Chan, Golub, LeVeque 1983, their bounds of both. */
const ofDeviations: VarianceError = (relative, variance, squares) =>
  2 * relative * Math.sqrt(variance * squares) + (relative * Math.sqrt(squares)) ** 2;

/** Of each group of a sample's values, one pass for the means and one for what is left of them. */
function momentsOf(
  values: ArrayLike<number>,
  groups: number,
  groupOf: (feature: number) => number,
  eps: number,
  errorOf: VarianceError,
) {
  const [counts, sums, magnitudes, squares, spreads] = Array.from({ length: 5 }, () => new Float64Array(groups));
  for (let i = 0; i < values.length; i++) {
    const [group, x] = [groupOf(i), values[i]];
    counts[group]++;
    sums[group] += x;
    magnitudes[group] += Math.abs(x);
    squares[group] += x * x;
  }
  const means = sums.map((sum, group) => sum / counts[group]);
  for (let i = 0; i < values.length; i++) {
    const group = groupOf(i);
    spreads[group] += (values[i] - means[group]) ** 2;
  }
  return Array.from(means, (mean, group): Moments => {
    const count = counts[group];
    const relative = (count + 8) * UNIT;
    const variance = spreads[group] / count;
    const varianceError = errorOf(relative, variance, squares[group] / count);
    const [factor, largest] = [variance, Math.max(variance - varianceError, 0)].map((v) => 1 / Math.sqrt(v + eps));
    const factorError = largest - factor + 4 * UNIT * largest;
    return { mean, meanError: (relative * magnitudes[group]) / count, factor, factorError };
  });
}

/** (x - mean) * factor * weight + bias, or x * (factor * weight) + (bias - mean * factor * weight). */
function normalized(x: number, { mean, meanError, factor, factorError }: Moments, weight: number, bias: number): Near {
  const exact = (x - mean) * factor * weight + bias;
  const most = factor + factorError;
  const moved = Math.abs(x - mean) * factorError + meanError * most;
  const roundings = 8 * UNIT * ((Math.abs(x) + Math.abs(mean)) * most * Math.abs(weight) + Math.abs(bias));
  return within(exact, moved * Math.abs(weight) + roundings);
}

/** groupOf, numberOf: of a feature of a sample, what it is normalized with, and whose weight and bias it has. */
function overGroups(
  call: TensorCall,
  groups: number,
  groupOf: (feature: number) => number,
  numberOf: (feature: number) => number,
  errorOf: VarianceError,
) {
  const { weight, bias, eps } = call.attributes as AffineAttributes;
  const [{ data }] = call.inputs;
  const size = data.length / call.samples;
  const moments = Array.from({ length: call.samples }, (_, sample) =>
    momentsOf(data.subarray(sample * size, (sample + 1) * size), groups, groupOf, eps, errorOf),
  );
  return boundedReals(data.length, (i) => {
    const feature = i % size;
    const n = numberOf(feature);
    return normalized(data[i], moments[floor(i / size)][groupOf(feature)], weight?.[n] ?? 1, bias?.[n] ?? 0);
  });
}

const layerNormBy = (errorOf: VarianceError): TensorSteps =>
  boundedSteps('(x - mean) / deviation * w + b of a row, float32', (call) => {
    const row = sizeOf((call.attributes as LayerNormAttributes).dims);
    const size = call.inputs[0].data.length / call.samples;
    const rowOf = (feature: number) => floor(feature / row);
    return overGroups(call, size / row, rowOf, (feature) => feature % row, errorOf);
  });

export const layerNormOfFloats = layerNormBy(ofDeviations);
/** ONNX Runtime's. */
export const layerNormOfDifferences = layerNormBy(ofDifferences);

/** Nothing cancels in a sum of squares. */
export const rmsNormOfFloats: TensorSteps = boundedSteps(
  'x / sqrt(mean of x * x + eps) * w of a row, float32',
  (call) => {
    const { weight, dims, eps } = call.attributes as LayerNormAttributes;
    const [{ data }] = call.inputs;
    const row = sizeOf(dims);
    const factors = Array.from({ length: data.length / row }, (_, n) => {
      let squares = 0;
      for (let i = n * row; i < (n + 1) * row; i++) squares += data[i] ** 2;
      return 1 / Math.sqrt(squares / row + eps);
    });
    const relative = (row / 2 + 8) * UNIT;
    return boundedReals(data.length, (i) => {
      const exact = data[i] * factors[floor(i / row)] * (weight?.[i % row] ?? 1);
      return within(exact, Math.abs(exact) * relative);
    });
  },
);

const groupNormBy = (errorOf: (call: TensorCall) => VarianceError): TensorSteps =>
  boundedSteps('(x - mean) / deviation * w + b of a group of channels, float32', (call) => {
    const { shape } = imageOf(call);
    const channels = channelsOf(shape);
    const { groups } = call.attributes as GroupNormAttributes;
    const count = groups ?? channels;
    const channelOf = (feature: number) => placeOf(shape, feature).channel;
    const groupOf = (feature: number) => floor((channelOf(feature) * count) / channels);
    return overGroups(call, count, groupOf, channelOf, errorOf(call));
  });

/** PyTorch's sums squares where channels lie last in memory. */
export const groupNormOfFloats = groupNormBy(({ inputs: [{ memory }] }) =>
  memory.format === 'contiguous' && !memory.strides ? ofDeviations : ofDifferences,
);
export const instanceNormOfFloats = groupNormBy(() => ofDeviations);
/** In any way. */
export const groupNormOfDifferences = groupNormBy(() => ofDifferences);

/** By a mean and a variance that the file gives. */
export const batchNormOfFloats: TensorSteps = boundedSteps('(x - mean) / sqrt(var + eps) * w + b, float32', (call) => {
  const { weight, bias, mean, variance, eps } = call.attributes as BatchNormAttributes;
  const { shape, data } = imageOf(call);
  const size = sizeOf(shape.dims);
  return boundedReals(data.length, (i) => {
    const n = placeOf(shape, i % size).channel;
    const factor = 1 / Math.sqrt(variance[n] + eps);
    const moments = { mean: mean[n], meanError: 0, factor, factorError: 8 * UNIT * factor };
    return normalized(data[i], moments, weight?.[n] ?? 1, bias?.[n] ?? 0);
  });
});
