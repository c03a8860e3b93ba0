/** Attention in real numbers, and what is taken for it. */
import type { AttentionAttributes } from '../nouns/attributes.js';
import type { TensorCall } from '../nouns/kernel.js';
import { floor } from '../numeric/round.js';
import type { RealForm, RealValue } from './realForm.js';
import { maskOf } from './steps/attention.js';

/** Of a matrix of scores, queries by keys in rows: what values are weighted with. */
type Weights = (scores: Float64Array, queries: number, keys: number) => Float64Array;

function attentionBy(weights: Weights) {
  return (call: TensorCall): RealValue => {
    const [q, k, v] = call.inputs;
    const [queries, keys, width] = [q.shape.dims.at(-2)!, k.shape.dims.at(-2)!, v.shape.dims.at(-1)!];
    const known = new Map<number, Float64Array>();
    return (i) => {
      const [row, n] = [floor(i / width), i % width];
      const matrix = floor(row / queries);
      const own = known.get(matrix) ?? weights(scoresOf(call, matrix), queries, keys);
      known.set(matrix, own);
      let sum = 0;
      for (let key = 0; key < keys; key++) {
        const weight = own[(row % queries) * keys + key];
        if (weight !== 0) sum += weight * v.data[(matrix * keys + key) * width + n];
      }
      return sum;
    };
  };
}

function scoresOf(call: TensorCall, matrix: number): Float64Array {
  const { scale } = call.attributes as AttentionAttributes;
  const [q, k] = call.inputs;
  const [depth, queries, keys] = [q.shape.dims.at(-1)!, q.shape.dims.at(-2)!, k.shape.dims.at(-2)!];
  const mask = maskOf(call);
  return Float64Array.from({ length: queries * keys }, (_, i) => {
    const [row, key] = [matrix * queries + floor(i / keys), matrix * keys + (i % keys)];
    let sum = 0;
    for (let d = 0; d < depth; d++) sum += q.data[row * depth + d] * k.data[key * depth + d];
    return sum * scale + (mask?.(row, i % keys) ?? 0);
  });
}

const overQueries: Weights = (scores, queries, keys) => {
  const weights = new Float64Array(scores.length);
  for (let key = 0; key < keys; key++) {
    let [max, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let row = 0; row < queries; row++) max = Math.max(max, scores[row * keys + key]);
    for (let row = 0; row < queries; row++) sum += Math.exp(scores[row * keys + key] - max);
    for (let row = 0; row < queries; row++) weights[row * keys + key] = Math.exp(scores[row * keys + key] - max) / sum;
  }
  return weights;
};

export const attention: RealForm = {
  alone: {
    'attention with a softmax over queries, not keys': attentionBy(overQueries),
    'attention without its softmax': attentionBy((scores) => scores),
  },
};
