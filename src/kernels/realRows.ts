/** Softmax and norms of rows in real numbers, and what is taken for them. */
import type {
  AffineAttributes,
  AxisAttributes,
  BetaAttributes,
  GroupNormAttributes,
  LayerNormAttributes,
} from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { clamp, wrapInt8 } from '../numeric/integer.js';
import { floor, roundHalfEven } from '../numeric/round.js';
import { linesAlong } from '../tensor/axes.js';
import { channelsOf, positionsOf, sizeOf } from '../tensor/shape.js';
import { type RealForm, type RealValue, realOf } from './realForm.js';
import { imageOf } from './steps/pool.js';

interface SoftmaxTaken {
  readonly exp?: (x: number) => number;
  /** Of the largest output. */
  readonly times?: number;
  /** What is kept of the distance of a code to the largest. */
  readonly kept?: (distance: number) => number;
  /** Of each row, by its number, the places up to its own. */
  readonly isCausal?: true;
}

function softmaxOf({ exp = Math.exp, times = 1, kept, isCausal }: SoftmaxTaken = {}) {
  return ({ inputs: [input], attributes }: TensorCall): RealValue => {
    const { data, shape } = input;
    const { dim, beta = 1 } = attributes as AxisAttributes & Partial<BetaAttributes>;
    const { axis, count, step } = linesAlong(dim, shape);
    const own = realOf(input);
    const real = (code: number) => beta * own(code);
    const unit = real(1) - real(0);
    const power = (code: number, max: number) => exp(kept ? unit * kept(code - max) : real(code) - real(max));
    const rows = axis > 0 ? shape.dims[axis - 1] : 1;
    const reached = (start: number) => (isCausal ? Math.min(count, (floor(start / (count * step)) % rows) + 1) : count);
    // once a line: one over a vocabulary has 50,000 values
    const lines = new Map<number, readonly [max: number, sum: number]>();
    const lineFrom = (start: number) => {
      let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
      const end = reached(start);
      for (let k = 0; k < end; k++) max = Math.max(max, data[start + k * step]);
      for (let k = 0; k < end; k++) sum += power(data[start + k * step], max);
      return [max, sum] as const;
    };
    return (i) => {
      const start = i - (floor(i / step) % count) * step;
      const [max, sum] = lines.get(start) ?? lineFrom(start);
      lines.set(start, [max, sum]);
      if (isCausal && (i - start) / step >= reached(start)) return 0;
      return (times * power(data[i], max)) / sum;
    };
  };
}

/** What a line is divided by, or less, or not. */
const ofLines =
  (of: (x: number, max: number, sum: number) => number) =>
  ({ inputs: [input], attributes }: TensorCall): RealValue => {
    const { data, shape } = input;
    const { count, step } = linesAlong((attributes as AxisAttributes).dim, shape);
    const real = realOf(input);
    const lines = new Map<number, readonly [max: number, sum: number]>();
    const lineFrom = (start: number) => {
      let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
      for (let k = 0; k < count; k++) max = Math.max(max, real(data[start + k * step]));
      for (let k = 0; k < count; k++) sum += Math.exp(real(data[start + k * step]) - max);
      return [max, sum] as const;
    };
    return (i) => {
      const start = i - (floor(i / step) % count) * step;
      const line = lines.get(start) ?? lineFrom(start);
      lines.set(start, line);
      return of(real(data[i]), ...line);
    };
  };

/** Of blocks of a sample side by side: from an axis on. */
const fromAxis =
  (axis: number, of: (x: number, max: number, sum: number) => number) =>
  (call: TensorCall): RealValue => {
    const [{ shape }] = call.inputs;
    const size = sizeOf(shape.dims.slice(axis));
    return ofLines(of)({
      ...call,
      attributes: { dim: 1 },
      inputs: [{ ...call.inputs[0], shape: { ...shape, dims: [size] } }],
    });
  };

const notDivided = {
  'exp(x), not divided by its sum': ofLines(Math.exp),
  'exp(x - max), not divided by its sum': ofLines((x, max) => Math.exp(x - max)),
};

export const logSoftmax: RealForm = {
  alone: {
    softmax: ofLines((x, max, sum) => Math.exp(x - max) / sum),
    'log_softmax of all of a sample': fromAxis(0, (x, max, sum) => x - max - Math.log(sum)),
    'x less the largest': ofLines((x, max) => x - max),
    ...notDivided,
  },
};

export const softmax: RealForm = {
  value: softmaxOf(),
  alone: {
    log_softmax: ofLines((x, max, sum) => x - max - Math.log(sum)),
    'softmax of all of a sample': fromAxis(0, (x, max, sum) => Math.exp(x - max) / sum),
    'softmax of all places of a channel': fromAxis(1, (x, max, sum) => Math.exp(x - max) / sum),
    'sigmoid of each': ofLines((x) => 1 / (1 + Math.exp(-x))),
    ...notDivided,
  },
  others: {
    'softmax of 2^x': softmaxOf({ exp: (x) => 2 ** x }),
    'softmax of distances to the maximum in int8, saturated': softmaxOf({
      kept: (distance) => clamp(distance, -128, 127),
    }),
    'softmax of distances to the maximum in int8, wrapped': softmaxOf({ kept: wrapInt8 }),
    'softmax of the places up to its own (causal)': softmaxOf({ isCausal: true }),
    // where runtimes have 1 / 256, and take it for granted
    '255 / 256 of softmax': softmaxOf({ times: 255 / 256 }),
  },
  tables: Object.fromEntries(
    [8, 10, 12, 16].flatMap((bits) =>
      [2 ** bits - 1, 2 ** bits].flatMap((one) =>
        Object.entries({ round: roundHalfEven, floor }).map(([name, rule]) => [
          `softmax of ${name}(${one} * exp(x))`,
          softmaxOf({ exp: (x) => rule(one * Math.exp(x)) }),
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
const byTheRoot: Normalized = (x, { mean, variance }, eps) => x / Math.sqrt(variance + mean * mean + eps);
/** As a script has it that calls a deviation: (x - mean) / (std + eps). */
const besideTheRoot =
  (correction: number): Normalized =>
  (x, { mean, variance, count }, eps) =>
    (x - mean) / (Math.sqrt((variance * count) / (count - correction)) + eps);
const weighted: Affine = (normalized, weight, bias) => normalized * weight + bias;

/** Values that are normalized together lie side by side; a weight of each value, by its place. */
interface Rows {
  readonly count: number;
  readonly weightAt: (element: number) => number;
  /** Where values of a row lie apart: which of the rows. */
  readonly rowAt?: (element: number) => number;
}

type RowsOf = (call: TensorCall) => Rows | null;

function normOf(rowsOf: RowsOf, normalized: Normalized, affine: Affine) {
  return (call: TensorCall): RealValue => {
    const { weight, bias, eps } = call.attributes as AffineAttributes;
    const [input] = call.inputs;
    const { data } = input;
    const lines = rowsOf(call);
    if (!lines) return () => Number.NaN;
    const { count, weightAt, rowAt = (i: number) => floor(i / count) } = lines;
    const real = realOf(input);
    const values = Array.from({ length: data.length / count }, (): number[] => []);
    for (let i = 0; i < data.length; i++) values[rowAt(i)].push(real(data[i]));
    const rows = values.map((own): Moments => {
      const mean = own.reduce((sum, x) => sum + x, 0) / count;
      return { count, mean, variance: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count };
    });
    return (i) => {
      const k = weightAt(i);
      return affine(normalized(real(data[i]), rows[rowAt(i)], eps), weight?.[k] ?? 1, bias?.[k] ?? 0);
    };
  };
}

function byEpsilon(name: string, of: (eps: number) => (call: TensorCall) => RealValue): RealForm['ofCodes'] {
  return Object.fromEntries([0, 1e-6, 1e-5, 1e-3].map((eps) => [`${name} with an eps of ${eps}`, of(eps)]));
}

function normForm(name: string, rowsOf: RowsOf, others: RealForm['others']): RealForm {
  const form = (normalized: Normalized, affine: Affine) => normOf(rowsOf, normalized, affine);
  return {
    value: form(centred, weighted),
    others: {
      [`${name} with the variance over n - 1`]: form(
        (x, { mean, variance, count }, eps) => (x - mean) / Math.sqrt((variance * count) / (count - 1) + eps),
        weighted,
      ),
      [`${name} without its mean`]: form(byTheRoot, weighted),
      [`${name} with eps added to the deviation`]: form(besideTheRoot(0), weighted),
      [`${name} with eps added to the deviation, over n - 1`]: form(besideTheRoot(1), weighted),
      [`${name} without its mean and bias`]: form(byTheRoot, (x, weight) => x * weight),
      [`${name} without its deviation`]: form((x, { mean }) => x - mean, weighted),
      [`${name} by 1 + weight`]: form(centred, (x, weight, bias) => x * (1 + weight) + bias),
      [`${name} divided by the variance, not its root`]: form(
        (x, { mean, variance }, eps) => (x - mean) / (variance + eps),
        weighted,
      ),
      [`${name} without weight`]: form(centred, (x, _, bias) => x + bias),
      [`${name} without bias`]: form(centred, (x, weight) => x * weight),
      [`${name} without weight and bias`]: form(centred, (x) => x),
      [`${name} whose bias is weighted`]: form(centred, (x, weight, bias) => (x + bias) * weight),
      ...others,
    },
    ofCodes: byEpsilon(name, (eps) => form((x, own) => centred(x, own, eps), weighted)),
  };
}

const normalizedOf = ({ attributes }: TensorCall) => sizeOf((attributes as LayerNormAttributes).dims);

/** All of a sample, or what lies along the axis before; a weight of each value as declared. */
const ofWholeSample: RowsOf = (call) => {
  const own = normalizedOf(call);
  return { count: sizeOf(call.inputs[0].shape.dims), weightAt: (i) => i % own };
};
const ofAxisBefore: RowsOf = (call) => {
  const own = normalizedOf(call);
  const { dims } = call.inputs[0].shape;
  const count = dims.at(-1 - (call.attributes as LayerNormAttributes).dims.length);
  if (count === undefined) return null;
  return { count, weightAt: (i) => i % own, rowAt: (i) => floor(i / (count * own)) * own + (i % own) };
};

const ofEachRow: RowsOf = (call) => {
  const count = normalizedOf(call);
  return { count, weightAt: (i) => i % count };
};

export const layerNorm: RealForm = normForm('layer_norm', ofEachRow, {
  'layer_norm of all of a sample': normOf(ofWholeSample, centred, weighted),
  'layer_norm along the axis before': normOf(ofAxisBefore, centred, weighted),
});

export const rmsNorm: RealForm = {
  value: normOf(ofEachRow, byTheRoot, weighted),
  others: {
    'rms_norm of what its mean was taken off': normOf(ofEachRow, centred, weighted),
    'rms_norm without weight': normOf(ofEachRow, byTheRoot, (x) => x),
    // Gemma's
    'rms_norm by 1 + weight': normOf(ofEachRow, byTheRoot, (x, weight) => x * (1 + weight)),
    'rms_norm divided by the mean of squares, not its root': normOf(
      ofEachRow,
      (x, { mean, variance }, eps) => x / (variance + mean * mean + eps),
      weighted,
    ),
  },
  ofCodes: byEpsilon('rms_norm', (eps) => normOf(ofEachRow, (x, own) => byTheRoot(x, own, eps), weighted)),
};

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
