/** torch.where: of two values the one that a condition chooses, place by place; codes of either become those of the output, floats are copied. */
import * as z from 'zod/mini';
import { broadcastDims } from './fields/binary.js';
import { layerFields, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op } from './op.js';

export const where: Op = {
  name: 'where',
  schema: () => z.object({ ...layerFields, output: outputSchema }),
  inputs: [3, 3],
  needs: ['output'],
  channels: 'last',
  dims: broadcastDims,
  read: ({ fields, output }) => (fields && output ? { form: tensorForm(null), output } : null),
};
