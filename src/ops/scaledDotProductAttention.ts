/** softmax(q k^T * scale) v of floats: [..., places, features] each, without a mask of one's own. */
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
    z.object({ ...layerFields, scale: z.number(), is_causal: z.optional(z.boolean()), output: outputSchema }),
  inputs: [3, 3],
  needs: ['scale', 'output'],
  channels: 'input',
  dims({ inputs }) {
    const [q, k, v] = inputs.map(({ shape }) => shape.dims);
    const outer = [q, k, v].map((dims) => dims.slice(0, -2));
    const fits = q.length > 1 && outer.every((dims) => sameDims(dims, outer[0])) && q.at(-1) === k.at(-1);
    if (fits && k.at(-2) === v.at(-2)) return [...q.slice(0, -1), v.at(-1)!];
    return `expected queries, keys and values of one shape but for their places, got ${[q, k, v].map(dimsText).join(', ')}`;
  },
  terms: ([, { dims }]) => 2 * dims.at(-2)!,
  read({ fields, output }) {
    if (!fields || !output) return null;
    const { scale, is_causal: isCausal } = fields as { scale: number; is_causal?: boolean };
    return { form: tensorForm({ scale, isCausal: isCausal === true } satisfies AttentionAttributes), output };
  },
};
