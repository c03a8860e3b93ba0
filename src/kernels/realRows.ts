/** Softmax and norms of rows in real numbers, and what is taken for them. */
import type {
  AffineAttributes,
  AxisAttributes,
  BetaAttributes,
  GroupNormAttributes,
  LayerNormAttributes,
} from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { floor, roundHalfEven } from '../numeric/round.js';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { channelsOf, positionsOf, sizeOf } from '../tensor/shape.js';
import { type RealForm, type RealValue, realOf } from './realForm.js';
import { imageOf } from './steps/pool.js';

/** times: of the largest output. */
function softmaxOf(exp: (x: number) => number, times = 1) {
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
      return (times * exp(real(data[i]) - max)) / sum;
    };
  };
}

export const softmax: RealForm = {
  value: softmaxOf(Math.exp),
  others: {
    'softmax of 2^x': softmaxOf((x) => 2 ** x),
    // where runtimes have 1 / 256, and take it for granted
    '255 / 256 of softmax': softmaxOf(Math.exp, 255 / 256),
  },
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

/** Values that are normalized together lie side by side; a weight of each value, by its place. */
interface Rows {
  readonly count: number;
  readonly weightAt: (element: number) => number;
}

type RowsOf = (call: TensorCall) => Rows | null;

function normOf(rowsOf: RowsOf, normalized: Normalized, affine: Affine) {
  return (call: TensorCall): RealValue => {
    const { weight, bias, eps } = call.attributes as AffineAttributes;
    const [input] = call.inputs;
    const { data } = input;
    const lines = rowsOf(call);
    if (!lines) return () => Number.NaN;
    const { count, weightAt } = lines;
    const real = realOf(input);
    const rows = Array.from({ length: data.length / count }, (_, row): Moments => {
      const own = Array.from(data.subarray(row * count, (row + 1) * count), real);
      const mean = own.reduce((sum, x) => sum + x, 0) / count;
      return { count, mean, variance: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count };
    });
    return (i) => {
      const k = weightAt(i);
      return affine(normalized(real(data[i]), rows[floor(i / count)], eps), weight?.[k] ?? 1, bias?.[k] ?? 0);
    };
  };
}

function normForm(name: string, rowsOf: RowsOf, others: RealForm['others'] = {}): RealForm {
  const form = (normalized: Normalized, affine: Affine) => normOf(rowsOf, normalized, affine);
  return {
    value: form(centred, weighted),
    others: {
      [`${name} with the variance over n - 1`]: form(
        (x, { mean, variance, count }, eps) => (x - mean) / Math.sqrt((variance * count) / (count - 1) + eps),
        weighted,
      ),
      [`${name} without its mean`]: form(
        (x, { mean, variance }, eps) => x / Math.sqrt(variance + mean * mean + eps),
        weighted,
      ),
      [`${name} divided by the variance, not its root`]: form(
        (x, { mean, variance }, eps) => (x - mean) / (variance + eps),
        weighted,
      ),
      [`${name} without weight`]: form(centred, (x, _, bias) => x + bias),
      [`${name} without bias`]: form(centred, (x, weight) => x * weight),
      [`${name} without weight and bias`]: form(centred, (x) => x),
      [`${name} whose bias is weighted`]: form(centred, (x, weight, bias) => (x + bias) * weight),
      ...Object.fromEntries(
        [0, 1e-6, 1e-5, 1e-3].map((eps) => [
          `${name} with an eps of ${eps}`,
          form((x, own) => centred(x, own, eps), weighted),
        ]),
      ),
      ...others,
    },
  };
}

export const layerNorm: RealForm = normForm('layer_norm', ({ attributes }) => {
  const count = sizeOf((attributes as LayerNormAttributes).dims);
  return { count, weightAt: (i) => i % count };
});

/** Null: channels that lie between the places, or none to begin with. */
function groupsOf(groups: (channels: number, own: number | null) => number): RowsOf {
  return (call) => {
    const { shape } = imageOf(call);
    const [channels, places] = [channelsOf(shape), positionsOf(shape)];
    const count = groups(channels, (call.attributes as GroupNormAttributes).groups);
    if (shape.channelAxis !== 0 || channels % count > 0) return null;
    return { count: (channels / count) * places, weightAt: (i) => floor(i / places) % channels };
  };
}

/** Of the places of each channel, or of a group of channels. */
const eachChannel = groupsOf((channels) => channels);
const allChannels = groupsOf(() => 1);

export const groupNorm: RealForm = normForm(
  'group_norm',
  groupsOf((_, own) => own!),
  {
    'group_norm of each channel': normOf(eachChannel, centred, weighted),
    'group_norm of all channels': normOf(allChannels, centred, weighted),
  },
);

export const instanceNorm: RealForm = normForm('instance_norm', eachChannel, {
  'instance_norm of all channels': normOf(allChannels, centred, weighted),
});
