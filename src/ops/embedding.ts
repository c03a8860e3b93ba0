/** torch.nn.Embedding: a row of weights an index, as floats; the weights are floats, or codes with a scale and a zero point a row. */

import * as z from 'zod/mini';
import type { EmbeddingAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { embeddingFields, embeddingForm } from './fields/embedding.js';
import { expectInput } from './fields/inputs.js';
import type { Op } from './op.js';

/** one: a sample is a single index, which gives a row and no axis of them. */
export const embedding: Op = {
  name: 'embedding',
  schema: () => z.object({ ...embeddingFields, one: z.optional(z.boolean()) }),
  inputs: [1, 1],
  needs: ['weight', 'embedding_dim', 'output'],
  channels: 'last',
  dims({ form, inputs: [{ shape }] }) {
    const { size, one } = (form as TensorForm).attributes as EmbeddingAttributes;
    return one ? [size] : [...shape.dims, size];
  },
  async read(layer) {
    expectInput(layer, ['int32'], 'indices are int32 with scale 1 and zero_point 0');
    const form = await embeddingForm(layer, { one: layer.fields?.one === true });
    return form && layer.output ? { form, output: layer.output } : null;
  },
};
