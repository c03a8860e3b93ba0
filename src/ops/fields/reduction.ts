/** What mean and sum over axes of a sample have in common. */

import * as z from 'zod/mini';
import type { ReduceAttributes, SpreadAttributes } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import { INTEGERS } from '../../nouns/value.js';
import { axesOf } from '../../tensor/axes.js';
import type { Op, ShapedLayer } from '../op.js';
import { isOverSamples, oneOrMoreAxes } from './axes.js';
import { ownOrKept } from './elementwise.js';
import { keptOutput, layerFields } from './schema.js';
import { tensorForm } from './tensor.js';

interface Attributes extends ReduceAttributes {
  readonly keepdim: boolean;
}

export function indexOfExtreme(name: string): Op {
  const { reads: _, ...own } = reduction(name);
  return {
    ...own,
    schema: () => z.object({ ...layerFields, dim: oneOrMoreAxes, keepdim: z.optional(z.boolean()) }),
    channels: 'last',
    read({ fields }) {
      if (!fields) return null;
      const { dim, keepdim = false } = fields as { dim: number | number[]; keepdim?: boolean };
      return { form: tensorForm({ dim: [dim].flat(), keepdim } satisfies Attributes), output: INTEGERS };
    },
  };
}

export function reduction(name: string): Op {
  return {
    name,
    schema: () =>
      z.object({
        ...layerFields,
        dim: oneOrMoreAxes,
        keepdim: z.optional(z.boolean()),
        output: keptOutput(),
      }),
    inputs: [1, 1],
    needs: ['dim'],
    reads: 'codes',
    beyond: isOverSamples,
    channels: 'layout',
    dims: reducedDims,
    read(layer) {
      const output = ownOrKept(layer);
      if (!layer.fields || !output) return null;
      const { dim, keepdim = false } = layer.fields as { dim: number | number[]; keepdim?: boolean };
      return { form: tensorForm({ dim: [dim].flat(), keepdim } satisfies Attributes), output };
    },
  };
}

/** Variances and what is made of them: of n values divided by n - correction. */
export function spread(name: string): Op {
  const own = reduction(name);
  return {
    ...own,
    schema: () => z.object({ ...own.schema().shape, correction: z.optional(z.number()) }),
    async read(layer) {
      const read = await own.read(layer);
      if (!read) return null;
      const { correction = 1 } = layer.fields as { correction?: number };
      const form = read.form as TensorForm;
      const attributes: SpreadAttributes = { ...(form.attributes as Attributes), correction };
      return { ...read, form: { ...form, attributes } };
    },
  };
}

function reducedDims({ form, inputs: [{ shape }] }: ShapedLayer): readonly number[] | string {
  const { dim, keepdim } = (form as TensorForm).attributes as Attributes;
  const axes = axesOf(dim, shape);
  if (typeof axes === 'string') return axes;
  if (keepdim) return shape.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const kept = shape.dims.filter((_, axis) => !axes.includes(axis));
  return kept.length > 0 ? kept : [1];
}
