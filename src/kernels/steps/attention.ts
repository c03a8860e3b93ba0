/** softmax(q k^T * scale) v of floats, whole or block by block: sums in any order, exp of 20 units in the last place. */
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
    for (let n = 0; n < width; n++) {
      let [sum, magnitude] = [0, 0];
      for (const [k, weight] of weights.entries()) {
        const term = weight * call.inputs[2].data[(matrix * v.at(-2)! + k) * width + n];
        sum += term;
        magnitude += Math.abs(term);
      }
      [exact[row * width + n], errors[row * width + n]] = [sum, magnitude * error];
    }
  }
  return boundedReals(length, (i) => within(exact[i], errors[i]));
});

/** Of a query: the weight of each value, and how far they may be off, relatively. */
function weightsOf(call: TensorCall, row: number, matrix: number): { weights: number[]; error: number } {
  const { scale, isCausal } = call.attributes as AttentionAttributes;
  const [q, k] = call.inputs;
  const [depth, keys] = [q.shape.dims.at(-1)!, k.shape.dims.at(-2)!];
  const seen = isCausal ? Math.min(keys, (row % q.shape.dims.at(-2)!) + 1) : keys;
  let off = 0;
  const scores = Array.from({ length: seen }, (_, key) => {
    let [sum, magnitude] = [0, 0];
    for (let d = 0; d < depth; d++) {
      const product = q.data[row * depth + d] * k.data[(matrix * keys + key) * depth + d] * scale;
      sum += product;
      magnitude += Math.abs(product);
    }
    off = Math.max(off, magnitude * (depth + 8) * UNIT);
    return sum;
  });
  const max = largestOf(scores);
  const exps = scores.map((score) => Math.exp(score - max));
  const sum = exps.reduce((total, e) => total + e, 0);
  // a score that is off by e makes its exp off by e, relatively, and the sum as well
  return {
    weights: exps.map((e) => e / sum),
    error: 4 * off + (3 * seen + 128 + 4 * (max - smallestOf(scores))) * UNIT,
  };
}
