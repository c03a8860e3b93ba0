/** Operators on whole values, under every kernel that has them: what they give is the real number to within two steps, and the last code beyond. */
import { expect, test } from 'vitest';
import { takesCodes, tensorSteps } from '../../src/kernels/kernel.js';
import { realFormOf } from '../../src/kernels/reals.js';
import { kernels } from '../../src/kernels/registry.js';
import type { TensorForm } from '../../src/nouns/model.js';
import type { TensorCall } from '../../src/nouns/tensorCall.js';
import { clamp } from '../../src/numeric/integer.js';
import { params } from './layers.js';

const memory = { format: 'contiguous', strides: null } as const;
/** Every fifth code, the first and the last among them. */
const EACH = 52;
const shape = { dims: [EACH, EACH], channelAxis: 0 };

/** All pairs of them. */
function callOf(dtype: 'uint8' | 'int8', inputs: number, activation: TensorCall['activation']): TensorCall {
  const lowest = dtype === 'int8' ? -128 : 0;
  const codes = [(i: number) => Math.floor(i / EACH), (i: number) => i % EACH].slice(0, inputs);
  const data = codes.map((code) => Int32Array.from({ length: EACH * EACH }, (_, i) => 5 * code(i) + lowest));
  const scales = [0.03, 0.05];
  return {
    attributes: { negativeSlope: 0.1, other: 2, alpha: 1, scale: 1, inputScale: 1, lower: -1, upper: 1 },
    activation,
    inputs: data.map((own, i) => ({
      data: own,
      shape,
      params: params(dtype, scales[i], lowest + 117 + 5 * i),
      memory,
    })),
    // a narrow range: both ends are reached
    output: { shape, params: params(dtype, 0.02, lowest + 120), memory },
    ...{ samples: 1, first: 0, ofCall: 1, threads: 1, vectors: 'avx2', host: { cpu: 'fma', version: null } },
    ranAs: { codes: dtype, weights: dtype },
  } as unknown as TensorCall;
}

const OPS: [op: string, inputs: number][] = [
  ...['add', 'sub', 'mul'].map((op): [string, number] => [op, 2]),
  ...['leaky_relu', 'elu', 'hardswish', 'abs'].map((op): [string, number] => [op, 1]),
];

const cases = kernels.flatMap((kernel) =>
  OPS.flatMap(([op, inputs]) => {
    const steps = tensorSteps(kernel, { op });
    if (!steps) return [];
    return (['uint8', 'int8'] as const).flatMap((dtype) =>
      (['none', 'relu'] as const)
        .map((activation) => ({
          kernel: kernel.name,
          op,
          dtype,
          activation,
          steps,
          call: callOf(dtype, inputs, activation),
        }))
        .filter(({ call, activation }) => {
          const { attributes } = call;
          const isAsked = inputs === 2 || activation === 'none';
          return (
            isAsked &&
            takesCodes(steps, [params(dtype, 1, 0)]) &&
            !steps.lacks?.({ attributes, activation } as TensorForm)
          );
        }),
    );
  }),
);

test.each(cases)('$op of $dtype, activation $activation, under $kernel', ({ op, activation, steps, call }) => {
  const made = steps.run(call);
  const codes = 'data' in made ? made.data : made;
  const real = realFormOf(op)!.value!(call);
  const { scale, zeroPoint, quantMin, quantMax } = call.output.params as ReturnType<typeof params>;
  const lowest = activation === 'relu' ? zeroPoint : quantMin;
  let saturated = 0;
  for (let i = 0; i < EACH * EACH; i++) {
    const value = real(i) / scale + zeroPoint;
    // beyond the codes by more than a kernel errs it is the last one, whatever its rounding
    const isBeyond = value < lowest - 2 || value > quantMax + 2;
    const code = clamp(value, lowest, quantMax);
    if (isBeyond ? codes[i] !== code : Math.abs(codes[i] - code) >= 2) expect([i, codes[i]]).toEqual([i, code]);
    if (isBeyond) saturated++;
  }
  expect(saturated).toBeGreaterThan(0);
});
