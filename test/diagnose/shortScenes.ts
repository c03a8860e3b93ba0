/** One number of few bits in a sum, a product, a mean or a function, and other scales that such a number is near to. */
import { roundHalfEven } from '../../src/numeric/round.js';
import { SAMPLES, type TensorScene } from './tensorScenes.js';
import { randomFrom } from './world.js';

interface Params {
  readonly dtype: 'uint8';
  readonly scale: number;
  readonly zero_point: number;
}

const uint8 = (scale: number, zero_point: number): Params => ({ dtype: 'uint8', scale, zero_point });
const random = randomFrom(31);
/** Drawn once: no number here was chosen for what it gives. */
const drawn = (least: number, most: number) => Math.fround(least + (most - least) * random.uniform());
const [A, B, Y] = [uint8(drawn(0.02, 0.05), 101), uint8(drawn(0.01, 0.03), 90), uint8(drawn(0.04, 0.09), 77)];
/** Of functions. */
const [X, F] = [uint8(drawn(0.03, 0.05), 120), uint8(drawn(0.015, 0.03), 30)];
const SHAPE = [40, 20];
const short = (real: number, bits: number) => {
  const unit = 2 ** (bits - Math.floor(Math.log2(real)) - 1);
  return Math.round(real * unit) / unit;
};
const code = (v: number) => Math.min(255, Math.max(0, v));

type Named = Pick<TensorScene, 'code' | 'what' | 'also'>;
/** Two inputs, by a number each. */
function sum(named: Named, [a, b]: readonly number[]): TensorScene {
  const inputs = [A, B].map((own) => ({ ...own, shape: SHAPE }));
  const wrong: TensorScene['wrong'] = ([x, z]) =>
    Array.from(x, (q, i) => code(roundHalfEven((q - A.zero_point) * a + (z[i] - B.zero_point) * b) + Y.zero_point));
  return { ...named, layer: { op: 'add', input: ['x0', 'x1'], output: Y }, inputs, output: SHAPE, wrong };
}

function product(named: Named, by: (real: number) => number): TensorScene {
  const inputs = [A, B].map((own) => ({ ...own, shape: SHAPE }));
  const y = uint8(0.03, 77);
  const number = by((A.scale * B.scale) / y.scale);
  const wrong: TensorScene['wrong'] = ([x, z]) =>
    Array.from(x, (q, i) => code(roundHalfEven((q - A.zero_point) * (z[i] - B.zero_point) * number) + y.zero_point));
  return { ...named, layer: { op: 'mul', input: ['x0', 'x1'], output: y }, inputs, output: SHAPE, wrong };
}

function unary(named: Named, op: string, of: (x: number) => number, y = F.scale): TensorScene {
  const wrong: TensorScene['wrong'] = ([x]) =>
    Array.from(x, (q) => code(roundHalfEven(of(X.scale * (q - X.zero_point)) / y) + F.zero_point));
  return { ...named, layer: { op, input: ['x0'], output: F }, inputs: [{ ...X, shape: SHAPE }], output: SHAPE, wrong };
}

/** Of 7 x 7 codes. */
function mean(named: Named, number: number): TensorScene {
  const wrong: TensorScene['wrong'] = ([x]) =>
    Array.from({ length: SAMPLES * 600 }, (_, i) => {
      const all = Array.from(x.slice(49 * i, 49 * i + 49)).reduce((total, q) => total + q - A.zero_point, 0);
      return code(roundHalfEven(all * number) + A.zero_point);
    });
  const layer = { op: 'mean', input: ['x0'], dim: [2, 3], keepdim: false };
  return { ...named, layer, inputs: [{ ...A, shape: [600, 7, 7] }], output: [600], wrong };
}

const gate = (x: number) => Math.min(Math.max(x + 3, 0), 6);
const reals = [A, B].map(({ scale }) => scale / Y.scale);
/** In steps. */
const hardswish = (x: number) => (x * gate(x)) / 6 / F.scale;
const fromBorder = (v: number) => Math.abs(v - Math.floor(v) - 0.5);
/** Of all codes that are drawn. */
const nearest = Array.from({ length: 176 }, (_, i) => X.scale * (40 + i - X.zero_point)).reduce((best, x) =>
  fromBorder(hardswish(x)) < fromBorder(hardswish(best)) ? x : best,
);
const named = 'multiplier-short';
const rounded = 'scale-rounded';
const scale = 'output-scale-wrong';

export const RAISED: readonly TensorScene[] = [
  sum(
    { code: named, what: 'two numbers of 12 bits', also: [scale] },
    reals.map((real) => short(real, 12)),
  ),
  product({ code: named, what: 'a product by a number of 8 bits' }, (real) => short(real, 8)),
  product({ code: named, what: 'a product by a number of 11 bits', also: [scale] }, (real) => short(real, 11)),
  unary({ code: named, what: '43 * 2^-8 for a sixth', also: [scale] }, 'hardswish', (x) => (x * gate(x) * 43) / 256),
  unary({ code: named, what: '171 * 2^-10 for a sixth', also: [scale] }, 'hardsigmoid', (x) => (gate(x) * 171) / 1024),
  unary(
    { code: named, what: 'a function by a scale’s reciprocal of 7 bits', also: [scale] },
    'hardswish',
    (x) => (x * gate(x)) / 6,
    1 / short(1 / F.scale, 7),
  ),
  mean({ code: named, what: 'a mean by a 49th of 8 bits' }, short(1 / 49, 8)),
  sum(
    { code: rounded, what: 'all scales in float16', also: [scale] },
    [A, B].map((own) => short(own.scale, 11) / short(Y.scale, 11)),
  ),
  // real scales
  product({ code: scale, what: 'a product, 1.3 % off' }, (real) => real / 1.013),
  sum(
    { code: scale, what: 'a sum, 0.7 % off' },
    reals.map((real) => real / 1.007),
  ),
  unary({ code: scale, what: 'a hardswish, 2.3 % off' }, 'hardswish', (x) => (x * gate(x)) / 6, F.scale * 1.023),
];

export const NEARLY: readonly TensorScene[] = [
  mean({ code: 'float-arithmetic', what: 'a mean by a 49th of 9 bits' }, short(1 / 49, 9)),
  ...[scale, 'input-scale-wrong', named].map((own) =>
    unary({ code: own, what: 'the code next to a border falls to its other side' }, 'hardswish', (x) => {
      const steps = hardswish(x);
      return F.scale * (steps + (x === nearest ? 2 * (Math.floor(steps) + 0.5 - steps) : 0));
    }),
  ),
  sum(
    { code: rounded, what: 'scales of no few bits' },
    reals.map((real, i) => real * [1.00713, 0.99351][i]),
  ),
];
