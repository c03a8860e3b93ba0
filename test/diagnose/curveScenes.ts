/** Functions, softmax, norms and gates with numbers left out or taken for each other; and what looks like it and must not be named. */
import { roundHalfEven } from '../../src/numeric/round.js';
import { SAMPLES, type TensorScene } from './tensorScenes.js';
import { randomFrom } from './world.js';

const random = randomFrom(29);
/** Drawn once: no number here was chosen for what it gives. */
const drawn = (least: number, most: number) => Math.fround(least + (most - least) * random.uniform());

interface Params {
  readonly dtype: 'uint8';
  readonly scale: number;
  readonly zero_point: number;
}

const uint8 = (scale: number, zero_point: number): Params => ({ dtype: 'uint8', scale, zero_point });
const X = uint8(drawn(0.02, 0.04), random.integer(90, 150));
const Y = uint8(drawn(0.02, 0.03), random.integer(30, 90));
const PART = uint8(1 / 256, 0);
const COLS = 12;
const SHAPE = [30, COLS];

const code = (v: number) => Math.min(255, Math.max(0, v));
type Reals = (row: readonly number[], index: number) => readonly number[];
type Codes = TensorScene['wrong'];

/** Rows of reals by `of`, of codes that are read with `x`. */
const rows =
  (of: Reals, y: Params, x: Params = X): Codes =>
  ([codes]) =>
    Array.from({ length: codes.length / COLS }, (_, row) =>
      of(
        Array.from(codes.slice(row * COLS, (row + 1) * COLS), (q) => x.scale * (q - x.zero_point)),
        row % SHAPE[0],
      ),
    ).flatMap((reals) => reals.map((v) => code(roundHalfEven(v / y.scale) + y.zero_point)));
const each =
  (f: (x: number) => number): Reals =>
  (row) =>
    row.map(f);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const hardswish = (x: number) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6;
const softmax =
  (base = Math.E): Reals =>
  (row) => {
    const powers = row.map((x) => base ** x);
    const sum = powers.reduce((all, own) => all + own, 0);
    return powers.map((own) => own / sum);
  };

/** Distances to the largest code end at `least`. */
const softmaxWithin =
  (least: number): Reals =>
  (row) => {
    const most = Math.max(...row);
    return softmax()(
      row.map((x) => Math.max(x - most, least * X.scale)),
      0,
    );
  };

/** Of the places up to its own. */
const causal: Reals = (row, index) => {
  const seen = softmax()(row.slice(0, index + 1), 0);
  return row.map((_, k) => seen[k] ?? 0);
};

/** By a table of so many levels. */
const softmaxOfTable =
  (levels: number): Reals =>
  (row) => {
    const most = Math.max(...row);
    const powers = row.map((x) => Math.round(levels * Math.exp(x - most)));
    const sum = powers.reduce((all, own) => all + own, 0);
    return powers.map((own) => own / sum);
  };

/** One branch stays in steps of the input (espressif/esp-dl#319). */
const leakyWithout = (branch: 'from 0 on' | 'below 0'): TensorScene => ({
  code: 'rescale-missing',
  what: `leaky_relu ${branch} in input steps`,
  layer: { op: 'leaky_relu', input: ['x0'], negative_slope: 0.1, output: Y },
  inputs: [{ ...X, shape: SHAPE }],
  output: SHAPE,
  wrong: ([codes]) =>
    Array.from(codes, (q) => {
      const centred = q - X.zero_point;
      const unit = centred < 0 === (branch === 'below 0') ? 1 : X.scale / Y.scale;
      return code(roundHalfEven((centred < 0 ? 0.1 : 1) * centred * unit) + Y.zero_point);
    }),
});

const WEIGHT = Array.from({ length: COLS }, () => drawn(0.4, 1.6));
const BIAS = Array.from({ length: COLS }, () => drawn(-0.5, 0.5));
const NORMED = uint8(drawn(0.02, 0.04), random.integer(110, 140));
const layerNorm =
  (count = COLS, weight = WEIGHT, bias = BIAS, eps = 1e-5): Reals =>
  (row) => {
    const mean = row.reduce((sum, x) => sum + x, 0) / COLS;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
    return row.map((x, k) => ((x - mean) / Math.sqrt(variance + eps)) * weight[k] + bias[k]);
  };

/** Normalized with what `place` says is of the same group; weights stay by column. */
const normedWith =
  (groupOf: (row: number, column: number) => number): Codes =>
  ([codes]) => {
    const sizes = SHAPE[0] * COLS;
    return Array.from({ length: codes.length / sizes }, (_, sample) => {
      const own = Array.from(codes.slice(sample * sizes, (sample + 1) * sizes), (q) => X.scale * (q - X.zero_point));
      const groups = own.map((_x, i) => groupOf(Math.floor(i / COLS), i % COLS));
      return own.map((x, i) => {
        const of = own.filter((_x, k) => groups[k] === groups[i]);
        const mean = of.reduce((sum, v) => sum + v, 0) / of.length;
        const variance = of.reduce((sum, v) => sum + (v - mean) ** 2, 0) / of.length;
        const v = ((x - mean) / Math.sqrt(variance + 1e-5)) * WEIGHT[i % COLS] + BIAS[i % COLS];
        return code(roundHalfEven(v / NORMED.scale) + NORMED.zero_point);
      });
    }).flat();
  };

type Named = Pick<TensorScene, 'code' | 'what' | 'evidence'>;

function unary(named: Named, op: string, y: Params, wrong: Codes, fields: object = {}): TensorScene {
  const layer = { op, input: ['x0'], output: y, ...fields };
  return { ...named, layer, inputs: [{ ...X, shape: SHAPE }], output: SHAPE, wrong };
}

const soft = (named: Named, wrong: Codes) => unary(named, 'softmax', PART, wrong, { dim: -1 });
const norm = (named: Named, wrong: Codes) =>
  unary(named, 'layer_norm', NORMED, wrong, { normalized_shape: [COLS], weight: WEIGHT, bias: BIAS, eps: 1e-5 });
const without = (x: Params) => ({ ...x, zero_point: 0 });

/** A gate of the same shape. */
function gated(named: Named, scale: number): TensorScene {
  return gatedBy(named, (x, gate) => x * (gate * (scale / PART.scale)));
}

function gatedBy(named: Named, of: (x: number, gate: number) => number): TensorScene {
  const y = uint8(drawn(0.01, 0.02), 77);
  const wrong: Codes = ([x, gate]) =>
    Array.from(x, (q, i) => code(roundHalfEven(of(X.scale * (q - X.zero_point), PART.scale * gate[i]) / y.scale) + 77));
  const inputs = [X, PART].map((own) => ({ ...own, shape: SHAPE }));
  return { ...named, layer: { op: 'mul', input: ['x0', 'x1'], output: y }, inputs, output: SHAPE, wrong };
}

/** Global means of 5 x 5. */
function pooled(named: Named, mean: (sum: number, index: number) => number): TensorScene {
  const layer = { op: 'adaptive_avg_pool2d', input: ['x0'], output_size: [1, 1] };
  const x = uint8(X.scale, 37);
  const wrong: Codes = ([codes]) =>
    Array.from({ length: SAMPLES * 40 }, (_, i) => {
      const sum = Array.from(codes.slice(25 * i, 25 * i + 25)).reduce((all, q) => all + q, 0);
      return code(roundHalfEven(mean(sum, i)));
    });
  return { ...named, layer, inputs: [{ ...x, shape: [40, 5, 5] }], output: [40, 1, 1], wrong };
}

/** Codes added to codes, of inputs whose sums stay in eight bits. */
function summed(named: Named, wrong: Codes): TensorScene {
  const inputs = [uint8(0.021, 40), uint8(0.034, 52)].map((own) => ({ ...own, shape: SHAPE }));
  const layer = { op: 'add', input: ['x0', 'x1'], output: uint8(0.05, 35) };
  return { ...named, layer, inputs, output: SHAPE, wrong };
}

const raw: Codes = ([a, b]) => Array.from(a, (q, i) => code(q + b[i]));
/** In a third of the samples. */
const now =
  (wrong: Codes): Codes =>
  (x, right) => {
    const [own, each] = [wrong(x, right), right.length / SAMPLES];
    return Array.from(right, (q, i) => (Math.floor(i / each) % 3 === 0 ? own[i] : q));
  };
const halved = { ...X, scale: X.scale / 2 };

const missing = 'activation-zero-point-missing';
const scale = 'input-scale-wrong';

export const RAISED: readonly TensorScene[] = [
  leakyWithout('from 0 on'),
  leakyWithout('below 0'),
  unary({ code: missing, what: 'a hardswish' }, 'hardswish', Y, rows(each(hardswish), Y, without(X))),
  unary({ code: missing, what: 'a sigmoid' }, 'sigmoid', PART, rows(each(sigmoid), PART, without(X))),
  norm({ code: 'table-entry', what: 'a norm with the variance over n - 1' }, rows(layerNorm(COLS - 1), NORMED)),
  norm(
    { code: 'table-entry', what: 'a norm without its weight' },
    rows(layerNorm(COLS, new Array<number>(COLS).fill(1)), NORMED),
  ),
  norm({ code: 'table-entry', what: 'a norm with another eps' }, rows(layerNorm(COLS, WEIGHT, BIAS, 1e-3), NORMED)),
  norm(
    { code: 'table-entry', what: 'a norm of all of a sample' },
    normedWith(() => 0),
  ),
  norm(
    { code: 'table-entry', what: 'a norm along the axis before' },
    normedWith((_, column) => column),
  ),
  pooled({ code: missing, what: 'a mean' }, (sum) => sum / 25 + 37),
  soft({ code: 'table-entry', what: 'powers of 2' }, rows(softmax(2), PART)),
  // the runtime takes its output scale for granted, so that no other one explains it
  {
    ...soft({ code: 'table-entry', what: 'a softmax times 255' }, rows(softmax(), { ...PART, scale: 1 / 255 })),
    producer: { framework: 'tflite', kernel: 'tflite-reference' },
  },
  soft({ code: 'table-entry', what: 'distances saturated in int8' }, rows(softmaxWithin(-128), PART)),
  soft({ code: 'table-entry', what: 'a causal softmax' }, rows(causal, PART)),
  soft({ code: 'table-entry', what: 'powers in a table of 8 bits' }, rows(softmaxOfTable(255), PART)),
  soft({ code: 'table-entry', what: 'powers in a table of 10 fractional bits' }, rows(softmaxOfTable(1024), PART)),
  soft({ code: scale, what: 'a softmax of half the scale' }, rows(softmax(), PART, halved)),
  soft({ code: scale, what: 'a softmax of codes', evidence: { found: 1 } }, rows(softmax(), PART, { ...X, scale: 1 })),
  unary({ code: scale, what: 'a sigmoid of half the scale' }, 'sigmoid', PART, rows(each(sigmoid), PART, halved)),
  unary(
    { code: scale, what: 'a hardswish of the output’s scale', evidence: { found: Y.scale } },
    'hardswish',
    Y,
    rows(each(hardswish), Y, { ...X, scale: Y.scale }),
  ),
  gated({ code: scale, what: 'a gate without its scale', evidence: { found: 1 } }, 1),
  gatedBy({ code: 'table-entry', what: 'a sum in place of a product' }, (a, b) => a + b),
  summed({ code: 'rescale-missing', what: 'raw codes added', evidence: { inputs: [0, 1] } }, raw),
];

export const NEARLY: readonly TensorScene[] = [
  unary(
    { code: missing, what: 'in some samples of a hardswish' },
    'hardswish',
    Y,
    now(rows(each(hardswish), Y, without(X))),
  ),
  pooled({ code: missing, what: 'of every other mean' }, (sum, i) => sum / 25 + (i % 2) * 37),
  norm({ code: 'table-entry', what: 'in some samples of a norm' }, now(rows(layerNorm(COLS - 1), NORMED))),
  norm({ code: 'table-entry', what: 'a norm with a variance over n - 2' }, rows(layerNorm(COLS - 2), NORMED)),
  soft({ code: 'table-entry', what: 'powers in a table of 200 levels' }, rows(softmaxOfTable(200), PART)),
  soft({ code: 'table-entry', what: 'distances that end at -100' }, rows(softmaxWithin(-100), PART)),
  soft({ code: 'table-entry', what: 'a causal softmax in some samples' }, now(rows(causal, PART))),
  norm(
    { code: 'table-entry', what: 'a norm of every other row' },
    normedWith((row) => row % 2),
  ),
  soft({ code: scale, what: 'in some samples of a softmax' }, now(rows(softmax(), PART, halved))),
  soft(
    { code: 'table-entry', what: 'a softmax to base 2.5 with a sum of one more' },
    rows((row) => softmax(2.5)([...row, 0], 0).slice(0, COLS), PART),
  ),
  unary({ code: scale, what: 'in some samples of a sigmoid' }, 'sigmoid', PART, now(rows(each(sigmoid), PART, halved))),
  summed({ code: 'rescale-missing', what: 'raw codes in some samples' }, now(raw)),
];
