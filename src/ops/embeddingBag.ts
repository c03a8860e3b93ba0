/** torch.nn.EmbeddingBag: the sum of a bag's rows. A sample is a bag of indices, -1 where it has no more; a second input: a weight each. */

import * as z from 'zod/mini';
import type { EmbeddingAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { sameDims } from '../tensor/shape.js';
import { embeddingFields, embeddingForm } from './fields/embedding.js';
import { expectInput } from './fields/inputs.js';
import type { Op } from './op.js';

const modes = ['sum', 'mean', 'max'] as const;

export const embeddingBag: Op = {
  name: 'embedding_bag',
  schema: () => z.object({ ...embeddingFields, mode: z.optional(z.enum(modes)) }),
  inputs: [1, 2],
  needs: ['weight', 'embedding_dim', 'output'],
  channels: 'last',
  dims({ form, inputs: [indices, weights] }) {
    const { size } = (form as TensorForm).attributes as EmbeddingAttributes;
    const fits = !weights || sameDims(weights.shape.dims, indices.shape.dims);
    return fits ? [size] : 'expected a weight for each index of a bag (its second input)';
  },
  async read(layer) {
    expectInput(layer, ['int32'], 'indices are int32 with scale 1 and zero_point 0');
    const form = await embeddingForm(layer, { mode: (layer.fields?.mode ?? 'sum') as (typeof modes)[number] });
    return form && layer.output ? { form, output: layer.output } : null;
  },
};
