/** Two operands taken with each other's numbers, by another operator, or with a scale that is left out; and what looks like it. */
import type { NumericArray } from '../../src/nouns/array.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import type { TensorScene } from './tensorScenes.js';

interface Params {
  readonly dtype: 'uint8';
  readonly scale: number;
  readonly zero_point: number;
}

const params = (scale: number, zero_point: number): Params => ({ dtype: 'uint8', scale, zero_point });
const [A, B, Y] = [params(0.0487, 101), params(0.0213, 90), params(0.1, 77)];
const IMAGE = [5, 7, 4];
const clamped = (v: number) => Math.min(255, Math.max(0, v));

const real = (q: number, { scale, zero_point }: Params) => scale * (q - zero_point);
const written = (v: number, { scale, zero_point } = Y) => clamped(roundHalfEven(v / scale) + zero_point);
const relu = (v: number) => Math.max(0, v);

/** Of two operands, each in real numbers. */
function ofTwo(
  op: 'add' | 'mul',
  scene: Pick<TensorScene, 'code' | 'what' | 'evidence' | 'producer'>,
  combine: (a: number, b: number) => number,
  [a, b, y]: readonly Params[] = [A, B, Y],
): TensorScene {
  return {
    ...scene,
    layer: { op, input: ['x0', 'x1'], output: Y },
    inputs: [A, B].map((own) => ({ ...own, shape: IMAGE })),
    output: IMAGE,
    wrong: ([x, z]) => Array.from(x, (q, i) => written(combine(real(q, a), real(z[i], b)), y)),
  };
}

const function_ = (name: string) => ({ code: 'table-entry', what: `another operator: ${name}` });

function joined(scene: Pick<TensorScene, 'code' | 'what' | 'evidence'>, own: readonly Params[]): TensorScene {
  const wrong = ([x, z]: readonly NumericArray[]) => {
    const codes: number[] = [];
    for (let sample = 0; sample * 24 < x.length; sample++) {
      for (const q of x.subarray(sample * 24, sample * 24 + 24)) codes.push(written(real(q, own[0])));
      for (const q of z.subarray(sample * 16, sample * 16 + 16)) codes.push(written(real(q, own[1])));
    }
    return codes;
  };
  const layer = { op: 'cat', input: ['x0', 'x1'], dim: 1, output: Y };
  const inputs = [
    { ...A, shape: [3, 8] },
    { ...B, shape: [2, 8] },
  ];
  return { ...scene, layer, inputs, output: [5, 8], wrong };
}

const sum = (a: number, b: number) => a + b;
const product = (a: number, b: number) => a * b;

export const RAISED: readonly TensorScene[] = [
  ofTwo('add', function_('b - a'), (a, b) => b - a),
  ofTwo('add', function_('a * b'), product),
  ofTwo('add', function_('the larger of two'), Math.max),
  ofTwo('add', function_('relu(a) + b'), (a, b) => relu(a) + b),
  ofTwo('add', function_('a + relu(b)'), (a, b) => a + relu(b)),
  ofTwo('add', function_('relu(a) + relu(b)'), (a, b) => relu(a) + relu(b)),
  ofTwo('mul', function_('a + b'), sum),
  ofTwo('mul', { code: 'rescale-missing', what: 'codes multiplied, and the product not scaled' }, product, [
    { ...A, scale: 1 },
    { ...B, scale: 1 },
    { ...Y, scale: 1 },
  ]),
  ofTwo('add', { code: 'output-scale-wrong', what: 'a sum not divided by the scale of the output' }, sum, [
    A,
    B,
    { ...Y, scale: 1 },
  ]),
  {
    ...ofTwo('add', { code: 'rounding-truncate', what: '(int)(v + 0.5)' }, sum),
    wrong: ([x, z]) =>
      Array.from(x, (q, i) => clamped(Math.trunc((real(q, A) + real(z[i], B)) / Y.scale + 0.5) + Y.zero_point)),
  },
  {
    ...ofTwo(
      'mul',
      { code: 'rescale-missing', what: 'codes of the second input copied', evidence: { inputs: [1] } },
      product,
    ),
    wrong: ([, z]) => z,
  },
  joined({ code: 'rescale-missing', what: 'both inputs of cat with all of the other', evidence: { inputs: [0, 1] } }, [
    B,
    A,
  ]),
  joined(
    {
      code: 'rescale-missing',
      what: 'the second input of cat with all of the first',
      evidence: { inputs: [1], scale_of: 0 },
    },
    [A, A],
  ),
];

export const NEARLY: readonly TensorScene[] = [
  ofTwo('add', { code: 'table-entry', what: 'a + 0.9 * relu(b)' }, (a, b) => a + 0.9 * relu(b)),
  {
    ...ofTwo('mul', { code: 'rescale-missing', what: 'codes of the second input copied, all but one' }, product),
    wrong: ([, z], right) => Array.from(z, (q, i) => (i === 9 ? right[i] : q)),
  },
  joined({ code: 'input-scale-wrong', what: 'nothing of the second input of cat' }, [A, { ...B, scale: 0 }]),
];

/** A script in floats, where the runtime has integers. */
export const BESIDE_FLOATS: readonly TensorScene[] = (['add', 'mul'] as const).map((op) =>
  ofTwo(
    op,
    {
      code: 'output-zero-point-wrong',
      what: `${op} in floats, without the output's zero point`,
      producer: { framework: 'tflite', kernel: 'tflite-reference' },
    },
    op === 'add' ? sum : product,
    [A, B, { ...Y, zero_point: 0 }],
  ),
);
