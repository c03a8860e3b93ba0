/** softmax(q k^T * scale) v of floats: [..., places, features] each; a fourth input is a mask of queries by keys. */
import * as z from 'zod/mini';
import type { AttentionAttributes } from '../nouns/attributes.js';
import { dimsText, sameDims } from '../tensor/shape.js';
import { layerFields, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op } from './op.js';

export const scaledDotProductAttention: Op = {
  name: 'scaled_dot_product_attention',
  called: 'attention',
  schema: () =>
    z.object({
      ...layerFields,
      scale: z.number(),
      is_causal: z.optional(z.boolean()),
      mask: z.optional(z.enum(['added', 'chosen'])),
      output: outputSchema,
    }),
  inputs: [3, 4],
  needs: ['scale', 'output'],
  channels: 'input',
  dims({ inputs }) {
    const [q, k, v, mask] = inputs.map(({ shape }) => shape.dims);
    const outer = [q, k, v].map((dims) => dims.slice(0, -2));
    const fits = q.length > 1 && outer.every((dims) => sameDims(dims, outer[0])) && q.at(-1) === k.at(-1);
    if (fits && k.at(-2) === v.at(-2)) {
      const scores = [...q.slice(0, -1), k.at(-2)!];
      if (!mask || isOf(mask, scores)) return [...q.slice(0, -1), v.at(-1)!];
      return `expected a mask of queries by keys ${dimsText(scores)}, or sizes of 1 that are broadcast, got ${dimsText(mask)}`;
    }
    return `expected queries, keys and values of one shape but for their places, got ${[q, k, v].map(dimsText).join(', ')}`;
  },
  terms: ([, { dims }]) => 2 * dims.at(-2)!,
  read({ fields, output }) {
    if (!fields || !output) return null;
    const {
      scale,
      is_causal,
      mask = 'added',
    } = fields as {
      scale: number;
      is_causal?: boolean;
      mask?: 'added' | 'chosen';
    };
    return { form: tensorForm({ scale, isCausal: is_causal === true, mask } satisfies AttentionAttributes), output };
  },
};

function isOf(mask: readonly number[], scores: readonly number[]): boolean {
  const missing = scores.length - mask.length;
  return missing >= 0 && mask.every((size, i) => size === 1 || size === scores[missing + i]);
}
