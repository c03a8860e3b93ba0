/** softmax(q k^T * scale + mask) v of floats, whole or block by block: sums in any order, exp of 20 units in the last place. */
import type { NumericArray } from '../../nouns/array.js';
import type { AttentionAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { boundedReals, type Near, UNIT, within } from './bounded.js';
import { exponentials } from './floatAxes.js';
import { boundedSteps } from './tensor.js';

export const attentionOfFloats: TensorSteps = boundedSteps('softmax(q k^T * scale + mask) v, float32', (call) => {
  const [q, , v] = call.inputs.map(({ shape }) => shape.dims);
  const [queries, width] = [q.at(-2)!, v.at(-1)!];
  const rows = call.inputs[0].data.length / q.at(-1)!;
  const length = rows * width;
  const [exact, errors] = [new Float64Array(length), new Float64Array(length)];
  const mask = maskOf(call);
  const values = call.inputs[2].data;
  const size = v.at(-2)! * width;
  for (let row = 0; row < rows; row++) {
    const matrix = floor(row / queries);
    const weights = weightsOf(call, row, matrix, mask);
    addWeighted([exact, errors], row * width, weights, values, matrix * size, width);
  }
  const ranges = Array.from({ length: rows / queries }, (_, matrix) =>
    rangesOf(values.subarray(matrix * size, (matrix + 1) * size), width),
  );
  return boundedReals(length, (i) => {
    const { low, near, high } = within(exact[i], errors[i]);
    const range = ranges[floor(i / (queries * width))][i % width];
    return { low: Math.max(low, range.low), near, high: Math.min(high, range.high) };
  });
});

/** Weights are positive and sum to 1: of each feature, what no result lies beyond, however open the scores are. */
function rangesOf(values: NumericArray, width: number): Omit<Near, 'near'>[] {
  const keys = values.length / width;
  return Array.from({ length: width }, (_, n) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = n; i < values.length; i += width) {
      if (values[i] < least) least = values[i];
      if (values[i] > most) most = values[i];
    }
    const error = (2 * keys + 32) * UNIT * Math.max(Math.abs(least), Math.abs(most));
    return { low: least - error, high: most + error };
  });
}

/** What is added to the score of a query and a key. */
type Mask = (row: number, key: number) => number;

export function maskOf({ inputs, attributes }: TensorCall): Mask | null {
  const { isCausal, mask } = attributes as AttentionAttributes;
  const [q, k, , given] = inputs;
  const [queries, keys] = [q.shape.dims.at(-2)!, k.shape.dims.at(-2)!];
  const causal: Mask = (row, key) => (key > row % queries ? Number.NEGATIVE_INFINITY : 0);
  if (!given || mask === 'none') return isCausal ? causal : null;
  const index = broadcastIndex(given.shape.dims, [...q.shape.dims.slice(0, -1), keys]);
  const at: Mask = (row, key) => given.data[index(row * keys + key)];
  const own: Mask =
    mask === 'added' ? at : (row, key) => ((at(row, key) === 0) === (mask === 'chosen') ? Number.NEGATIVE_INFINITY : 0);
  return isCausal ? (row, key) => own(row, key) + causal(row, key) : own;
}

/** Of a query: the weight of each value, and how far each may be off, relatively. */
interface Weights {
  readonly weights: Float64Array;
  readonly errors: Float64Array;
}

/** The sums of a query, and their errors: value by value, so that each is read along its features. 2000 places took 100 ns a product. */
function addWeighted(
  [sums, errors]: readonly [Float64Array, Float64Array],
  at: number,
  { weights, errors: relative }: Weights,
  values: NumericArray,
  from: number,
  width: number,
): void {
  for (let k = 0, i = from; k < weights.length; k++) {
    const [weight, error] = [weights[k], relative[k]];
    if (weight === 0) {
      i += width;
      continue;
    }
    for (let n = at; n < at + width; n++, i++) {
      const term = weight * values[i];
      sums[n] += term;
      errors[n] += Math.abs(term) * error;
    }
  }
}

function weightsOf(call: TensorCall, row: number, matrix: number, mask: Mask | null): Weights {
  const { scale } = call.attributes as AttentionAttributes;
  const [q, k] = call.inputs;
  const [depth, keys] = [q.shape.dims.at(-1)!, k.shape.dims.at(-2)!];
  const [scores, off] = [new Float64Array(keys), new Float64Array(keys)];
  for (let key = 0; key < keys; key++) {
    const added = mask ? mask(row, key) : 0;
    scores[key] = added;
    if (added === Number.NEGATIVE_INFINITY) continue;
    const [score, magnitude] = scoreOf(q.data, row * depth, k.data, (matrix * keys + key) * depth, depth, scale);
    const error = magnitude * (depth + 8) * UNIT;
    scores[key] = mask ? f32(added + score) : score;
    // where all that the score may be is rounded to one number beside -1e9, that is what it is
    off[key] = mask ? f32(added + score + error) - f32(added + score - error) : error;
  }
  const { max, sum, relativeOf } = exponentials(scores);
  // a query that sees no key is given 0
  if (max === Number.NEGATIVE_INFINITY) return { weights: new Float64Array(keys), errors: off };
  const weights = scores.map((score) => Math.exp(score - max) / sum);
  // a score that is off by e makes its exp off by e, relatively, and the sum by what each is off times its weight
  const ofSum = weights.reduce((total, weight, key) => total + (weight === 0 ? 0 : weight * off[key]), 0);
  return {
    weights,
    errors: scores.map((score, key) => 2 * (off[key] + ofSum) + (2 * keys + 32 + 2 * relativeOf(score)) * UNIT),
  };
}

/** And the sum of its magnitudes. */
function scoreOf(
  query: NumericArray,
  ofQuery: number,
  key: NumericArray,
  ofKey: number,
  depth: number,
  scale: number,
): readonly [number, number] {
  let [sum, magnitude] = [0, 0];
  for (let d = 0; d < depth; d++) {
    const product = query[ofQuery + d] * key[ofKey + d] * scale;
    sum += product;
    magnitude += Math.abs(product);
  }
  return [sum, magnitude];
}
