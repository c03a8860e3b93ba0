/** Two values compared place by place: codes 1 where it holds, else 0. */
import * as z from 'zod/mini';
import type { CompareAttributes } from '../nouns/attributes.js';
import { broadcastDims } from './fields/binary.js';
import { layerFields, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op } from './op.js';

const by = z.enum(['greater', 'greater_equal', 'less', 'less_equal', 'equal', 'not_equal']);

export const compare: Op = {
  name: 'compare',
  schema: () => z.object({ ...layerFields, by, output: outputSchema }),
  inputs: [2, 2],
  needs: ['by', 'output'],
  channels: 'input',
  dims: broadcastDims,
  read({ fields, output }) {
    if (!fields || !output) return null;
    return { form: tensorForm({ by: fields.by } as CompareAttributes), output };
  },
};
