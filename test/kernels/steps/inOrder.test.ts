/** Steps whose first values are asked for without the others give the same ones. */
import { expect, it } from 'vitest';
import { kernels } from '../../../src/kernels/registry.js';
import type { Bounded, Computed, TensorCall, TensorSteps } from '../../../src/nouns/kernel.js';
import { Random } from '../../fuzz/random.js';

const random = new Random(7);
const params = (scale: number) => ({ dtype: 'uint8', scale, zeroPoint: 120, quantMin: 0, quantMax: 255 }) as const;
const tensorOf = (dims: readonly number[], scale: number) => ({
  data: Uint8Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.below(256)),
  shape: { dims, channelAxis: dims.length - 1 },
  params: params(scale),
  memory: { format: 'contiguous', strides: null },
});

const CALL = {
  attributes: {},
  activation: 'none',
  samples: 1,
  first: 0,
  ofCall: 1,
  inputs: [tensorOf([3, 40, 9], 0.02), tensorOf([3, 9, 50], 0.03)],
  output: { ...tensorOf([3, 40, 50], 0.05), data: undefined },
} as unknown as TensorCall;

const steps = [
  ...new Map(
    kernels
      .map(({ name, ops }) => [ops.matmul as TensorSteps | undefined, name] as const)
      .filter(([own]) => own?.inOrder),
  ),
];

it.each(steps.map(([own, name]) => [name, own!] as const))('%s', (_, own) => {
  const [all, some] = [CALL, { ...CALL, most: 2345 }].map((call) => partsOf(own.run(call)));
  expect(some.map((values) => [...values.subarray(0, 2345)])).toEqual(
    all.map((values) => [...values.subarray(0, 2345)]),
  );
  expect(some[0].subarray(2345).some((code, i) => code !== all[0][2345 + i])).toBe(true);
});

function partsOf(computed: Computed) {
  const { data, low, high } = ('low' in computed ? computed : { data: computed }) as Bounded;
  return [data, low ?? data, high ?? data];
}

it('are some', () => expect(steps.length).toBeGreaterThan(2));
