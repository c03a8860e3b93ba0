/** Operators on whole values, under every kernel that has them: what they give is the real number rounded, give or take a tenth of a step, and the last code beyond. */
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

/** All pairs of them; each with itself and all others, where one axis is left. */
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
    // a narrow range: both ends are reached, and 6 within it of what two inputs make
    output: { shape, params: params(dtype, inputs === 2 ? 0.05 : 0.02, lowest + 120), memory },
    ...{ samples: 1, first: 0, ofCall: 1, threads: 1, vectors: 'avx2', host: { cpu: 'fma', version: null } },
    ranAs: { codes: dtype, weights: dtype },
  } as unknown as TensorCall;
}

const OPS: [op: string, inputs: number][] = [
  ...['add', 'sub', 'mul', 'matmul'].map((op): [string, number] => [op, 2]),
  ...['leaky_relu', 'elu', 'hardswish', 'abs'].map((op): [string, number] => [op, 1]),
];

const cases = kernels.flatMap((kernel) =>
  OPS.flatMap(([op, inputs]) => {
    const steps = tensorSteps(kernel, { op });
    if (!steps) return [];
    return (['uint8', 'int8'] as const).flatMap((dtype) =>
      (['none', 'relu', 'relu6'] as const)
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
  const lowest = activation === 'none' ? quantMin : zeroPoint;
  const highest = activation === 'relu6' ? Math.min(quantMax, zeroPoint + 6 / scale) : quantMax;
  let saturated = 0;
  for (let i = 0; i < EACH * EACH; i++) {
    const value = real(i) / scale + zeroPoint;
    // beyond the codes by more than a kernel errs it is the last one, whatever its rounding
    const isBeyond = value < lowest - 1 || value > highest + 1;
    const code = clamp(value, lowest, highest);
    if (isBeyond ? codes[i] !== code : Math.abs(codes[i] - code) >= 0.6) expect([i, codes[i]]).toEqual([i, code]);
    if (isBeyond) saturated++;
  }
  expect(saturated).toBeGreaterThan(0);
});

const reductions = kernels.flatMap((kernel) =>
  ['mean', 'sum'].flatMap((op) => {
    const steps = tensorSteps(kernel, { op });
    const attributes = { dim: [2], keepdim: false };
    return (['uint8', 'int8'] as const).flatMap((dtype) => {
      if (!steps || !takesCodes(steps, [params(dtype, 1, 0)])) return [];
      if (steps.departure === 'kernel-defect' && dtype === 'int8') return [];
      const { inputs, output, ...rest } = callOf(dtype, 2, 'none');
      // rows of codes from the first one to the last, rows of one code
      const data = inputs[0].data.map((code, i) => (i % 2 === 0 ? code : inputs[1].data[i]));
      const [input] = inputs;
      // PyTorch's mean keeps the parameters of its input
      const own = op === 'sum' ? params(dtype, 1.3, dtype === 'int8' ? -8 : 120) : input.params;
      const of = { ...output, shape: { dims: [EACH], channelAxis: 0 }, params: own };
      const call = { ...rest, attributes, inputs: [{ ...input, data }], output: of } as unknown as TensorCall;
      return steps.lacks?.({ attributes, activation: 'none' } as TensorForm)
        ? []
        : [{ kernel: kernel.name, op, dtype, steps, call }];
    });
  }),
);

test.each(reductions)('$op of $dtype under $kernel', ({ op, steps, call }) => {
  const made = steps.run(call);
  const codes = 'data' in made ? made.data : made;
  const [input, output] = [call.inputs[0], call.output].map((value) => value.params as ReturnType<typeof params>);
  const sums = Array.from({ length: EACH }, (_, row) =>
    Array.from(
      call.inputs[0].data.slice(row * EACH, (row + 1) * EACH),
      (code) => input.scale * (code - input.zeroPoint),
    ).reduce((a, b) => a + b),
  );
  const expected = sums.map((sum) =>
    clamp((op === 'mean' ? sum / EACH : sum) / output.scale + output.zeroPoint, output.quantMin, output.quantMax),
  );
  expect(new Set(expected.map(Math.round)).size).toBeGreaterThan(20);
  expect(Array.from(codes)).toEqual(expected.map((value) => expect.closeTo(value, -0.1)));
});

const fusing = kernels.flatMap((kernel) =>
  [
    ...['div', 'maximum', 'minimum', 'squared_difference', 'cat'].map((op): [string, number] => [op, 2]),
    ...['add_scalar', 'mul_scalar'].map((op): [string, number] => [op, 1]),
  ].flatMap(([op, inputs]) => {
    const steps = tensorSteps(kernel, { op });
    const call = callOf('int8', inputs, 'relu');
    const all = { ...call, attributes: { dim: 2, other: -1 } } as unknown as TensorCall;
    const wide = { ...call.output, shape: { dims: [EACH, 2 * EACH], channelAxis: 0 } };
    const isAsked =
      steps &&
      takesCodes(steps, [params('int8', 1, 0)]) &&
      !steps.lacks?.({ attributes: {}, activation: 'relu' } as TensorForm);
    return isAsked ? [{ kernel: kernel.name, op, steps, call: op === 'cat' ? { ...all, output: wide } : all }] : [];
  }),
);

test.each(fusing)('$op under $kernel: a ReLU that is taken takes away what is below 0', ({ steps, call }) => {
  const made = steps.run(call);
  const { zeroPoint } = call.output.params as ReturnType<typeof params>;
  expect(Math.min(...('data' in made ? made.data : made))).toBeGreaterThanOrEqual(zeroPoint);
});
