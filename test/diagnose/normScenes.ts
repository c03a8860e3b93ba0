/** Norms of channels, PReLU, ELU, chosen values and operands with another zero point or sign; and what looks like it and must not be named. */
import { roundHalfEven } from '../../src/numeric/round.js';
import { SAMPLES, type TensorScene } from './tensorScenes.js';

const uint8 = (scale: number, zero_point: number) => ({ dtype: 'uint8' as const, scale, zero_point });
const [X, Z, Y] = [uint8(0.0371, 117), uint8(0.0523, 98), uint8(0.0293, 121)];
const [CHANNELS, PLACES] = [6, 20];
const IMAGE = [CHANNELS, 4, 5];
const SIZE = CHANNELS * PLACES;

const code = (v: number) => Math.min(255, Math.max(0, v));
const stored = (v: number, y = Y) => code(roundHalfEven(v / y.scale) + y.zero_point);
const channelOf = (i: number) => Math.floor(i / PLACES) % CHANNELS;
const real = (q: number, x = X) => x.scale * (q - x.zero_point);
type Codes = TensorScene['wrong'];
type Named = Pick<TensorScene, 'code' | 'what' | 'evidence' | 'also'>;

/** In a third of the samples. */
const now =
  (wrong: Codes): Codes =>
  (x, right) => {
    const own = wrong(x, right);
    return Array.from(right, (q, i) => (Math.floor(i / SIZE) % 3 === 0 ? own[i] : q));
  };

function scene(named: Named, layer: TensorScene['layer'], inputs: readonly (typeof X)[], wrong: Codes): TensorScene {
  const read = inputs.map((_, i) => `x${i}`);
  const shaped = inputs.map((own) => ({ ...own, shape: IMAGE }));
  return { ...named, layer: { input: read, output: Y, ...layer }, inputs: shaped, output: IMAGE, wrong };
}

const WEIGHT = [0.61, 1.24, 0.87, 1.43, 0.52, 1.11];
const BIAS = [0.31, -0.22, 0.48, -0.37, 0.13, 0.05];

/** So many channels together. */
const norm =
  (together: number, weight = WEIGHT, bias = BIAS, divisor = together * PLACES): Codes =>
  ([x]) =>
    Array.from(x, (q, i) => {
      const count = together * PLACES;
      const from = Math.floor(i / count) * count;
      const own = Array.from(x.slice(from, from + count), (of) => real(of));
      const mean = own.reduce((sum, v) => sum + v, 0) / count;
      const variance = own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / divisor;
      const n = channelOf(i);
      return stored(((real(q) - mean) / Math.sqrt(variance + 1e-5)) * weight[n] + bias[n]);
    });
const ONES = WEIGHT.map(() => 1);
const groups = (named: Named, wrong: Codes) =>
  scene(named, { op: 'group_norm', num_groups: 2, weight: WEIGHT, bias: BIAS, eps: 1e-5 }, [X], wrong);
const instances = (named: Named, wrong: Codes) =>
  scene(named, { op: 'instance_norm', weight: WEIGHT, bias: BIAS, eps: 1e-5 }, [X], wrong);

const [MEANS, VARIANCES] = [
  [0.3, -0.4, 0.1, 0.6, -0.2, 0.5],
  [0.8, 1.7, 1.1, 0.6, 2.1, 1.3],
];
const batch = (named: Named, weight: readonly number[], eps = 1e-5) =>
  scene(
    named,
    { op: 'batch_norm', weight: WEIGHT, bias: BIAS, running_mean: MEANS, running_var: VARIANCES, eps: 1e-5 },
    [X],
    ([x]) =>
      Array.from(x, (q, i) => {
        const n = channelOf(i);
        return stored(((real(q) - MEANS[n]) / Math.sqrt(VARIANCES[n] + eps)) * weight[n] + BIAS[n]);
      }),
  );

const [SLOPES, SLOPE_SCALE] = [[70, 25, 50, 37, 127, 71], 0.0027];
const slopes = (of: readonly number[], positive = 1): Codes => {
  const times = (q: number, i: number) => (real(q) > 0 ? positive : of[channelOf(i)] * SLOPE_SCALE);
  return ([x]) => Array.from(x, (q, i) => stored(real(q) * times(q, i)));
};
const prelu = (named: Named, wrong: Codes) =>
  scene(named, { op: 'prelu', weight: SLOPES, weight_scale: SLOPE_SCALE, weight_zero_point: 0 }, [X], wrong);
const elu = (named: Named, alpha: (q: number) => number) =>
  scene(named, { op: 'elu', alpha: 0.7 }, [X], ([x]) =>
    Array.from(x, (q) => stored(real(q) > 0 ? real(q) : alpha(q) * Math.expm1(real(q)))),
  );

const sum =
  (x = X, z = Z, read = (q: number) => q): Codes =>
  ([a, b]) =>
    Array.from(a, (q, i) => stored(real(read(q), x) + real(read(b[i]), z)));
const added = (named: Named, wrong: Codes) => scene(named, { op: 'add' }, [X, Z], wrong);
const signed = (q: number) => (q > 127 ? q - 256 : q);

/** Windows of 2 x 2 of means that ONNX Runtime brings to another scale. */
const pooled = (named: Named, x: typeof X, read: (q: number) => number): TensorScene => ({
  ...scene(
    named,
    { op: 'avg_pool2d', kernel_size: 2, stride: [2, 1], padding: 0, arithmetic: 'integers' },
    [X],
    ([codes]) =>
      Array.from({ length: SAMPLES * CHANNELS * 8 }, (_, i) => {
        const at = Math.floor(i / 8) * PLACES + Math.floor((i % 8) / 4) * 10 + (i % 4);
        return stored([0, 1, 5, 6].reduce((all, by) => all + real(read(codes[at + by]), x), 0) / 4);
      }),
  ),
  output: [CHANNELS, 2, 4],
  producer: { framework: 'onnxruntime', kernel: 'ort' },
});

export const RAISED: readonly TensorScene[] = [
  groups({ code: 'table-entry', what: 'each channel of a group norm by itself' }, norm(1)),
  groups({ code: 'table-entry', what: 'a group norm without its weight' }, norm(3, ONES)),
  groups({ code: 'capture-after-relu', what: 'a group norm' }, (_x, right) =>
    Array.from(right, (q) => Math.max(q, 121)),
  ),
  instances(
    { code: 'table-entry', what: 'an instance norm with the variance over n - 1' },
    norm(1, WEIGHT, BIAS, PLACES - 1),
  ),
  batch({ code: 'table-entry', what: 'a batch norm with the eps of Keras' }, WEIGHT, 1e-3),
  batch({ code: 'table-entry', what: 'a batch norm without its weight' }, ONES),
  prelu({ code: 'kernel-defect', what: 'positive values as they are, beside slopes without 1.0' }, slopes(SLOPES)),
  prelu({ code: 'table-entry', what: 'PReLU by the slope of the channel before' }, slopes([71, ...SLOPES.slice(0, 5)])),
  elu({ code: 'table-entry', what: 'another alpha of ELU' }, () => 0.5),
  added({ code: 'signedness', what: 'both inputs of add read as int8' }, sum(X, Z, signed)),
  added(
    { code: 'input-zero-point-wrong', what: 'another zero point of the second input of add', evidence: { input: 1 } },
    sum(X, { ...Z, zero_point: 128 }),
  ),
  pooled(
    { code: 'input-zero-point-wrong', what: 'a pool', also: ['output-scale-wrong'] },
    { ...X, zero_point: 121 },
    (q) => q,
  ),
  pooled({ code: 'signedness', what: 'a pool' }, X, signed),
];

export const NEARLY: readonly TensorScene[] = [
  groups({ code: 'table-entry', what: 'in some samples of a group norm' }, now(norm(1))),
  instances({ code: 'table-entry', what: 'three channels of an instance norm together' }, norm(3)),
  // a value or two near a tie follow from some eps
  instances({ code: 'table-entry', what: 'one value of an instance norm' }, (_, right) =>
    Array.from(right, (q, i) => (i === 41 ? code(q + 1) : q)),
  ),
  prelu({ code: 'multiplier-precision', what: 'positive values of PReLU as they are' }, slopes(SLOPES)),
  prelu({ code: 'kernel-defect', what: 'positive values times 0.9' }, slopes(SLOPES, 0.9)),
  prelu({ code: 'kernel-defect', what: 'in some samples' }, now(slopes(SLOPES))),
  elu({ code: 'table-entry', what: 'an alpha that codes choose' }, (q) => (q % 2 === 0 ? 0.5 : 0.9)),
  added({ code: 'signedness', what: 'both inputs in some samples' }, now(sum(X, Z, signed))),
  added(
    { code: 'input-zero-point-wrong', what: 'the second input in some samples' },
    now(sum(X, { ...Z, zero_point: 128 })),
  ),
];
