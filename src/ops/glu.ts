/** torch.nn.functional.glu: one half along an axis times the sigmoid of the other, of floats: it has no quantized kernel. */
import type { AxisAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { axisOf } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { integer } from './fields/schema.js';
import { intoOwn } from './fields/unary.js';
import type { Op } from './op.js';

export const glu: Op = {
  ...intoOwn('glu', { dim: integer }, ({ dim }) => ({ dim }) as AxisAttributes),
  needs: ['dim', 'output'],
  beyond: isOverSamples,
  dims({ form, inputs: [{ shape }] }) {
    const axis = axisOf(((form as TensorForm).attributes as AxisAttributes).dim, shape);
    if (typeof axis === 'string') return axis;
    const size = shape.dims[axis];
    return size % 2 ? `expected an even number along the axis, got ${size}` : shape.dims.with(axis, size / 2);
  },
};
