/** Operands in half precision, or sums that are added in it. */
import { describe, expect, test } from 'vitest';
import { toBFloat16, toFloat16 } from '../../src/numeric/float.js';
import { codesOfReals, convolution, linear, named, type Summed } from './ownSums.js';

type Factors = ReturnType<Summed['factors']>;
type Real = (layer: Summed) => (factors: Factors, channel: number) => number;

const h = toFloat16;
const operands = ({ scales }: Summed, factors: Factors, n: number, to = h) =>
  factors.map(([x, w]) => [to(scales.input * x), to(scales.weights[n] * w)] as const);
const added = (all: readonly (readonly [number, number])[]) => all.reduce((sum, [x, w]) => sum + x * w, 0);

const inFloat32: Real = (layer) => (factors, n) => added(operands(layer, factors, n)) + layer.bias[n];
const inBFloat16: Real = (layer) => (factors, n) => added(operands(layer, factors, n, toBFloat16)) + layer.bias[n];
const givenInHalf: Real = (layer) => (factors, n) => h(h(added(operands(layer, factors, n))) + h(layer.bias[n]));
/** XNNPACK's f16 kernels: a fused multiply-add a product, from the bias on. */
const fused: Real = (layer) => (factors, n) =>
  operands(layer, factors, n).reduce((y, [x, w]) => h(y + x * w), h(layer.bias[n]));
const scaledInHalf: Real =
  ({ scales, bias }) =>
  (factors, n) =>
    h(h(added(factors) * scales.input * scales.weights[n]) + h(bias[n]));

describe.each([
  ['a linear layer', linear(101)],
  ['a convolution of one channel', convolution(102, { inputs: 1, samples: 20 })],
])('of %s', (_, layer) => {
  test.each([
    ['operands in float16', inFloat32, 'float16'],
    ['results in float16 too', givenInHalf, 'float16'],
    ['sums in float16', fused, 'float16'],
    ['scaled in float16', scaledInHalf, 'float16'],
    ['operands in bfloat16', inBFloat16, 'bfloat16'],
  ] as const)('%s', async (_, real, format) => {
    const finding = await named(layer, codesOfReals(layer, real(layer)));
    expect(finding).toMatchObject({
      causes: ['half-precision'],
      evidence: { 'half-precision': { format, of: 'sums' } },
    });
  });
});

test('operands of 12 bits have no such name', async () => {
  const layer = linear(103);
  const unit = (x: number) => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 11);
  const to12 = (x: number) => (x === 0 ? 0 : Math.round(x / unit(x)) * unit(x));
  const real = (factors: Factors, n: number) => added(operands(layer, factors, n, to12)) + layer.bias[n];
  expect((await named(layer, codesOfReals(layer, real)))!.causes).not.toContain('half-precision');
});
