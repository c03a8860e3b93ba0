/** torch.mean over axes of a sample. */

import * as z from 'zod/mini';
import type { ReduceAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { axesOf } from '../tensor/axes.js';
import { isOverSamples, oneOrMoreAxes } from './fields/axes.js';
import { ownOrKept } from './fields/elementwise.js';
import { keptOutput, layerFields } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, ShapedLayer } from './op.js';

interface MeanAttributes extends ReduceAttributes {
  readonly keepdim: boolean;
}

export const mean: Op = {
  name: 'mean',
  schema: z.object({
    ...layerFields,
    dim: oneOrMoreAxes,
    keepdim: z.optional(z.boolean()),
    output: keptOutput,
  }),
  inputs: [1, 1],
  needs: ['dim'],
  reads: 'codes',
  beyond: isOverSamples,
  channels: 'layout',
  dims: meanDims,
  read(layer) {
    const output = ownOrKept(layer);
    if (!layer.fields || !output) return null;
    const { dim, keepdim = false } = layer.fields as { dim: number | number[]; keepdim?: boolean };
    return { form: tensorForm({ dim: [dim].flat(), keepdim } satisfies MeanAttributes), output };
  },
};

function meanDims({ form, inputs: [{ shape }] }: ShapedLayer): readonly number[] | string {
  const { dim, keepdim } = (form as TensorForm).attributes as MeanAttributes;
  const axes = axesOf(dim, shape);
  if (typeof axes === 'string') return axes;
  if (keepdim) return shape.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return shape.dims.filter((_, axis) => !axes.includes(axis));
}
