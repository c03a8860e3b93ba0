/** Softmax and norms of rows in real numbers, and what is taken for them. */
import type { AxisAttributes, BetaAttributes, LayerNormAttributes } from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { floor, roundHalfEven } from '../numeric/round.js';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { sizeOf } from '../tensor/shape.js';
import { type RealForm, type RealValue, realOf } from './realForm.js';

function softmaxOf(exp: (x: number) => number) {
  return ({ inputs: [input], attributes }: TensorCall): RealValue => {
    const { data, shape } = input;
    const { dim, beta = 1 } = attributes as AxisAttributes & Partial<BetaAttributes>;
    const axis = checkedAxes(axisOf(dim, shape));
    const [count, step] = [shape.dims[axis], sizeOf(shape.dims.slice(axis + 1))];
    const own = realOf(input);
    const real = (code: number) => beta * own(code);
    // once a line: one over a vocabulary has 50,000 values
    const lines = new Map<number, readonly [max: number, sum: number]>();
    const lineFrom = (start: number) => {
      let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
      for (let k = 0; k < count; k++) max = Math.max(max, real(data[start + k * step]));
      for (let k = 0; k < count; k++) sum += exp(real(data[start + k * step]) - max);
      return [max, sum] as const;
    };
    return (i) => {
      const start = i - (floor(i / step) % count) * step;
      const [max, sum] = lines.get(start) ?? lineFrom(start);
      lines.set(start, [max, sum]);
      return exp(real(data[i]) - max) / sum;
    };
  };
}

export const softmax: RealForm = {
  value: softmaxOf(Math.exp),
  others: { 'softmax of 2^x': softmaxOf((x) => 2 ** x) },
  tables: Object.fromEntries(
    [8, 10, 12, 16].flatMap((bits) =>
      [2 ** bits - 1, 2 ** bits].flatMap((one) =>
        Object.entries({ round: roundHalfEven, floor }).map(([name, rule]) => [
          `softmax of ${name}(${one} * exp(x))`,
          softmaxOf((x) => rule(one * Math.exp(x))),
        ]),
      ),
    ),
  ),
};

interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Mean of squares, less the squared mean. */
  readonly variance: number;
}

type Normalized = (x: number, own: Moments, eps: number) => number;
type Affine = (normalized: number, weight: number, bias: number) => number;

const centred: Normalized = (x, { mean, variance }, eps) => (x - mean) / Math.sqrt(variance + eps);
const weighted: Affine = (normalized, weight, bias) => normalized * weight + bias;

function normOf(normalized: Normalized, affine: Affine) {
  return ({ inputs: [input], attributes }: TensorCall): RealValue => {
    const { weight, bias, eps, dims } = attributes as LayerNormAttributes;
    const { data } = input;
    const count = sizeOf(dims);
    const real = realOf(input);
    const rows = Array.from({ length: data.length / count }, (_, row): Moments => {
      const own = Array.from(data.subarray(row * count, (row + 1) * count), real);
      const mean = own.reduce((sum, x) => sum + x, 0) / count;
      return { count, mean, variance: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count };
    });
    return (i) => {
      const k = i % count;
      return affine(normalized(real(data[i]), rows[floor(i / count)], eps), weight?.[k] ?? 1, bias?.[k] ?? 0);
    };
  };
}

export const layerNorm: RealForm = {
  value: normOf(centred, weighted),
  others: {
    'layer_norm with the variance over n - 1': normOf(
      (x, { mean, variance, count }, eps) => (x - mean) / Math.sqrt((variance * count) / (count - 1) + eps),
      weighted,
    ),
    'layer_norm without its mean': normOf(
      (x, { mean, variance }, eps) => x / Math.sqrt(variance + mean * mean + eps),
      weighted,
    ),
    'layer_norm divided by the variance, not its root': normOf(
      (x, { mean, variance }, eps) => (x - mean) / (variance + eps),
      weighted,
    ),
    'layer_norm without weight': normOf(centred, (x, _, bias) => x + bias),
    'layer_norm without bias': normOf(centred, (x, weight) => x * weight),
    'layer_norm whose bias is weighted': normOf(centred, (x, weight, bias) => (x + bias) * weight),
    ...Object.fromEntries(
      [0, 1e-6, 1e-5, 1e-3].map((eps) => [
        `layer_norm with an eps of ${eps}`,
        normOf((x, own) => centred(x, own, eps), weighted),
      ]),
    ),
  },
};
