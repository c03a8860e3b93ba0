/** PyTorch on floats along an axis: softmax, its logarithm, and halves; exp and sums in any order, known within a bound. */
import type { AxisAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import { largestOf } from '../../numeric/extremes.js';
import { floor } from '../../numeric/round.js';
import { linesAlong } from '../../tensor/axes.js';
import { sizeOf } from '../../tensor/shape.js';
import { boundedReals, UNIT, within } from './bounded.js';
import { boundedSteps } from './tensor.js';

/** What each value becomes, of those along an axis. error: in units of the last place of 1. */
function alongAxis(
  equation: string,
  of: (line: readonly number[]) => (x: number, k: number) => [exact: number, error: number],
) {
  return boundedSteps(`${equation}, float32`, (call) => {
    const [{ data, shape }] = call.inputs;
    const { count, step } = linesAlong((call.attributes as AxisAttributes).dim, shape);
    const [exact, errors] = [new Float64Array(data.length), new Float64Array(data.length)];
    for (let i = 0; i < data.length; i++) {
      if (floor(i / step) % count !== 0) continue;
      const line = Array.from({ length: count }, (_, k) => data[i + k * step]);
      const apply = of(line);
      for (const [k, x] of line.entries()) [exact[i + k * step], errors[i + k * step]] = apply(x, k);
    }
    return boundedReals(data.length, (i) => within(exact[i], errors[i] * UNIT));
  });
}

/** Below its maximum by more, exp is 0 in float32: what -1e9 hides has no part in what rounding leaves open. */
export const FURTHEST = 104;

/** exp of 20 units in the last place, of differences that are rounded. relative, relativeOf: what the sum, and a quotient, may be off by. */
export function exponentials(line: ArrayLike<number>) {
  const max = largestOf(line);
  const below = (x: number) => Math.min(max - x, FURTHEST);
  let [sum, moved] = [0, 0];
  for (let i = 0; i < line.length; i++) {
    const e = Math.exp(line[i] - max);
    sum += e;
    moved += e * below(line[i]);
  }
  const relative = line.length + 96 + (2 * moved) / sum;
  return { max, sum, relative, relativeOf: (x: number) => relative + 2 * below(x) };
}

export const softmaxOfFloats = alongAxis('exp(x - max) / sum of exp(x - max)', (line) => {
  const { max, sum, relativeOf } = exponentials(line);
  return (x) => [Math.exp(x - max) / sum, (Math.exp(x - max) / sum) * relativeOf(x)];
});

export const logSoftmaxOfFloats = alongAxis('x - max - log(sum of exp(x - max))', (line) => {
  const { max, sum, relative } = exponentials(line);
  const log = Math.log(sum);
  return (x) => [x - max - log, relative + 4 * log + 2 * (Math.abs(x) + Math.abs(max))];
});

export const cumsumOfFloats = alongAxis('sum of x up to it', (line) => {
  let [sum, magnitude] = [0, 0];
  const sums = line.map((x, k): [number, number] => {
    sum += x;
    magnitude += Math.abs(x);
    return [sum, magnitude * (k + 4)];
  });
  return (_, k) => sums[k];
});

export const gluOfFloats: TensorSteps = boundedSteps(
  'a / (1 + exp(-b)), of one half a and the other b, float32',
  (call) => {
    const [{ data, shape }] = call.inputs;
    const { count, step } = linesAlong((call.attributes as AxisAttributes).dim, shape);
    const half = (count / 2) * step;
    return boundedReals(call.samples * sizeOf(call.output.shape.dims), (i) => {
      const first = floor(i / half) * 2 * half + (i % half);
      const exact = data[first] / (1 + Math.exp(-data[first + half]));
      return within(exact, Math.abs(exact) * 2 ** -21);
    });
  },
);
