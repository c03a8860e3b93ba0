/** torch.nn.functional.rms_norm: the last axes of a sample, divided by the root of the mean of their squares. */
import * as z from 'zod/mini';
import { affineFields, normalizedShape } from './fields/affine.js';
import { layerFields, outputSchema } from './fields/schema.js';
import { layerNorm } from './layerNorm.js';
import type { Op } from './op.js';

export const rmsNorm: Op = {
  ...layerNorm,
  name: 'rms_norm',
  schema: () => {
    const { weight, eps } = affineFields;
    return z.object({ ...layerFields, weight, eps, normalized_shape: normalizedShape, output: outputSchema });
  },
};
