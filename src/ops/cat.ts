/** torch.cat: values one after the other along an axis; each is requantized to the output's parameters. */

import * as z from 'zod/mini';
import { activation } from '../documents/activation.js';
import type { AxisAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { axisOf } from '../tensor/axes.js';
import { computed } from './fields/activation.js';
import { isOverSamples } from './fields/axes.js';
import { shapedText } from './fields/inputs.js';
import { integer, layerFields, outputSchema } from './fields/schema.js';
import type { Op, ShapedLayer } from './op.js';

/** More than anything joins. */
const MOST = 1024;

export const cat: Op = {
  name: 'cat',
  schema: () => z.object({ ...layerFields, dim: integer, activation: z.optional(activation), output: outputSchema }),
  inputs: [1, MOST],
  needs: ['dim', 'output'],
  reads: 'codes',
  beyond: isOverSamples,
  channels: 'input',
  dims: joinedDims,
  read: (layer) => computed(layer, ({ dim }): AxisAttributes => ({ dim: dim as number })),
};

function joinedDims({ form, inputs }: ShapedLayer): readonly number[] | string {
  const [first, ...others] = inputs;
  const axis = axisOf(((form as TensorForm).attributes as AxisAttributes).dim, first.shape);
  if (typeof axis === 'string') return axis;
  const rest = (dims: readonly number[]) => dims.filter((_, i) => i !== axis).join();
  const wrong = others.find(
    ({ shape: { dims } }) => dims.length !== first.shape.dims.length || rest(dims) !== rest(first.shape.dims),
  );
  if (!wrong)
    return first.shape.dims.map((dim, i) =>
      i === axis ? inputs.reduce((sum, { shape }) => sum + shape.dims[i], 0) : dim,
    );
  const given = [first, wrong].map(shapedText).join(' and ');
  return `expected inputs that differ in axis ${axis + 1} alone, got ${given}`;
}
