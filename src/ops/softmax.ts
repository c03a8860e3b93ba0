/** torch.nn.functional.softmax along an axis of a sample; beta: TFLite's factor of the exponents. */

import * as z from 'zod/mini';
import type { AxisAttributes, BetaAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { axisOf } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { integer } from './fields/schema.js';
import { intoOwn } from './fields/unary.js';
import type { Op } from './op.js';

export const softmax: Op = {
  ...intoOwn('softmax', { dim: integer, beta: z.optional(z.number()) }, ({ dim, beta = 1 }) => {
    return { dim, beta } as BetaAttributes;
  }),
  needs: ['dim', 'output'],
  beyond: isOverSamples,
  dims({ form, inputs: [{ shape }] }) {
    const axis = axisOf(((form as TensorForm).attributes as AxisAttributes).dim, shape);
    return typeof axis === 'string' ? axis : shape.dims;
  },
};
