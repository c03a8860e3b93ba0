/**
 * Functions of float values, within the errors that were measured of LiteRT's four runtimes against float64: LOGISTIC 8.2 units of
 * 2^-24 (builtin), EXP 0.8 times the exponent (XNNPACK); what PyTorch's share with them is in pyTorchFloats.ts, of 9 units.
 */
import type { Bounded, TensorSteps } from '../../../nouns/kernel.js';
import { float32s } from '../../../numeric/array.js';
import { float32AtLeast } from '../../../numeric/float.js';
import { sizeOf } from '../../../tensor/shape.js';
import { boundedReals, sumInAnyOrder, UNIT, within } from '../bounded.js';
import { softmaxOfFloats } from '../floatAxes.js';
import { boundedSteps, withoutTflites } from '../tensor.js';
import { matmulPlaces } from './matmul.js';

/** errorOf: how far it may be off, in units of 2^-24. */
function near(
  equation: string,
  exactOf: (x: number) => number,
  errorOf: (exact: number, x: number) => number,
): TensorSteps {
  return boundedSteps(`${equation}, float32`, ({ inputs: [{ data }] }) =>
    boundedReals(data.length, (i) => {
      const exact = exactOf(data[i]);
      return within(exact, Math.abs(errorOf(exact, data[i])) * UNIT);
    }),
  );
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

export const logisticOfFloats = near('1 / (1 + exp(-x))', logistic, (y) => 16 * y);

/** Behind a bound it is exp(x), 2070 units off at -9, and behind another 1. */
export const logisticOfFloatsReference = near(
  'x < -9 ? exp(x) : x > 16.619 ? 1 : 1 / (1 + exp(-x))',
  (x) => (x < -9 ? Math.exp(x) : x > 16.619047 ? 1 : logistic(x)),
  (y) => 16 * y,
);

/** XNNPACK reduces the argument in one step, and is infinite from 2^127.5 on. */
export const expOfFloats = near('exp(x)', Math.exp, (y, x) =>
  y < 2 ** 127.5 ? (16 + Math.abs(x)) * y : Number.POSITIVE_INFINITY,
);

/** What XNNPACK loses of exponentials before it divides: up to 2^-124 where the largest is 1. */
const LOST = 2 ** -123;

const softmax = withoutTflites(softmaxOfFloats);

export const softmaxOfFloatsTflite: TensorSteps = {
  ...softmax,
  run(call) {
    const { data, low, high } = softmax.run(call) as Bounded;
    return {
      data,
      low: float32s(low, (y) => float32AtLeast(y - LOST)),
      high: float32s(high, (y) => -float32AtLeast(-y - LOST)),
    };
  },
};

/** Near 1 XNNPACK's is as far off as elsewhere. */
export const logOfFloats = near('log(x)', Math.log, (y) => 16 * Math.abs(y) + 8);

/** XNNPACK adds 1/2 to x / 6. */
export const hardSwishOfFloats = near(
  'x * min(max(x + 3, 0), 6) / 6',
  (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  (_, x) => 8 * Math.abs(x) * Math.min(1, Math.abs(x) / 6 + 0.5),
);

export const matmulOfFloatsTflite: TensorSteps = boundedSteps('sum of a * b, float32 in any order', (call) => {
  const [a, b] = call.inputs;
  const places = matmulPlaces(call);
  const [innerA, innerB] = places.inner;
  const [size, sizeA, sizeB] = [call.output, a, b].map(({ shape }) => sizeOf(shape.dims));
  return boundedReals(call.samples * size, (i) => {
    const [sample, place] = [Math.floor(i / size), i % size];
    const [fromA, fromB] = [sample * sizeA + places.a[place], sample * sizeB + places.b[place]];
    let [sum, magnitudes] = [0, 0];
    for (let k = 0; k < places.depth; k++) {
      const product = a.data[fromA + k * innerA] * b.data[fromB + k * innerB];
      sum += product;
      magnitudes += Math.abs(product);
    }
    const { low, near: exact, high } = sumInAnyOrder(sum, magnitudes, places.depth + 1);
    return within(exact, (high - low) / 2);
  });
});
