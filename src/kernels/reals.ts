/**
 * What ops on whole values are in real numbers, whatever the kernel: what an implementation of one's own computes in float64 before
 * it rounds. Diagnosis rounds it by other rules. An op that only picks codes (max_pool) has none.
 */
import type {
  AxisAttributes,
  BatchNormAttributes,
  EluAttributes,
  GateAttributes,
  GeluAttributes,
  MatmulAttributes,
  PreluAttributes,
  SiluAttributes,
  SlopeAttributes,
  SoftplusAttributes,
  ThresholdAttributes,
} from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { erf } from '../numeric/erf.js';
import { f32 } from '../numeric/float.js';
import { gelu } from '../numeric/gelu.js';
import { clamp } from '../numeric/integer.js';
import { floor } from '../numeric/round.js';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { placeOf, sizeOf, strideOf } from '../tensor/shape.js';
import { everyRank } from './everyRank.js';
import { attention } from './realAttention.js';
import { spreads, vectorNorm } from './realFolded.js';
import { type RealForm, type RealValue, realOf } from './realForm.js';
import { interpolate } from './realResample.js';
import { groupNorm, instanceNorm, layerNorm, logSoftmax, rmsNorm, softmax } from './realRows.js';
import { formOfSum } from './realSum.js';
import { adaptivePool, averagePool, maximum, mean, sum } from './realWindows.js';
import { reader } from './steps/call.js';
import { imageOf } from './steps/pool.js';

/** Null: the op only picks codes, or nothing is written down. */
export function realFormOf(op: string): RealForm | null {
  return Object.hasOwn(forms, op) ? forms[op] : null;
}

function reals(call: TensorCall, input: number): RealValue {
  const [read, real] = [reader(call, input), realOf(call.inputs[input])];
  return (i) => real(read(i));
}

/** A function of one value, whatever the op. */
export function realsOf(apply: (x: number) => number): (call: TensorCall) => RealValue {
  return (call) => {
    const x = reals(call, 0);
    return (i) => apply(x(i));
  };
}

function ofTwo(combine: (a: number, b: number) => number): RealForm & { value(call: TensorCall): RealValue } {
  return {
    value(call) {
      const [a, b] = [reals(call, 0), reals(call, 1)];
      return (i) => combine(a(i), b(i));
    },
  };
}

/** of: a function of x in float64, given the op's numbers. */
function table<A>(of: (attributes: A) => (x: number) => number): RealForm {
  return {
    is: 'table',
    of: (attributes) => of(attributes as A),
    value: (call) => realsOf(of(call.attributes as A))(call),
  };
}

const gate = (x: number) => Math.min(Math.max(x + 3, 0), 6);
/** Also as float32 has it. */
const isSixth = (slope: number) => f32(slope) === f32(1 / 6);
const sixth = (x: number) => gate(x) / 6;
const relu = (x: number) => Math.max(x, 0);
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const leaky = (slope: number) => (x: number) => (x > 0 ? x : x * slope);

/** Amin, Curtis and Hayes-Gill, 1997: slopes of powers of 2. */
function plan(x: number): number {
  const size = Math.abs(x);
  const above = size >= 5 ? 1 : size >= 2.375 ? size / 32 + 0.84375 : size >= 1 ? size / 8 + 0.625 : size / 4 + 0.5;
  return x < 0 ? 1 - above : above;
}

function erfOfIbert(x: number): number {
  return Math.sign(x) * (1 - 0.2888 * (Math.min(Math.abs(x), 1.769) - 1.769) ** 2);
}

/** Functions of one value by the names they have, to be taken for each other. */
export const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  relu,
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  sigmoid: logistic,
  'hardsigmoid (x / 6 + 0.5)': sixth,
  'clamp(0.2 * x + 0.5, 0, 1)': (x) => clamp(0.2 * x + 0.5, 0, 1),
  'clamp(x / 4 + 0.5, 0, 1)': (x) => clamp(x / 4 + 0.5, 0, 1),
  'x / (2 * (1 + |x|)) + 0.5': (x) => x / (2 * (1 + Math.abs(x))) + 0.5,
  'sigmoid in seven straight pieces (PLAN)': plan,
  'tanh as 2 * PLAN(2 * x) - 1': (x) => 2 * plan(2 * x) - 1,
  'clamp(x * (27 + x^2) / (27 + 9 * x^2), -1, 1)': (x) => clamp((x * (27 + x * x)) / (27 + 9 * x * x), -1, 1),
  'clamp(x - x^3 / 3, -1, 1)': (x) => clamp(x - x ** 3 / 3, -1, 1),
  'clamp(0.5 + x / 4 - x^3 / 48, 0, 1)': (x) => clamp(0.5 + x / 4 - x ** 3 / 48, 0, 1),
  hardswish: (x) => (x * gate(x)) / 6,
  'x * relu6(x + 3)': (x) => x * gate(x),
  'x * relu6(x + 3) / 8': (x) => (x * gate(x)) / 8,
  silu: (x) => x * logistic(x),
  'x * sigmoid(1.702 * x)': (x) => x * logistic(1.702 * x),
  gelu: (x) => gelu(x, 'none'),
  'gelu by tanh': (x) => gelu(x, 'tanh'),
  // I-BERT (Kim et al., 2021)
  'gelu by a polynomial of the second degree (I-BERT)': (x) => (x * (1 + erfOfIbert(x / Math.SQRT2))) / 2,
  tanh: Math.tanh,
  '1 / (1 + 2^-x)': (x) => 1 / (1 + 2 ** -x),
  '1 / (1 + exp(x))': (x) => logistic(-x),
  'tanh(x) / 2 + 0.5': (x) => Math.tanh(x) / 2 + 0.5,
  'clamp(x, -1, 1)': (x) => Math.min(Math.max(x, -1), 1),
  'x / (1 + |x|)': (x) => x / (1 + Math.abs(x)),
  '2 * sigmoid(x) - 1': (x) => 2 * logistic(x) - 1,
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  ...Object.fromEntries([0.01, 0.1, 0.125, 0.2, 0.25, 0.3].map((slope) => [`leaky_relu of ${slope}`, leaky(slope)])),
};

const cat: RealForm = {
  value({ inputs, output, attributes }) {
    const axis = checkedAxes(axisOf((attributes as AxisAttributes).dim, inputs[0].shape));
    const { dims } = output.shape;
    const inner = strideOf(dims, axis);
    let next = 0;
    // a thousand inputs may be joined: they are not gone through for each value
    const partAt = new Uint32Array(dims[axis]);
    const parts = inputs.map((input, part) => {
      const [own, first] = [input.shape.dims[axis], next];
      next += own;
      partAt.fill(part, first, next);
      return { real: realOf(input), data: input.data, own, first };
    });
    return (i) => {
      const outer = floor(i / (inner * dims[axis]));
      const index = floor(i / inner) % dims[axis];
      const { real, data, own, first } = parts[partAt[index]];
      return real(data[(outer * own + index - first) * inner + (i % inner)]);
    };
  },
};

type Slopes = (own: PreluAttributes) => (channel: number, channels: number) => number;

function preluBy(slopes: Slopes): (call: TensorCall) => RealValue {
  return (call) => {
    const own = call.attributes as PreluAttributes;
    const { dims } = call.inputs[0].shape;
    const x = reals(call, 0);
    const each = sizeOf(dims.slice(1));
    const slope = slopes(own);
    const at = (i: number) => (own.weight.length > 1 ? floor(i / each) % dims[0] : 0);
    return (i) => (x(i) > 0 ? x(i) : x(i) * slope(at(i), own.weight.length));
  };
}

const slopeOf =
  (at: (channel: number, channels: number) => number): Slopes =>
  ({ weight, scale, zeroPoint }) =>
  (channel, channels) =>
    scale * (weight[at(channel, channels)] - zeroPoint);

const prelu: RealForm = {
  value: preluBy(slopeOf((n) => n)),
  others: {
    'prelu by the slope of the first channel': preluBy(slopeOf(() => 0)),
    'prelu by the slope of the channel before': preluBy(slopeOf((n, channels) => (n + channels - 1) % channels)),
    'prelu by the slope of the channel behind': preluBy(slopeOf((n, channels) => (n + 1) % channels)),
    'prelu by slopes from last to first': preluBy(slopeOf((n, channels) => channels - 1 - n)),
    "prelu by slopes' codes": preluBy(
      ({ weight, zeroPoint }) =>
        (n) =>
          weight[n] - zeroPoint,
    ),
    'prelu by slopes whose zero point stays': preluBy(
      ({ weight, scale }) =>
        (n) =>
          scale * weight[n],
    ),
  },
};

// ---------------------------------------------------------------- others

type Normalized = (
  x: number,
  own: { mean: number; variance: number; weight: number; bias: number; eps: number },
) => number;

function batchNormOf(normalized: Normalized): (call: TensorCall) => RealValue {
  return (call) => {
    const { weight, bias, mean: means, variance, eps } = call.attributes as BatchNormAttributes;
    const x = reals(call, 0);
    const { shape } = imageOf(call);
    const size = sizeOf(shape.dims);
    return (i) => {
      const n = placeOf(shape, i % size).channel;
      const own = { mean: means[n], variance: variance[n], weight: weight?.[n] ?? 1, bias: bias?.[n] ?? 0, eps };
      return normalized(x(i), own);
    };
  };
}

const normalized: Normalized = (x, { mean: own, variance, weight, bias, eps }) =>
  ((x - own) / Math.sqrt(variance + eps)) * weight + bias;

/** None, and the frameworks' own: the declared one gives nothing else. */
const EPSILONS = [0, 1e-5, 1e-3];

const batchNorm: RealForm = {
  value: batchNormOf(normalized),
  others: {
    'batch_norm without weight': batchNormOf((x, own) => normalized(x, { ...own, weight: 1 })),
    'batch_norm without bias': batchNormOf((x, own) => normalized(x, { ...own, bias: 0 })),
    'batch_norm without its mean': batchNormOf((x, own) => normalized(x, { ...own, mean: 0 })),
    'batch_norm without its variance': batchNormOf((x, own) => normalized(x, { ...own, variance: 1, eps: 0 })),
    'batch_norm divided by the variance, not its root': batchNormOf((x, own) =>
      normalized(x, { ...own, variance: (own.variance + own.eps) ** 2, eps: 0 }),
    ),
    ...Object.fromEntries(
      EPSILONS.map((eps) => [
        `batch_norm with an eps of ${eps}`,
        batchNormOf((x, own) => normalized(x, { ...own, eps })),
      ]),
    ),
  },
};

const matmul: RealForm = {
  value({ inputs, output, attributes }) {
    const { adjX, adjY, alpha = 1 } = (attributes ?? {}) as Partial<MatmulAttributes>;
    const { dims } = output.shape;
    const [rows, cols] = [dims.at(-2)!, dims.at(-1)!];
    const depth = inputs[0].shape.dims.at(adjX ? -2 : -1)!;
    const [a, b] = inputs.map((input) => ({ data: input.data, real: realOf(input), dims: input.shape.dims }));
    const isPlain = [a, b].every((operand) => sizeOf(operand.dims.slice(0, -2)) === sizeOf(dims.slice(0, -2)));
    if (!isPlain) return () => Number.NaN;
    return (i) => {
      const [matrix, row, col] = [floor(i / (rows * cols)), floor(i / cols) % rows, i % cols];
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const left = adjX ? (matrix * depth + k) * rows + row : (matrix * rows + row) * depth + k;
        const right = adjY ? (matrix * cols + col) * depth + k : (matrix * depth + k) * cols + col;
        sum += a.real(a.data[left]) * b.real(b.data[right]);
      }
      return sum * alpha;
    };
  },
};

const where: RealForm = {
  value(call) {
    const [condition, a, b] = [reader(call, 0), reals(call, 1), reals(call, 2)];
    return (i) => (condition(i) === 0 ? b(i) : a(i));
  },
  others: {
    'condition ? b : a': (call) => {
      const [condition, a, b] = [reader(call, 0), reals(call, 1), reals(call, 2)];
      return (i) => (condition(i) === 0 ? a(i) : b(i));
    },
    'a everywhere': (call) => reals(call, 1),
    'b everywhere': (call) => reals(call, 2),
  },
};

const SUM = (a: number, b: number) => a + b;
const DIFFERENCE = (a: number, b: number) => a - b;
const PRODUCT = (a: number, b: number) => a * b;
const bothOf = (call: TensorCall) => [reals(call, 0), reals(call, 1)];

const geluForm = table(
  ({ approximate }: GeluAttributes) =>
    (x) =>
      gelu(x, approximate),
);

const forms: Readonly<Record<string, RealForm>> = {
  add: {
    ...ofTwo(SUM),
    terms: bothOf,
    others: { 'a - b': ofTwo(DIFFERENCE).value },
    alone: {
      'b - a': ofTwo((a, b) => b - a).value,
      'a * b': ofTwo(PRODUCT).value,
      'the larger of two': ofTwo(Math.max).value,
      'relu(a) + b': ofTwo((a, b) => relu(a) + b).value,
      'a + relu(b)': ofTwo((a, b) => a + relu(b)).value,
      'relu(a) + relu(b)': ofTwo((a, b) => relu(a) + relu(b)).value,
    },
  },
  // b - a is its operands in the other order, which has a cause of its own
  sub: { ...ofTwo(DIFFERENCE), terms: bothOf, signs: [1, -1], others: { 'a + b': ofTwo(SUM).value } },
  mul: { ...ofTwo(PRODUCT), alone: { 'a + b': ofTwo(SUM).value, 'a / b': ofTwo((a, b) => a / b).value } },
  maximum: { ...ofTwo(Math.max), others: { 'the smaller of two': ofTwo(Math.min).value } },
  minimum: { ...ofTwo(Math.min), others: { 'the larger of two': ofTwo(Math.max).value } },
  matmul,
  cat,
  where,
  prelu,
  prelu_of_two: { ...ofTwo((x, a) => (x < 0 ? a * x : x)), others: { relu: realsOf(FUNCTIONS.relu) } },
  hardswish: { ...table(() => FUNCTIONS.hardswish), integers: { degree: 2, divisor: 6 } },
  hardsigmoid: {
    ...table(({ slope, offset }: GateAttributes) => {
      return isSixth(slope) && offset === 0.5 ? sixth : (x) => clamp(slope * x + offset, 0, 1);
    }),
    integers: { degree: 1, divisor: 6 },
  },
  sigmoid: table(() => logistic),
  exp: table(() => Math.exp),
  log: table(() => Math.log),
  erf: table(() => erf),
  silu: table(
    ({ alpha }: SiluAttributes) =>
      (x) =>
        x * logistic(alpha * x),
  ),
  mish: table(() => (x) => x * Math.tanh(Math.log1p(Math.exp(x)))),
  softplus: table(({ beta, threshold }: SoftplusAttributes) => (x) => {
    return x * beta > threshold ? x : Math.log1p(Math.exp(x * beta)) / beta;
  }),
  abs: table(() => Math.abs),
  sqrt: {
    ...table(() => Math.sqrt),
    alone: { '1 / sqrt(x)': realsOf((x) => 1 / Math.sqrt(x)), 'x * x': realsOf((x) => x * x) },
  },
  rsqrt: {
    ...table(() => (x: number) => 1 / Math.sqrt(x)),
    alone: { 'sqrt(x)': realsOf(Math.sqrt), '1 / x': realsOf((x) => 1 / x), '1 / x^2': realsOf((x) => x ** -2) },
  },
  tanh: table(() => Math.tanh),
  leaky_relu: {
    ...table(({ negativeSlope }: SlopeAttributes) => leaky(negativeSlope)),
    integers: { degree: 1, divisor: 1 },
  },
  elu: table(
    ({ alpha, scale, inputScale }: EluAttributes) =>
      (x) =>
        scale * (x > 0 ? x : alpha * Math.expm1(x * inputScale)),
  ),
  celu: table(
    ({ alpha }: EluAttributes) =>
      (x) =>
        x > 0 ? x : alpha * Math.expm1(x / alpha),
  ),
  gelu: geluForm,
  bias_gelu: formOfSum('gelu', geluForm),
  threshold: table(
    ({ threshold, value }: ThresholdAttributes) =>
      (x) =>
        x > threshold ? x : value,
  ),
  ...everyRank('max_pool', maximum),
  ...everyRank('avg_pool', averagePool),
  ...everyRank('adaptive_avg_pool', adaptivePool),
  mean,
  sum,
  ...spreads,
  vector_norm: vectorNorm,
  scaled_dot_product_attention: attention,
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  rms_norm: rmsNorm,
  skip_layer_norm: formOfSum('layer_norm', layerNorm),
  skip_rms_norm: formOfSum('rms_norm', rmsNorm),
  group_norm: groupNorm,
  instance_norm: instanceNorm,
  batch_norm: batchNorm,
  interpolate,
};
