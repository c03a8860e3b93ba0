/** Whole values that a candidate rounds down or cuts off, with a number of its own besides. */
import { roundHalfEven, truncate } from '../../src/numeric/round.js';
import type { TensorScene } from './tensorScenes.js';
import { randomFrom } from './world.js';

interface Params {
  readonly dtype: 'uint8' | 'int8';
  readonly scale: number;
  readonly zero_point: number;
}

const random = randomFrom(43);
/** Drawn once: no number here was chosen for what it gives. */
const drawn = (least: number, most: number) => Math.fround(least + (most - least) * random.uniform());
const params = (dtype: Params['dtype'], scale: number, zero_point: number): Params => ({ dtype, scale, zero_point });

const TFLITE = { framework: 'tflite', kernel: 'tflite-reference' };
const SHAPE = [8, 5, 6];
const ROUNDINGS = { 'rounding-floor': Math.floor, 'rounding-truncate': truncate } as const;

interface Op {
  readonly op: string;
  readonly fields?: object;
  readonly of: (...x: readonly number[]) => number;
  readonly inputs: readonly [Params, ...Params[]];
  readonly output: Params;
  /** Absent: PyTorch. */
  readonly producer?: object;
}

const [A, B] = [params('uint8', drawn(0.02, 0.05), 101), params('uint8', drawn(0.02, 0.05), 90)];
const C = params('uint8', drawn(0.02, 0.04), 117);
const OPS: readonly Op[] = [
  {
    op: 'add',
    of: (a, b) => a + b,
    inputs: [A, B],
    output: params('uint8', drawn(0.05, 0.08), 77),
  },
  {
    op: 'mul',
    of: (a, b) => a * b,
    inputs: [A, B],
    output: params('uint8', drawn(0.08, 0.12), 121),
  },
  {
    op: 'hardswish',
    of: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    inputs: [C],
    output: params('uint8', drawn(0.01, 0.02), 60),
    producer: TFLITE,
  },
  {
    op: 'leaky_relu',
    fields: { negative_slope: 0.25 },
    of: (x) => (x > 0 ? x : 0.25 * x),
    inputs: [C],
    output: params('uint8', drawn(0.015, 0.03), 60),
    producer: TFLITE,
  },
];

/** With another number, what a candidate reads and writes. */
const NUMBERS = {
  'output-scale-wrong': (inputs: Op['inputs'], output: Params) => ({
    inputs,
    output: { ...output, scale: 2 * output.scale },
  }),
  'output-zero-point-wrong': (inputs: Op['inputs'], output: Params) => ({
    inputs,
    output: { ...output, zero_point: 5 },
  }),
  'input-scale-wrong': ([first, ...rest]: Op['inputs'], output: Params) => ({
    inputs: [{ ...first, scale: 1.3 * first.scale }, ...rest] as const,
    output,
  }),
};

function scene(
  { op, fields, of, inputs, output, producer }: Op,
  number: keyof typeof NUMBERS,
  round: keyof typeof ROUNDINGS,
): TensorScene {
  const own = NUMBERS[number](inputs, output);
  return {
    code: `${round}+${number}`,
    what: `${op} of a candidate`,
    layer: { op, input: inputs.map((_, i) => `x${i}`), ...fields, output },
    inputs: inputs.map((each) => ({ ...each, shape: SHAPE })),
    output: SHAPE,
    wrong: (x, right) =>
      Array.from(right, (_, i) => {
        const real = of(...own.inputs.map(({ scale, zero_point }, n) => scale * (x[n][i] - zero_point)));
        const code = ROUNDINGS[round](real / own.output.scale) + own.output.zero_point;
        return Math.min(255, Math.max(0, code));
      }),
    ...(op === 'leaky_relu' && { also: [] }), // of what is linear, either scale
    ...(producer && { producer }),
  };
}

export const RAISED: readonly TensorScene[] = OPS.flatMap((op) =>
  (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).flatMap((number) => {
    // of a product the scales of what is read and written are one number
    if (op.op === 'mul' && number === 'input-scale-wrong') return [];
    return (Object.keys(ROUNDINGS) as (keyof typeof ROUNDINGS)[]).map((round) => scene(op, number, round));
  }),
);

// ---------------------------------------------------------------- ties of a resize

const [CHANNELS, FROM, TO] = [4, 6, 12];
/** Half-pixel, in float64. */
function sampled(size: number, to: number, place: number): readonly [low: number, high: number, share: number] {
  const at = Math.max(0, ((place + 0.5) * size) / to - 0.5);
  const low = Math.floor(at);
  return [low, Math.min(low + 1, size - 1), at - low];
}

type Real = (v: number) => number;

/** Of codes less `zeroPoint`; first: what becomes of each row. */
const doubled =
  (first: Real, last: Real, zeroPoint = 0): TensorScene['wrong'] =>
  ([x], right) =>
    Array.from(right, (_, i) => {
      const plane = Math.floor(i / TO ** 2) * FROM ** 2;
      const [top, bottom, down] = sampled(FROM, TO, Math.floor(i / TO) % TO);
      const [left, beside, along] = sampled(FROM, TO, i % TO);
      const code = (row: number, column: number) => x[plane + row * FROM + column] - zeroPoint;
      const of = (row: number) => first((1 - along) * code(row, left) + along * code(row, beside));
      return Math.min(255, Math.max(0, last((1 - down) * of(top) + down * of(bottom)) + zeroPoint));
    });

function resize(code: string, what: string, wrong: TensorScene['wrong']): TensorScene {
  const layer = { op: 'interpolate', input: ['x0'], size: [TO, TO], mode: 'bilinear' };
  return { code, what, layer, inputs: [{ ...A, shape: [CHANNELS, FROM, FROM] }], output: [CHANNELS, TO, TO], wrong };
}

/** PyTorch adds the zero point to a float and rounds that; numpy's rint of the difference has another tie where it is odd. */
export const TIES_OF_A_RESIZE = resize(
  'zero-point-before-rounding',
  'a bilinear resize of a script: no result in half precision',
  doubled((v) => v, roundHalfEven, A.zero_point),
);

const cutTwice = doubled(Math.floor, Math.floor);
export const TWO_PASSES = resize('rounding-twice', 'a bilinear resize in two passes of codes', cutTwice);
export const NEARLY_TWO_PASSES = resize('rounding-twice', 'a third of the values are of two passes', (x, right) =>
  Array.from(cutTwice(x, right), (own, i) => (i % 3 === 0 ? own : right[i])),
);
