/** torch.nn.functional.layer_norm: the last axes of a sample, normalized together. */

import * as z from 'zod/mini';
import type { LayerNormAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText, sameDims, sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import { affineFields, affineOf, normalizedShape, wrongLength } from './fields/affine.js';
import { layerFields, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op } from './op.js';

export const layerNorm: Op = {
  name: 'layer_norm',
  schema: () =>
    z.object({
      ...layerFields,
      ...affineFields,
      normalized_shape: normalizedShape,
      output: outputSchema,
    }),
  inputs: [1, 1],
  needs: ['normalized_shape', 'output'],
  reads: 'codes',
  channels: 'input',
  dims({ form, inputs: [{ name, shape }] }) {
    const { weight, bias, dims } = (form as TensorForm).attributes as LayerNormAttributes;
    if (!sameDims(shape.dims.slice(-dims.length), dims)) {
      return `expected the last axes of its input (normalized_shape), got ${dimsText(dims)} and ${printable(name)} of shape ${dimsText(shape.dims)}`;
    }
    return wrongLength({ weight, bias }, sizeOf(dims)) ?? shape.dims;
  },
  async read(layer) {
    const affine = await affineOf(layer);
    if (!affine || !layer.fields || !layer.output) return null;
    const dims = [layer.fields.normalized_shape as number | number[]].flat();
    return { form: tensorForm({ ...affine, dims } satisfies LayerNormAttributes), output: layer.output };
  },
};
