/** Transposed convolutions of floats against what they are said to do: every place of the input is scattered. */
import { expect, it } from 'vitest';
import { convolutionOfFloats, linearOfFloats } from '../../../src/kernels/steps/floatProducts.js';
import type { TensorCall } from '../../../src/nouns/kernel.js';
import { windowDims } from '../../../src/tensor/patches.js';
import { randomFrom } from '../../diagnose/world.js';

const random = randomFrom(3);
const floats = (count: number) => Float32Array.from({ length: count }, () => random.integer(-128, 127) / 64);

it.each([
  { groups: 1, stride: 2, padding: 1, dilation: 1, added: 1 },
  { groups: 2, stride: 3, padding: 0, dilation: 2, added: 0 },
])('%o', ({ groups, stride, padding, dilation, added }) => {
  const [ins, outs, size, kernel] = [4, 6, 5, 3];
  const [own, ownOut] = [ins / groups, outs / groups];
  const window = {
    kernel: [kernel],
    stride: [stride],
    padding: [[padding, padding]],
    dilation: [dilation],
    transposed: [added],
  } as const;
  const [places] = windowDims(window as never, [size]);
  const [x, weight, bias] = [floats(ins * size), floats(outs * own * kernel), floats(outs)];
  const expected = Float64Array.from({ length: outs * places }, (_, i) => bias[Math.floor(i / places)]);
  for (let n = 0; n < outs; n++)
    for (let c = 0; c < own; c++)
      for (let from = 0; from < size; from++)
        for (let k = 0; k < kernel; k++) {
          const to = from * stride - padding + k * dilation;
          const channel = Math.floor(n / ownOut) * own + c;
          const term = x[channel * size + from] * weight[(n * own + c) * kernel + k];
          if (to >= 0 && to < places) expected[n * places + to] += term;
        }
  const shape = (dims: readonly number[]) => ({ dims, channelAxis: 0 });
  const { low, high } = convolutionOfFloats.run({
    inputs: [{ data: x, shape: shape([ins, size]), params: { dtype: 'float32' } }],
    samples: 1,
    attributes: { weights: weight.length, bias, outFeatures: outs, groups, window },
    table: weight,
    activation: 'none',
    output: { shape: shape([outs, places]), params: { dtype: 'float32' } },
  } as unknown as TensorCall) as { low: Float32Array; high: Float32Array };
  expect(new Set(expected).size).toBeGreaterThan(places);
  expected.forEach((value, i) => {
    expect(value).toBeGreaterThanOrEqual(low[i]);
    expect(value).toBeLessThanOrEqual(high[i]);
    expect(high[i] - low[i]).toBeLessThan(1e-4);
  });
});

it.each([
  ['none', [-3, 8]],
  ['relu', [0, 8]],
  ['relu6', [0, 6]],
] as const)('fuses %s', (activation, expected) => {
  const call = {
    inputs: [{ data: Float32Array.of(1, 2), params: { dtype: 'float32' } }],
    attributes: { weights: 4, bias: null, outFeatures: 2 },
    table: Float32Array.of(1, -2, 2, 3),
    activation,
  };
  expect([...(linearOfFloats.run(call as never) as { data: Float32Array }).data]).toEqual(expected);
});
