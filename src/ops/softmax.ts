/** torch.nn.functional.softmax along an axis of a sample. */

import type { AxisAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { axisOf } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { integer } from './fields/schema.js';
import { intoOwn } from './fields/unary.js';
import type { Op } from './op.js';

export const softmax: Op = {
  ...intoOwn('softmax', { dim: integer }, ({ dim }): AxisAttributes => ({ dim: dim as number })),
  needs: ['dim', 'output'],
  beyond: isOverSamples,
  dims({ form, inputs: [{ shape }] }) {
    const axis = axisOf(((form as TensorForm).attributes as AxisAttributes).dim, shape);
    return typeof axis === 'string' ? axis : shape.dims;
  },
};
