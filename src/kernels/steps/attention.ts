/** softmax(q k^T * scale) v of floats, whole or block by block: sums in any order, exp of 20 units in the last place. */
import type { NumericArray } from '../../nouns/array.js';
import type { AttentionAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { floor } from '../../numeric/round.js';
import { boundedReals, UNIT, within } from './bounded.js';
import { boundedSteps } from './tensor.js';

export const attentionOfFloats: TensorSteps = boundedSteps('softmax(q k^T * scale) v, float32', (call) => {
  const [q, , v] = call.inputs.map(({ shape }) => shape.dims);
  const [queries, width] = [q.at(-2)!, v.at(-1)!];
  const rows = call.inputs[0].data.length / q.at(-1)!;
  const length = rows * width;
  const [exact, errors] = [new Float64Array(length), new Float64Array(length)];
  for (let row = 0; row < rows; row++) {
    const matrix = floor(row / queries);
    const { weights, error } = weightsOf(call, row, matrix);
    addWeighted([exact, errors], row * width, weights, call.inputs[2].data, matrix * v.at(-2)! * width, width);
    for (let i = row * width; i < (row + 1) * width; i++) errors[i] *= error;
  }
  return boundedReals(length, (i) => within(exact[i], errors[i]));
});

/** The sums of a query, and those of magnitudes: value by value, so that each is read along its features. 2000 places took 100 ns a product. */
function addWeighted(
  [sums, magnitudes]: readonly [Float64Array, Float64Array],
  at: number,
  weights: Float64Array,
  values: NumericArray,
  from: number,
  width: number,
): void {
  for (let k = 0, i = from; k < weights.length; k++) {
    const weight = weights[k];
    for (let n = at; n < at + width; n++, i++) {
      const term = weight * values[i];
      sums[n] += term;
      magnitudes[n] += Math.abs(term);
    }
  }
}

/** Of a query: the weight of each value, and how far they may be off, relatively. */
function weightsOf(call: TensorCall, row: number, matrix: number): { weights: Float64Array; error: number } {
  const { scale, isCausal } = call.attributes as AttentionAttributes;
  const [q, k] = call.inputs;
  const [depth, keys] = [q.shape.dims.at(-1)!, k.shape.dims.at(-2)!];
  const seen = isCausal ? Math.min(keys, (row % q.shape.dims.at(-2)!) + 1) : keys;
  const scores = new Float64Array(seen);
  let off = 0;
  for (let key = 0; key < seen; key++) {
    const [score, magnitude] = scoreOf(q.data, row * depth, k.data, (matrix * keys + key) * depth, depth, scale);
    scores[key] = score;
    off = Math.max(off, magnitude * (depth + 8) * UNIT);
  }
  const max = largestOf(scores);
  const exps = scores.map((score) => Math.exp(score - max));
  const sum = exps.reduce((total, e) => total + e, 0);
  // a score that is off by e makes its exp off by e, relatively, and the sum as well
  return {
    weights: exps.map((e) => e / sum),
    error: 4 * off + (3 * seen + 128 + 4 * (max - smallestOf(scores))) * UNIT,
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
